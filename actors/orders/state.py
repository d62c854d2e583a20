"""Life of one order, as tables over three axes; the public status is derived. Pure.

Axis one, `VenueState`: the highest proven venue fact. Facts form a join (rank and maximum), so streams, answers and
queries may come in any order and any number of times. Axis two, `Pending`: which of our requests have no definite
answer. Axis three, `Certainty`: UNKNOWN while a request's outcome is ambiguous or the private stream had a gap since
the last proof. Beside them `Absence`: our conclusion that the venue has no such order; it ends at the first fact.

Axes two and three are ours and do not commute; they follow the order in which inputs came. This engine amends no order of
its own, it cancels and sends another: so there is no request to amend among the pending ones. That somebody else amended one
(a person, the venue) is a fact like any other: the quantity with the highest venue update id counts.

`Trust` is of the private stream and no order's: whether it tells us everything (see `private_stream`).
"""

from enum import IntEnum

from bus.messages import OrderStatus, VenueState


class Pending(IntEnum):
    """The set of unanswered requests, as one value."""

    NONE = 0
    SUBMIT = 1
    CANCEL = 2
    BOTH = 3


class Asked(IntEnum):
    """Events on the pending axis."""

    SUBMIT_SETTLED = 0
    CANCEL_SENT = 1
    CANCEL_SETTLED = 2
    ALL_SETTLED = 3


PENDING: dict[tuple[Pending, Asked], Pending] = {
    (Pending.SUBMIT, Asked.SUBMIT_SETTLED): Pending.NONE,
    (Pending.BOTH, Asked.SUBMIT_SETTLED): Pending.CANCEL,
    (Pending.NONE, Asked.SUBMIT_SETTLED): Pending.NONE,  # the stream was faster than the answer
    (Pending.CANCEL, Asked.SUBMIT_SETTLED): Pending.CANCEL,
    (Pending.NONE, Asked.CANCEL_SENT): Pending.CANCEL,
    (Pending.SUBMIT, Asked.CANCEL_SENT): Pending.BOTH,  # canceled by client id before the acknowledgement
    (Pending.CANCEL, Asked.CANCEL_SENT): Pending.CANCEL,  # the earlier attempt's time is over
    (Pending.BOTH, Asked.CANCEL_SENT): Pending.BOTH,
    (Pending.CANCEL, Asked.CANCEL_SETTLED): Pending.NONE,
    (Pending.BOTH, Asked.CANCEL_SETTLED): Pending.SUBMIT,
    (Pending.NONE, Asked.CANCEL_SETTLED): Pending.NONE,
    (Pending.SUBMIT, Asked.CANCEL_SETTLED): Pending.SUBMIT,
    (Pending.NONE, Asked.ALL_SETTLED): Pending.NONE,
    (Pending.SUBMIT, Asked.ALL_SETTLED): Pending.NONE,
    (Pending.CANCEL, Asked.ALL_SETTLED): Pending.NONE,
    (Pending.BOTH, Asked.ALL_SETTLED): Pending.NONE,
}

SUBMITTING = (Pending.SUBMIT, Pending.BOTH)
CANCELING = (Pending.CANCEL, Pending.BOTH)


class Certainty(IntEnum):
    CERTAIN = 0
    UNKNOWN = 1


class Proof(IntEnum):
    """Events on the certainty axis."""

    DOUBTED = 0
    PROVEN = 1


CERTAINTY: dict[tuple[Certainty, Proof], Certainty] = {
    (Certainty.CERTAIN, Proof.DOUBTED): Certainty.UNKNOWN,
    (Certainty.UNKNOWN, Proof.DOUBTED): Certainty.UNKNOWN,
    (Certainty.UNKNOWN, Proof.PROVEN): Certainty.CERTAIN,
    (Certainty.CERTAIN, Proof.PROVEN): Certainty.CERTAIN,
}


class Absence(IntEnum):
    """Why the venue has no such order. OPEN: it may have it."""

    OPEN = 0
    REFUSED = 1
    NEVER_SENT = 2
    FORGOTTEN = 3


class Missing(IntEnum):
    """Events on the absence axis."""

    VENUE_REFUSED = 0
    DOOR_REFUSED = 1
    DROPPED = 2
    PROVEN_ABSENT = 3
    PROVEN_ABSENT_UNWRITTEN = 4
    SEEN = 5
    FORGOTTEN = 6


