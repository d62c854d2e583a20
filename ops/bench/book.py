"""Frame bytes to best bid and ask: our codec and Book against the same work on sortedcontainers' SortedDict.

Three peers (`PEERS`), all decoding with msgspec, never with the slower stdlib json. The headline `ratio` is against the
one that does the same work, exact prices and quantities off the venue's text, as people write it: Decimal. Floats do
less, since they are not exact; the peer on our own codec's integers shows what of it all is the book. Blocks of frames
alternate in one process, so that a change of the machine's speed hits all; trust the ratios. `result_hash` covers
every best bid and ask, and all sides must agree on each.
"""

import gc
import zlib
from bisect import insort
from collections.abc import Callable
from decimal import Decimal
from random import Random
from time import perf_counter_ns
from typing import Any

import msgspec
from sortedcontainers import SortedDict

from actors.orderbook import Book
from bus.messages.feed import DepthDiff
from gateway.binance_spot.codec import BinanceSpotCodec

LEVELS_BOOK = 1_000  # a side
LEVELS_FRAME = 10  # changes a side
MID = 2_683_00  # cents
FRAMES = 2_000
BLOCK = 250
UNIT = 10**6  # a cent in the book's 10^-8

PEERS = {
    "sorteddict_decimal_us": "exact: msgspec to pairs of text, Decimal(text), a SortedDict a side",
    "sorteddict_float_us": "not exact: msgspec to pairs of text, float(text), a SortedDict a side",
    "sorteddict_same_codec_us": "exact: the integers of our own codec, a SortedDict a side",
}

Touch = tuple[int, int]
Side = Callable[[list[bytes], list[int], list[Touch]], None]


