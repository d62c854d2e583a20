"""Market streams over loopback: a book rebuilt from snapshot and diffs, the SUBSCRIBE protocol, faults on demand."""

import asyncio
import time
from typing import Any

import pytest
import websockets


class Book:
    """A client's book, as plain dicts of texts: bridged by the venue's published rules."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.update_id = snapshot["lastUpdateId"]
        self.bids = dict(snapshot["bids"])
        self.asks = dict(snapshot["asks"])
        self.applied = 0

    def apply(self, event: dict[str, Any]) -> None:
        if event["u"] <= self.update_id:
            return
        assert event["U"] <= self.update_id + 1, "gap"
        assert self.applied == 0 or event["U"] == self.update_id + 1
        self.update_id = event["u"]
        self.applied += 1
        for levels, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, quantity in changes:
                if quantity == "0.00000000":
                    levels.pop(price, None)
                else:
                    levels[price] = quantity

    def top(self) -> tuple[str, str, str, str]:
        bid, ask = max(self.bids, key=float), min(self.asks, key=float)
        return bid, self.bids[bid], ask, self.asks[ask]


async def test_a_rebuilt_book_equals_ticker_and_rest(client: Any) -> None:
    """Two seconds of the default crowd: at equal ids the bookTicker is the rebuilt top; at the end REST agrees."""
    socket = await client.streams("btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@trade")
    first = await socket.receive_until(lambda f: f["stream"] == "btcusdt@depth@100ms")
    book = Book((await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5000))[1])
    book.apply(first[-1]["data"])
    tickers: dict[int, tuple[str, str, str, str]] = {}
    equal, trades, end = 0, 0, time.monotonic() + 2.0
    while time.monotonic() < end:
        frame = await socket.receive()
        data = frame["data"]
        match frame["stream"]:
            case "btcusdt@depth@100ms":
                book.apply(data)
                if book.update_id in tickers:
                    assert tickers[book.update_id] == book.top()
                    equal += 1
            case "btcusdt@bookTicker":
                tickers[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
            case "btcusdt@trade":
                trades += 1
    assert equal >= 5
    assert book.applied >= 12
    await client.control("pause-flow")
    snapshot = (await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5000))[1]
    while book.update_id < snapshot["lastUpdateId"]:
        frame = await socket.receive()
        if "depth" in frame["stream"]:
            book.apply(frame["data"])
    assert (dict(snapshot["bids"]), dict(snapshot["asks"])) == (book.bids, book.asks)


async def test_slow_depth_stream_is_gapless_too(client: Any) -> None:
    socket = await client.connect(f"{client.endpoints.streams}/ws/ethusdt@depth")
    one, two = await socket.receive(), await socket.receive()
    assert two["U"] == one["u"] + 1
    assert 700 <= two["E"] - one["E"] <= 1_500


async def test_quiet_books_send_nothing(quiet: Any) -> None:
    await asyncio.sleep(0.15)
    socket = await quiet.streams("btcusdt@depth@100ms", "btcusdt@bookTicker")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.connection.recv(), 0.35)


async def test_a_trade_and_its_consequences(quiet: Any) -> None:
    socket = await quiet.streams("btcusdt@trade", "btcusdt@aggTrade", "btcusdt@bookTicker")
    _, before = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity="0.00001")
    trade, aggregate, ticker = [(await socket.receive())["data"] for _ in range(3)]
    assert (trade["e"], trade["p"], trade["q"], trade["m"]) == ("trade", before["bidPrice"], "0.00001000", True)
    assert (aggregate["e"], aggregate["f"], aggregate["l"]) == ("aggTrade", trade["t"], trade["t"])
    assert float(ticker["B"]) == pytest.approx(float(before["bidQty"]) - 0.00001)


async def test_subscribe_list_unsubscribe(quiet: Any) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.streams}/ws")
    await socket.send({"method": "SUBSCRIBE", "params": ["btcusdt@trade", "nope@trade"], "id": 1})
    assert await socket.receive() == {"result": None, "id": 1}
    await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity="0.00001")
    assert (await socket.receive())["e"] == "trade"  # bare on /ws
    await socket.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": "b"})
    assert await socket.receive() == {"result": None, "id": "b"}
    await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity="0.00001")
    await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 3})
    assert await socket.receive() == {"result": ["nope@trade"], "id": 3}


@pytest.mark.parametrize("text", ["{", "[]", '{"method": 1}', '{"method": "DANCE", "id": 1}', '"x"', "nul"])
async def test_bad_requests_get_an_error_and_the_connection_lives(quiet: Any, text: str) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.streams}/ws")
    await socket.send(text)
    assert "msg" in (await socket.receive())["error"]
    await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    assert await socket.receive() == {"result": [], "id": 1}


async def test_a_flood_of_requests_is_cut_off(quiet: Any) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.streams}/ws")
    for number in range(12):  # six in one second are too many, however the seconds fall
        await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
    await asyncio.wait_for(socket.connection.wait_closed(), 30)
    assert socket.connection.close_code == 1008


@pytest.mark.parametrize("opcode", [0x89, 0x8A])
async def test_a_flood_of_pings_or_pongs_is_cut_off(quiet: Any, opcode: int) -> None:
    """Goal: these are messages too (web-socket-streams.md, "Websocket Limits"); the WebSocket API states no such limit."""
    streams, api = await quiet.connect(f"{quiet.endpoints.streams}/ws"), await quiet.api()
    for socket in (streams, api):
        socket.connection.transport.write(bytes((opcode, 0x80, 0, 0, 0, 0)) * 12)
    await asyncio.wait_for(streams.connection.wait_closed(), 30)
    assert streams.connection.close_code == 1008
    assert (await quiet.call(api, "ping"))["status"] == 200


async def test_an_oversized_frame_is_cut_off(quiet: Any) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.streams}/ws")
    await socket.send("x" * 100_000)
    with pytest.raises(websockets.ConnectionClosed):
        await socket.receive()
    assert (await quiet.get("/api/v3/ping"))[0] == 200


async def test_dropped_depth_event_shows_as_a_gap(client: Any) -> None:
    socket = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@depth@100ms")
    event = await socket.receive()
    await client.control("drop", symbol="BTCUSDT", stream="depth")
    gaps = 0
    for _ in range(4):
        following = await socket.receive()
        gaps += following["U"] != event["u"] + 1
        event = following
    assert gaps == 1


async def test_a_stalled_stream_is_silent_while_others_and_pongs_go_on(client: Any) -> None:
    socket = await client.connect(f"{client.endpoints.streams}/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
    last = (await socket.receive_until(lambda frame: "depth" in frame["stream"]))[-1]["data"]
    told = await client.control("stall", symbol="BTCUSDT", stream="depth", seconds=0.6)
    assert told == {"symbol": "BTCUSDT", "stream": "depth", "seconds": 0.6}
    between = await socket.receive_until(
        lambda frame: "depth" in frame["stream"] and frame["data"]["U"] != last["u"] + 1
    )
    assert any("bookTicker" in frame["stream"] for frame in between), "the other stream goes on"
    await asyncio.wait_for(await socket.connection.ping(), 30)
    assert (await client.control("streams"))["stalled"] >= 3
    following = (await socket.receive_until(lambda frame: "depth" in frame["stream"]))[-1]["data"]
    assert following["U"] == between[-1]["data"]["u"] + 1, "lifted: gapless again"


async def test_a_shutdown_is_announced_and_then_the_connection_ends_while_a_new_one_is_welcome(client: Any) -> None:
    combined = await client.streams("btcusdt@depth@100ms")
    raw = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@depth@100ms")
    assert (await client.control("server-shutdown", seconds=0.5))["told"] == 2
    told = (await combined.receive_until(lambda frame: frame["stream"] == "!serverShutdown"))[-1]
    assert told["data"]["e"] == "serverShutdown"
    await raw.receive_until(lambda frame: frame["e"] == "serverShutdown")
    again = await client.streams("btcusdt@depth@100ms")
    await asyncio.gather(*(asyncio.wait_for(old.connection.wait_closed(), 30) for old in (combined, raw)))
    assert (await again.receive())["data"]["e"] == "depthUpdate"
    streams = await client.control("streams")
    assert (streams["connections"], streams["opened"]) == (1, 3)


async def test_disconnect_takes_only_the_kind_it_is_told(client: Any) -> None:
    market, api = await client.streams("btcusdt@depth@100ms"), await client.api()
    assert (await client.control("disconnect", kind="market")) == {"disconnected": 1}
    await asyncio.wait_for(market.connection.wait_closed(), 30)
    await asyncio.wait_for(await api.connection.ping(), 30)


@pytest.mark.parametrize(
    ("verb", "params"),
    [
        ("drop", {"symbol": "NOPEUSDT"}),
        ("drop", {"stream": "depht"}),
        ("drop", {"count": "many"}),
        ("drop", {"count": "100001"}),
        ("stall", {"symbol": "BTCUSDT", "stream": "depth"}),
        ("stall", {"seconds": "-1"}),
        ("stall", {"seconds": "nan"}),
        ("server-shutdown", {"seconds": "soon"}),
        ("disconnect", {"kind": "some"}),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_by_name(client: Any, verb: str, params: dict[str, str]) -> None:
    refusal = await client.control(verb, **params)
    assert refusal["code"] < 0
    assert (await client.control("streams"))["dropped"] == 0


async def test_disconnect_drops_everyone_and_they_may_come_back(client: Any) -> None:
    sockets = [await client.streams("btcusdt@depth@100ms"), await client.api()]
    assert (await client.control("disconnect")) == {"disconnected": 2}
    for socket in sockets:
        await asyncio.wait_for(socket.connection.wait_closed(), 30)
    again = await client.streams("btcusdt@depth@100ms")
    assert (await again.receive())["data"]["e"] == "depthUpdate"


async def test_a_slow_consumer_is_cut_off(quiet: Any) -> None:
    """A client that never reads: once its queue is full it is gone, and the venue serves on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(quiet.endpoints.rest.rsplit(":", 1)[1]))
    names = "/".join(["btcusdt@bookTicker", "btcusdt@depth@100ms"])
    writer.write(
        f"GET /stream?streams={names} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    hub, payload = quiet.venue._market.hub, b"x" * 4_000
    for _ in range(20_000):
        hub.publish("btcusdt@bookTicker", payload)
    await asyncio.sleep(0.05)
    assert not hub.has_listeners("btcusdt@bookTicker")
    assert (await quiet.get("/api/v3/ping"))[0] == 200
    writer.close()


async def test_the_server_answers_pings(quiet: Any) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.streams}/ws")
    pong = await socket.connection.ping(b"hello")
    await asyncio.wait_for(pong, 30)
