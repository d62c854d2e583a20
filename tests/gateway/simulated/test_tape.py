"""Public trades: aggregates by taker order, candles of every interval against a naive count."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulated.candles import DAY_NS, HOUR_NS, INTERVAL_NS, MINUTE_NS, SECOND_NS, Bar, Candles, end_of, start_of
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.orders import PublicTrade
from gateway.simulated.tape import TRADES_MAX, Tape
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk

MONDAY_NS = 1_700_438_400 * SECOND_NS  # 2023-11-20 00:00 UTC
NOON_NS = MONDAY_NS + DAY_NS // 2


def trade(number: int, price: int, quantity: int = 1, time_ns: int = NOON_NS, taker: int = 0) -> PublicTrade:
    return PublicTrade("BTCUSDT", number, price * SCALE, quantity * SCALE, number % 2 == 0, time_ns, taker)


def test_one_taker_order_at_one_price_is_one_aggregate() -> None:
    """A market order through three orders at two prices, then another one: what the engine itself reports."""
    desk = Desk()
    for price in (100, 100, 101):
        desk.place(ANN, SELL, 1, price)
    desk.place(BOB, BUY, 3)
    desk.place(ANN, SELL, 1, 101)
    desk.place(BOB, BUY, 1)
    _, trades, _ = desk.engine.drain()
    found = [(a.aggregate_id, a.price // SCALE, a.quantity // SCALE, a.first_id, a.last_id) for a in Tape().add(trades)]
    assert found == [(1, 100, 2, 1, 2), (2, 101, 1, 3, 3), (3, 101, 1, 4, 4)]


def test_the_tape_is_bounded_and_found_by_id() -> None:
    tape = Tape()
    tape.add([trade(number, 100, taker=number) for number in range(1, TRADES_MAX + 11)])
    assert tape.trades("BTCUSDT", 0, 1)[0].trade_id == 11
    assert [t.trade_id for t in tape.trades("BTCUSDT", TRADES_MAX + 9, 5)] == [TRADES_MAX + 9, TRADES_MAX + 10]
    assert len(tape.of("BTCUSDT").aggregates) == TRADES_MAX
    assert tape.trades("ETHUSDT", None, 5) == []


def naive(trades: list[PublicTrade], interval: str, offset_ns: int) -> dict[int, tuple[int, ...]]:
    """Start of each bar in which something traded -> open, high, low, close, quantity, amount, bought, count, first, last id."""
    groups: dict[int, list[PublicTrade]] = {}
    for one in trades:
        groups.setdefault(start_of(interval, one.time_ns, offset_ns), []).append(one)
    return {
        start: (
            group[0].price,
            max(t.price for t in group),
            min(t.price for t in group),
            group[-1].price,
            sum(t.quantity for t in group),
            sum(t.price * t.quantity for t in group),
            sum(t.quantity for t in group if not t.buyer_is_maker),
            len(group),
            group[0].trade_id,
            group[-1].trade_id,
        )
        for start, group in groups.items()
    }


def figures(bar: Bar) -> tuple[int, ...]:
    prices = bar.open, bar.high, bar.low, bar.close
    return *prices, bar.quantity, bar.amount, bar.taker_quantity, bar.count, bar.first_id, bar.last_id


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(sorted(INTERVAL_NS)), st.sampled_from([0, 8, -5]))
def test_candles_are_what_a_naive_count_finds(seed: int, interval: str, offset_h: int) -> None:
    """Trades at random times over an hour of seconds or six days of minutes; flat bars lie between."""
    draw = Random(seed)
    span_ns = 3_000 * SECOND_NS if interval == "1s" else 6 * DAY_NS
    times = sorted(NOON_NS + draw.randrange(span_ns) for _ in range(draw.randrange(1, 200)))
    trades = [trade(n, draw.randrange(90, 110), draw.randrange(1, 9), time_ns) for n, time_ns in enumerate(times, 1)]
    candles = Candles()
    for one in trades:
        candles.add(one)
    offset_ns = 0 if interval == "1s" else offset_h * HOUR_NS
    now_ns = times[-1]
    bars = candles.bars(interval, 20_000, now_ns, from_ns=None, to_ns=now_ns, offset_ns=offset_ns)
    assert {bar.start_ns: figures(bar) for bar in bars if bar.count} == naive(trades, interval, offset_ns)
    for one, following in pairwise(bars):
        assert following.start_ns == end_of(interval, one.start_ns, offset_ns)
        if not following.count:
            assert {following.open, following.high, following.low, following.close} == {one.close}
    assert bars[-1].start_ns <= now_ns < end_of(interval, bars[-1].start_ns, offset_ns)
    assert candles.bars(interval, 3, now_ns, from_ns=None, to_ns=now_ns, offset_ns=offset_ns) == bars[-3:]
    onward = candles.bars(interval, 2, now_ns, from_ns=bars[0].start_ns, to_ns=now_ns, offset_ns=offset_ns)
    assert onward == bars[:2]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_a_window_is_what_a_naive_count_finds(seed: int) -> None:
    """Trades at random times over a week; windows that begin anywhere in it."""
    draw = Random(seed)
    times = sorted(NOON_NS + draw.randrange(7 * DAY_NS) for _ in range(draw.randrange(1, 400)))
    trades = [trade(n, draw.randrange(90, 110), draw.randrange(1, 9), time_ns) for n, time_ns in enumerate(times, 1)]
    candles = Candles()
    for one in trades:
        candles.add(one)
    for _ in range(5):
        from_ns = NOON_NS + draw.randrange(7 * DAY_NS)
        start_ns = start_of("1m", from_ns)
        of_one_bar = [msgspec.structs.replace(one, time_ns=0) for one in trades if one.time_ns >= start_ns]
        whole = candles.window(from_ns)
        assert (None if whole is None else figures(whole)) == naive(of_one_bar, "1m", 0).get(0)
        assert whole is None or whole.start_ns == start_ns


def test_a_week_is_put_together_from_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the widest window is soon found. Method: a trade in every minute of a week; count the bars it takes."""
    candles = Candles()
    for minute in range(7 * 24 * 60):
        candles.add(trade(minute + 1, 100, 1, NOON_NS + minute * MINUTE_NS))
    taken: list[Bar] = []
    monkeypatch.setattr(Bar, "add", lambda bar, other: taken.append(other))
    candles.window(NOON_NS + MINUTE_NS)
    assert len(taken) <= 59 + 7 * 24


