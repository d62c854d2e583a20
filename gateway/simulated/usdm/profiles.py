"""What the perpetuals' market looks like at the start: same names as spot's, own rules. Pure data."""

from ..core.decimals import SCALE
from ..core.filters import SymbolRules
from ..crowd.profiles import SymbolProfile, split_symbol

MULTIPLIER_UP = 10_500  # PERCENT_PRICE of BTCUSDT: 5 % above and below the mark price
MULTIPLIER_DOWN = 9_500
QUOTE = "USDT"


def perpetual(symbol: str) -> SymbolProfile | None:
    """Return the profile of a USDT contract; None for a name that is none. BTCUSDT's and ETHUSDT's sizes are near the venue's."""
    assets = split_symbol(symbol)
    if assets is None or assets[1] != QUOTE:
        return None
    match symbol:
        case "BTCUSDT":
            return SymbolProfile(_rules(symbol, tick=SCALE // 10, notional_min=100), 60_000 * SCALE, SCALE // 20)
        case "ETHUSDT":
            return SymbolProfile(_rules(symbol, tick=SCALE // 100, notional_min=20), 3_000 * SCALE, SCALE)
        case _:
            return SymbolProfile(_rules(symbol, tick=SCALE // 100, notional_min=5), 100 * SCALE, 5 * SCALE)


def _rules(symbol: str, *, tick: int, notional_min: int) -> SymbolRules:
    """Bids are bounded from above and offers from below, by the mark price: PERCENT_PRICE (docs, "Filters")."""
    return SymbolRules(
        symbol,
        symbol.removesuffix(QUOTE),
        QUOTE,
        tick_size=tick,
        price_min=tick,
        price_max=4_000_000 * SCALE,
        step_size=SCALE // 1_000,
        quantity_min=SCALE // 1_000,
        quantity_max=1_000 * SCALE,
        market_quantity_max=120 * SCALE,
        notional_min=notional_min * SCALE,
        notional_max=0,
        orders_max=200,
        bid_multiplier_up=MULTIPLIER_UP,
        bid_multiplier_down=0,
        ask_multiplier_up=0,
        ask_multiplier_down=MULTIPLIER_DOWN,
    )
