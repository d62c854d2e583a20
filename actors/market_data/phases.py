"""The life of one market data connection, as a table: down, open, and rolled over to its next generation. Pure."""

from enum import IntEnum


class RollState(IntEnum):
    """OVERLAP: two generations deliver, until the older one is released."""

    DOWN = 0
    OPEN = 1
    ASKED = 2
    OVERLAP = 3


class RollEvent(IntEnum):
    """What happens to a connection."""

    UP = 0  # one generation is open, and no other
    BESIDE = 1  # a new one is open beside the one in use
    LOST = 2  # the last one that was open is gone
    ROLL = 3  # its life is nearly over, or the venue says so
    OLDER_LOST = 4
    NEWER_LOST = 5
    RELEASE = 6


_S, _E = RollState, RollEvent

TRANSITIONS: dict[tuple[RollState, RollEvent], RollState] = {
    (_S.DOWN, _E.UP): _S.OPEN,
    (_S.DOWN, _E.LOST): _S.DOWN,  # a connection that never came up is reported down
    (_S.OPEN, _E.UP): _S.OPEN,  # reconnected before the loss was reported
    (_S.OPEN, _E.BESIDE): _S.OVERLAP,  # the door rolled without being asked
    (_S.OPEN, _E.LOST): _S.DOWN,
    (_S.OPEN, _E.ROLL): _S.ASKED,
    (_S.ASKED, _E.UP): _S.OPEN,  # the old one broke meanwhile, and the new one stands in its place
    (_S.ASKED, _E.BESIDE): _S.OVERLAP,
    (_S.ASKED, _E.LOST): _S.DOWN,
    (_S.ASKED, _E.ROLL): _S.ASKED,  # the new one does not come: ask again
    (_S.OVERLAP, _E.UP): _S.OPEN,  # both broke before either was reported
    (_S.OVERLAP, _E.BESIDE): _S.OVERLAP,  # a third: the newer of the two had broken unreported
    (_S.OVERLAP, _E.LOST): _S.DOWN,  # an engine that starts believes no connection of its checkpoint
    (_S.OVERLAP, _E.OLDER_LOST): _S.OPEN,  # the venue ended it before we did: the newer one takes over
    (_S.OVERLAP, _E.NEWER_LOST): _S.ASKED,
    (_S.OVERLAP, _E.RELEASE): _S.OPEN,
}
"""A missing row is our own mistake and raises KeyError."""