ABSENCE: dict[tuple[Absence, Missing], Absence] = {
    (Absence.OPEN, Missing.VENUE_REFUSED): Absence.REFUSED,
    (Absence.OPEN, Missing.DOOR_REFUSED): Absence.NEVER_SENT,
    (Absence.OPEN, Missing.DROPPED): Absence.NEVER_SENT,
    (Absence.OPEN, Missing.PROVEN_ABSENT): Absence.REFUSED,  # written, and the venue proved never to have taken it
    (Absence.OPEN, Missing.PROVEN_ABSENT_UNWRITTEN): Absence.NEVER_SENT,  # journaled, killed before the write
    (Absence.OPEN, Missing.FORGOTTEN): Absence.FORGOTTEN,  # it worked; the venue was restarted, or archived it
    (Absence.OPEN, Missing.SEEN): Absence.OPEN,
    (Absence.REFUSED, Missing.SEEN): Absence.OPEN,  # refused as a duplicate: the earlier attempt lives
    (Absence.NEVER_SENT, Missing.SEEN): Absence.OPEN,
    (
        Absence.FORGOTTEN,
        Missing.SEEN,
    ): Absence.OPEN,  # the venue's memory came back: it may work, so it is ours to cancel
}

RANK: dict[VenueState, int] = {
    VenueState.NONE: 0,
    VenueState.WORKING: 1,
    VenueState.DONE_REJECTED: 2,
    VenueState.DONE_EXPIRED: 3,
    VenueState.DONE_CANCELED: 4,
    VenueState.DONE_STP: 5,
    VenueState.DONE_FILLED: 6,  # fills prove it, whatever else was said
}

VENUE: dict[tuple[VenueState, VenueState], VenueState] = {
    (held, fact): held if RANK[held] >= RANK[fact] else fact for held in VenueState for fact in VenueState
}
"""(held, fact): the higher of the two. A total order, hence a join: associative, commutative, idempotent."""

ENDS: dict[VenueState, OrderStatus] = {
    VenueState.DONE_FILLED: OrderStatus.FILLED,
    VenueState.DONE_CANCELED: OrderStatus.CANCELED,
    VenueState.DONE_EXPIRED: OrderStatus.EXPIRED,
    VenueState.DONE_REJECTED: OrderStatus.REJECTED,
    VenueState.DONE_STP: OrderStatus.STP_EXPIRED,
}

ABSENT: dict[Absence, OrderStatus] = {
    Absence.REFUSED: OrderStatus.REJECTED,
    Absence.NEVER_SENT: OrderStatus.NEVER_SENT,
    Absence.FORGOTTEN: OrderStatus.CANCELED,
}

STATUS: dict[tuple[VenueState, Pending, Certainty], OrderStatus] = {
    (VenueState.NONE, Pending.SUBMIT, Certainty.CERTAIN): OrderStatus.PENDING_NEW,
    (VenueState.NONE, Pending.BOTH, Certainty.CERTAIN): OrderStatus.PENDING_CANCEL,
    (VenueState.NONE, Pending.SUBMIT, Certainty.UNKNOWN): OrderStatus.UNKNOWN_NEW,
    (VenueState.NONE, Pending.BOTH, Certainty.UNKNOWN): OrderStatus.UNKNOWN_NEW,
    (VenueState.NONE, Pending.NONE, Certainty.UNKNOWN): OrderStatus.UNKNOWN_NEW,  # refused as a duplicate
    (VenueState.NONE, Pending.CANCEL, Certainty.UNKNOWN): OrderStatus.UNKNOWN_NEW,
    (VenueState.WORKING, Pending.NONE, Certainty.CERTAIN): OrderStatus.ACCEPTED,  # PARTIALLY_FILLED from the first fill
    (VenueState.WORKING, Pending.CANCEL, Certainty.CERTAIN): OrderStatus.PENDING_CANCEL,  # still fillable
    (VenueState.WORKING, Pending.NONE, Certainty.UNKNOWN): OrderStatus.SUSPECT,
    (VenueState.WORKING, Pending.CANCEL, Certainty.UNKNOWN): OrderStatus.UNKNOWN_CANCEL,
    **{(end, Pending.NONE, Certainty.CERTAIN): status for end, status in ENDS.items()},
    # The end is proven, executions behind it are missing: not released before they are booked.
    **{(end, Pending.NONE, Certainty.UNKNOWN): OrderStatus.SUSPECT for end in ENDS},
}
"""The public status. Missing rows cannot be: a fact of the venue settles the submit, an end settles everything."""


class Trust(IntEnum):
    """Of the private stream. SUSPECT: the venue told us a fact that the stream did not; CONDEMNED: another one is wanted."""

    TRUSTED = 0
    SUSPECT = 1
    CONDEMNED = 2


class Sign(IntEnum):
    """Events on the trust."""

    OPENED = 0  # the stream begins: at the start, after a loss, or because it was condemned
    OVERDUE = 1  # a fact that was told otherwise did not come, or nothing at all did while orders work
    CLEARED = 2  # what was missing came late, or the venue was asked and nothing was missing
    MISSED = 3  # the venue was asked, and the stream still has not told it


TRUST: dict[tuple[Trust, Sign], Trust] = {
    **{(trust, Sign.OPENED): Trust.TRUSTED for trust in Trust},
    (Trust.TRUSTED, Sign.OVERDUE): Trust.SUSPECT,
    (Trust.SUSPECT, Sign.CLEARED): Trust.TRUSTED,
    (Trust.SUSPECT, Sign.MISSED): Trust.CONDEMNED,
}
