"""Orders of events in which each rule by itself is right, and together they would leave a wrong book or none at all."""

import msgspec
import pytest

from actors.market_data.actor import MarketData
from actors.market_data.alerts import AlertGate
from actors.market_data.resync import CALM_NS, REQUEST_DEADLINE_NS, UNANSWERED_NS
from actors.market_data.silence import SWEEP
from actors.market_data.state import STRANGERS_MAX, FeedConnection, roll_counter
from actors.market_data.sync import NEVER
from actors.market_data.trades import PAST_NS, RECENT_MAX, Tape
from bus.messages import (
    Alert,
    AlertLevel,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    ConnectionUp,
    FeedAge,
    Frame,
    Message,
    SetTimer,
    Side,
    SnapshotRequest,
    TimerFired,
    TradePrint,
    TradesMissed,
)
from bus.messages.feed import (
    Batch,
    Closing,
    Finer,
    Notice,
    Numbering,
    Scales,
    SnapshotSource,
    TradeEvent,
    TradeIds,
)
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import (
    NUMBER,
    SYMBOL,
    VENUE,
    Desk,
    Rule,
    TableCodec,
    body,
    copy_of,
    diff,
    instrument,
    names,
    reset,
)

COUNTED = Rule(SnapshotSource.STREAM, Numbering.CONNECTION)
STREAMED = Rule(SnapshotSource.STREAM, Numbering.SYMBOL)
S = 1_000_000_000


def live(rule=BINANCE_SPOT, **plan) -> Desk:
    """LIVE at 10 on generation 1. Where frames are numbered the next has the number 1."""
    desk = Desk(rule, **plan)
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    if rule is COUNTED:
        desk.send(instrument(8, "ETHUSDT"))
        desk.frame(Batch((reset(10), reset(20, symbol="ETHUSDT")), 0), 1)
    elif rule.snapshot == SnapshotSource.STREAM:
        desk.frame(reset(10), 1)
    else:
        desk.frame(diff(9, 10), 1)
        desk.answer(body(10))
    assert desk.actor.synchronizers[NUMBER].state.name == "LIVE"
    return desk


def states(emitted: tuple[Message, ...]) -> list[tuple[int, BookState]]:
    return [(item.instrument, item.state) for item in emitted if isinstance(item, BookStateChanged)]


def fire(desk: Desk, counter: int) -> tuple[Message, ...]:
    timer = next(item for item in reversed(desk.heard) if isinstance(item, SetTimer) and item.counter == counter)
    desk.now_ns = max(desk.now_ns, timer.fires_ns)
    return desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


def test_a_book_that_was_refused_before_its_gap_is_not_mended_by_the_late_update() -> None:
    """The orderbook's word on an update comes when all frames of its input are taken: the gap behind it is known by then."""
    desk = live()
    desk.frame(diff(11, 11))
    assert states(desk.frame(diff(13, 13))) == [(NUMBER, BookState.INVALID)]
    desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CROSSED, 11))
    assert states(desk.frame(diff(12, 12))) == []
    fire(desk, NUMBER)
    assert states(desk.answer(body(13))) == [(NUMBER, BookState.LIVE)]


def test_a_snapshot_whose_answer_is_lost_is_asked_for_again() -> None:
    """Market inputs beyond the host's limit are dropped, and an answer is one."""
    desk = live()
    desk.frame(diff(13, 13))
    assert names(fire(desk, NUMBER)) == ["SnapshotRequest"]
    requests = sum(isinstance(item, SnapshotRequest) for item in desk.heard)
    asked_ns = desk.now_ns
    while "Alert" not in names(fire(desk, SWEEP)):
        assert desk.now_ns < asked_ns + 2 * UNANSWERED_NS
    assert desk.now_ns - asked_ns >= UNANSWERED_NS > REQUEST_DEADLINE_NS
    fire(desk, NUMBER)
    assert sum(isinstance(item, SnapshotRequest) for item in desk.heard) == requests + 1
    assert states(desk.answer(body(13))) == [(NUMBER, BookState.LIVE)]


