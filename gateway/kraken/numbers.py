"""Bare JSON numbers as exact texts. Pure. A number is never read as a float."""

from decimal import Decimal, InvalidOperation

from gateway.text import BadDecimal

EXPONENT_MAX = 30  # of ten, either way; the venue writes 1e-08 (chosen: far more than any price has)
TEXT_MAX = 48


def plain_text(token: bytes) -> str:
    """Return a JSON number's token without exponent, all its digits kept: `1e-08` is 0.00000001. Raises BadDecimal."""
    text = token.decode("ascii", "replace")
    if len(text) > TEXT_MAX or not text[:1].isdigit():
        raise BadDecimal(text[:TEXT_MAX])
    if text.isdigit() or not ("e" in text or "E" in text):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadDecimal(text) from None
    if abs(number.adjusted()) > EXPONENT_MAX:
        raise BadDecimal(text)
    return f"{number:f}"
