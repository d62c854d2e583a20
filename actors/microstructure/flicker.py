"""Levels of a side that come and go faster than anyone means them. The definition is ours.

The book is looked at every `flicker_interval_ms` at most: each view of a 100 ms feed, every few of a faster one. A flip is
a level of the view that appears between two looks, or disappears without a trade that reached it. A price flickers while
it has flipped at least `flips_min` times in the window. What comes and goes between two looks is not seen. Our own
orders are in the book, and flip like anyone's.
"""

import msgspec

from actors.microstructure.shape import VIEW_LEVELS
from actors.microstructure.timewindow import TimeWindow

FLIPS_MAX = 4_000  # in one window; chosen: at most 40 a look, 20 looks a second, for 5 s. Then the window spans less
UNTRADED = 1 << 62
"""Key of a side that no trade reached since the last look."""


class Flicker(msgspec.Struct, dict=True):
    """Keys are prices times `side` (+1 bids, -1 asks): a better level has the greater one. Own checkpoint.

    prices: at the last look. traded: key of the deepest trade since then. `counts` (flips by price)
    and `flickering` (prices, in the order in which they became so) are no fields: they are taken again from the flips.
    """

    side: int
    flips_min: int
    flips: TimeWindow
    prices: tuple[int, ...] = ()
    traded: int = UNTRADED

    @staticmethod
    def over(side: int, flips_min: int, span_ns: int) -> "Flicker":
        return Flicker(side, flips_min, TimeWindow(span_ns, FLIPS_MAX))

    def __post_init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.flickering: dict[int, None] = {}
        flips, self.flips = self.flips, TimeWindow(self.flips.span_ns, self.flips.size_max)
        for at_ns, price in zip(flips.times, flips.values, strict=True):
            self._count([price], at_ns)

    def trade(self, price: int) -> None:
        """Somebody took from this side at `price`: what stood there or better may be gone for that reason."""
        self.traded = min(self.traded, price * self.side)

    def take_traded(self) -> int:
        """`traded` as it is at a look; the next look's begins."""
        traded, self.traded = self.traded, UNTRADED
        return traded

    def look(self, prices: tuple[int, ...], received_ns: int, traded: int) -> None:
        """prices: best first. traded: between this look and the one before."""
        before, self.prices = self.prices, prices
        if before and prices != before:
            self._compare(before, prices, traded, received_ns)

    def _compare(self, before: tuple[int, ...], prices: tuple[int, ...], traded: int, received_ns: int) -> None:
        side = self.side
        visible = -UNTRADED  # key down to which both views show all: a short one is the whole side
        if len(before) == VIEW_LEVELS:
            visible = before[-1] * side
        if len(prices) == VIEW_LEVELS:
            visible = max(visible, prices[-1] * side)
        flips = []
        for price in sorted(frozenset(before) ^ frozenset(prices)):  # sorted: a set's own order is nobody's
            key = price * side
            if key >= visible and (key < traded or price not in before):
                flips.append(price)
        self._count(flips, received_ns)

    def expire(self, now_ns: int) -> None:
        if now_ns >= self.flips.expires_ns:
            self._left(self.flips.expire(now_ns))

    def clear(self) -> None:
        self.flips.clear()
        self.counts.clear()
        self.flickering.clear()
        self.prices, self.traded = (), UNTRADED

    def _count(self, flips: list[int], received_ns: int) -> None:
        push, counts, flips_min = self.flips.push, self.counts, self.flips_min
        for price in flips:
            left = push(received_ns, price)
            if left:
                self._left(left)
            count = counts[price] = counts.get(price, 0) + 1
            if count == flips_min:
                self.flickering[price] = None

    def _left(self, prices: list[int]) -> None:
        counts = self.counts
        for price in prices:
            count = counts[price] - 1
            if count:
                counts[price] = count
            else:
                del counts[price]
            if count == self.flips_min - 1:
                del self.flickering[price]
