"""The public products list to Instruments. Pure."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from bus.messages import Instrument
from gateway.text import BadDecimal, NotListed, NotTrading, SymbolError, TooFine, decimals_of, look_again, units

SCALE = 8  # the venue's amounts have at most eight decimals (docs, "List Public Products": increments from 0.00000001)
LEVEL_ORDERS = 1_000  # chosen: largest orders at one price that a quantity must hold in 64 bits
UNITS_MAX = 2**63 - 1
_AGAIN = "ask for the products again; if it stays so, the venue changed its answer"


class _Product(msgspec.Struct):
    """alias: the product whose market data stand for this one's; itself, or nothing, where it has its own."""

    product_id: str
    base_increment: str
    quote_increment: str
    base_min_size: str
    base_max_size: str
    base_currency_id: str
    quote_currency_id: str
    status: str
    price_increment: str = ""
    quote_min_size: str = "0"
    quote_max_size: str = "0"
    is_disabled: bool = False
    trading_disabled: bool = False
    cancel_only: bool = False
    auction_mode: bool = False
    view_only: bool = False
    alias: str = ""


class _Products(msgspec.Struct):
    products: list[msgspec.Raw]


class _Named(msgspec.Struct):
    product_id: str = ""


_products = msgspec.json.Decoder(_Products).decode
_product = msgspec.json.Decoder(_Product).decode
_named = msgspec.json.Decoder(_Named).decode


def read_instruments(body: bytes, wanted: Sequence[str], account: int, venue: int) -> list[Instrument]:
    """Return the wanted products, numbered by their place in `wanted`. Raises SymbolError naming field and remedy."""
    try:
        products = {_named(raw).product_id: raw for raw in _products(body).products}
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "products", f"cannot be read: {error}", _AGAIN) from None
    found: list[Instrument] = []
    for number, name in enumerate(wanted):
        if wanted.count(name) > 1:
            raise SymbolError(name, "product_id", "is configured twice", "name it once")
        found.append(_Reader(_wanted(name, products)).instrument(number, account, venue))
    return found


def _wanted(name: str, products: Mapping[str, msgspec.Raw]) -> _Product:
    raw = products.get(name)
    if raw is None:
        remedy = look_again(name.upper().replace("/", "-"), products, "a product_id from the products list")
        raise NotListed(name, "product_id", "is not listed", remedy)
    try:
        product = _product(raw)
    except (ValueError, RecursionError) as error:
        raise SymbolError(name, "product", f"cannot be read: {error}", "report it with the body") from None
    later = "remove it from the configuration, or start again when it trades"
    if product.status != "online":
        raise NotTrading(name, "status", f"is {product.status[:40]!r}", later)
    for field in ("is_disabled", "trading_disabled"):
        if getattr(product, field):
            raise NotTrading(name, field, "is true", later)
    if product.alias not in ("", name):
        raise SymbolError(name, "alias", f"is {product.alias[:40]}: its market data come under that name", "use that")
    return product


class _Reader:
    """One product's numbers, in scales that hold them."""

    def __init__(self, product: _Product) -> None:
        self.product = product
        self.price_field = "price_increment" if product.price_increment else "quote_increment"
        self.price_scale = max(SCALE, decimals_of(getattr(product, self.price_field)))
        self.quantity_scale = max(SCALE, decimals_of(product.base_increment))
        if self.value("base_max_size", 0, whole=True) * LEVEL_ORDERS * 10**self.quantity_scale > UNITS_MAX:
            self.quantity_scale = decimals_of(product.base_increment)  # PEPE, SHIB: in whole ones, what they trade in

    def instrument(self, number: int, account: int, venue: int) -> Instrument:
        product = self.product
        tick = self.step(self.price_field, self.price_scale)
        lot = self.step("base_increment", self.quantity_scale)
        return Instrument(
            instrument=number,
            version=1,
            account=account,
            venue=venue,
            venue_symbol=product.product_id,
            base_asset=product.base_currency_id,
            quote_asset=product.quote_currency_id,
            price_scale=self.price_scale,
            quantity_scale=self.quantity_scale,
            base_scale=SCALE,
            quote_scale=SCALE,
            tick=tick,
            lot=lot,
            min_price_ticks=0,
            max_price_ticks=0,
            min_lots=-(-self.value("base_min_size", self.quantity_scale) // lot),
            max_lots=self.value("base_max_size", self.quantity_scale) // lot,
            min_notional=self.value("quote_min_size", SCALE),
            max_notional=self.value("quote_max_size", SCALE),
            max_orders=0,
            trading=not (product.cancel_only or product.auction_mode or product.view_only),
        )

    def step(self, field: str, scale: int) -> int:
        return self.value(field, scale) or self.refuse(field, "is 0")

    def value(self, field: str, scale: int, whole: bool = False) -> int:
        """whole: without its fraction."""
        text: str = getattr(self.product, field)
        try:
            return units(text.partition(".")[0] if whole else text, scale)
        except TooFine as error:
            self.refuse(field, f"has {error.decimals} decimals, over {scale}")
        except BadDecimal:
            self.refuse(field, f"is {text[:64]!r}, no decimal that 64 bits hold")

    def refuse(self, field: str, problem: str) -> NoReturn:
        raise SymbolError(self.product.product_id, field, problem, "report it with the body")
