"""A book that is true by definition: dictionaries, changed one level at a time by a seeded hand. Never crossed."""

from random import Random

LEVELS_START = 60
QUANTITY_MAX = 5_000_000


class TrueBook:
    """Prices and quantities are integers of the instrument's last decimal. update_id counts changes.

    bids, asks: quantity by price. A side never has fewer than LEVELS_START // 4 levels.
    """

    def __init__(self, seed: int, mid: int = 1_000_000, levels: int = LEVELS_START, update_id: int = 1_000) -> None:
        self.random = random = Random(seed)
        self.update_id = update_id
        self.levels = levels
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        for sign, side in ((-1, self.bids), (1, self.asks)):
            price = mid
            for _ in range(levels):
                price += sign * random.choice((1, 1, 1, 2, 3, 9))
                side[price] = random.randrange(1, QUANTITY_MAX)

    @property
    def top(self) -> tuple[int, int, int, int]:
        """bid, its quantity, ask, its quantity."""
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def change(self) -> None:
        """One level comes, goes, or changes its quantity; mostly near the touch."""
        random = self.random
        is_bid = random.random() < 0.5
        side, other = (self.bids, self.asks) if is_bid else (self.asks, self.bids)
        ranked = sorted(side, reverse=is_bid)
        at = ranked[int(len(ranked) * random.random() ** 3)]
        kind = random.random()
        if kind < 0.3 and len(side) > self.levels // 4:
            del side[at]
        elif kind < 0.6:
            price = at + random.choice((-2, -1, 1, 2))
            limit = min(other) if is_bid else max(other)
            if (price < limit) == is_bid and price != limit and price > 0:
                side[price] = random.randrange(1, QUANTITY_MAX)
            else:
                side[at] = random.randrange(1, QUANTITY_MAX)
        else:
            side[at] = random.randrange(1, QUANTITY_MAX)
        self.update_id += 1
