"""What market data says to frames, answers, timers and lost connections."""

import pytest

from actors.market_data import FeedConnection, MarketData
from actors.market_data import depth as depth_module
from actors.market_data.resync import ATTEMPT_DELAYS_NS, CALM_NS, QUIET_BRIDGE_NS, REST_CALM_NS, SLOW_NS, jittered
from actors.market_data.sync import SyncState
from bus.messages import (
    Alert,
    BestQuote,
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    EngineStarted,
    Frame,
    Outcome,
    SetTimer,
    Side,
    SnapshotRequest,
    TimerFired,
    TradePrint,
)
from bus.messages.feed import Closing, DepthBody, Garbage, Notice, QuoteEvent, TradeEvent
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import NUMBER, VENUE, Desk, TableCodec, body, copy_of, diff, instrument, names


def invalid(reason: BookReason, sequence: int) -> BookStateChanged:
    return BookStateChanged(NUMBER, BookState.INVALID, reason, sequence)


def up() -> Desk:
    desk = Desk()
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    return desk


def live(last: int = 10) -> Desk:
    desk = up()
    desk.frame(diff(last - 1, last))
    desk.answer(body(last))
    return desk


def fire(desk: Desk, timer: SetTimer, after_ns: int = 0) -> tuple:
    desk.now_ns = max(desk.now_ns, timer.fires_ns) + after_ns
    return desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


def timer_of(messages: tuple) -> SetTimer:
    return next(message for message in messages if isinstance(message, SetTimer))


def test_connection_up_says_syncing_and_asks_at_once() -> None:
    desk = Desk()
    assert desk.send(instrument()) == ()
    emitted = desk.send(ConnectionUp(1, 1, 0))
    assert names(emitted) == ["BookStateChanged", "SnapshotRequest", "SetTimer"]  # the last is the sweep's
    assert emitted[0] == BookStateChanged(NUMBER, BookState.SYNCING, BookReason.START, 0)
    assert (emitted[1].actor, emitted[1].venue_symbol, emitted[1].venue) == ("market_data", "BTCUSDT", VENUE)
    assert emitted[1].deadline_ns > desk.now_ns


def test_an_instrument_that_comes_after_the_connection_is_asked_for_too() -> None:
    desk = up()
    assert names(desk.send(instrument(8, "ETHUSDT"))) == ["BookStateChanged", "SnapshotRequest"]
    assert desk.send(instrument(9, "XRPUSDT", venue=VENUE + 1)) == ()


def test_bridge_emits_snapshot_then_kept_diffs_then_live() -> None:
    desk = up()
    for first, last in ((5, 8), (9, 12), (13, 13)):
        assert desk.frame(diff(first, last, bids=((first, 1),))) == ()
    emitted = desk.answer(body(10))
    assert names(emitted) == ["DepthSnapshot", "DepthUpdate", "DepthUpdate", "BookStateChanged"]
    assert emitted[0] == DepthSnapshot(NUMBER, 1, 10, desk.now_ns - 1, (100,), (5,), (101,), (5,))
    assert [(update.previous_sequence, update.last_sequence) for update in emitted[1:3]] == [(10, 12), (12, 13)]
    assert emitted[3] == BookStateChanged(NUMBER, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 13)
    assert emitted[1].received_ns < emitted[2].received_ns


def test_next_diff_passes_and_names_what_it_continues() -> None:
    desk = live(10)
    assert desk.frame(diff(11, 14, bids=((100, 2),))) == (
        DepthUpdate(NUMBER, 1, 10, 14, desk.now_ns - 1, (100,), (2,), (), ()),
    )


def test_stale_diff_is_counted_and_ignored_and_an_overlap_is_applied() -> None:
    desk = live(10)
    before = desk.actor.view()["stale"]
    assert desk.frame(diff(8, 9)) == ()
    assert desk.frame(diff(10, 10)) == ()
    assert (desk.actor.view()["stale"], desk.actor.view()["duplicates"]) == (before + 1, 1)
    (update,) = desk.frame(diff(9, 12))
    assert (update.previous_sequence, update.last_sequence) == (10, 12)


