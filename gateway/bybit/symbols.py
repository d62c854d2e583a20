"""instruments-info to Instruments, of spot and of linear contracts. Pure."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from bus.messages import Instrument
from gateway.text import BadDecimal, NotListed, NotTrading, SymbolError, TooFine, decimals_of, look_again, units

SCALE = 8  # of amounts, and of prices and quantities that eight decimals hold
PAGE = 1_000  # the largest page (docs, "Get Instruments Info"); spot has no pages
LEVEL_ORDERS = 1_000  # chosen: largest orders at one price that a quantity must hold in 64 bits
UNITS_MAX = 2**63 - 1
_AGAIN = "ask for the instruments again; if it stays so, the venue changed its answer"


class _Price(msgspec.Struct):
    """minPrice, maxPrice: linear only."""

    tickSize: str
    minPrice: str = "0"
    maxPrice: str = "0"


class _Lot(msgspec.Struct):
    """Spot: basePrecision, maxLimitOrderQty, minOrderAmt, maxOrderAmt. Linear: qtyStep, maxOrderQty, minNotionalValue."""

    basePrecision: str = ""
    qtyStep: str = ""
    minOrderQty: str = "0"
    maxLimitOrderQty: str = ""
    maxOrderQty: str = "0"
    minOrderAmt: str = ""
    maxOrderAmt: str = "0"
    minNotionalValue: str = ""


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseCoin: str
    quoteCoin: str
    priceFilter: _Price
    lotSizeFilter: _Lot


class _Page(msgspec.Struct):
    list: list[msgspec.Raw]
    nextPageCursor: str = ""


class _Answer(msgspec.Struct):
    retCode: int
    retMsg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


class _Named(msgspec.Struct):
    symbol: str = ""


_answer = msgspec.json.Decoder(_Answer).decode
_page = msgspec.json.Decoder(_Page).decode
_symbol = msgspec.json.Decoder(_Symbol).decode
_named = msgspec.json.Decoder(_Named).decode


def read_instruments(body: bytes, wanted: Sequence[str], account: int, venue: int) -> list[Instrument]:
    """Return the wanted symbols, numbered by their place in `wanted`. Raises SymbolError naming field and remedy."""
    try:
        answer = _answer(body)
        if answer.retCode:
            problem = f"is missing, the venue answered {answer.retCode} {answer.retMsg[:100]}"
            raise SymbolError("", "result", problem, "check the category and the configured symbols")
        page = _page(answer.result)
        symbols = {_named(raw).symbol: raw for raw in page.list}
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "result", f"cannot be read: {error}", _AGAIN) from None
    found: list[Instrument] = []
    for number, name in enumerate(wanted):
        if wanted.count(name) > 1:
            raise SymbolError(name, "symbol", "is configured twice", "name it once")
        found.append(_Reader(_wanted(name, symbols, bool(page.nextPageCursor))).instrument(number, account, venue))
    return found


def _wanted(name: str, symbols: Mapping[str, msgspec.Raw], more: bool) -> _Symbol:
    raw = symbols.get(name)
    if raw is None:
        remedy = look_again(name.upper().replace("-", "").replace("/", ""), symbols, "a symbol from instruments-info")
        problem = f"is not among the first {PAGE} of the list" if more else "is not listed"
        raise (SymbolError if more else NotListed)(name, "symbol", problem, remedy)
    try:
        symbol = _symbol(raw)
    except (ValueError, RecursionError) as error:
        raise SymbolError(name, "symbol", f"cannot be read: {error}", "report it with the body") from None
    if symbol.status != "Trading":
        remedy = "remove it from the configuration, or start again when it is Trading"
        raise NotTrading(name, "status", f"is {symbol.status[:40]}", remedy)
    return symbol


class _Reader:
    """One symbol's filters, in scales that hold them. An absent one reads as zero: none."""

    def __init__(self, symbol: _Symbol) -> None:
        self.name = symbol.symbol
        self.symbol, self.price, self.lot = symbol, symbol.priceFilter, symbol.lotSizeFilter
        self.step_text = self.lot.basePrecision or self.lot.qtyStep
        self.most_text = self.lot.maxLimitOrderQty or self.lot.maxOrderQty
        self.price_scale = max(SCALE, decimals_of(self.price.tickSize))
        self.quantity_scale = max(SCALE, decimals_of(self.step_text))
        most = self.value("lotSizeFilter.maxOrderQty", self.most_text.partition(".")[0], 0)
        if most * LEVEL_ORDERS * 10**self.quantity_scale > UNITS_MAX:
            self.quantity_scale = decimals_of(self.step_text)  # PEPE, SHIB: in the steps they trade in

    def instrument(self, number: int, account: int, venue: int) -> Instrument:
        tick = self.step("priceFilter.tickSize", self.price.tickSize, self.price_scale)
        lot = self.step("lotSizeFilter.qtyStep", self.step_text, self.quantity_scale)
        least_amount = self.lot.minOrderAmt or self.lot.minNotionalValue or "0"
        return Instrument(
            instrument=number,
            version=1,
            account=account,
            venue=venue,
            venue_symbol=self.name,
            base_asset=self.symbol.baseCoin,
            quote_asset=self.symbol.quoteCoin,
            price_scale=self.price_scale,
            quantity_scale=self.quantity_scale,
            base_scale=SCALE,
            quote_scale=SCALE,
            tick=tick,
            lot=lot,
            min_price_ticks=-(-self.value("priceFilter.minPrice", self.price.minPrice, self.price_scale) // tick),
            max_price_ticks=self.value("priceFilter.maxPrice", self.price.maxPrice, self.price_scale) // tick,
            min_lots=-(-self.value("lotSizeFilter.minOrderQty", self.lot.minOrderQty, self.quantity_scale) // lot),
            max_lots=self.value("lotSizeFilter.maxOrderQty", self.most_text, self.quantity_scale) // lot,
            min_notional=self.value("lotSizeFilter.minOrderAmt", least_amount, SCALE),
            max_notional=self.value("lotSizeFilter.maxOrderAmt", self.lot.maxOrderAmt, SCALE),
            max_orders=0,
        )

    def step(self, field: str, text: str, scale: int) -> int:
        return self.value(field, text, scale) or self.refuse(field, "is 0")

    def value(self, field: str, text: str, scale: int) -> int:
        try:
            return units(text, scale)
        except TooFine as error:
            self.refuse(field, f"has {error.decimals} decimals, over {scale}")
        except BadDecimal:
            self.refuse(field, f"is {text[:64]!r}, no decimal that 64 bits hold")

    def refuse(self, field: str, problem: str) -> NoReturn:
        raise SymbolError(self.name, field, problem, "report it with the body")
