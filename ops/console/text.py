"""Styled text and numbers for people: exact integers to aligned decimals. Pure."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple


class Style(IntEnum):
    """What a piece of text means; the screen decides how that looks."""

    PLAIN = 0
    DIM = 1
    STRONG = 2
    HEADING = 3
    BID = 4
    ASK = 5
    BID_BAR = 6
    ASK_BAR = 7
    OWN = 8
    GOOD = 9
    WARN = 10
    BAD = 11
    ALERT = 12  # cannot be overlooked
    BANNER = 13  # header and footer


class Span(NamedTuple):
    """A piece of one line, in one style. No control characters, no double-width ones."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]

_EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"


def line(*parts: Span | str) -> Line:
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def length(spans: Iterable[Span]) -> int:
    return sum(len(span.text) for span in spans)


def clipped(spans: Line, width: int) -> Line:
    """The first `width` characters; whatever they came from, none of them is one that a terminal would obey."""
    kept: list[Span] = []
    for span in spans:
        if width <= 0:
            break
        if not span.text.isprintable():
            span = Span(printable(span.text, len(span.text)), span.style)
        kept.append(span if len(span.text) <= width else Span(span.text[:width], span.style))
        width -= len(span.text)
    return tuple(kept)


def spread_out(left: Line, right: Line, width: int, style: Style = Style.PLAIN) -> Line:
    """`left` and `right` at the two ends of a line; where they would meet, the right one gives way."""
    room = width - length(left)
    right = right if length(right) < room else ()
    return clipped((*left, Span(" " * max(room - length(right), 0), style), *right), width)


class Column(NamedTuple):
    """width: with the blank to its left neighbor. rank: the highest goes first where there is no room; 0 stays."""

    name: str
    width: int
    rank: int = 0
    right: bool = True

    def cell(self, text: str) -> str:
        text = text[: self.width]
        return text.rjust(self.width) if self.right else text.ljust(self.width)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Span]], width: int, height: int) -> list[Line]:
    """A heading and at most `height - 1` rows, in as many of the columns as fit."""
    kept = list(range(len(columns)))
    while sum(columns[place].width for place in kept) > width and any(columns[place].rank for place in kept):
        kept.remove(max(kept, key=lambda place: columns[place].rank))
    heading = (Span("".join(columns[place].cell(columns[place].name) for place in kept), Style.HEADING),)
    body = (tuple(Span(columns[n].cell(row[n].text), row[n].style) for n in kept) for row in rows)
    return [heading, *body][:height]


def printable(text: str, width: int) -> str:
    """At most `width` characters of text that came from elsewhere, on one line; an ellipsis where it was cut."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= width else text[: max(width - 1, 0)] + "~"


def decimals(unit: int, scale: int) -> int:
    """Digits after the point that multiples of `unit` (in 10^-scale) can have: 1_000_000, 8 -> 2."""
    while scale > 0 and unit % 10 == 0:
        unit //= 10
        scale -= 1
    return scale


def fixed(units: int, scale: int, places: int, plus: bool = False) -> str:
    """Integer units of 10^-scale as text with thousands and `places` decimals, the rest cut: -150000000, 8, 2 -> -1.50."""
    shown = abs(units) // 10 ** (scale - places) if places <= scale else abs(units) * 10 ** (places - scale)
    whole, fraction = divmod(shown, 10**places)
    sign = "-" if units < 0 and shown else "+" if plus and units > 0 else ""
    return f"{sign}{whole:,}.{fraction:0{places}d}" if places else f"{sign}{whole:,}"


def bar(value: int, whole: int, width: int, *, fine: bool = True) -> str:
    """A bar of value/whole of `width` characters, to an eighth of one; at least a sliver. fine False: in plain ASCII."""
    if value <= 0 or whole <= 0 or width <= 0:
        return ""
    if not fine:
        return "#" * min(max(value * width // whole, 1), width)
    eighths = min(max(value * width * 8 // whole, 1), width * 8)
    full, rest = divmod(eighths, 8)
    return FULL * full + (_EIGHTHS[rest] if rest else "")


def age(ns: int) -> str:
    """A duration in the unit that a person would choose."""
    if ns < 1_000_000_000:
        return f"{max(ns, 0) // 1_000_000} ms"
    seconds = ns // 1_000_000_000
    if seconds < 10:
        return f"{ns / 1e9:.1f} s"
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def clock(unix_ns: int, *, millis: bool = False) -> str:
    """Time of the UTC day."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    minutes, second = divmod(seconds % 86_400, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{rest // 1_000_000:03d}" if millis else text


def microseconds(value_ns: int) -> str:
    """A latency in us, three to four digits: 7.4, 115, 2,310."""
    us = value_ns / 1_000
    return f"{us:.1f}" if us < 100 else f"{us:,.0f}"
