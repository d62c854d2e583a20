"""Depth events that are not simply the next diff: whole books, keep-alives, garbage, scales, checksums, refusals."""

from typing import Any

import msgspec
import pytest

from actors.market_data import FeedConnection, MarketData
from actors.market_data.checksums import EARLY_MAX, HOURLY_MAX
from actors.market_data.depth import AHEAD_NS
from actors.market_data.resync import STREAM_DEADLINE_NS
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    Frame,
    FrameBatch,
    FundingRate,
    MarkPrice,
    Message,
    Resubscribe,
    SetTimer,
    SnapshotRequest,
    Stream,
    TimerFired,
)
from bus.messages.feed import (
    UNNUMBERED,
    DepthDiff,
    Finer,
    FundingEvent,
    Garbage,
    MarkEvent,
    Notice,
    Numbering,
    Scales,
    SnapshotSource,
    SubscriptionRefused,
)
from gateway.binance_spot.rule import BINANCE_SPOT
from gateway.binance_usdm.rule import BINANCE_USDM
from gateway.bybit.rule import SPOT
from gateway.kraken.rule import KRAKEN
from gateway.okx.rule import OKX
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

STREAMED = Rule(SnapshotSource.STREAM, Numbering.SYMBOL)
CHECKSUMMED = Rule(SnapshotSource.STREAM, Numbering.CHECKSUM)


def up(rule: Any = STREAMED) -> Desk:
    desk = Desk(rule)
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    return desk


def live(rule: Any = STREAMED) -> Desk:
    """LIVE at 10."""
    desk = up(rule)
    if rule.snapshot == SnapshotSource.STREAM:
        desk.frame(reset(10))
    else:
        desk.frame(diff(9, 10))
        desk.answer(body(10))
    return desk


def states(emitted: tuple[Message, ...]) -> list[tuple[BookState, BookReason]]:
    return [(item.state, item.reason) for item in emitted if isinstance(item, BookStateChanged)]


def numbered(last: int, previous: int, checksum: int = -1) -> DepthDiff:
    return DepthDiff(SYMBOL, last, last, 0, (100,), (last,), (), (), previous, checksum)


def stamped(last: int) -> DepthDiff:
    return DepthDiff(SYMBOL, last, last, 0, (100,), (last,), (), ())


def fire(desk: Desk) -> tuple[Message, ...]:
    timer = next(item for item in reversed(desk.heard) if isinstance(item, SetTimer) and item.counter == NUMBER)
    desk.now_ns = max(desk.now_ns, timer.fires_ns)
    return desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


# Whole books on the stream


def test_the_first_attempt_is_the_subscription_itself_and_later_ones_renew_it() -> None:
    desk = Desk(STREAMED)
    desk.send(instrument())
    emitted = desk.send(ConnectionUp(1, 1, 0))
    assert names(emitted[:2]) == ["BookStateChanged", "SetTimer"]
    assert isinstance(emitted[1], SetTimer)
    assert (emitted[1].counter, emitted[1].fires_ns) == (NUMBER, desk.now_ns + STREAM_DEADLINE_NS)
    emitted = fire(desk)
    assert emitted[0] == Resubscribe(1, SYMBOL, Stream.DEPTH, "attempt=1")
    assert names(emitted[1:]) == ["SetTimer", "Alert"]
    assert names(fire(desk)) == ["SetTimer", "Alert"]
    assert states(desk.frame(reset(10))) == [(BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)]


def test_a_whole_book_replaces_a_live_one_without_a_word_in_between() -> None:
    desk = live()
    emitted = desk.frame(reset(3, checksum=77))
    assert names(emitted) == ["DepthSnapshot", "BookStateChanged"]
    assert isinstance(emitted[0], DepthSnapshot)
    assert (emitted[0].sequence, emitted[0].checksum) == (3, 77)
    assert names(desk.frame(diff(4, 4))) == ["DepthUpdate"]
    assert desk.actor.view()["resyncs"] == 1


