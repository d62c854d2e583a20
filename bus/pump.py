"""The host on an asyncio loop: inputs run at once, timers fire, idle slots go to the garbage collector.

A door posts from its socket callback and the whole cascade has run when `post` returns; nothing waits for another turn
of the loop. After BATCH inputs the loop gets a turn, so that a burst on one socket cannot starve the others.
"""

import asyncio
from collections.abc import Callable

from bus.clock import EngineClock, perf_ns
from bus.collector import Collector
from bus.host import Host
from bus.messages import Message
from bus.timers import Timers

BATCH = 64
"""Inputs run before the loop gets a turn: about 5 ms of back-to-back ticks; chosen."""
IDLE_DELAY_S = 0.001
"""Quiet time before an idle slot is used: what came in on another socket is taken first; uvloop's smallest delay."""
IDLE_SLOT_NS = 5_000_000
"""How long a slot is taken to be when no timer is due earlier; a feed at 100 ms leaves more."""


class Pump:
    """Drives one host. Must be made inside its running loop."""

    def __init__(self, host: Host, timers: Timers, clock: EngineClock, collector: Collector | None = None) -> None:
        self._host, self._timers, self._clock, self._collector = host, timers, clock, collector
        self._loop = asyncio.get_running_loop()
        self._running = False
        self._again = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._idle: asyncio.TimerHandle | None = None
        self._quiet: list[Callable[[], None]] = []
        self.stopped = False

    def post(self, *messages: Message) -> None:
        """Queue inputs and run. From inside a cascade (a door's handler) they run after it."""
        for message in messages:
            self._host.post(message)
        if not self._running and not self._again:
            self._run()

    def at_quiet(self, action: Callable[[], None]) -> None:
        """Call `action` at each quiet point: telemetry reads there. It must be short."""
        self._quiet.append(action)

    def stop(self) -> None:
        """Take no further input. What is queued stays untaken."""
        self.stopped = True
        for handle in (self._timer, self._idle):
            if handle is not None:
                handle.cancel()

    def _run(self) -> None:
        self._again = False
        if self.stopped:
            return
        self._running = True
        try:
            self._fire_timers()
            self._host.run(BATCH)
        finally:
            self._running = False
        if self._collector is not None:
            self._collector.between_inputs(perf_ns())
        if self._host.waiting:
            self._again = True
            self._loop.call_soon(self._run)
            return
        self._arm_timer()
        if self._idle is None:
            self._idle = self._loop.call_later(IDLE_DELAY_S, self._on_idle)

    def _fire_timers(self) -> None:
        next_ns = self._timers.next_ns()
        if next_ns is not None and next_ns <= (now_ns := self._clock.now_ns()):
            for fired in self._timers.due(now_ns):
                self._host.post(fired)

    def _arm_timer(self) -> None:
        next_ns = self._timers.next_ns()
        if next_ns is None or (self._timer is not None and self._timer_ns <= next_ns):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = next_ns
        # uvloop rounds to whole milliseconds and would fire early; a timer that is not due yet is armed again.
        delay = max(next_ns - self._clock.now_ns(), 0) / 1e9
        self._timer = self._loop.call_later(delay + 0.0005, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._running and not self._again:
            self._run()

    def _on_idle(self) -> None:
        self._idle = None
        if self.stopped or self._host.waiting:
            return
        for action in self._quiet:
            action()
        if self._collector is not None:
            next_ns = self._timers.next_ns()
            slot = IDLE_SLOT_NS if next_ns is None else min(next_ns - self._clock.now_ns(), IDLE_SLOT_NS)
            self._collector.idle(perf_ns(), slot)
