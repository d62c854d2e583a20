"""The dead man's switch against a venue that answers, and one that does not. Its firing for real is in tests/faults."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.binance_spot.signing import HmacSigner
from gateway.binance_usdm.account import Paths
from gateway.binance_usdm.limits import BinanceUsdmLimits
from gateway.doors.budget import Budget
from gateway.doors.dead_man import DeadMan
from gateway.doors.http import Http
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings

SPAN_MS = 1_200
WAIT_S = 60.0


class Desk:
    def __init__(self, http: Http, api_key: str, secret: str) -> None:
        paths = Paths(HmacSigner(api_key, secret), 60_000)
        self.heard: list[str] = []
        self.door = DeadMan(
            http,
            lambda symbol, milliseconds: paths.countdown(symbol, milliseconds, time.time_ns() // 1_000_000),
            lambda: {"X-MBX-APIKEY": api_key},
            SPAN_MS,
            10,
            time.monotonic_ns,
        )
        self.door.on_trouble = self.heard.append
        self.door.on_fired = lambda symbol: self.heard.append(f"fired {symbol}")

    async def until(self, held: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not held():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(address: str, told: Endpoints | None, budget: Budget | None = None) -> AsyncIterator[Desk]:
    http = Http(address, time.monotonic_ns, budget)
    await http.open()
    one = Desk(http, told.api_key if told else "key", told.api_secret if told else "secret")
    running = asyncio.create_task(one.door.run(lambda: ["BTCUSDT", "ETHUSDT"]))
    try:
        yield one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await http.close()


@asynccontextmanager
async def venue() -> AsyncIterator[Endpoints]:
    server = SimulatedVenue(VenueSettings(futures_port=0))
    try:
        yield await server.start()
    finally:
        await server.stop()


async def test_every_symbol_is_armed_until_it_is_disarmed_and_never_after() -> None:
    async with venue() as told, desk(told.futures_rest, told) as one:
        await one.until(lambda: one.door.calls >= 6)
        await one.door.disarm()
        calls = one.door.calls
        await asyncio.sleep(SPAN_MS / 1e3)
        assert (one.heard, one.door.failures, one.door.fired) == ([], 0, 0)
        assert one.door.calls == calls


async def test_a_venue_that_cannot_be_reached_is_said_and_what_was_armed_has_fired() -> None:
    """Once a symbol, and again only after it was armed anew."""
    async with venue() as told:
        async with desk(told.futures_rest, told) as one:
            await one.until(lambda: one.door.calls >= 2)
            one.door._headers = lambda: {}
            await one.until(lambda: one.door.fired == 2)
            await one.until(lambda: one.door.failures >= 4)
        assert [line for line in one.heard if line.startswith("fired")] == ["fired BTCUSDT", "fired ETHUSDT"]
        assert any("was not armed: status 4" in line for line in one.heard)
        assert not any(told.api_secret in line or told.api_key in line for line in one.heard)


async def test_nothing_is_sent_while_the_host_stands_still() -> None:
    async with venue() as told, desk(told.futures_rest, told) as one:
        await one.until(lambda: one.door.calls >= 2)
        one.door.alive = lambda: False
        await one.until(lambda: any(line.startswith("not armed") for line in one.heard))
        calls = one.door.calls
        await one.until(lambda: one.door.fired == 2)
        assert one.door.calls == calls


async def test_a_rate_limit_that_is_used_up_is_no_reason_to_go_beyond_it() -> None:
    budget = Budget(BinanceUsdmLimits())
    budget.spend(time.monotonic_ns(), 2_400)
    async with venue() as told, desk(told.futures_rest, told, budget) as one:
        await one.until(lambda: one.door.failures >= 2)
        assert one.door.calls == 0
        assert "no room in the venue's rate limit" in one.heard[0]
