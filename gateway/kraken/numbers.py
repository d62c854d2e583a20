"""Bare JSON numbers and RFC 3339 stamps as exact integers. Pure. A number is read as text, never as a float."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from gateway.text import BadDecimal

US_NS = 1_000
STAMP_MAX_US = (2**63 - 1) // US_NS
"""The last microsecond that fits 64 bits in ns."""
EXPONENT_MAX = 30  # of ten, either way; the venue writes 1e-08 (chosen: far more than any price has)
TEXT_MAX = 48
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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


def stamp_us(stamp: datetime) -> int:
    """Return us since 1970. Raises ValueError: no time zone, or a year that does not fit."""
    if stamp.tzinfo is None:
        raise ValueError("timestamp: it has no time zone")
    stamped_us = (stamp - _EPOCH) // _MICROSECOND
    if not 0 <= stamped_us <= STAMP_MAX_US:
        raise ValueError(f"timestamp: {stamp.year} does not fit")
    return stamped_us