def test_gap_says_invalid_before_anything_else_and_resynchronizes() -> None:
    desk = live(10)
    emitted = desk.frame(diff(12, 13))
    assert emitted[0] == invalid(BookReason.SEQUENCE_GAP, 10)
    fire(desk, timer_of(emitted))
    emitted = desk.answer(body(12))
    assert names(emitted) == ["DepthSnapshot", "DepthUpdate", "BookStateChanged"]
    assert (desk.actor.view()["gaps"], desk.actor.view()["resyncs"]) == (1, 1)


def test_nothing_passes_between_the_gap_and_the_bridge() -> None:
    desk = live(10)
    desk.frame(diff(12, 13))
    assert desk.frame(diff(14, 15)) == ()


def test_snapshot_older_than_the_buffer_is_asked_for_again_later() -> None:
    desk = up()
    desk.frame(diff(20, 21))
    emitted = desk.answer(body(19))
    assert names(emitted) == ["SetTimer", "Alert"]
    assert names(fire(desk, timer_of(emitted))) == ["SnapshotRequest"]
    assert names(desk.answer(body(20))) == ["DepthSnapshot", "DepthUpdate", "BookStateChanged"]


def test_snapshot_that_covers_the_whole_buffer_is_live_at_once() -> None:
    desk = up()
    desk.frame(diff(20, 21))
    assert names(desk.answer(body(25))) == ["DepthSnapshot", "BookStateChanged"]
    assert names(desk.frame(diff(22, 27))) == ["DepthUpdate"]


def test_hole_in_the_buffer_emits_nothing_of_it_and_keeps_what_is_behind() -> None:
    desk = up()
    for first, last in ((5, 6), (7, 8), (11, 12)):
        desk.frame(diff(first, last))
    emitted = desk.answer(body(6))
    assert names(emitted) == ["SetTimer", "Alert"]
    assert desk.actor.view()["gaps"] == 1
    fire(desk, timer_of(emitted))
    emitted = desk.answer(body(11))
    assert [(item.previous_sequence, item.last_sequence) for item in emitted if isinstance(item, DepthUpdate)] == [
        (11, 12)
    ]


def test_snapshot_before_any_diff_waits_for_the_first_one() -> None:
    desk = up()
    assert names(desk.answer(body(10))) == ["SetTimer"]
    emitted = desk.frame(diff(9, 12))
    assert names(emitted) == ["DepthSnapshot", "DepthUpdate", "BookStateChanged"]


def test_held_snapshot_that_ends_before_the_first_diff_is_not_used() -> None:
    desk = up()
    desk.answer(body(10))
    assert names(desk.frame(diff(12, 13))) == ["SetTimer", "Alert"]
    assert desk.actor.view()["gaps"] == 0


def test_quiet_instrument_goes_live_without_a_diff() -> None:
    desk = up()
    timer = timer_of(desk.answer(body(10)))
    assert timer.fires_ns == desk.now_ns + QUIET_BRIDGE_NS
    assert names(fire(desk, timer)) == ["DepthSnapshot", "BookStateChanged"]
    assert desk.frame(diff(12, 13))[0] == invalid(BookReason.SEQUENCE_GAP, 10)


def test_quiet_timer_overtaken_by_a_diff_does_nothing() -> None:
    desk = up()
    timer = timer_of(desk.answer(body(10)))
    desk.frame(diff(11, 11))
    assert fire(desk, timer) == ()


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.AMBIGUOUS])
def test_refused_and_ambiguous_snapshots_are_tried_again(outcome: Outcome) -> None:
    desk = up()
    assert names(desk.answer(body(10), outcome)) == ["SetTimer", "Alert"]


def test_unreadable_snapshot_is_garbage_and_tried_again() -> None:
    desk = up()
    assert names(desk.answer(Garbage("bids"))) == ["SetTimer", "Alert"]
    assert desk.actor.view()["garbage"] == 1


