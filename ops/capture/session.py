"""One file of a live recording: its own connections, its own books. What comes is written first, and only then taken.

The actors that trade run behind the writer. What they ask of the world is asked as the engine would ask it, and the
answers are written where they came: so the file holds whatever a verification of it will need.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.market_data import FeedConnection, MarketData
from actors.orderbook import Orderbook
from bus.messages import (
    BookState,
    ConnectionDown,
    ConnectionUp,
    Frame,
    Instrument,
    Message,
    Outcome,
    ReleaseConnection,
    Resubscribe,
    RollConnection,
    SnapshotAnswer,
    SnapshotRequest,
)
from bus.messages.feed import SnapshotSource
from gateway.doors.connection import Planned
from gateway.doors.feed import FeedDoor
from gateway.doors.rest import RestDoor, RestFailed
from gateway.doors.venue_time import VenueTime
from gateway.market import Addresses, VenueMarket
from gateway.text import SymbolError
from ops.capture.pump import Pump
from ops.capture.verifier import ALL_LEVELS, LEVELS_MAX
from ops.capture.writer import CaptureWriter

VENUE = 0
METADATA_S_MAX = 30.0
"""The whole of Binance's exchangeInfo has about 10 MB; chosen."""
CONNECT_S_MAX = 15.0
"""For the first connection to open; chosen: the door's own attempts go on for ever."""
BEAT_S = 0.05
"""Between looks at the actors' timers, whose delays begin at a quarter of a second; chosen."""
SNAPSHOT_PART = 2
"""Snapshots may use one part in so many of the address's request weight; chosen, as the engine does."""


class RecordFailed(Exception):
    """Nothing can be recorded. The text says why and what to do."""


class Wanted(NamedTuple):
    """What to record. name: of the venue in captures."""

    market: VenueMarket
    name: str
    symbols: tuple[str, ...]
    levels: int
    addresses: Addresses