def test_a_diff_that_came_before_its_book_is_not_lost() -> None:
    desk = up()
    assert desk.frame(diff(11, 12)) == ()
    assert names(desk.frame(reset(10))) == ["DepthSnapshot", "DepthUpdate", "BookStateChanged"]


def test_diffs_of_another_count_before_a_new_book_are_forgotten() -> None:
    desk = live()
    desk.frame(diff(900, 901))
    assert names(desk.frame(reset(1))) == ["DepthSnapshot", "BookStateChanged"]
    assert names(desk.frame(diff(2, 2))) == ["DepthUpdate"]


# Numbers


def test_a_keep_alive_says_nothing_and_a_lower_number_that_continues_is_valid() -> None:
    desk = live(OKX)
    assert desk.frame(numbered(10, 10)) == ()
    (update,) = desk.frame(numbered(5, 10))
    assert isinstance(update, DepthUpdate)
    assert (update.previous_sequence, update.last_sequence) == (10, 5)
    assert names(desk.frame(numbered(6, 5))) == ["DepthUpdate"]


def test_a_keep_alive_at_the_books_number_ends_its_staleness() -> None:
    desk = live(OKX)
    desk.send(BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, 10))
    assert states(desk.frame(numbered(10, 10))) == [
        (BookState.SYNCING, BookReason.RESUMED),
        (BookState.LIVE, BookReason.RESUMED),
    ]


def test_updates_without_a_number_are_numbered_here() -> None:
    desk = live(OKX)
    sequences = [
        (item.previous_sequence, item.last_sequence)
        for _ in range(3)
        for item in desk.frame(DepthDiff(SYMBOL, UNNUMBERED, UNNUMBERED, 0, (), (), (), (), UNNUMBERED, 5))
    ]
    assert sequences == [(10, 11), (11, 12), (12, 13)]


def test_a_number_that_jumped_is_found_at_the_next_diff() -> None:
    """One digit of the last id was damaged: every later diff would be stale for ever."""
    desk = live(BINANCE_SPOT)
    assert names(desk.frame(diff(11, 91))) == ["DepthUpdate"]
    assert states(desk.frame(diff(14, 16))) == [(BookState.INVALID, BookReason.SEQUENCE_GAP)]


def test_no_later_diff_mends_a_book_whose_own_number_was_damaged() -> None:
    """u was 11 and is read as 14: what the book lacks in between is not what a diff behind 14 brings."""
    desk = live(BINANCE_SPOT)
    desk.now_ns += 100_000_000_000
    desk.frame(diff(11, 14))
    assert states(desk.frame(diff(12, 12))) == [(BookState.INVALID, BookReason.SEQUENCE_GAP)]
    assert desk.frame(diff(13, 14)) == desk.frame(diff(15, 15)) == ()
    assert states(desk.answer(body(15))) == [(BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)]


def test_a_stamp_that_jumped_is_found_at_the_next_diff() -> None:
    """Where only checksums prove a book, what is passed over as stale is never proven: the book would stand still."""
    desk = live(KRAKEN)
    desk.frame(stamped(11))
    desk.frame(stamped(900))
    assert desk.frame(stamped(11)) == ()
    assert states(desk.frame(stamped(12))) == [(BookState.INVALID, BookReason.SEQUENCE_GAP)]


STREAMING = pytest.mark.parametrize("rule", [KRAKEN, SPOT, OKX], ids=["kraken", "bybit", "okx"])
DOUBTED = [(BookState.STALE, BookReason.CONTRADICTED)]
RIGHT = [(BookState.SYNCING, BookReason.RESUMED), (BookState.LIVE, BookReason.RESUMED)]
WRONG = [(BookState.INVALID, BookReason.SEQUENCE_GAP)]


def of(rule: Any, last: int) -> DepthDiff:
    return stamped(last) if rule is KRAKEN else numbered(last, last - 1)


