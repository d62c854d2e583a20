"""`bench venue`: what the simulated venue can do, part by part: matching core, doors, streams, crowd, memory.

Each part is its own module: ops/bench/venue_core.py, venue_wire.py, venue_fanout.py, venue_day.py. Doors and streams are
measured between two processes on loopback, each kept to a core. `against_engine` sets what the venue could take a second,
by what a request costs it when a client never waits, beside the orders that the engine could make if it did nothing but
tick: the venue must not be what an engine benchmark waits for.
"""

import os
from collections.abc import Callable
from typing import Any

from ops.bench import tick, venue_core, venue_day, venue_fanout, venue_wire

FANOUT_DIFFS = 300
"""At a pace of 10 ms: three seconds."""
FANOUT_S = 3.0
ENGINE_TICKS = 300
CORE_COMMANDS = 100
"""Commands of the core for each round trip that is asked for: they are so much faster."""


def run(count: int, hours: float, say: Callable[[str], None], seed: int = 1) -> dict[str, Any]:
    """`count` round trips a door and `hours` of the crowd's life; returns the JSON object of the command."""
    cores = os.sched_getaffinity(0)
    try:
        say("core: place and cancel, mixed flow")
        result: dict[str, Any] = {"core": venue_core.run(count * CORE_COMMANDS, seed)}
        say("doors: round trips on loopback")
        result["round_trip"] = doors = venue_wire.run(count)
        say(f"streams: {venue_fanout.SUBSCRIBERS} subscribers")
        result["fan_out"] = venue_fanout.run(min(FANOUT_DIFFS, count), min(FANOUT_S, count / 100))
        say(f"crowd: {hours:g} h of its time")
        result["crowd"] = venue_day.run(hours)
        say("engine: tick to order")
        os.sched_setaffinity(0, cores)
        engine_us = tick.run(min(ENGINE_TICKS, count), paced=False, seed=seed)["tick_to_order_us"]["p50"]
    finally:
        os.sched_setaffinity(0, cores)
    venue_us = max(doors["pipelined_cpu_us"], 1.0)
    result["against_engine"] = {
        "engine_orders_per_s": round(1e6 / engine_us),
        "venue_requests_per_s": round(1e6 / venue_us),
        "times": round(engine_us / venue_us, 2),
    }
    result["result_hash"] = result["core"]["mixed"]["result_hash"]
    return result
