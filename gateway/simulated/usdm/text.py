"""Figures as the futures face writes them: with the instrument's own decimals, where spot always writes eight. Pure."""

from collections.abc import Callable

from ..core.decimals import DECIMALS
from ..core.filters import SymbolRules
from ..payload import Levels

PRICE_DECIMALS_MIN = 2  # chosen: BTCUSDT's pricePrecision, whose tick of 2026 has one


def price_decimals(rules: SymbolRules) -> int:
    """`pricePrecision`: a price with more decimals is refused before its tick is looked at."""
    return max(PRICE_DECIMALS_MIN, _decimals(rules.tick_size))


def quantity_decimals(rules: SymbolRules) -> int:
    return _decimals(rules.step_size)


def _decimals(unit: int) -> int:
    text = f"{unit:0{DECIMALS}d}"
    return len(text[-DECIMALS:].rstrip("0")) if unit else DECIMALS


def fixed(amount: int, decimals: int) -> str:
    """Return `amount` (10^-8) with exactly so many decimals; what is finer is cut off."""
    sign = "-" if amount < 0 else ""
    scaled = abs(amount) // 10 ** (DECIMALS - decimals)
    if decimals == 0:
        return f"{sign}{scaled}" if scaled else "0"
    whole, fraction = divmod(scaled, 10**decimals)
    return f"{sign if scaled else ''}{whole}.{fraction:0{decimals}d}"


def plain(amount: int) -> str:
    """Return `amount` (10^-8) with no more decimals than it needs, as exchangeInfo writes sizes: 0.10, 5, 1000."""
    text = fixed(amount, DECIMALS).rstrip("0").rstrip(".")
    return text or "0"


class Figures:
    """How one instrument's prices, quantities and amounts are written. `rules` returns the present ones.

    Finer rules bring more decimals, coarser ones leave them: what rests was ordered by the rules of its time.
    """

    def __init__(self, rules: Callable[[], SymbolRules]) -> None:
        self._rules = rules
        self._seen: SymbolRules | None = None
        self._decimals = 0, 0

    def price(self, price: int) -> str:
        return fixed(price, self._read()[0])

    def quantity(self, quantity: int) -> str:
        return fixed(quantity, self._read()[1])

    def amount(self, amount: int) -> str:
        """A quote amount: as many decimals as price and quantity have together."""
        return fixed(amount, min(DECIMALS, sum(self._read())))

    def levels(self, levels: Levels) -> list[tuple[str, str]]:
        of_price, of_quantity = self._read()
        return [(fixed(price, of_price), fixed(quantity, of_quantity)) for price, quantity in levels]

    def _read(self) -> tuple[int, int]:
        """Return the decimals of prices and of quantities."""
        rules = self._rules()
        if rules is not self._seen:
            self._seen = rules
            of_price, of_quantity = self._decimals
            self._decimals = max(of_price, price_decimals(rules)), max(of_quantity, quantity_decimals(rules))
        return self._decimals