@STREAMING
def test_diffs_behind_its_streams_own_snapshot_prove_the_snapshots_number_wrong(rule: Any) -> None:
    """A snapshot on the stream stands where it came: nothing older follows it."""
    desk = up(rule)
    desk.frame(reset(17))
    assert states(desk.frame(of(rule, 11))) == DOUBTED
    assert states(desk.frame(of(rule, 12))) == WRONG
    for last in range(13, 20):
        assert states(desk.frame(of(rule, last))) == [], "nor may one that continues the wrong number mend it"
    assert states(desk.frame(reset(19))) == [(BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)]


@STREAMING
def test_an_old_diff_that_comes_once_more_behind_a_snapshot_costs_no_book(rule: Any) -> None:
    desk = up(rule)
    desk.frame(reset(17))
    for last in (13, 13, 11):  # each continues nothing
        assert states(desk.frame(of(rule, last))) == DOUBTED
    assert states(desk.frame(of(rule, 18))) == RIGHT
    assert names(desk.frame(of(rule, 19))) == ["DepthUpdate"]
    assert desk.actor.view()["gaps"] == 0


@pytest.mark.parametrize("rule", [SPOT, OKX], ids=["bybit", "okx"])
def test_old_diffs_that_follow_each_other_and_come_once_more_are_outlived(rule: Any) -> None:
    desk = up(rule)
    desk.frame(reset(17))
    assert states(desk.frame(of(rule, 11))) == DOUBTED
    assert states(desk.frame(of(rule, 12))) == WRONG
    assert states(desk.frame(of(rule, 18)))[-1] == (BookState.LIVE, BookReason.REORDERED)


def test_a_diff_that_ends_just_at_a_snapshot_is_taken() -> None:
    """Once more it changes nothing; and where the snapshot's number was one too high it is news."""
    desk = up(SPOT)
    desk.frame(reset(17))
    assert names(desk.frame(numbered(17, 16))) == names(desk.frame(numbered(18, 17))) == ["DepthUpdate"]
    assert desk.frame(numbered(18, 17)) == ()


def test_an_old_diff_behind_the_snapshot_of_a_new_count_costs_no_book() -> None:
    """Its id is beyond all that is known, its stamp is not."""
    desk = up(SPOT)
    desk.frame(reset(1))
    assert states(desk.frame(numbered(90_000, 89_999))) == WRONG
    later = msgspec.structs.replace(numbered(2, 1), venue_ns=5)
    assert states(desk.frame(later))[-1] == (BookState.LIVE, BookReason.REORDERED)
    assert names(desk.frame(numbered(3, 2))) == ["DepthUpdate"]


def test_a_diff_that_ends_just_at_a_rest_snapshot_is_taken_once() -> None:
    desk = up(BINANCE_USDM)
    desk.answer(body(10))
    ends_there = DepthDiff(SYMBOL, 9, 10, 0, (), (), (), (), previous=8)
    assert "DepthUpdate" in names(desk.frame(ends_there))
    assert desk.frame(ends_there) == ()


@pytest.mark.parametrize(("rule", "far"), [(SPOT, 5_000), (OKX, 50_000_000)], ids=["bybit", "okx"])
def test_a_diff_of_very_long_ago_costs_no_book_and_a_count_that_began_anew_ends_it(rule: Any, far: int) -> None:
    desk = up(rule)
    desk.frame(reset(far))
    desk.frame(of(rule, far + 1))
    assert states(desk.frame(of(rule, 7))) == DOUBTED
    assert states(desk.frame(of(rule, far + 2))) == RIGHT
    assert states(desk.frame(of(rule, 3))) == DOUBTED
    assert states(desk.frame(of(rule, 4))) == WRONG


def test_a_diff_behind_a_rest_snapshot_is_old_news() -> None:
    desk = up(BINANCE_SPOT)
    desk.answer(body(10))
    fire(desk)
    assert desk.frame(diff(8, 9)) == ()
    assert names(desk.frame(diff(10, 11))) == ["DepthUpdate"]


