"""How long a door waits before it dials again."""

import asyncio

FIRST_DELAYS_S = (0.0, 0.1, 0.2, 0.4, 0.8)
"""Chosen: a dropped connection is back in 0.3 s (FINDINGS: the library's own delays took 4.7 s)."""
DELAY_MAX_S = 15.0
"""Chosen: 300 connection attempts in 5 minutes are allowed to an address; this stays below 50."""
STEADY_S = 2.0
"""A connection that ends sooner was none: delays go on growing, or a venue that accepts and hangs up keeps us dialing.
Chosen: one that is cut every two seconds is dialed 150 times in 5 minutes, half of what an address may, and is back at once."""


def reconnect_delay(attempt: int) -> float:
    """Seconds before attempt 1, 2, 3 ... of one outage."""
    if attempt <= len(FIRST_DELAYS_S):
        return FIRST_DELAYS_S[attempt - 1]
    return float(min(2.0 ** min(attempt - len(FIRST_DELAYS_S), 10), DELAY_MAX_S))


class Redial:
    """Counts connections that did not last, for the pause before the next one."""

    def __init__(self) -> None:
        self._short = 0

    def ended(self, lasted_s: float) -> None:
        self._short = self._short + 1 if lasted_s < STEADY_S else 0

    @property
    def delay_s(self) -> float:
        """None after a steady connection, or after the first short one."""
        return reconnect_delay(self._short) if self._short > 1 else 0.0

    async def pause(self, lasted_s: float) -> None:
        """After a connection that lasted so long."""
        self.ended(lasted_s)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
