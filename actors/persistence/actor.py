"""The persistence actor: counts facts and asks for checkpoints. It writes nothing itself.

Recovery folds the journal's facts over the last checkpoint, so a checkpoint without a new fact would change nothing:
while there are none, none is taken. One is in flight at a time; a failed one is tried again sooner than the interval.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from bus.actor import NOTHING, Actor
from bus.messages import (
    Alert,
    AlertLevel,
    CheckpointTaken,
    EngineStarted,
    Fill,
    IdsReserved,
    Message,
    OrderUpdate,
    SetTimer,
    StopRequested,
    TakeCheckpoint,
    TimerFired,
    WallAdjusted,
)

NAME = "persistence"
CHECKPOINT_TIMER = 1
FAILURES_CRITICAL = 3  # chosen: three in a row are not a hiccup; recovery grows longer, and the disk is likely full
OVERDUE_MAX = 12  # timer rounds (a minute at 5 s) without an answer: the writer thread is stuck


class PersistenceSettings(msgspec.Struct, frozen=True):
    """facts_max: so many facts since the last checkpoint make one at once: it bounds what a recovery has to fold."""

    checkpoint_interval_ns: int = 5_000_000_000
    retry_interval_ns: int = 1_000_000_000
    facts_max: int = 10_000


class PersistenceState(msgspec.Struct):
    """facts: since the last checkpoint that was asked for. facts_in_flight: those that it covers."""

    facts: int = 0
    facts_in_flight: int = 0
    in_flight: bool = False
    stopping: bool = False
    overdue: int = 0
    failures: int = 0
    taken: int = 0
    last_offset: int = -1
    last_bytes: int = 0
    last_took_ns: int = 0
    update_number: int = 0
    fill_number: int = 0
    epoch: int = 0
    ids_below: int = 0
    wall_offset_ns: int = 0


class Persistence(Actor[PersistenceState]):
    name: ClassVar[str] = NAME
    State: ClassVar[type[msgspec.Struct]] = PersistenceState

    def __init__(self, settings: PersistenceSettings) -> None:
        self.settings = settings
        self.state = PersistenceState()
        self.handlers = {
            OrderUpdate: self.on_update,
            Fill: self.on_fill,
            IdsReserved: self.on_ids,
            EngineStarted: self.on_started,
            TimerFired: self.on_timer,
            CheckpointTaken: self.on_taken,
            StopRequested: self.on_stop,
            WallAdjusted: self.on_wall,
        }

    def on_update(self, message: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        self.state.update_number = max(self.state.update_number, message.number)
        return self.fact()

    def on_fill(self, message: Fill, now_ns: int) -> tuple[Message, ...]:
        self.state.fill_number = max(self.state.fill_number, message.number)
        return self.fact()

    def on_ids(self, message: IdsReserved, now_ns: int) -> tuple[Message, ...]:
        state = self.state
        state.epoch, state.ids_below = max((state.epoch, state.ids_below), (message.epoch, message.below))
        return self.fact()

    def fact(self) -> tuple[Message, ...]:
        state = self.state
        state.facts += 1
        if state.facts < self.settings.facts_max or state.in_flight:
            return NOTHING
        return self.take("facts")

    def take(self, reason: str) -> tuple[Message, ...]:
        state = self.state
        state.in_flight = True
        state.overdue = 0
        state.facts_in_flight += state.facts
        state.facts = 0
        return (TakeCheckpoint(reason),)

    def on_started(self, message: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A checkpoint that was in flight when the last run ended has no answer to come."""
        self.state.in_flight = False
        self.state.stopping = False
        self.state.facts += self.state.facts_in_flight
        self.state.facts_in_flight = 0
        return (self.timer(now_ns, self.settings.checkpoint_interval_ns),)

    def timer(self, now_ns: int, wait_ns: int) -> SetTimer:
        return SetTimer(NAME, CHECKPOINT_TIMER, 0, now_ns + wait_ns)

    def on_timer(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        state = self.state
        timer = self.timer(now_ns, self.settings.checkpoint_interval_ns)
        if state.in_flight:
            state.overdue += 1
            if state.overdue % OVERDUE_MAX:
                return (timer,)
            detail = f"intervals={state.overdue} facts={state.facts + state.facts_in_flight}"
            return (timer, Alert(AlertLevel.CRITICAL, NAME, "checkpoint_overdue", -1, detail))
        if state.facts == 0:
            return (timer,)
        return (timer, *self.take("interval"))

    def on_taken(self, message: CheckpointTaken, now_ns: int) -> tuple[Message, ...]:
        state = self.state
        state.in_flight = False
        if message.bytes_written:
            state.failures = 0
            state.facts_in_flight = 0
            state.taken += 1
            state.last_offset = message.offset
            state.last_bytes = message.bytes_written
            state.last_took_ns = message.took_ns
            return NOTHING
        state.failures += 1
        state.facts += state.facts_in_flight
        state.facts_in_flight = 0
        level = AlertLevel.CRITICAL if state.failures >= FAILURES_CRITICAL else AlertLevel.WARNING
        detail = f"offset={message.offset} failures={state.failures} reason={message.reason}"
        return (
            Alert(level, NAME, "checkpoint_failed", -1, detail),
            self.timer(now_ns, self.settings.retry_interval_ns),
        )

    def on_stop(self, message: StopRequested, now_ns: int) -> tuple[Message, ...]:
        """One more, also beside one in flight: it has the state from which the next run starts, but for the last cancels."""
        self.state.stopping = True
        return self.take("stop")

    def on_wall(self, message: WallAdjusted, now_ns: int) -> tuple[Message, ...]:
        self.state.wall_offset_ns = message.offset_ns
        return NOTHING

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        """Facts behind the checkpoint are counted, so that the first interval takes one."""
        return {
            OrderUpdate: self.recover(self.on_update),
            Fill: self.recover(self.on_fill),
            IdsReserved: self.recover(self.on_ids),
        }

    def recover(self, fold: Callable[[Any, int], tuple[Message, ...]]) -> Callable[[Any, int], None]:
        """`fold` without its wish: at recovery nobody takes a checkpoint, so none may count as in flight."""

        def folded(message: Message, now_ns: int) -> None:
            if fold(message, now_ns):
                self.state.in_flight = False
                self.state.facts += self.state.facts_in_flight
                self.state.facts_in_flight = 0

        return folded

    def checkpoint(self) -> PersistenceState:
        return msgspec.structs.replace(self.state)

    def restore(self, state: PersistenceState) -> None:
        self.state = msgspec.structs.replace(state)

    def view(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self.state)
