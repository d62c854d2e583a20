"""When a book may be believed: the table, and what market data's words mean for a book that was right until then."""

import pytest

from actors.orderbook import Orderbook, live
from actors.orderbook.validity import EVENTS_OF_REASON, SHOWN, TRANSITIONS, BookEvent, Validity, event_of
from bus.messages import BookReason, BookState, BookStateChanged, Message, Touch
from tests.actors.orderbook.builders import LIVE, NUMBER, invalid, live_book, names, snapshot, update

SYNCING_V, LIVE_V, STALE_V, SUSPENDED_V, INVALID_V = Validity
EXPECTED = {
    BookEvent.RESTART: dict.fromkeys(Validity, INVALID_V),
    BookEvent.SNAPSHOT: dict.fromkeys(Validity, SYNCING_V),
    BookEvent.LIVE: {**{validity: validity for validity in Validity}, SYNCING_V: LIVE_V},
    BookEvent.STALE: {**dict.fromkeys(Validity, STALE_V), SUSPENDED_V: SUSPENDED_V, INVALID_V: INVALID_V},
    BookEvent.SUSPEND: {**dict.fromkeys(Validity, SUSPENDED_V), INVALID_V: INVALID_V},
    BookEvent.RESUME: {**dict.fromkeys(Validity, SYNCING_V), INVALID_V: INVALID_V},
    BookEvent.INVALID: dict.fromkeys(Validity, INVALID_V),
}


@pytest.mark.parametrize("validity", Validity)
@pytest.mark.parametrize("event", BookEvent)
def test_validity_of_every_state_and_event(validity: Validity, event: BookEvent) -> None:
    assert TRANSITIONS[validity, event] == EXPECTED[event][validity]


def test_only_live_is_shown_as_live() -> None:
    assert [validity for validity in Validity if SHOWN[validity] == BookState.LIVE] == [LIVE_V]


def test_every_word_of_market_data_is_an_event_and_only_named_reasons_keep_a_book() -> None:
    kept = {
        (state, reason)
        for state in BookState
        for reason in BookReason
        if event_of(state, reason) in (BookEvent.SUSPEND, BookEvent.RESUME)
    }
    assert kept == set(EVENTS_OF_REASON)


def say(state: BookState, reason: BookReason, sequence: int = 10) -> BookStateChanged:
    return BookStateChanged(NUMBER, state, reason, sequence)


LEFT = (
    invalid(BookReason.SEQUENCE_GAP, 10),
    invalid(BookReason.GARBAGE, 10),
    say(BookState.STALE, BookReason.SILENT),
)


@pytest.mark.parametrize("left", LEFT, ids=lambda message: message.reason.name)
@pytest.mark.parametrize("reason", [BookReason.REORDERED, BookReason.RESUMED])
def test_a_book_that_was_right_goes_on_where_it_stopped(left: BookStateChanged, reason: BookReason) -> None:
    actor = live_book()
    assert actor.receive(left, 1) == ()
    assert live(actor.entries[NUMBER]) is None
    assert actor.receive(say(BookState.SYNCING, reason), 2) == ()
    assert actor.receive(update(10, 11, bids=((100, 9),)), 2) == ()
    assert actor.receive(update(11, 12, asks=((101, 2),)), 2) == ()
    emitted = actor.receive(say(BookState.LIVE, reason, 12), 2)
    assert emitted[0] == Touch(NUMBER, 1, 12, 12, 100, 9, 101, 2)
    assert names(emitted)[1] == "BookView"


def test_a_failed_snapshot_does_not_lose_what_a_late_event_can_still_mend() -> None:
    actor = live_book()
    for message in (invalid(BookReason.SEQUENCE_GAP, 10), invalid(BookReason.SNAPSHOT_FAILED, 10)):
        actor.receive(message, 1)
    actor.receive(say(BookState.SYNCING, BookReason.REORDERED), 2)
    assert names(actor.receive(say(BookState.LIVE, BookReason.REORDERED), 2))[:2] == ["Touch", "BookView"]


@pytest.mark.parametrize(
    "left",
    [
        invalid(BookReason.CONNECTION_LOST, 10),
        invalid(BookReason.INSTRUMENT_CHANGED, 10),
        say(BookState.SYNCING, BookReason.START),
    ],
    ids=lambda message: message.reason.name,
)
def test_a_book_of_another_connection_does_not_come_back(left: BookStateChanged) -> None:
    assert comes_back(live_book(), left, say(BookState.SYNCING, BookReason.RESUMED)) == ()


def test_a_book_that_we_refused_does_not_come_back_without_a_snapshot() -> None:
    actor = live_book()
    refused = actor.receive(update(10, 11, bids=((101, 1),)), 1)[0]
    resumed = say(BookState.SYNCING, BookReason.RESUMED, 11)
    assert comes_back(actor, refused, invalid(BookReason.SEQUENCE_GAP, 11), resumed) == ()
    assert names(comes_back(actor, snapshot(20)))[:2] == ["Touch", "BookView"]


def comes_back(actor: Orderbook, *messages: Message) -> tuple[Message, ...]:
    for message in messages:
        actor.receive(message, 2)
    return actor.receive(say(BookState.LIVE, BookReason.RESUMED), 2)


def test_resuming_at_another_sequence_is_our_mistake() -> None:
    actor = live_book()
    actor.receive(invalid(BookReason.SEQUENCE_GAP, 10), 1)
    with pytest.raises(AssertionError):
        actor.receive(say(BookState.SYNCING, BookReason.REORDERED, 11), 2)


def test_a_suspended_book_takes_no_update() -> None:
    actor = live_book()
    actor.receive(invalid(BookReason.GARBAGE, 10), 1)
    assert actor.receive(update(10, 11, bids=((100, 0),)), 1) == ()
    assert (actor.entries[NUMBER].sequence, actor.view()["dropped"]) == (10, 1)


def test_a_stale_book_follows_its_updates_unseen() -> None:
    """We may have called it stale while updates were on their way: what market data counts and we hold stay the same."""
    actor = live_book()
    actor.receive(say(BookState.STALE, BookReason.CONTRADICTED), 1)
    assert actor.receive(update(10, 11, bids=((100, 9),)), 1) == ()
    assert actor.receive(LIVE, 1) == ()
    actor.receive(say(BookState.SYNCING, BookReason.RESUMED, 11), 1)
    assert actor.receive(say(BookState.LIVE, BookReason.RESUMED, 11), 1)[0] == Touch(NUMBER, 1, 11, 11, 100, 9, 101, 7)


@pytest.mark.parametrize("reason", [BookReason.ROLLED, BookReason.SNAPSHOT_BRIDGED])
def test_a_snapshot_in_the_midst_of_a_live_book_is_a_new_book_and_no_break(reason: BookReason) -> None:
    actor = live_book()
    assert actor.receive(snapshot(40, bids=((90, 1),), asks=((91, 2),)), 1) == ()
    assert actor.receive(update(40, 41, bids=((90, 3),)), 1) == ()
    emitted = actor.receive(say(BookState.LIVE, reason, 41), 1)
    assert emitted[0] == Touch(NUMBER, 1, 41, 41, 90, 3, 91, 2)
    assert names(emitted) == ["Touch", "BookView"]