def test_attempts_are_spaced_then_slow_and_say_so_once() -> None:
    desk = up()
    delays, failed = [], 0
    for _ in range(len(ATTEMPT_DELAYS_NS) + 3):
        emitted = desk.answer(body(1), Outcome.REFUSED)
        failed += invalid(BookReason.SNAPSHOT_FAILED, 0) in emitted
        timer = timer_of(emitted)
        delays.append(timer.fires_ns - desk.now_ns)
        assert names(fire(desk, timer)) == ["SnapshotRequest"]
    plain = [*ATTEMPT_DELAYS_NS[1:], *[SLOW_NS] * 4]
    assert delays == [jittered(delay, NUMBER, number, 0) for number, delay in enumerate(plain, 1)]
    assert all(abs(delay - wanted) <= wanted // 4 for delay, wanted in zip(delays, plain, strict=True))
    assert failed == 1


def test_calm_forgets_the_attempts() -> None:
    desk = live(10)
    desk.now_ns += REST_CALM_NS
    assert names(desk.frame(diff(12, 13))) == ["BookStateChanged", "SnapshotRequest", "Alert"]


def test_a_connection_that_is_cut_every_few_seconds_is_synchronized_at_once_each_time() -> None:
    """Goal: faults from outside do not add up to a wait; the budget of request weight is what bounds them."""
    desk = live(10)
    for generation in range(2, 30):
        desk.now_ns += REST_CALM_NS
        desk.send(ConnectionDown(1, generation - 1, "cut"))
        assert "SnapshotRequest" in names(desk.send(ConnectionUp(1, generation, desk.now_ns)))
        desk.frame(diff(11, 11), generation)
        assert live_by(desk)


def live_by(desk: Desk) -> bool:
    """Answer what was asked last, with a book that its one diff continues."""
    desk.answer(body(11))
    return desk.actor.synchronizers[NUMBER].state == SyncState.LIVE


def test_late_answer_is_dropped_and_counted() -> None:
    desk = up()
    late = desk.request
    desk.frame(diff(9, 10))
    desk.send(ConnectionDown(1, 1, "gone"))
    desk.request = late
    assert desk.answer(body(10)) == ()
    assert desk.actor.view()["late_answers"] == 1


def test_answer_to_an_earlier_request_does_not_answer_a_later_one() -> None:
    desk = up()
    earlier = desk.request
    fire(desk, timer_of(desk.answer(body(1), Outcome.REFUSED)))
    later, desk.request = desk.request, earlier
    assert desk.answer(body(10)) == ()
    desk.request = later
    assert names(desk.answer(body(10))) == ["SetTimer"]


def test_a_book_of_another_market_data_is_none_of_ours() -> None:
    desk = live(10)
    assert desk.send(BookStateChanged(99, BookState.INVALID, BookReason.CROSSED, 1)) == ()


def test_connection_down_makes_every_book_of_it_invalid() -> None:
    desk = live(10)
    desk.send(instrument(8, "ETHUSDT"))
    emitted = desk.send(ConnectionDown(1, 1, "gone"))
    assert emitted == (
        invalid(BookReason.CONNECTION_LOST, 10),
        BookStateChanged(8, BookState.INVALID, BookReason.CONNECTION_LOST, 0),
    )
    assert desk.frame(diff(11, 12)) == ()
    assert desk.actor.view()["unsynced"] == 1


def test_the_end_of_a_replaced_socket_is_no_loss() -> None:
    desk = live(10)
    desk.send(ConnectionUp(1, 2, 0))
    assert desk.send(ConnectionDown(1, 1, "replaced")) == ()


def test_reconnection_without_a_reported_loss_is_a_loss() -> None:
    desk = live(10)
    emitted = desk.send(ConnectionUp(1, 2, 0))
    assert emitted[0] == invalid(BookReason.CONNECTION_LOST, 10)
    assert names(emitted)[1:] == ["BookStateChanged", "SetTimer"]


def test_engine_start_after_recovery_believes_no_book() -> None:
    desk = live(10)
    fresh = copy_of(desk.actor, MarketData({1: FeedConnection(desk.codec, VENUE, BINANCE_SPOT)}))
    assert fresh.receive(EngineStarted(1, 5), 9_000) == (invalid(BookReason.CONNECTION_LOST, 10),)
    assert "SnapshotRequest" in names(fresh.receive(ConnectionUp(1, 1, 0), 9_000 + CALM_NS))


@pytest.mark.parametrize("reason", [BookReason.CROSSED, BookReason.TOP_MISMATCH, BookReason.SNAPSHOT_TOO_OLD])
def test_a_book_refused_by_the_orderbook_is_built_anew(reason: BookReason) -> None:
    desk = live(10)
    assert names(desk.send(invalid(reason, 10))) == ["SetTimer"]
    assert desk.send(invalid(reason, 10)) == ()
    assert desk.actor.view()["broken"] == 1


@pytest.mark.parametrize("reason", [BookReason.SEQUENCE_GAP, BookReason.CONNECTION_LOST, BookReason.START])
def test_own_words_coming_back_change_nothing(reason: BookReason) -> None:
    desk = live(10)
    assert desk.send(invalid(reason, 10)) == ()
    assert names(desk.frame(diff(11, 11))) == ["DepthUpdate"]


def test_full_buffer_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth_module, "BUFFER_MAX", 3)
    desk = up()
    for number in range(10, 14):
        emitted = desk.frame(diff(number, number))
    assert names(emitted) == ["Alert"]
    view = desk.actor.view()
    assert (view["overflows"], view["instruments"][NUMBER]["buffered"]) == (1, 1)


