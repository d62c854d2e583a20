"""What lateness and silence do: the ladder's step, a position whose book says nothing, a line that keeps breaking. Pure;
off the hot path. One timer looks at what only time ends, and is set only while there is such a thing.
"""

from collections.abc import Collection, Mapping

import msgspec

from actors.risk.checks import Book
from actors.risk.ladder import CLOCK, LOOP, Ladder, LadderState
from actors.risk.limits import AccountLimits
from actors.risk.people import alert
from actors.risk.states import ACTIVE, ENGINE, Reasons, instrument_scope, venue_scope
from actors.risk.window import Window
from bus.actor import NOTHING
from bus.messages import (
    AlertLevel,
    ClockEstimate,
    FeedAge,
    LoopLag,
    Message,
    PrivateStreamDown,
    SetTimer,
    TimerFired,
    TradingState,
)

LOOK = 0
"""The one timer there is."""
LOOK_NS = 500_000_000  # chosen: half of what a step of the ladder is held for at least


class WatchState(msgspec.Struct):
    """silent: (instrument, since). drops: times of disconnects."""

    ladder: LadderState = msgspec.field(default_factory=LadderState)
    silent: list[tuple[int, int]] = []
    drops: list[int] = []
    dropped_ns: int = 0
    armed: bool = False
    generation: int = 0


