"""When a book may be believed, as a table. Pure; single writer: the orderbook actor."""

from enum import IntEnum

from bus.messages import BookReason, BookState


class Validity(IntEnum):
    """A BookState, and whether an INVALID book may come back without a snapshot. Up to STALE a book follows its updates."""

    SYNCING = 0
    LIVE = 1
    STALE = 2
    SUSPENDED = 3  # INVALID to everybody: levels and sequence are right, what follows them is missing or late
    INVALID = 4


class BookEvent(IntEnum):
    """What can happen to a book's validity."""

    RESTART = 0  # market data starts anew: SYNCING
    SNAPSHOT = 1
    LIVE = 2
    STALE = 3
    SUSPEND = 4
    RESUME = 5  # what was missing came after all
    INVALID = 6


_V, _E = Validity, BookEvent

TRANSITIONS: dict[tuple[Validity, BookEvent], Validity] = {
    (_V.SYNCING, _E.RESTART): _V.INVALID,  # the snapshot at hand is of another connection
    (_V.SYNCING, _E.SNAPSHOT): _V.SYNCING,
    (_V.SYNCING, _E.LIVE): _V.LIVE,
    (_V.SYNCING, _E.STALE): _V.STALE,
    (_V.SYNCING, _E.SUSPEND): _V.SUSPENDED,
    (_V.SYNCING, _E.RESUME): _V.SYNCING,
    (_V.SYNCING, _E.INVALID): _V.INVALID,
    (_V.LIVE, _E.RESTART): _V.INVALID,
    (_V.LIVE, _E.SNAPSHOT): _V.SYNCING,  # a snapshot on the stream, or a roll: LIVE follows in the same cascade
    (_V.LIVE, _E.LIVE): _V.LIVE,
    (_V.LIVE, _E.STALE): _V.STALE,
    (_V.LIVE, _E.SUSPEND): _V.SUSPENDED,
    (_V.LIVE, _E.RESUME): _V.SYNCING,
    (_V.LIVE, _E.INVALID): _V.INVALID,
    (_V.STALE, _E.RESTART): _V.INVALID,
    (_V.STALE, _E.SNAPSHOT): _V.SYNCING,
    (_V.STALE, _E.LIVE): _V.STALE,  # we called it contradicted; the word LIVE was already on its way
    (_V.STALE, _E.STALE): _V.STALE,  # our own word comes back to us
    (_V.STALE, _E.SUSPEND): _V.SUSPENDED,
    (_V.STALE, _E.RESUME): _V.SYNCING,
    (_V.STALE, _E.INVALID): _V.INVALID,
    (_V.SUSPENDED, _E.RESTART): _V.INVALID,
    (_V.SUSPENDED, _E.SNAPSHOT): _V.SYNCING,
    (_V.SUSPENDED, _E.LIVE): _V.SUSPENDED,
    (_V.SUSPENDED, _E.STALE): _V.SUSPENDED,
    (_V.SUSPENDED, _E.SUSPEND): _V.SUSPENDED,
    (_V.SUSPENDED, _E.RESUME): _V.SYNCING,
    (_V.SUSPENDED, _E.INVALID): _V.INVALID,
    (_V.INVALID, _E.RESTART): _V.INVALID,
    (_V.INVALID, _E.SNAPSHOT): _V.SYNCING,
    (_V.INVALID, _E.LIVE): _V.INVALID,  # we refused an update of the bridge; the word LIVE was already on its way
    (_V.INVALID, _E.STALE): _V.INVALID,
    (_V.INVALID, _E.SUSPEND): _V.INVALID,
    (_V.INVALID, _E.RESUME): _V.INVALID,  # we refused it; only a snapshot mends that
    (_V.INVALID, _E.INVALID): _V.INVALID,  # our own word comes back to us
}
"""A book without a snapshot is INVALID."""

EVENTS: dict[BookState, BookEvent] = {
    BookState.SYNCING: BookEvent.RESTART,
    BookState.LIVE: BookEvent.LIVE,
    BookState.STALE: BookEvent.STALE,
    BookState.INVALID: BookEvent.INVALID,
}
"""What a BookStateChanged is to us, unless its reason says more."""

EVENTS_OF_REASON: dict[tuple[BookState, BookReason], BookEvent] = {
    (BookState.SYNCING, BookReason.REORDERED): BookEvent.RESUME,
    (BookState.SYNCING, BookReason.RESUMED): BookEvent.RESUME,
    (BookState.INVALID, BookReason.SEQUENCE_GAP): BookEvent.SUSPEND,
    (BookState.INVALID, BookReason.GARBAGE): BookEvent.SUSPEND,
    (BookState.INVALID, BookReason.SNAPSHOT_FAILED): BookEvent.SUSPEND,  # nothing came that would have changed the book
}
"""Where the reason says more: these leave the book as it was, or go on with it."""

SHOWN: dict[Validity, BookState] = {
    Validity.SYNCING: BookState.SYNCING,
    Validity.LIVE: BookState.LIVE,
    Validity.STALE: BookState.STALE,
    Validity.SUSPENDED: BookState.INVALID,
    Validity.INVALID: BookState.INVALID,
}
"""What others are told of it."""


def event_of(state: BookState, reason: BookReason) -> BookEvent:
    return EVENTS_OF_REASON.get((state, reason), EVENTS[state])
