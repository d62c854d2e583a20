"""The other end of `bench wire`, a process of its own: it sends a frame, waits for the order, and does the same with an echo.

Run as `python -m ops.bench.wire_venue COUNT SEED`. Prints `port: N`, then, at the end, one JSON object with the round
trips in ns. Both kinds of round trip use the same server library, sizes and pauses, and alternate.
"""

import asyncio
import json
import sys
import time
from time import perf_counter_ns
from typing import Any

import websockets
from websockets.asyncio.server import ServerConnection, serve

from ops.bench.market import SYMBOL, Market
from ops.cores import keep_to_core

PAUSE_S = 0.0005
"""Between round trips: the engine's untimed work of the last one is over."""
BLOCK = 50
"""Round trips of one kind in a row: each side finds its caches as it left them."""
ROUND_TRIP_S_MAX = 0.2


class WireVenue:
    """Four connections of one peer: feed and orders of the engine, feed and orders of the echo."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._market = count, Market(seed)
        self._echo_frame = Market(seed).frame().decode()
        self._connections: dict[str, ServerConnection] = {}
        self._all_here, self._arrived = asyncio.Event(), asyncio.Event()
        self._arrived_ns = 0
        self._orders: list[dict[str, Any]] = []
        self._venue_ids = 0

    async def serve(self) -> dict[str, list[int]]:
        async with serve(self._connected, "127.0.0.1", 0, compression=None, max_queue=None) as server:
            sys.stdout.write(f"port: {server.sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()
            async with asyncio.timeout(60):
                await self._all_here.wait()
            return await self._measure()

    async def _measure(self) -> dict[str, list[int]]:
        engine: list[int] = []
        echo: list[int] = []
        skipped = 0
        for block in range(-(-self._count // BLOCK) + 1):  # the first finds a book that still synchronizes
            for _ in range(BLOCK):
                trip = await self._round_trip("/stream")
                await self._answer()
                await asyncio.sleep(PAUSE_S)
                if trip is None:  # the fill of the last order was still under way: this frame finds it working
                    skipped += block > 0
                elif block:
                    engine.append(trip)
            for _ in range(BLOCK):
                back = await self._round_trip("/echo-feed")
                await asyncio.sleep(PAUSE_S)
                if block and back is not None:
                    echo.append(back)
        return {"engine": engine, "echo": echo, "skipped": [skipped]}

    async def _round_trip(self, feed: str) -> int | None:
        """ns from a frame's send to what comes of it; None when nothing does. The echo gets a frame of the same kind."""
        frame = self._market.frame().decode() if feed == "/stream" else self._echo_frame
        self._arrived.clear()
        start = perf_counter_ns()
        await self._connections[feed].send(frame)
        try:
            async with asyncio.timeout(ROUND_TRIP_S_MAX):
                await self._arrived.wait()
        except TimeoutError:
            return None
        return self._arrived_ns - start

    async def _connected(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path.split("?")[0]
        self._connections[path] = connection
        if len(self._connections) == 4:
            self._all_here.set()
        try:
            async for message in connection:
                now = perf_counter_ns()
                if path == "/echo-orders":
                    self._arrived_ns = now
                    self._arrived.set()
                elif path == "/ws-api/v3":
                    await self._request(connection, str(message), now)
        except websockets.ConnectionClosed:
            return

    async def _request(self, connection: ServerConnection, text: str, now: int) -> None:
        if text.startswith('{"id":"s') and "order.place" in text:
            self._arrived_ns = now
            self._arrived.set()
            self._orders.append(json.loads(text))
        else:
            request = json.loads(text)
            result = (
                {"serverTime": time.time_ns() // 1_000_000} if request["method"] == "time" else {"subscriptionId": 0}
            )
            await connection.send(json.dumps({"id": request["id"], "status": 200, "result": result}))

    async def _answer(self) -> None:
        """Accept and fill what was placed, so that the next tick sends an order and no cancel."""
        orders = self._connections["/ws-api/v3"]
        for request in self._orders:
            params = request["params"]
            self._venue_ids += 1
            await orders.send(_answered(request["id"], self._venue_ids))
            await orders.send(_event("NEW", params, self._venue_ids))
            await orders.send(_event("TRADE", params, self._venue_ids))
        self._orders.clear()


def _answered(request_id: str, venue_id: int) -> str:
    return json.dumps({"id": request_id, "status": 200, "result": {"symbol": SYMBOL, "orderId": venue_id}})


def _event(kind: str, params: dict[str, Any], venue_id: int) -> str:
    filled = params["quantity"] if kind == "TRADE" else "0.00000000"
    event = {
        "e": "executionReport", "E": 1, "s": SYMBOL, "c": params["newClientOrderId"], "S": params["side"],
        "o": "LIMIT_MAKER", "f": "GTC", "q": params["quantity"], "p": params["price"], "C": "", "x": kind,
        "X": "FILLED" if kind == "TRADE" else "NEW", "r": "NONE", "i": venue_id, "l": filled, "z": filled,
        "L": params["price"], "n": "0", "N": "USDT" if kind == "TRADE" else None, "T": time.time_ns() // 1_000_000,
        "t": venue_id if kind == "TRADE" else -1, "I": 2 * venue_id + (kind == "TRADE"), "m": True, "Z": "1.0", "Y": "1.0",
    }  # fmt: skip
    return json.dumps({"subscriptionId": 0, "event": event})


if __name__ == "__main__":
    keep_to_core(0)
    outcome = asyncio.run(WireVenue(int(sys.argv[1]), int(sys.argv[2])).serve())
    sys.stdout.write(json.dumps(outcome) + "\n")
