"""What the generated market looks like at the start, by symbol. Pure data."""

import msgspec

from ..core.decimals import SCALE
from ..core.filters import SymbolRules
from .parameters import COARSE_TICK, FINE_TICK, CancelRule, FlowParameters

# Longest first, so that FDUSD is not read as USD. Binance's quote assets of 2026-11, where we name them without exchangeInfo.
QUOTE_ASSETS = ("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "GBP", "TRY", "BRL", "JPY", "USD")
SYMBOL_MAX = 20  # letters of a symbol: what the text of -1100 allows


class SymbolProfile(msgspec.Struct, frozen=True):
    """`unit_quantity` is the usual size of an order in the crowd: what quantities of `flow` are multiples of."""

    rules: SymbolRules
    start_price: int
    unit_quantity: int
    flow: FlowParameters = FINE_TICK

    def with_cancel_rule(self, rule: CancelRule) -> "SymbolProfile":
        return msgspec.structs.replace(self, flow=msgspec.structs.replace(self.flow, cancel_rule=rule))


def split_symbol(symbol: str) -> tuple[str, str] | None:
    """Return base and quote asset by the quote's well-known name, or None."""
    for quote in QUOTE_ASSETS:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote), quote
    return None


def profile(symbol: str) -> SymbolProfile | None:
    """Return the profile of `symbol`: BTCUSDT's and ETHUSDT's sizes are near the venue's, others are generic.

    None for what is no name: other than letters and digits, too long, or of an unknown quote asset.
    """
    assets = split_symbol(symbol)
    if assets is None or len(symbol) > SYMBOL_MAX or not (symbol.isascii() and symbol.isalnum()):
        return None
    base, quote = assets
    match symbol:
        case "BTCUSDT":
            return SymbolProfile(SymbolRules(symbol, base, quote), 60_000 * SCALE, SCALE // 20)
        case "ETHUSDT":
            rules = SymbolRules(symbol, base, quote, step_size=SCALE // 10_000, quantity_min=SCALE // 10_000)
            return SymbolProfile(rules, 3_000 * SCALE, SCALE)
        case _:
            rules = SymbolRules(
                symbol,
                base,
                quote,
                step_size=SCALE // 1_000,
                quantity_min=SCALE // 1_000,
                quantity_max=900_000 * SCALE,
                market_quantity_max=90_000 * SCALE,
            )
            return SymbolProfile(rules, 100 * SCALE, 5 * SCALE, COARSE_TICK)
