"""A recorded book as liquidity for our clients' orders: they see it, take from it and queue in it, and leave no trace.

Queue rule (risk-averse, after hftbacktest's RiskAdverseQueueModel): an order joins behind all that is displayed at its
price. Trades at its price eat what is ahead; a smaller displayed quantity only caps it; a trade through its price fills
it at once. Own orders do not meet each other here, so self-trade prevention has nothing to prevent. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sortedcontainers import SortedDict

from ..core.book import TopOfBook
from ..core.decimals import parse_decimal
from ..core.orders import OPPOSITE, Offer, Order, Side


@dataclass(slots=True)
class _Resting:
    order: Order
    ahead: int


class RecordedBook:
    shows_own_orders = False

    def __init__(self) -> None:
        self.update_id: int | None = None  # None until a snapshot came
        self.is_gapped = False
        self._levels: dict[Side, SortedDict[int, int]] = {Side.BUY: SortedDict(), Side.SELL: SortedDict()}
        self._resting: dict[int, _Resting] = {}
        self._ticker_id = 0
        self._ticker = TopOfBook(0, 0, 0, 0)

    # ---- the recording

    def load(self, update_id: int, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> None:
        """Start over from a snapshot."""
        self.update_id = update_id
        self.is_gapped = False
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            self._levels[side].clear()
            self._set(side, levels)
        self._cap_all()

    def apply(
        self, first_id: int, last_id: int, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]
    ) -> bool:
        """Apply a diff; false if it is too old or there is no snapshot yet. A gap is remembered, not repaired."""
        if self.update_id is None or last_id <= self.update_id:
            return False
        self.is_gapped = self.is_gapped or first_id > self.update_id + 1
        self.update_id = last_id
        self._set(Side.BUY, bids)
        self._set(Side.SELL, asks)
        self._cap_all()
        return True

    def see_top(self, update_id: int, top: TopOfBook) -> None:
        """A recorded bookTicker: fresher than the last diff until the next one."""
        self._ticker_id, self._ticker = update_id, top
        self._cap_all()

    def see_trade(self, price: int, quantity: int, *, buyer_is_maker: bool) -> list[tuple[Order, int]]:
        """Return which resting orders a recorded trade fills, and by how much, first come first served."""
        side = Side.BUY if buyer_is_maker else Side.SELL
        fills: list[tuple[Order, int]] = []
        left = quantity
        for resting in self._resting.values():
            order = resting.order
            if (order.price > price) if order.side is Side.BUY else (order.price < price):
                fills.append((order, order.leaves))
            elif order.price == price and order.side is side:
                filled = min(order.leaves, max(0, left - resting.ahead))
                resting.ahead = max(0, resting.ahead - quantity)
                if filled:
                    left -= filled
                    fills.append((order, filled))
        return fills

    def _set(self, side: Side, levels: Iterable[tuple[str, str]]) -> None:
        sign = -1 if side is Side.BUY else 1
        book = self._levels[side]
        for price_text, quantity_text in levels:
            key, quantity = sign * parse_decimal(price_text), parse_decimal(quantity_text)
            if quantity:
                book[key] = quantity
            else:
                book.pop(key, None)

    def _cap_all(self) -> None:
        for resting in self._resting.values():
            resting.ahead = min(resting.ahead, self._displayed(resting.order.side, resting.order.price))

    # ---- what is displayed now

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """Yield (price, quantity) of the recorded depth, best first."""
        sign = -1 if side is Side.BUY else 1
        for key, quantity in self._levels[side].items():
            yield sign * key, quantity

    def depth(self, limit: int) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
        assert self.update_id is not None
        return self.update_id, list(islice(self.levels(Side.BUY), limit)), list(islice(self.levels(Side.SELL), limit))

    def top(self) -> TopOfBook:
        """Return the best of the recorded depth, as `depth` would tell it."""
        return TopOfBook(*next(self.levels(Side.BUY), (0, 0)), *next(self.levels(Side.SELL), (0, 0)))

    def _displayed(self, side: Side, price: int) -> int:
        best_price, best_quantity = self._ticker_best(side)
        if best_price:
            if price == best_price:
                return best_quantity
            if (price > best_price) if side is Side.BUY else (price < best_price):
                return 0
        quantity: int = self._levels[side].get(-price if side is Side.BUY else price, 0)
        return quantity

    def _ticker_best(self, side: Side) -> tuple[int, int]:
        """Return the bookTicker's best of `side` while it is fresher than the depth, else zeros."""
        if self.update_id is None or self._ticker_id <= self.update_id:
            return 0, 0
        ticker = self._ticker
        return (ticker.bid_price, ticker.bid_quantity) if side is Side.BUY else (ticker.ask_price, ticker.ask_quantity)

    # ---- Liquidity

    def best_offer(self, side: Side) -> int:
        offer = next(self.scan(side), None)
        return 0 if offer is None else offer.price

    def scan(self, side: Side) -> Iterator[Offer]:
        displayed = OPPOSITE[side]
        best_price, best_quantity = self._ticker_best(displayed)
        if best_price:
            yield Offer(best_price, best_quantity, None)
        for price, quantity in self.levels(displayed):
            is_behind = price < best_price if displayed is Side.BUY else price > best_price
            if not best_price or is_behind:
                yield Offer(price, quantity, None)

    def offers(self, side: Side) -> Iterator[Offer]:
        return self.scan(side)

    def rest(self, order: Order) -> None:
        self._resting[order.order_id] = _Resting(order, self._displayed(order.side, order.price))

    def reduce(self, order: Order, quantity: int) -> None:
        if order.leaves == 0:
            del self._resting[order.order_id]

    def remove(self, order: Order) -> None:
        del self._resting[order.order_id]

    def queue_ahead(self, order: Order) -> tuple[int, int]:
        """A recording shows quantity and no orders: their number is not known, and told as 0."""
        return 0, self._resting[order.order_id].ahead

    def middle(self) -> int | None:
        top = self.top()
        return (top.bid_price + top.ask_price) // 2 if top.bid_price and top.ask_price else None
