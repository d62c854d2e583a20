"""How long inputs wait for their turn, told once a second as an input: LoopLag.

Two things make an input wait: a loop that does not turn (a hook that blocks, a pass of the collector, a stopped process),
and inputs before it that are not done yet. The first is how late a timer of ours is, PROBES_A_SECOND times; the second is how
long there has been no moment at which nothing waited. Both are upper bounds, and cost nothing where an input is taken.
"""

import asyncio
from collections.abc import Callable

from bus.messages import LoopLag

PROBES_A_SECOND = 20
"""Chosen: what blocks for less than 50 ms may pass unseen between two of them, and is no lag that anyone trades worse by."""
PROBE_NS = 1_000_000_000 // PROBES_A_SECOND
SUDDEN_NS = 20_000_000
"""Twice as much as last told and more than this is told at once. Chosen: a frame is taken with those behind it at 2 ms, and
risk's first step is at tens of them."""


class LagProbe:
    """Made inside the running loop. waiting_ns: (now_ns) -> since how long inputs have waited without a pause; 0: none does."""

    def __init__(
        self, now_ns: Callable[[], int], waiting_ns: Callable[[int], int], post: Callable[[LoopLag], None]
    ) -> None:
        self._now_ns, self._waiting_ns, self._post = now_ns, waiting_ns, post
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._due_ns = self._worst_ns = self._told_ns = self._probes = 0

    def start(self) -> None:
        self._arm()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def wait(self, waited_ns: int) -> None:
        """So long something waited, between two probes."""
        self._worst_ns = max(self._worst_ns, waited_ns)

    def _arm(self) -> None:
        self._due_ns = self._now_ns() + PROBE_NS
        self._handle = self._loop.call_later(PROBE_NS / 1e9, self._probe)

    def _probe(self) -> None:
        now_ns = self._now_ns()
        self._probes += 1
        self._worst_ns = worst_ns = max(self._worst_ns, now_ns - self._due_ns, self._waiting_ns(now_ns))
        sudden = worst_ns > SUDDEN_NS and worst_ns > 2 * self._told_ns
        if sudden or self._probes >= PROBES_A_SECOND:
            self._told_ns, self._worst_ns, self._probes = worst_ns, 0, 0
            self._post(LoopLag(worst_ns))
        if self._handle is not None:  # what follows from the word may have stopped us
            self._arm()