def test_a_rest_snapshot_that_its_stream_never_reaches_was_misread() -> None:
    """Every diff would be old news for ever. A snapshot is ahead of its stream by as much as the stream is late."""
    desk = live(BINANCE_SPOT)
    desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.TOP_MISMATCH, 10))
    fire(desk)
    desk.frame(diff(11, 12))
    assert states(desk.answer(body(90_012))) == [(BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)]
    desk.now_ns += AHEAD_NS - 1_000
    assert desk.frame(diff(13, 14)) == ()
    desk.now_ns += 1_000
    assert states(desk.frame(diff(15, 16))) == DOUBTED
    assert states(desk.frame(diff(17, 18))) == WRONG


def test_an_old_diff_long_after_a_rest_snapshot_that_nothing_followed_costs_no_book() -> None:
    desk = up(BINANCE_SPOT)
    desk.answer(body(10))
    fire(desk)
    desk.now_ns += AHEAD_NS
    assert states(desk.frame(diff(6, 7))) == DOUBTED
    assert states(desk.frame(diff(9, 12))) == RIGHT


def test_a_repeated_diff_of_long_ago_is_stale_and_no_gap() -> None:
    desk = live(BINANCE_SPOT)
    for last in (11, 12, 13):
        desk.frame(diff(last, last))
    before = desk.actor.view()["stale"]
    assert desk.frame(diff(11, 11)) == desk.frame(diff(13, 13)) == ()
    view = desk.actor.view()
    assert (view["stale"] - before, view["duplicates"], view["gaps"]) == (1, 1, 0)


def test_a_late_diff_mends_a_gap_and_disowns_what_was_asked() -> None:
    desk = live(BINANCE_SPOT)
    desk.now_ns += 100_000_000_000
    emitted = desk.frame(diff(12, 13))
    assert names(emitted) == ["BookStateChanged", "SnapshotRequest", "Alert"]
    assert desk.frame(diff(14, 14)) == ()
    emitted = desk.frame(diff(11, 11))
    assert states(emitted) == [(BookState.SYNCING, BookReason.REORDERED), (BookState.LIVE, BookReason.REORDERED)]
    assert [item.last_sequence for item in emitted if isinstance(item, DepthUpdate)] == [11, 13, 14]
    assert desk.answer(body(14)) == ()
    assert desk.actor.view()["late_answers"] == 1
    assert names(desk.frame(diff(15, 15))) == ["DepthUpdate"]


def test_a_late_diff_that_leaves_a_hole_mends_nothing() -> None:
    desk = live(BINANCE_SPOT)
    desk.frame(diff(12, 13))
    desk.frame(diff(15, 15))
    assert desk.frame(diff(11, 11)) == ()
    assert states(desk.frame(diff(14, 14)))[-1] == (BookState.LIVE, BookReason.REORDERED)


def test_nothing_late_mends_a_stream_that_only_checksums_prove() -> None:
    desk = live(CHECKSUMMED)
    desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, 10))
    assert desk.frame(diff(11, 11)) == ()


# What cannot be read


@pytest.mark.parametrize("rule", [STREAMED, BINANCE_SPOT, CHECKSUMMED])
def test_a_book_whose_update_was_lost_is_invalid_at_once(rule: Any) -> None:
    desk = live(rule)
    emitted = desk.frame(Garbage("price", SYMBOL))
    assert emitted[0] == BookStateChanged(NUMBER, BookState.INVALID, BookReason.GARBAGE, 10)


def test_garbage_of_nobody_is_anyones_where_nothing_else_would_tell() -> None:
    assert states(live(CHECKSUMMED).frame(Garbage("cut"))) == [(BookState.INVALID, BookReason.GARBAGE)]
    assert states(live(STREAMED).frame(Garbage("cut"))) == []
    assert states(live(CHECKSUMMED).frame(Garbage("cut", "NOBODY"))) == []


