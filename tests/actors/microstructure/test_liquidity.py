"""The shape of a side: each definition against its plain form, then by example."""

from statistics import median, median_low

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.microstructure import MicrostructureSettings
from actors.microstructure.flicker import UNTRADED, Flicker
from actors.microstructure.liquidity import LEVELS_MIN, SideLiquidity
from actors.microstructure.settings import BOUNDS, MS

SETTINGS = MicrostructureSettings(cluster_stood_ms=0)
SIDE = st.sampled_from([1, -1])
QUANTITIES = st.lists(st.integers(1, 10**12), min_size=1, max_size=20)


def side(sign: int = 1) -> SideLiquidity:
    return SideLiquidity(sign, Flicker.over(sign, 5, 1_000))


def ladder(sign: int, distances: list[int], first: int = 1_000) -> tuple[int, ...]:
    """Prices by their distance from the touch."""
    return tuple(first - sign * distance for distance in distances)


@st.composite
def levels(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Distances from the touch (rising from 0) and quantities."""
    quantities = draw(QUANTITIES)
    gaps = draw(st.lists(st.integers(1, 30), min_size=len(quantities) - 1, max_size=len(quantities) - 1))
    return [sum(gaps[:count]) for count in range(len(quantities))], quantities


def thin(distances: list[int], quantities: list[int], usual_level: int, usual_gap: int) -> bool:
    """By the definition: the first hole, then what stands before it."""
    settings = SETTINGS
    counting = [
        distance
        for distance, quantity in zip(distances, quantities, strict=True)
        if quantity >= settings.thin_level_pct * usual_level // 100
    ]
    hole_at = len(distances)
    for rank, distance in enumerate(distances):
        last = max([0, *[other for other in counting if other < distance]])
        if distance - last >= settings.gap_multiple * usual_gap:
            hole_at = rank
            break
    return sum(quantities[:hole_at]) < settings.thin_levels * usual_level


@given(levels(), SIDE, st.integers(1, 100))
def test_a_first_reading_equals_the_definitions(drawn: tuple[list[int], list[int]], sign: int, distance: int) -> None:
    distances, quantities = drawn
    prices = ladder(sign, distances)
    one = side(sign)
    one.read(prices, tuple(quantities), 7, SETTINGS, distance)
    assert one.depth == sum(quantity for away, quantity in zip(distances, quantities, strict=True) if away < distance)
    if len(quantities) < LEVELS_MIN:
        assert (one.clusters, one.thin) == ((), False)
        return
    usual = median_low(quantities)
    clusters = [
        (price, quantity)
        for price, quantity in zip(prices, quantities, strict=True)
        if quantity >= usual * SETTINGS.cluster_multiple
    ]
    assert list(zip(one.clusters, one.quantities, strict=True)) == clusters
    assert one.since_ns == (7,) * len(clusters)
    gap = distances[-1] // (len(distances) - 1)
    assert one.thin == thin(distances, quantities, usual, gap)


@given(st.lists(st.integers(1, 10**12), min_size=LEVELS_MIN, max_size=20), st.integers(2, 50))
def test_a_cluster_is_a_robust_outlier(quantities: list[int], multiple: int) -> None:
    """The docstring's claim: a median absolute deviation of positive numbers is at most their median."""
    usual = median_low(quantities)
    deviation = median_low([abs(quantity - usual) for quantity in quantities])
    assert deviation <= usual
    for quantity in quantities:
        if quantity >= multiple * usual:
            assert quantity - usual >= (multiple - 1) * deviation


@given(st.lists(st.integers(1, 10**15), min_size=1, max_size=50), st.integers(1, 300))
def test_what_is_usual_follows_the_exponential_average(medians: list[int], scans: int) -> None:
    one = side()
    average = float(medians[0])
    for count, value in enumerate(medians):
        one._learn(value, value, scans)
        average += (value - average) / scans if count else 0
        assert one.usual_level / scans == pytest.approx(average, rel=1e-6, abs=1)
        assert one.usual_gap == one.usual_level


def read(one: SideLiquidity, quantities: list[int], at_ns: int = 0, settings=SETTINGS, distances=None) -> SideLiquidity:
    distances = distances or list(range(len(quantities)))
    one.read(ladder(one.side, distances), tuple(quantities), at_ns, settings, 10)
    return one


EVEN = [100] * 10


def test_an_even_side_is_neither_thick_nor_thin() -> None:
    one = read(side(), EVEN)
    assert (one.clusters, one.thin, one.depth) == ((), False, 1_000)


def test_little_before_a_gap_is_thin_ice() -> None:
    one = read(read(side(), EVEN), [100, *EVEN], distances=[0, *range(6, 16)])
    assert one.thin
    assert not read(one, [200, *EVEN], distances=[0, *range(6, 16)]).thin


def test_a_run_of_thin_levels_is_a_gap() -> None:
    assert not read(read(side(), EVEN), [100, *EVEN]).thin
    assert read(read(side(), EVEN), [*[9] * 6, *EVEN]).thin


@pytest.mark.parametrize(("gap", "thin"), [(4, False), (5, True)])
def test_a_hole_begins_at_its_multiple_of_the_usual_gap(gap: int, thin: bool) -> None:
    one = side()
    one.usual_level, one.usual_gap = 100 * SETTINGS.usual_scans, SETTINGS.usual_scans
    assert one._is_thin((1_000, 1_000 - gap), (100, 100), SETTINGS) is thin


@pytest.mark.parametrize(("quantity", "thin"), [(9, True), (10, False)])
def test_a_level_counts_from_its_share_of_the_usual_one(quantity: int, thin: bool) -> None:
    """Three ticks to it and three more behind it: a hole of six only without it."""
    one = side()
    one.usual_level, one.usual_gap = 100 * SETTINGS.usual_scans, SETTINGS.usual_scans
    assert one._is_thin((1_000, 997, 994), (100, quantity, 1_000), SETTINGS) is thin


@pytest.mark.parametrize(("quantity", "clusters"), [(999, ()), (1_000, (997,))])
def test_a_cluster_begins_at_its_multiple_of_the_median(quantity: int, clusters: tuple[int, ...]) -> None:
    assert read(side(), [100, 100, 100, quantity, 100, 100]).clusters == clusters


@pytest.mark.parametrize(("sign", "order"), [(1, (9, 8)), (-1, (8, 9))])
def test_flickering_prices_are_told_best_first_until_their_flips_are_old(sign: int, order: tuple[int, ...]) -> None:
    one = SideLiquidity(sign, Flicker.over(sign, 1, 1_000))
    one.flicker.look((5,) if sign < 0 else (15,), 0, UNTRADED)
    one.flicker.look((5, 8, 9) if sign < 0 else (15, 9, 8), 1, UNTRADED)
    assert read(one, EVEN, 1_000).flickering == order
    assert read(one, EVEN, 1_001).flickering == ()


def test_a_side_that_ends_early_stands_on_thin_ice() -> None:
    assert read(read(side(), EVEN), [100]).thin


def test_a_side_where_everything_fades_is_thin_against_what_was_usual() -> None:
    one = side()
    for _ in range(20):
        read(one, EVEN)
    assert read(one, [19] * 10).thin


def test_a_cluster_is_told_once_it_has_stood_and_keeps_its_beginning() -> None:
    settings = msgspec.structs.replace(SETTINGS, cluster_stood_ms=1)
    one, thick = side(), [100, 100, 2_000, *EVEN]
    assert read(one, thick, 5, settings).clusters == ()
    assert read(one, thick, MS + 5, settings).clusters == (998,)
    assert (one.quantities, one.since_ns) == ((2_000,), (5,))


def test_a_cluster_that_fell_begins_anew() -> None:
    one, thick = side(-1), [100, 100, 2_000, *EVEN]
    read(one, thick, 5)
    assert read(one, EVEN, 6).clusters == ()
    assert (read(one, thick, 7).clusters, one.since_ns) == ((1_002,), (7,))


def test_few_levels_have_no_cluster_and_make_nothing_usual() -> None:
    one = read(side(), [1, 1, 1, 10**6])
    assert (one.clusters, one.usual_level, one.thin) == ((), 0, False)


@pytest.mark.parametrize("field", BOUNDS)
def test_settings_out_of_range_name_the_field_and_the_bounds(field: str) -> None:
    least, most = BOUNDS[field]
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"{field}: {value} .* write {least} to {most}"):
            MicrostructureSettings(**{field: value})


def test_the_shape_cannot_be_read_between_looks() -> None:
    with pytest.raises(ValueError, match=r"flicker_interval_ms: 300 .* write at most 250"):
        MicrostructureSettings(flicker_interval_ms=300)
    assert MicrostructureSettings(flicker_interval_ms=300, liquidity_interval_ms=300).flicker_interval_ms == 300


def test_every_setting_has_bounds() -> None:
    assert tuple(BOUNDS) == MicrostructureSettings.__struct_fields__


def test_medians_of_even_counts_are_the_lower_one() -> None:
    quantities = [1, 1, 1, 2, 100, 100]
    assert median(quantities) != median_low(quantities) == 1
    assert read(side(), quantities, distances=list(range(6))).clusters == (996, 995)
