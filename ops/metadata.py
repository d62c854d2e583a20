"""Instrument metadata, read again and again while the engine runs, and made into new versions: each is one input.

The host that trades reads for all venues, because it numbers instruments and versions; other hosts hear of them as they
heard of the first. A reading that fails is a warning and changes nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bus.messages import Instrument
from gateway.market import NarrowMetadata
from gateway.text import NotListed, NotTrading, SymbolError
from ops import events
from ops.assembly import ACCOUNT, VENUE, unfit
from ops.feeds import NOBODY, Source, is_traded
from ops.node import Node
from ops.preflight import METADATA_S_MAX
from ops.public import Public, Unanswered
from ops.registry import register
from ops.state import StateError
from ops.versions import Versions

SOON_S = 30.0
"""Between readings while something that is traded does not trade, and at the soonest after scales were found too coarse; chosen."""
QUIET_S = 0.001
LOOK_S = 0.1
"""Between two looks at the orders that a new grid waits for; chosen."""

Found = Instrument | NotListed | NotTrading


class Metadata:
    """publics: whom to ask. path: of the registry. post: a new version is an input. waiting: inputs not yet taken.
    working_on: our orders by instrument. coarse: somebody found scales too coarse.
    """

    def __init__(
        self,
        publics: Sequence[Public],
        versions: Versions,
        path: Path,
        interval_s: float,
        post: Callable[[Instrument], None],
        waiting: Callable[[], int],
        working_on: Callable[[int], int],
        coarse: asyncio.Event,
    ) -> None:
        self._publics, self.versions, self._path, self._interval_s = publics, versions, path, interval_s
        self._post, self._waiting, self._working_on, self._coarse = post, waiting, working_on, coarse
        self._now_s = asyncio.get_running_loop().time
        self._numbers = {(row.venue, row.venue_symbol): number for number, row in versions.known.items()}
        self._unread: set[int] = set()
        self.readings = self.failures = 0

    @staticmethod
    def of(node: Node, working_on: Callable[[int], int], describe: Callable[[Instrument], None]) -> "Metadata":
        """Of a node that has its host. describe: of what is traded, for the index of the journal."""

        def post(row: Instrument) -> None:
            if is_traded(row):
                describe(row)
            node.pump.post(row)

        return Metadata(
            list(node.publics.values()),
            Versions(node.instruments, lambda row: unfit(node.config, row)),
            node.state.instruments,
            node.config.venue.metadata_interval_s,
            post,
            lambda: node.host.waiting,
            working_on,
            node.supervisor.coarse,
        )

    async def run(self) -> None:
        """Until canceled. The start has read everything once."""
        read_s = self._now_s()
        while True:
            await self._settle()
            halted = any(not row.trading for row in self.versions.known.values() if row.account != NOBODY)
            due_s = read_s + (min(self._interval_s, SOON_S) if halted else self._interval_s)
            if self._coarse.is_set():
                due_s = min(due_s, read_s + SOON_S)
            left_s = due_s - self._now_s()
            if left_s <= 0:
                self._coarse.clear()
                read_s = self._now_s()
                await self.read_all()
            elif self.versions.waiting:
                await asyncio.sleep(LOOK_S)
            else:
                await self._sleep(left_s)

    async def _sleep(self, seconds: float) -> None:
        """Until then, or until scales are found too coarse; that was said already if it waits for SOON_S to pass."""
        if self._coarse.is_set():
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._coarse.wait()
        except TimeoutError:
            pass

    async def read_all(self) -> None:
        for public in self._publics:
            source = public.source
            try:
                await self._read(public)
                self._unread.discard(source.number)
            except Unanswered as error:
                self.failures += 1
                if source.number not in self._unread:
                    events.warning("metadata_not_read", venue=source.name, reason=str(error))
                self._unread.add(source.number)
            except Exception as error:  # noqa: BLE001 - a mistake of ours in reading must not stop what trades; it is said
                self.failures += 1
                events.critical("metadata_reader_failed", venue=source.name, error=f"{type(error).__name__}: {error}")

    async def _read(self, public: Public) -> None:
        source = public.source
        rows = await self._found(public)
        self.readings += 1
        for symbol, found in rows.items():
            number = self._numbers[source.number, symbol]
            if isinstance(found, Instrument):
                known = self.versions.known[number]
                found = msgspec.structs.replace(found, instrument=number, version=known.version)
                wanted = self.versions.observe(found, self._now_s())
            else:
                wanted = self.versions.absent(number, str(found), listed=isinstance(found, NotTrading))
            if wanted is not None:
                await self._take(source, wanted)

    async def _settle(self) -> None:
        """Grids that waited for our orders to be gone."""
        for found in self.versions.ready(self._working_on, self._now_s()):
            source = next(public.source for public in self._publics if public.source.number == found.venue)
            await self._take(source, found)

    async def _take(self, source: Source, wanted: Instrument) -> None:
        """Give it its version, durably and off the loop; then it is an input.

        It comes when nothing else waits to be taken: a report that was read in the scales of before is not overtaken.
        """
        try:
            [row] = await asyncio.to_thread(register, self._path, source.name, [wanted])
        except (
            StateError,
            OSError,
        ) as error:  # nothing is in force that the next start would not know; read again, it is tried again
            events.critical("instrument_not_registered", instrument=wanted.venue_symbol, reason=str(error))
            return
        while self._waiting():  # noqa: ASYNC110 - a burst of inputs ends by itself, and nobody waits for this
            await asyncio.sleep(QUIET_S)
        self.versions.known[row.instrument] = row
        self._post(row)
        events.info("instrument_version", instrument=row.venue_symbol, version=row.version, trading=row.trading)

    # -- reading --------------------------------------------------------------------------------------------------

    async def _found(self, public: Public) -> dict[str, Found]:
        """By venue symbol, of those that could be read. Raises Unanswered."""
        source = public.source
        bodies = await self._bodies(public, source.symbols)
        try:
            rows = self._instruments(source, bodies, source.symbols)
        except SymbolError:
            return await self._one_by_one(public, bodies)
        return {row.venue_symbol: row for row in rows}

    async def _one_by_one(self, public: Public, bodies: Sequence[bytes]) -> dict[str, Found]:
        """Something is wrong with one of them; of the others the truth is wanted."""
        source = public.source
        narrow = isinstance(source.market, NarrowMetadata)
        found: dict[str, Found] = {}
        for symbol in source.symbols:
            if narrow:
                bodies = await self._bodies(public, (symbol,))
            try:
                [found[symbol]] = self._instruments(source, bodies, (symbol,))
            except (NotListed, NotTrading) as error:
                found[symbol] = error
            except SymbolError as error:
                if not error.venue_symbol:
                    raise Unanswered(str(error)) from error
                events.warning("instrument_not_read", venue=source.name, instrument=symbol, reason=str(error))
        return found

    async def _bodies(self, public: Public, symbols: Sequence[str]) -> list[bytes]:
        market = public.source.market
        paths = market.metadata_paths_of(symbols) if isinstance(market, NarrowMetadata) else market.metadata_paths()
        bodies = []
        for path in paths:
            await public.turn()
            bodies.append(await public.get(path, METADATA_S_MAX))
        return bodies

    @staticmethod
    def _instruments(source: Source, bodies: Sequence[bytes], symbols: Sequence[str]) -> list[Instrument]:
        account = ACCOUNT if source.number == VENUE else NOBODY
        return source.market.read_instruments(bodies, symbols, account=account, venue=source.number)
