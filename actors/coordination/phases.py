"""What our term allows, as a table. The term itself is the door's: it ends by the clock, whatever an actor knows."""

from enum import IntEnum


class Phase(IntEnum):
    STANDING_BY = 0
    SETTLING = 1
    """We lead; orders of the predecessor may still work, so his band stands."""
    HOLDING = 2
    """Only our own orders work: the bands are ours."""
    LEAVING = 3
    """Nothing new is wanted; the account is left at once after each change."""
    DEPOSED = 4


class Event(IntEnum):
    WON = 0
    ORDERS_READY = 1
    STOP = 2
    LOST = 3


PHASES: dict[tuple[Phase, Event], Phase] = {
    **{(phase, Event.WON): Phase.SETTLING for phase in Phase},  # a new run, however the last one ended
    **{(phase, Event.LOST): Phase.DEPOSED for phase in Phase},
    (Phase.STANDING_BY, Event.ORDERS_READY): Phase.STANDING_BY,  # no term was won: a bench, a test of other rooms
    (Phase.SETTLING, Event.ORDERS_READY): Phase.HOLDING,
    (Phase.HOLDING, Event.ORDERS_READY): Phase.HOLDING,  # after each reconnect of the private stream
    (Phase.LEAVING, Event.ORDERS_READY): Phase.LEAVING,
    (Phase.DEPOSED, Event.ORDERS_READY): Phase.DEPOSED,
    (Phase.STANDING_BY, Event.STOP): Phase.STANDING_BY,
    (Phase.SETTLING, Event.STOP): Phase.LEAVING,
    (Phase.HOLDING, Event.STOP): Phase.LEAVING,
    (Phase.LEAVING, Event.STOP): Phase.LEAVING,
    (Phase.DEPOSED, Event.STOP): Phase.DEPOSED,
}

LEADS = (Phase.SETTLING, Phase.HOLDING, Phase.LEAVING)
