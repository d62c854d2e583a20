"""Orders and trades that are asked for (docs, "Query Order", "All Orders", "Account Trade List")."""

from collections.abc import Callable
from typing import TypeVar

from ..core.errors import BadRequest, no_such_order
from ..core.orders import Order
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json, Payload
from ..spot.parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX, integer, limit
from . import payloads
from .api import PerpetualApi

_Row = TypeVar("_Row")

DAYS_MAX = 7  # docs, "All Orders", "Account Trade List": between startTime and endTime, and back from now without them
UNFILLED_DAYS, KEPT_DAYS = 3, 90  # docs, "Query Order": then one that ended is not found; the first without a fill
DAY_MS = 86_400_000


def order_status(api: PerpetualApi, call: Call) -> Json:
    order = api.find(call.account, call.params)
    days = UNFILLED_DAYS if not order.executed else KEPT_DAYS
    if not order.is_open and call.now_ns - order.created_ns > days * DAY_MS * NS_PER_MS:
        raise no_such_order()
    return _status(api, order)


def open_order(api: PerpetualApi, call: Call) -> Json:
    order = api.find(call.account, call.params)
    if not order.is_open:
        raise no_such_order()
    return _status(api, order)


def _status(api: PerpetualApi, order: Order) -> Payload:
    return payloads.order_status(order, api.users.terms.of(order.order_id), api.figures(order.symbol))


def open_orders(api: PerpetualApi, call: Call) -> Json:
    symbol = api.symbol(call.params) if "symbol" in call.params else None
    return [_status(api, order) for order in api.market.engine.registry.open_orders(call.account, symbol)]


def all_orders(api: PerpetualApi, call: Call) -> Json:
    """From `orderId` or `startTime` on, otherwise the latest; of the last days where no time is named."""
    symbol = api.symbol(call.params)
    from_id = integer(call.params, "orderId") or 0
    in_window = _recent(call)
    orders = api.market.engine.registry.all_orders(call.account, symbol)
    chosen = [order for order in orders if order.order_id >= from_id and in_window(order.created_ns)]
    return [_status(api, order) for order in page(chosen, call.params, "orderId")]


def user_trades(api: PerpetualApi, call: Call) -> Json:
    """From `fromId` or `startTime` on, otherwise the latest; of the last days where no time is named, `fromId` or not."""
    symbol = api.symbol(call.params)
    if "fromId" in call.params and ("startTime" in call.params or "endTime" in call.params):
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    from_id = integer(call.params, "fromId") or 0
    order_id = integer(call.params, "orderId")
    in_window = _recent(call)
    chosen = [
        fill
        for fill in api.users.fills(call.account, symbol)
        if fill.trade.trade_id >= from_id and order_id in (None, fill.trade.order_id) and in_window(fill.trade.time_ns)
    ]
    return [payloads.user_trade(fill, api.figures(symbol)) for fill in page(chosen, call.params, "fromId")]


def no_algo_orders(api: PerpetualApi, call: Call) -> Json:
    """There never is a conditional order."""
    api.symbols(call.params)
    return []


def no_algo_order(api: PerpetualApi, call: Call) -> Json:
    raise no_such_order()


def _recent(call: Call) -> Callable[[int], bool]:
    """The window asked for; else the longest one, up to now."""
    if "startTime" in call.params or "endTime" in call.params:
        return window(call.params, DAYS_MAX)
    oldest_ns = call.now_ns - DAYS_MAX * DAY_MS * NS_PER_MS
    return lambda time_ns: time_ns >= oldest_ns


def window(params: Params, days_max: int = 0) -> Callable[[int], bool]:
    """Return the test for `startTime` and `endTime` (ms), on nanoseconds. Raises BadRequest for one that ends before it
    starts, or is longer than `days_max`.
    """
    start_ms, end_ms = integer(params, "startTime"), integer(params, "endTime")
    if start_ms is not None and end_ms is not None:
        if start_ms > end_ms:
            raise BadRequest(-1023, "Start time is greater than end time.")
        if days_max and end_ms - start_ms > days_max * DAY_MS:
            raise BadRequest(-4165, f"Maximum time interval is {days_max} days")

    def contains(time_ns: int) -> bool:
        time_ms = time_ns // NS_PER_MS
        return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)

    return contains


def page(rows: list[_Row], params: Params, from_name: str) -> list[_Row]:
    """Return the first rows where the client said from where on, else the last ones."""
    most = limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    return rows[:most] if from_name in params or "startTime" in params else rows[-most:]


OPERATIONS: dict[str, Operation] = {
    "order.status": signed(Kind.QUERY, order_status, 1),
    "openOrder": signed(Kind.QUERY, open_order, 1),
    "openOrders": signed(Kind.QUERY, open_orders, lambda p: 1 if "symbol" in p else 40),
    "allOrders": signed(Kind.QUERY, all_orders, 5, pages=HISTORY_LIMIT_DEFAULT),
    "userTrades": signed(Kind.ACCOUNT, user_trades, 5, pages=HISTORY_LIMIT_DEFAULT),
    "openAlgoOrders": signed(Kind.QUERY, no_algo_orders, lambda p: 1 if "symbol" in p else 40),
    "allAlgoOrders": signed(Kind.QUERY, no_algo_orders, 5),
    "algoOrder.status": signed(Kind.QUERY, no_algo_order, 1),
}

ROUTES = {
    ("GET", "/fapi/v1/order"): "order.status",
    ("GET", "/fapi/v1/openOrder"): "openOrder",
    ("GET", "/fapi/v1/openOrders"): "openOrders",
    ("GET", "/fapi/v1/allOrders"): "allOrders",
    ("GET", "/fapi/v1/userTrades"): "userTrades",
    ("GET", "/fapi/v1/openAlgoOrders"): "openAlgoOrders",
    ("GET", "/fapi/v1/allAlgoOrders"): "allAlgoOrders",
    ("GET", "/fapi/v1/algoOrder"): "algoOrder.status",
}
