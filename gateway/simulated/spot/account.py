"""What an account may ask about itself: balances, fees, orders, trades, amendments, counts (rest-api.md, "Account Endpoints")."""

from operator import attrgetter

from ..core.errors import no_such_order
from ..core.filters import filters_payload
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json
from . import parameters, payloads
from .api import VenueApi
from .errors import bad_combination
from .pages import index_of, page
from .parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX

TRADE_QUERIES = (
    frozenset[str](),
    frozenset(("orderId",)),
    frozenset(("startTime",)),
    frozenset(("endTime",)),
    frozenset(("fromId",)),
    frozenset(("startTime", "endTime")),
    frozenset(("orderId", "fromId")),
)
"""rest-api.md, "Account trade list": "the supported combinations of all parameters" beside `symbol`."""

PREVENTED_QUERIES = (
    frozenset(("preventedMatchId",)),
    frozenset(("orderId",)),
    frozenset(("orderId", "fromPreventedMatchId")),
)
"""The same, "Query Prevented Matches"; `limit` goes with the last."""


def account(api: VenueApi, call: Call) -> Json:
    balances = api.balances(call.account)
    if parameters.flag(call.params, "omitZeroBalances"):
        balances = [b for b in balances if b[1] or b[2]]
    return payloads.account_status(balances, api.fees(call.account), call.now_ns, api.uids[call.account])


def commission(api: VenueApi, call: Call) -> Json:
    return payloads.commission(api.symbol(call.params), api.fees(call.account))


def order_counts(api: VenueApi, call: Call) -> Json:
    return api.counts[call.account].payload(call.now_ns // NS_PER_MS)


def filters(api: VenueApi, call: Call) -> Json:
    rules = api.market.engine.instrument(api.symbol(call.params)).rules
    return {"exchangeFilters": [], "symbolFilters": filters_payload(rules), "assetFilters": []}


# ---- orders


def open_orders(api: VenueApi, call: Call) -> Json:
    symbol = api.symbol(call.params) if "symbol" in call.params else None
    return [payloads.order_status(o) for o in api.market.engine.registry.open_orders(call.account, symbol)]


def order_status(api: VenueApi, call: Call) -> Json:
    order = api.find(call.account, call.params)
    if order is None:
        raise no_such_order()
    return payloads.order_status(order)


def all_orders(api: VenueApi, call: Call) -> Json:
    """Oldest first: from `orderId` or `startTime` on, otherwise the latest `limit`."""
    params = call.params
    symbol = api.symbol(params)
    limit = _limit(params)
    first_ns, last_ns = parameters.window(params).bounds
    first = parameters.integer(params, "orderId") or 0
    orders = api.market.engine.registry.all_orders(call.account, symbol)
    chosen = page(
        orders,
        limit,
        lambda order: first_ns <= order.created_ns <= last_ns,
        is_onward="orderId" in params or "startTime" in params,
        first=index_of(orders, first, attrgetter("order_id")),
    )
    return [payloads.order_status(order) for order in chosen]


def amendments(api: VenueApi, call: Call) -> Json:
    params = call.params
    api.symbol(params)
    parameters.text(params, "orderId")
    from_id = parameters.integer(params, "fromExecutionId") or 0
    order = api.find(call.account, params)
    rows = [] if order is None else api.market.engine.registry.amendments(order.order_id)
    return [payloads.amendment_row(row) for row in rows if row.execution_id >= from_id][: _limit(params)]


def _limit(params: Params) -> int:
    return parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)


# ---- trades


def my_trades(api: VenueApi, call: Call) -> Json:
    """Oldest first: an order's, or from `fromId` or `startTime` on, otherwise the latest `limit`."""
    params = call.params
    symbol = api.symbol(params)
    limit = _limit(params)
    asked = params.keys() & {"orderId", "startTime", "endTime", "fromId"}
    if asked not in TRADE_QUERIES:
        raise bad_combination()
    first = parameters.integer(params, "fromId") or 0
    order_id = parameters.integer(params, "orderId")
    first_ns, last_ns = parameters.window(params).bounds
    trades = api.market.engine.registry.trades(call.account, symbol)
    chosen = page(
        trades,
        limit,
        lambda trade: order_id in (None, trade.order_id) and first_ns <= trade.time_ns <= last_ns,
        is_onward=bool(asked - {"endTime"}),
        first=index_of(trades, first, attrgetter("trade_id")),
    )
    return [payloads.account_trade(trade) for trade in chosen]


