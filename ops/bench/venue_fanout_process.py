"""The publishing side of `bench venue`'s fan-out, a process of its own: the venue's book, publisher, hub and connections.

It waits for its subscribers, then publishes diffs of CHANGES levels: at a pace, for the lag; then as fast as the sockets take
them, for the rate. Event times are CLOCK_MONOTONIC, one for the whole machine, so that the reader can tell the time under way.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

import uvloop
from aiohttp import web

from gateway.simulated.connection import Connection
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.orders import NewOrder, Order, OrderType, Side
from gateway.simulated.payload import TimeUnit
from gateway.simulated.spot.publisher import BookPublisher
from gateway.simulated.streams import StreamClient, StreamHub
from ops.bench.venue_core import ACCOUNTS, MIDDLE, QUANTITY, SYMBOL, book_of, make_engine
from ops.cores import keep_to_core

TOPIC = f"{SYMBOL.lower()}@depth@100ms"
CHANGES = 20  # levels in a diff; as BTCUSDT's of 100 ms at the venue
PACE_S = 0.01
"""Between two diffs of the paced part: ten busy symbols at 100 ms."""
WAITING_BYTES = 64 * 1024
"""Of one subscriber's unread: beyond it the publisher waits, so that the rate is what arrives, not what piles up."""
START_S_MAX = 20.0


class Fanout:
    def __init__(self) -> None:
        self.hub = StreamHub([SYMBOL])
        self._engine = make_engine()
        self._book = book_of(self._engine)
        self._publisher = BookPublisher(SYMBOL, self._book, self.hub)
        self._resting: list[Order] = []
        self._count = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        connection = Connection(request, time.monotonic_ns)
        await connection.open()
        client = StreamClient(connection, self.hub, is_combined=False, unit=TimeUnit.MICROSECOND)
        client.subscribe([TOPIC])
        try:
            while await connection.next_text() is not None:
                pass
        finally:
            client.leave()
            await connection.close()
        return connection.response

    async def paced(self, diffs: int) -> None:
        due = time.monotonic()
        for _ in range(diffs):
            due += PACE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._publish()

    async def flat_out(self, seconds: float) -> tuple[int, float]:
        """Return diffs published and the seconds it took until the sockets had taken them all."""
        start, diffs = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            self._publish()
            diffs += 1
            await asyncio.sleep(0)
            await _until(lambda: self._waiting() <= WAITING_BYTES)
        await _until(lambda: not self._waiting())
        return diffs, time.monotonic() - start

    def _waiting(self) -> int:
        return max((client.connection.waiting_bytes for client in self.hub.clients), default=0)

    def _publish(self) -> None:
        """Change so many levels, by orders placed and canceled in turn, and send the diff."""
        now_ns = time.monotonic_ns()
        if self._resting:
            for order in self._resting:
                self._engine.cancel(order, "cancel", now_ns)
            self._resting = []
        else:
            self._count += 1
            for level in range(CHANGES):
                price, identity = MIDDLE - level * SCALE, f"{self._count}-{level}"
                request = NewOrder(ACCOUNTS[0], SYMBOL, identity, Side.BUY, OrderType.LIMIT, QUANTITY, price=price)
                self._resting.append(self._engine.place(request, now_ns))
        self._engine.drain()
        self._publisher.flush_depth(0, now_ns)


async def _main(subscribers: int, diffs: int, seconds: float) -> None:
    fanout = Fanout()
    app = web.Application()
    app.add_routes([web.get("/ws", fanout.serve)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _say({"rest": f"http://127.0.0.1:{runner.addresses[0][1]}", "api_key": "", "api_secret": ""})
    async with asyncio.timeout(START_S_MAX):
        await _until(lambda: len(fanout.hub.clients) == subscribers)
    await fanout.paced(diffs)
    await asyncio.sleep(0.5)
    spent_before = time.process_time()
    published, took = await fanout.flat_out(seconds)
    _say({"diffs": published, "seconds": took, "cpu_s": time.process_time() - spent_before})
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - of what a socket has taken nobody tells us
        await asyncio.sleep(0.0005)


def _say(payload: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(payload) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    keep_to_core(0)
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
