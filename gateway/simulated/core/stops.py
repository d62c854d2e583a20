"""Orders of one instrument that wait outside the book for a price. Pure.

STOP_LOSS triggers when the last trade's price reaches the stop price against the position (a BUY from below, a SELL from
above), TAKE_PROFIT the other way (rest-api.md, "New order"; trailing-stop-faq.md has the same table).
"""

from bisect import bisect_left, insort

from .orders import STOP_LOSSES, Order, OrderType, Side

NEVER_HIGH = 1 << 200
"""Above any price."""
NEVER_LOW = -1

_Place = tuple[int, int, Order]
"""How near the price is, the order id, the order: ids differ, so two orders are never compared."""


def rises_to(order_type: OrderType, side: Side) -> bool:
    """Whether such an order waits for the price to rise to its stop price, rather than to fall to it."""
    return (order_type in STOP_LOSSES) == (side is Side.BUY)


class StopBook:
    """`rise_at`, `fall_at`: a trade at or beyond one of them triggers something. Nearest price first, then by order id."""

    __slots__ = ("_falls", "_rises", "fall_at", "rise_at")

    def __init__(self) -> None:
        self.rise_at = NEVER_HIGH
        self.fall_at = NEVER_LOW
        self._rises: list[_Place] = []
        self._falls: list[_Place] = []

    def __len__(self) -> int:
        return len(self._rises) + len(self._falls)

    def add(self, order: Order) -> None:
        waiting, place = self._place(order)
        insort(waiting, place)
        self._look()

    def remove(self, order: Order) -> None:
        waiting, place = self._place(order)
        index = bisect_left(waiting, place)
        assert waiting[index][2] is order, order
        del waiting[index]
        self._look()

    def take(self, price: int) -> list[Order]:
        """Remove and return what a trade at `price` triggers: what waited for a rise, then what waited for a fall."""
        taken: list[Order] = []
        for waiting, nearness in ((self._rises, price), (self._falls, -price)):
            count = bisect_left(waiting, (nearness + 1,))  # a shorter tuple sorts before
            taken.extend(place[2] for place in waiting[:count])
            del waiting[:count]
        self._look()
        return taken

    def _place(self, order: Order) -> tuple[list[_Place], _Place]:
        if rises_to(order.order_type, order.side):
            return self._rises, (order.stop_price, order.order_id, order)
        return self._falls, (-order.stop_price, order.order_id, order)

    def _look(self) -> None:
        self.rise_at = self._rises[0][0] if self._rises else NEVER_HIGH
        self.fall_at = -self._falls[0][0] if self._falls else NEVER_LOW
