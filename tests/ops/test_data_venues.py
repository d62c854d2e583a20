"""`touchline run` with a [[feed]] row, as a process: what is looked at is shown, and never in the way of what is traded."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.simulated.wire.kraken import KrakenWire
from tests.conformance.rows import ROWS
from tests.ops.command_line import Running, Venue, touchline
from tests.support.hosts import DATA, TRADE, Hosts
from tests.support.live_books import TrueVenue
from tests.support.scripted import ScriptedVenue, page, scripted

KRAKEN = next(row for row in ROWS if row.name == "kraken-10")
PAIR = {"wsname": "XBT/USD", "pair_decimals": 2, "lot_decimals": 5, "tick_size": "0.01", "ordermin": "0.0001"}
PAIRS = json.dumps({"error": [], "result": {"XXBTZUSD": PAIR}}).encode()


@asynccontextmanager
async def kraken() -> AsyncIterator[tuple[TrueVenue, ScriptedVenue]]:
    told = TrueVenue(KRAKEN)
    assert isinstance(told.shared, KrakenWire)
    async with scripted(told.play, {"/0/public/AssetPairs": page(PAIRS)}) as server:
        ticking = asyncio.ensure_future(told.tick())
        try:
            yield told, server
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking


def row_of(rest: str, streams: str, symbol: str = "BTC/USD") -> str:
    return f'[[feed]]\nvenue = "kraken"\nsymbols = ["{symbol}"]\nlevels = 10\nrest = "{rest}"\nstreams = "{streams}"\n'


def config(venue: Venue, rest: str, streams: str, symbol: str = "BTC/USD") -> str:
    return venue.config(("[strategy.parameters]", f"{row_of(rest, streams, symbol)}\n[strategy.parameters]"))


async def test_it_is_shown_beside_what_is_traded_and_its_loss_stops_nothing(venue: Venue, tmp_path: Path) -> None:
    """Two runs: with the data venue; and with one that hangs up for good while the engine trades."""
    path, state = tmp_path / "config.toml", tmp_path / "state"
    async with kraken() as (_, server):
        path.write_text(config(venue, server.rest, server.streams))
        engine = Running("run", str(path), "--state", str(state), "--json", **venue.keys)
        await asyncio.to_thread(
            engine.read_until, "instrument=kraken:BTC/USD state=LIVE", "instrument=BTCUSDT state=LIVE", "state=ACTIVE"
        )
    # The venue is gone, and so is its port.
    await asyncio.to_thread(engine.read_until, "instrument=kraken:BTC/USD state=INVALID reason=CONNECTION_LOST")
    await asyncio.sleep(0.5)
    engine.process.send_signal(signal.SIGTERM)
    done = await asyncio.to_thread(engine.end)
    assert done.code == 0, done.err
    assert "stopped unresolved=0" in done.err
    assert "kraken-v2, connection 1000, attempt " in done.err
    report = json.loads(done.out)
    assert list(report["positions"]) == ["BTCUSDT"]
    rows = {row["connection"]: row for row in report["connections"]}
    assert (rows[0]["venue"], rows[0]["open"], rows[0]["generation"]) == ("binance-spot", 1, 1)
    assert (rows[1_000]["venue"], rows[1_000]["open"], rows[1_000]["symbols"]) == ("kraken-v2", 0, 1)
    assert rows[1_000]["frames"] > 3
    assert report["health"]["connections_down"] == 1
    assert report["health"]["actor_failures"] == 0
    numbers = {
        (row["venue"], row["venue_symbol"]): row["number"]
        for row in json.loads((state / "instruments.json").read_text())
    }
    assert numbers == {("binance-spot", "BTCUSDT"): 0, ("kraken", "BTC/USD"): 1}


async def test_a_data_venue_that_cannot_be_reached_at_the_start_is_told(venue: Venue, tmp_path: Path) -> None:
    async with kraken() as (_, server):
        nobody = server.rest
    path = tmp_path / "config.toml"
    path.write_text(config(venue, nobody, nobody.replace("http", "ws")))
    done = await asyncio.to_thread(touchline, "run", str(path), "--state", str(tmp_path / "state"), **venue.keys)
    done.refused("[[feed]] kraken rest: AssetPairs", nobody, "check the URL and the network")


async def test_a_symbol_that_a_data_venue_does_not_list_is_told_with_a_near_one(venue: Venue, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with kraken() as (_, server):
        path.write_text(config(venue, server.rest, server.streams, "BTC/USX"))
        done = await asyncio.to_thread(touchline, "run", str(path), "--state", str(tmp_path / "state"), **venue.keys)
        done.refused("[[feed]] kraken symbols: symbol BTC/USX is not listed", "did you mean BTC/USD?")


def test_check_shows_what_is_looked_at(venue: Venue, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config(venue, "http://a.test", "ws://a.test"))
    assert "looks at kraken: BTC/USD" in touchline("check", str(path)).out
    assert json.loads(touchline("check", str(path), "--json").out)["feeds"] == {"kraken": ["BTC/USD"]}


async def test_of_two_hosts_the_one_with_the_books_looks_at_it(tmp_path: Path) -> None:
    placed = {"data": (DATA, "ipc://data.ipc"), "trade": (("strategy", *TRADE), "ipc://trade.ipc")}
    async with kraken() as (_, server):
        with await asyncio.to_thread(Hosts, tmp_path, placed) as hosts:
            file = tmp_path / "config.toml"
            file.write_text(file.read_text() + "\n" + row_of(server.rest, server.streams))
            for name in placed:
                hosts[name].start()
            await asyncio.to_thread(hosts["data"].wait_for, "instrument=kraken:BTC/USD state=LIVE")
            await asyncio.to_thread(
                hosts["trade"].wait_for, "instrument=kraken:BTC/USD state=LIVE"
            )  # its strategy's too
            await asyncio.to_thread(hosts.until_trading)
            trade = await asyncio.to_thread(hosts["trade"].stop)
            data = await asyncio.to_thread(hosts["data"].stop)
    assert [row["connection"] for row in data["connections"]] == [0, 1_000]
    assert (trade["connections"], trade["unresolved_orders"]) == ([], 0)
    assert data["books"] == {"BTCUSDT": "LIVE", "kraken:BTC/USD": "LIVE"}
