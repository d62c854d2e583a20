"""`exchangeInfo` to Instruments, and ticks and lots back to the venue's text. Pure.

Prices and amounts are integers of 10^-8: the venue's texts have at most eight decimals, and its fees and balances use
all eight whatever precision an asset names. Quantities are too, where a level's 64 bits allow: see `quantity_scale`.
Filters that bind limit orders are read; `Exchange.notes` names what is not understood, for an operator to see.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bus.messages import Instrument
from gateway.binance_spot.decimals import SCALE, UNITS_MAX, decimal_text
from gateway.market import RateLimit
from gateway.text import BadDecimal, NotListed, NotTrading, SymbolError, look_again, units

SECOND_NS = 1_000_000_000
INTERVALS_NS = {
    "SECOND": SECOND_NS,
    "MINUTE": 60 * SECOND_NS,
    "HOUR": 3_600 * SECOND_NS,
    "DAY": 86_400 * SECOND_NS,
}
INVALID_SYMBOL = -1121  # docs, error codes: of a question for some symbols
_PPM = 100  # units of 10^-8 in a millionth
LEVEL_ORDERS = 1_000
LEVEL_ORDERS_WHOLE = 1_000_000
"""Orders of the greatest quantity that one level must hold, chosen: where lots are whole a coin is cheap, and levels of
1e11 units stand where maxQty is 9.2e7. A level beyond it cannot be read, so its book is not LIVE, and says why."""

_OTHER_FILTERS = frozenset(
    (
        "ICEBERG_PARTS",
        "MARKET_LOT_SIZE",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ICEBERG_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
        "MAX_NUM_ORDER_LISTS",
        "TRAILING_DELTA",
    )
)
"""Filters (docs, filters) of kinds of order this engine does not send."""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """instruments: in the order wanted. notes: what an operator should know; none of them stops trading."""

    instruments: tuple[Instrument, ...]
    rate_limits: tuple[RateLimit, ...]
    notes: tuple[str, ...]


class _Filter(msgspec.Struct):
    """The union of all filters' fields that are read; a filter has a few of them."""

    filterType: str
    minPrice: str = "0"
    maxPrice: str = "0"
    tickSize: str = "0"
    minQty: str = "0"
    maxQty: str = "0"
    stepSize: str = "0"
    minNotional: str = "0"
    maxNotional: str = "0"
    maxNumOrders: int = 0
    maxPosition: str = "0"
    multiplierUp: str = "0"
    multiplierDown: str = "0"
    bidMultiplierUp: str = "0"
    bidMultiplierDown: str = "0"
    askMultiplierUp: str = "0"
    askMultiplierDown: str = "0"


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter]
    baseAssetPrecision: int = SCALE
    quoteAssetPrecision: int = SCALE
    orderTypes: list[str] | None = None
    allowedSelfTradePreventionModes: list[str] | None = None


