"""Depth streams for `bench book`, one a venue, as the venue writes them.

Binance Spot's comes from the mix of changes of a recorded day; the others are what gateway/simulated/wire makes of a book
that is true by definition, twenty changes a frame, most near the touch.
"""

from bisect import insort
from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from bus.messages.feed import Scales
from gateway.simulated.wire import TrueBook, Wire
from gateway.simulated.wire.binance_usdm import BinanceUsdmWire
from gateway.simulated.wire.bybit import BybitWire
from gateway.simulated.wire.coinbase import CoinbaseWire
from gateway.simulated.wire.kraken import KrakenWire
from gateway.simulated.wire.okx import OkxWire

LEVELS_BOOK = 1_000  # a side
LEVELS_FRAME = 10  # changes a side
MID = 2_683_00  # cents
FIRST_ID = 1_000
FRAME_NS = 100_000_000
START_NS = 1_723_161_255_308_000_000
PADDED = Scales(8, 8)
"""What most instruments of all venues have but Kraken's, whatever their ticks: the codecs' fast routes read these."""

Top = tuple[int, int]
"""Best bid and ask in the stream's price decimals."""


class DepthStream(NamedTuple):
    """opening: frames until the book can begin. snapshot: the REST body; b"": the opening has the book.

    scales: of the instrument. decimals: of the prices that the sides must agree on. levels: what was asked for.
    """

    venue: str
    symbol: str
    scales: Scales
    decimals: int
    levels: int
    opening: tuple[bytes, ...]
    snapshot: bytes
    frames: list[bytes]


def binance_spot(count: int, seed: int) -> DepthStream:
    bids, asks = (",".join(f'["{_text(p)}","{_text(q)}"]' for p, q in side) for side in make_book(seed))
    opening = _frame(FIRST_ID - 1, FIRST_ID, "", "")
    snapshot = f'{{"lastUpdateId":{FIRST_ID},"bids":[{bids}],"asks":[{asks}]}}'.encode()
    frames = make_frames(count, seed)
    return DepthStream("binance-spot", "ETHUSDT", PADDED, 2, LEVELS_BOOK, (opening,), snapshot, frames)


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
    for first in range(FIRST_ID + 1, FIRST_ID + count * 2 * LEVELS_FRAME, 2 * LEVELS_FRAME):
        bids_text = _texts(_changes(random, bids, -asks[-1]))
        asks_text = _texts({-key: quantity for key, quantity in _changes(random, asks, -bids[-1]).items()})
        frames.append(_frame(first, first + 2 * LEVELS_FRAME - 1, bids_text, asks_text))
    return frames


def _frame(first: int, last: int, bids: str, asks: str) -> bytes:
    return (
        f'{{"stream":"ethusdt@depth@100ms","data":{{"e":"depthUpdate","E":{1723161255308 + first},"s":"ETHUSDT",'
        f'"U":{first},"u":{last},"b":[{bids}],"a":[{asks}]}}}}'
    ).encode()


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


class Written(NamedTuple):
    """One venue's wire and what it is made with. rest: its books begin with a REST body. scales: of its instruments."""

    wire: Callable[..., Wire]
    symbol: str
    price_decimals: int
    quantity_decimals: int
    levels: int
    rest: bool
    scales: Scales = PADDED


WRITTEN: dict[str, Written] = {
    "binance-usdm": Written(BinanceUsdmWire, "ETHUSDT", 2, 3, 1_000, True),
    "kraken": Written(KrakenWire, "BTC/USD", 1, 8, 100, False, Scales(1, 8)),  # its precision: checksums are made of it
    "okx": Written(OkxWire, "BTC-USDT", 1, 8, 400, False),
    "bybit": Written(BybitWire, "BTCUSDT", 2, 6, 200, False),
    "coinbase": Written(CoinbaseWire, "BTC-USD", 2, 8, 1_000, False),
}


def written(venue: str, count: int, seed: int) -> DepthStream:
    """What the venue's wire makes of a true book of as many levels as the venue tells."""
    plan = WRITTEN[venue]
    wire = plan.wire(plan.symbol, plan.price_decimals, plan.quantity_decimals, plan.levels)
    book = TrueBook(seed, levels=plan.levels)
    opening, snapshot = [*wire.accepted()], wire.snapshot(book, START_NS)
    opening.append(wire.diff(book, START_NS) if plan.rest else snapshot)
    frames = []
    for number in range(1, count + 1):
        for _ in range(2 * LEVELS_FRAME):
            book.change()
        frames.append(wire.diff(book, START_NS + number * FRAME_NS))
    body = snapshot if plan.rest else b""
    return DepthStream(venue, plan.symbol, plan.scales, plan.price_decimals, plan.levels, tuple(opening), body, frames)


STREAMS: dict[str, Callable[[int, int], DepthStream]] = {
    "binance-spot": binance_spot,
    **{venue: partial(written, venue) for venue in WRITTEN},
}
"""By venue: (frames, seed) to its stream."""
