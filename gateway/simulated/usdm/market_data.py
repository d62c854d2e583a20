"""Market data that is asked for (docs, "Market Data")."""

from collections.abc import Callable

from ..candles import DAY_NS, INTERVAL_NS, Bar, end_of
from ..core.decimals import decimal_text
from ..core.errors import BadRequest
from ..operations import Call, Operation, Params, Proof, Weight, public
from ..payload import NS_PER_MS, Instant, Json, Payload
from ..spot.parameters import integer, limit, text
from . import market_payloads
from .api import FUTURES_LIMITS, PerpetualApi
from .funding import next_funding_ns
from .order_queries import page, window

DEPTH_LIMIT_DEFAULT = 500
DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1_000: 20}
"""Levels that may be asked for, and the request's weight (docs, "Order Book")."""
TRADES_LIMIT_DEFAULT = 500
TRADES_LIMIT_MAX = 1_000
KLINES_LIMIT_MAX = 1_500  # docs, "Kline/Candlestick Data"
KLINE_WEIGHTS = ((99, 1), (499, 2), (1_000, 5), (1_500, 10))  # (limit up to, weight); the same
FUNDING_LIMIT_DEFAULT = 200  # docs, "Get Funding Rate History"


def ping(api: PerpetualApi, call: Call) -> Json:
    return {}


def time(api: PerpetualApi, call: Call) -> Json:
    return {"serverTime": Instant(call.now_ns)}


def exchange_info(api: PerpetualApi, call: Call) -> Json:
    return market_payloads.exchange_info(api.market.rules(), FUTURES_LIMITS, call.now_ns)


def depth(api: PerpetualApi, call: Call) -> Json:
    symbol = api.symbol(call.params)
    _, bids, asks = api.market.depth(symbol, _depth_limit(call.params))
    figures = api.figures(symbol)
    return market_payloads.depth_snapshot(api.market.update_id(symbol), bids, asks, figures, call.now_ns)


def _depth_limit(params: Params) -> int:
    wanted = integer(params, "limit")
    wanted = DEPTH_LIMIT_DEFAULT if wanted is None else wanted
    if wanted not in DEPTH_WEIGHTS:
        raise BadRequest(-4021, f"{wanted} is not valid depth limit.")
    return wanted


def trades(api: PerpetualApi, call: Call) -> Json:
    """Oldest first; from `fromId` on, otherwise the latest."""
    symbol = api.symbol(call.params)
    most = limit(call.params, TRADES_LIMIT_DEFAULT, TRADES_LIMIT_MAX)
    rows = api.market.tape.trades(symbol, integer(call.params, "fromId"), most)
    return [market_payloads.public_trade(row, api.figures(symbol)) for row in rows]


def aggregates(api: PerpetualApi, call: Call) -> Json:
    """Oldest first; from `fromId` or `startTime` on, otherwise the latest."""
    symbol = api.symbol(call.params)
    from_id = integer(call.params, "fromId") or 0
    in_window = window(call.params)
    kept = api.market.tape.of(symbol).aggregates
    chosen = [row for row in kept if row.aggregate_id >= from_id and in_window(row.time_ns)]
    return [market_payloads.aggregate_trade(row, api.figures(symbol)) for row in page(chosen, call.params, "fromId")]


def klines(api: PerpetualApi, call: Call) -> Json:
    """Oldest first; from `startTime` on, otherwise the latest."""
    symbol, interval = api.symbol(call.params), text(call.params, "interval")
    if interval not in INTERVAL_NS:
        raise BadRequest(-1120, "Invalid interval.")
    window(call.params)
    start_ms, end_ms = integer(call.params, "startTime"), integer(call.params, "endTime")
    bars = api.market.tape.of(symbol).candles.bars(
        interval,
        limit(call.params, TRADES_LIMIT_DEFAULT, KLINES_LIMIT_MAX),
        call.now_ns,
        from_ns=None if start_ms is None else start_ms * NS_PER_MS,
        to_ns=call.now_ns if end_ms is None else end_ms * NS_PER_MS,
    )
    figures = api.figures(symbol)
    return [market_payloads.kline(bar, end_of(interval, bar.start_ns), figures) for bar in bars]


# ---- tickers: one for `symbol`, else all


def price_ticker(api: PerpetualApi, call: Call) -> Json:
    def row(symbol: str) -> Payload:
        candles = api.market.tape.of(symbol).candles
        price = candles.last_price or api.margin.marks[symbol]
        return market_payloads.price_ticker(symbol, price, candles.last_trade_ns or call.now_ns, api.figures(symbol))

    return _each(api, call.params, row)


def book_ticker(api: PerpetualApi, call: Call) -> Json:
    def row(symbol: str) -> Payload:
        update_id, top = api.market.update_id(symbol), api.market.top(symbol)
        return market_payloads.book_ticker(symbol, update_id, top, api.figures(symbol), call.now_ns)

    return _each(api, call.params, row)


