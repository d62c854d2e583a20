"""Sizes: the quantiles of the table, the Pareto tail above, whole steps."""

import math
from random import Random

import pytest

from gateway.simulated.crowd.parameters import AS_CAPTURED, COARSE_TICK, FlowParameters
from gateway.simulated.crowd.sizes import SizeQuantiles, SizeTable

UNIT = 10**8
QUANTILES = SizeQuantiles(points=((0.1, 0.5), (0.5, 1.0), (0.9, 8.0)), tail=1.5, cap=1_000.0)


def test_the_points_of_the_table_are_its_quantiles() -> None:
    table = SizeTable(QUANTILES, UNIT, 1, 1)
    assert table.draw(0.0) == table.draw(0.05) == UNIT // 2
    assert table.draw(0.5) == UNIT
    assert table.draw(0.7) == pytest.approx(math.sqrt(8.0) * UNIT, rel=0.01)  # half-way in the logarithm
    assert table.draw(0.9) == pytest.approx(8 * UNIT)


def test_the_tail_is_a_power_law_up_to_the_cap() -> None:
    """P(size > x) falls by 2 ** -1.5 where x doubles."""
    table = SizeTable(QUANTILES, UNIT, 1, 1)
    assert table.draw(1 - 0.1 * 2**-1.5) == pytest.approx(16 * UNIT, rel=1e-6)
    assert table.draw(1 - 1e-12) == 1_000 * UNIT


def test_whole_steps_and_never_less_than_the_least() -> None:
    table = SizeTable(QUANTILES, UNIT, UNIT * 3 // 4, UNIT // 2)
    random = Random(1)
    drawn = {table.draw(random.random()) for _ in range(1_000)}
    assert min(drawn) == UNIT // 2
    assert all(size % (UNIT * 3 // 4) == 0 for size in drawn if size > UNIT // 2)


@pytest.mark.parametrize("parameters", [AS_CAPTURED, COARSE_TICK], ids=["as_captured", "coarse_tick"])
def test_the_presets_are_tables_of_one_shape(parameters: FlowParameters) -> None:
    """Each row of the touch has its intensities; each band's probabilities leave room; bands do not overlap."""
    touch = parameters.touch
    assert {len(row) for row in (touch.limit, touch.cancel, touch.market, touch.retreat)} == {len(touch.edges) + 1}
    assert list(touch.edges) == sorted(touch.edges)
    for band in parameters.bands:
        assert len(band.limit) == len(band.cancel)
        assert all(add + cancel <= 1.0 for add, cancel in zip(band.limit, band.cancel, strict=True))
        assert band.cancel[0] == 0.0
    assert [band.low for band in parameters.bands[1:]] == [band.high + 1 for band in parameters.bands[:-1]]
    for sizes in (parameters.market_sizes, parameters.touch_sizes, parameters.near_sizes, parameters.far_sizes):
        assert list(sizes.points) == sorted(sizes.points)
        assert [size for _, size in sizes.points] == sorted(size for _, size in sizes.points)
