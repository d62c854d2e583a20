"""A side's price and quantity texts, as a JSON reader found them, as integers in the instrument's scales. Pure. HOT PATH: `read_side`.

The texts are joined to one JSON array (`arrays`: exact). Sound: without digits and dots exactly the separators must remain.
Whatever is not exactly so is read one by one, which decides, and names what is wrong. `levels` is faster where rows are
long and their bytes are at hand (measured: gateway/bybit/codec.py).
"""

from itertools import islice
from operator import gt, lt

from bus.messages.feed import Levels, Scales
from gateway.text.arrays import DIGITS, SCALES, read_joined
from gateway.text.decimals import BadDecimal, TooFine, units


def read_side(texts: list[str], scales: Scales) -> Levels:
    """Return the levels of `texts` (price, quantity, price, quantity ...). Raises TooFine or BadDecimal."""
    if scales.price == scales.quantity:
        values = fast_units(texts, scales.price)
        if values is not None:
            return values[::2], values[1::2]
    else:
        prices, quantities = fast_units(texts[::2], scales.price), fast_units(texts[1::2], scales.quantity)
        if prices is not None and quantities is not None:
            return prices, quantities
    return read_exactly(texts, scales)


def fast_units(texts: list[str], decimals: int) -> tuple[int, ...] | None:
    """Return all of them in units of 10^-decimals; None: not exactly as expected."""
    if not texts:
        return ()
    scale = SCALES.get(decimals)
    if scale is None:
        return None
    joined = scale.between_texts.join(texts).encode()
    if joined.translate(None, DIGITS) != b"e," * (len(texts) - 1):
        return None
    return read_joined(joined, scale)


def read_exactly(texts: list[str], scales: Scales) -> Levels:
    """As `read_side`, one by one: the slow route, and what is true. A BadDecimal names the level."""
    prices, quantities = texts[::2], texts[1::2]
    try:
        return (
            tuple([units(text, scales.price) for text in prices]),
            tuple([units(text, scales.quantity) for text in quantities]),
        )
    except TooFine:
        raise
    except BadDecimal:
        for rank, (price, quantity) in enumerate(zip(prices, quantities, strict=True)):
            try:
                units(price, scales.price)
                units(quantity, scales.quantity)
            except TooFine:
                continue
            except BadDecimal:
                raise BadDecimal(f"level {rank}: {price[:48]!r}, {quantity[:48]!r}") from None
        raise


def best_first(levels: Levels, descending: bool) -> Levels:
    """Return a whole side best first, each price once (the last told), without empty levels: mostly as it came."""
    prices, quantities = levels
    if all(map(gt if descending else lt, prices, islice(prices, 1, None))) and 0 not in quantities:
        return levels
    side = dict(zip(prices, quantities, strict=True))
    ordered = tuple(sorted((price for price, quantity in side.items() if quantity), reverse=descending))
    return ordered, tuple([side[price] for price in ordered])


def finer_scales(texts: list[str], scales: Scales) -> Scales:
    """Return the scales that hold all texts. Raises BadDecimal when none do."""
    prices, quantities = texts[::2], texts[1::2]
    finer = Scales(_decimals(prices, scales.price), _decimals(quantities, scales.quantity))
    read_exactly(texts, finer)
    return finer


def _decimals(texts: list[str], least: int) -> int:
    for text in texts:
        try:
            units(text, least)
        except TooFine as finer:
            least = finer.decimals
    return least
