"""The host on an asyncio loop: inputs run at once, timers fire, idle slots go to the garbage collector.

A door posts from its socket callback and the whole cascade has run when `post` returns; nothing waits for another turn
of the loop. After BATCH inputs the loop gets a turn, so that a burst on one socket cannot starve the others.
"""

import asyncio
import re
from collections.abc import Callable, Iterable

from bus.clock import EngineClock, perf_ns
from bus.codec import decoder
from bus.collector import Collector
from bus.errors import InputsFull
from bus.host import Host
from bus.lag import LagProbe
from bus.link import Arrived
from bus.mailbox import OutsideMailbox
from bus.messages import HEADER_SIZE, HEADER_VERSION, Message, OperatorCommand, StopPolicy, StopRequested
from bus.standstill import Standstill
from bus.timers import Timers

BATCH = 64
"""Inputs run before the loop gets a turn: about 5 ms of back-to-back ticks; chosen."""
IDLE_DELAY_S = 0.001
"""Quiet time before an idle slot is used: what came in on another socket is taken first; uvloop's smallest delay."""
IDLE_SLOT_NS = 5_000_000
"""How long a slot is taken to be when no timer is due earlier; a feed at 100 ms leaves more."""

OUTSIDE_BATCH = 16
"""Messages of other processes taken before the loop gets a turn: people send one, a mistake sends thousands; chosen."""
OUTSIDE_REASON_MAX = 200
"""Characters of a person's reason: it goes to logs and checkpoints; chosen."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{0,64}")
_ASKER = re.compile(r"[0-9a-z]{0,16}")
"""It becomes a part of a file's name (ops.answers)."""

_decode_outside = decoder((OperatorCommand, StopRequested))


class OutsideRefused(Exception):
    """A message from another process that may not become an input. The text says why, never what was in it."""


def read_outside(raw: bytes) -> Message:
    """Header and body, as everywhere; only what an operator may say. Raises OutsideRefused."""
    if len(raw) <= HEADER_SIZE or raw[1] != HEADER_VERSION:
        raise OutsideRefused(f"{len(raw)} bytes that do not begin with a header of version {HEADER_VERSION}")
    try:
        message = _decode_outside(raw[HEADER_SIZE:])
    except ValueError as error:  # a DecodeError is one, and text that is no UTF-8
        raise OutsideRefused(f"neither an OperatorCommand nor a StopRequested: {error}") from error
    assert isinstance(message, OperatorCommand | StopRequested)
    if len(message.reason) > OUTSIDE_REASON_MAX or not message.reason.isprintable():
        raise OutsideRefused(f"a reason that is not one line of at most {OUTSIDE_REASON_MAX} characters")
    if isinstance(message, OperatorCommand) and not (
        _NAME.fullmatch(message.owner) and _ASKER.fullmatch(message.asker) and _ASKER.fullmatch(message.left)
    ):
        raise OutsideRefused("an owner, an asker or a name of what is left that is no name")
    if isinstance(message, StopRequested) and message.policy is not StopPolicy.CANCEL:
        raise OutsideRefused(f"a stop by {message.policy.name}: the policy is the process's own, told by a signal")
    return message


