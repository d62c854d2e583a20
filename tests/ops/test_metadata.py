"""Metadata read again from a venue on a real port: what becomes an input, and what is only a warning."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from bus.messages import Instrument
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from gateway.kraken.market import Kraken
from gateway.market import Addresses, VenueMarket
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.payload import encode
from gateway.simulated.spot.market_payloads import exchange_info
from ops import public
from ops.assembly import ACCOUNT, VENUE
from ops.feeds import Source
from ops.metadata import Metadata
from ops.public import Public
from ops.registry import register
from ops.venues import MARKETS
from ops.versions import Versions
from tests.support.scripted import ScriptedVenue, scripted

SYMBOLS = ("BTCUSDT", "ETHUSDT")
INFO = "/api/v3/exchangeInfo"


class Listing:
    """What the venue says when it is asked."""

    def __init__(self) -> None:
        self.rules = {symbol: rules_of(symbol) for symbol in SYMBOLS}
        self.status, self.garbage = 200, b""

    def change(self, symbol: str, **fields: object) -> None:
        self.rules[symbol] = msgspec.structs.replace(self.rules[symbol], **fields)

    async def answer(self, request: web.Request) -> web.Response:
        """As the venue: a symbol that it does not have refuses the whole question."""
        if self.status != 200 or self.garbage:
            return web.Response(status=self.status, body=self.garbage)
        names = msgspec.json.decode(request.query["symbols"], type=list[str])
        if any(name not in self.rules for name in names):
            return web.Response(status=400, body=b'{"code":-1121,"msg":"Invalid symbol."}')
        return web.Response(body=encode(exchange_info([self.rules[name] for name in names], 0)))


def rules_of(symbol: str) -> SymbolRules:
    found = profile(symbol)
    assert found is not None
    return found.rules


class Reader:
    """Metadata with everything around it that is not the venue."""

    def __init__(self, venue: ScriptedVenue, folder: Path, market: VenueMarket, interval_s: float) -> None:
        self.rest = RestDoor({0: venue.rest}, lambda: 0, VenueTime())
        self.source = Source(0, "binance-spot", market, Addresses(venue.rest, ""), SYMBOLS, 1_000)
        self.posted: list[Instrument] = []
        self.waiting = self.working = 0
        self.coarse = asyncio.Event()
        path = folder / "instruments.json"
        body = encode(exchange_info([rules_of(symbol) for symbol in SYMBOLS], 0))
        rows = market.read_instruments([body], SYMBOLS, account=ACCOUNT, venue=VENUE)
        known = {row.instrument: row for row in register(path, "binance-spot", rows)}
        self.metadata = Metadata(
            [Public(self.rest, self.source)],
            Versions(known, lambda row: ""),
            path,
            interval_s,
            self.posted.append,
            lambda: self.waiting,
            lambda number: self.working,
            self.coarse,
        )

    def told(self) -> list[tuple[str, int, bool]]:
        return [(row.venue_symbol, row.version, row.trading) for row in self.posted]


@asynccontextmanager
async def reading(
    folder: Path, listing: Listing, interval_s: float = 600.0
) -> AsyncIterator[tuple[Reader, ScriptedVenue]]:
    async with scripted(pages={INFO: listing.answer}) as venue:
        reader = Reader(venue, folder, MARKETS["binance-spot"](), interval_s)
        await reader.rest.open()
        try:
            yield reader, venue
        finally:
            await reader.rest.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "SPACING_S", 0.001)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_changed_limit_is_one_input_and_lasts_in_the_registry(tmp_path: Path) -> None:
    listing = Listing()
    async with reading(tmp_path, listing) as (reader, venue):
        await reader.metadata.read_all()
        assert reader.posted == []
        listing.change("BTCUSDT", notional_min=7 * 10**8)
        await reader.metadata.read_all()
        await reader.metadata.read_all()
        assert reader.told() == [("BTCUSDT", 2, True)]
        assert reader.posted[0].min_notional == 7 * 10**8
        assert '"version": 2' in (tmp_path / "instruments.json").read_text()
        assert [request.query["symbols"] for request in venue.asked] == ['["BTCUSDT","ETHUSDT"]'] * 3


async def test_a_symbol_that_is_gone_or_halted_stops_and_the_other_one_is_still_read(tmp_path: Path) -> None:
    listing = Listing()
    async with reading(tmp_path, listing) as (reader, _):
        del listing.rules["BTCUSDT"]
        listing.change("ETHUSDT", orders_max=5)
        await reader.metadata.read_all()
        listing.change("ETHUSDT", status="BREAK")
        await reader.metadata.read_all()
        assert reader.told() == [("BTCUSDT", 2, False), ("ETHUSDT", 2, True), ("ETHUSDT", 3, False)]
        listing.rules["BTCUSDT"] = rules_of("BTCUSDT")
        listing.change("ETHUSDT", status="TRADING")
        await reader.metadata.read_all()
        assert reader.told()[3:] == [("BTCUSDT", 3, True), ("ETHUSDT", 4, True)]


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (429, b"{}"), (200, b"<html>"), (400, b'{"code":-1003,"msg":"Too many"}'), (200, b'{"symbols":7}')],
)
async def test_what_cannot_be_read_is_a_warning_and_changes_nothing(
    status: int, body: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = Listing()
    async with reading(tmp_path, listing) as (reader, _):
        listing.status, listing.garbage = status, body or b" "
        await reader.metadata.read_all()
        await reader.metadata.read_all()
        assert (reader.posted, reader.metadata.failures) == ([], 2)
        assert [record.levelname for record in caplog.records] == ["WARNING"], "said once, while it lasts"


async def test_one_symbol_that_cannot_be_read_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = Listing()
    async with reading(tmp_path, listing) as (reader, _):
        listing.change("ETHUSDT", orders_max=5)
        listing.change("BTCUSDT", quantity_max=10**30)  # more than 64 bits hold
        await reader.metadata.read_all()
        assert reader.told() == [("ETHUSDT", 2, True)]
        assert "instrument_not_read" in caplog.text


async def test_a_registry_that_cannot_be_written_keeps_what_is_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listing = Listing()
    async with reading(tmp_path, listing) as (reader, _):
        whole = (tmp_path / "instruments.json").read_bytes()
        (tmp_path / "instruments.json").write_bytes(b"[")
        listing.change("BTCUSDT", orders_max=5)
        await reader.metadata.read_all()
        assert reader.posted == []
        assert "CRITICAL" in caplog.text
        (tmp_path / "instruments.json").write_bytes(whole)
        await reader.metadata.read_all()
        assert reader.told() == [("BTCUSDT", 2, True)]


async def test_it_is_read_every_interval_and_a_grid_waits_for_our_orders(tmp_path: Path) -> None:
    listing = Listing()
    async with reading(tmp_path, listing, interval_s=0.05) as (reader, _):
        reader.working = 1
        task = asyncio.create_task(reader.metadata.run())
        listing.change("BTCUSDT", tick_size=10**7, price_min=10**7)
        await until(lambda: reader.told() == [("BTCUSDT", 2, False)])
        read = reader.metadata.readings
        await until(lambda: reader.metadata.readings > read + 1)
        assert len(reader.posted) == 1
        reader.working, reader.waiting = 0, 1
        await asyncio.sleep(0.25)
        assert len(reader.posted) == 1, "a report of ours may still be among the inputs that wait"
        reader.waiting = 0
        await until(lambda: reader.told() == [("BTCUSDT", 2, False), ("BTCUSDT", 3, True)])
        assert reader.posted[1].tick == 10**7
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_scales_found_too_coarse_are_looked_up_before_the_interval_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.metadata.SOON_S", 0.05)
    async with reading(tmp_path, Listing()) as (reader, venue):
        task = asyncio.create_task(reader.metadata.run())
        await asyncio.sleep(0.1)
        assert venue.asked == []
        reader.coarse.set()
        await until(lambda: reader.metadata.readings == 1)
        assert not reader.coarse.is_set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_venue_that_has_no_narrow_question_is_asked_for_its_list(tmp_path: Path) -> None:
    """Kraken's own answer, of one pair that stopped."""
    pair = {
        "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "cost_decimals": 5, "ordermin": "0.00005",
        "costmin": "0.5", "tick_size": "0.1", "status": "online", "base": "XXBT", "quote": "ZUSD", "altname": "XBTUSD",
    }  # fmt: skip

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"error": [], "result": {"XXBTZUSD": pair}})

    async with scripted(pages={"/0/public/AssetPairs": answer}) as venue:
        rest = RestDoor({1: venue.rest}, lambda: 0, VenueTime())
        await rest.open()
        market = Kraken()
        source = Source(1, "kraken", market, Addresses(venue.rest, ""), ("BTC/USD",), 100)
        body = msgspec.json.encode({"error": [], "result": {"XXBTZUSD": pair}})
        [known] = register(tmp_path / "r.json", "kraken", market.read_instruments([body], ("BTC/USD",), -1, 1))
        posted: list[Instrument] = []
        versions = Versions({known.instrument: known}, lambda row: "")
        metadata = Metadata(
            [Public(rest, source)], versions, tmp_path / "r.json", 600.0, posted.append, lambda: 0, lambda n: 0, asyncio.Event()
        )  # fmt: skip
        await metadata.read_all()
        pair["status"], pair["pair_decimals"], pair["tick_size"] = "cancel_only", 2, "0.01"
        await metadata.read_all()
        await rest.close()
    [row] = posted
    assert (row.version, row.trading, row.price_scale) == (2, False, 2)