def test_garbage_that_hid_nothing_costs_no_snapshot() -> None:
    desk = live(BINANCE_SPOT)
    desk.frame(Garbage("price", SYMBOL))
    assert states(desk.frame(diff(11, 11)))[-1] == (BookState.LIVE, BookReason.REORDERED)


def test_a_diff_without_an_id_mends_nothing() -> None:
    desk = live(OKX)
    desk.frame(Garbage("price", SYMBOL))
    unnumbered = DepthDiff(SYMBOL, UNNUMBERED, UNNUMBERED, 0, (), (), (), ())
    assert desk.frame(unnumbered) == ()


def test_scales_that_are_too_coarse_are_told_and_a_new_version_brings_the_book_back() -> None:
    desk = live(BINANCE_SPOT)
    assert desk.codec.scales[SYMBOL] == Scales(8, 8)
    emitted = desk.frame(Finer(SYMBOL, Scales(10, 8)))
    assert states(emitted) == [(BookState.INVALID, BookReason.INSTRUMENT_CHANGED)]
    assert emitted[-1].event == "scales_too_fine"
    assert emitted[-1].detail == "held=8,8 needed=10,8"
    assert names(desk.send(instrument(version=2, scale=10))) == ["SnapshotRequest"]
    assert desk.codec.scales[SYMBOL] == Scales(10, 8)
    desk.frame(diff(30, 31))
    assert states(desk.answer(body(31)))[-1] == (BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)


def test_a_restored_codec_reads_in_the_instruments_scales() -> None:
    desk = live(BINANCE_SPOT)
    codec = TableCodec()
    copy_of(desk.actor, MarketData({1: FeedConnection(codec, VENUE, BINANCE_SPOT)}))
    assert codec.scales == {SYMBOL: Scales(8, 8)}


def test_a_snapshot_on_its_way_is_read_in_the_new_scales() -> None:
    desk = up(BINANCE_SPOT)
    desk.frame(diff(9, 10))
    assert desk.send(instrument(version=2, scale=10)) == ()
    assert names(desk.answer(body(20))) == ["SetTimer"], "what was buffered in the old ones is forgotten"


# Refusals


@pytest.mark.parametrize("rule", [STREAMED, BINANCE_SPOT])
def test_a_refused_subscription_is_asked_for_again(rule: Any) -> None:
    desk = up(rule)
    emitted = desk.frame(SubscriptionRefused(SYMBOL, "no such depth"))
    assert [item.event for item in emitted if type(item).__name__ == "Alert"] == [
        "snapshot_failed",
        "subscription_refused",
    ]
    again = emitted if rule is STREAMED else fire(desk)
    assert Resubscribe(1, SYMBOL, Stream.DEPTH, "refused") in again


def test_a_refusal_of_a_live_books_other_stream_leaves_it_alone() -> None:
    assert states(live().frame(SubscriptionRefused(SYMBOL, "trades"))) == []


# Checksums


def test_a_venue_whose_checksums_differ_from_the_start_is_not_resynchronized_for_ever() -> None:
    desk = live(OKX)
    told = []
    for _ in range(EARLY_MAX):
        at = desk.actor.synchronizers[NUMBER].sequence
        desk.frame(numbered(at + 1, at, 99))
        told.append(desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, at + 1)))
        desk.frame(reset(100, checksum=98))
    alerts = [[item.event for item in emitted if type(item).__name__ == "Alert"] for emitted in told]
    assert alerts == [*[[]] * (EARLY_MAX - 1), ["checksum_not_believed"]]
    (update,) = desk.frame(numbered(101, 100, 97))
    assert isinstance(update, DepthUpdate)
    assert update.checksum == -1
    assert desk.actor.view()["instruments"][NUMBER]["checksums_believed"] is False