def run(count: int = FRAMES * 7, seed: int = 1) -> dict[str, Any]:
    """count: frames of each side, in rounds of at most FRAMES over fresh books; percentiles are medians over rounds."""
    stream = make_frames(min(count, FRAMES), seed)
    rounds = max(1, count // FRAMES)
    taken: dict[str, list[dict[str, float]]] = {}
    touches: list[Touch] = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            touches = _round(stream, seed, taken)
            gc.collect()
    finally:
        if enabled:
            gc.enable()
    figures = {name: _medians(each) for name, each in taken.items()}
    ours = figures["touchline_us"]["p50"]
    return {
        **figures,
        "ratio": round(figures["sorteddict_decimal_us"]["p50"] / ours, 2),
        "ratio_float": round(figures["sorteddict_float_us"]["p50"] / ours, 2),
        "ratio_same_codec": round(figures["sorteddict_same_codec_us"]["p50"] / ours, 2),
        "peers": PEERS,
        "rounds": rounds,
        "frames": len(stream),
        "result_hash": f"{zlib.crc32(repr(touches).encode()):08x}",
    }


def _round(stream: list[bytes], seed: int, taken: dict[str, list[dict[str, float]]]) -> list[Touch]:
    """One pass over all frames, block by block, all sides in turn."""
    sides = {name: side(seed) for name, side in SIDES.items()}
    times: dict[str, list[int]] = {name: [] for name in sides}
    touches: dict[str, list[Touch]] = {name: [] for name in sides}
    for start in range(0, len(stream), BLOCK):
        block = stream[start : start + BLOCK]
        for name, feed in sides.items():
            feed(block, times[name], touches[name])
    ours = touches["touchline_us"]
    for name, each in touches.items():
        if each != ours:
            raise AssertionError(f"the books of touchline_us and {name} disagree")
    for name, each_ns in times.items():
        taken.setdefault(name, []).append(_percentiles(each_ns))
    return ours


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


def same_codec_side(seed: int) -> Side:
    """The same integers from the same codec, in a SortedDict a side."""
    decode = BinanceSpotCodec().decode_frame
    bid_levels, ask_levels = make_book(seed)
    bids = SortedDict({price * UNIT: quantity * UNIT for price, quantity in bid_levels})
    asks = SortedDict({price * UNIT: quantity * UNIT for price, quantity in ask_levels})

    def feed(frames: list[bytes], times: list[int], touches: list[Touch]) -> None:
        for frame in frames:
            start = perf_counter_ns()
            diff = decode(frame)
            assert type(diff) is DepthDiff
            for levels, prices, quantities in (
                (bids, diff.bid_prices, diff.bid_quantities),
                (asks, diff.ask_prices, diff.ask_quantities),
            ):
                for price, quantity in zip(prices, quantities, strict=True):
                    if quantity:
                        levels[price] = quantity
                    elif price in levels:
                        del levels[price]
            touch = bids.peekitem(-1)[0], asks.peekitem(0)[0]
            times.append(perf_counter_ns() - start)
            touches.append((touch[0] // UNIT, touch[1] // UNIT))

    return feed


class _Diff(msgspec.Struct, gc=False):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Frame(msgspec.Struct, gc=False):
    data: _Diff


def sorteddict_side(seed: int, number: type[float] | type[Decimal] = float) -> Side:
    """What one writes: typed decoding, `number(text)`, a SortedDict a side."""
    decode = msgspec.json.Decoder(_Frame).decode
    bid_levels, ask_levels = make_book(seed)
    bids = SortedDict({number(_text(price)): number(_text(quantity)) for price, quantity in bid_levels})
    asks = SortedDict({number(_text(price)): number(_text(quantity)) for price, quantity in ask_levels})

    def feed(frames: list[bytes], times: list[int], touches: list[Touch]) -> None:
        for frame in frames:
            start = perf_counter_ns()
            diff = decode(frame).data
            for levels, changes in ((bids, diff.b), (asks, diff.a)):
                for price_text, quantity_text in changes:
                    price, quantity = number(price_text), number(quantity_text)
                    if quantity:
                        levels[price] = quantity
                    else:
                        levels.pop(price, None)
            touch = bids.peekitem(-1)[0], asks.peekitem(0)[0]
            times.append(perf_counter_ns() - start)
            touches.append((round(touch[0] * 100), round(touch[1] * 100)))

    return feed


def sorteddict_decimal_side(seed: int) -> Side:
    return sorteddict_side(seed, Decimal)


SIDES: dict[str, Callable[[int], Side]] = {
    "touchline_us": touchline_side,
    "sorteddict_decimal_us": sorteddict_decimal_side,
    "sorteddict_float_us": sorteddict_side,
    "sorteddict_same_codec_us": same_codec_side,
}


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
    """Binance's own bytes, ten changes a side, in the mix of a recorded day (6,470 diffs of ETHUSDT).

    Of the changes there 47 % set a known level, 25 % add one, 24 % delete one and 4 % delete an unknown one; the rank
    from the touch was 3 / 15 / 75 / 247 / 415 at the 10th / 25th / 50th / 75th / 90th percentile.
    """
    random = Random(seed + 1)
    bids, asks = ([-sign * cents for cents, _ in side] for sign, side in zip((-1, 1), make_book(seed), strict=True))
    bids.reverse()
    asks.reverse()  # both ascending by key, an ask's key is its negated price: the touch is last
    frames = []
    for first in range(1, count * 2 * LEVELS_FRAME, 2 * LEVELS_FRAME):
        bids_text = _texts(_changes(random, bids, -asks[-1]))
        asks_text = _texts({-key: quantity for key, quantity in _changes(random, asks, -bids[-1]).items()})
        frames.append(
            f'{{"stream":"ethusdt@depth@100ms","data":{{"e":"depthUpdate","E":{1723161255308 + first},"s":"ETHUSDT",'
            f'"U":{first},"u":{first + 2 * LEVELS_FRAME - 1},"b":[{bids_text}],"a":[{asks_text}]}}}}'.encode()
        )
    return frames


def _changes(random: Random, keys: list[int], limit: int) -> dict[int, int]:
    """Change one side in place; `limit`: the other side's touch as a key of this side, never reached."""
    changes: dict[int, int] = {}
    while len(changes) < LEVELS_FRAME:
        rank, kind = int(900 * random.random() ** 2.4), random.random()
        key = keys[-1 - rank]
        if kind < 0.25:
            key += 1 if rank == 0 else -1
            if key >= limit:
                continue
            if key not in keys:
                insort(keys, key)
            changes[key] = random.randrange(1, 5_000)
        elif kind < 0.5:
            if len(keys) < LEVELS_BOOK:
                continue  # as many come as go
            keys.remove(key)
            changes[key] = 0
        elif kind < 0.96:
            changes[key] = random.randrange(1, 5_000)
        else:
            changes[keys[0] - random.randrange(1, 99)] = 0
    return changes


def _texts(changes: dict[int, int]) -> str:
    return ",".join(f'["{_text(price)}","{_text(quantity)}"]' for price, quantity in changes.items())


def _text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}000000"


def _percentiles(times_ns: list[int]) -> dict[str, float]:
    ordered = sorted(times_ns)
    last = len(ordered) - 1
    return {name: ordered[int(last * part)] / 1_000 for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(sorted(each[name] for each in rounds)[len(rounds) // 2], 2) for name in ("p50", "p99", "p999")}
