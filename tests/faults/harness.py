"""The real engine against the real venue, both in this process and on one loop, with sockets of loopback between them.

`trading` starts both and lets the engine quote; a test then makes the venue fail over its control door and waits for
what must come of it; `Play.end` stops the engine and says what is wrong when both sides are compared.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from actors.orders.ids import recognize
from bus.codec import decode_any
from bus.log import LogError, read
from bus.messages import (
    HEADER_SIZE,
    Alert,
    BookState,
    BookStateChanged,
    Fill,
    Message,
    OrderStatus,
    OrderUpdate,
    SubmitOrder,
    TradingState,
    TradingStateChanged,
)
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings
from ops.config import decimal_units, parse
from ops.engine import Engine
from ops.sections import Config
from ops.standby import make_coordinator
from ops.state import StateDirectory
from tests.faults.ear import Ear
from tests.faults.hurry import BOUND_NS, in_a_hurry

WAIT_S = 60.0
"""How long a test waits for what must happen; nothing is asserted about how soon it does, and a slow machine is no failure."""
STOP_S = 30.0
"""A stop ends as soon as nothing is unresolved. An order that a cut connection lost takes its deadline, the processing bound (see `hurry`) and two answers to be given up."""
POLL_S = 0.01
TOPS_DIFFER = "a rebuilt top differs from the venue's"
"""What is wrong of a book of which wrong prices were told."""
PREFIX = "tl"

ABSENT = (OrderStatus.REJECTED, OrderStatus.NEVER_SENT)
UNKNOWN = frozenset((OrderStatus.UNKNOWN_NEW, OrderStatus.UNKNOWN_CANCEL, OrderStatus.SUSPECT))

CONFIG = """
[venue]
kind = "binance-spot"
rest = "{rest}"
streams = "{streams}"
websocket_api = "{websocket_api}"
recv_window_ms = 1000

[[instrument]]
symbol = "BTCUSDT"
order_max = "1"
position_max = "0.05"
position_min = "-0.05"

[strategy]
use = "tests.faults.restless:Restless"

[strategy.parameters]
quantity_lots = 200
position_lots_max = 2000

[orders]
reconcile_interval_ms = 1000

[persistence]
input_log = false
checkpoint_interval_ms = 500

[risk]
order_rate_max = 90
daily_loss_max = "100000"
feed_steps_ms = []
acknowledgement_steps_ms = []
loop_steps_ms = []

