"""When a book may be believed, as a table. Pure; single writer: the orderbook actor."""

from enum import IntEnum

from bus.messages import BookState


class BookEvent(IntEnum):
    """What can happen to a book's validity."""

    RESTART = 0  # market data starts anew: SYNCING
    SNAPSHOT = 1
    LIVE = 2
    STALE = 3
    INVALID = 4


_S, _E = BookState, BookEvent

TRANSITIONS: dict[tuple[BookState, BookEvent], BookState] = {
    (_S.SYNCING, _E.RESTART): _S.INVALID,  # the snapshot at hand is of another connection
    (_S.SYNCING, _E.SNAPSHOT): _S.SYNCING,
    (_S.SYNCING, _E.LIVE): _S.LIVE,
    (_S.SYNCING, _E.STALE): _S.STALE,
    (_S.SYNCING, _E.INVALID): _S.INVALID,
    (_S.LIVE, _E.RESTART): _S.INVALID,
    (_S.LIVE, _E.SNAPSHOT): _S.SYNCING,  # a venue that sends snapshots on the stream
    (_S.LIVE, _E.LIVE): _S.LIVE,
    (_S.LIVE, _E.STALE): _S.STALE,
    (_S.LIVE, _E.INVALID): _S.INVALID,
    (_S.STALE, _E.RESTART): _S.INVALID,
    (_S.STALE, _E.SNAPSHOT): _S.SYNCING,
    (_S.STALE, _E.LIVE): _S.STALE,
    (_S.STALE, _E.STALE): _S.STALE,
    (_S.STALE, _E.INVALID): _S.INVALID,
    (_S.INVALID, _E.RESTART): _S.INVALID,
    (_S.INVALID, _E.SNAPSHOT): _S.SYNCING,
    (_S.INVALID, _E.LIVE): _S.INVALID,  # we refused an update of the bridge; the word LIVE was already on its way
    (_S.INVALID, _E.STALE): _S.INVALID,
    (_S.INVALID, _E.INVALID): _S.INVALID,  # our own word comes back to us
}
"""A book without a snapshot is INVALID; only SYNCING and LIVE take updates."""

EVENTS: dict[BookState, BookEvent] = {
    BookState.SYNCING: BookEvent.RESTART,
    BookState.LIVE: BookEvent.LIVE,
    BookState.STALE: BookEvent.STALE,
    BookState.INVALID: BookEvent.INVALID,
}
"""What another's BookStateChanged is to us."""
