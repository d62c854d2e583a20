"""One L2 book: quantity by price, and a sorted list a side with the touch at its end. Knows nothing of actors. HOT PATH.

Asks are kept under their negated price, so that on both sides the best level is the list's last: reading the touch is
O(1), and most changes happen near the end, where inserting moves little. Measured against SortedDict by
`ops.bench.book`. Finding a place in the list is most of the cost (0.2-0.3 us of a new or deleted level). Leaving far
deleted levels in it at quantity 0 gained nothing (5.6 us for 5.3 a frame: few come back) and cost the tail a sweep.
"""

from bisect import bisect_left, insort
from operator import itemgetter, neg

from bus.messages import Side

LEVELS_MAX = 10_000  # a side; twice the deepest snapshot. Beyond it the farthest are forgotten and the horizon shrinks
LEVELS_KEEP = 9_000  # what is left then, so that a book at its limit does not trim at each update
UNBOUNDED = -(1 << 62)
"""Horizon key of a side that is known to its end."""

Levels = tuple[tuple[int, ...], tuple[int, ...]]
"""Prices and quantities, best first."""


class Book:
    """Prices and quantities are integers in the instrument's scales. A key is a bid's price or an ask's negated price.

    Invariants: `*_keys` is sorted and holds exactly the keys of its dict; no quantity is 0. A key below its side's
    horizon is unknown unless held: nobody told us what lies there, only what changed.
    """

    __slots__ = ("ask_horizon", "ask_keys", "asks", "bid_horizon", "bid_keys", "bids", "depth", "levels_max")

    def __init__(self, levels_max: int = LEVELS_MAX, depth: int = 0) -> None:
        """depth: levels a side of a book that the venue has us truncate after every update; 0: only `levels_max` bounds it."""
        self.levels_max = levels_max
        self.depth = depth
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.bid_keys: list[int] = []
        self.ask_keys: list[int] = []
        self.bid_horizon = UNBOUNDED
        self.ask_horizon = UNBOUNDED

    def load(
        self,
        bid_prices: tuple[int, ...],
        bid_quantities: tuple[int, ...],
        ask_prices: tuple[int, ...],
        ask_quantities: tuple[int, ...],
        snapshot_levels: int = 0,
    ) -> None:
        """Replace everything. A side with fewer than `snapshot_levels` is known to its end; else only as far as it goes.

        A book of a fixed depth is asked for in that depth, whatever `snapshot_levels` says.
        """
        snapshot_levels = self.depth or snapshot_levels
        self.bids = {price: quantity for price, quantity in zip(bid_prices, bid_quantities, strict=True) if quantity}
        self.asks = {-price: quantity for price, quantity in zip(ask_prices, ask_quantities, strict=True) if quantity}
        self.bid_keys = sorted(self.bids)
        self.ask_keys = sorted(self.asks)
        self.bid_horizon = self.bid_keys[0] if self.bids and len(bid_prices) >= snapshot_levels else UNBOUNDED
        self.ask_horizon = self.ask_keys[0] if self.asks and len(ask_prices) >= snapshot_levels else UNBOUNDED
        if self.depth:
            self._truncate()
        else:
            self._trim()

    def apply(
        self,
        bid_prices: tuple[int, ...],
        bid_quantities: tuple[int, ...],
        ask_prices: tuple[int, ...],
        ask_quantities: tuple[int, ...],
    ) -> None:
        """Set each named level to its quantity; 0 deletes (deleting an unknown level is normal)."""
        assert len(bid_prices) == len(bid_quantities), "a quantity for each price"
        assert len(ask_prices) == len(ask_quantities), "a quantity for each price"
        if bid_prices:
            levels, keys = self.bids, self.bid_keys
            pop = levels.pop
            for key, quantity in zip(bid_prices, bid_quantities):  # noqa: B905 - strict=True costs 0.4 us a call
                if quantity:
                    if key not in levels:
                        insort(keys, key)
                    levels[key] = quantity
                elif pop(key, 0):  # no quantity is 0, so this says whether it was there
                    del keys[bisect_left(keys, key)]
        if ask_prices:
            levels, keys = self.asks, self.ask_keys
            pop = levels.pop
            for key, quantity in zip(map(neg, ask_prices), ask_quantities):  # noqa: B905 - as above
                if quantity:
                    if key not in levels:
                        insort(keys, key)
                    levels[key] = quantity
                elif pop(key, 0):
                    del keys[bisect_left(keys, key)]
        if self.depth:
            self._truncate()
        elif len(self.bid_keys) > self.levels_max or len(self.ask_keys) > self.levels_max:
            self._trim()

    def touch(self) -> tuple[int, int, int, int]:
        """bid, its quantity, ask, its quantity; 0 and 0 where a side is empty."""
        bid_keys, ask_keys = self.bid_keys, self.ask_keys
        bid = bid_keys[-1] if bid_keys else 0
        key = ask_keys[-1] if ask_keys else 0
        return bid, self.bids[bid] if bid_keys else 0, -key, self.asks[key] if ask_keys else 0

    def known_touch(self) -> tuple[int, int, int, int] | None:
        """None when the best level of a side lies beyond its horizon: a better one may be there that nobody told."""
        return self.touch() if self.sound or self.within_horizon else None

    def levels(self, count: int) -> tuple[Levels, Levels]:
        """Bids and asks, best first, at most `count` each, never beyond the horizon. HOT PATH."""
        bids, asks = self.bids, self.asks
        cut = slice(None, -count - 1, -1)
        keys = self.bid_keys[cut]
        if keys and keys[-1] < self.bid_horizon:
            keys = [key for key in keys if key >= self.bid_horizon]
        ask_keys = self.ask_keys[cut]
        if ask_keys and ask_keys[-1] < self.ask_horizon:
            ask_keys = [key for key in ask_keys if key >= self.ask_horizon]
        if len(keys) < 2 or len(ask_keys) < 2:  # itemgetter of one key gives no tuple
            bid_quantities, ask_quantities = tuple(map(bids.__getitem__, keys)), tuple(map(asks.__getitem__, ask_keys))
        else:  # 2.2 us for 20 levels a side where two maps take 2.8
            bid_quantities, ask_quantities = itemgetter(*keys)(bids), itemgetter(*ask_keys)(asks)
        return (tuple(keys), bid_quantities), (tuple(map(neg, ask_keys)), ask_quantities)

    @property
    def sound(self) -> bool:
        """Two sides, both touches known, not crossed: the usual case in one look. HOT PATH."""
        bids, asks = self.bid_keys, self.ask_keys
        if not (bids and asks):
            return False
        bid, ask = bids[-1], asks[-1]
        return bid + ask < 0 and bid >= self.bid_horizon and ask >= self.ask_horizon

    @property
    def crossed(self) -> bool:
        """Bid at or above ask (locked counts): no venue with a matching engine shows that."""
        return bool(self.bid_keys and self.ask_keys) and self.bid_keys[-1] + self.ask_keys[-1] >= 0

    @property
    def within_horizon(self) -> bool:
        """Is the touch itself known? Not when every level of the snapshot has been eaten."""
        bids, asks = self.bid_keys, self.ask_keys
        bid_known = bids[-1] >= self.bid_horizon if bids else self.bid_horizon == UNBOUNDED
        ask_known = asks[-1] >= self.ask_horizon if asks else self.ask_horizon == UNBOUNDED
        return bid_known and ask_known

    @property
    def spread(self) -> int | None:
        """Price units; None while a side is empty."""
        return -self.ask_keys[-1] - self.bid_keys[-1] if self.bid_keys and self.ask_keys else None

    @property
    def horizon(self) -> tuple[int | None, int | None]:
        """Lowest bid and highest ask price up to which all is known; None: that side is known to its end."""
        bid, ask = self.bid_horizon, self.ask_horizon
        return (None if bid == UNBOUNDED else bid, None if ask == UNBOUNDED else -ask)

    def depth_to_price(self, side: Side, price: int) -> int | None:
        """Quantity resting on `side` from its touch to `price`, both included; None beyond the horizon."""
        if side == Side.BUY:
            return _depth(self.bids, self.bid_keys, price, self.bid_horizon)
        return _depth(self.asks, self.ask_keys, -price, self.ask_horizon)

    def quantity_to_move(self, side: Side, distance: int) -> int | None:
        """Quantity that must be taken from `side` for its touch to move by at least `distance` price units.

        D(x) of the microstructure notes. None beyond the horizon, and when the side is empty or would be.
        """
        if side == Side.BUY:
            levels, keys, horizon = self.bids, self.bid_keys, self.bid_horizon
        else:
            levels, keys, horizon = self.asks, self.ask_keys, self.ask_horizon
        if not keys or keys[0] > keys[-1] - distance:
            return None
        return _depth(levels, keys, keys[-1] - distance + 1, horizon)

    def _truncate(self) -> None:
        """To `depth`: the venue tells every level up to it. So a full side is known to its last level, and a shorter one
        to its end."""
        depth, bid_keys, ask_keys = self.depth, self.bid_keys, self.ask_keys
        if len(bid_keys) > depth:
            _forget(self.bids, bid_keys, depth)
        if len(ask_keys) > depth:
            _forget(self.asks, ask_keys, depth)
        self.bid_horizon = bid_keys[0] if len(bid_keys) == depth else UNBOUNDED
        self.ask_horizon = ask_keys[0] if len(ask_keys) == depth else UNBOUNDED

    def _trim(self) -> None:
        """Forget the farthest levels of a side that has more than `levels_max`."""
        keep = self.levels_max * LEVELS_KEEP // LEVELS_MAX
        if len(self.bid_keys) > self.levels_max:
            _forget(self.bids, self.bid_keys, keep)
            self.bid_horizon = max(self.bid_horizon, self.bid_keys[0])
        if len(self.ask_keys) > self.levels_max:
            _forget(self.asks, self.ask_keys, keep)
            self.ask_horizon = max(self.ask_horizon, self.ask_keys[0])


def _forget(levels: dict[int, int], keys: list[int], keep: int) -> None:
    excess = len(keys) - keep
    for key in keys[:excess]:
        del levels[key]
    del keys[:excess]


def _depth(levels: dict[int, int], keys: list[int], key: int, horizon: int) -> int | None:
    """Sum of the quantities at `key` and better; linear in the levels between."""
    if key < horizon:
        return None
    return sum(map(levels.__getitem__, keys[bisect_left(keys, key) :]))
