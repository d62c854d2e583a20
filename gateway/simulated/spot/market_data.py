"""Market data that is asked for: the public operations, the same for REST and the WebSocket API (rest-api.md, "Market Data endpoints")."""

import msgspec

from ..core.errors import BadRequest, invalid_symbol
from ..operations import Call, Operation, Params, public
from ..payload import Instant, Json
from . import market_payloads, parameters
from .api import VenueApi
from .parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX

DEPTH_LIMIT_DEFAULT = 100
DEPTH_LIMIT_MAX = 5_000
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))  # (limit up to, weight), rest-api.md "Order book"


def ping(api: VenueApi, call: Call) -> Json:
    return {}


def time(api: VenueApi, call: Call) -> Json:
    return {"serverTime": Instant(call.now_ns)}


def exchange_info(api: VenueApi, call: Call) -> Json:
    wanted = _wanted_symbols(call.params)
    rules = api.market.rules()
    if wanted is not None:
        by_symbol = {r.symbol: r for r in rules}
        if not all(symbol in by_symbol for symbol in wanted):
            raise invalid_symbol()
        rules = [by_symbol[symbol] for symbol in wanted]
    return market_payloads.exchange_info(rules, call.now_ns)


def depth(api: VenueApi, call: Call) -> Json:
    limit = parameters.limit(call.params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return market_payloads.depth_snapshot(*api.market.depth(parameters.text(call.params, "symbol"), limit))


def book_ticker(api: VenueApi, call: Call) -> Json:
    if "symbol" in call.params:
        return market_payloads.ticker(call.params["symbol"], api.market.top(call.params["symbol"]))
    symbols = _wanted_symbols(call.params) or [r.symbol for r in api.market.rules()]
    return [market_payloads.ticker(symbol, api.market.top(symbol)) for symbol in symbols]


def historical_trades(api: VenueApi, call: Call) -> Json:
    """Public trades, oldest first; from `fromId` on, otherwise the latest `limit`."""
    limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    from_id = parameters.integer(call.params, "fromId")
    return [market_payloads.public_trade(t) for t in api.market.tape.trades(api.symbol(call.params), from_id, limit)]


def _wanted_symbols(params: Params) -> list[str] | None:
    """Return the symbols asked for by `symbol` or `symbols` (a JSON array), or None for all."""
    if "symbol" in params and "symbols" in params:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    if "symbol" in params:
        return [params["symbol"]]
    if "symbols" not in params:
        return None
    try:
        return msgspec.json.decode(params["symbols"], type=list[str])
    except msgspec.DecodeError as error:
        raise BadRequest(-1100, "Illegal characters found in parameter 'symbols'.") from error


def _depth_weight(params: Params) -> int:
    limit = parameters.limit(params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return next(weight for up_to, weight in DEPTH_WEIGHTS if limit <= up_to)


OPERATIONS: dict[str, Operation] = {
    "ping": public(ping, 1),
    "time": public(time, 1),
    "exchangeInfo": public(exchange_info, 20),
    "depth": public(depth, _depth_weight),
    "trades.historical": public(historical_trades, 25),
    "ticker.book": public(book_ticker, lambda p: 2 if "symbol" in p else 4),
}
"""Named as the WebSocket API names them; weights of rest-api.md."""

ROUTES = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "exchangeInfo",
    ("GET", "/api/v3/depth"): "depth",
    ("GET", "/api/v3/historicalTrades"): "trades.historical",
    ("GET", "/api/v3/ticker/bookTicker"): "ticker.book",
}
