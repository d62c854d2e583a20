"""The books order by order, and where in its queue each order of a client truly stands. What no client of a venue is told. Pure."""

from collections.abc import Iterator

from .core.book import PriceTimeBook
from .core.decimals import decimal_text
from .core.matching import MatchingEngine
from .core.orders import BACKGROUND, Order, Side
from .operations import Params
from .payload import Json, Payload
from .spot import parameters

LEVELS_DEFAULT = 20
LEVELS_MAX = 1_000
BOOK = {"symbol": "", "levels": f"of each side; {LEVELS_DEFAULT} unless named, {LEVELS_MAX:,} at most"}


def book(engine: MatchingEngine, params: Params) -> Json:
    """Both sides, best first; the orders of a level first come first. A replayed book knows only the clients' orders.

    `quantity_ahead` and `orders_ahead` are what stands before an order at its price. Raises BadRequest.
    """
    symbol = parameters.text(params, "symbol")
    found = engine.instrument(symbol).book
    levels = parameters.integer(params, "levels")
    limit = LEVELS_DEFAULT if levels is None else min(levels, LEVELS_MAX)
    if not isinstance(found, PriceTimeBook):
        return {"symbol": symbol, "is_replayed": True, "orders": queues(engine, symbol=symbol)}
    return {
        "symbol": symbol,
        "is_replayed": False,
        "update_id": found.update_id,
        "bids": [_level(price, orders) for price, orders in found.orders(Side.BUY, limit)],
        "asks": [_level(price, orders) for price, orders in found.orders(Side.SELL, limit)],
    }


def queues(engine: MatchingEngine, symbol: str | None = None, account: str | None = None) -> list[Json]:
    """Every resting order of the clients with what is before it. A stop that waits is in no queue."""
    return [
        {
            "symbol": order.symbol,
            "side": order.side,
            "price": decimal_text(order.price),
            **_order(order, *engine.queue_ahead(order)),
        }
        for order in engine.registry.client_orders()
        if order.working_ns and symbol in (None, order.symbol) and account in (None, order.account)
    ]


def _level(price: int, orders: list[Order]) -> Json:
    rows = list(_rows(orders))
    quantity = sum(order.leaves for order in orders)
    return {"price": decimal_text(price), "quantity": decimal_text(quantity), "orders": rows}


def _rows(orders: list[Order]) -> Iterator[Payload]:
    quantity = 0
    for ahead, order in enumerate(orders):
        if order.account == BACKGROUND:
            yield {"order_id": order.order_id, "account": order.account, "quantity": decimal_text(order.leaves)}
        else:
            yield _order(order, ahead, quantity)
        quantity += order.leaves


def _order(order: Order, orders_ahead: int, quantity_ahead: int) -> Payload:
    return {
        "order_id": order.order_id,
        "account": order.account,
        "quantity": decimal_text(order.leaves),
        "client_order_id": order.client_order_id,
        "orders_ahead": orders_ahead,
        "quantity_ahead": decimal_text(quantity_ahead),
    }
