"""How often something may be done: at most so many times in any span. The venue's limits of openings and of frames."""

import asyncio
from collections import deque
from collections.abc import Callable

from gateway.doors.budget import Budget
from gateway.doors.window import NEW

LOOK_S = 1.0
"""Between looks at whether there is room again; chosen."""


class Pace:
    """count in any span_s. A place is taken when it is granted, used or not."""

    def __init__(self, count: int, span_s: float, now_s: Callable[[], float]) -> None:
        self._span_s, self._now_s = span_s, now_s
        self._queue = asyncio.Lock()
        self._taken: deque[float] = deque(maxlen=max(count, 1))

    def wait_s(self) -> float:
        """Seconds until there is room; 0.0 now."""
        taken = self._taken
        if len(taken) < (taken.maxlen or 1):
            return 0.0
        return max(taken[0] + self._span_s - self._now_s(), 0.0)

    def take(self) -> None:
        """One more. Only when `wait_s` is 0.0."""
        self._taken.append(self._now_s())

    async def turn(self) -> None:
        """Wait for room and take it; first come, first served."""
        async with self._queue:
            await asyncio.sleep(self.wait_s())
            self.take()


class Dials(Pace):
    """A pace of openings that finds room in the venue's budget too: what earlier runs and other doors opened counts there."""

    def __init__(
        self,
        pace: tuple[int, float, Callable[[], float]],
        budget: Budget,
        now_ns: Callable[[], int],
        on_trouble: Callable[[str], None],
    ) -> None:
        """pace: as Pace has it."""
        super().__init__(*pace)
        self._budget, self._now_ns, self._on_trouble = budget, now_ns, on_trouble

    async def turn(self) -> None:
        await super().turn()
        told = False
        while (now_ns := self._now_ns()) < (free_ns := self._budget.opening_free_ns(now_ns, NEW)):
            left_s = (free_ns - now_ns) / 1e9
            if not told:
                told = True
                self._on_trouble(f"dialed in {left_s:.1f} s: the venue's limit of openings was reached")
            await asyncio.sleep(min(left_s, LOOK_S))
        self._budget.open(now_ns)