def test_quote_and_trade_are_passed_on() -> None:
    desk = up()
    assert desk.frame(QuoteEvent("BTCUSDT", 9, 1, 2, 3, 4)) == (BestQuote(NUMBER, 1, 9, desk.now_ns - 1, 1, 2, 3, 4),)
    assert desk.frame(TradeEvent("BTCUSDT", 5, 77, 1, 2, Side.SELL)) == (
        TradePrint(NUMBER, 1, 5, desk.now_ns - 1, 77, 1, 2, Side.SELL),
    )


def test_trades_missed_are_counted_and_repeats_printed_once() -> None:
    desk = up()
    printed = [names(desk.frame(TradeEvent("BTCUSDT", number, 0, 1, 1, Side.BUY))) for number in (5, 6, 9, 6)]
    assert printed == [["TradePrint"], ["TradePrint"], ["TradesMissed", "TradePrint"], []]
    assert desk.actor.view()["trades_missed"] == 2


def test_unknown_symbols_are_counted_and_stop_nothing() -> None:
    desk = live(10)
    desk.frame(diff(1, 1, symbol="NOBODY"))
    desk.frame(QuoteEvent("NOBODY", 1, 1, 1, 1, 1))
    desk.frame(TradeEvent("NOBODY", 1, 1, 1, 1, Side.BUY))
    assert desk.actor.view()["unknown_symbols"] == 3
    assert names(desk.frame(diff(11, 11))) == ["DepthUpdate"]


def test_garbage_alerts_at_a_bounded_rate() -> None:
    desk = live(10)
    alerts = [message for _ in range(1_000) for message in desk.frame(Garbage("level 3"))]
    assert len(alerts) == 1
    desk.now_ns += 10_000_000_000
    (alert,) = desk.frame(Garbage("level 3"))
    assert isinstance(alert, Alert)
    assert "suppressed=999" in alert.detail
    assert desk.actor.view()["garbage"] == 1_001


def test_a_venue_that_closes_is_an_alert_and_a_roll_and_notices_are_not() -> None:
    desk = up()
    assert names(desk.frame(Closing("soon"))) == ["RollConnection", "SetTimer", "Alert"]
    assert desk.frame(Notice("subscribed", "")) == ()