def prevented_matches(api: VenueApi, call: Call) -> Json:
    params = call.params
    symbol = api.symbol(params)
    limit = _limit(params)
    if params.keys() & {"preventedMatchId", "orderId", "fromPreventedMatchId"} not in PREVENTED_QUERIES:
        raise bad_combination()
    match_id = parameters.integer(params, "preventedMatchId")
    order_id = parameters.integer(params, "orderId")
    from_id = parameters.integer(params, "fromPreventedMatchId") or 0
    chosen = [
        match
        for match in api.market.engine.registry.prevented(call.account, symbol)
        if match.match_id >= from_id
        and match_id in (None, match.match_id)
        and order_id in (None, match.taker_order_id, match.maker_order_id)
    ]
    return [payloads.prevented_match(match) for match in chosen[:limit]]


def allocations(api: VenueApi, call: Call) -> Json:
    """They come of smart order routing, which no symbol here has."""
    api.symbol(call.params)
    parameters.window(call.params)
    return []


# ---- the tables


def _prevented_weight(params: Params) -> int:
    """rest-api.md: 2 by `preventedMatchId`, 20 by `orderId`."""
    return 2 if "preventedMatchId" in params else 20


OPERATIONS: dict[str, Operation] = {
    "account.status": signed(Kind.ACCOUNT, account, 20, "omitZeroBalances"),
    "account.commission": signed(Kind.ACCOUNT, commission, 20, "symbol"),
    "account.rateLimits.orders": signed(Kind.ACCOUNT, order_counts, 40, ""),
    "myFilters": signed(Kind.ACCOUNT, filters, 40, "symbol"),
    "openOrders.status": signed(Kind.QUERY, open_orders, lambda params: 6 if "symbol" in params else 80, "symbol"),
    "order.status": signed(Kind.QUERY, order_status, 4, "symbol orderId origClientOrderId"),
    "allOrders": signed(
        Kind.QUERY, all_orders, 20, "symbol orderId startTime endTime limit", pages=HISTORY_LIMIT_DEFAULT
    ),
    "order.amendments": signed(Kind.QUERY, amendments, 4, "symbol orderId fromExecutionId limit"),
    "myTrades": signed(
        Kind.ACCOUNT,
        my_trades,
        lambda params: 5 if "orderId" in params else 20,
        "symbol orderId startTime endTime fromId limit",
        pages=HISTORY_LIMIT_DEFAULT,
    ),
    "myPreventedMatches": signed(
        Kind.ACCOUNT,
        prevented_matches,
        _prevented_weight,
        "symbol preventedMatchId orderId fromPreventedMatchId limit",
    ),
    "myAllocations": signed(Kind.ACCOUNT, allocations, 20, "symbol startTime endTime fromAllocationId limit orderId"),
}

ROUTES = {
    ("GET", "/api/v3/account"): "account.status",
    ("GET", "/api/v3/account/commission"): "account.commission",
    ("GET", "/api/v3/rateLimit/order"): "account.rateLimits.orders",
    ("GET", "/api/v3/myFilters"): "myFilters",
    ("GET", "/api/v3/openOrders"): "openOrders.status",
    ("GET", "/api/v3/order"): "order.status",
    ("GET", "/api/v3/allOrders"): "allOrders",
    ("GET", "/api/v3/order/amendments"): "order.amendments",
    ("GET", "/api/v3/myTrades"): "myTrades",
    ("GET", "/api/v3/myPreventedMatches"): "myPreventedMatches",
    ("GET", "/api/v3/myAllocations"): "myAllocations",
}
