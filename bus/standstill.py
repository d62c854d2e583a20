"""Whether the loop stood still: a frozen process, a hook that blocks, a machine that slept.

What lies in socket buffers then is as old as that, whatever the time at which it is read. Nobody knows which socket is
read first, so every turn of the loop that takes an input asks here before it does (bus.pump, the feed).
"""

import asyncio
from collections.abc import Callable

from bus.link import LOST_NS

STANDSTILL_NS = LOST_NS // 2
"""A loop that has not turned for this long stood still. Peers hear a host's last word up to a heartbeat and a tick before
it stops, and give it up LOST_NS after that: whoever was given up must know it. Chosen so; a pass of the collector is
a hundredth of it.
"""
TICK_S = 0.1
"""How often a loop without inputs shows that it turns: a third of a standstill; chosen."""


class Standstill:
    """Watches from `start` to `stop`; before and after it nothing is a standstill. Made inside the running loop."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns, self._loop = now_ns, asyncio.get_running_loop()
        self._tick: asyncio.TimerHandle | None = None
        self._beat_ns = 0
        self._happened: Callable[[], None] = lambda: None
        self.count = 0

    def start(self, happened: Callable[[], None]) -> None:
        """happened: called at each standstill, before anything that waited is taken."""
        self._happened = happened
        self._beat_ns = self._now_ns()
        self._tick = self._loop.call_later(TICK_S, self._on_tick)

    def stop(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def beat(self, now_ns: int) -> bool:
        """The loop turns. False, once: it had not for STANDSTILL_NS; `happened` has run by then. HOT PATH."""
        still = now_ns - self._beat_ns > STANDSTILL_NS
        self._beat_ns = now_ns
        if still and self._tick is not None:
            self.count += 1
            self._happened()
            return False
        return True

    def _on_tick(self) -> None:
        self.beat(self._now_ns())
        if self._tick is not None:  # `happened` may have stopped us
            self._tick = self._loop.call_later(TICK_S, self._on_tick)