@pytest.mark.parametrize(
    ("interval", "offset_ns", "start_ns"),
    [
        ("1w", 0, MONDAY_NS),
        ("1M", 0, MONDAY_NS - 19 * DAY_NS),
        ("1d", 8 * HOUR_NS, MONDAY_NS - 8 * HOUR_NS),
        ("1d", 13 * HOUR_NS, MONDAY_NS + 11 * HOUR_NS),
        ("4h", 0, NOON_NS),
        ("1h", HOUR_NS // 2, NOON_NS - HOUR_NS // 2),
    ],
)
def test_where_candles_begin(interval: str, offset_ns: int, start_ns: int) -> None:
    """Weeks on Mondays, months on their first day; days by the clock that is asked for."""
    assert start_of(interval, NOON_NS, offset_ns) == start_ns
    assert start_of(interval, end_of(interval, start_ns, offset_ns), offset_ns) == end_of(interval, start_ns, offset_ns)


def test_a_window_counts_from_its_minute_on() -> None:
    candles = Candles()
    for number, (minute, price) in enumerate([(0, 100), (5, 110), (6, 90)], 1):
        candles.add(trade(number, price, 1, NOON_NS + minute * MINUTE_NS))
    whole = candles.window(NOON_NS + 5 * MINUTE_NS + 1)
    assert whole is not None
    assert (whole.start_ns, whole.open, whole.close, whole.count) == (
        NOON_NS + 5 * MINUTE_NS,
        110 * SCALE,
        90 * SCALE,
        2,
    )
    assert candles.price_before(NOON_NS + 5 * MINUTE_NS + 1) == 100 * SCALE
    assert candles.window(NOON_NS + 7 * MINUTE_NS) is None
    assert candles.price_before(NOON_NS) is None


def test_a_clock_that_is_set_back_breaks_no_candle() -> None:
    candles = Candles()
    candles.add(trade(1, 100, 1, NOON_NS + MINUTE_NS))
    candles.add(trade(2, 120, 1, NOON_NS))
    (bar,) = candles.bars("1m", 10, NOON_NS + MINUTE_NS, from_ns=None, to_ns=NOON_NS + MINUTE_NS)
    assert (bar.count, bar.close) == (2, 120 * SCALE)
    assert candles.bars("1m", 10, NOON_NS, from_ns=None, to_ns=NOON_NS) == []
