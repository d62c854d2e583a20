"""Pressure and sweeps against the plain formulas over all trades."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.microstructure.pressure import Pressure
from actors.microstructure.timewindow import NEVER_NS, TimeWindow
from bus.messages import Side, TradePrint

BUY, SELL = Side.BUY, Side.SELL
SPAN_NS = 10
BURST_NS = 3
MS = 1_000_000


def trade(at_ns: int, price: int, quantity: int, side: Side, venue_ns: int | None = None) -> TradePrint:
    return TradePrint(0, 1, 0, at_ns, at_ns if venue_ns is None else venue_ns, price, quantity, side)


TRADES = st.lists(
    st.builds(
        trade, st.integers(0, 40), st.integers(1, 4), st.integers(1, 10**12), st.sampled_from(Side), st.integers(0, 40)
    ),
    max_size=40,
)


def in_order(trades: list[TradePrint]) -> list[TradePrint]:
    return sorted(trades, key=lambda one: one.received_ns)


def sweeps(trades: list[TradePrint], levels: int, displayed: int) -> list[tuple[int, int]]:
    """(received_ns, side) of each sweep: cut the trades into bursts, then look at each burst as a whole."""
    bursts: list[list[TradePrint]] = []
    for one in trades:
        same = bool(bursts) and bursts[-1][0].aggressor == one.aggressor
        near = same and 0 <= one.venue_ns - bursts[-1][0].venue_ns <= BURST_NS
        if near and (one.price - bursts[-1][-1].price) * one.aggressor >= 0:
            bursts[-1].append(one)
        else:
            bursts.append([one])
    found = []
    for burst in bursts:
        for count in range(1, len(burst) + 1):
            head = burst[:count]
            if len({one.price for one in head}) >= levels or sum(one.quantity for one in head) > displayed > 0:
                found.append((head[-1].received_ns, int(burst[0].aggressor)))
                break
    return found


@given(TRADES, st.integers(0, 60), st.integers(2, 3), st.sampled_from([0, 10**11]))
def test_pressure_equals_the_formulas_over_the_last_span(
    trades: list[TradePrint], view_ns: int, levels: int, displayed: int
) -> None:
    trades = in_order(trades)
    pressure = Pressure.over(SPAN_NS, BURST_NS, levels)
    for one in trades:
        pressure.update(one, displayed)
    now_ns = max([view_ns, *[one.received_ns for one in trades]])
    kept = [one for one in trades if one.received_ns > now_ns - SPAN_NS]
    volume = sum(one.quantity for one in kept)
    signed = sum(one.quantity * one.aggressor for one in kept)
    assert pressure.at(now_ns) == (signed / volume if volume else 0.0)
    expected = [side for at_ns, side in sweeps(trades, levels, displayed) if at_ns > now_ns - SPAN_NS]
    assert pressure.sweeps == sum(expected)


def swept(*trades: TradePrint, displayed: int = 100) -> int:
    pressure = Pressure.over(1_000 * MS, 5 * MS, 2)
    for one in trades:
        pressure.update(one, displayed)
    pressure.at(trades[-1].received_ns)
    return pressure.sweeps


def test_one_taker_through_two_levels_is_a_sweep() -> None:
    assert swept(trade(0, 100, 1, BUY), trade(0, 101, 1, BUY)) == 1
    assert swept(trade(0, 100, 1, SELL), trade(0, 99, 1, SELL)) == -1


def test_a_burst_is_one_sweep_however_far_it_goes() -> None:
    assert swept(*[trade(0, price, 1, BUY) for price in range(100, 110)]) == 1


def test_more_than_the_touch_displayed_is_a_sweep_at_one_price() -> None:
    assert swept(trade(0, 100, 60, BUY), trade(0, 100, 40, BUY)) == 0
    assert swept(trade(0, 100, 60, BUY), trade(0, 100, 41, BUY)) == 1


def test_without_a_view_nothing_is_known_to_be_displayed() -> None:
    assert swept(trade(0, 100, 10**9, BUY), displayed=0) == 0


def test_a_burst_lasts_to_its_last_nanosecond() -> None:
    assert swept(trade(0, 100, 1, BUY), trade(5 * MS, 101, 1, BUY)) == 1


def test_other_times_sides_and_better_prices_end_a_burst() -> None:
    assert swept(trade(0, 100, 1, BUY), trade(5 * MS + 1, 101, 1, BUY)) == 0
    assert swept(trade(0, 100, 1, BUY), trade(0, 101, 1, SELL)) == 0
    assert swept(trade(0, 101, 1, BUY), trade(0, 100, 1, BUY)) == 0


def test_pressure_ages_out_without_a_trade() -> None:
    pressure = Pressure.over(SPAN_NS, BURST_NS, 2)
    pressure.update(trade(100, 7, 30, BUY), 0)
    pressure.update(trade(105, 7, 10, SELL), 0)
    assert [pressure.at(now_ns) for now_ns in (105, 109, 110, 114, 115)] == [0.5, 0.5, -1.0, -1.0, 0.0]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-5, 5)), max_size=60), st.integers(1, 40))
def test_a_window_gives_back_everything_once(pushed: list[tuple[int, int]], size: int) -> None:
    """What left and what is left are what went in, in order; no more than `size_max` stay; times do not fall."""
    window = TimeWindow(SPAN_NS, size)
    left = []
    for at_ns, value in pushed:
        left += window.push(at_ns, value)
        assert len(window.values) <= size
        if at_ns >= window.expires_ns:
            left += window.expire(at_ns)
            assert all(kept_ns > at_ns - SPAN_NS for kept_ns in window.times)
    assert left + window.values == [value for _, value in pushed]
    assert all(before <= after for before, after in pairwise(window.times))
    assert window.expires_ns == (window.times[0] + SPAN_NS if window.times else NEVER_NS)


def test_a_full_window_makes_room_for_more_than_one() -> None:
    window = TimeWindow(SPAN_NS, 32)
    left = [window.push(0, number) for number in range(33)]
    assert (left[:32], left[32]) == ([[]] * 32, [0, 1])


def test_a_full_window_forgets_its_oldest_and_the_sums_follow() -> None:
    pressure = Pressure(BURST_NS, 2, TimeWindow(SPAN_NS, 2), TimeWindow(SPAN_NS, 2))
    for quantity in (100, 1, 3):
        pressure.update(trade(0, 7, quantity, SELL if quantity == 1 else BUY), 0)
    assert pressure.at(0) == 0.5
