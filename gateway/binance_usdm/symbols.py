"""`exchangeInfo` of USD-M futures to Instruments. Pure.

A contract is one unit of the base asset, which may itself be a thousand coins (1000SHIB): the venue names no other
multiplier. Prices and amounts are integers of 10^-8 (mark prices have eight decimals whatever the tick); quantities too,
where a level's 64 bits allow. Filters of market and conditional orders are not read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bus.messages import Instrument
from gateway.text import BadDecimal, NotListed, NotTrading, SymbolError, look_again, units

SCALE = 8
UNITS_MAX = 2**63 - 1
LEVEL_ORDERS = 1_000
"""Orders of the greatest quantity that one level must hold, chosen: 9.2e10 contracts at eight decimals."""
_PPM = 100  # units of 10^-8 in a millionth


class _Filter(msgspec.Struct):
    """The union of all filters' fields that are read; a filter has a few of them."""

    filterType: str
    minPrice: str = "0"
    maxPrice: str = "0"
    tickSize: str = "0"
    minQty: str = "0"
    maxQty: str = "0"
    stepSize: str = "0"
    notional: str = "0"
    limit: int = 0
    multiplierUp: str = "0"
    multiplierDown: str = "0"


class _Symbol(msgspec.Struct):
    """contractType: PERPETUAL, CURRENT_QUARTER and others trade alike; only the first pays funding (see `slow`)."""

    symbol: str
    status: str
    contractType: str
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    filters: list[_Filter]


def read_instruments(body: bytes, wanted: Sequence[str], account: int, venue: int) -> list[Instrument]:
    """Return the wanted symbols, numbered by their place in `wanted`. Raises SymbolError naming symbol, field and remedy."""
    symbols = {str(one.get("symbol")): one for one in _symbols(body) if isinstance(one, dict)}
    instruments: list[Instrument] = []
    for number, name in enumerate(wanted):
        if wanted.count(name) > 1:
            raise SymbolError(name, "symbol", "is configured twice", "name it once")
        instruments.append(_Reader(_symbol(name, symbols)).instrument(number, account, venue))
    return instruments


def quantity_scale(step: int, most: int) -> int:
    """Return the decimals of an instrument's quantities, given stepSize and maxQty in 10^-8: 8, or as few as it takes.

    Fewer where LEVEL_ORDERS orders of `most` do not fit 64 bits; never fewer than the step has.
    """
    scale = SCALE
    while scale and most * LEVEL_ORDERS > UNITS_MAX * 10 ** (SCALE - scale) and step % 10 ** (SCALE - scale + 1) == 0:
        scale -= 1
    return scale


def _symbols(body: bytes) -> list[Any]:  # Any: JSON of unread symbols, converted to types where it is read
    again = "ask /fapi/v1/exchangeInfo again; if it stays so, the venue changed its answer"
    try:
        info = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "body", f"is no JSON ({error})", again) from None
    if isinstance(info, dict) and isinstance(info.get("symbols"), list):
        symbols: list[Any] = info["symbols"]
        return symbols
    if isinstance(info, dict) and "code" in info:
        answer = f"{info['code']} {str(info.get('msg'))[:100]}"
        raise SymbolError("", "symbols", f"is missing, the venue answered {answer}", "wait, then start again")
    raise SymbolError("", "symbols", "is missing", again)


def _symbol(name: str, symbols: Mapping[str, dict[str, Any]]) -> _Symbol:
    found = symbols.get(name)
    if found is None:
        remedy = look_again(
            name.upper().replace("-", "").replace("/", ""), symbols, "a symbol from /fapi/v1/exchangeInfo"
        )
        raise NotListed(name, "symbol", "is not listed", remedy)
    try:
        symbol = msgspec.convert(found, _Symbol)
    except msgspec.ValidationError as error:
        raise SymbolError(name, "symbol", f"cannot be read: {error}", "report it with the body") from None
    if symbol.status != "TRADING":
        remedy = "remove it from the configuration, or start again when it is TRADING"
        raise NotTrading(name, "status", f"is {symbol.status}", remedy)
    if symbol.marginAsset != symbol.quoteAsset:  # an inverse contract pays in its base: another kind of arithmetic
        raise SymbolError(name, "marginAsset", f"is {symbol.marginAsset}", "this version reads linear contracts only")
    return symbol


class _Reader:
    """One symbol's filters. An absent filter reads as all zeros: none."""

    def __init__(self, symbol: _Symbol) -> None:
        self.symbol = symbol
        self.filters = {one.filterType: one for one in symbol.filters}

    def instrument(self, number: int, account: int, venue: int) -> Instrument:
        """PERCENT_PRICE bounds a bid from above and an offer from below, by the mark price (docs, "Filters")."""
        tick = self.size("PRICE_FILTER", "tickSize")
        lot = self.size("LOT_SIZE", "stepSize")
        scale = quantity_scale(lot, self.value("LOT_SIZE", "maxQty"))
        counted = self.filters.get("MAX_NUM_ORDERS")
        return Instrument(
            instrument=number,
            version=1,
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
            min_notional=self.value("MIN_NOTIONAL", "notional"),
            max_notional=0,
            max_orders=counted.limit if counted else 0,
            bid_up_ppm=self.value("PERCENT_PRICE", "multiplierUp") // _PPM,
            ask_down_ppm=-(-self.value("PERCENT_PRICE", "multiplierDown") // _PPM),
            settle_asset=self.symbol.marginAsset,
        )

    def size(self, kind: str, field: str) -> int:
        """Return the grid's step. Raises SymbolError where there is none."""
        step = self.value(kind, field)
        if step == 0:
            raise SymbolError(self.symbol.symbol, f"{kind}.{field}", "is missing or 0", "this symbol has no grid")
        return step

    def value(self, kind: str, field: str) -> int:
        one = self.filters.get(kind)
        text: str = getattr(one, field) if one is not None else "0"
        try:
            return units(text, SCALE)
        except BadDecimal:
            problem = f"is {text[:64]!r}, no decimal of at most {SCALE} places"
            raise SymbolError(self.symbol.symbol, f"{kind}.{field}", problem, "report it with the body") from None
