"""The actor "coordination"."""

import msgspec

from bus.actor import NOTHING, Actor
from bus.messages import (
    AccountPublished,
    AccountState,
    BandPublished,
    BandWanted,
    CooldownObserved,
    CooldownPublished,
    CooldownRequested,
    EngineStarted,
    Instrument,
    LeadershipLost,
    LeadershipWon,
    Message,
    OrdersReady,
    OrderUpdate,
    PeersObserved,
    StopRequested,
    TimerFired,
)


class CoordinationState(msgspec.Struct):
    """Nothing yet."""


class Coordination(Actor[CoordinationState]):
    name = "coordination"
    State = CoordinationState

    def __init__(self) -> None:
        taken = (
            LeadershipWon, LeadershipLost, PeersObserved, CooldownObserved, CooldownRequested, BandWanted, OrderUpdate,
            AccountState, BandPublished, CooldownPublished, AccountPublished, Instrument, EngineStarted, StopRequested,
            TimerFired, OrdersReady,
        )  # fmt: skip
        self.handlers = dict.fromkeys(taken, self.ignore)

    def ignore(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        return NOTHING

    def checkpoint(self) -> CoordinationState:
        return CoordinationState()

    def restore(self, state: CoordinationState) -> None:
        pass
