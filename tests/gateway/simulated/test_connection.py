"""Many connections, and slow ones: nothing is left behind, and nobody waits for a client that does not read."""

import asyncio
from typing import Any

import pytest

from gateway.simulated import connection as connections
from gateway.simulated import server as servers
from gateway.simulated.limits import LimitRules

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
RESTS = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "40000",
}
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def shake_hands(client: Any, path: str) -> Pair:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(client.endpoints.rest.rsplit(":", 1)[1]))
    writer.write(HANDSHAKE.format(path=path).encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def until_none_is_left(client: Any) -> int:
    """Wait for the venue to have seen them go; return how many tasks there are."""
    async with asyncio.timeout(60):
        while client.venue._connections:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return len(asyncio.all_tasks())


async def test_a_thousand_connections_leave_nothing_behind(start_client: Any) -> None:
    """Goal: no task and no connection outlives its client. Method: 1,000 in four batches, of which half go without a word."""
    quiet = await start_client(limits=LimitRules(weight_per_minute=10_000, connections_per_5_minutes=0))
    await quiet.control("pause-flow")
    before = await until_none_is_left(quiet)
    for batch in range(4):
        path = ("/stream?streams=btcusdt@depth", "/ws-api/v3", "/ws/btcusdt@bookTicker", "/ws")[batch]
        pairs = await asyncio.gather(*(shake_hands(quiet, path) for _ in range(250)))
        state = await quiet.http.get(f"{quiet.endpoints.rest}/control/state")
        assert (await state.json())["connections"] == 250
        for number, (_, writer) in enumerate(pairs):
            if number % 2:
                writer.transport.abort()
            else:
                writer.close()
        await until_none_is_left(quiet)
    assert await until_none_is_left(quiet) == before
    assert not quiet.venue._market.hub.clients


async def test_what_waits_for_a_slow_client_is_bounded(quiet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: one that never reads is gone, and before that no more than the bound waits. Method: frames until it is."""
    monkeypatch.setattr(connections, "WAITING_BYTES_MAX", 100_000)
    _, writer = await shake_hands(quiet, "/ws/btcusdt@bookTicker")
    [slow] = quiet.venue._connections
    hub, payload, sent, most = quiet.venue._market.hub, b"x" * 10_000, 0, 0
    async with asyncio.timeout(60):
        while hub.has_listeners("btcusdt@bookTicker"):
            hub.publish("btcusdt@bookTicker", payload)
            sent, most = sent + 1, max(most, slow.waiting_bytes)
            await asyncio.sleep(0)
    assert sent > 10, "the socket's own buffers come first"
    assert most <= 100_000
    assert (await quiet.get("/api/v3/ping"))[0] == 200
    assert await until_none_is_left(quiet)
    writer.close()


async def test_a_goodbye_does_not_wait_for_ever(quiet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a client that never answers the close frame is cut off. Method: it floods, is told to go, and stays silent."""
    monkeypatch.setattr(connections, "CLOSE_S_MAX", 0.05)
    reader, writer = await shake_hands(quiet, "/ws")
    frame = b"\x81\x82" + bytes(4) + b"{}"
    writer.write(frame * 20)
    await until_none_is_left(quiet)
    async with asyncio.timeout(60):
        assert b"\x88" in await reader.read()
    writer.close()


async def test_the_silent_do_not_add_up(start_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: many clients that never answer the goodbye hold a stop no longer than one. Method: what each is given to answer
    is more than the whole stop may take, once for each."""
    monkeypatch.setattr(servers, "STOP_TIMEOUT_S", 0.5)
    venue = await start_client()
    pairs = [await shake_hands(venue, "/ws") for _ in range(40)]
    async with asyncio.timeout(60):
        await venue.venue.stop()
    assert not venue.venue._connections
    for _, writer in pairs:
        writer.close()


async def test_nothing_is_sent_after_the_goodbye(quiet: Any) -> None:
    """Goal: a close frame is the last one (RFC 6455, 5.5.1). Method: events go on while the closing handshake waits."""
    reader, writer = await shake_hands(quiet, "/ws/btcusdt@bookTicker")
    [connection] = quiet.venue._connections
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    quiet.venue._market.hub.publish("btcusdt@bookTicker", b"late")
    connection.ping()
    head = await reader.readexactly(2)
    assert head[0] == 0x88
    await reader.readexactly(head[1])
    writer.write(b"\x88\x82" + bytes(4) + b"\x03\xe8")
    assert await reader.read() == b""
    await closing
    writer.close()


@pytest.mark.parametrize("kill_point", [False, True])
async def test_an_answer_and_its_events_come_in_order(client: Any, kill_point: bool) -> None:
    """Goal: what is sent together is sent whole and in order, and at a kill point nothing is held back. Method: one
    connection that orders and listens; in the second case a hook looks at what is on the wire once the answer is."""
    socket = await client.api()
    await client.call(socket, "userDataStream.subscribe.signature", **client.params())
    seen: list[int] = []
    if kill_point:
        [connection] = client.venue._connections
        client.venue.faults.on_point("answer-sent", lambda reached: seen.append(len(connection._held or ())), count=9)
    for number in range(5):
        params = client.params(**RESTS, newClientOrderId=f"n{number}")
        await socket.send({"id": number, "method": "order.place", "params": params})
    kinds = []
    while len(kinds) < 15:
        frame = await socket.receive()
        kinds.append(frame["id"] if "id" in frame else frame["event"]["e"])
    told = ("executionReport", "outboundAccountPosition")
    assert kinds == [word for number in range(5) for word in (number, *told)]
    assert seen == ([0] * 5 if kill_point else [])
