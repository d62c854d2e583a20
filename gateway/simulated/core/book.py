"""A price-time book of orders for one instrument, and the batches of changed levels its depth streams send. Pure.

Each change of a level's quantity is one update id. Best price first; at one price, first come first served.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice, takewhile

import msgspec

from .orders import Offer, Order, Side

BUY, SELL = Side.BUY, Side.SELL


class Level:
    """One price: its orders in time order, and their leaves added up."""

    __slots__ = ("orders", "quantity")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.quantity = 0


class TopOfBook(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask; price and quantity are 0 on an empty side."""

    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


class DepthBatch:
    """Levels changed since the last flush, absolute quantities; 0 deletes. One a stream cadence."""

    def __init__(self, update_id: int) -> None:
        self.flushed_id = update_id
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def clear(self, update_id: int) -> None:
        self.flushed_id = update_id
        self.bids = {}
        self.asks = {}


class BookSide:
    """The levels of one side. `keys` sorts them with the best last, where most of the changes are: bids by price, asks by -price.

    A plain list: finding and moving a place among a thousand takes a third of what SortedDict's own bookkeeping does.
    """

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def open(self, price: int) -> Level:
        level = self.levels[price] = Level()
        insort(self.keys, self.sign * price)
        return level

    def close(self, price: int) -> None:
        del self.levels[price]
        keys, key = self.keys, self.sign * price
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

    def best(self) -> int:
        """Return the best price, 0 without one."""
        return self.sign * self.keys[-1] if self.keys else 0

    def prices(self) -> Iterator[int]:
        """Yield the prices, best first."""
        return (self.sign * key for key in reversed(self.keys))


class PriceTimeBook:
    """`batches`: one of changes a depth cadence."""

    shows_own_orders = True

    def __init__(self, symbol: str, first_update_id: int = 1, cadences: int = 2) -> None:
        self.symbol = symbol
        self.update_id = first_update_id
        self.batches = [DepthBatch(first_update_id) for _ in range(cadences)]
        self._bids = BookSide(1)
        self._asks = BookSide(-1)

    # ---- what it shows

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """Yield (price, quantity) of the resting orders of `side`, best first."""
        own = self._bids if side is BUY else self._asks
        return ((price, own.levels[price].quantity) for price in own.prices())

    def orders(self, side: Side, limit: int) -> Iterator[tuple[int, list[Order]]]:
        """Yield price and orders, in time order, of the best `limit` levels of `side`, best first."""
        own = self._bids if side is BUY else self._asks
        return ((price, list(own.levels[price].orders.values())) for price in islice(own.prices(), limit))

    def depth(self, limit: int) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the update id, bids and asks, best first, at most `limit` levels a side."""
        return self.update_id, list(islice(self.levels(BUY), limit)), list(islice(self.levels(SELL), limit))

    def level_count(self, side: Side) -> int:
        return len((self._bids if side is BUY else self._asks).keys)

    def best(self, side: Side) -> int | None:
        return (self._bids if side is BUY else self._asks).best() or None

    def from_worst(self, side: Side) -> Iterator[tuple[int, Level]]:
        """Yield price and level of the resting orders of `side`, worst first."""
        own = self._bids if side is BUY else self._asks
        return ((own.sign * key, own.levels[own.sign * key]) for key in own.keys)

    def top(self) -> TopOfBook:
        bid, ask = self._bids.best(), self._asks.best()
        return TopOfBook(
            bid, self._bids.levels[bid].quantity if bid else 0, ask, self._asks.levels[ask].quantity if ask else 0
        )

    def middle(self) -> int | None:
        bid, ask = self._bids.best(), self._asks.best()
        return (bid + ask) // 2 if bid and ask else None

    def level(self, side: Side, price: int) -> Level | None:
        return (self._bids if side is BUY else self._asks).levels.get(price)

    # ---- what a taker meets

    def best_offer(self, side: Side) -> int:
        return (self._asks if side is BUY else self._bids).best()

    def scan(self, side: Side) -> Iterator[Offer]:
        other = self._asks if side is BUY else self._bids
        for price in other.prices():
            for order in other.levels[price].orders.values():
                yield Offer(price, order.leaves, order)

    def offers(self, side: Side) -> Iterator[Offer]:
        other = self._asks if side is BUY else self._bids
        keys, levels, sign = other.keys, other.levels, other.sign
        while keys:
            price = sign * keys[-1]
            maker = next(iter(levels[price].orders.values()))
            yield Offer(price, maker.leaves, maker)

    # ---- resting orders

    def queue_ahead(self, order: Order) -> tuple[int, int]:
        level = self.level(order.side, order.price)
        assert level is not None
        before = list(takewhile(lambda other: other is not order, level.orders.values()))
        return len(before), sum(other.leaves for other in before)

    def rest(self, order: Order) -> None:
        side = order.side
        own = self._bids if side is BUY else self._asks
        price = order.price
        level = own.levels.get(price)
        if level is None:
            level = own.open(price)
        level.orders[order.order_id] = order
        level.quantity += order.leaves
        self._changed(side, price, level.quantity)

    def reduce(self, order: Order, quantity: int) -> None:
        """The order's own leaves are already less by `quantity`; at none left it goes."""
        own = self._bids if order.side is BUY else self._asks
        level = own.levels[order.price]
        assert quantity <= level.quantity
        level.quantity -= quantity
        if order.leaves == 0:
            del level.orders[order.order_id]
        self._settle_level(own, order, level)

    def remove(self, order: Order) -> None:
        own = self._bids if order.side is BUY else self._asks
        level = own.levels[order.price]
        del level.orders[order.order_id]
        level.quantity -= order.leaves
        self._settle_level(own, order, level)

    def _settle_level(self, own: BookSide, order: Order, level: Level) -> None:
        if not level.orders:
            assert level.quantity == 0
            own.close(order.price)
        self._changed(order.side, order.price, level.quantity)

    def _changed(self, side: Side, price: int, quantity: int) -> None:
        self.update_id += 1
        if side is BUY:
            for batch in self.batches:
                batch.bids[price] = quantity
        else:
            for batch in self.batches:
                batch.asks[price] = quantity
