"""A fault that is set, and what all of them share: the clock, a way to act later, the log. No sockets here."""

from collections.abc import Callable

from .clock import VenueClock
from .kinds import Acts
from .log import FaultLog
from .schedule import Schedule
from .spec import FaultSpec

Later = Callable[[int, Callable[[], None]], None]
"""Do that after so many nanoseconds."""


class Stage:
    """`seed` of every draw."""

    def __init__(self, clock: VenueClock, later: Later, seed: int) -> None:
        self.clock = clock
        self.later = later
        self.seed = seed
        self.log = FaultLog()
        self.closed = False

    def call_later(self, delay_ns: int, action: Callable[[], None]) -> None:
        """As `later`, unless the venue is closed by then."""
        self.later(max(0, delay_ns), lambda: None if self.closed else action())


class Fault:
    """One that is set: `origin_ns` is where its window counts from, on a clock that nothing skews.

    `until_ns` is the end of what its last hit began, for kinds whose hits last; the same clock. `ended`: it is removed, or what
    it held is undone.
    """

    def __init__(self, number: int, spec: FaultSpec, stage: Stage, key: str, origin_ns: int) -> None:
        self.number = number
        self.spec = spec
        self.schedule = Schedule(spec.schedule, f"{stage.seed}:{key}")
        self.origin_ns = origin_ns
        self.until_ns = 0
        self.ended = False
        self._stage = stage

    @property
    def elapsed_s(self) -> float:
        return (self._stage.clock.base() - self.origin_ns) / 1e9

    @property
    def is_over(self) -> bool:
        """Whether it can do nothing any more. What is `WINDOW` is over with its window, or by itself, only."""
        if self.ended:
            return True
        if self.spec.acts is Acts.WINDOW:
            until_s = self.spec.schedule.until_s
            return until_s is not None and self.elapsed_s >= until_s
        return self.schedule.is_over(self.elapsed_s) and self._stage.clock.base() >= self.until_ns

    def hit(self) -> bool:
        return not self.ended and self.schedule.hit(self.elapsed_s)

    def last(self, seconds: float) -> None:
        """This hit lasts so long, and no longer than the window."""
        now_ns = self._stage.clock.base()
        self.until_ns = now_ns + int(seconds * 1e9)
        if self.spec.schedule.until_s is not None:
            self.until_ns = min(self.until_ns, self.origin_ns + int(self.spec.schedule.until_s * 1e9))

    @property
    def lasts(self) -> bool:
        return not self.ended and self._stage.clock.base() < self.until_ns

    def draw(self, name: str) -> float:
        """Draw from the parameter's span."""
        return self.schedule.draws.uniform(*self.spec.span(name))

    def draw_ns(self, name: str) -> int:
        """The same, from milliseconds."""
        return int(self.draw(name) * 1e6)

    def note(self, done: str, face: str = "", about: str = "", symbol: str = "", client_order_id: str = "") -> None:
        spec = self.spec
        self._stage.log.note(self._stage.clock(), spec.name, spec.kind, done, face, about, symbol, client_order_id)
