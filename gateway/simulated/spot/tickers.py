"""Prices and what became of them: candles, averages, and the tickers of every window (rest-api.md, "Market Data endpoints")."""

import re
from collections.abc import Callable

from ..candles import DAY_NS, HOUR_NS, INTERVAL_NS, MINUTE_NS, start_of
from ..core.decimals import decimal_text
from ..core.errors import BadRequest
from ..operations import Call, Operation, Params, public
from ..payload import NS_PER_MS, Json, Payload
from . import parameters, symbols, ticker_payloads
from .api import VenueApi
from .parameters import HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX
from .ticker_payloads import Statistics, statistics

SYMBOLS_MAX = 100  # rest-api.md: "The maximum number of symbols allowed in a request is 100."
WINDOW_UNITS = {"m": (MINUTE_NS, 59), "h": (HOUR_NS, 23), "d": (DAY_NS, 7)}
"""Unit -> (length, how many at most); rest-api.md, "Rolling window price change statistics"."""
ZONE_NS_MIN, ZONE_NS_MAX = -12 * HOUR_NS, 14 * HOUR_NS  # rest-api.md, "Kline/Candlestick data"
_WINDOW = re.compile(r"([1-9][0-9]?)([mhd])")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-5][0-9]))?")


def klines(api: VenueApi, call: Call) -> Json:
    """Oldest first; from `startTime` on, otherwise the latest `limit`."""
    params = call.params
    symbol = api.symbol(params)
    interval = parameters.text(params, "interval")
    if interval not in INTERVAL_NS:
        raise BadRequest(-1120, "Invalid interval.")
    limit = parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
    start_ms, end_ms = parameters.moment_ms(params, "startTime"), parameters.moment_ms(params, "endTime")
    offset_ns = _zone(params)
    bars = api.market.tape.of(symbol).candles.bars(
        interval,
        limit,
        call.now_ns,
        from_ns=None if start_ms is None else start_ms * NS_PER_MS,
        to_ns=call.now_ns if end_ms is None else end_ms * NS_PER_MS,
        offset_ns=offset_ns,
    )
    return [ticker_payloads.kline_row(bar, interval, offset_ns) for bar in bars]


def average_price(api: VenueApi, call: Call) -> Json:
    symbol = symbols.one(api, call.params)
    instrument = api.market.engine.instrument(symbol)
    price = instrument.average.value(call.now_ns) or 0
    last_trade_ns = api.market.tape.of(symbol).candles.last_trade_ns
    return ticker_payloads.average_price(instrument.rules.average_minutes, price, last_trade_ns)


def price_ticker(api: VenueApi, call: Call) -> Json:
    def tell(symbol: str) -> Payload:
        price = api.market.tape.of(symbol).candles.last_price or 0
        return {"symbol": symbol, "price": decimal_text(price)}

    return _each(api, call.params, tell)


def day_ticker(api: VenueApi, call: Call) -> Json:
    """The last 24 hours; what traded is counted from their first full minute on."""
    is_full = _is_full(call.params)

    def tell(symbol: str) -> Payload:
        stats = _statistics(api, symbol, call.now_ns - DAY_NS, call.now_ns)
        return (
            ticker_payloads.day_ticker(stats, api.market.top(symbol)) if is_full else ticker_payloads.mini_ticker(stats)
        )

    return _each(api, call.params, tell)


def trading_day_ticker(api: VenueApi, call: Call) -> Json:
    """The day so far; its end is told as that of the whole day."""
    _require_symbol(call.params)
    offset_ns = _zone(call.params)
    start_ns = start_of("1d", call.now_ns, offset_ns)
    return _each(api, call.params, _window_teller(api, call.params, start_ns, start_ns + DAY_NS - 1))


