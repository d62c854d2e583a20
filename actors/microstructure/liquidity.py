"""The shape of one side of a book: clusters, thin ice, depth to move. The definitions are ours, and stand here.

After Farmer, Gillemot, Lillo, Mike and Sen (2004): large moves come from gaps in the book rather than from large orders.
All is read off the levels of the last view, every `liquidity_interval_ms`; what lies between two readings is not seen.

usual level, usual gap   the median quantity of a side's levels and the mean distance between neighbors, smoothed
                         over the readings (exponentially, weight 1 / `usual_scans`)
cluster                  a level of at least `cluster_multiple` medians of its side now. The median absolute deviation of
                         positive numbers is at most their median, so that is a robust z of (multiple - 1) / 1.4826
                         or more: 6 for 10. It has stood since the first of the readings in a row that found it, and is
                         told when that is `cluster_stood_ms` ago
hole                     a way of at least `gap_multiple` usual gaps from the touch, or from the last level that counts, to
                         the next level; a level below `thin_level_pct` per cent of the usual one does not count, so a run
                         of thin levels is a hole like no levels at all. Behind the last level all is one hole
thin ice                 less than `thin_levels` usual levels stand between the touch and the next hole
depth                    D(x): what must go to move the touch by `depth_ticks`; if the view ends before, what it shows
"""

from bisect import bisect_left
from operator import neg, pos

import msgspec

from actors.microstructure.flicker import Flicker
from actors.microstructure.settings import MS, MicrostructureSettings

LEVELS_MIN = 5  # of a side, for a median to say anything; chosen. With fewer there is no cluster and nothing usual


class SideLiquidity(msgspec.Struct):
    """What the last reading found. side: +1 bids, -1 asks. usual_*: `usual_scans` times the smoothed median or mean; 0: unknown.

    clusters, quantities, since_ns: one for each cluster that is told, best first. standing: since when each has stood, by
    price; also of those that are too young to be told.
    """

    side: int
    flicker: Flicker
    usual_level: int = 0
    usual_gap: int = 0
    thin: bool = False
    depth: int = 0
    clusters: tuple[int, ...] = ()
    quantities: tuple[int, ...] = ()
    since_ns: tuple[int, ...] = ()
    flickering: tuple[int, ...] = ()
    standing: dict[int, int] = {}

    def read(
        self,
        prices: tuple[int, ...],
        quantities: tuple[int, ...],
        received_ns: int,
        settings: MicrostructureSettings,
        distance: int,
    ) -> None:
        """Take a reading. prices: best first, at least one. distance: `depth_ticks` in price units."""
        ranked = sorted(quantities)
        count = len(ranked)
        least = 0
        if count >= LEVELS_MIN:
            median = ranked[(count - 1) // 2]
            least = median * settings.cluster_multiple
            self._learn(median, abs(prices[0] - prices[-1]) // (count - 1), settings.usual_scans)
        if 0 < least <= ranked[-1]:
            self._find_clusters(prices, quantities, least, received_ns, settings.cluster_stood_ms * MS)
        elif self.standing:
            self._no_clusters()
        self.thin = self.usual_level > 0 and self._is_thin(prices, quantities, settings)
        self.depth = self._depth(prices, quantities, distance)
        flicker = self.flicker
        flicker.expire(received_ns)
        self.flickering = tuple(sorted(flicker.flickering, reverse=self.side > 0)) if flicker.flickering else ()

    def clear(self) -> None:
        self.flicker.clear()
        self.usual_level = self.usual_gap = self.depth = 0
        self.thin = False
        self.flickering = ()
        self._no_clusters()

    def _learn(self, median: int, gap: int, scans: int) -> None:
        """Fold a reading into what is usual. A smoothed x is kept as scans * x, an integer: x += (new - x) / scans."""
        if self.usual_level:
            self.usual_level += median - self.usual_level // scans
            self.usual_gap += gap - self.usual_gap // scans
        else:
            self.usual_level, self.usual_gap = scans * median, scans * gap

    def _is_thin(self, prices: tuple[int, ...], quantities: tuple[int, ...], settings: MicrostructureSettings) -> bool:
        """Walk from the touch until enough stands, mostly after one or two levels, or until a hole comes first."""
        scans, side = settings.usual_scans, self.side
        enough = settings.thin_levels * self.usual_level // scans
        counts = settings.thin_level_pct * self.usual_level // (100 * scans)
        hole = settings.gap_multiple * self.usual_gap // scans
        last, held = prices[0], 0
        for price, quantity in zip(prices, quantities):  # noqa: B905 - strict=True costs 0.4 us a call
            if (last - price) * side >= hole:
                return True
            held += quantity
            if held >= enough:
                return False
            if quantity >= counts:
                last = price
        return True

    def _depth(self, prices: tuple[int, ...], quantities: tuple[int, ...], distance: int) -> int:
        key = neg if self.side > 0 else pos  # ascending, as bisect wants it
        return sum(quantities[: bisect_left(prices, key(prices[0]) + distance, key=key)])

    def _find_clusters(
        self, prices: tuple[int, ...], quantities: tuple[int, ...], least: int, received_ns: int, stood_ns: int
    ) -> None:
        """Levels of at least `least`."""
        found = [pair for pair in zip(prices, quantities) if pair[1] >= least]  # noqa: B905 - as above
        before = self.standing
        standing = self.standing = {price: before.get(price, received_ns) for price, _ in found}
        told = [pair for pair in found if received_ns - standing[pair[0]] >= stood_ns]
        self.clusters = tuple([price for price, _ in told])
        self.quantities = tuple([quantity for _, quantity in told])
        self.since_ns = tuple([standing[price] for price in self.clusters])

    def _no_clusters(self) -> None:
        self.standing = {}
        self.clusters = self.quantities = self.since_ns = ()
