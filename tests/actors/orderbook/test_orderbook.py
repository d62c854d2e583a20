"""What the orderbook says to snapshots, updates, quotes and words on validity."""

import msgspec
import pytest

from actors.orderbook import Orderbook, live
from actors.orderbook.actor import MARK_INTERVAL_NS, TOUCH_REFRESH_NS
from actors.orderbook.tops import HELD_MAX
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    BookView,
    Mark,
    Message,
    Touch,
    WatchLevels,
)
from tests.actors.orderbook.builders import (
    LIVE,
    NUMBER,
    copy_of,
    instrument,
    invalid,
    live_book,
    names,
    orderbook,
    quote,
    snapshot,
    trade,
    update,
)


def test_nothing_is_said_while_syncing() -> None:
    actor = orderbook()
    assert actor.receive(snapshot(), 1) == ()
    assert actor.receive(update(10, 11, bids=((100, 9),)), 1) == ()
    assert live(actor.entries[NUMBER]) is None


def test_live_says_touch_then_view_then_mark_of_the_bridged_book() -> None:
    actor = orderbook(snapshot(), update(10, 11, bids=((100, 9),)))
    assert actor.receive(LIVE, 1) == (
        Touch(NUMBER, 1, 11, 11, 100, 9, 101, 7),
        BookView(NUMBER, 1, 11, 11, (100, 99), (9, 6), (101, 102), (7, 8)),
        Mark(NUMBER, 1, 11, 100, 101),
    )
    book = live(actor.entries[NUMBER])
    assert book is not None
    assert book.touch() == (100, 9, 101, 7)


def test_touch_is_said_when_it_changes_and_again_when_it_is_old() -> None:
    actor = live_book(0)
    assert names(actor.receive(update(10, 11, bids=((99, 1),)), 1)) == ["BookView"]
    assert names(actor.receive(update(11, 12, bids=((100, 1),)), 2)) == ["Touch", "BookView"]
    assert names(actor.receive(update(12, 13), TOUCH_REFRESH_NS + 2)) == ["Touch", "BookView"]


