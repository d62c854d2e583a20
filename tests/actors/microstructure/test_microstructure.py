"""What microstructure says to views and words on validity."""

import msgspec
import pytest

from actors.microstructure import Microstructure, MicrostructureSettings
from actors.microstructure.metrics import PRINTS_SHOWN, SEEN_MAX
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    BookView,
    Liquidity,
    Message,
    SetTimer,
    Side,
    Signals,
    Stream,
    StreamChanged,
    TimerFired,
    TradePrint,
    TradesMissed,
)
from tests.actors.market_data.feeds import NUMBER, copy_of, instrument

SETTINGS = MicrostructureSettings(flow_window=3, spread_window=4, depth_decay=0.0, cluster_stood_ms=0)
SECOND_NS = 1_000_000_000
LIVE = BookStateChanged(NUMBER, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 1)
INVALID = BookStateChanged(NUMBER, BookState.INVALID, BookReason.CONNECTION_LOST, 1)


def view(update_id: int, bids=((100, 30), (99, 10)), asks=((102, 10),), at_ns: int | None = None) -> BookView:
    """A view a second unless told."""
    return BookView(
        NUMBER,
        2,
        update_id,
        update_id * SECOND_NS if at_ns is None else at_ns,
        tuple(price for price, _ in bids),
        tuple(quantity for _, quantity in bids),
        tuple(price for price, _ in asks),
        tuple(quantity for _, quantity in asks),
    )


def trade(trade_id: int, quantity: int, side: Side, at_ns: int = 0, price: int = 100) -> TradePrint:
    return TradePrint(NUMBER, 1, trade_id, at_ns, at_ns, price, quantity, side)


def actor(*messages: Message) -> Microstructure:
    fresh = Microstructure(SETTINGS)
    for message in (instrument(), *messages):
        fresh.receive(message, 0)
    return fresh


def signals(microstructure: Microstructure, message: BookView) -> Signals:
    (only,) = microstructure.receive(message, 0)
    assert isinstance(only, Signals)
    return only


def reading(microstructure: Microstructure, now_ns: int = 0) -> tuple[Message, ...]:
    """The timer that is set fires."""
    return microstructure.receive(TimerFired("microstructure", 0, microstructure.generation, now_ns), now_ns)


def shape(microstructure: Microstructure, *views: BookView) -> Liquidity | None:
    """What is told of the shape at the reading after these views."""
    for message in views:
        signals(microstructure, message)
    told = [message for message in reading(microstructure) if isinstance(message, Liquidity)]
    assert len(told) <= 1
    return told[0] if told else None


def test_first_view_gives_every_metric_but_is_not_warm() -> None:
    assert signals(actor(), view(7)) == Signals(
        NUMBER,
        2,
        7,
        7 * SECOND_NS,
        100,
        30,
        102,
        10,
        imbalance=0.5,
        depth_imbalance=(40 - 10) / 50,
        weighted_mid=101.5,
        order_flow_imbalance=0.0,
        spread_mean=2.0,
        spread_deviation=0.0,
        warm=False,
    )


def test_warm_when_every_window_is_full_and_cold_again_after_invalid() -> None:
    microstructure = actor()
    warm = [signals(microstructure, view(number)).warm for number in range(7)]
    assert warm == [False, False, False, False, False, True, True]  # five seconds of trades take longest
    assert microstructure.receive(INVALID, 0) == ()
    assert microstructure.receive(view(8), 0) == (), "it was taken away in the cascade of this view"
    microstructure.receive(LIVE, 0)
    again = signals(microstructure, view(9, bids=((50, 1),)))
    assert (again.warm, again.order_flow_imbalance, again.spread_mean) == (False, 0.0, 52.0)


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.STALE, BookState.INVALID])
def test_every_state_but_live_forgets_the_windows(state: BookState) -> None:
    microstructure = actor(view(1), view(2))
    microstructure.receive(BookStateChanged(NUMBER, state, BookReason.START, 0), 0)
    assert microstructure.view()["instruments"][NUMBER]["updates"] == 0


def test_live_forgets_nothing() -> None:
    microstructure = actor(view(1), view(2))
    microstructure.receive(BookStateChanged(NUMBER, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 0), 0)
    assert microstructure.view()["instruments"][NUMBER]["updates"] == 1


def test_flow_is_summed_over_the_window() -> None:
    microstructure = actor()
    flows = [
        signals(microstructure, view(quantity, bids=((100, quantity),))).order_flow_imbalance
        for quantity in (1, 3, 7, 15, 31)
    ]
    assert flows == [0.0, 2.0, 6.0, 14.0, 28.0]