class Watch:
    """silent: instruments of whose book nothing is heard, and since when. instruments: those that are traded."""

    def __init__(self, limits: AccountLimits, reasons: Reasons, instruments: Collection[int]) -> None:
        self.limits, self.reasons = limits, reasons
        self.instruments = tuple(instruments)
        self.ladder = Ladder(limits.latency)
        self.silent: dict[int, int] = {}
        self.drops = Window(limits.disconnects_max, limits.disconnects_window_ns)
        self.dropped_ns = 0
        self.armed, self.generation = False, 0
        self.venue = venue_scope(limits.venue)

    # How late we are

    def on_feed_age(self, age: FeedAge, now_ns: int) -> tuple[Message, ...]:
        self.ladder.hear_feed(
            age.instrument, max(age.lag_ns - age.uncertainty_ns, 0) if age.lag_ns >= 0 else -1, now_ns
        )
        changes = self._step(now_ns)
        if 0 < self.limits.stale_ns <= age.silent_ns:
            self.silent.setdefault(age.instrument, now_ns - age.silent_ns)
        else:
            changes += self._heard(age.instrument)
        return self._end(changes, now_ns)

    def on_loop_lag(self, lag: LoopLag, now_ns: int) -> tuple[Message, ...]:
        """What waits while a start asks for everything is no measure of how it will be when it trades."""
        if self.reasons.holds(ENGINE, "orders"):
            return NOTHING
        self.ladder.hear(LOOP, lag.lag_ns, now_ns)
        return self._end(self._step(now_ns), now_ns)

    def on_clock(self, estimate: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        if estimate.venue != self.limits.venue:
            return NOTHING
        self.ladder.hear(CLOCK, estimate.uncertainty_ns, now_ns)
        return self._end(self._step(now_ns), now_ns)

    def on_answered(self, took_ns: int, now_ns: int) -> tuple[Message, ...]:
        """An order has the venue's first word, or was given up, so long after its approval."""
        if not self.ladder.hear_acknowledgement(took_ns, now_ns):
            return NOTHING
        return self._end(self._step(now_ns), now_ns)

    def _step(self, now_ns: int) -> tuple[Message, ...]:
        ladder = self.ladder
        if not ladder.judge(now_ns):
            return NOTHING
        if ladder.state is ACTIVE:
            changes = self.reasons.drop(ENGINE, "latency", ladder.reason)
        else:
            changes = self.reasons.hold(ENGINE, "latency", ladder.state, ladder.reason)
        return (*changes, ladder.said())

    # Books

    def on_lost(self, instrument: int, now_ns: int) -> tuple[Message, ...]:
        self.ladder.forget_feed(instrument)
        if self.limits.stale_ns and instrument in self.instruments:
            self.silent.setdefault(instrument, now_ns)
        return self._end(NOTHING, now_ns)

    def on_live(self, instrument: int, now_ns: int) -> tuple[Message, ...]:
        return self._end(self._heard(instrument), now_ns)

    def _heard(self, instrument: int) -> tuple[Message, ...]:
        if self.silent.pop(instrument, None) is None:
            return NOTHING
        return self.reasons.drop(instrument_scope(instrument), "stale", "its book is heard of again")

    def _look_at_silence(self, books: Mapping[int, Book], now_ns: int) -> tuple[Message, ...]:
        """A position is held and nothing is heard of its book: what is worked there is worked blind."""
        changes: tuple[Message, ...] = ()
        for number, since_ns in self.silent.items():
            scope, book = instrument_scope(number), books[number]
            if now_ns - since_ns < self.limits.stale_ns or self.reasons.holds(scope, "stale"):
                continue
            if book.base or book.portfolio:
                text = f"nothing heard of the book for {(now_ns - since_ns) // 1_000_000} ms, and a position is held"
                changes += self.reasons.hold(scope, "stale", TradingState.CANCEL_ONLY, text)
                changes += (alert(AlertLevel.CRITICAL, "stale_position", text, number),)
        return changes

    # The line to the venue

    def on_disconnect(self, down: PrivateStreamDown, now_ns: int) -> tuple[Message, ...]:
        if not self.limits.disconnects_max:
            return NOTHING
        self.dropped_ns = now_ns
        self.drops.count(now_ns)
        if self.drops.has_room(now_ns) or self.reasons.holds(self.venue, "disconnects"):
            return NOTHING
        limits = self.limits
        text = f"order entry was lost {limits.disconnects_max} times in {limits.disconnects_window_ns // 10**9} s"
        changes = self.reasons.hold(self.venue, "disconnects", TradingState.CANCEL_ONLY, text)
        return self._end((*changes, alert(AlertLevel.CRITICAL, "too_many_disconnects", text)), now_ns)

    def _look_at_line(self, now_ns: int) -> tuple[Message, ...]:
        if now_ns - self.dropped_ns < self.limits.disconnects_quiet_ns:
            return NOTHING
        return self.reasons.drop(self.venue, "disconnects", "order entry has been quiet")

    # Time

    def on_timer(self, fired: TimerFired, books: Mapping[int, Book], now_ns: int) -> tuple[Message, ...]:
        if fired.generation != self.generation:
            return NOTHING
        self.armed = False
        changes = self._step(now_ns) + self._look_at_silence(books, now_ns) + self._look_at_line(now_ns)
        return self._end(changes, now_ns)

    def begin(self, now_ns: int) -> None:
        """A new run knows no book, and no lateness; a line that kept breaking did so whoever was there."""
        self.ladder.begin()
        self.reasons.drop(ENGINE, "latency", "start")
        for number in self.silent:
            self.reasons.drop(instrument_scope(number), "stale", "start")
        self.silent = dict.fromkeys(self.instruments, now_ns) if self.limits.stale_ns else {}
        self.drops.bound(now_ns)
        self.dropped_ns = min(self.dropped_ns, now_ns)
        self.armed = False
        self.generation += 1

    def arm(self, now_ns: int) -> tuple[Message, ...]:
        return self._end(NOTHING, now_ns)

    def _end(self, changes: tuple[Message, ...], now_ns: int) -> tuple[Message, ...]:
        """With the timer, if it is wanted and not set."""
        wanted = self.ladder.step or self.silent or self.reasons.holds(self.venue, "disconnects")
        if self.armed or not wanted:
            return changes
        self.armed = True
        return (*changes, SetTimer("risk", LOOK, self.generation, now_ns + LOOK_NS))

    # Checkpoint

    def saved(self) -> WatchState:
        return WatchState(
            ladder=self.ladder.saved(),
            silent=list(self.silent.items()),
            drops=self.drops.saved(),
            dropped_ns=self.dropped_ns,
            armed=self.armed,
            generation=self.generation,
        )

    def restore(self, state: WatchState) -> None:
        self.ladder.restore(state.ladder)
        self.silent = dict(state.silent)
        self.drops.restore(state.drops)
        self.dropped_ns, self.armed, self.generation = state.dropped_ns, state.armed, state.generation
