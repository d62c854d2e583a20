"""The prices of one book that execution watches, and what was last said of each. Pure. HOT PATH: `news`.

A watched level is said again only when an update changed it, and not when it is the touch or lies before it: the Touch
of that update says the one, and that there is nothing at the other (a hop less for orders that rest there, and when the
touch leaves them). What was said by either is remembered: a level behind the touch is said only if it changed.
"""

from actors.orderbook.book import UNBOUNDED, Book
from bus.messages import LevelQuantities, Message, WatchLevels

WATCHED_MAX = 64
"""Prices a side; chosen: several times the orders one instrument may have. Those beyond it get no answer, and are counted."""
NEVER = -2  # said of a level about which nothing was said yet
BEYOND = -1  # said of a level beyond the horizon

Found = tuple[list[int], list[int], list[int]]
"""Prices and quantities of known levels, and prices beyond the horizon."""


class Watched:
    """Keys as in `Book`; `bids` and `asks`: what was last said of each, in the order they were asked for."""

    __slots__ = ("asks", "beyond_limit", "bids")

    def __init__(self, bids: dict[int, int], asks: dict[int, int], beyond_limit: int = 0) -> None:
        self.bids = bids
        self.asks = asks
        self.beyond_limit = beyond_limit

    def replace(self, ask: WatchLevels) -> None:
        self.bids = dict.fromkeys(ask.bid_prices[:WATCHED_MAX], NEVER)
        self.asks = {-price: NEVER for price in ask.ask_prices[:WATCHED_MAX]}
        self.beyond_limit += len(ask.bid_prices[WATCHED_MAX:]) + len(ask.ask_prices[WATCHED_MAX:])

    def forget(self) -> None:
        """The book was not LIVE meanwhile: all is to be said again."""
        self.bids = dict.fromkeys(self.bids, NEVER)
        self.asks = dict.fromkeys(self.asks, NEVER)

    def news(self, book: Book, number: int, version: int, sequence: int, received_ns: int) -> tuple[Message, ...]:
        """At most two messages: of levels that are known, and of those beyond the horizon (known=False, quantity 0)."""
        bids = _changed(self.bids, book.bids, book.bid_keys, book.bid_horizon)
        asks = _changed(self.asks, book.asks, book.ask_keys, book.ask_horizon)
        if bids is None and asks is None:
            return ()
        bid_prices, bid_quantities, bids_beyond = bids or ([], [], [])
        ask_keys, ask_quantities, asks_beyond = asks or ([], [], [])
        out: list[Message] = []
        if bid_prices or ask_keys:
            ask_prices = tuple([-key for key in ask_keys])
            levels = (tuple(bid_prices), tuple(bid_quantities), ask_prices, tuple(ask_quantities))
            out.append(LevelQuantities(number, version, sequence, received_ns, *levels))
        if bids_beyond or asks_beyond:
            levels = (
                tuple(bids_beyond), (0,) * len(bids_beyond), tuple([-key for key in asks_beyond]), (0,) * len(asks_beyond)
            )  # fmt: skip
            out.append(LevelQuantities(number, version, sequence, received_ns, *levels, known=False))
        return tuple(out)


def _changed(said: dict[int, int], levels: dict[int, int], keys: list[int], horizon: int) -> Found | None:
    """What differs from what was said, which is brought up to date; None: nothing is to be said."""
    found: Found | None = None
    touch = keys[-1] if keys else UNBOUNDED
    for key, before in said.items():
        quantity = levels.get(key, 0)
        if not quantity and key < horizon:
            quantity = BEYOND
        if quantity == before:
            continue
        said[key] = quantity
        if key >= touch and before != NEVER:
            continue
        if found is None:
            found = ([], [], [])
        if quantity == BEYOND:
            found[2].append(key)
        else:
            found[0].append(key)
            found[1].append(quantity)
    return found