@pytest.mark.parametrize(
    ("bids", "asks", "touch"), [((), ((102, 10),), (0, 0, 102, 10)), (((9, 1),), (), (9, 1, 0, 0))]
)
def test_one_sided_book_is_told_and_never_warm(bids, asks, touch) -> None:
    microstructure = actor(*[view(number) for number in range(6)])
    one_sided = signals(microstructure, view(9, bids, asks))
    assert (one_sided.bid, one_sided.bid_quantity, one_sided.ask, one_sided.ask_quantity) == touch
    assert not one_sided.warm
    assert not signals(microstructure, view(10)).warm


def test_windows_of_updates_keep_it_cold_when_time_does_not() -> None:
    microstructure = actor()
    warm = [signals(microstructure, view(number, at_ns=number * 60 * SECOND_NS)).warm for number in range(4)]
    assert warm == [False, False, False, True]


def test_pressure_and_sweeps_are_of_the_last_seconds_before_the_view() -> None:
    microstructure = actor(view(1))
    for message in (
        trade(1, 60, Side.SELL, SECOND_NS, price=100),
        trade(2, 20, Side.BUY, 2 * SECOND_NS, price=102),
        trade(3, 20, Side.BUY, 2 * SECOND_NS, price=103),
    ):
        assert microstructure.receive(message, 0) == ()
    told = [signals(microstructure, view(number)) for number in (2, 5, 6, 7)]
    assert [(one.pressure, one.sweeps) for one in told] == [(-0.2, 0), (-0.2, 0), (1.0, 1), (0.0, 0)]


def test_a_sweep_is_measured_by_the_touch_it_hit() -> None:
    """30 stood at the bid and 10 at the ask: 20 are a sweep of the ask only."""
    microstructure = actor(view(1), trade(1, 20, Side.SELL, SECOND_NS), trade(2, 20, Side.BUY, SECOND_NS))
    assert signals(microstructure, view(2)).sweeps == 1


def test_invalid_forgets_trades() -> None:
    microstructure = actor(view(1), trade(1, 20, Side.BUY, SECOND_NS), INVALID, LIVE)
    told = signals(microstructure, view(2))
    assert (told.pressure, told.sweeps) == (0.0, 0)


def test_a_burst_ends_with_the_book() -> None:
    first, second = trade(1, 1, Side.BUY, SECOND_NS, price=102), trade(2, 1, Side.BUY, SECOND_NS, price=103)
    assert signals(actor(view(1), first, second), view(2)).sweeps == 1
    assert signals(actor(view(1), first, INVALID, LIVE, second), view(2)).sweeps == 0


def test_the_last_trades_are_shown_and_survive_an_invalid_book() -> None:
    trades = [trade(number, number + 1, Side.SELL, number) for number in range(3 * PRINTS_SHOWN - 1)]
    microstructure = actor(*trades, INVALID)
    shown = microstructure.view()["instruments"][NUMBER]["trades"]
    assert shown == [(100, one.quantity, -1, one.venue_ns) for one in trades[-PRINTS_SHOWN:]]


ASKS = tuple((102 + rank, 10) for rank in range(8))
BIDS = tuple((100 - rank, 10) for rank in range(8))
WITHOUT = (BIDS[0], *BIDS[2:])
THICK = ((100, 10), (99, 500), *BIDS[2:])


def test_the_shape_is_told_at_the_first_reading_and_an_equal_one_is_not_told_again() -> None:
    microstructure = actor()
    assert shape(microstructure, view(6, THICK, ASKS), view(7, THICK, ASKS)) == Liquidity(
        NUMBER, 2, 7, 7 * SECOND_NS, False, False, 570, 80, (99,), (500,), (7 * SECOND_NS,), (), (), (), (), ()
    )
    assert [shape(microstructure, view(number, THICK, ASKS)) for number in (8, 9, 10)] == [None, None, None]


def test_a_side_that_changed_is_told() -> None:
    microstructure = actor()
    assert shape(microstructure, view(1, BIDS, ASKS)) is not None
    told = shape(microstructure, view(2, THICK, ASKS))
    assert told is not None
    assert (told.bid_clusters, told.bid_clusters_since_ns) == ((99,), (2 * SECOND_NS,))
    assert told.ask_clusters == ()


