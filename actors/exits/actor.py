"""The actor "exits"."""

import msgspec

from bus.actor import NOTHING, Actor
from bus.messages import (
    BookStateChanged,
    EngineStarted,
    Fill,
    Instrument,
    Message,
    OrderRefused,
    OrderUpdate,
    PositionUpdate,
    Signals,
    StopRequested,
    TimerFired,
    TradingStateChanged,
)


class ExitsState(msgspec.Struct):
    """Nothing yet."""


class Exits(Actor[ExitsState]):
    name = "exits"
    State = ExitsState

    def __init__(self) -> None:
        taken = (
            Signals, BookStateChanged, PositionUpdate, Fill, OrderUpdate, OrderRefused, Instrument, EngineStarted,
            StopRequested, TradingStateChanged, TimerFired,
        )  # fmt: skip
        self.handlers = dict.fromkeys(taken, self.ignore)

    def ignore(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        return NOTHING

    def checkpoint(self) -> ExitsState:
        return ExitsState()

    def restore(self, state: ExitsState) -> None:
        pass
