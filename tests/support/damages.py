"""Ways in which recorded traffic can be wrong: each takes the lines of a recording and gives back a damaged copy.

Which lines are diffs is the venue's codec's word, so that a damage fits every venue.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Any

from bus.messages.feed import Batch, DepthDiff, DepthReset
from gateway.market import VenueMarket
from ops.capture.reader import Record
from ops.capture.recorded import SnapshotAddress
from ops.capture.scales import Figures

Line = list[Any]
"""[received_ns, kind, address, text]"""
LEVEL = re.compile(
    r'(?:\["|"price":|"price_level":")([0-9]+\.?[0-9]*)"?,(?:"|"qty":|"new_quantity":")([0-9]+\.?[0-9]*)'
)
"""Price and quantity of a row, by place or by name."""


class Place:
    """Where to strike: `lines` of a recording (without its header); `diffs`: those with levels of one symbol's book that
    come behind its first snapshot, `first`; `early`: diffs before it."""

    def __init__(self, market: VenueMarket, lines: list[Line], symbol: str, random: Random) -> None:
        self.lines, self.random = lines, random
        told = books_told(market, lines, symbol)
        rest = SnapshotAddress(market)
        self.first = next(
            number
            for number, line in enumerate(lines)
            if isinstance(told[number], DepthReset)
            or (line[1] == "rest" and (of := rest.read(line[2])) is not None and of.venue_symbol == symbol)
        )
        diffs = [number for number, event in enumerate(told) if isinstance(event, DepthDiff)]
        self.early = [number for number in diffs if number < self.first]
        self.diffs = [number for number in diffs if number > self.first and _levels(told[number])]

    @property
    def middle(self) -> int:
        """An index into `diffs`, somewhere in their second quarter: enough lies before it and behind."""
        count = len(self.diffs)
        return self.random.randrange(count // 4, count // 2)


def books_told(market: VenueMarket, lines: list[Line], symbol: str) -> list[DepthDiff | DepthReset | None]:
    """What each line says of this symbol's book."""
    codec = market.codec()
    records = [Record(number, *line) for number, line in enumerate(lines)]
    if records:
        Figures(market, {}).learn(codec, records[0], records[1:])
    told: list[DepthDiff | DepthReset | None] = []
    for record in records:
        event = codec.decode_frame(record.text.encode()) if record.kind == "recv" else None
        events = event.events if isinstance(event, Batch) else (event,)
        books = [each for each in events if isinstance(each, DepthDiff | DepthReset) and each.venue_symbol == symbol]
        told.append(books[0] if books else None)
    return told


def _levels(event: DepthDiff | DepthReset | None) -> bool:
    return isinstance(event, DepthDiff) and bool(event.bid_prices or event.ask_prices)


def one_dropped(place: Place) -> list[Line]:
    at = place.diffs[place.middle]
    return place.lines[:at] + place.lines[at + 1 :]


def one_doubled(place: Place) -> list[Line]:
    at = place.diffs[place.middle]
    return place.lines[: at + 1] + place.lines[at:]


def two_swapped(place: Place) -> list[Line]:
    """A diff and the next one, texts changed over: times stay in order."""
    middle = place.middle
    one, other = place.diffs[middle], place.diffs[middle + 1]
    lines = [list(line) for line in place.lines]
    lines[one][3], lines[other][3] = lines[other][3], lines[one][3]
    return lines


def stale_repeated(place: Place) -> list[Line]:
    """A diff from before comes once more."""
    middle = place.middle
    old, at = place.lines[place.diffs[middle - 3]], place.diffs[middle]
    return [*place.lines[: at + 1], [place.lines[at][0], *old[1:]], *place.lines[at + 1 :]]


def digit_changed(place: Place) -> list[Line]:
    """Of the quantity nearest to the touch in a diff: the level stays, its quantity is another one."""
    prices = sorted(float(match[1]) for at in place.diffs for match in LEVEL.finditer(place.lines[at][3]))
    middle = prices[len(prices) // 2]  # most changes lie near the touch
    for at in place.diffs[place.middle :]:
        text = place.lines[at][3]
        last = {match[1]: match for match in LEVEL.finditer(text)}  # a level may be told twice: the last one counts
        found = [match for match in last.values() if match[2].strip("0.")]
        if found:
            nearest = min(found, key=lambda match: abs(float(match[1]) - middle))
            digit = nearest.start(2) + len(nearest[2].rstrip("0.")) - 1
            return _with_text(place.lines, at, f"{text[:digit]}{int(text[digit]) % 9 + 1}{text[digit + 1 :]}")
    raise AssertionError("no diff sets a quantity")


def buffer_lost(place: Place) -> list[Line]:
    """What came before the first snapshot: all diffs up to it and the first ones behind it, or the snapshot of a stream."""
    gone = {*place.early, *place.diffs[:3]} if place.early else {place.first}
    return [line for number, line in enumerate(place.lines) if number not in gone]


def cut(place: Place) -> list[Line]:
    at = place.diffs[place.middle]
    text = place.lines[at][3]
    return _with_text(place.lines, at, text[: len(text) * 2 // 3])


def unknown_field(place: Place) -> list[Line]:
    """One at the top, and one in each object below it."""
    at = place.diffs[place.middle]
    return _with_text(place.lines, at, re.sub(r"\{(?=\")", '{"new_field":[1,{"deep":null}],', place.lines[at][3]))


def new_enum_value(place: Place) -> list[Line]:
    """The word that says what kind of event it is becomes one nobody knows."""
    at = place.diffs[place.middle]
    text = re.sub(r'"(depthUpdate|update|delta)"', '"amendment"', place.lines[at][3])
    assert text != place.lines[at][3], "every venue names its events"
    return _with_text(place.lines, at, text)


def _with_text(lines: list[Line], at: int, text: str) -> list[Line]:
    return [*lines[:at], [*lines[at][:3], text], *lines[at + 1 :]]


DAMAGES: dict[str, Callable[[Place], list[Line]]] = {
    "one dropped": one_dropped,
    "one doubled": one_doubled,
    "two swapped": two_swapped,
    "digit changed": digit_changed,
    "stale repeated": stale_repeated,
    "buffer lost": buffer_lost,
    "cut": cut,
    "unknown field": unknown_field,
    "new enum value": new_enum_value,
}
