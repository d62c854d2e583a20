"""Replay over loopback: a generated capture in full detail, and the real one, fast, when it is there."""

import asyncio
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.flow_clock import AS_FAST_AS_POSSIBLE
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import SettingsError, VenueSettings

CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"
URL = "wss://stream.binance.com:9443/stream"
START_NS = 1_723_161_254_000_000_000
MS = 1_000_000


def frame(at_ms: int, stream: str, data: dict[str, Any]) -> list[Any]:
    return [START_NS + at_ms * MS, "recv", URL, json.dumps({"stream": f"ethusdt@{stream}", "data": data})]


def depth(at_ms: int, first: int, last: int, bids: list[Any], asks: list[Any]) -> list[Any]:
    data = {"e": "depthUpdate", "E": 1, "s": "ETHUSDT", "U": first, "u": last, "b": bids, "a": asks}
    return frame(at_ms, "depth@100ms", data)


def ticker(at_ms: int, update_id: int, bid: str, bid_size: str, ask: str, ask_size: str) -> list[Any]:
    data = {"u": update_id, "s": "ETHUSDT", "b": bid, "B": bid_size, "a": ask, "A": ask_size}
    return frame(at_ms, "bookTicker", data)


def trade(at_ms: int, number: int, price: str, quantity: str, buyer_is_maker: bool) -> list[Any]:
    data = {"e": "trade", "E": 1, "s": "ETHUSDT", "t": number, "p": price, "q": quantity, "T": 1, "m": buyer_is_maker}
    return frame(at_ms, "trade", data | {"M": True})


SNAPSHOT = {
    "lastUpdateId": 100,
    "bids": [["2683.80000000", "3.00000000"], ["2683.70000000", "1.00000000"]],
    "asks": [["2683.81000000", "2.00000000"], ["2683.90000000", "0.50000000"]],
}
LINES = [
    ticker(0, 98, "2683.80000000", "9.00000000", "2683.81000000", "2.00000000"),
    depth(10, 97, 99, [["2683.80000000", "3.00000000"]], []),
    [START_NS + 20 * MS, "rest", "/api/v3/depth?symbol=ETHUSDT&limit=1000", json.dumps(SNAPSHOT)],
    depth(400, 100, 101, [["2683.80000000", "2.00000000"]], []),
    ticker(410, 101, "2683.80000000", "2.00000000", "2683.81000000", "2.00000000"),
    frame(415, "kline_1m", {"e": "kline", "s": "ETHUSDT"}),
    trade(420, 7001, "2683.80000000", "1.50000000", True),
    trade(430, 7002, "2683.80000000", "1.00000000", True),
    depth(500, 102, 104, [["2683.80000000", "0.00000000"]], [["2683.79000000", "4.00000000"]]),
    ticker(510, 104, "2683.70000000", "1.00000000", "2683.79000000", "4.00000000"),
]


def write_capture(path: Path, lines: list[Any], venue: str = "binance-spot") -> Path:
    header = {"capture": 1, "venue": venue, "source": "made for a test"}
    with gzip.open(path, "wt") as file:
        for line in [header, *lines]:
            file.write(json.dumps(line) + "\n")
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_capture(tmp_path / "small.jsonl.gz", LINES)


async def test_frames_come_out_as_recorded(start_client: Any, capture: Path) -> None:
    client = await start_client(replay=capture, speed=1.0)
    socket = await client.streams("ethusdt@depth@100ms", "ethusdt@bookTicker", "ethusdt@trade")
    snapshot = (await client.get("/api/v3/depth", symbol="ETHUSDT"))[1]
    assert snapshot == SNAPSHOT
    frames = [(await socket.receive())["data"] for _ in range(6)]
    recorded = [json.loads(line[3])["data"] for line in LINES[3:] if "kline" not in line[3]]
    for got, expected in zip(frames, recorded, strict=True):
        times = {key: got[key] for key in ("E", "T") if key in got}
        assert all(abs(value - time.time() * 1_000) < 5_000 for value in times.values())
        assert got | dict.fromkeys(times, 1) == expected
    last = (await client.get("/api/v3/depth", symbol="ETHUSDT"))[1]
    assert last == {
        "lastUpdateId": 104,
        "bids": [["2683.70000000", "1.00000000"]],
        "asks": [
            ["2683.79000000", "4.00000000"],
            ["2683.81000000", "2.00000000"],
            ["2683.90000000", "0.50000000"],
        ],
    }


