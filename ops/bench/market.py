"""A seeded diff stream for benchmarks: a 1,000-level book a side that moves, as the venue's own bytes.

Twenty changed levels a frame, most near the touch, as in the recorded captures; every frame moves the touch by one to
three ticks, so that a quoting engine must act on each.
"""

import random
from collections.abc import Iterator

SYMBOL = "BTCUSDT"
LEVELS = 1_000
CHANGES = 20
TICK = 1_000_000
"""0.01 in units of 10^-8."""
FIRST_BID = 6_000_000
"""60,000.00 in ticks."""
TRADES = 2
"""Public trades between two frames; chosen: a busy market has more, and one is enough to fill every window."""


def text(units: int) -> str:
    """Units of 10^-8 as the venue writes them: eight decimals."""
    whole, part = divmod(units, 100_000_000)
    return f"{whole}.{part:08d}"


class Market:
    """The generator's own book, so that frames are consistent: absolute quantities, deletes of levels that exist."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._takers = random.Random(~seed)  # of its own: the book is the same with and without trades
        self._trade_id = 0
        self.sequence = 1_000
        self.best_bid = FIRST_BID
        self._bids = {FIRST_BID - n: self._size() for n in range(LEVELS)}
        self._asks = {FIRST_BID + 1 + n: self._size() for n in range(LEVELS)}

    def snapshot(self) -> bytes:
        """The REST body at the present sequence."""
        bids = ",".join(self._level(p, self._bids[p]) for p in sorted(self._bids, reverse=True))
        asks = ",".join(self._level(p, self._asks[p]) for p in sorted(self._asks))
        return f'{{"lastUpdateId":{self.sequence},"bids":[{bids}],"asks":[{asks}]}}'.encode()

    def frame(self) -> bytes:
        """The next combined-stream frame; the touch moves in each."""
        draw = self._random
        changed_bids: dict[int, int] = {}
        changed_asks: dict[int, int] = {}
        move = draw.choice((-3, -2, -1, 1, 2, 3))
        if abs(self.best_bid + move - FIRST_BID) > 300:  # stay inside the levels we started with
            move = -move
        best_bid = self.best_bid + move
        if move > 0:
            for price in range(self.best_bid + 1, best_bid + 1):
                changed_asks[price], changed_bids[price] = 0, self._size()
        else:
            for price in range(best_bid + 1, self.best_bid + 1):
                changed_bids[price], changed_asks[price] = 0, self._size()
        self.best_bid = best_bid
        while len(changed_bids) + len(changed_asks) < CHANGES:
            depth = min(int(draw.expovariate(0.12)), LEVELS - 400)
            if draw.random() < 0.5:
                changed_bids[best_bid - depth] = self._size()
            else:
                changed_asks[best_bid + 1 + depth] = self._size()
        _apply(self._bids, changed_bids)
        _apply(self._asks, changed_asks)
        first, self.sequence = self.sequence + 1, self.sequence + CHANGES
        bids = ",".join(self._level(p, q) for p, q in changed_bids.items())
        asks = ",".join(self._level(p, q) for p, q in changed_asks.items())
        return (
            f'{{"stream":"{SYMBOL.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":1700000000000,"s":"{SYMBOL}",'
            f'"U":{first},"u":{self.sequence},"b":[{bids}],"a":[{asks}]}}}}'
        ).encode()

    def frames(self, count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield self.frame()

    def trades(self) -> list[tuple[float, bytes]]:
        """What is traded before the next frame, with when: a part of the time between the two, evenly drawn.

        At the touch, and small, so that the book need not know.
        """
        parts = sorted(self._takers.random() for _ in range(TRADES))
        return [(part, self._trade()) for part in parts]

    def _trade(self) -> bytes:
        self._trade_id += 1
        sells = self._takers.random() < 0.5
        price = text((self.best_bid if sells else self.best_bid + 1) * TICK)
        venue_ms = 1_700_000_000_000 + self._trade_id * 50
        return (
            f'{{"stream":"{SYMBOL.lower()}@trade","data":{{"e":"trade","E":{venue_ms},"s":"{SYMBOL}","t":{self._trade_id},'
            f'"p":"{price}","q":"{text(self._takers.randrange(1, 1_000) * 1_000)}","T":{venue_ms},'
            f'"m":{"true" if sells else "false"},"M":true}}}}'
        ).encode()

    def _size(self) -> int:
        return int(self._random.paretovariate(1.3) * 1_000) * 1_000

    def _level(self, price: int, quantity: int) -> str:
        return f'["{text(price * TICK)}","{text(quantity)}"]'


def _apply(side: dict[int, int], changes: dict[int, int]) -> None:
    for price, quantity in changes.items():
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)
