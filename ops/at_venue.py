"""The venue without an engine: what is open there, and its cancel, over signed REST requests with a key of one's own.

For commands with no engine alive, and for the sentinel. It can cancel and nothing else: no order is ever phrased here.
Requests are bounded: a look asks for each symbol once, cancels go CANCELS_AT_ONCE at a time, and the venue's limits are
kept as the engine keeps them (gateway/doors/budget.py).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from actors.orders.ids import cancel_id
from bus.clock import EngineClock
from bus.messages import (
    CancelOrder,
    ExecutionReport,
    Instrument,
    Outcome,
    QueryKind,
    RequestAnswered,
    VenueQuery,
)
from gateway.binance_spot.errors import SigningKeyError
from gateway.doors.http import Http, RestFailed
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from ops.assembly import ACCOUNT, VENUE
from ops.config import ConfigError
from ops.feeds import sources
from ops.preflight import StartFailed, check_clock, read_instruments
from ops.sections import Config
from ops.venues import LIMITS, account_rest, signer

CANCELS_AT_ONCE = 8
"""Chosen: as many questions as go at once."""
REQUEST_S = 11.0
"""Binance's slowest answer has 10 s (docs, -1007); the rest is the way."""


class Unseen(Exception):
    """What is open cannot be said: a look did not come to its end. The text says why."""


class Open(NamedTuple):
    """One order as the venue has it now; status: its own word."""

    instrument: int
    symbol: str
    client_order_id: str
    status: str
    venue_order_id: int = 0

    @classmethod
    def of(cls, report: ExecutionReport) -> Self:
        symbol, key = report.venue_symbol, report.client_order_id
        return cls(report.instrument, symbol, key, report.status, report.venue_order_id)


class AtVenue:
    """`async with` it: the clock is checked and the symbols are read on entering. Raises ConfigError, StartFailed.

    credentials: as `ops.config.credentials` gives them. symbols: besides the configured ones.
    """

    def __init__(self, config: Config, credentials: tuple[str, str, str], symbols: Sequence[str] = ()) -> None:
        try:
            self._signer = signer(*credentials)
        except SigningKeyError as error:
            raise ConfigError(f"the private key cannot be used: {error}") from None
        self._config, self._symbols = config, symbols
        self.clock, self._time = EngineClock(), VenueTime()
        source = sources(config)[VENUE]
        self._source = source._replace(symbols=tuple(dict.fromkeys((*source.symbols, *symbols))))
        costs = {VENUE: LIMITS[config.venue.kind]()}
        self._rest = RestDoor({VENUE: source.addresses.rest}, self.clock.now_ns, self._time, costs)
        self.instruments: dict[int, Instrument] = {}
        self._counter = 0
        self.looks = self.cancels = 0

    async def __aenter__(self) -> Self:
        await self._rest.open()
        try:
            self._time.take(await check_clock(self._rest, self.clock.now_ns, self._config.venue))
            rows = await read_instruments(self._rest, self._source)
        except BaseException:
            await self._rest.close()
            raise
        numbered = [msgspec.structs.replace(row, instrument=number) for number, row in enumerate(rows)]
        self.instruments = {row.instrument: row for row in numbered}
        self._account = account_rest(self._signer, self._config.venue, self.instruments)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._rest.close()

    async def ask_clock(self) -> None:
        """Again, for who stays: clocks drift. What cannot be asked now leaves the last answer in force."""
        with contextlib.suppress(StartFailed):
            self._time.take(await check_clock(self._rest, self.clock.now_ns, self._config.venue))

    @property
    def http(self) -> Http:
        return self._rest.http(VENUE)

    def number_of(self, symbol: str) -> int | None:
        return next((row.instrument for row in self.instruments.values() if row.venue_symbol == symbol), None)

    async def open_orders(self, numbers: Iterable[int] | None = None) -> list[Open]:
        """Everything open in these instruments (None: all), whoever's it is. Raises Unseen."""
        self.looks += 1
        wanted = list(self.instruments if numbers is None else numbers)
        found = await asyncio.gather(*(self._look(number) for number in wanted))
        return [Open.of(report) for reports in found for report in reports]

    async def _look(self, number: int) -> tuple[ExecutionReport, ...]:
        self._counter += 1
        asked_ns = self.clock.now_ns()
        query = VenueQuery("", self._counter, 0, 0, ACCOUNT, VENUE, QueryKind.OPEN_ORDERS, number)

        def phrase() -> str:
            return self._account.query_path(query, self._time.milliseconds(self.clock.now_ns()))

        symbol = self.instruments[number].venue_symbol
        try:
            status, body = await self.http.get(phrase, REQUEST_S, self._account.headers())
        except RestFailed as error:
            raise Unseen(f"open orders of {symbol}: {error.reason}") from error
        answer = self._account.read_query(query, status, body, asked_ns, self.clock.now_ns())
        if answer.outcome is not Outcome.RESULT or not answer.complete:
            raise Unseen(f"open orders of {symbol}: {answer.reason or 'not all were told'}")
        return answer.reports

    async def cancel(self, orders: Iterable[Open], go_on: Callable[[], bool] = lambda: True) -> list[str]:
        """Ask for the end of each; what became of it a look says. Returns what went wrong, a line an order.

        go_on: asked before each request leaves.
        """
        places = asyncio.Semaphore(CANCELS_AT_ONCE)

        async def one(order: Open) -> str:
            async with places:
                return await self._cancel(order) if go_on() else ""

        told = await asyncio.gather(*(one(order) for order in orders))
        return [text for text in told if text]

    async def _cancel(self, order: Open) -> str:
        """By the venue's own number where it is known: a foreign id may be longer than ours."""
        key, number = order.client_order_id, order.venue_order_id
        known = number > 0
        own_id = cancel_id(f"sweep{number}" if known else key, 1)
        request = CancelOrder(ACCOUNT, VENUE, order.instrument, key, own_id, number, 1, 0, known)
        milliseconds = self._time.milliseconds(self.clock.now_ns())
        method, path = self._account.cancel_request(request, milliseconds)
        budget = self.http.budget
        if not budget.cancel(self.clock.now_ns()):
            return f"{order.symbol} {key}: the venue's limit is used up"
        self.cancels += 1
        try:
            told = await self.http.send(method, lambda: path, REQUEST_S, self._account.headers(), lambda: None)
        except RestFailed as error:
            return f"{order.symbol} {key}: {error.reason}"
        answer: RequestAnswered = self._account.read_order(request, told.status, told.body, self.clock.now_ns())
        limited = budget.costs.limited(told.status, told.body) if budget.costs is not None else None
        if limited is not None:
            until_ns = self.clock.now_ns() + int(told.retry_s * 1e9) if told.retry_s >= 0 else 0
            budget.hold(self.clock.now_ns(), until_ns, banned=limited.banned, orders=limited.orders)
        return "" if answer.outcome is Outcome.RESULT else f"{order.symbol} {key}: {answer.reason}"
