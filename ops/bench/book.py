"""JSON bytes to a LIVE book to best bid and ask, venue by venue, beside what others do with the same frames.

Our side is market data's and the orderbook's own handlers: sequence, checksums and validity included. Blocks of frames
alternate between all sides in one process, so that a change of the machine's speed hits all: trust the ratios, which are
medians over rounds of each round's median. Peers read Binance Spot's frames (ops/bench/peers.py). Every best bid and ask
of every side must agree; `result_hash` covers them.
"""

import gc
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from gateway.market import VenueMarket
from ops.bench.book_frames import STREAMS, DepthStream, Top
from ops.bench.book_sides import OURS, Side, our_sides
from ops.bench.peers import installed
from ops.venues import MARKETS

FRAMES = 2_000
VENUE_FRAMES = 500
"""Of each venue but Binance Spot: enough for a median, and a true book of many levels takes long to change."""
BLOCK = 250
CHECKED = "binance-spot"
"""The venue whose frames the peers read."""

Makers = Mapping[str, Callable[[DepthStream], Side]]


def run(count: int = FRAMES * 7, seed: int = 1) -> dict[str, Any]:
    """count: frames of each side, in rounds of at most FRAMES over fresh books."""
    peers, versions = installed()
    market = MARKETS[CHECKED]()
    makers: dict[str, Callable[[DepthStream], Side]] = {name: peer.make for name, peer in peers.items()}
    stream = STREAMS[CHECKED](min(count, FRAMES), seed)
    main = compare(market, stream, makers, max(1, count // FRAMES))
    venues = {}
    for venue, make in STREAMS.items():
        if venue != CHECKED:
            each = make(min(count, VENUE_FRAMES), seed)
            venues[venue] = compare(MARKETS[venue](), each, {}, max(1, min(count // FRAMES, 5)))
    slower = {name.removesuffix("_us"): main["times_ours"][name] for name in peers}
    return {
        "ratio": slower["sorteddict_decimal"],
        "slower_than_ours": slower,
        CHECKED: main,
        **venues,
        "sides": {**OURS, **{name: peer.what for name, peer in peers.items()}},
        "peers": versions,
        "result_hash": main["result_hash"],
    }


def compare(market: VenueMarket, stream: DepthStream, peers: Makers, rounds: int) -> dict[str, Any]:
    """All sides over one stream. times_ours: how many times our time each side takes; checks: ours beside unchecked."""
    taken: dict[str, list[dict[str, float]]] = {}
    tops: list[Top] = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            sides = our_sides(market, stream)
            sides |= {name: make(stream) for name, make in peers.items()}
            tops = _round(stream.frames, sides, taken)
            for side in sides.values():
                side.close()
            gc.collect()
    finally:
        if enabled:
            gc.enable()
    figures = {name: _medians(each) for name, each in taken.items()}
    return {
        **figures,
        "times_ours": {name: _ratio(each, taken["touchline_us"]) for name, each in taken.items()},
        "checks": _ratio(taken["touchline_us"], taken["unchecked_us"]),
        "rounds": rounds,
        "frames": len(stream.frames),
        "result_hash": f"{zlib.crc32(repr(tops).encode()):08x}",
    }


def _round(frames: list[bytes], sides: dict[str, Side], taken: dict[str, list[dict[str, float]]]) -> list[Top]:
    """One pass over all frames, block by block, all sides in turn."""
    times: dict[str, list[int]] = {name: [] for name in sides}
    tops: dict[str, list[Top]] = {name: [] for name in sides}
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        for name, side in sides.items():
            tops[name] += map(side.read, side.block(block, times[name]))
    ours = tops["touchline_us"]
    for name, each in tops.items():
        if each != ours:
            raise AssertionError(f"the books of touchline_us and {name} disagree")
    for name, each_ns in times.items():
        taken.setdefault(name, []).append(_percentiles(each_ns))
    return ours


def _percentiles(times_ns: list[int]) -> dict[str, float]:
    ordered = sorted(times_ns)
    last = len(ordered) - 1
    return {name: ordered[int(last * part)] / 1_000 for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(_median([each[name] for each in rounds]), 2) for name in ("p50", "p99", "p999")}


def _ratio(one: list[dict[str, float]], other: list[dict[str, float]]) -> float:
    return round(_median([a["p50"] / b["p50"] for a, b in zip(one, other, strict=True)]), 2)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
