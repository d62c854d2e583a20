"""A venue's clock, estimated for as long as the engine runs, over public REST; each estimate is an input.

The order door asks the venue that trades over its own connection. Here the others are asked, and on a host that only
keeps books all of them: an estimate is against this process's own time, so it never crosses to another host.
"""

import asyncio
from collections.abc import Callable

from bus.messages import ClockEstimate
from bus.messages.feed import Garbage
from gateway.doors.venue_time import Heard, is_unsure, keep, measured, surest
from ops import events
from ops.public import Public, Unanswered

INTERVAL_S = 20.0
"""Between estimates; a crystal drifts 1 ms in it at 50 ppm. Chosen."""
AGAIN_MAX = 2
"""Further questions at once, each interval, when answers are slow; chosen."""
TIMEOUT_S = 5.0


class VenueClock:
    """Asks one venue. offset_max_ms: beyond it, by more than is uncertain, people are told; 0: never."""

    def __init__(
        self, public: Public, now_ns: Callable[[], int], post: Callable[[ClockEstimate], None], offset_max_ms: int
    ) -> None:
        source = public.source
        self._public, self._now_ns, self._post = public, now_ns, post
        self._number, self._name, self._market = source.number, source.name, source.market
        self._error_ns = int(source.market.limits.time_error_s * 1e9)
        self._offset_max_ns = offset_max_ms * 1_000_000
        self._heard: tuple[Heard, ...] = ()
        self._reached, self._right = True, True

    async def run(self) -> None:
        """Until canceled. A venue without a time endpoint has no estimate; one that cannot be asked keeps its last."""
        while self._market.time_path():
            try:
                await self.look()
            except Unanswered as error:
                if self._reached:
                    events.warning("venue_clock_unread", venue=self._name, reason=str(error))
                self._reached = False
            else:
                self._reached = True
            await asyncio.sleep(INTERVAL_S)

    async def look(self) -> None:
        """Ask, again when the answer was slow, and tell the surest of the last ones. Raises Unanswered."""
        for _ in range(1 + AGAIN_MAX):
            fresh = await self._ask()
            now_ns = self._now_ns()
            self._heard = keep(self._heard, Heard(fresh, now_ns))
            best = surest(self._heard, now_ns)
            if not is_unsure(self._way(fresh), self._way(best)):
                break
        self._judge(best)
        self._post(best)

    async def _ask(self) -> ClockEstimate:
        await self._public.turn()
        asked_ns = self._now_ns()
        body = await self._public.get(self._market.time_path(), TIMEOUT_S)
        answered_ns = self._now_ns()
        told_ns = self._market.read_time(body)
        if isinstance(told_ns, Garbage):
            raise Unanswered(told_ns.detail)
        return measured(self._number, asked_ns, answered_ns, told_ns, self._error_ns)

    def _way(self, told: ClockEstimate) -> ClockEstimate:
        """Without what is uncertain in the venue's own words: no further question makes that less."""
        return ClockEstimate(told.venue, told.offset_ns, told.uncertainty_ns - self._error_ns)

    def _judge(self, best: ClockEstimate) -> None:
        off_ns = abs(best.offset_ns) - best.uncertainty_ns
        right = not self._offset_max_ns or off_ns <= self._offset_max_ns
        if right is not self._right:
            self._right = right
            say = events.info if right else events.warning
            say(
                "venue_clock_good" if right else "venue_clock_off",
                venue=self._name,
                offset_ms=round(best.offset_ns / 1e6, 1),
                uncertainty_ms=round(best.uncertainty_ns / 1e6, 1),
                **(
                    {}
                    if right
                    else {"remedy": "set this machine's clock (chrony); if others agree with it, the venue's is off"}
                ),
            )