class _Limit(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class _Limits(msgspec.Struct):
    rateLimits: list[Any] = []  # Any: rows are converted one by one


def read_exchange(
    body: bytes,
    wanted: Sequence[str],
    account: int,
    venue: int,
    first_instrument: int = 0,
    versions: Mapping[str, int] | None = None,
) -> Exchange:
    """Return the wanted symbols as Instruments, numbered from `first_instrument` by their place in `wanted`.

    versions: by symbol, where it is not 1. Raises SymbolError naming symbol, field and remedy.
    """
    info = _body(body)
    symbols = {str(symbol.get("symbol")): symbol for symbol in info["symbols"] if isinstance(symbol, dict)}
    instruments: list[Instrument] = []
    notes: list[str] = []
    for number, name in enumerate(wanted, first_instrument):
        if wanted.count(name) > 1:
            raise SymbolError(name, "symbol", "is configured twice", "name it once")
        symbol = _symbol(name, symbols)
        instruments.append(_Reader(symbol).instrument(number, (versions or {}).get(name, 1), account, venue))
        notes += _symbol_notes(symbol)
    limits = _rate_limits(info.get("rateLimits"), notes)
    return Exchange(tuple(instruments), limits, tuple(notes))


def read_instruments(
    body: bytes,
    wanted: Sequence[str],
    account: int,
    venue: int,
    first_instrument: int = 0,
    versions: Mapping[str, int] | None = None,
) -> list[Instrument]:
    """As `read_exchange`, for who needs the Instruments only."""
    return list(read_exchange(body, wanted, account, venue, first_instrument, versions).instruments)


def rate_limits(body: bytes) -> tuple[RateLimit, ...]:
    """Return the limits that the body names, as far as they can be read; of its 10 MB nothing else is."""
    try:
        return _rate_limits(msgspec.json.decode(body, type=_Limits).rateLimits, [])
    except (ValueError, RecursionError):
        return ()


def price_text(instrument: Instrument, price_ticks: int) -> str:
    """Return the price as the venue reads it, exactly."""
    return decimal_text(price_ticks * instrument.tick)


def quantity_text(instrument: Instrument, lots: int) -> str:
    """Return the quantity as the venue reads it, exactly."""
    return decimal_text(lots * instrument.lot * 10 ** (SCALE - instrument.quantity_scale))


def quantity_scale(step: int, most: int) -> int:
    """Return the decimals of an instrument's quantities, given stepSize and maxQty in 10^-8: 8, or as few as it takes.

    Fewer where LEVEL_ORDERS orders of `most` do not fit 64 bits; never fewer than the step has.
    """
    orders = LEVEL_ORDERS if step % 10**SCALE else LEVEL_ORDERS_WHOLE
    scale = SCALE
    while scale and most * orders > UNITS_MAX * 10 ** (SCALE - scale) and step % 10 ** (SCALE - scale + 1) == 0:
        scale -= 1
    return scale


def _body(body: bytes) -> dict[str, Any]:  # Any: JSON of unread symbols, converted to types where it is read
    again = "ask /api/v3/exchangeInfo again; if it stays so, the venue changed its answer"
    try:
        info = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "body", f"is no JSON ({error})", again) from None
    if isinstance(info, dict) and isinstance(info.get("symbols"), list):
        return info
    if isinstance(info, dict) and "code" in info:
        answer = f"{info['code']} {str(info.get('msg'))[:100]}"
        kind = NotListed if info["code"] == INVALID_SYMBOL else SymbolError
        raise kind("", "symbols", f"is missing, the venue answered {answer}", "check the configured symbols")
    raise SymbolError("", "symbols", "is missing", again)


def _symbol(name: str, symbols: Mapping[str, dict[str, Any]]) -> _Symbol:
    found = symbols.get(name)
    if found is None:
        remedy = look_again(
            name.upper().replace("-", "").replace("/", ""), symbols, "a symbol from /api/v3/exchangeInfo"
        )
        raise NotListed(name, "symbol", "is not listed", remedy)
    try:
        symbol = msgspec.convert(found, _Symbol)
    except msgspec.ValidationError as error:
        raise SymbolError(name, "symbol", f"cannot be read: {error}", "report it with the body") from None
    if symbol.status != "TRADING":
        remedy = "remove it from the configuration, or start again when it is TRADING"
        raise NotTrading(name, "status", f"is {symbol.status}", remedy)
    for field in ("baseAssetPrecision", "quoteAssetPrecision"):
        if getattr(symbol, field) > SCALE:
            raise SymbolError(name, field, f"is {getattr(symbol, field)}, over {SCALE}", "this version cannot trade it")
    return symbol