def test_mark_is_said_at_most_every_interval() -> None:
    actor = live_book(0)
    marks = []
    for step in range(1, 21):
        emitted = actor.receive(update(9 + step, 10 + step), step * MARK_INTERVAL_NS // 4)
        marks += [step for message in emitted if isinstance(message, Mark)]
    assert marks == [4, 8, 12, 16, 20]


def test_view_has_twenty_levels_at_most() -> None:
    actor = orderbook(snapshot(bids=[(100 - n, 1) for n in range(30)], asks=[(101 + n, 1) for n in range(30)]))
    view = actor.receive(LIVE, 1)[1]
    assert isinstance(view, BookView)
    assert view.bid_prices == tuple(range(100, 80, -1))
    assert view.ask_prices == tuple(range(101, 121))


@pytest.mark.parametrize("bid", [101, 102])
def test_a_crossed_or_locked_book_is_invalid_first_and_silent_after(bid: int) -> None:
    actor = live_book()
    emitted = actor.receive(update(10, 11, bids=((bid, 1),)), 1)
    assert emitted[0] == invalid(BookReason.CROSSED, 11)
    assert names(emitted) == ["BookStateChanged", "Alert"]
    assert live(actor.entries[NUMBER]) is None
    assert actor.receive(emitted[0], 1) == ()
    assert actor.receive(update(11, 12), 1) == ()
    assert actor.receive(LIVE, 1) == ()
    assert actor.view()["dropped"] == 1


def test_snapshot_and_live_bring_a_refused_book_back() -> None:
    actor = live_book()
    actor.receive(update(10, 11, bids=((101, 1),)), 1)
    assert actor.receive(snapshot(20), 2) == ()
    assert names(actor.receive(LIVE, 2))[:2] == ["Touch", "BookView"]


def test_a_hole_in_the_promised_stream_is_our_mistake() -> None:
    actor = live_book()
    with pytest.raises(AssertionError):
        actor.receive(update(11, 12), 1)


def test_quote_before_its_update_is_compared_when_the_book_gets_there() -> None:
    actor = live_book()
    assert actor.receive(quote(12, bid=(100, 3)), 1) == ()
    actor.receive(update(10, 12, bids=((100, 3),)), 1)
    books = actor.view()["books"][NUMBER]
    assert (books["top_checks"], books["top_mismatches"]) == (1, 0)


def test_quote_after_its_update_is_compared_at_once() -> None:
    actor = live_book()
    actor.receive(update(10, 12, bids=((100, 3),)), 1)
    assert actor.receive(quote(12, bid=(100, 3)), 1) == ()
    assert actor.view()["books"][NUMBER]["top_checks"] == 1


def test_quotes_at_other_ids_are_not_compared() -> None:
    actor = live_book()
    actor.receive(quote(11, bid=(1, 1)), 1)
    actor.receive(update(10, 12), 1)
    actor.receive(quote(11, bid=(1, 1)), 1)
    assert actor.view()["books"][NUMBER]["top_checks"] == 0


@pytest.mark.parametrize("early", [True, False])
def test_another_top_than_the_venues_makes_the_book_invalid(early: bool) -> None:
    actor = live_book()
    messages = [update(10, 12), quote(12, ask=(101, 8))]
    emitted = [actor.receive(message, 1) for message in (reversed(messages) if early else messages)][1]
    assert emitted[0] == invalid(BookReason.TOP_MISMATCH, 12)
    assert actor.view()["books"][NUMBER]["top_mismatches"] == 1


def test_mismatch_in_the_bridge_is_not_overruled_by_live() -> None:
    actor = orderbook(quote(11, bid=(77, 1)), snapshot())
    assert actor.receive(update(10, 11), 1)[0] == invalid(BookReason.TOP_MISMATCH, 11)
    assert actor.receive(LIVE, 1) == ()
    assert live(actor.entries[NUMBER]) is None


def test_kept_quotes_are_bounded() -> None:
    actor = live_book()
    for update_id in range(11, 11 + HELD_MAX + 1):
        actor.receive(quote(update_id), 1)
    tops = actor.entries[NUMBER].tops
    assert (len(tops.held), tops.dropped) == (HELD_MAX // 2 + 1, HELD_MAX // 2)
    assert tops.held[-1].update_id == 11 + HELD_MAX


def test_lost_connection_forgets_kept_quotes() -> None:
    actor = live_book()
    actor.receive(quote(15), 1)
    actor.receive(invalid(BookReason.CONNECTION_LOST, 10), 1)
    assert actor.entries[NUMBER].tops.held == []


def test_a_touch_beyond_the_snapshots_horizon_is_not_believed() -> None:
    actor = Orderbook(snapshot_levels=2)
    for message in (instrument(), snapshot(), LIVE):
        actor.receive(message, 0)
    emitted = actor.receive(update(10, 11, bids=((100, 0), (99, 0), (90, 1))), 1)
    assert emitted[0] == invalid(BookReason.SNAPSHOT_TOO_OLD, 11)


def test_a_book_whose_known_levels_were_all_eaten_is_exhausted_not_wrong_at_the_top() -> None:
    """The venue's own top lies beyond the horizon, where nobody told us what is: that proves nothing against the book."""
    actor = Orderbook(snapshot_levels=2)
    for message in (instrument(), snapshot(), LIVE, quote(11, bid=(95, 3))):
        actor.receive(message, 0)
    emitted = actor.receive(update(10, 11, bids=((100, 0), (99, 0), (90, 1))), 1)
    assert emitted[0] == invalid(BookReason.SNAPSHOT_TOO_OLD, 11)
    row = actor.view()["books"][NUMBER]
    assert (row["exhausted"], row["top_checks"], row["top_mismatches"]) == (1, 0, 0)


def test_a_bridge_through_the_unknown_is_no_top_check_either() -> None:
    actor = Orderbook(snapshot_levels=2)
    for message in (instrument(), quote(11, bid=(95, 3)), snapshot()):
        actor.receive(message, 0)
    assert actor.receive(update(10, 11, bids=((100, 0), (99, 0))), 1) == ()
    actor.receive(update(11, 12, bids=((100, 4),)), 1)
    assert names(actor.receive(LIVE, 1))[:2] == ["Touch", "BookView"]


def test_ids_that_run_back_forget_kept_quotes() -> None:
    """A venue that counts anew would leave a quote of the old count ahead for ever, and every later one behind it."""
    actor = live_book()
    actor.receive(quote(50), 1)
    actor.receive(update(10, 4), 1)
    actor.receive(quote(6, bid=(1, 1)), 1)
    assert actor.receive(update(4, 6), 1)[0] == invalid(BookReason.TOP_MISMATCH, 6)


def test_an_empty_side_is_shown_as_zeros() -> None:
    actor = live_book()
    emitted = actor.receive(update(10, 11, bids=((100, 0), (99, 0))), 1)
    assert emitted[0] == Touch(NUMBER, 1, 11, 11, 0, 0, 101, 7)
    assert names(emitted) == ["Touch", "BookView"]


def day() -> list[tuple[Message, int]]:
    second = 1_000_000_000
    return [
        (instrument(), 1),
        (BookStateChanged(NUMBER, BookState.SYNCING, BookReason.START, 0), 2),
        (quote(12, bid=(100, 9)), 3),
        (snapshot(), 4),
        (update(10, 12, bids=((100, 9),)), 5),
        (LIVE, 6),
        (WatchLevels(NUMBER, (100, 98, 97), (102,)), 6),
        (update(12, 13, asks=((101, 0),)), second),
        (quote(13, bid=(100, 9), ask=(102, 8)), second),
        (quote(15, bid=(100, 1)), 2 * second),
        (update(13, 15), 3 * second),
        (invalid(BookReason.TOP_MISMATCH, 15), 3 * second),
        (update(15, 16), 3 * second),
        (snapshot(20), 4 * second),
        (LIVE, 4 * second),
        (update(20, 21, bids=((98, 1), (100, 0))), 5 * second),
        (trade(103, received_ns=5 * second), 5 * second),
        (update(21, 22, asks=((104, 1),)), 6 * second),
        (trade(103, received_ns=6 * second), 6 * second),
        (invalid(BookReason.SEQUENCE_GAP, 22), 6 * second),
        (BookStateChanged(NUMBER, BookState.SYNCING, BookReason.REORDERED, 22), 7 * second),
        (msgspec.structs.replace(update(22, 23, bids=((97, 1),)), more=True), 7 * second),
        (BookStateChanged(NUMBER, BookState.LIVE, BookReason.REORDERED, 23), 7 * second),
        (msgspec.structs.replace(update(23, 24, bids=((97, 2),)), more=True), 7 * second),
        (update(24, 25, bids=((97, 3),)), 7 * second),
        (trade(103, received_ns=8 * second), 8 * second),
        (trade(103, received_ns=11 * second), 11 * second),
        (update(25, 26, asks=((99, 1), (101, 1))), 12 * second),
        (invalid(BookReason.CONNECTION_LOST, 26), 13 * second),
    ]


def test_restart_at_every_step() -> None:
    """Checkpoint after k inputs, restore into a fresh actor, feed the rest: the same words, the same end."""
    inputs = day()
    for step in range(len(inputs)):
        first = Orderbook()
        for message, now_ns in inputs[:step]:
            first.receive(message, now_ns)
        second = copy_of(first, Orderbook())
        for message, now_ns in inputs[step:]:
            assert second.receive(message, now_ns) == first.receive(message, now_ns)
        assert second.checkpoint() == first.checkpoint()
        assert second.view() == first.view()


def test_other_scales_leave_nothing_of_the_old_ones_to_compare_with() -> None:
    actor = orderbook(snapshot(), LIVE, quote(15), WatchLevels(NUMBER, (99,), ()))
    entry = actor.entries[NUMBER]
    actor.receive(instrument(version=2), 0)
    assert (len(entry.tops.held), list(entry.watched.bids)) == (1, [99])
    actor.receive(instrument(version=3, price_scale=9), 0)
    assert (entry.tops.held, entry.watched.bids, entry.scales.price) == ([], {}, 9)
