"""`AssetPairs` to Instruments. Pure.

REST calls BTC/USD "XXBTZUSD", its `wsname` "XBT/USD"; WebSocket v2 calls it BTC/USD, and so does everything here. The book's
precision is `pair_decimals` and `lot_decimals`: what v2 calls price_precision and qty_precision, and writes every number
with.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from bus.messages import Instrument
from gateway.text import BadDecimal, NotListed, SymbolError, look_again, units

RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
"""Assets whose name in `wsname` is not the one of WebSocket v2 (docs, "Spot WebSocket Introduction": symbols)."""
LEDGER_SCALE_MIN = 8  # chosen: what the venue's ledger keeps of an asset is in another request
DECIMALS_MAX = 18
MULTIPLIER_MAX = 1_000_000  # chosen; "currently always 1" (docs, "Get Tradable Asset Pairs")
AGAIN = "ask /0/public/AssetPairs again; if it stays so, the venue changed its answer"


class _Pair(msgspec.Struct):
    wsname: str
    pair_decimals: int
    lot_decimals: int
    cost_decimals: int = LEDGER_SCALE_MIN
    lot_multiplier: Annotated[int, msgspec.Meta(ge=1, le=MULTIPLIER_MAX)] = 1
    tick_size: str = ""
    ordermin: str = "0"
    costmin: str = "0"
    status: str = "online"


def read_instruments(body: bytes, wanted: Sequence[str], account: int, venue: int) -> list[Instrument]:
    """The wanted pairs by their v2 names, in that order, numbered from 0. Raises SymbolError."""
    pairs = _pairs(body)
    return [_instrument(number, name, pairs, account, venue) for number, name in enumerate(wanted)]


def v2_name(wsname: str) -> str:
    base, slash, quote = wsname.partition("/")
    return f"{RENAMED.get(base, base)}{slash}{RENAMED.get(quote, quote)}"


def _pairs(body: bytes) -> dict[str, Any]:  # Any: JSON of unread pairs, converted to types where it is read
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise SymbolError("", "body", f"is no JSON ({error})", AGAIN) from None
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict) or not result:
        errors = answer.get("error") if isinstance(answer, dict) else None
        raise SymbolError("", "result", f"is missing, the venue answered {str(errors)[:100]}", AGAIN)
    found = [pair for pair in result.values() if isinstance(pair, dict) and isinstance(pair.get("wsname"), str)]
    return {v2_name(pair["wsname"]): pair for pair in found}


def _instrument(number: int, name: str, pairs: Mapping[str, Any], account: int, venue: int) -> Instrument:
    if name not in pairs:
        remedy = look_again(v2_name(name.upper().replace("-", "/")), pairs, "a wsname from /0/public/AssetPairs")
        raise NotListed(name, "symbol", "is not listed", remedy)
    try:
        pair = msgspec.convert(pairs[name], _Pair, strict=False)
    except msgspec.ValidationError as error:
        raise SymbolError(name, "pair", f"cannot be read: {error}", AGAIN) from None
    for field in ("pair_decimals", "lot_decimals", "cost_decimals"):
        if not 0 <= getattr(pair, field) <= DECIMALS_MAX:
            raise SymbolError(name, field, f"is {getattr(pair, field)}", AGAIN)
    base, _, quote = name.partition("/")
    price_scale, quantity_scale = pair.pair_decimals, pair.lot_decimals
    quote_scale = max(pair.cost_decimals, LEDGER_SCALE_MIN)
    lot = pair.lot_multiplier
    return Instrument(
        instrument=number,
        version=1,
        account=account,
        venue=venue,
        venue_symbol=name,
        base_asset=base,
        quote_asset=quote,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
        base_scale=max(quantity_scale, LEDGER_SCALE_MIN),
        quote_scale=quote_scale,
        tick=_read(name, "tick_size", pair.tick_size or "0", price_scale) or 1,
        lot=lot,
        min_price_ticks=0,
        max_price_ticks=0,
        min_lots=-(-_read(name, "ordermin", pair.ordermin, quantity_scale) // lot),
        max_lots=0,
        min_notional=_read(name, "costmin", pair.costmin, quote_scale),
        max_notional=0,
        max_orders=0,
        trading=pair.status == "online",
    )


def _read(name: str, field: str, text: str, scale: int) -> int:
    try:
        return units(text, scale)
    except BadDecimal:
        problem = f"is {text[:64]!r}, no decimal of at most {scale} places"
        raise SymbolError(name, field, problem, AGAIN) from None