GAP = ((100, 10), *((94 - rank, 10) for rank in range(7)))
FAR = ((100, 10), (99, 10), *((89 - rank, 10) for rank in range(6)))
DEEP = tuple((price, 40) for price, _ in BIDS)
CHANGES = {
    "bid thin": (GAP, ASKS, "bid_thin", True),
    "ask thin": (BIDS, tuple((202 - price, quantity) for price, quantity in GAP), "ask_thin", True),
    "bid cluster": (THICK, ASKS, "bid_clusters", (99,)),
    "ask cluster": (BIDS, ((102, 10), (103, 100), *ASKS[2:]), "ask_clusters", (103,)),
    "bid depth": (DEEP, ASKS, "bid_depth", 320),
    "ask depth": (BIDS, tuple((price, 40) for price, _ in ASKS), "ask_depth", 320),
    "less bid depth": (FAR, ASKS, "bid_depth", 20),
    "less ask depth": (BIDS, tuple((202 - price, quantity) for price, quantity in FAR), "ask_depth", 20),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_that_matters_is_told(change: str) -> None:
    bids, asks, field, value = CHANGES[change]
    microstructure = actor()
    before = shape(microstructure, view(1, BIDS, ASKS))
    after = shape(microstructure, view(2, bids, asks))
    assert before is not None
    assert after is not None
    assert getattr(after, field) == value != getattr(before, field)


def test_a_flickering_ask_is_told() -> None:
    microstructure = actor()
    asks = (ASKS, (ASKS[0], *ASKS[2:]))
    told = [
        shape(microstructure, view(number, BIDS, asks[number % 2], at_ns=number * SECOND_NS // 10))
        for number in range(20)
    ]
    assert [one.ask_flickering for one in told if one is not None] == [(), (103,)]


def test_nothing_of_a_book_that_is_gone_is_read() -> None:
    microstructure = actor(view(1, BIDS, ASKS), INVALID)
    assert shape(microstructure) is None


def test_the_next_book_is_looked_at_at_once_and_not_compared_with_the_last() -> None:
    microstructure = actor()
    shape(microstructure, view(1, BIDS, ASKS))
    microstructure.receive(INVALID, 0)
    microstructure.receive(LIVE, 0)
    told = shape(microstructure, view(2, WITHOUT, ASKS, at_ns=SECOND_NS + 1))
    assert told is not None
    assert microstructure.metrics[NUMBER].bids.flicker.counts == {}


def test_a_reading_without_a_view_tells_nothing() -> None:
    microstructure = actor(view(1, BIDS, ASKS))
    assert shape(microstructure) is not None
    assert shape(microstructure) is None


def test_a_live_book_is_read_once_an_interval_until_none_is_live() -> None:
    microstructure = actor()
    (timer,) = microstructure.receive(LIVE, 5)
    interval_ns = SETTINGS.liquidity_interval_ms * 1_000_000
    assert timer == SetTimer("microstructure", 0, 1, 5 + interval_ns)
    microstructure.receive(view(1, BIDS, ASKS), 6)
    liquidity, again = reading(microstructure, 5 + interval_ns)
    assert isinstance(liquidity, Liquidity)
    assert again == SetTimer("microstructure", 0, 2, 5 + 2 * interval_ns)
    microstructure.receive(INVALID, 0)
    assert reading(microstructure) == ()


def test_only_the_last_timer_counts() -> None:
    """A book that goes LIVE again sets one anew: the one before it may have been lost with a process."""
    microstructure = actor(LIVE, LIVE, view(1, BIDS, ASKS))
    assert microstructure.receive(TimerFired("microstructure", 0, 1, 0), 0) == ()
    assert shape(microstructure) is not None


def test_views_that_nobody_reads_do_not_pile_up() -> None:
    microstructure = actor(*[view(number, BIDS, ASKS) for number in range(2 * SEEN_MAX)])
    assert len(microstructure.metrics[NUMBER].seen) == SEEN_MAX
    told = shape(microstructure)
    assert told is not None
    assert told.update_id == 2 * SEEN_MAX - 1


def test_a_small_change_of_depth_is_not_told_and_a_large_one_is() -> None:
    def deeper(times: int) -> tuple[tuple[int, int], ...]:
        return tuple((price, quantity * times) for price, quantity in BIDS)

    microstructure = actor()
    told = [shape(microstructure, view(number, deeper(number), ASKS)) for number in (1, 3, 4)]
    assert [one and one.bid_depth for one in told] == [80, None, 320]


@pytest.mark.parametrize("stop", [(INVALID, LIVE), (view(4, ()),)])
def test_a_book_that_comes_back_is_told_anew(stop: tuple[Message, ...]) -> None:
    microstructure = actor()
    assert shape(microstructure, view(3, THICK, ASKS)) is not None
    for message in stop:
        microstructure.receive(message, 0)
    told = shape(microstructure, view(5, THICK, ASKS))
    assert told is not None
    assert told.bid_clusters_since_ns == (5 * SECOND_NS,)


def test_a_flickering_level_is_told() -> None:
    microstructure = actor()
    told = [
        shape(microstructure, view(number, (BIDS, WITHOUT)[number % 2], ASKS, at_ns=number * SECOND_NS // 10))
        for number in range(20)
    ]
    assert [one.bid_flickering for one in told if one is not None] == [(), (99,)]


def test_a_level_that_was_traded_away_between_two_looks_did_not_flip() -> None:
    microstructure = actor(view(1, BIDS, ASKS), trade(1, 10, Side.SELL, SECOND_NS, price=99), view(2, WITHOUT, ASKS))
    shape(microstructure, view(3, BIDS, ASKS), view(4, WITHOUT, ASKS))
    assert microstructure.metrics[NUMBER].bids.flicker.counts == {99: 2}


@pytest.mark.parametrize(("step_ms", "flips"), [(50, 19), (10, 3), (25, 0)])
def test_a_fast_feed_is_looked_at_less_often_than_it_speaks(step_ms: int, flips: int) -> None:
    """A level in every other view: each 50 ms all flips are seen; each 10 ms those of every fifth view; each 25 ms none."""
    microstructure = actor()
    for number in range(20):
        microstructure.receive(view(number, (BIDS, WITHOUT)[number % 2], ASKS, at_ns=number * step_ms * 1_000_000), 0)
    shape(microstructure)
    assert len(microstructure.metrics[NUMBER].bids.flicker.flips.values) == flips


def test_a_new_version_brings_its_tick() -> None:
    microstructure = actor(msgspec.structs.replace(instrument(), version=2, tick=2))
    told = shape(microstructure, view(1, BIDS, tuple((102 + 10 * rank, 10) for rank in range(8))))
    assert told is not None
    assert told.ask_depth == 20


def test_restart_at_every_step() -> None:
    """Checkpoint after k inputs, restore into a fresh actor, feed the rest: the same words, the same end."""
    inputs: list[Message] = [instrument(), *[view(n, bids=((100 + n % 3, 5 + n),)) for n in range(8)]]
    inputs += [trade(1, 5, Side.BUY, 7 * SECOND_NS), view(8, THICK, ASKS), view(9, BIDS, ASKS), INVALID, LIVE]
    for n in range(10, 30):
        levels = (THICK, WITHOUT, BIDS)[n % 3]
        inputs += [
            trade(n, 5 * n, Side.BUY if n % 4 else Side.SELL, n * SECOND_NS, price=100 + n % 2),
            view(n, levels, ASKS[: 3 + n % 5], at_ns=n * SECOND_NS // 4),
        ]
        if n % 2:
            inputs.append(TimerFired("microstructure", 0, 1 + (n - 11) // 2, 0))
    for step in range(len(inputs)):
        first = Microstructure(SETTINGS)
        for message in inputs[:step]:
            first.receive(message, 0)
        second = copy_of(first, Microstructure(SETTINGS))
        for message in inputs[step:]:
            assert second.receive(message, 0) == first.receive(message, 0)
        assert second.checkpoint() == first.checkpoint()


# Gaps that end without a hole, and trades that are missing


def state(state: BookState, reason: BookReason) -> BookStateChanged:
    return BookStateChanged(NUMBER, state, reason, 1)


def warm_actor() -> Microstructure:
    """Warm at its last view, number 6; what was traded is all bought."""
    microstructure = actor(LIVE, trade(1, 8, Side.BUY, 3 * SECOND_NS), *[view(number) for number in range(7)])
    assert microstructure.metrics[NUMBER].warm
    return microstructure


@pytest.mark.parametrize(
    ("left", "back", "kept"),
    [
        (BookReason.SILENT, BookReason.RESUMED, True),
        (BookReason.CONTRADICTED, BookReason.RESUMED, True),
        (BookReason.SEQUENCE_GAP, BookReason.REORDERED, True),
        (BookReason.GARBAGE, BookReason.REORDERED, True),
        (BookReason.SILENT, BookReason.SNAPSHOT_BRIDGED, False),
        (BookReason.SEQUENCE_GAP, BookReason.SNAPSHOT_BRIDGED, False),
        (BookReason.CONNECTION_LOST, BookReason.REORDERED, False),  # of another stretch: it cannot come back so
        (BookReason.HOST_LOST, BookReason.RESUMED, False),
        (BookReason.CROSSED, BookReason.SNAPSHOT_BRIDGED, False),
        (None, BookReason.ROLLED, True),  # the book moved to a new connection, LIVE all the time
        (None, BookReason.SNAPSHOT_BRIDGED, False),  # the venue began its book anew
    ],
)
def test_windows_go_on_exactly_when_no_update_is_missing(left, back, kept) -> None:
    microstructure = warm_actor()
    if left is not None:
        microstructure.receive(state(BookState.STALE, left), 0)
        assert not microstructure.metrics[NUMBER].warm
        microstructure.receive(state(BookState.SYNCING, back), 0)
    microstructure.receive(state(BookState.LIVE, back), 0)
    again = signals(microstructure, view(7, bids=((100, 33),)))
    assert again.warm == kept
    assert again.order_flow_imbalance == (3.0 if kept else 0.0)


def test_a_book_that_is_not_believed_has_no_shape_and_tells_it_anew_when_it_is() -> None:
    microstructure = warm_actor()
    assert [message for message in reading(microstructure) if isinstance(message, Liquidity)]
    signals(microstructure, view(7))
    microstructure.receive(state(BookState.STALE, BookReason.SILENT), 0)
    assert not [message for message in reading(microstructure) if isinstance(message, Liquidity)]
    microstructure.receive(state(BookState.LIVE, BookReason.RESUMED), 0)
    assert shape(microstructure, view(8)) is not None


@pytest.mark.parametrize("backfilled", [0, 2])
def test_missed_trades_begin_the_window_of_trades_anew(backfilled: int) -> None:
    microstructure = warm_actor()
    assert signals(microstructure, view(7)).pressure == 1.0
    hole_ns = 7 * SECOND_NS + 5
    microstructure.receive(TradesMissed(NUMBER, hole_ns, 2, 3, backfilled), 0)
    for number in range(backfilled):
        microstructure.receive(trade(2 + number, 9, Side.BUY, hole_ns), 0)
    microstructure.receive(trade(4, 9, Side.BUY, hole_ns - 2), 0)  # held while the answer was on its way
    cold = signals(microstructure, view(8))
    assert (cold.pressure, cold.sweeps, cold.warm) == (0.0, 0, False)
    microstructure.receive(trade(5, 3, Side.SELL, 8 * SECOND_NS + 1), 0)
    assert signals(microstructure, view(12)).warm is False
    warm = signals(microstructure, view(13, at_ns=hole_ns + 5 * SECOND_NS))
    assert (warm.pressure, warm.warm) == (-1.0, True)
    assert len(microstructure.view()["instruments"][NUMBER]["trades"]) == 3 + backfilled, "people see late ones too"


def test_while_the_trade_stream_is_silent_nothing_is_warm() -> None:
    microstructure = warm_actor()
    microstructure.receive(StreamChanged(NUMBER, Stream.QUOTE, False, 1, 1), 0)
    assert signals(microstructure, view(7)).warm
    microstructure.receive(StreamChanged(NUMBER, Stream.TRADE, False, 1, 1), 7 * SECOND_NS)
    assert not any(signals(microstructure, view(number)).warm for number in (8, 20, 40))
    microstructure.receive(INVALID, 0)
    microstructure.receive(LIVE, 0)
    assert not any(signals(microstructure, view(number)).warm for number in range(50, 60))
    microstructure.receive(StreamChanged(NUMBER, Stream.TRADE, True, 1, 1), 60 * SECOND_NS)
    assert [signals(microstructure, view(number)).warm for number in (61, 65, 66)] == [False, False, True]


def test_windows_outlive_another_tick_and_not_other_scales() -> None:
    book = actor(view(1), view(2), trade(1, 5, Side.BUY))
    metrics = book.metrics[NUMBER]
    book.receive(msgspec.structs.replace(instrument(), version=2, tick=5), 0)
    assert (metrics.tick, len(metrics.spread.values), len(metrics.prints)) == (5, 2, 1)
    book.receive(msgspec.structs.replace(instrument(), version=3, quantity_scale=instrument().quantity_scale + 1), 0)
    assert (metrics.spread.values, metrics.prints, metrics.flow.last) == ([], [], None)
