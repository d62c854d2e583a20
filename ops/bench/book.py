"""Frame bytes to best bid and ask: our codec and Book against the same work on sortedcontainers' SortedDict.

Both sides read the same frames with the same decoder settings of msgspec where they decode at all; what differs is the
route from the venue's text to a number and the book. Theirs is the straightforward one: levels as pairs of text,
float(), SortedDict a side, peekitem. Blocks of frames alternate in one process, so that a change of the machine's
speed hits both; compare ratios. `result_hash` covers every best bid and ask our side saw, theirs must agree.
"""

import gc
import zlib
from collections.abc import Callable
from random import Random
from time import perf_counter_ns
from typing import Any

import msgspec
from sortedcontainers import SortedDict

from actors.orderbook import Book
from bus.messages.feed import DepthDiff
from gateway.binance_spot.codec import BinanceSpotCodec

LEVELS_BOOK = 1_000  # a side
LEVELS_FRAME = 10  # a side: 20 changes a frame
MID = 2_683_00  # cents
FRAMES = 2_000
BLOCK = 250
UNIT = 10**6  # a cent in the book's 10^-8

Touch = tuple[int, int]
Side = Callable[[list[bytes], list[int], list[Touch]], None]


def run(rounds: int = 7, frames: int = FRAMES, seed: int = 1) -> dict[str, Any]:
    """Medians over `rounds` of each percentile; each round replays the same frames into fresh books."""
    stream = make_frames(frames, seed)
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    digest = 0
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            our_touches, their_touches = _round(stream, seed, ours, theirs)
            if our_touches != their_touches:
                raise AssertionError("the two books disagree")
            digest = zlib.crc32(repr(our_touches).encode())
            gc.collect()
    finally:
        if enabled:
            gc.enable()
    touchline, peer = _medians(ours), _medians(theirs)
    return {
        "touchline_us": touchline,
        "sorteddict_us": peer,
        "ratio": round(peer["p50"] / touchline["p50"], 2),
        "rounds": rounds,
        "frames": len(stream),
        "result_hash": f"{digest:08x}",
    }


def _round(
    stream: list[bytes], seed: int, ours: list[dict[str, float]], theirs: list[dict[str, float]]
) -> tuple[list[Touch], list[Touch]]:
    """One pass over all frames, block by block, ours and theirs in turn."""
    our_side, their_side = touchline_side(seed), sorteddict_side(seed)
    our_ns: list[int] = []
    their_ns: list[int] = []
    our_touches: list[Touch] = []
    their_touches: list[Touch] = []
    for start in range(0, len(stream), BLOCK):
        block = stream[start : start + BLOCK]
        our_side(block, our_ns, our_touches)
        their_side(block, their_ns, their_touches)
    ours.append(_percentiles(our_ns))
    theirs.append(_percentiles(their_ns))
    return our_touches, their_touches


def touchline_side(seed: int) -> Side:
    """The codec of the feed, `Book.apply`, and the touch off the ends of its lists."""
    decode = BinanceSpotCodec().decode_frame
    book = Book()
    bids, asks = make_book(seed)
    book.load(
        tuple(price * UNIT for price, _ in bids),
        tuple(quantity * UNIT for _, quantity in bids),
        tuple(price * UNIT for price, _ in asks),
        tuple(quantity * UNIT for _, quantity in asks),
        LEVELS_BOOK,
    )

    def feed(frames: list[bytes], times: list[int], touches: list[Touch]) -> None:
        for frame in frames:
            start = perf_counter_ns()
            diff = decode(frame)
            assert type(diff) is DepthDiff
            book.apply(diff.bid_prices, diff.bid_quantities, diff.ask_prices, diff.ask_quantities)
            touch = book.bid_keys[-1], -book.ask_keys[-1]
            times.append(perf_counter_ns() - start)
            touches.append((touch[0] // UNIT, touch[1] // UNIT))

    return feed


class _Diff(msgspec.Struct, gc=False):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Frame(msgspec.Struct, gc=False):
    data: _Diff


def sorteddict_side(seed: int) -> Side:
    """What one writes first: typed decoding (msgspec too, not the slower stdlib json), float(), SortedDict."""
    decode = msgspec.json.Decoder(_Frame).decode
    bid_levels, ask_levels = make_book(seed)
    bids = SortedDict({price / 100: quantity / 100 for price, quantity in bid_levels})
    asks = SortedDict({price / 100: quantity / 100 for price, quantity in ask_levels})

    def feed(frames: list[bytes], times: list[int], touches: list[Touch]) -> None:
        for frame in frames:
            start = perf_counter_ns()
            diff = decode(frame).data
            for levels, changes in ((bids, diff.b), (asks, diff.a)):
                for price_text, quantity_text in changes:
                    price, quantity = float(price_text), float(quantity_text)
                    if quantity:
                        levels[price] = quantity
                    else:
                        levels.pop(price, None)
            touch = bids.peekitem(-1)[0], asks.peekitem(0)[0]
            times.append(perf_counter_ns() - start)
            touches.append((round(touch[0] * 100), round(touch[1] * 100)))

    return feed


def make_book(seed: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(cents, hundredths) a level, best first, with holes as a real book has."""
    random = Random(seed)
    sides: list[list[tuple[int, int]]] = []
    for sign in (-1, 1):
        cents, levels = MID + (0 if sign < 0 else 1), []
        for _ in range(LEVELS_BOOK):
            levels.append((cents, random.randrange(1, 5_000)))
            cents += sign * random.choice((1, 1, 1, 1, 2, 3, 9))
        sides.append(levels)
    return sides[0], sides[1]


def make_frames(count: int, seed: int) -> list[bytes]:
    """Binance's own bytes. Changes crowd near the touch (exponential, 40 cents), 30 % delete; the mid walks."""
    random = Random(seed + 1)
    frames, first, mid = [], 1, MID
    for _ in range(count):
        mid += random.choice((-1, 0, 0, 0, 1))
        bids = sorted({mid - int(random.expovariate(1 / 40)) for _ in range(LEVELS_FRAME)}, reverse=True)
        asks = sorted({mid + 1 + int(random.expovariate(1 / 40)) for _ in range(LEVELS_FRAME)})
        # What the walk has crossed is gone, as it is at a venue.
        bids_text = _changes(random, [(price, False) for price in bids] + [(mid + 1, True), (mid + 2, True)])
        asks_text = _changes(random, [(price, False) for price in asks] + [(mid, True), (mid - 1, True)])
        last = first + len(bids) + len(asks)
        frames.append(
            f'{{"stream":"ethusdt@depth@100ms","data":{{"e":"depthUpdate","E":{1723161255308 + first},"s":"ETHUSDT",'
            f'"U":{first},"u":{last},"b":[{bids_text}],"a":[{asks_text}]}}}}'.encode()
        )
        first = last + 1
    return frames


def _changes(random: Random, levels: list[tuple[int, bool]]) -> str:
    texts = []
    for price, gone in levels:
        quantity = 0 if gone or random.random() < 0.3 else random.randrange(1, 5_000)
        texts.append(f'["{price // 100}.{price % 100:02d}000000","{quantity // 100}.{quantity % 100:02d}000000"]')
    return ",".join(texts)


def _percentiles(times_ns: list[int]) -> dict[str, float]:
    ordered = sorted(times_ns)
    last = len(ordered) - 1
    return {name: ordered[int(last * part)] / 1_000 for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(sorted(each[name] for each in rounds)[len(rounds) // 2], 2) for name in ("p50", "p99", "p999")}