def test_checksums_that_differ_now_and_then_are_believed_up_to_a_number_an_hour() -> None:
    desk = live(OKX)
    for count in range(HOURLY_MAX + 1):
        assert desk.actor.synchronizers[NUMBER].believed, count
        for last in (11, 12, 13):
            desk.frame(numbered(last, last - 1, 99))
        desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, 13))
        desk.frame(reset(10))
    assert not desk.actor.synchronizers[NUMBER].believed


def test_where_only_checksums_prove_a_book_they_are_believed_for_ever() -> None:
    desk = live(CHECKSUMMED)
    for _ in range(HOURLY_MAX + 5):
        desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, 10))
        desk.frame(reset(10))
    assert desk.actor.synchronizers[NUMBER].believed


def test_more_went_out_behind_a_refused_update_and_is_not_believed_either() -> None:
    desk = live()
    desk.frame(diff(11, 11))
    emitted = desk.send(BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, 10))
    assert emitted[0] == BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, 11)


# Several connections, several frames


def test_a_loss_of_another_connection_of_the_venue_does_not_touch_the_book() -> None:
    codec = TableCodec()
    depth = FeedConnection(codec, VENUE, BINANCE_SPOT, (), (Stream.DEPTH, Stream.QUOTE))
    trades = FeedConnection(codec, VENUE, BINANCE_SPOT, (), (Stream.TRADE, Stream.MARK))
    actor = MarketData({1: trades, 2: depth})
    actor.receive(instrument(), 0)
    assert states(actor.receive(ConnectionUp(1, 1, 0), 1)) == []
    actor.receive(ConnectionUp(2, 1, 0), 2)
    assert actor.synchronizers[NUMBER].connection == 2
    mark = MarkEvent(SYMBOL, 5, 100, 99)
    emitted = actor.receive(Frame(1, 3, codec.put(mark), 1), 3)
    assert emitted == (MarkPrice(NUMBER, 1, 3, 5, 100, 99),)
    assert states(actor.receive(ConnectionDown(1, 1, "gone"), 4)) == []
    assert states(actor.receive(ConnectionDown(2, 1, "gone"), 5)) == [(BookState.INVALID, BookReason.CONNECTION_LOST)]


def test_funding_is_passed_on() -> None:
    desk = up()
    assert desk.frame(FundingEvent(SYMBOL, 5, -7, 9)) == (FundingRate(NUMBER, 1, desk.now_ns - 1, 5, -7, 9),)


def test_frames_that_waited_are_all_applied_and_the_last_one_of_each_instrument_is_shown() -> None:
    desk = live()
    desk.send(instrument(8, "ETHUSDT"))
    desk.frame(reset(20, symbol="ETHUSDT"))
    events = [diff(11, 11), diff(21, 21, symbol="ETHUSDT"), diff(12, 12), Notice("", ""), diff(13, 13), diff(99, 99)]
    frames = tuple(Frame(1, 5, desk.codec.put(event)) for event in events)
    emitted = desk.send(FrameBatch(frames))
    updates = [(item.instrument, item.last_sequence, item.more) for item in emitted if isinstance(item, DepthUpdate)]
    assert updates == [(NUMBER, 11, True), (8, 21, False), (NUMBER, 12, True), (NUMBER, 13, False)]
    assert states(emitted) == [(BookState.INVALID, BookReason.SEQUENCE_GAP)]
    view = desk.actor.view()
    assert (view["frame_batches"], view["conflated"], view["frames"]) == (1, 2, 8)


def test_each_snapshot_request_is_of_an_own_generation() -> None:
    desk = live(BINANCE_SPOT)
    for _ in range(3):
        sequence = desk.actor.synchronizers[NUMBER].sequence
        desk.frame(diff(sequence + 5, sequence + 6))
        desk.send(ConnectionDown(1, 1, "gone"))
        desk.send(ConnectionUp(1, 1, 0))
        fire(desk)
        desk.frame(diff(sequence + 7, sequence + 8))
        desk.answer(body(sequence + 8))
    requests = [item.generation for item in desk.heard if isinstance(item, SnapshotRequest)]
    assert len(set(requests)) == len(requests) == 4
