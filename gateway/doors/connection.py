"""One market data connection for as long as the engine runs: its openings, one after the other or, rolled over, side by side.

A generation is an opening that succeeded. There is one open line, or none and the next is dialed; a roll dials the next
beside it and tries until it opens. What becomes of the present line meanwhile makes no difference to the next one,
except that nothing overlaps when it is gone.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any, NamedTuple

from bus.messages import ConnectionDown, ConnectionUp, Stream
from gateway.doors.line import Inlet, Line
from gateway.doors.pace import Pace
from gateway.doors.redial import Redial, reconnect_delay
from gateway.doors.websocket import ConnectFailed, Patience, connect
from gateway.market import ConnectionPlan, VenueMarket

FIRST_REQUEST = 1_000
"""Of the ids of renewals: behind those that an opening's frames may bear; chosen."""


class Planned(NamedTuple):
    """A connection as the assembly wants it. address: base of its URL; levels: what is asked for of a book."""

    market: VenueMarket
    address: str
    plan: ConnectionPlan
    levels: int


class Connection:
    """dials: the venue's pace of openings, shared by its connections. Made inside the running loop; `run` works."""

    def __init__(self, planned: Planned, inlet: Inlet, dials: Pace, patience: Patience, random: Random) -> None:
        self.planned, self._inlet = planned, inlet
        self._dials, self._patience, self._random = dials, patience, random
        self._url = planned.address.rstrip("/") + planned.plan.path
        self._loop = asyncio.get_running_loop()
        self._lines: dict[int, Line] = {}
        self._rolling = self._closing = False
        self._changed, self._hurry = asyncio.Event(), asyncio.Event()
        self._redial = Redial()
        self._frames_before = 0
        self._request = FIRST_REQUEST
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self.generation = 0
        self.failed_attempts = self.ignored = 0

    @property
    def open(self) -> int:
        return len(self._lines)

    @property
    def frames(self) -> int:
        return self._frames_before + sum(line.frames for line in self._lines.values())

    def view(self) -> dict[str, Any]:
        """For people. open: lines at present, 2 while it is rolled over; generation: openings so far."""
        return {
            "venue": self.planned.market.name,
            "symbols": len(self.planned.plan.venue_symbols),
            "open": self.open,
            "generation": self.generation,
            "frames": self.frames,
            "failed_attempts": self.failed_attempts,
        }

    async def run(self) -> None:
        """Until canceled."""
        while True:
            while self._closing or (self._lines and not self._rolling):
                self._changed.clear()
                await self._changed.wait()
            await self._nap(self._redial.delay_s)
            await self._dial()

    # -- what is asked of it --------------------------------------------------------------------------------------

    def renew(self, venue_symbol: str, stream: Stream) -> None:
        """On every open line; on none, the next opening subscribes anyway."""
        self._request += 1
        frames = self.planned.market.renew(venue_symbol, stream, self.planned.levels, self._request)
        for line in self._lines.values():
            if not line.renew((venue_symbol, stream), frames):
                self.ignored += 1

    def roll(self, generation: int) -> None:
        """Dial the next one beside this one, which stays. Nothing is done while a roll is under way."""
        if self._rolling or list(self._lines) != [generation]:
            self.ignored += 1
            return
        self._rolling = True
        self._changed.set()

    def release(self, generation: int, reason: str) -> None:
        """Close that one. If none is left the next one is dialed, at once unless they have been short-lived."""
        line = self._lines.get(generation)
        if line is not None:
            line.abort(reason)
            self._rolling = False  # whoever lets the new one go keeps the old one; and without any it is dialed anyway
        elif not self._lines:
            self._hurry.set()

    def drop(self, reason: str) -> None:
        """Trust nothing that lies in its sockets any more; a new one is made. Their ends have been posted."""
        for line in list(self._lines.values()):
            line.abort(reason)

    def close(self) -> None:
        """Say goodbye, and dial no more."""
        self._closing = True
        for line in self._lines.values():
            line.close()

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _dial(self) -> None:
        """Until one opens. A line that opened and ended before `connect` was content has been told, both times."""
        for attempt in count(1):
            await self._dials.turn()
            if self._closing:
                return
            plan, limits = self.planned.plan, self.planned.market.limits
            line = Line(plan, limits, self._inlet, self._opened, self._ended)
            try:
                await connect(
                    self._url, line.on_open, line.on_frame, line.on_close, self._patience, on_read=line.on_read
                )
                return
            except ConnectFailed as error:
                self.failed_attempts += 1
                where = f"{self.planned.market.name}, connection {self._inlet.number}"
                self.on_trouble(f"{where}, attempt {attempt}: {error}")
            await self._nap(reconnect_delay(attempt))

    async def _nap(self, delay_s: float) -> None:
        """Before an attempt; shortened by up to a half at random, so that connections that fell together return apart."""
        try:
            async with asyncio.timeout(delay_s * self._random.uniform(0.5, 1.0)):
                await self._hurry.wait()
        except TimeoutError:
            return
        self._hurry.clear()

    def _opened(self, line: Line) -> None:
        if self._closing:
            line.abort("it was dialed before the door closed")
            return
        overlaps = bool(self._lines)
        self._rolling = False
        self._hurry.clear()
        self.generation += 1
        self._lines[self.generation] = line
        line.begin(self.generation)
        inlet = self._inlet
        inlet.post(ConnectionUp(inlet.number, self.generation, inlet.now_ns(), overlaps))

    def _ended(self, line: Line, reason: str) -> None:
        """A successor that ends before it was let in is tried again, as one that did not open."""
        if not line.generation:
            return  # it opened too late, and was not told
        was_newest = line.generation == max(self._lines)
        del self._lines[line.generation]
        self._frames_before += line.frames
        self._redial.ended(self._loop.time() - line.opened_s)
        if was_newest and self._lines:
            self._rolling = True
        self._changed.set()
        self._inlet.post(ConnectionDown(self._inlet.number, line.generation, reason))