[stop]
deadline_s = 60
"""
"""Small orders at both touches; a look at the venue's orders every second, so that a test need not wait for it. What a slow
machine would do to the limits is no part of these."""

SELDOM = CONFIG.replace("reconcile_interval_ms = 1000", "reconcile_interval_ms = 30000")
"""The same with looks as seldom as they are by default."""
TAKING = CONFIG.replace("tests.faults.restless:Restless", "ops.chaos.prowler:Prowler").replace(
    "[orders]", "reach_ticks = 50\nphase_ms = 400\n\n[orders]"
)
"""The same with orders that trade at once: a buyer for 400 ms, then a seller."""
VENUE_SETTINGS = VenueSettings(symbols=("BTCUSDT",), control=True, seed=11)


class Play:
    """One run. Everything the venue says of it comes from its control door: the truth, whatever the faults showed us."""

    def __init__(self, endpoints: Endpoints, folder: Path, session: aiohttp.ClientSession, config: str) -> None:
        self.endpoints, self.folder, self._session = endpoints, folder, session
        urls = {name: getattr(endpoints, name) for name in ("rest", "streams", "websocket_api")}
        self.config: Config = parse(config.format(**urls))
        self.engine: Engine
        self.ear: Ear
        self.stopped = asyncio.Event()
        self.hurry = True

    # -- the venue ------------------------------------------------------------------------------------------------

    async def ask(self, path: str, **params: str) -> Any:
        async with self._session.get(f"{self.endpoints.rest}{path}", params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def control(self, verb: str, **params: str) -> Any:
        """POST /control/VERB."""
        async with self._session.post(f"{self.endpoints.rest}/control/{verb}", params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def fault(self, kind: str, **keys: Any) -> None:
        """Set it from now on, as `[[fault]]` in a file."""
        assert not (self.hurry and keys.get("lag_ms", 0) * 1_000_000 >= BOUND_NS), "not for an engine in a hurry"
        body = {"fault": [{"kind": kind, **keys}]}
        async with self._session.post(f"{self.endpoints.rest}/control/faults", json=body) as response:
            assert response.status == 200, await response.text()

    async def clear(self) -> None:
        """No fault is set any more."""
        url = f"{self.endpoints.rest}/control/faults"
        async with self._session.delete(url, params={"all": "true"}) as response:
            assert response.status == 200, await response.text()

    async def hits(self, kind: str) -> list[dict[str, Any]]:
        """What the venue noted of its own faults of that kind."""
        return [row for row in await self.rows("fault-log") if row["kind"] == kind]

    async def hit(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until it has failed us so often; those rows."""
        due = asyncio.get_running_loop().time() + WAIT_S
        while len(rows := await self.hits(kind)) < count:
            self._not_past(due, kind)
            await asyncio.sleep(POLL_S)
        return rows

    async def hit_orders(self, kind: str) -> list[str]:
        """Client order ids of the orders that it was about so far, each once, in order. (A cancel has an id of its own.)"""
        known = [recognize(PREFIX, row["client_order_id"]) for row in await self.hits(kind)]
        return list(dict.fromkeys(one.root for one in known if one is not None))

    async def was_sent_once(self) -> bool:
        """No id reached the venue twice, and nothing did that was not in our journal."""
        ids = [row["client_order_id"] for row in await self.placed()]
        return len(ids) == len(set(ids)) and {m.client_order_id for m in self.journal(SubmitOrder)}.issuperset(ids)

    async def rows(self, log: str) -> list[dict[str, Any]]:
        """The whole of /control/LOG."""
        page = await self.ask(f"/control/{log}", limit="10000")
        assert page["first"] == 0, f"rows of {log} were dropped"
        rows: list[dict[str, Any]] = page["rows"]
        return rows

    async def placed(self) -> list[dict[str, Any]]:
        return [row for row in await self.rows("requests") if row["kind"] == "place"]

    async def our_trades(self) -> list[dict[str, Any]]:
        rows = await self.rows("trades")
        return [row for row in rows if "client" in (row["maker_account"], row["taker_account"])]

    async def fill_unseen(self) -> int:
        """The crowd trades with us until the venue has one more trade of ours. Returns how many it has in all."""
        known = len(await self.our_trades())
        due = asyncio.get_running_loop().time() + WAIT_S
        while True:
            await self.sweep()
            if (made := len(await self.our_trades())) > known:
                return made
            self._not_past(due, "the crowd reaches our orders")
            await asyncio.sleep(POLL_S)

    async def sweep(self, quantity: str = "0.5") -> None:
        """The crowd buys and sells that much at market, so that what rests at the touch is filled."""
        for side in ("BUY", "SELL"):
            await self.control("market", symbol="BTCUSDT", side=side, quantity=quantity)

    # -- the engine -----------------------------------------------------------------------------------------------

    def journal(self, *kinds: type[Message]) -> list[Any]:
        """Facts of these types, in order, beside the live writer."""
        with contextlib.suppress(LogError):
            rows = read(self.engine.state.journal)
            return [m for row in rows if isinstance(m := decode_any(row.body[HEADER_SIZE:]), kinds)]
        return []

    @property
    def orders(self) -> dict[str, Any]:
        return self.engine.views()["orders"]

    def count(self, name: str) -> int:
        """A counter of the orders actor."""
        return int(self.orders["counts"].get(name, 0))

    def alerts(self, after: int = 0) -> list[str]:
        return [alert.event for alert in self.ear.all(Alert, after)]

    def books(self, after: int = 0) -> list[BookState]:
        """What the book went through since that mark."""
        return [change.state for change in self.ear.all(BookStateChanged, after)]

    def believed(self, after: int) -> bool:
        """Was the book LIVE all the time since that mark? (A process that the machine held up drops its feed by itself.)"""
        return self.books(after) == [] or self.engine.standstill.count > 0

    def trading(self, after: int = 0) -> list[TradingState]:
        """What the whole engine's trading state went through since that mark."""
        changes = self.ear.all(TradingStateChanged, after)
        return [change.state for change in changes if change.scope == "engine"]

    @property
    def is_trading(self) -> bool:
        supervisor = self.engine.supervisor
        live = [book.state is BookState.LIVE for book in supervisor.books.values()]
        return supervisor.trading["engine"] is TradingState.ACTIVE and live != [] and all(live)

    def mark(self) -> int:
        """Where what was said stands now."""
        return len(self.ear.heard)

    @property
    def sent(self) -> int:
        return self.engine.order_door.orders_sent

    def histories(self) -> dict[str, list[OrderStatus]]:
        """Client order id -> what the order went through."""
        found: dict[str, list[OrderStatus]] = {}
        for update in self.journal(OrderUpdate):
            found.setdefault(update.client_order_id, []).append(update.status)
        return found

    # -- waiting --------------------------------------------------------------------------------------------------

    async def until(self, held: Callable[[], Any], what: str) -> Any:
        """Poll until it is true; its value."""
        due = asyncio.get_running_loop().time() + WAIT_S
        while not (value := held()):
            if self.engine.failure.done():
                raise RuntimeError(f"waiting for {what}: {self.engine.failure.result()}")
            self._not_past(due, what)
            await asyncio.sleep(POLL_S)
        return value

    def _not_past(self, due: float, what: str) -> None:
        """Raise TimeoutError: not what a row that is expected to fail is about, which fails by an assertion of its own."""
        if asyncio.get_running_loop().time() >= due:
            raise TimeoutError(f"waited {WAIT_S:.0f} s in vain: {what}")

    async def until_active(self, mark: int) -> None:
        """Wait until the engine, which was not ACTIVE at some time since that mark, is so again."""
        await self.until(lambda: self.trading(mark)[-1:] == [TradingState.ACTIVE], "it is ACTIVE again")

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def more_orders(self, count: int = 4) -> None:
        """It trades, and goes on doing so."""
        await self.until(lambda: self.is_trading, "the engine trades")
        known = self.sent
        await self.until(lambda: self.sent >= known + count, f"{count} more orders")

    async def fills(self, count: int = 1) -> None:
        """The crowd trades with us until we have booked that many more."""
        known = self.orders["fills"]

        def booked() -> bool:
            return bool(self.orders["fills"] >= known + count)

        due = asyncio.get_running_loop().time() + WAIT_S
        while True:
            await self.sweep()
            for _ in range(10):
                if booked():
                    return
                await asyncio.sleep(POLL_S)
            self._not_past(due, f"{count} fills are booked")

    # -- the end --------------------------------------------------------------------------------------------------

    async def stop(self) -> int:
        return await self.engine.stop("the test is over", STOP_S)

    async def end(self) -> list[str]:
        """Stop, and compare both sides. Empty: nothing was lost, doubled or left, and the ledgers are equal."""
        unresolved = await self.stop()
        ledger, trades, placed = await self.ask("/control/ledger"), await self.our_trades(), await self.placed()
        fills, submits = self.journal(Fill), [m.client_order_id for m in self.journal(SubmitOrder)]
        theirs = sorted((trade["symbol"], trade["trade_id"]) for trade in trades)
        symbols = {row.instrument: row.venue_symbol for row in self.engine.traded.values()}
        ours = sorted((symbols[fill.instrument], fill.trade_id) for fill in fills)
        accepted = [row["client_order_id"] for row in placed if row["order_id"]]
        known = {row["client_order_id"]: row["status"] for row in await self.rows("orders")}
        given_up = [one for one, history in self.histories().items() if history[-1] in ABSENT and one in known]
        books = self.engine.views()["orderbook"]["books"].values()
        truth = venue_ledger(ledger)
        rules = [
            (unresolved == 0, f"{unresolved} orders unresolved after the stop"),
            (not self.engine.failure.done() and not self.engine.supervisor.failures, "an actor failed"),
            (ledger["open_orders"] == [], f"{len(ledger['open_orders'])} orders still work at the venue"),
            (ledger["adds_up"], "the venue's own ledger does not add up"),
            (self.our_ledger() == truth, f"{self.our_ledger()} is not {truth}"),
            (ours == theirs, f"{len(ours)} fills are booked, {len(theirs)} were made"),
            (len(set(accepted)) == len(accepted), "an order was accepted twice under one id"),
            (given_up == [], f"{len(given_up)} orders were given up and live at the venue"),
            (known.keys() <= set(submits), "the venue has an order that the journal has not"),
            (len(set(submits)) == len(submits), "a client order id was used twice"),
            (
                all(recognize(PREFIX, row["client_order_id"]) for row in placed),
                "an order with an id that is none of ours",
            ),
            (all(book["top_mismatches"] == 0 for book in books), TOPS_DIFFER),
        ]
        return [text for held, text in rules if not held]

    def our_ledger(self) -> dict[str, int]:
        """Asset -> what we think is ours, in 10^-8; nothing of what there is none of."""
        return {asset: units for asset, units in self.engine.views()["portfolio"]["ledger"].items() if units}


