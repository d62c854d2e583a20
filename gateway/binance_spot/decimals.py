"""The venue's decimal text as integers of 10^-8, exactly, and back. Pure.

Everything the venue writes (prices, quantities, amounts, fees, balances) has at most eight decimals; it mostly writes
all eight. A text that does not fit is refused by name: it is never rounded.
"""

SCALE = 8  # exchangeInfo: baseAssetPrecision and quoteAssetPrecision are at most 8 for all 1,695 symbols (capture 2021)
UNIT = 10**SCALE
WHOLE_DIGITS_MAX = 20  # chosen: 10^20 whole units is past any supply; a longer text is refused


class BadDecimal(ValueError):
    """Not a plain non-negative decimal of at most eight decimals; the text itself is the argument."""


def units(text: str) -> int:
    """Return `text` in units of 10^-8. Raises BadDecimal: sign, exponent, nan, empty, over eight decimals, huge."""
    if text[-9:-8] == ".":  # eight decimals: how the venue nearly always writes
        digits = text[:-9] + text[-8:]
        if 8 < len(digits) <= WHOLE_DIGITS_MAX + SCALE and digits.isdigit() and digits.isascii():
            return int(digits)
        raise BadDecimal(text[:64])
    whole, dot, fraction = text.partition(".")
    if not (whole.isdigit() and text.isascii() and len(whole) <= WHOLE_DIGITS_MAX and len(fraction) <= SCALE):
        raise BadDecimal(text[:64])
    if dot and not fraction.isdigit():
        raise BadDecimal(text[:64])
    return int(whole + fraction.ljust(SCALE, "0"))


def signed_units(text: str) -> int:
    """As `units`, for amounts that may be negative (a fee that is a rebate)."""
    return -units(text[1:]) if text.startswith("-") else units(text)


def decimal_text(amount: int) -> str:
    """Return units of 10^-8 as the venue writes them: always eight decimals. `amount` is not negative."""
    assert amount >= 0, amount
    whole, fraction = divmod(amount, UNIT)
    return f"{whole}.{fraction:08d}"