def window_ticker(api: VenueApi, call: Call) -> Json:
    """The last `windowSize`, from the beginning of a minute on."""
    _require_symbol(call.params)
    from_ns = call.now_ns - _window(call.params)
    return _each(api, call.params, _window_teller(api, call.params, from_ns - from_ns % MINUTE_NS, call.now_ns))


def _window_teller(api: VenueApi, params: Params, from_ns: int, to_ns: int) -> Callable[[str], Payload]:
    write = ticker_payloads.window_ticker if _is_full(params) else ticker_payloads.mini_ticker
    return lambda symbol: write(_statistics(api, symbol, from_ns, to_ns))


def _statistics(api: VenueApi, symbol: str, from_ns: int, to_ns: int) -> Statistics:
    return statistics(symbol, api.market.tape.of(symbol).candles, from_ns, to_ns)


def _each(api: VenueApi, params: Params, tell: Callable[[str], Payload]) -> Json:
    """One object for `symbol`, a list for `symbols` or for all."""
    if "symbol" in params and "symbols" not in params:
        return tell(symbols.one(api, params))
    if symbols.count(params) > SYMBOLS_MAX:
        raise BadRequest(-1101, "Too many values sent for parameter 'symbols'.")
    return [tell(symbol) for symbol in symbols.listed(api, params)]


def _require_symbol(params: Params) -> None:
    if not params.get("symbol") and not params.get("symbols"):
        raise BadRequest(-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")


def _is_full(params: Params) -> bool:
    return symbols.choice(params, "type", ("FULL", "MINI")) != "MINI"


def _window(params: Params) -> int:
    """Return `windowSize` in nanoseconds; a day when it was not sent."""
    found = _WINDOW.fullmatch(params.get("windowSize", "1d"))
    unit_ns, most = WINDOW_UNITS[found[2]] if found else (0, 0)
    if found is None or int(found[1]) > most:
        raise BadRequest(-1130, "Data sent for parameter 'windowSize' is not valid.")
    return int(found[1]) * unit_ns


def _zone(params: Params) -> int:
    """Return how far `timeZone` is ahead of UTC, in nanoseconds."""
    found = _ZONE.fullmatch(params.get("timeZone", "0"))
    if found is not None:
        sign = -1 if found[1] == "-" else 1
        offset_ns = sign * (int(found[2]) * HOUR_NS + int(found[3] or 0) * MINUTE_NS)
        if ZONE_NS_MIN <= offset_ns <= ZONE_NS_MAX:
            return offset_ns
    raise BadRequest(-1130, "Data sent for parameter 'timeZone' is not valid.")


def _day_weight(params: Params) -> int:
    if "symbol" not in params and "symbols" not in params:
        return 80
    asked = symbols.count(params)
    return 2 if asked <= 20 else 40 if asked <= 100 else 80


def _per_symbol_weight(params: Params) -> int:
    return min(200, 4 * symbols.count(params))


OPERATIONS: dict[str, Operation] = {
    "klines": public(klines, 2),
    "uiKlines": public(klines, 2),
    "avgPrice": public(average_price, 2),
    "ticker.24hr": public(day_ticker, _day_weight),
    "ticker.tradingDay": public(trading_day_ticker, _per_symbol_weight),
    "ticker.price": public(price_ticker, lambda p: 2 if "symbol" in p else 4),
    "ticker": public(window_ticker, _per_symbol_weight),
}
"""Weights of rest-api.md. The venue changes uiKlines for presentation in ways it does not tell; here they are the klines."""

ROUTES = {
    ("GET", "/api/v3/klines"): "klines",
    ("GET", "/api/v3/uiKlines"): "uiKlines",
    ("GET", "/api/v3/avgPrice"): "avgPrice",
    ("GET", "/api/v3/ticker/24hr"): "ticker.24hr",
    ("GET", "/api/v3/ticker/tradingDay"): "ticker.tradingDay",
    ("GET", "/api/v3/ticker/price"): "ticker.price",
    ("GET", "/api/v3/ticker"): "ticker",
}