def test_an_update_that_was_too_fine_is_not_forgotten_when_the_frame_before_it_comes_late() -> None:
    desk = live(COUNTED)
    desk.frame(Batch((Finer(SYMBOL, Scales(9, 9)),), 2), 1)
    emitted = desk.frame(Batch((Notice("heartbeat", ""),), 1), 1)
    assert (NUMBER, BookState.LIVE) not in states(emitted)
    assert (8, BookState.LIVE) in states(emitted)


def test_an_update_of_nobody_we_know_may_be_anyones_where_only_frames_are_numbered() -> None:
    desk = live(COUNTED, venue_symbols=(SYMBOL, "ETHUSDT", "SOLUSDT"))
    assert states(desk.frame(Batch((diff(11, 11, symbol="SOLUSDT"),), 1), 1)) == []
    emitted = desk.frame(Batch((diff(11, 11, symbol="BTCUSDX"),), 2), 1)
    assert states(emitted)[:2] == [(NUMBER, BookState.INVALID), (8, BookState.INVALID)]
    desk.frame(Batch((reset(12), reset(21, symbol="ETHUSDT")), 3), 1)
    assert states(desk.frame(Batch((diff(12, 12, symbol="BTCUSDX"),), 4), 1)) == [], (
        "a name that goes on is the venue's own"
    )
    restored = copy_of(desk.actor, MarketData(desk.plans))
    assert restored.feeds[1].state.strangers == ["BTCUSDX"]
    for number in range(2 * STRANGERS_MAX):
        desk.frame(Batch((diff(1, 1, symbol=f"X{number}"),), 5 + number), 1)
    assert len(desk.actor.feeds[1].state.strangers) == STRANGERS_MAX


def test_what_an_older_connection_told_is_nothing_to_a_book_that_moved_though_its_ids_fit() -> None:
    """Two connections that count alike by chance; frames of the older one waited while it was released."""
    desk = live(STREAMED)
    desk.send(ConnectionUp(1, 2, 0, True))
    desk.frame(reset(30), 2)
    assert "ReleaseConnection" in names(fire(desk, roll_counter(1)))
    assert desk.frame(diff(31, 31, bids=((7, 7),)), 1) == ()
    assert names(desk.frame(diff(31, 31, bids=((8, 8),)), 2)) == ["DepthUpdate"]


def test_the_fast_path_is_open_again_when_nothing_of_the_older_connection_can_come() -> None:
    desk = live(STREAMED)
    desk.send(ConnectionUp(1, 2, 0, True))
    desk.frame(reset(30), 2)
    fire(desk, roll_counter(1))
    sync = desk.actor.synchronizers[NUMBER]
    expected = []
    for number in (31, 32, 33):
        assert names(desk.frame(diff(number, number), 2)) == ["DepthUpdate"]
        expected.append(sync.expected)
    assert expected == [NEVER, 32, 33]


def test_a_whole_book_that_replaces_a_live_one_does_not_begin_its_calm_anew() -> None:
    desk = live(STREAMED)
    for _ in range(5):
        desk.frame(diff(99, 99), 1)
        desk.frame(reset(10), 1)
    sync = desk.actor.synchronizers[NUMBER]
    assert sync.attempts == 5
    for _ in range(2):
        desk.now_ns += CALM_NS // 2
        desk.frame(reset(10), 1)
    desk.frame(diff(99, 99), 1)
    assert sync.attempts == 1


def test_an_answer_that_names_a_trade_twice_breaks_nothing() -> None:
    tape = Tape(TradeIds.OPAQUE)
    btc = instrument()
    tape.take(btc, TradeEvent(SYMBOL, 1, 0, 1, 1, Side.BUY), 1)
    double = TradeEvent(SYMBOL, 2, 0, 1, 1, Side.BUY)
    tape.open(1)
    told = tape.close(btc, 2, tape.fresh([double, double]), told=False)
    assert [item.trade_id for item in told if isinstance(item, TradePrint)] == [2]
    for number in range(3, 2 * RECENT_MAX):
        tape.take(btc, TradeEvent(SYMBOL, number, 0, 1, 1, Side.BUY), number)
    assert len(tape.recent) == len(tape.known) <= RECENT_MAX


