"""Venues' stamps (RFC 3339, UTC, up to nine decimals; or counts) as ns since 1970. Pure: the calendar is computed, not asked."""

from functools import lru_cache

SECOND_NS = 1_000_000_000
YEARS = range(1970, 2262)  # what 64 bits hold in ns
LAST_NS = 2**63 - 1
_COUNT_MAX = 19  # digits that 64 bits can have
_FRACTIONAL = range(22, 31)  # lengths with one to nine decimals


class BadStamp(ValueError):
    """Not a stamp as venues write them; the text (its beginning) is the argument."""


def stamp_ns(text: str) -> int:
    """Return `2026-08-24T22:34:13.79307588Z` in ns. Raises BadStamp."""
    digits = text[17:19] + text[20:-1]
    whole = text[19:] == "Z"
    if not (
        (whole or (text[19:20] == "." and text[-1] == "Z" and len(text) in _FRACTIONAL))
        and digits.isdigit()
        and digits.isascii()
        and digits < "61"  # a leap second is written 60
    ):
        raise BadStamp(text[:40])
    return _minute_ns(text[:17]) + int(digits.ljust(11, "0"))


def count_ns(text: str, unit_ns: int) -> int:
    """Return a count of units since 1970 (`1688639403423` of ms) in ns. Raises BadStamp, also for what 64 bits do not hold."""
    if not (text.isdigit() and text.isascii() and len(text) <= _COUNT_MAX and int(text) * unit_ns <= LAST_NS):
        raise BadStamp(text[:40])
    return int(text) * unit_ns


@lru_cache(maxsize=8)  # frames of one minute come together; the text is 17 characters long
def _minute_ns(text: str) -> int:
    """Return `2026-08-24T22:34:` in ns. Raises BadStamp."""
    numbers = text[:4], text[5:7], text[8:10], text[11:13], text[14:16]
    digits = "".join(numbers)
    if text[4] + text[7] + text[10] + text[13] + text[16] != "--T::" or not (digits.isdigit() and digits.isascii()):
        raise BadStamp(text)
    year, month, day, hour, minute = map(int, numbers)
    if year not in YEARS or not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60):
        raise BadStamp(text)
    return ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 * SECOND_NS


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, Gregorian. Years are counted from March, so that a leap day is the last of its year."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    leaps = year // 4 - year // 100 + year // 400
    return year * 365 + leaps + (month * 153 + 2) // 5 + day - 719_469
