"""A price-time book of orders for one instrument, and the batches of changed levels its depth streams send. Pure.

Each change of a level's quantity is one update id. Best price first; at one price, first come first served.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec
from sortedcontainers import SortedDict

from .orders import OPPOSITE, Offer, Order, Side


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


class PriceTimeBook:
    """Keys of both sides sort best first: asks by price, bids by the negated price. One batch of changes a depth cadence."""

    shows_own_orders = True

    def __init__(self, symbol: str, first_update_id: int = 1, cadences: int = 2) -> None:
        self.symbol = symbol
        self.update_id = first_update_id
        self.batches = [DepthBatch(first_update_id) for _ in range(cadences)]
        self._bids: SortedDict[int, Level] = SortedDict()
        self._asks: SortedDict[int, Level] = SortedDict()

    def _side(self, side: Side) -> "SortedDict[int, Level]":
        return self._bids if side is Side.BUY else self._asks

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """Yield (price, quantity) of the resting orders of `side`, best first."""
        sign = -1 if side is Side.BUY else 1
        for key, level in self._side(side).items():
            yield sign * key, level.quantity

    def depth(self, limit: int) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the update id, bids and asks, best first, at most `limit` levels a side."""
        return self.update_id, list(islice(self.levels(Side.BUY), limit)), list(islice(self.levels(Side.SELL), limit))

    def level_count(self, side: Side) -> int:
        return len(self._side(side))

    def best(self, side: Side) -> int | None:
        levels = self._side(side)
        if not levels:
            return None
        key: int = levels.keys()[0]
        return -key if side is Side.BUY else key

    def worst(self, side: Side) -> int | None:
        levels = self._side(side)
        if not levels:
            return None
        key: int = levels.keys()[-1]
        return -key if side is Side.BUY else key

    def top(self) -> TopOfBook:
        bid_price, bid_quantity = next(self.levels(Side.BUY), (0, 0))
        ask_price, ask_quantity = next(self.levels(Side.SELL), (0, 0))
        return TopOfBook(bid_price, bid_quantity, ask_price, ask_quantity)

    def middle(self) -> int | None:
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return None if bid is None or ask is None else (bid + ask) // 2

    def level(self, side: Side, price: int) -> Level | None:
        found: Level | None = self._side(side).get(-price if side is Side.BUY else price)
        return found

    def scan(self, side: Side) -> Iterator[Offer]:
        sign = 1 if side is Side.BUY else -1
        for key, level in self._side(OPPOSITE[side]).items():
            for order in level.orders.values():
                yield Offer(sign * key, order.leaves, order)

    def offers(self, side: Side) -> Iterator[Offer]:
        levels = self._side(OPPOSITE[side])
        while levels:
            maker = next(iter(levels.values()[0].orders.values()))
            yield Offer(maker.price, maker.leaves, maker)

    def rest(self, order: Order) -> None:
        levels = self._side(order.side)
        key = -order.price if order.side is Side.BUY else order.price
        level = levels.get(key)
        if level is None:
            level = levels[key] = Level()
        level.orders[order.order_id] = order
        level.quantity += order.leaves
        self._changed(order.side, order.price, level.quantity)

    def reduce(self, order: Order, quantity: int) -> None:
        """The order's own leaves are already less by `quantity`; at none left it goes."""
        level = self.level(order.side, order.price)
        assert level is not None
        assert quantity <= level.quantity
        level.quantity -= quantity
        if order.leaves == 0:
            del level.orders[order.order_id]
        self._settle_level(order, level)

    def remove(self, order: Order) -> None:
        level = self.level(order.side, order.price)
        assert level is not None
        del level.orders[order.order_id]
        level.quantity -= order.leaves
        self._settle_level(order, level)

    def _settle_level(self, order: Order, level: Level) -> None:
        if not level.orders:
            assert level.quantity == 0
            del self._side(order.side)[-order.price if order.side is Side.BUY else order.price]
        self._changed(order.side, order.price, level.quantity)

    def _changed(self, side: Side, price: int, quantity: int) -> None:
        self.update_id += 1
        for batch in self.batches:
            (batch.bids if side is Side.BUY else batch.asks)[price] = quantity
