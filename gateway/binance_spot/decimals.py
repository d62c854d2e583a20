"""The venue's decimal text as integers of 10^-8, exactly, and back. Pure.

Everything the venue writes (prices, quantities, amounts, fees, balances) has at most eight decimals; it mostly writes
all eight. A text that does not fit is refused by name: it is never rounded.
"""

from typing import Annotated

import msgspec

from gateway.text import BadDecimal

SCALE = 8  # exchangeInfo: baseAssetPrecision and quoteAssetPrecision are at most 8 for all 1,695 symbols (capture 2021)
UNIT = 10**SCALE
UNITS_MAX = 2**63 - 1  # what a message can carry as a signed 64-bit integer: 92 billion whole units; more is refused
_TEXT_MAX = 24  # characters; nothing longer is below UNITS_MAX with at most eight decimals, leading zeros aside

Id = Annotated[int, msgspec.Meta(ge=-1, le=UNITS_MAX)]
"""A venue's own number of something; -1 where it says that there is none."""
MS_NS = 1_000_000
Millis = Annotated[int, msgspec.Meta(ge=0, le=UNITS_MAX // MS_NS)]
"""A time in ms since 1970 that still fits 64 bits in ns (one in us does not: then the door asked for the wrong unit)."""


def units(text: str) -> int:
    """Return `text` in units of 10^-8. Raises BadDecimal: sign, exponent, nan, empty, over eight decimals, huge."""
    if text[-9:-8] == ".":  # eight decimals: how the venue nearly always writes
        digits = text[:-9] + text[-8:]
        if len(digits) <= SCALE:
            raise BadDecimal(text)
    else:
        whole, dot, fraction = text.partition(".")
        if not whole or len(fraction) > SCALE or (dot and not fraction):
            raise BadDecimal(text[:_TEXT_MAX])
        digits = whole + fraction.ljust(SCALE, "0")
    if len(text) > _TEXT_MAX or not digits.isdigit() or not digits.isascii():
        raise BadDecimal(text[:_TEXT_MAX])
    amount = int(digits)
    if amount > UNITS_MAX:
        raise BadDecimal(text)
    return amount


def signed_units(text: str) -> int:
    """As `units`, for amounts that may be negative (a fee that is a rebate)."""
    return -units(text[1:]) if text.startswith("-") else units(text)


def decimal_text(amount: int) -> str:
    """Return units of 10^-8 as the venue writes them: always eight decimals. `amount` is not negative."""
    assert amount >= 0, amount
    whole, fraction = divmod(amount, UNIT)
    return f"{whole}.{fraction:08d}"
