"""Market data that is asked for: books, trades and what there is to trade; the same for REST and the WebSocket API (rest-api.md,
"General endpoints", "Market Data endpoints").
"""

from ..core.errors import BadRequest
from ..operations import Call, Operation, Params, public
from ..payload import NS_PER_MS, Instant, Json
from . import market_payloads, parameters, symbols, tickers
from .api import VenueApi
from .parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX

DEPTH_LIMIT_DEFAULT = 100
DEPTH_LIMIT_MAX = 5_000
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))  # (limit up to, weight), rest-api.md "Order book"
PERMISSIONS = ("SPOT", "MARGIN", "LEVERAGED", *(f"TRD_GRP_{number:03d}" for number in range(2, 26)))
"""enums.md, "Account and Symbol Permissions"."""


def ping(api: VenueApi, call: Call) -> Json:
    return {}


def time(api: VenueApi, call: Call) -> Json:
    return {"serverTime": Instant(call.now_ns)}


def exchange_info(api: VenueApi, call: Call) -> Json:
    """Symbols by name, or by permission and status; all of the venue's have the permission SPOT alone."""
    params = call.params
    named = symbols.named(api, params)
    permissions = symbols.words(params, "permissions")
    if named is not None and (permissions is not None or "symbolStatus" in params):
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    for permission in permissions or ():
        if permission not in PERMISSIONS:
            raise BadRequest(-1130, "Data sent for parameter 'permissions' is not valid.")
    status = symbols.wanted_status(params)
    rules = [
        r for r in api.market.rules() if (named is None or r.symbol in named) and (status is None or r.status == status)
    ]
    if permissions is not None and "SPOT" not in permissions:
        rules = []
    with_sets = symbols.flag(params, "showPermissionSets", default=True)
    return market_payloads.exchange_info(rules, call.now_ns, api.limits, with_permission_sets=with_sets)


def execution_rules(api: VenueApi, call: Call) -> Json:
    """No symbol here has any (rest-api.md, "Query Execution Rules")."""
    if len([name for name in ("symbol", "symbols", "symbolStatus") if name in call.params]) > 1:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    symbols.listed(api, call.params)
    return {"symbolRules": []}


def depth(api: VenueApi, call: Call) -> Json:
    limit = parameters.limit(call.params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return market_payloads.depth_snapshot(*api.market.depth(symbols.one(api, call.params), limit))


def recent_trades(api: VenueApi, call: Call) -> Json:
    """The latest public trades, oldest first."""
    limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    return [market_payloads.public_trade(t) for t in api.market.tape.trades(api.symbol(call.params), None, limit)]


def historical_trades(api: VenueApi, call: Call) -> Json:
    """Public trades, oldest first; from `fromId` on, otherwise the latest `limit`."""
    limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    from_id = parameters.integer(call.params, "fromId")
    return [market_payloads.public_trade(t) for t in api.market.tape.trades(api.symbol(call.params), from_id, limit)]


def aggregate_trades(api: VenueApi, call: Call) -> Json:
    """Oldest first; from `fromId` or `startTime` on, otherwise the latest `limit`."""
    params = call.params
    symbol = api.symbol(params)
    limit = parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    from_id = parameters.integer(params, "fromId")
    start_ms, end_ms = parameters.moment_ms(params, "startTime"), parameters.moment_ms(params, "endTime")
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    found = [
        row
        for row in api.market.tape.of(symbol).aggregates
        if (from_id is None or row.aggregate_id >= from_id)
        and (start_ms is None or row.time_ns // NS_PER_MS >= start_ms)
        and (end_ms is None or row.time_ns // NS_PER_MS <= end_ms)
    ]
    is_onward = from_id is not None or start_ms is not None
    return [market_payloads.aggregate_trade(row) for row in (found[:limit] if is_onward else found[-limit:])]


def block_trades(api: VenueApi, call: Call) -> Json:
    """There are none on this venue."""
    api.symbol(call.params)
    if parameters.integer(call.params, "fromId") is None:
        parameters.text(call.params, "fromId")
    return []


def book_ticker(api: VenueApi, call: Call) -> Json:
    if "symbol" in call.params and "symbols" not in call.params:
        symbol = symbols.one(api, call.params)
        return market_payloads.ticker(symbol, api.market.top(symbol))
    return [market_payloads.ticker(symbol, api.market.top(symbol)) for symbol in symbols.listed(api, call.params)]


def reference_price(api: VenueApi, call: Call) -> Json:
    """No symbol here has one (rest-api.md, "Query Reference Price")."""
    api.symbol(call.params)
    raise BadRequest(-2043, "This symbol doesn't have a reference price.")


def _depth_weight(params: Params) -> int:
    limit = parameters.limit(params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return next(weight for up_to, weight in DEPTH_WEIGHTS if limit <= up_to)


def _rules_weight(params: Params) -> int:
    if "symbol" in params:
        return 2
    return min(40, 2 * symbols.count(params)) if "symbols" in params else 40


OPERATIONS: dict[str, Operation] = {
    "ping": public(ping, 1),
    "time": public(time, 1),
    "exchangeInfo": public(exchange_info, 20),
    "executionRules": public(execution_rules, _rules_weight),
    "depth": public(depth, _depth_weight),
    "trades.recent": public(recent_trades, 25),
    "trades.historical": public(historical_trades, 25),
    "trades.aggregate": public(aggregate_trades, 4),
    "blockTrades.historical": public(block_trades, 25),
    "ticker.book": public(book_ticker, lambda p: 2 if "symbol" in p else 4),
    "referencePrice": public(reference_price, 2),
    "referencePrice.calculation": public(reference_price, 2),
    **tickers.OPERATIONS,
}
"""Named as the WebSocket API names them; weights of rest-api.md."""

ROUTES = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "exchangeInfo",
    ("GET", "/api/v3/executionRules"): "executionRules",
    ("GET", "/api/v3/depth"): "depth",
    ("GET", "/api/v3/trades"): "trades.recent",
    ("GET", "/api/v3/historicalTrades"): "trades.historical",
    ("GET", "/api/v3/aggTrades"): "trades.aggregate",
    ("GET", "/api/v3/historicalBlockTrades"): "blockTrades.historical",
    ("GET", "/api/v3/ticker/bookTicker"): "ticker.book",
    ("GET", "/api/v3/referencePrice"): "referencePrice",
    ("GET", "/api/v3/referencePrice/calculation"): "referencePrice.calculation",
    **tickers.ROUTES,
}
