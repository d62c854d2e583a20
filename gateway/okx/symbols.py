"""`public/instruments` to Instruments: spot, perpetual swaps, futures. Pure.

Quantities of swaps and futures are contracts, as on the wire: one is worth `ctVal` of `ctValCcy` (a coin for linear ones,
dollars for inverse ones). Nothing here multiplies by it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil
from typing import Any

import msgspec

from bus.messages import Instrument
from gateway.text import FAST_SCALE, BadDecimal, NotListed, SymbolError, look_again, units

UNITS_MAX = 2**63 - 1
SCALE_MAX = 18
EXPONENT_MAX = 30  # of ten, of a size, either way; chosen: "no bound" is written with 14 digits
TEXT_MAX = 48
AGAIN = "ask /api/v5/public/instruments again; if it stays so, the venue changed its answer"
KINDS = ("SPOT", "SWAP", "FUTURES")


class _Symbol(msgspec.Struct):
    instId: str
    instType: str
    tickSz: str
    lotSz: str
    minSz: str
    state: str
    baseCcy: str = ""
    quoteCcy: str = ""
    uly: str = ""
    maxLmtSz: str = ""


def read_instruments(bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int) -> list[Instrument]:
    """The wanted ones, in that order, numbered from 0. Raises SymbolError."""
    listed: dict[str, Any] = {}
    for body in bodies:
        listed.update(_listed(body))
    return [_instrument(number, _symbol(name, listed), account, venue) for number, name in enumerate(wanted)]


def _listed(body: bytes) -> dict[str, Any]:  # Any: JSON of unread symbols, converted to types where it is read
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "body", f"is no JSON ({error})", AGAIN) from None
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or answer.get("code") != "0":
        told = f"{answer.get('code')} {str(answer.get('msg'))[:100]}" if isinstance(answer, dict) else "no object"
        raise SymbolError("", "data", f"is missing, the venue answered {told}", AGAIN)
    return {str(row.get("instId")): row for row in rows if isinstance(row, dict)}


def _symbol(name: str, listed: Mapping[str, Any]) -> _Symbol:
    if name not in listed:
        remedy = look_again(name.upper().replace("/", "-"), listed, "an instId from /api/v5/public/instruments")
        raise NotListed(name, "symbol", "is not listed", remedy)
    try:
        symbol = msgspec.convert(listed[name], _Symbol)
    except msgspec.ValidationError as error:
        raise SymbolError(name, "instrument", f"cannot be read: {error}", AGAIN) from None
    if symbol.instType not in KINDS:
        raise SymbolError(name, "instType", f"is {symbol.instType[:64]}", f"this version reads {', '.join(KINDS)}")
    return symbol


def _instrument(number: int, symbol: _Symbol, account: int, venue: int) -> Instrument:
    tick, lot = _decimal(symbol, "tickSz"), _decimal(symbol, "lotSz")
    if not tick or not lot:
        raise SymbolError(symbol.instId, "tickSz" if lot else "lotSz", "is 0", AGAIN)
    price_scale, quantity_scale = max(FAST_SCALE, _places(tick)), _quantity_scale(symbol, lot)
    if max(price_scale, _places(lot)) > SCALE_MAX:
        raise SymbolError(symbol.instId, "tickSz, lotSz", "are too fine", "this version cannot read its book")
    base, quote = _assets(symbol)
    return Instrument(
        instrument=number,
        version=1,
        account=account,
        venue=venue,
        venue_symbol=symbol.instId,
        base_asset=base,
        quote_asset=quote,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
        base_scale=max(FAST_SCALE, quantity_scale),
        quote_scale=FAST_SCALE,
        tick=_units(symbol, "tickSz", price_scale),
        lot=_units(symbol, "lotSz", quantity_scale),
        min_price_ticks=0,
        max_price_ticks=0,
        min_lots=_lots(_decimal(symbol, "minSz"), lot),
        max_lots=_lots(_decimal(symbol, "maxLmtSz"), lot),
        min_notional=0,
        max_notional=0,
        max_orders=0,
        trading=symbol.state == "live",
    )


def _quantity_scale(symbol: _Symbol, lot: Decimal) -> int:
    """Eight decimals, or the lot's own where it is finer. None for a coin that trades by the whole: such a coin is worth
    next to nothing, and a level of 10^11 of it does not fit 64 bits with eight decimals."""
    if symbol.instType == "SPOT" and lot >= 1:
        return 0
    return max(FAST_SCALE, _places(lot))


def _assets(symbol: _Symbol) -> tuple[str, str]:
    """Base and quote; of a derivative those of its underlying (BTC-USD: an inverse one, settled in its base)."""
    if symbol.baseCcy and symbol.quoteCcy:
        return symbol.baseCcy, symbol.quoteCcy
    base, _, quote = (symbol.uly or symbol.instId).partition("-")
    return base, quote.partition("-")[0]


def _decimal(symbol: _Symbol, field: str) -> Decimal:
    """A size as the venue writes it; "" is 0."""
    text: str = getattr(symbol, field) or "0"
    try:
        value = Decimal(text[:TEXT_MAX])
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0 or abs(value.adjusted()) > EXPONENT_MAX:
        raise SymbolError(symbol.instId, field, f"is {text[:64]!r}, no size", AGAIN)
    return value


def _places(value: Decimal) -> int:
    """Decimals that are not trailing zeros."""
    _, _, decimals = f"{value:f}".partition(".")
    return len(decimals.rstrip("0"))


def _lots(size: Decimal, lot: Decimal) -> int:
    """Rounded up; the venue's larger numbers ("99999999999999" of a coin) only say that there is no bound."""
    return min(ceil(Fraction(size) / Fraction(lot)), UNITS_MAX)


def _units(symbol: _Symbol, field: str, scale: int) -> int:
    text = f"{_decimal(symbol, field):f}"
    try:
        return units(text, scale)
    except BadDecimal:
        raise SymbolError(
            symbol.instId, field, f"is {text[:64]!r}, no decimal of at most {scale} places", AGAIN
        ) from None