def day_ticker(api: PerpetualApi, call: Call) -> Json:
    def row(symbol: str) -> Payload:
        since_ns = call.now_ns - DAY_NS
        candles = api.market.tape.of(symbol).candles
        price = candles.last_price or api.margin.marks[symbol]
        bar = candles.window(since_ns) or Bar(since_ns, price, price, price, price)
        return market_payloads.day_ticker(symbol, bar, call.now_ns, api.figures(symbol))

    return _each(api, call.params, row)


def premium_index(api: PerpetualApi, call: Call) -> Json:
    rate, due_ns = api.market.chores.funding.rate, next_funding_ns(call.now_ns)

    def row(symbol: str) -> Payload:
        return market_payloads.premium_index(symbol, api.margin.marks[symbol], rate, due_ns, call.now_ns)

    return _each(api, call.params, row)


def open_interest(api: PerpetualApi, call: Call) -> Json:
    symbol = api.symbol(call.params)
    total = api.margin.open_interest(symbol)
    return {"openInterest": api.figures(symbol).quantity(total), "symbol": symbol, "time": Instant(call.now_ns)}


def _each(api: PerpetualApi, params: Params, row: Callable[[str], Payload]) -> Json:
    rows = [row(symbol) for symbol in api.symbols(params)]
    return rows[0] if "symbol" in params else rows


# ---- funding


def funding_rates(api: PerpetualApi, call: Call) -> Json:
    """Oldest first; from `startTime` on, otherwise the latest."""
    symbol = api.symbol(call.params) if "symbol" in call.params else None
    in_window = window(call.params)
    rows = [row for row in api.market.chores.funding.history(symbol) if in_window(row.time_ns)]
    most = limit(call.params, FUNDING_LIMIT_DEFAULT, TRADES_LIMIT_MAX)
    return [
        {
            "symbol": row.symbol,
            "fundingTime": Instant(row.time_ns),
            "fundingRate": decimal_text(row.rate),
            "markPrice": decimal_text(row.mark),
        }
        for row in (rows[:most] if "startTime" in call.params else rows[-most:])
    ]


def funding_info(api: PerpetualApi, call: Call) -> Json:
    """Only contracts with other than the usual bounds are named: none."""
    return []


def _by_symbol(one: int, every: int) -> Weight:
    return lambda params: one if "symbol" in params else every


def _kline_weight(params: Params) -> int:
    wanted = limit(params, TRADES_LIMIT_DEFAULT, KLINES_LIMIT_MAX)
    return next(weight for up_to, weight in KLINE_WEIGHTS if wanted <= up_to)


OPERATIONS: dict[str, Operation] = {
    "ping": public(ping, 1),
    "time": public(time, 1),
    "exchangeInfo": public(exchange_info, 1),
    "depth": public(depth, lambda params: DEPTH_WEIGHTS[_depth_limit(params)]),
    "trades": public(trades, 5),
    "historicalTrades": public(trades, 200)._replace(proof=Proof.KEY),
    "aggTrades": public(aggregates, 20),
    "klines": public(klines, _kline_weight),
    "ticker.price": public(price_ticker, _by_symbol(1, 2)),
    "ticker.book": public(book_ticker, _by_symbol(2, 5)),
    "ticker.24hr": public(day_ticker, _by_symbol(1, 40)),
    "premiumIndex": public(premium_index, _by_symbol(1, 10)),
    "fundingRate": public(funding_rates, 1),
    "fundingInfo": public(funding_info, 0),
    "openInterest": public(open_interest, 1),
}
"""Weights of the documents; fundingRate has a limit of its own there, which is not simulated."""

ROUTES = {
    ("GET", "/fapi/v1/ping"): "ping",
    ("GET", "/fapi/v1/time"): "time",
    ("GET", "/fapi/v1/exchangeInfo"): "exchangeInfo",
    ("GET", "/fapi/v1/depth"): "depth",
    ("GET", "/fapi/v1/trades"): "trades",
    ("GET", "/fapi/v1/historicalTrades"): "historicalTrades",
    ("GET", "/fapi/v1/aggTrades"): "aggTrades",
    ("GET", "/fapi/v1/klines"): "klines",
    ("GET", "/fapi/v1/ticker/price"): "ticker.price",
    ("GET", "/fapi/v2/ticker/price"): "ticker.price",
    ("GET", "/fapi/v1/ticker/bookTicker"): "ticker.book",
    ("GET", "/fapi/v1/ticker/24hr"): "ticker.24hr",
    ("GET", "/fapi/v1/premiumIndex"): "premiumIndex",
    ("GET", "/fapi/v1/fundingRate"): "fundingRate",
    ("GET", "/fapi/v1/fundingInfo"): "fundingInfo",
    ("GET", "/fapi/v1/openInterest"): "openInterest",
}
