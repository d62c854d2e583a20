"""One decimal text as an integer of 10^-scale, exactly, and back. Pure. A text that does not fit is refused, never rounded."""

from bus.messages import decimal_text as decimal_text  # the way back

UNITS_MAX = 2**63 - 1
"""What a message carries as a signed 64-bit integer."""
TEXT_MAX = 48
"""Characters; no price or quantity of any venue needs as many."""


class BadDecimal(ValueError):
    """Not a plain non-negative decimal, or too large; the text (its beginning) is the argument."""


class TooFine(BadDecimal):
    """A plain decimal with more decimals than the scale holds. decimals: how many it needs."""

    def __init__(self, text: str, decimals: int) -> None:
        super().__init__(text)
        self.decimals = decimals


def units(text: str, scale: int) -> int:
    """Return `text` in units of 10^-scale. Raises TooFine, or BadDecimal: sign, exponent, nan, empty, huge."""
    whole, dot, fraction = text.partition(".")
    if not whole or len(text) > TEXT_MAX or (dot and not fraction):
        raise BadDecimal(text[:TEXT_MAX])
    digits = whole + (fraction.ljust(scale, "0") if len(fraction) <= scale else _cut(text, fraction, scale))
    if not (digits.isdigit() and digits.isascii()):
        raise BadDecimal(text[:TEXT_MAX])
    amount = int(digits)
    if amount > UNITS_MAX:
        raise BadDecimal(text)
    return amount


def decimals_of(text: str) -> int:
    """How many decimals a plain decimal text is written with, trailing zeros included."""
    return len(text.partition(".")[2])


def _cut(text: str, fraction: str, scale: int) -> str:
    """Return the decimals without zeros beyond the scale. Raises TooFine where a plain decimal has others there."""
    kept = fraction.rstrip("0")
    if len(kept) <= scale:
        return fraction[:scale]
    digits = text.replace(".", "", 1)
    if digits.isdigit() and digits.isascii():
        raise TooFine(text, len(kept))
    raise BadDecimal(text[:TEXT_MAX])