def test_prints_that_wait_are_missed_when_their_scales_change() -> None:
    """What was read in the old ones would be told as the new version's; whoever gets it has the new version already."""
    desk = live(trades_offered=True)
    for number in (1, 5, 7):
        desk.frame(TradeEvent(SYMBOL, number, desk.now_ns, 100, 1, Side.BUY))
    told = desk.send(instrument(version=2, scale=9))
    assert [item for item in told if not isinstance(item, BookStateChanged | SetTimer | SnapshotRequest)] == [
        TradesMissed(NUMBER, desk.now_ns, 2, 7, 0)
    ]
    assert desk.actor.view()["trades_missed"] == 6
    after = desk.frame(TradeEvent(SYMBOL, 8, desk.now_ns, 1_000, 1, Side.BUY))
    assert [(item.trade_id, item.version) for item in after] == [(8, 2)]


@pytest.mark.parametrize("ids", TradeIds)
def test_past_trades_that_a_first_subscription_brings_are_where_the_tape_begins(ids: TradeIds) -> None:
    desk = live(Rule(SnapshotSource.REST, Numbering.SYMBOL, ids))
    desk.now_ns = 100 * S
    past = [TradeEvent(SYMBOL, number, desk.now_ns - PAST_NS - 10 + number, 1, 1, Side.BUY) for number in (1, 2)]
    fresh = TradeEvent(SYMBOL, 3, desk.now_ns - PAST_NS // 2, 1, 1, Side.BUY)
    assert [item.trade_id for item in desk.frame(Batch((*past, fresh)))] == [3]
    again = desk.frame(Batch((*past, fresh, TradeEvent(SYMBOL, 4, 0, 1, 1, Side.BUY))))
    assert [item.trade_id for item in again] == [4], (
        "a late print is told, and a clock that is off costs one frame alone"
    )


def test_past_trades_alone_in_the_first_frame_do_not_silence_a_venue_whose_clock_is_off() -> None:
    desk = live()
    desk.now_ns = 100 * S
    assert desk.frame(TradeEvent(SYMBOL, 1, 1, 1, 1, Side.BUY)) == ()
    assert names(desk.frame(TradeEvent(SYMBOL, 2, 1, 1, 1, Side.BUY))) == ["TradePrint"]


def test_a_warning_does_not_hush_what_is_critical() -> None:
    gate = AlertGate("market_data")
    assert len(gate.alert(1, AlertLevel.WARNING, "snapshot_failed")) == 1
    assert [alert.level for alert in gate.alert(2, AlertLevel.CRITICAL, "snapshot_failed")] == [AlertLevel.CRITICAL]
    assert (
        gate.alert(3, AlertLevel.WARNING, "snapshot_failed")
        == gate.alert(3, AlertLevel.CRITICAL, "snapshot_failed")
        == ()
    )


def test_each_connection_that_the_venue_will_close_is_named() -> None:
    codec = TableCodec()
    actor = MarketData({number: FeedConnection(codec, VENUE, STREAMED, (f"S{number}",)) for number in (1, 2)})
    told: list[Message] = []
    for number in (1, 2, 2):
        actor.receive(ConnectionUp(number, 1, S), S)
        told += actor.receive(Frame(number, S, codec.put(Closing("maintenance"))), S)
    details = [alert.detail for alert in told if isinstance(alert, Alert)]
    assert details == ["connection=1 maintenance", "connection=2 maintenance"]


def test_a_whole_book_is_stamped_by_its_last_change_which_is_no_lag() -> None:
    """Kraken: of a quiet pair that was minutes ago, and risk would refuse orders as if its stream were that late."""
    desk = live(STREAMED)
    desk.now_ns = 100 * S
    desk.send(ClockEstimate(VENUE, 0, 1_000))
    desk.frame(msgspec.structs.replace(reset(20), venue_ns=10 * S), 1)
    ages = [item for _ in range(2) for item in fire(desk, SWEEP) if isinstance(item, FeedAge)]
    assert [age.lag_ns for age in ages] == [-1]
    desk.frame(msgspec.structs.replace(diff(21, 21), venue_ns=desk.now_ns - S), 1)
    ages = [item for _ in range(2) for item in fire(desk, SWEEP) if isinstance(item, FeedAge)]
    assert [age.lag_ns for age in ages] == [S]
