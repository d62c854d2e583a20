"""Levels near a side's touch that come and go faster than anyone means them. The definition is ours. HOT PATH: `update`.

A flip is one of the best FLICKER_LEVELS that appears between two views, or disappears without a trade that reached it.
A price flickers while it has flipped at least `flips_min` times in the window. Seen through views: what comes and goes
between two of them (100 ms on the feeds we record) is not seen. Our own orders are in the book, and flip like anyone's.
"""

import msgspec

from actors.microstructure.timewindow import TimeWindow

FLICKER_LEVELS = 5  # chosen: who joins a level joins one near the touch; all 20 of a view cost 6 us a change, these 1.5
FLIPS_MAX = 1_000  # in one window; chosen: at most 10 a view and 10 views a second for 10 s. Then the window spans less
UNTRADED = 1 << 62
"""Key of a side that no trade reached since its last view."""


class Flicker(msgspec.Struct, dict=True):
    """Keys are prices times `side` (+1 bids, -1 asks): a better level has the greater one. Own checkpoint.

    prices: of the best levels, in the view before. traded: key of the deepest trade since then. `counts` (flips by price)
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

    def update(self, prices: tuple[int, ...], received_ns: int) -> None:
        """The best levels, best first, when they are others than in the view before; equal ones need no call."""
        before, side = self.prices, self.side
        self.prices = prices
        if not before:
            return
        visible = -UNTRADED  # key down to which both views show all: a short one is the whole side
        if len(before) == FLICKER_LEVELS:
            visible = before[-1] * side
        if len(prices) == FLICKER_LEVELS:
            visible = max(visible, prices[-1] * side)
        flips: list[int] = []  # loops: a comprehension with what they need costs 0.4 us more on Python 3.11
        for price in prices:
            if price not in before and price * side >= visible:
                flips.append(price)  # noqa: PERF401 - above
        for price in before:
            if price not in prices and visible <= price * side < self.traded:
                flips.append(price)  # noqa: PERF401 - above
        if flips:
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
