"""Time. Engine time is what is stored and what actors get; boottime is for leases; perf_ns for latencies only.

Reading costs (Python 3.11, shared 2-core machine in its slow speed state, best of 7 rounds of 200,000 calls under
timeit, call included): EngineClock.now_ns 120-130 ns, boottime_ns 96, time.time_ns 57, perf_ns 47.
"""

import time
from time import clock_gettime_ns
from typing import Final, Protocol

perf_ns = time.perf_counter_ns

_BOOTTIME: Final = time.CLOCK_BOOTTIME
_SAMPLES: Final = 5  # chosen: one read of five is hardly ever preempted


class ClockWentBack(Exception):
    """A virtual clock was set to before its time."""

    def __init__(self, now_ns: int, asked_ns: int) -> None:
        super().__init__(f"the clock shows {now_ns}, asked for {asked_ns}")
        self.now_ns, self.asked_ns = now_ns, asked_ns


class Clock(Protocol):
    def now_ns(self) -> int:
        """Engine time in ns since 1970; never goes back."""
        ...


def boottime_ns() -> int:
    """CLOCK_BOOTTIME: ns since boot, suspend included, untouched by wall clock steps. For leases and their margins."""
    return clock_gettime_ns(_BOOTTIME)


def _wall_minus_boottime_ns() -> int:
    """Wall time less boottime, read between two reads of the latter; of some tries the one with the least between."""
    best = (1 << 62, 0)
    for _ in range(_SAMPLES):
        before = boottime_ns()
        wall = time.time_ns()
        after = boottime_ns()
        best = min(best, (after - before, wall - (before + after) // 2))
    return best[1]


class EngineClock:
    """Wall time at the start plus boottime elapsed since. Never steps and never slews with the wall clock.

    One a process. A later process starts from the wall clock of its day: time across restarts goes back if that did.
    """

    __slots__ = ("_origin_ns",)

    def __init__(self) -> None:
        self._origin_ns = _wall_minus_boottime_ns()

    def now_ns(self) -> int:
        return clock_gettime_ns(_BOOTTIME) + self._origin_ns

    def wall_offset_ns(self) -> int:
        """How far the wall clock has moved against engine time since the start; positive: it is ahead. About 2 us."""
        return _wall_minus_boottime_ns() - self._origin_ns


class VirtualClock:
    """Time that stands until it is moved. For the loopback, replay and tests."""

    __slots__ = ("_now_ns",)

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def set(self, now_ns: int) -> None:
        """Raises ClockWentBack; setting the time it shows is fine."""
        if now_ns < self._now_ns:
            raise ClockWentBack(self._now_ns, now_ns)
        self._now_ns = now_ns

    def advance(self, by_ns: int) -> None:
        self.set(self._now_ns + by_ns)
