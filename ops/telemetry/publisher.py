"""When a frame is built: only while somebody watches, between inputs, and never so often that ticks would feel it.

A watcher repeats its wish; without one for LEASE_NS nothing is built, nothing is armed, and the engine does not know
that telemetry exists. A frame is built in a turn of the loop of its own, so always between cascades. While inputs wait
it is put off, but not for longer than OVERDUE_NS: under a load that never ends a watcher still sees the engine live.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from bus.clock import perf_ns
from bus.latency import Histogram
from bus.mailbox import Tap
from ops import events
from ops.telemetry.frame import HZ_MAX, Frame, Wish, encode_frame

LEASE_NS = 1_000_000_000
"""A wish counts for so long: a frozen or dead watcher costs a second of frames. Four times a watcher's interval; chosen."""
OVERDUE_NS = 100_000_000
"""Longest a frame waits for inputs to end; chosen: ten frames a second still read as alive."""
LOOK_NS = 100_000_000
"""Between looks for wishes while frames go out: a publish may eat the descriptor's edge, and a look that finds nothing
costs as much as a ladder. Chosen.
"""
RETRY_S = 0.001
"""Between looks for a quiet moment; uvloop's smallest delay."""
SHARE = 20
"""Frames may take one part in so many of the loop's time: if building takes long (hundreds of orders), they come rarer."""
SMOOTH = 16
"""Frames over which the time to build one is averaged: one that was preempted must not cost the next its turn."""
WISHES_MAX = 16
"""Different wishes in force; the oldest beyond it goes. Chosen: a person switching instruments has five in a lease."""
FOCI_MAX = 4
"""Instruments whose ladders are in a frame: the latest wishes. Chosen: one a console, and few consoles."""

_decode_wish = msgspec.msgpack.Decoder(Wish).decode


class Source(Protocol):
    """Builds a frame; a Reader, or what a test puts in its place. built: ns of the loop a frame took, all in."""

    built: Histogram

    def frame(self, foci: tuple[int, ...], hz: int) -> Frame: ...


class Telemetry:
    """Made inside the running loop. `waiting`: inputs that the host has not taken yet."""

    def __init__(self, source: Source, tap: Tap, waiting: Callable[[], int]) -> None:
        self.source, self._tap, self._waiting = source, tap, waiting
        self._loop = asyncio.get_running_loop()
        self._wishes: dict[Wish, int] = {}
        self._looked_ns = 0
        self._armed: asyncio.TimerHandle | None = None
        self._due_ns = self._usual_ns = 0
        self.hz = 0
        """Frames a second that are wished for now; 0: nobody watches."""
        self.frames = self.put_off = self.failures = 0
        self._loop.add_reader(tap.descriptor, self._on_wish)
        self._on_wish()  # what came before now does not fire the descriptor again

    def close(self) -> None:
        self._loop.remove_reader(self._tap.descriptor)
        self._stop()

    def _stop(self) -> None:
        self.hz = 0
        self._wishes.clear()
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _on_wish(self) -> None:
        self._take_wishes(perf_ns())
        if self.hz and self._armed is None:
            self._due_ns = perf_ns()
            self._arm(0.0)

    def _take_wishes(self, now_ns: int) -> None:
        """What watchers want now. What cannot be read is somebody else's and no wish."""
        self._looked_ns = now_ns
        for raw in self._tap.drain():
            try:
                wish = _decode_wish(raw)
            except ValueError:  # a DecodeError is one
                continue
            self._wishes.pop(wish, None)  # the latest last
            self._wishes[wish] = now_ns
        for wish, since_ns in list(self._wishes.items()):
            if now_ns - since_ns > LEASE_NS or len(self._wishes) > WISHES_MAX:
                del self._wishes[wish]
        self.hz = max((min(max(wish.hz, 1), HZ_MAX) for wish in self._wishes), default=0)

    def _arm(self, seconds: float) -> None:
        self._armed = self._loop.call_later(seconds, self._pulse)

    def _pulse(self) -> None:
        self._armed = None
        now_ns = perf_ns()
        if now_ns - self._looked_ns >= LOOK_NS:
            self._take_wishes(now_ns)
        if not self.hz:
            return
        if self._waiting() and now_ns - self._due_ns < OVERDUE_NS:
            self.put_off += 1
            self._arm(RETRY_S)
            return
        try:
            foci = tuple(dict.fromkeys(wish.instrument for wish in reversed(self._wishes)))[:FOCI_MAX]
            self._tap.publish(encode_frame(self.source.frame(foci, self.hz)))
        except Exception as error:  # noqa: BLE001 - a view that raises must not touch the engine: it shows less, that is all
            self.failures += 1
            if self.failures.bit_count() == 1:  # the next wish tries again: a few lines for a fault that stays
                events.warning("telemetry_failed", times=self.failures, error=f"{type(error).__name__}: {error}")
            self._stop()
            return
        self.frames += 1
        took_ns = perf_ns() - now_ns
        self.source.built.record(took_ns)
        # Deadlines are absolute, so that rounding to whole milliseconds does not add up; a late one is not made up for.
        self._usual_ns += (took_ns - self._usual_ns) // SMOOTH
        interval_ns = max(1_000_000_000 // self.hz, self._usual_ns * SHARE)
        self._due_ns = max(self._due_ns + interval_ns, now_ns)
        self._arm(max(self._due_ns - perf_ns(), 0) / 1e9)
