"""Timers as a receiver of the host: SetTimer and CancelTimer in, TimerFired inputs out. It reads no clock itself."""

from heapq import heapify, heappop, heappush

from bus.actor import NOTHING, Handler
from bus.messages import CancelTimer, Message, SetTimer, TimerFired

TIMERS_MAX = 100_000
"""Timers that may be set at once; 10 for each of 10,000 working orders. Beyond it SetTimer raises: an actor leaks them."""


class Timers:
    """All timers of a host, by (actor, counter)."""

    name = "timers"

    def __init__(self) -> None:
        self.handlers: dict[type[Message], Handler] = {SetTimer: self._set, CancelTimer: self._cancel}
        self._set_timers: dict[tuple[str, int], SetTimer] = {}
        self._heap: list[tuple[int, int, SetTimer]] = []
        self._order = 0

    def next_ns(self) -> int | None:
        """Engine time of the earliest timer, or None."""
        heap = self._heap
        while heap and self._set_timers.get((heap[0][2].actor, heap[0][2].counter)) is not heap[0][2]:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now_ns: int) -> list[TimerFired]:
        """Timers whose time has come, earliest first; each is forgotten."""
        fired = []
        while (next_ns := self.next_ns()) is not None and next_ns <= now_ns:
            timer = heappop(self._heap)[2]
            del self._set_timers[timer.actor, timer.counter]
            fired.append(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))
        return fired

    def _set(self, timer: SetTimer, now_ns: int) -> tuple[Message, ...]:
        if len(self._set_timers) >= TIMERS_MAX and (timer.actor, timer.counter) not in self._set_timers:
            raise OverflowError(f"{TIMERS_MAX} timers are set; {timer.actor} may not set another")
        self._order += 1
        self._set_timers[timer.actor, timer.counter] = timer
        heappush(self._heap, (timer.fires_ns, self._order, timer))
        if len(self._heap) > 2 * len(self._set_timers) + 64:  # replaced and canceled ones must not pile up
            self._heap = [row for row in self._heap if self._set_timers.get((row[2].actor, row[2].counter)) is row[2]]
            heapify(self._heap)
        return NOTHING

    def _cancel(self, timer: CancelTimer, now_ns: int) -> tuple[Message, ...]:
        self._set_timers.pop((timer.actor, timer.counter), None)
        return NOTHING