class _Reader:
    """One symbol's filters. An absent filter reads as all zeros: none."""

    def __init__(self, symbol: _Symbol) -> None:
        self.symbol = symbol
        self.filters = {one.filterType: one for one in symbol.filters}

    def instrument(self, number: int, version: int, account: int, venue: int) -> Instrument:
        tick = self.size("PRICE_FILTER", "tickSize")
        lot = self.size("LOT_SIZE", "stepSize")
        scale = quantity_scale(lot, self.value("LOT_SIZE", "maxQty"))
        notional = "NOTIONAL" if "NOTIONAL" in self.filters else "MIN_NOTIONAL"
        counted = self.filters.get("MAX_NUM_ORDERS")
        return Instrument(
            instrument=number,
            version=version,
            account=account,
            venue=venue,
            venue_symbol=self.symbol.symbol,
            base_asset=self.symbol.baseAsset,
            quote_asset=self.symbol.quoteAsset,
            price_scale=SCALE,
            quantity_scale=scale,
            base_scale=SCALE,
            quote_scale=SCALE,
            tick=tick,
            lot=lot // 10 ** (SCALE - scale),
            min_price_ticks=-(-self.value("PRICE_FILTER", "minPrice") // tick),
            max_price_ticks=self.value("PRICE_FILTER", "maxPrice") // tick,
            min_lots=-(-self.value("LOT_SIZE", "minQty") // lot),
            max_lots=self.value("LOT_SIZE", "maxQty") // lot,
            min_notional=self.value(notional, "minNotional"),
            max_notional=self.value("NOTIONAL", "maxNotional"),
            max_orders=counted.maxNumOrders if counted else 0,
            bid_up_ppm=self.percent("bidMultiplierUp", "multiplierUp") // _PPM,
            bid_down_ppm=-(-self.percent("bidMultiplierDown", "multiplierDown") // _PPM),
            ask_up_ppm=self.percent("askMultiplierUp", "multiplierUp") // _PPM,
            ask_down_ppm=-(-self.percent("askMultiplierDown", "multiplierDown") // _PPM),
            trading=True,
            max_position_lots=self.value("MAX_POSITION", "maxPosition") // lot,
        )

    def size(self, kind: str, field: str) -> int:
        """Return the grid's step; 1 (10^-8) where the venue has switched the rule off with a zero."""
        if kind not in self.filters:
            raise SymbolError(self.symbol.symbol, kind, "is missing", "this symbol cannot be traded on a price grid")
        return self.value(kind, field) or 1

    def percent(self, by_side: str, both: str) -> int:
        """Return the bound of PERCENT_PRICE_BY_SIDE, else of the older PERCENT_PRICE, else 0."""
        if "PERCENT_PRICE_BY_SIDE" in self.filters:
            return self.value("PERCENT_PRICE_BY_SIDE", by_side)
        return self.value("PERCENT_PRICE", both)

    def value(self, kind: str, field: str) -> int:
        one = self.filters.get(kind)
        if one is None:
            return 0
        text: str = getattr(one, field)
        try:
            return units(text, SCALE)
        except BadDecimal:
            problem = f"is {text[:64]!r}, no decimal of at most {SCALE} places"
            raise SymbolError(self.symbol.symbol, f"{kind}.{field}", problem, "report it with the body") from None


def _symbol_notes(symbol: _Symbol) -> list[str]:
    name = symbol.symbol
    read = {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "MIN_NOTIONAL", "MAX_NUM_ORDERS", "MAX_POSITION"}
    read |= {"PERCENT_PRICE", "PERCENT_PRICE_BY_SIDE"}
    notes = [
        f"{name}: filter {one.filterType} is not understood; orders may be refused with -1013"
        for one in symbol.filters
        if one.filterType not in read and one.filterType not in _OTHER_FILTERS
    ]
    if symbol.orderTypes is not None:
        notes += [f"{name}: no {kind} orders" for kind in ("LIMIT", "LIMIT_MAKER") if kind not in symbol.orderTypes]
    modes = symbol.allowedSelfTradePreventionModes
    if modes is not None and "EXPIRE_MAKER" not in modes:
        notes.append(f"{name}: self-trade prevention EXPIRE_MAKER is not allowed, only {', '.join(modes)}")
    return notes


def _rate_limits(raw: object, notes: list[str]) -> tuple[RateLimit, ...]:
    """Return the limits that can be read; a note for each that cannot."""
    limits: list[RateLimit] = []
    for one in raw if isinstance(raw, list) else []:
        try:
            limit = msgspec.convert(one, _Limit)
        except msgspec.ValidationError as error:
            notes.append(f"rateLimits: cannot be read: {error}")
            continue
        if limit.interval not in INTERVALS_NS:
            notes.append(f"rateLimits: unknown interval {limit.interval[:64]}")
            continue
        interval_ns = limit.intervalNum * INTERVALS_NS[limit.interval]
        limits.append(RateLimit(limit.rateLimitType, interval_ns, limit.limit))
    if not limits:
        notes.append("rateLimits: none could be read")
    return tuple(limits)