def test_new_filters_keep_the_book_and_new_scales_do_not() -> None:
    desk = live(10)
    assert desk.send(instrument(version=2)) == ()
    (update,) = desk.frame(diff(11, 11))
    assert update.version == 2
    emitted = desk.send(instrument(version=3, scale=6))
    assert emitted[0] == invalid(BookReason.INSTRUMENT_CHANGED, 11)
    assert isinstance(emitted[1], SnapshotRequest)


def test_connections_share_the_venue_by_symbol() -> None:
    codec = TableCodec()
    actor = MarketData(
        {1: FeedConnection(codec, VENUE, BINANCE_SPOT, ("A",)), 2: FeedConnection(codec, VENUE, BINANCE_SPOT, ("B",))}
    )
    actor.receive(instrument(1, "A"), 0)
    actor.receive(instrument(2, "B"), 0)
    emitted = actor.receive(ConnectionUp(2, 1, 0), 0)
    assert [item.instrument for item in emitted if isinstance(item, SnapshotRequest)] == [2]


def day(desk: Desk) -> None:
    """A bit of everything, in one stretch."""
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    desk.frame(QuoteEvent("BTCUSDT", 9, 1, 2, 3, 4))
    desk.frame(diff(9, 10))
    desk.frame(Garbage("x"))
    desk.answer(body(9))
    desk.frame(diff(11, 12, bids=((100, 0),)))
    desk.frame(TradeEvent("BTCUSDT", 5, 77, 1, 2, Side.SELL))
    timer = timer_of(desk.frame(diff(14, 15)))
    desk.frame(diff(16, 16))
    fire(desk, timer)
    timer = timer_of(desk.answer(DepthBody(3, (), (), (), ())))
    fire(desk, timer)
    desk.answer(body(15))
    desk.frame(diff(17, 17))
    timer = timer_of(desk.send(invalid(BookReason.CROSSED, 17)))
    fire(desk, timer)
    desk.answer(body(20))
    desk.frame(diff(18, 22))
    desk.send(ConnectionDown(1, 1, "gone"))
    desk.send(ConnectionUp(1, 2, 0))


def test_restart_at_every_step() -> None:
    """Checkpoint after k inputs, restore into a fresh actor, feed the rest: the same words, the same end."""
    desk = Desk()
    day(desk)
    assert (desk.actor.view()["resyncs"], desk.actor.view()["gaps"]) == (2, 1), "the day has everything in it"
    connections = {1: FeedConnection(desk.codec, VENUE, BINANCE_SPOT)}
    for step in range(len(desk.inputs)):
        first = MarketData(connections)
        for message, now_ns in desk.inputs[:step]:
            first.receive(message, now_ns)
        second = copy_of(first, MarketData(connections))
        for message, now_ns in desk.inputs[step:]:
            assert second.receive(message, now_ns) == first.receive(message, now_ns)
        assert second.checkpoint() == first.checkpoint() == desk.actor.checkpoint()


def test_frame_of_a_connection_nobody_planned_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        MarketData({}).receive(Frame(1, 0, b""), 0)


def test_a_contradicted_book_goes_on_where_it_stood_when_its_stream_does() -> None:
    desk = live(10)
    assert desk.send(BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, 10)) == ()
    assert desk.actor.view()["silences"] == 1
    assert desk.frame(diff(11, 12)) == (
        BookStateChanged(NUMBER, BookState.SYNCING, BookReason.RESUMED, 10),
        DepthUpdate(NUMBER, 1, 10, 12, desk.now_ns - 1, (), (), (), ()),
        BookStateChanged(NUMBER, BookState.LIVE, BookReason.RESUMED, 12),
    )


def test_a_stale_book_with_a_hole_behind_it_is_invalid() -> None:
    desk = live(10)
    desk.send(BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, 10))
    assert desk.frame(diff(12, 13))[0] == invalid(BookReason.SEQUENCE_GAP, 10)
