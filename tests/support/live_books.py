"""Books over real sockets: a venue with one book that is known to be true, and a host that looks at it, all of it real.

`TrueVenue` tells its book to every connection as that venue would (gateway/simulated/wire). `Books` is what a host with
market data has: the actors, the two doors, a pump; made from a configuration as the engine makes them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from bus.clock import EngineClock
from bus.host import Host
from bus.loopback import LoopbackMailboxes
from bus.messages import (
    BookState,
    BookStateChanged,
    Instrument,
    Message,
    ReleaseConnection,
    Resubscribe,
    RollConnection,
)
from bus.messages.feed import SnapshotSource
from bus.pump import Pump
from bus.timers import Timers
from gateway.doors.feed import FeedDoor
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from gateway.simulated.wire import TrueBook, Wire
from ops.assembly import build_actors
from ops.config import parse
from ops.feeds import CONNECTIONS_MAX, NOBODY, planned, sources
from ops.supervisor import Supervisor
from ops.topology import routing
from ops.venues import MARKETS
from tests.conformance.rows import PRICE_DECIMALS, QUANTITY_DECIMALS, Row
from tests.support.house import BTC, CONFIG
from tests.support.scripted import ScriptedVenue, Talk, scripted

ACTORS = ("market_data", "orderbook", "microstructure")
TICK_S = 0.01
CLOCK = EngineClock()


class TrueVenue:
    """silent: nothing is told while it is set, though sockets are alive. wires: by connection; where ids mean the same on
    every connection (`SyncRule.comparable`), one for all, and each hears the same frames.
    """

    def __init__(self, row: Row) -> None:
        self.row, self.market = row, row.market()
        self.rest = self.market.rule.snapshot is SnapshotSource.REST
        self.name = row.symbols[0]
        self.book = TrueBook(11)
        self.alike = self.market.rule.comparable
        self.shared = self._wire()
        self.wires: dict[Talk, Wire] = {}
        self.silent = False

    def _wire(self) -> Wire:
        return self.row.symbol(0, 1).wire

    async def play(self, talk: Talk) -> None:
        """Wait for its subscription, where one is said, and tell the book."""
        plans = self.market.plan([self.name], self.market.streams, self.row.depth)
        opening = next(plan for plan in plans if plan.path == talk.path or not plan.path.strip("/")).opening
        while len(talk.said) < len(opening):
            await asyncio.sleep(0.001)
        if talk.path != plans[0].path and plans[0].path:
            return  # another route of the same venue: its trades
        wire = self.shared if self.alike else self._wire()
        await talk.send(*wire.accepted())
        if not self.rest:
            await talk.send(wire.snapshot(self.book, CLOCK.now_ns()))
        self.wires[talk] = wire

    async def depth(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.shared.snapshot(self.book, CLOCK.now_ns()))

    async def tick(self) -> None:
        """Change the book and tell everybody, until canceled."""
        while True:
            await asyncio.sleep(TICK_S)
            if self.silent:
                continue
            for _ in range(3):
                self.book.change()
            told = self.shared.diff(self.book, CLOCK.now_ns()) if self.alike else b""
            for talk, wire in list(self.wires.items()):
                if talk.ended.is_set():
                    del self.wires[talk]
                    continue
                with contextlib.suppress(ConnectionError):
                    await talk.send(told or wire.diff(self.book, CLOCK.now_ns()))


class Ear(Supervisor):
    """The supervisor's, with a memory."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[BookStateChanged] = []
        heard = self.handlers[BookStateChanged]

        def remember(change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
            self.changes.append(change)
            return heard(change, now_ns)

        self.handlers = {**self.handlers, BookStateChanged: remember}


class Books:
    """A host that looks at one symbol of a venue. changes: what the book went through, as everybody was told."""

    def __init__(self, venue: TrueVenue, server: ScriptedVenue) -> None:
        levels = f"levels = {venue.row.depth}\n" if venue.row.depth else ""
        name = venue.row.name if venue.row.name in MARKETS else venue.row.document
        config = parse(
            f'{CONFIG}\n[[feed]]\nvenue = "{name}"\nsymbols = ["{venue.name}"]\n{levels}'
            f'rest = "{server.rest}"\nstreams = "{server.streams}"\n'
        )
        instrument = looked_at(venue.name)
        clock = CLOCK
        self.actors = {actor.name: actor for actor in build_actors(config, [instrument], ACTORS)}
        self.feed = FeedDoor(planned(config, [instrument]), clock.now_ns)
        all_sources = sources(config)
        self.rest = RestDoor({row.number: row.addresses.rest for row in all_sources}, clock.now_ns, VenueTime())
        self.supervisor, timers = Ear(), Timers()
        self.changes = self.supervisor.changes
        receivers = [*self.actors.values(), self.feed, self.rest, timers, self.supervisor]
        names = [receiver.name for receiver in receivers]
        self.host = Host(receivers, routing(names), LoopbackMailboxes(), clock.now_ns)
        self.pump = Pump(self.host, timers, clock)
        self.feed.attach(self.pump.post)
        self.rest.attach(self.pump.post, {row.number: row.market for row in all_sources}, {})
        self.pump.post(instrument)

    @property
    def entry(self) -> Any:
        return self.actors["orderbook"].entries[1]  # type: ignore[attr-defined]  # it is the orderbook

    @property
    def live(self) -> bool:
        return self.changes != [] and self.changes[-1].state is BookState.LIVE

    @property
    def market_data(self) -> dict[str, Any]:
        return self.actors["market_data"].view()

    @property
    def connection(self) -> Any:
        return self.feed.connections[CONNECTIONS_MAX]

    def ask(self, message: Resubscribe | RollConnection | ReleaseConnection) -> None:
        """As an actor would."""
        self.feed.handlers[type(message)](message, CLOCK.now_ns())


def looked_at(symbol: str) -> Instrument:
    return msgspec.structs.replace(
        BTC,
        instrument=1,
        account=NOBODY,
        venue=1,
        venue_symbol=symbol,
        price_scale=PRICE_DECIMALS,
        quantity_scale=QUANTITY_DECIMALS,
        tick=1,
        lot=1,
    )


@asynccontextmanager
async def watching(row: Row) -> AsyncIterator[tuple[TrueVenue, ScriptedVenue, Books]]:
    venue = TrueVenue(row)
    async with scripted(venue.play) as server:
        path = venue.market.snapshot_path(venue.name, row.depth or 1_000).partition("?")[0]
        server.pages = {path: venue.depth} if path else {}
        books = Books(venue, server)
        await books.rest.open()
        work = [asyncio.ensure_future(books.feed.run()), asyncio.ensure_future(venue.tick())]
        try:
            yield venue, server, books
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            books.feed.close()
            await books.rest.close()
            books.pump.stop()
