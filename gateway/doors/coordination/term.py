"""One term of leadership, as its holder sees it: until when it may act, by its own clock, whatever any server says.

The deadline is boottime read before a request was sent, plus the time to live that the answer granted, less a margin: so
it lies before the moment at which anybody else can be let in. Boottime goes on while the process or the machine is
stopped; wall time plays no part. `left_ns` is the hot path's: one subtraction.
"""

import asyncio
from collections.abc import Callable

MARGIN_PCT = 30
MARGIN_NS_MAX = 500_000_000
"""Chosen: clocks of two machines run apart by under 0.1 %; the rest is for a stop between the check and the write."""

OVER_NS = -(1 << 62)
"""Deadline of a term that is over: before any boottime."""


def margin_ns(ttl_ns: int) -> int:
    """What the holder gives up of a granted time to live."""
    return min(ttl_ns * MARGIN_PCT // 100, MARGIN_NS_MAX)


class Term:
    """scope: what is led. epoch: of every client order id in it. holder: our own name. token: proves the term to its store.

    alive: the host's progress; the backend asks it before each keep-alive, and a term whose host stands still runs out.
    """

    __slots__ = ("_over", "_reason", "alive", "deadline_ns", "epoch", "holder", "scope", "token")

    def __init__(self, scope: str, epoch: int, holder: str, token: int, deadline_ns: int) -> None:
        self.scope, self.epoch, self.holder, self.token = scope, epoch, holder, token
        self.deadline_ns = deadline_ns
        self.alive: Callable[[], bool] = lambda: True
        self._over = asyncio.Event()
        self._reason = ""

    def left_ns(self, boottime_ns: int) -> int:
        """How long we may still act; 0 or less: stop now. Never grows after the term was found over."""
        return self.deadline_ns - boottime_ns

    @property
    def reason(self) -> str:
        """Why it is over; "" while it holds."""
        return self._reason

    async def until_over(self) -> str:
        """Waits for the end of the term, however it comes; returns the reason."""
        await self._over.wait()
        return self._reason

    def extend(self, deadline_ns: int) -> None:
        """A keep-alive was granted. Changes nothing once the term is over."""
        if not self._reason:
            self.deadline_ns = max(self.deadline_ns, deadline_ns)

    def end(self, reason: str) -> None:
        """The term is over for good; the first reason stays."""
        if not self._reason:
            self._reason = reason
            self.deadline_ns = OVER_NS
            self._over.set()
