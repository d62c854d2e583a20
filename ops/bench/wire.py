"""`bench wire`: a frame on one real socket to the order on another, as the venue sees it, against a bare echo.

The other end is a process of its own (ops/bench/wire_venue.py). Here stand the engine, with real doors and everything
on, and the echo: the same WebSocket client, which answers a frame on one connection with a payload of an order's size
on another and does nothing in between. Round trips alternate, so `ratio_to_echo` is what the engine itself adds.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from bus.collector import Collector
from bus.log import RecordLog
from bus.pump import Pump
from gateway.binance_spot.market import BinanceSpot
from gateway.doors.connection import Planned
from gateway.doors.feed import FeedDoor
from gateway.doors.websocket import WebSocket, connect
from ops.bench.rig import Rig
from ops.bench.stand_in import INSTRUMENT
from ops.bench.tick import percentiles
from ops.cores import keep_to_core

ORDER_BYTES = 420
"""Of one signed order.place, as the rig writes it."""


def run(count: int, seed: int = 1) -> dict[str, Any]:
    """Measure `count` round trips of each kind. Each side keeps to a core of its own where there are two."""
    cores = os.sched_getaffinity(0)
    try:
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
            return uvloop.run(_run(count, seed, Path(folder)))
    finally:
        os.sched_setaffinity(0, cores)


async def _run(count: int, seed: int, folder: Path) -> dict[str, Any]:
    venue = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ops.bench.wire_venue", str(count), str(seed), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    keep_to_core(1)  # after the other end was started, which takes the other one
    assert venue.stdout is not None
    port = int((await venue.stdout.readline()).decode().removeprefix("port: "))
    base = f"ws://127.0.0.1:{port}"
    rig = Rig("wire", folder, seed)
    collector = Collector()
    pump = Pump(rig.host, rig.timers, rig.clock, collector)
    for log in (rig.journal, rig.input_log):
        if isinstance(log, RecordLog):
            pump.at_quiet(log.touch_ahead)
    rig.connect_door(f"{base}/ws-api/v3", pump.post)
    market = BinanceSpot()
    (plan,) = market.plan([INSTRUMENT.venue_symbol], market.streams, 0)
    feed = FeedDoor({0: Planned(market, base, plan, 0)}, rig.now_ns)
    feed.attach(pump.post)
    doors = [asyncio.ensure_future(rig.door.run()), asyncio.ensure_future(feed.run())]
    pump.post(*rig.first_inputs()[:-2])  # its streams come up by themselves
    echo = await _echo(base)
    collector.warm_up_done()
    try:
        said = (await venue.stdout.read()).decode().splitlines()
        if await venue.wait() != 0 or not said:
            raise RuntimeError("bench wire: the other end failed; its words are above")
        trips = json.loads(said[-1])
    finally:
        for door in doors:
            door.cancel()
        await asyncio.gather(*doors, return_exceptions=True)
        for socket in echo:
            socket.abort("done")
        pump.stop()
        collector.restore()
        if venue.returncode is None:
            venue.kill()
        rig.close()
    engine_us, echo_us = percentiles(trips["engine"]), percentiles(trips["echo"])
    inside = rig.door.tick_to_order.to_summary()
    return {
        "round_trips": len(trips["engine"]),
        "frames_without_order": trips["skipped"][0],
        "wire_us": engine_us,
        "echo_us": echo_us,
        "engine_inside_us": {key: round(inside[key], 1) for key in ("p50", "p99", "p999", "max")},
        "hops_us": {name: round(row.to_summary()["p50"], 1) for name, row in rig.host.histograms().items()},
        "ratio_to_echo": round(engine_us["p50"] / echo_us["p50"], 2),
    }


async def _echo(base: str) -> tuple[WebSocket, WebSocket]:
    answer = b"x" * ORDER_BYTES

    def nothing(*_: object) -> None:
        return None

    orders = await connect(f"{base}/echo-orders", nothing, nothing, nothing)
    feed = await connect(f"{base}/echo-feed", nothing, lambda payload: orders.write(answer), nothing)
    return feed, orders