def venue_ledger(ledger: dict[str, Any]) -> dict[str, int]:
    """The same in the venue's words."""
    rows = ledger["accounts"]["client"].items()
    totals = {
        asset: decimal_units(row["free"], 8, asset) + decimal_units(row["locked"], 8, asset) for asset, row in rows
    }
    return {asset: units for asset, units in totals.items() if units}


@contextmanager
def credentials(endpoints: Endpoints) -> Iterator[None]:
    """In the environment, as `touchline run` finds them."""
    names = {"TOUCHLINE_API_KEY": endpoints.api_key, "TOUCHLINE_API_SECRET": endpoints.api_secret}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@asynccontextmanager
async def playing(folder: Path, *, config: str = CONFIG, venue: VenueSettings = VENUE_SETTINGS) -> AsyncIterator[Play]:
    """A venue that runs and an engine that does not, yet; see `life`."""
    server = SimulatedVenue(venue)
    endpoints = await server.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            with credentials(endpoints):
                yield Play(endpoints, folder, session, config)
    finally:
        await server.stop()


@asynccontextmanager
async def life(play: Play, *, hurry: bool = True) -> AsyncIterator[None]:
    """One life of the engine on the play's state directory, from a start that recovers to whatever end the test makes.

    hurry: see `tests.faults.hurry`; not for a venue whose answers lag by more than that.
    """
    state = StateDirectory(play.folder / "state")
    coordinator = make_coordinator(play.config.coordination, state.path)
    try:
        await coordinator.open()
        play.engine = Engine(play.config, state, coordinator)
        play.ear = Ear(play.engine)
        play.hurry = hurry
        try:
            with in_a_hurry() if hurry else contextlib.nullcontext():
                assert await play.engine.start(play.stopped)
            yield
        finally:
            await play.engine.close()
    finally:
        await coordinator.close()
        state.close()


@asynccontextmanager
async def trading(
    folder: Path, *, config: str = CONFIG, venue: VenueSettings = VENUE_SETTINGS, hurry: bool = True
) -> AsyncIterator[Play]:
    """Both of them, and a few orders sent."""
    async with playing(folder, config=config, venue=venue) as play, life(play, hurry=hurry):
        await play.more_orders(2)
        yield play
