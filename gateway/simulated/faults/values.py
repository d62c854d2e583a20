"""Reading one value of a faults table. Every reader returns the value or raises ValueError with what to give instead. Pure."""

from collections.abc import Callable, Sequence

from ..core.decimals import NotDecimal, TooPrecise, parse_decimal

Span = tuple[float, float]
"""From and to, drawn between uniformly; a plain number is both."""
Value = int | float | str | bool | Span | tuple[str, ...] | None
Read = Callable[[object], Value]

TEXT_MAX = 200  # chosen: longer than any id, symbol or file name that makes sense here
WORDS_MAX = 50  # chosen: of a command


def number(low: float, high: float) -> Read:
    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"give a number from {low:g} to {high:g}")
        return float(value)

    return read


def integer(low: int, high: int) -> Read:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return value

    return read


def span(low: float, high: float) -> Read:
    one = number(low, high)

    def read(value: object) -> Span:
        pair = value if isinstance(value, list | tuple) else [value, value]
        try:
            first, last = (one(item) for item in pair)
        except ValueError:
            first, last = 1.0, 0.0
        assert isinstance(first, float)
        assert isinstance(last, float)
        if first > last:
            raise ValueError(f"give a number from {low:g} to {high:g}, or a pair of them, the lower one first")
        return first, last

    return read


def choice(*allowed: str | int) -> Read:
    def read(value: object) -> str | int:
        for one in allowed:
            if type(value) is type(one) and value == one:
                return one
        raise ValueError(f"give one of {', '.join(str(one) for one in allowed)}")

    return read


def text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
        raise ValueError(f"give a text of 1 to {TEXT_MAX} characters")
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")
    return value


def words(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not 0 < len(value) <= WORDS_MAX:
        raise ValueError('give a list of texts, as ["command", "argument"]')
    return tuple(text(item) for item in value)


def amount(value: object) -> int:
    """Return signed decimal text in units of 10^-8."""
    remedy = 'give a decimal number as text, as "-0.5", with eight decimals at most'
    if not isinstance(value, str):
        raise ValueError(remedy)
    try:
        units = parse_decimal(value.removeprefix("-"))
    except (NotDecimal, TooPrecise) as error:
        raise ValueError(remedy) from error
    return -units if value.startswith("-") else units


def size(value: object) -> int:
    """Return decimal text above 0 in units of 10^-8."""
    units = amount(value)
    if units <= 0:
        raise ValueError('give a decimal number above 0 as text, as "0.01"')
    return units
