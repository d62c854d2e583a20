"""`bench tick`: frame bytes in to order bytes out, through all mailboxes, with everything on, against floors and the naive way.

Variants run interleaved in blocks in one process, so that a ratio is between neighbors in time:
direct (plain calls), deque (objects, send order), loopback (+ codec and headers), mailboxes (+ ZeroMQ), histograms,
and all (+ input log, order journal, checkpoints). Each tick the touch moves and the strategy wants an order at it; the
venue accepts and fills it between ticks, untimed, and public trades come. What is on in each: ops/bench/setup.py.
`reprice` is all, with orders that rest: a tick cancels and replaces, unless the order keeps its place, and the book tells
of the levels where orders rest. `tick_to_cancel_us` is from its ticks that moved against us. `watched` is all, with a
console: a frame is built and sent before each tick, untimed. What that costs the tick behind it is `telemetry.tick_us`,
the median over blocks of the difference between neighbors; `frame_us` is the frame, for which a tick that comes
meanwhile waits.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from bus.collector import Collector
from ops.bench.rig import NaiveRig, Rig
from ops.bench.watched import Watched

VARIANTS = ("direct", "deque", "loopback", "mailboxes", "histograms", "all", "watched", "reprice")
EVERYTHING = ("all", "watched", "reprice")
BLOCK = 100
PACES_MS = (1, 10, 100)
PACED_SECONDS = 3.0


def run(ticks: int, *, paced: bool = True, seed: int = 1) -> dict[str, Any]:
    """Measure `ticks` ticks of every variant. Returns the JSON object of the command."""
    collector = Collector()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        rigs = {name: _rig(name, Path(folder), seed) for name in VARIANTS}
        watched = Watched(rigs["watched"], Path(folder))
        rigs["watched"].look = watched.look
        orders: dict[str, list[int]] = {name: [] for name in VARIANTS}
        cancels: list[int] = []
        for rig in rigs.values():
            _block(rig, BLOCK, [], [], collector)  # warm caches and code paths, unmeasured
        collector.warm_up_done()
        inside = 0
        for _ in range(max(ticks // BLOCK, 1)):
            for name, rig in rigs.items():
                inside += _block(rig, BLOCK, orders[name], cancels if name == "reprice" else [], collector)
        result = _result(orders, cancels, rigs)
        result["telemetry"] = {"tick_us": _added(orders), "frame_us": percentiles(watched.built_ns), **watched.counts}
        result["gc"] = {
            "collections_during_input": inside,
            "idle_pause_us": {key: round(value, 1) for key, value in collector.pauses.to_summary().items()},
        }
        if paced:
            result["paced_us"] = {f"{pace}ms": _paced(rigs["all"], pace, collector) for pace in PACES_MS}
        result["naive_us"] = percentiles(asyncio.run(_naive(Path(folder), max(ticks // 5, BLOCK), seed)))
        result["naive_to_touchline"] = round(result["naive_us"]["p50"] / result["tick_to_order_us"]["p50"], 2)
        collector.restore()
        watched.close()
        for rig in rigs.values():
            rig.close()
    return result


def percentiles(values: Sequence[int]) -> dict[str, float]:
    """p50, p99, p999 and max in microseconds, by nearest rank."""
    ordered = sorted(values) or [0]
    last = len(ordered) - 1
    ranks = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: round(ordered[min(int(rank * len(ordered)), last)] / 1_000, 1) for name, rank in ranks.items()}


def _added(orders: dict[str, list[int]]) -> float:
    """Microseconds that a tick takes longer behind a frame: block against neighboring block, then the median."""
    starts = range(0, min(len(orders["all"]), len(orders["watched"])), BLOCK)
    added = [
        median(orders["watched"][start : start + BLOCK]) - median(orders["all"][start : start + BLOCK])
        for start in starts
    ]
    return round(median(added) / 1_000, 1)


def _rig(name: str, folder: Path, seed: int) -> Rig:
    everything = name in EVERYTHING
    return Rig(name, folder, seed, logs=everything, measure=everything or name == "histograms", fills=name != "reprice")


def _block(rig: Rig, count: int, orders: list[int], cancels: list[int], collector: Collector) -> int:
    """Run `count` ticks; returns how many collections ran while an input was under way."""
    inside = 0
    for _ in range(count):
        before = rig.market.best_bid
        frame = rig.market.frame()
        passes = collector.pauses.count
        order_ns, cancel_ns = rig.tick(frame)
        inside += collector.pauses.count - passes
        if order_ns:
            orders.append(order_ns)
        if cancel_ns and rig.market.best_bid < before:
            cancels.append(cancel_ns)
        collector.idle(perf_counter_ns(), 5_000_000)
    return inside


def _paced(rig: Rig, pace_ms: int, collector: Collector) -> dict[str, float]:
    """The same with sleeps between ticks: caches have gone cold, as on a real feed."""
    orders: list[int] = []
    for _ in range(max(int(PACED_SECONDS * 1_000 / pace_ms), 30)):
        frame = rig.market.frame()
        time.sleep(pace_ms / 1_000)
        order_ns, _ = rig.tick(frame)
        if order_ns:
            orders.append(order_ns)
        collector.idle(perf_counter_ns(), 5_000_000)
    return percentiles(orders)


async def _naive(folder: Path, ticks: int, seed: int) -> list[int]:
    rig = NaiveRig(folder, seed)
    await rig.start()
    orders = []
    for _ in range(ticks):
        order_ns = await rig.tick(rig.market.frame())
        if order_ns:
            orders.append(order_ns)
    await rig.close()
    return orders


def _result(orders: dict[str, list[int]], cancels: list[int], rigs: dict[str, Rig]) -> dict[str, Any]:
    by_variant = {name: percentiles(values) for name, values in orders.items()}
    direct, everything = by_variant["direct"]["p50"], by_variant["all"]["p50"]
    rig = rigs["all"]
    return {
        "ticks": len(orders["all"]),
        "tick_to_order_us": by_variant["all"],
        "tick_to_cancel_us": percentiles(cancels),
        "reprice_us": by_variant["reprice"],
        "ratio_to_direct": round(everything / direct, 2),
        "shares": {name: round(row["p50"] / direct, 2) for name, row in by_variant.items()},
        "variants_us": by_variant,
        "messages_a_tick": round(rig.messages_a_tick, 1),
        "hops_us": {
            name: {key: round(value, 1) for key, value in row.to_summary().items() if key in ("p50", "p99")}
            for name, row in {**rig.host.histograms(), "journal": rig.door.journal_time}.items()
        },
        "checkpoints": rig.checkpoints_taken,
        # All variants saw the same market from the same seed: the same orders, or the comparison is not one.
        "same_orders": len({(r.socket.orders, r.socket.bytes) for name, r in rigs.items() if name != "reprice"}) == 1,
    }