async def test_what_was_not_recorded_is_made_of_what_was(start_client: Any, tmp_path: Path) -> None:
    """Partial books of the diffs; candles and tickers of the trades; aggregates keep their recorded ids."""
    both = {"e": "aggTrade", "E": 1, "s": "ETHUSDT", "a": 31, "p": "2683.80000000", "q": "2.50000000"}
    both |= {"f": 7001, "l": 7002, "T": 1, "m": True, "M": True}
    capture = write_capture(tmp_path / "both.jsonl.gz", [*LINES, frame(520, "aggTrade", both)])
    client = await start_client(replay=capture, speed=1.0)
    socket = await client.streams("ethusdt@depth5@100ms", "ethusdt@aggTrade")
    frames = await socket.receive_until(lambda told: told["stream"].endswith("aggTrade"))
    books = [told["data"] for told in frames[:-1]]
    assert [book["lastUpdateId"] for book in books] == [101, 104]
    assert books[1] == (await client.get("/api/v3/depth", symbol="ETHUSDT", limit=5))[1]
    [row] = (await client.get("/api/v3/aggTrades", symbol="ETHUSDT"))[1]
    assert (row["a"], row["f"], row["l"], row["q"]) == (31, 7001, 7002, "2.50000000")
    [*_, candle] = (await client.get("/api/v3/klines", symbol="ETHUSDT", interval="1d"))[1]
    assert (candle[5], candle[8]) == ("2.50000000", 2), "single trades, once"
    day = (await client.get("/api/v3/ticker/24hr", symbol="ETHUSDT"))[1]
    assert (day["firstId"], day["lastId"], day["lastPrice"]) == (7001, 7002, "2683.80000000")


async def test_our_order_fills_in_its_turn_and_stays_out_of_the_public_book(start_client: Any, capture: Path) -> None:
    """Joins behind 3, capped to 2 by the diff; 1.5 and then 1.0 trade there: 0.5 is ours."""
    client = await start_client(replay=capture, speed=1.0)
    api = await client.api()
    await client.call(api, "userDataStream.subscribe.signature", **client.params())
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    order |= {"quantity": "2", "price": "2683.80"}
    placed = await client.call(api, "order.place", **client.params(**order))
    assert placed["result"]["status"] == "NEW"
    assert (await client.get("/api/v3/depth", symbol="ETHUSDT"))[1] == SNAPSHOT
    fills = await api.receive_until(lambda f: f.get("event", {}).get("x") == "TRADE")
    report = fills[-1]["event"]
    assert (report["l"], report["L"], report["m"], report["X"]) == (
        "0.50000000",
        "2683.80000000",
        True,
        "PARTIALLY_FILLED",
    )
    ledger = await client.control("ledger")
    assert (ledger["adds_up"], ledger["trades"]) == (True, 1)


