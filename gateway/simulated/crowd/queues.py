"""Which order of a queue is canceled, by the rule that is set. Pure.

Orders of clients are passed over: the crowd cancels only its own. `uniform` is a draw from 0 up to and without 1.
"""

from collections.abc import Callable, Iterable
from itertools import islice

from ..core.book import Level
from ..core.orders import BACKGROUND, Order
from .parameters import CancelRule


def _first(orders: Iterable[Order]) -> Order | None:
    return next((order for order in orders if order.account == BACKGROUND), None)


def _uniform(level: Level, uniform: float) -> Order | None:
    """One order alike, without building a list; where a client's is met, the crowd's next one behind or the first."""
    orders = level.orders.values()
    return _first(islice(orders, int(uniform * len(orders)), None)) or _first(orders)


def _front(level: Level, uniform: float) -> Order | None:
    return _first(level.orders.values())


def _back(level: Level, uniform: float) -> Order | None:
    return _first(reversed(level.orders.values()))


def _size_weighted(level: Level, uniform: float) -> Order | None:
    left = uniform * level.quantity
    for order in level.orders.values():
        left -= order.leaves
        if left < 0 and order.account == BACKGROUND:
            return order
    return _back(level, uniform)


PICKS: dict[CancelRule, Callable[[Level, float], Order | None]] = {
    CancelRule.UNIFORM: _uniform,
    CancelRule.BACK: _back,
    CancelRule.FRONT: _front,
    CancelRule.SIZE_WEIGHTED: _size_weighted,
}
