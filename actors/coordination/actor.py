"""The actor "coordination": what this instance and the others agree on, between the order path and the store. Pure.

It watches the order path (OrderUpdate) and never stands in it: what is agreed on, risk holds and checks by itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from actors.coordination.account import Account
from actors.coordination.bands import Bands, Working
from actors.coordination.bands import Row as BandRow
from actors.coordination.cooldowns import Cooldowns
from actors.coordination.cooldowns import Row as CooldownRow
from actors.coordination.desk import ACCOUNT_TIMER, BAND_TIMER, COOLDOWN_TIMER, NAME, PUBLISH_TIMER, TIMERS, Desk
from actors.coordination.phases import Event, Phase
from actors.coordination.settings import CoordinationSettings
from bus.actor import NOTHING, Actor
from bus.messages import (
    AccountPublished,
    AccountState,
    BandPublished,
    BandWanted,
    CooldownHeld,
    CooldownObserved,
    CooldownPublished,
    CooldownRequested,
    EngineStarted,
    IdsReserved,
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
    """holder: our own name in this term. left: number of the account's state in the store."""

    phase: Phase
    holder: str
    counter: int
    generation: int
    bands: list[BandRow]
    working: list[tuple[str, Working]]
    ticks: list[tuple[tuple[int, int], int]]
    cooldowns: list[CooldownRow]
    led: int
    latest: AccountState | None
    left: int
    asked: int
    due_ns: int
    stale: int
    complete: bool = False


class Coordination(Actor[CoordinationState]):
    """One scope: an account at a venue. stale: answers to what was asked before, which nobody waits for any more."""

    name: ClassVar[str] = NAME
    State: ClassVar[type[msgspec.Struct]] = CoordinationState

    def __init__(self, settings: CoordinationSettings) -> None:
        self.desk = Desk(settings)
        self.bands = Bands(self.desk)
        self.cooldowns = Cooldowns(self.desk)
        self.account = Account(self.desk)
        self.holder = ""
        self.stale = 0
        bands, cooldowns, account = self.bands, self.cooldowns, self.account
        self.handlers = {
            OrderUpdate: into(bands.on_update),
            LeadershipWon: self.on_won,
            LeadershipLost: self.on_lost,
            OrdersReady: self.on_ready,
            PeersObserved: into(bands.on_peers),
            BandWanted: into(bands.on_wanted),
            BandPublished: self.answered(bands.on_published),
            CooldownRequested: into(cooldowns.on_requested),
            CooldownObserved: into(cooldowns.on_observed),
            CooldownPublished: self.answered(cooldowns.on_published),
            AccountState: into(account.on_state),
            AccountPublished: self.answered(account.on_published),
            Instrument: self.on_instrument,
            EngineStarted: self.on_started,
            StopRequested: self.on_stop,
            TimerFired: self.on_timer,
        }

    def answered(self, rule: Callable[[Any, int, list[Message]], None]) -> Callable[[Any, int], tuple[Message, ...]]:
        """An answer of an older generation is dropped, and counted."""

        def receive(message: Any, now_ns: int) -> tuple[Message, ...]:
            if message.generation != self.desk.generation:
                self.stale += 1
                return NOTHING
            out: list[Message] = []
            rule(message, now_ns, out)
            return tuple(out)

        return receive

    # The term

    def on_won(self, won: LeadershipWon, now_ns: int) -> tuple[Message, ...]:
        """First word of a run: whatever was asked before has no answer any more."""
        out: list[Message] = []
        self.holder = won.holder
        self.desk.generation += 1
        self.desk.move(Event.WON)
        self.bands.begin_term()
        self.account.on_won(won, out)
        return tuple(out)

    def on_lost(self, lost: LeadershipLost, now_ns: int) -> tuple[Message, ...]:
        self.desk.move(Event.LOST)
        return NOTHING

    def on_started(self, started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.cooldowns.begin_run(now_ns, out)
        return tuple(out)

    def on_ready(self, ready: OrdersReady, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.desk.move(Event.ORDERS_READY)
        self.bands.settle_all(now_ns, out)
        self.account.on_ready(now_ns, out)
        return tuple(out)

    def on_stop(self, stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.desk.move(Event.STOP)
        self.account.publish(now_ns, out)
        return tuple(out)

    def on_instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        if message.account != self.desk.settings.account:
            return NOTHING  # looked at, not traded: it needs no band
        self.bands.know(message.instrument, message.version, message.tick)
        return NOTHING

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        instrument, kind = divmod(fired.counter, TIMERS)
        if kind == BAND_TIMER:
            self.bands.on_timer(instrument, now_ns, out)
        elif kind == COOLDOWN_TIMER:
            self.cooldowns.on_end(instrument, now_ns, out)
        elif kind == PUBLISH_TIMER:
            self.cooldowns.on_retry(instrument, now_ns, out)
        else:
            assert kind == ACCOUNT_TIMER, fired
            self.account.publish(now_ns, out)
        return tuple(out)

    # Recovery, checkpoint, view

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        def led(reserved: IdsReserved, now_ns: int) -> None:
            self.account.led = max(self.account.led, reserved.epoch)

        return {OrderUpdate: into(self.bands.on_update), CooldownHeld: self.cooldowns.recover, IdsReserved: led}

    def checkpoint(self) -> CoordinationState:
        desk, account = self.desk, self.account
        return CoordinationState(
            phase=desk.phase,
            holder=self.holder,
            counter=desk.counter,
            generation=desk.generation,
            bands=list(self.bands.rows.values()),
            working=list(self.bands.working.items()),
            ticks=list(self.bands.ticks.items()),
            cooldowns=list(self.cooldowns.rows.values()),
            led=account.led,
            latest=account.latest,
            left=account.left,
            asked=account.asked,
            due_ns=account.due_ns,
            stale=self.stale,
            complete=account.complete,
        )

    def restore(self, state: CoordinationState) -> None:
        desk, account = self.desk, self.account
        desk.phase, desk.counter, desk.generation = state.phase, state.counter, state.generation
        self.holder, self.stale = state.holder, state.stale
        self.bands.rows = {row.instrument: row for row in state.bands}
        self.bands.working = dict(state.working)
        self.bands.ticks = dict(state.ticks)
        self.cooldowns.rows = {row.instrument: row for row in state.cooldowns}
        account.led, account.latest, account.left = state.led, state.latest, state.left
        account.asked, account.due_ns, account.complete = state.asked, state.due_ns, state.complete

    def view(self) -> dict[str, Any]:
        """bands, cooldowns: by instrument. Prices in price units; 0: nothing on that side."""
        return {
            "phase": self.desk.phase.name,
            "epoch": self.account.led,
            "holder": self.holder,
            "bands": {
                row.instrument: {"peers": row.peers, "bid_max": row.held.bid_max, "ask_min": row.held.ask_min}
                for row in self.bands.rows.values()
            },
            "cooldowns": {row.instrument: (row.until_ns, row.reason) for row in self.cooldowns.rows.values()},
            "account_left": self.account.left,
            "stale_answers": self.stale,
        }


def into(rule: Callable[[Any, int, list[Message]], None]) -> Callable[[Any, int], tuple[Message, ...]]:
    """A rule that appends what it says, as a handler."""

    def receive(message: Any, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        rule(message, now_ns, out)
        return tuple(out)

    return receive