async def test_rules_are_learned_from_the_texts(start_client: Any, capture: Path) -> None:
    client = await start_client(replay=capture)
    (symbol,) = (await client.get("/api/v3/exchangeInfo"))[1]["symbols"]
    filters = {f["filterType"]: f for f in symbol["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.10000000"
    balances = (await client.signed("GET", "/api/v3/account"))[1]["balances"]
    assert {b["asset"]: b["free"] for b in balances} == {"ETH": "100.00000000", "USDT": "1000000.00000000"}


async def test_the_book_stays_after_the_end(start_client: Any, capture: Path) -> None:
    """And it is said: the state tells it, and the flow cannot be set going again."""
    client = await start_client(replay=capture, speed=1_000.0)
    await asyncio.wait_for(client.venue.wait_ended(), 3.0)
    async with client.http.get(f"{client.endpoints.rest}/control/state") as response:
        spot = (await response.json())["faces"]["spot"]
    assert (spot["flowing"], spot["ended"]) == (False, True)
    assert (await client.control("resume-flow"))["code"] == -1020
    assert (await client.get("/api/v3/depth", symbol="ETHUSDT"))[1]["lastUpdateId"] == 104
    bought = await client.signed("POST", "/api/v3/order", symbol="ETHUSDT", side="BUY", type="MARKET", quantity="5")
    assert (bought[1]["status"], bought[1]["cummulativeQuoteQty"]) == ("FILLED", "13418.97000000")


def listed(filters: list[dict[str, str]]) -> list[Any]:
    """A recorded exchangeInfo of ETHUSDT."""
    row = {"symbol": "ETHUSDT", "baseAsset": "ETH", "quoteAsset": "USDT", "filters": filters}
    return [1, "rest", "https://x/api/v3/exchangeInfo", json.dumps({"symbols": [row]})]


@pytest.mark.parametrize(
    ("lines", "venue", "text"),
    [
        (LINES[:2], "binance-spot", "holds no REST depth snapshot"),
        (LINES, "kraken-v2", "was recorded from 'kraken-v2'"),
        ([*LINES, [1, "recv"]], "binance-spot", "line 12 is malformed"),
        ([*LINES, [1, "recv", "x", "{"]], "binance-spot", "line 12 is malformed"),
        ([*LINES, depth(600, 105, 105, [["x", "1"]], [])], "binance-spot", "line 12 is malformed"),
        ([*LINES, [1, "rest", "http://[x/api/v3/depth", "{}"]], "binance-spot", "line 12 is malformed"),
        ([*LINES, listed([])], "binance-spot", "filters of ETHUSDT cannot be used"),
        ([*LINES, listed([{"filterType": "PRICE_FILTER", "tickSize": "-1"}])], "binance-spot", "filters of ETHUSDT"),
    ],
)
async def test_bad_captures_are_refused_at_the_start(tmp_path: Path, lines: Any, venue: str, text: str) -> None:
    path = write_capture(tmp_path / "bad.jsonl.gz", lines, venue)
    with pytest.raises(SettingsError, match=text):
        await SimulatedVenue(VenueSettings(replay=path)).start()


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08garbage", b"not json\n"])
async def test_files_that_are_no_captures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="--replay"):
        await SimulatedVenue(VenueSettings(replay=path)).start()


async def test_a_truncated_capture_is_refused(tmp_path: Path, capture: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(capture.read_bytes()[:-20])
    with pytest.raises(SettingsError, match="cannot be read"):
        await SimulatedVenue(VenueSettings(replay=path)).start()


async def test_the_real_capture_rebuilds_to_its_own_tickers(start_client: Any) -> None:
    """650 recorded seconds of ETHUSDT at 40x, until 31 tickers had a diff's id: each is the rebuilt top."""
    path = CAPTURES / "binance-spot-ethusdt-20240808.jsonl.gz"
    if not path.exists():
        pytest.skip("../shared/data/captures is absent")
    client = await start_client(replay=path, speed=40.0)
    socket = await client.streams("ethusdt@depth@100ms", "ethusdt@bookTicker")
    snapshot = (await client.get("/api/v3/depth", symbol="ETHUSDT", limit=5000))[1]
    book = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    update_id, tickers, equal = snapshot["lastUpdateId"], {}, 0
    while equal <= 30:
        data = (await socket.receive())["data"]
        if "e" not in data:
            tickers[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
        elif data["u"] > update_id:
            assert data["U"] <= update_id + 1
            update_id = data["u"]
            for side, levels in book.items():
                levels.update(data[side])
                for price in [p for p, q in data[side] if q == "0.00000000"]:
                    del levels[price]
            if update_id in tickers:
                bid, ask = max(book["b"], key=float), min(book["a"], key=float)
                assert tickers[update_id] == (bid, book["b"][bid], ask, book["a"][ask])
                equal += 1
            tickers.clear()


async def test_as_fast_as_possible_it_comes_to_the_end(start_client: Any, capture: Path) -> None:
    """Goal: --speed max. Method: half a second as recorded, read until the last diff is in the book; the doors answer on."""
    client = await start_client(replay=capture, speed=AS_FAST_AS_POSSIBLE)
    for _ in range(50):
        book = (await client.get("/api/v3/depth", symbol="ETHUSDT"))[1]
        if book["lastUpdateId"] == 104:
            break
    assert book["lastUpdateId"] == 104
    assert book["asks"][0] == ["2683.79000000", "4.00000000"]
