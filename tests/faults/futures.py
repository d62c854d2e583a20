"""The same as `harness`, on the venue's USD-M futures face: a real engine, a real venue, sockets of loopback between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from actors.orders.ids import recognize
from bus.messages import Fill, SubmitOrder
from gateway.binance_spot.signing import HmacSigner, signed_query
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings
from ops.config import decimal_units, parse
from tests.faults import harness
from tests.faults.harness import PREFIX, Play, credentials

FACE = "usdm"
CONFIG = (
    harness.CONFIG.replace('kind = "binance-spot"', 'kind = "binance-usdm"\ndead_man_ms = 5000')
    .replace("quantity_lots = 200", "quantity_lots = 2")
    .replace("position_lots_max = 2000", "position_lots_max = 20")
)
"""Lots are a hundred times as large as Spot's."""
SETTINGS = VenueSettings(symbols=("BTCUSDT",), control=True, seed=11, futures_port=0)
FACED = ("ledger", "market", "deposit", "pause-flow", "resume-flow", "requests", "orders", "trades")


class FuturesPlay(Play):
    async def ask(self, path: str, **params: str) -> Any:
        if path.rpartition("/")[2] in FACED:
            params["face"] = FACE
        return await super().ask(path, **params)

    async def control(self, verb: str, **params: str) -> Any:
        if verb in FACED:
            params["face"] = FACE
        return await super().control(verb, **params)

    async def signed(self, method: str, path: str, **params: str) -> Any:
        """As another program of the account's owner."""
        signer = HmacSigner(self.endpoints.api_key, self.endpoints.api_secret)
        time = (await self._rest("GET", "/fapi/v1/time"))["serverTime"]
        query = signed_query(signer, [*params.items(), ("recvWindow", "60000"), ("timestamp", str(time))])
        return await self._rest(method, f"{path}?{query}")

    async def _rest(self, method: str, path: str) -> Any:
        headers = {"X-MBX-APIKEY": self.endpoints.api_key}
        async with self._session.request(method, f"{self.endpoints.futures_rest}{path}", headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def positions(self) -> dict[str, int]:
        """By symbol, in 10^-8, by the venue's own books."""
        rows = (await self.ask("/control/ledger"))["positions"]["client"]
        return {row["symbol"]: decimal_units(row["quantity"], 8, row["symbol"]) for row in rows}

    async def wrong(self) -> list[str]:
        """What differs between both sides, after a stop. Empty: nothing was lost, doubled or left."""
        ledger, trades, placed = await self.ask("/control/ledger"), await self.our_trades(), await self.placed()
        submits = [m.client_order_id for m in self.journal(SubmitOrder)]
        ours, theirs = self.our_ledger(), await self.truth()
        rules = [
            (not self.engine.failure.done() and not self.engine.supervisor.failures, "an actor failed"),
            (ledger["open_orders"] == [], f"{len(ledger['open_orders'])} orders still work at the venue"),
            (ledger["adds_up"], "the venue's own ledger does not add up"),
            (ours == theirs, f"{ours} is not {theirs}"),
            (len(self.journal(Fill)) == len(trades), f"{len(self.journal(Fill))} fills of {len(trades)} are booked"),
            (len(set(submits)) == len(submits), "a client order id was used twice"),
            (
                all(recognize(PREFIX, row["client_order_id"]) for row in placed),
                "an order with an id that is none of ours",
            ),
        ]
        return [text for held, text in rules if not held]

    async def truth(self) -> dict[str, int]:
        """Wallet and positions, as the engine's ledger names them; nothing of what there is none of."""
        wallet = (await self.ask("/control/ledger"))["accounts"]["client"]["USDT"]
        totals = {"USDT": decimal_units(wallet["free"], 8, "free"), **await self.positions()}
        return {asset: units for asset, units in totals.items() if units}

    async def end(self) -> list[str]:
        unresolved = await self.stop()
        return [*(["orders unresolved after the stop"] if unresolved else []), *await self.wrong()]


@asynccontextmanager
async def playing(folder: Path, *, config: str = CONFIG, venue: VenueSettings = SETTINGS) -> AsyncIterator[FuturesPlay]:
    """A venue that runs and an engine that does not, yet; see `harness.life`."""
    server = SimulatedVenue(venue)
    endpoints = await server.start()
    told = {name: getattr(endpoints, f"futures_{name}") for name in ("rest", "streams", "websocket_api")}
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            with credentials(endpoints):
                play = FuturesPlay(endpoints, folder, session, config)
                play.config = parse(config.format(**told))
                yield play
    finally:
        await server.stop()


@asynccontextmanager
async def trading(folder: Path, *, config: str = CONFIG, venue: VenueSettings = SETTINGS) -> AsyncIterator[FuturesPlay]:
    """Both of them, and a few orders sent."""
    async with playing(folder, config=config, venue=venue) as play, harness.life(play):
        await play.more_orders(2)
        yield play