class Session:
    """failure: set to what went wrong when the file cannot be written any more. trouble: what last went wrong besides.

    outages: how often a connection had nothing open any more.
    """

    def __init__(self, wanted: Wanted, path: Path, now_ns: Callable[[], int]) -> None:
        """Makes the file. Raises OSError."""
        self.wanted, self._now_ns = wanted, now_ns
        self.writer = CaptureWriter(path, wanted.name, f"touchline capture record {wanted.addresses.streams}")
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.trouble = ""
        self.frames = self.outages = 0
        self._rest = RestDoor({VENUE: wanted.addresses.rest}, now_ns, VenueTime())
        self._openings: dict[tuple[int, int], str] = {}
        self._opened: dict[str, int] = {}
        self._up = asyncio.Event()
        self._inputs: deque[Message] = deque()
        self._taking = False
        self._tasks: list[asyncio.Task[None]] = []
        self._feed: FeedDoor | None = None

    async def start(self) -> None:
        """Until the first connection is open. Raises RecordFailed; `end` is due then as well."""
        await self._rest.open()
        instruments = await self._metadata()
        self._assemble(instruments)
        assert self._feed is not None
        self._feed.attach(self._post, on_trouble=self._note, on_said=self._said)
        self._tasks = [asyncio.create_task(self._feed.run()), asyncio.create_task(self._beat())]
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await self._up.wait()
        except TimeoutError:
            told = self.trouble or f"no connection in {CONNECT_S_MAX:g} s"
            raise RecordFailed(f"{told}; check --streams and the network") from None

    async def end(self) -> None:
        """Say goodbye and close the file, which is complete then. Raises OSError."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._feed is not None:
            self._feed.close()
        await self._rest.close()
        self.writer.close()

    @property
    def live(self) -> int:
        """Books."""
        return sum(entry.state == BookState.LIVE for entry in self._orderbook.entries.values())

    @property
    def gaps(self) -> int:
        return sum(sync.gaps for sync in self._market_data.synchronizers.values())

    @property
    def resyncs(self) -> int:
        return sum(sync.resyncs for sync in self._market_data.synchronizers.values())

    @property
    def failed_attempts(self) -> int:
        """To dial."""
        return sum(row.failed_attempts for row in self._feed.connections.values()) if self._feed is not None else 0

    # -- making it ------------------------------------------------------------------------------------------------

    async def _metadata(self) -> list[Instrument]:
        market, bodies = self.wanted.market, []
        try:
            for path in market.metadata_paths():
                status, body = await self._rest.get(VENUE, partial(str, path), METADATA_S_MAX)
                if status != 200:
                    raise RecordFailed(f"{path}: the venue answered with status {status}: {body[:200]!r}; check --rest")
                self.writer.append(self._now_ns(), "rest", path, body)
                bodies.append(body)
            listed = market.read_instruments(bodies, self.wanted.symbols, 0, VENUE)
        except RestFailed as error:
            raise RecordFailed(f"the venue cannot be reached: {error}; check --rest and the network") from error
        except SymbolError as error:
            raise RecordFailed(str(error)) from error
        return [_numbered(instrument, number) for number, instrument in enumerate(listed)]

    def _assemble(self, instruments: list[Instrument]) -> None:
        market, levels = self.wanted.market, self.wanted.levels
        plans = market.plan(self.wanted.symbols, market.streams, levels)
        streams = self.wanted.addresses.streams
        planned = {number: Planned(market, streams, plan, levels) for number, plan in enumerate(plans)}
        limits = market.limits
        weight_a_minute = int(limits.weight * 60.0 / limits.weight_s) // SNAPSHOT_PART
        feeds = {
            number: FeedConnection(
                market.codec(),
                VENUE,
                market.rule,
                plan.venue_symbols,
                plan.streams,
                market.snapshot_weight(levels),
                weight_a_minute,
                int(limits.life_s * 1e9),
                levels,
            )
            for number, plan in enumerate(plans)
        }
        self._urls = {number: streams.rstrip("/") + plan.path for number, plan in enumerate(plans)}
        self._feed = feed = FeedDoor(planned, self._now_ns)
        self._market_data = MarketData(feeds, levels)
        known = ALL_LEVELS if market.rule.snapshot == SnapshotSource.STREAM else levels
        self._orderbook = Orderbook(known, LEVELS_MAX, {VENUE: market.shape(levels)})
        self._pump = Pump(
            self._market_data,
            self._orderbook,
            lambda update: None,
            lambda snapshot: None,
            {
                SnapshotRequest: self._rest.handlers[SnapshotRequest],
                Resubscribe: feed.handlers[Resubscribe],
                RollConnection: feed.handlers[RollConnection],
                ReleaseConnection: feed.handlers[ReleaseConnection],
            },
        )
        self._rest.attach(self._post, {VENUE: market}, {})
        for instrument in instruments:
            self._pump.post(instrument)

    # -- while it runs --------------------------------------------------------------------------------------------

    def _post(self, *inputs: Message) -> None:
        """One input after the other: a door may answer, or end a connection, while it is being asked."""
        self._inputs.extend(inputs)
        if self._taking:
            return
        self._taking = True
        try:
            self._pump.advance(self._now_ns())
            while self._inputs:
                self._take(self._inputs.popleft())
        finally:
            self._taking = False

    def _take(self, message: Message) -> None:
        if isinstance(message, Frame):
            self.frames += 1
            address = self._address(message.connection, message.generation)
            self._write(message.received_ns, "recv", address, message.payload)
        elif isinstance(message, SnapshotAnswer):
            self._write_body(message)
        elif isinstance(message, ConnectionUp):
            self._up.set()
        elif isinstance(message, ConnectionDown):
            self._openings.pop((message.connection, message.generation), None)
            self._ended(message)
        self._pump.post(message)

    def _ended(self, message: ConnectionDown) -> None:
        """Of a connection that was rolled over another opening goes on: that is no trouble."""
        assert self._feed is not None
        if not self._feed.connections[message.connection].open:
            self.outages += 1
            self.trouble = f"connection {message.connection} ended: {message.reason}"

    def _write_body(self, answer: SnapshotAnswer) -> None:
        request = self._pump.requests.pop(answer.instrument, None)
        if answer.outcome != Outcome.RESULT:
            self.trouble = f"snapshot: {answer.reason}"
        elif request is not None:
            path = self.wanted.market.snapshot_path(request.venue_symbol, request.levels)
            self._write(answer.received_ns, "rest", path, answer.payload)

    def _said(self, connection: int, generation: int, frame: bytes) -> None:
        self._write(self._now_ns(), "send", self._address(connection, generation), frame)

    def _address(self, connection: int, generation: int) -> str:
        """Each opening has its own: the URL, and from the second opening of that URL on its number."""
        address = self._openings.get((connection, generation))
        if address is None:
            url = self._urls[connection]
            count = self._opened[url] = self._opened.get(url, 0) + 1
            address = self._openings[connection, generation] = url if count == 1 else f"{url}#{count}"
        return address

    def _write(self, received_ns: int, kind: str, address: str, payload: bytes) -> None:
        if self.failure.done():
            return
        try:
            self.writer.append(received_ns, kind, address, payload)
        except OSError as error:
            self.failure.set_result(f"{self.writer.path}: cannot be written: {error.strerror}")

    def flush(self) -> None:
        try:
            self.writer.flush()
        except OSError as error:
            if not self.failure.done():
                self.failure.set_result(f"{self.writer.path}: cannot be written: {error.strerror}")

    def _note(self, detail: str) -> None:
        self.trouble = detail

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self._post()


def _numbered(instrument: Instrument, number: int) -> Instrument:
    return msgspec.structs.replace(instrument, instrument=number, version=1)
