"""How often something may be done: at most so many times in any span. The venue's limits of openings and of frames."""

import asyncio
from collections import deque
from collections.abc import Callable


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