class Pump:
    """Drives one host. Must be made inside its running loop."""

    def __init__(
        self,
        host: Host,
        timers: Timers,
        clock: EngineClock,
        collector: Collector | None = None,
        standstill: Standstill | None = None,
    ) -> None:
        self._host, self._timers, self._clock, self._collector = host, timers, clock, collector
        self._beat = (standstill or Standstill(clock.now_ns)).beat
        self._loop = asyncio.get_running_loop()
        self._running = False
        self._again = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._idle: asyncio.TimerHandle | None = None
        self._quiet: list[Callable[[], None]] = []
        self._behind_ns = 0
        self.lag = LagProbe(clock.now_ns, lambda now_ns: now_ns - self._behind_ns if self._behind_ns else 0, self.post)
        """Started by whoever wants LoopLag."""
        self._outside: OutsideMailbox | None = None
        self._outside_again = False
        self._on_refused: Callable[[int, str], None] = lambda count, reason: None
        self.outside_taken = self.outside_refused = 0
        self.admits: Callable[[Message], bool] = lambda message: True
        """Whether what an operator said becomes an input (ops.commanded). Who says no has told him."""
        self.stopped = False
        self.on_broken: Callable[[str], None] = lambda reason: None

    def post(self, *messages: Message) -> None:
        """Queue inputs and run. From inside a cascade (a door's handler) they run after it."""
        try:
            for message in messages:
                self._host.post(message)
        except InputsFull as error:
            self._break(str(error))
            return
        self._run_if_free()

    def post_arrived(self, messages: Iterable[Arrived]) -> None:
        """What another host said, in its order."""
        self._host.post_arrived(messages)
        self._run_if_free()

    def post_here(self, message: Message) -> None:
        """An input that no other host shall hear of, behind everything that they have said."""
        self._host.post_here(message)
        self._run_if_free()

    def at_quiet(self, action: Callable[[], None]) -> None:
        """Call `action` at each quiet point: telemetry reads there. It must be short."""
        self._quiet.append(action)

    def listen(self, outside: OutsideMailbox, on_refused: Callable[[int, str], None]) -> None:
        """Take operators' messages of other processes as inputs, until `stop`.

        on_refused(count, reason): for the log; called at the 1st, 2nd, 4th, 8th ... refusal, so a flood stays short.
        """
        assert self._outside is None, "one outside mailbox a host"
        self._outside, self._on_refused = outside, on_refused
        self._loop.add_reader(outside.descriptor, self._on_outside)
        self._on_outside()  # what came before now does not fire the descriptor again

    def stop(self) -> None:
        """Take no further input. What is queued stays untaken."""
        self.stopped = True
        if self._outside is not None:
            self._loop.remove_reader(self._outside.descriptor)
        self.lag.stop()
        for handle in (self._timer, self._idle):
            if handle is not None:
                handle.cancel()

    def _run_if_free(self) -> None:
        if not self._running and not self._again:
            self._run()

    def _run(self) -> None:
        self._again = False
        if self.stopped:
            return
        self._running = True
        try:
            now_ns = self._clock.now_ns()
            self._beat(now_ns)  # whatever we are here for: what it says of a standstill goes before it
            self._fire_timers(now_ns)
            self._host.run(BATCH)
        except Exception as error:  # noqa: BLE001 - else the loop would take it for the trouble of one socket
            self._break(f"{type(error).__name__}: {error}")
            return
        finally:
            self._running = False
        if self._host.broken:
            self._break(self._host.broken)
            return
        if self._collector is not None:
            self._collector.between_inputs(perf_ns())
        if self._host.waiting:
            self._behind_ns = self._behind_ns or now_ns
            self._again = True
            self._loop.call_soon(self._run)
            return
        if self._behind_ns:
            self.lag.wait(now_ns - self._behind_ns)
            self._behind_ns = 0
        self._arm_timer()
        if self._idle is None:
            self._idle = self._loop.call_later(IDLE_DELAY_S, self._on_idle)

    def _break(self, reason: str) -> None:
        """The host is no longer whole: no further input, and whoever owns it hears why, once."""
        self._host.broken = self._host.broken or reason
        if not self.stopped:
            self.stop()
            self.on_broken(self._host.broken)

    def _fire_timers(self, now_ns: int) -> None:
        next_ns = self._timers.next_ns()
        if next_ns is not None and next_ns <= now_ns:
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
        self._run_if_free()

    def _on_outside(self) -> None:
        if not self._outside_again:
            self._drain_outside()

    def _drain_outside(self) -> None:
        """The descriptor fires once for any number of messages: come back by itself until the mailbox is empty."""
        self._outside_again = False
        if self.stopped or self._outside is None:
            return
        empty = False
        if not self._again:  # while inputs wait, the outside waits outside: its own bound holds there
            taken, empty = self._outside.drain(OUTSIDE_BATCH)
            for raw in taken:
                self._take_outside(raw)
        if not empty:
            self._outside_again = True
            self._loop.call_soon(self._drain_outside)

    def _take_outside(self, raw: bytes) -> None:
        try:
            message = read_outside(raw)
        except OutsideRefused as refused:
            self.outside_refused += 1
            if self.outside_refused.bit_count() == 1:
                self._on_refused(self.outside_refused, str(refused))
            return
        self.outside_taken += 1
        if self.admits(message):
            self.post(message)

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
