"""The phases from a private stream that comes up to orders ready, as a table. READY has one way in."""

from enum import IntEnum


class Phase(IntEnum):
    DOWN = 0
    LOOK = 1
    SETTLE = 2
    BALANCES = 3
    VERIFY = 4
    PAUSE = 5
    READY = 6


class Step(IntEnum):
    """Events on the phases."""

    STREAM_UP = 0
    STREAM_DOWN = 1
    LOOKED = 2
    SETTLED = 3
    BALANCED = 4
    AGREED = 5
    DIFFERED = 6
    AGAIN = 7


PHASES: dict[tuple[Phase, Step], Phase] = {
    **{
        (phase, Step.STREAM_UP): Phase.LOOK for phase in Phase
    },  # also without a DOWN before it, and when an instrument is added
    **{(phase, Step.STREAM_DOWN): Phase.DOWN for phase in Phase},
    (Phase.LOOK, Step.LOOKED): Phase.SETTLE,
    (Phase.SETTLE, Step.SETTLED): Phase.BALANCES,
    (Phase.SETTLE, Step.AGAIN): Phase.LOOK,  # for long: a replica showed as working what had ended
    (Phase.BALANCES, Step.BALANCED): Phase.VERIFY,
    (Phase.BALANCES, Step.DIFFERED): Phase.PAUSE,  # an orphan came to light while balances were asked
    (Phase.VERIFY, Step.AGREED): Phase.READY,
    (Phase.VERIFY, Step.DIFFERED): Phase.PAUSE,
    (Phase.PAUSE, Step.AGAIN): Phase.LOOK,
}
