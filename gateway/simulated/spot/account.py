"""What an account may ask about itself: balances, orders, trades, counts (rest-api.md, "Account Endpoints")."""

from collections.abc import Callable

from ..core.errors import no_such_order
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json
from . import parameters, payloads
from .api import VenueApi
from .parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX


def account(api: VenueApi, call: Call) -> Json:
    ledger = api.market.engine.ledger
    free, locked = ledger.free[call.account], ledger.locked[call.account]
    balances = [(asset, free[asset], locked[asset]) for asset in ledger.assets(call.account)]
    if call.params.get("omitZeroBalances") == "true":
        balances = [b for b in balances if b[1] or b[2]]
    fees = api.market.engine.settlement.fee_rates(call.account)
    return payloads.account_status(balances, fees.maker_ppm, fees.taker_ppm, call.now_ns, api.uids[call.account])


def open_orders(api: VenueApi, call: Call) -> Json:
    symbol = call.params.get("symbol")
    if symbol is not None:
        api.market.engine.instrument(symbol)
    return [payloads.order_status(o) for o in api.market.engine.registry.open_orders(call.account, symbol)]


def order_status(api: VenueApi, call: Call) -> Json:
    order = api.find(call.account, call.params)
    if order is None:
        raise no_such_order()
    return payloads.order_status(order)


def all_orders(api: VenueApi, call: Call) -> Json:
    symbol = api.symbol(call.params)
    limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    from_id = parameters.integer(call.params, "orderId") or 0
    in_window = _window(call.params)
    orders = api.market.engine.registry.all_orders(call.account, symbol)
    chosen = [o for o in orders if o.order_id >= from_id and in_window(o.created_ns)]
    chosen = chosen[:limit] if "orderId" in call.params or "startTime" in call.params else chosen[-limit:]
    return [payloads.order_status(o) for o in chosen]


def my_trades(api: VenueApi, call: Call) -> Json:
    """Oldest first; from `fromId` or `startTime` on, otherwise the latest `limit`."""
    symbol = api.symbol(call.params)
    limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    from_id = parameters.integer(call.params, "fromId") or 0
    order_id = parameters.integer(call.params, "orderId")
    in_window = _window(call.params)
    chosen = [
        t
        for t in api.market.engine.registry.trades(call.account, symbol)
        if t.trade_id >= from_id and order_id in (None, t.order_id) and in_window(t.time_ns)
    ]
    chosen = chosen[:limit] if "fromId" in call.params or "startTime" in call.params else chosen[-limit:]
    return [payloads.account_trade(t) for t in chosen]


def order_counts(api: VenueApi, call: Call) -> Json:
    return api.counts[call.account].payload(call.now_ns // NS_PER_MS)


def _window(params: Params) -> Callable[[int], bool]:
    """Return the test for `startTime` and `endTime` (ms), on nanoseconds."""
    start_ms = parameters.integer(params, "startTime")
    end_ms = parameters.integer(params, "endTime")

    def contains(time_ns: int) -> bool:
        time_ms = time_ns // NS_PER_MS
        return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)

    return contains


OPERATIONS: dict[str, Operation] = {
    "account.status": signed(Kind.ACCOUNT, account, 20),
    "account.rateLimits.orders": signed(Kind.ACCOUNT, order_counts, 40),
    "openOrders.status": signed(Kind.QUERY, open_orders, lambda p: 6 if "symbol" in p else 80),
    "order.status": signed(Kind.QUERY, order_status, 4),
    "allOrders": signed(Kind.QUERY, all_orders, 20, pages=HISTORY_LIMIT_DEFAULT),
    "myTrades": signed(Kind.ACCOUNT, my_trades, lambda p: 5 if "orderId" in p else 20, pages=HISTORY_LIMIT_DEFAULT),
}

ROUTES = {
    ("GET", "/api/v3/account"): "account.status",
    ("GET", "/api/v3/rateLimit/order"): "account.rateLimits.orders",
    ("GET", "/api/v3/openOrders"): "openOrders.status",
    ("GET", "/api/v3/order"): "order.status",
    ("GET", "/api/v3/allOrders"): "allOrders",
    ("GET", "/api/v3/myTrades"): "myTrades",
}
