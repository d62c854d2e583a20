"""A digit of anything but a level (an id, a stamp, a checksum, a name) is another one: no book is wrong or stands still.

Levels are `test_capture_damages`'s: where no checksum covers them, nobody can tell. So it is with the number of a REST body,
which only says what of the stream is older.
"""

import re
from bisect import bisect_right
from pathlib import Path
from random import Random

import pytest

from tests.conformance.rows import ROWS, Row
from tests.ops.recordings import write
from tests.ops.test_capture_damages import Run, decimals, run, top_of
from tests.support.traffic import Line, Traffic, written

DAMAGES = 16  # a venue
LEVELS = re.compile(
    r'\["[0-9.]+","[0-9.]+"(?:,"[0-9]+","[0-9]+")?\]|\{"price":[0-9.]+,"qty":[0-9.]+\}|"(?:price_level|new_quantity)":"[^"]+"'
)
BOOK = re.compile(r'"(?:b|bids|updates)":\[')


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_damaged_number_leaves_a_book_wrong_or_standing_still(row: Row, tmp_path: Path) -> None:
    market, symbol = row.market(), row.symbol(0, seed=7)
    traffic = written(market, [symbol, row.symbol(1, seed=8, beside=symbol)], seed=9, updates=24)
    header = {"capture": 1, "venue": market.name, "source": "test"}
    whole = rows_of(run(write(tmp_path / "whole.gz", [header, *traffic.lines])), symbol.name)
    moments = sorted(symbol.truths)
    for number, lines in damaged(traffic, Random(row.name)):
        result = run(write(tmp_path / "damaged.gz", [header, *lines]))
        rows = rows_of(result, symbol.name)
        for told in rows:
            at = int(told[0])
            if at > lines[number][0]:
                true = symbol.truths[moments[bisect_right(moments, at) - 1]]
                assert decimals(told) == top_of(true.top), lines[number]
        assert result.told or len(rows) >= len(whole) - 1, f"it stands still and nobody says so: {lines[number]}"


def rows_of(result: Run, symbol: str) -> list[tuple[str, ...]]:
    return [tops for tops in result.tops if tops[1] == symbol]


def damaged(traffic: Traffic, random: Random) -> list[tuple[int, list[Line]]]:
    """Copies of the recording with one digit changed, and in which line: half of them in one that begins a book, if any."""
    frames = [(number, line[3]) for number, line in enumerate(traffic.lines) if line[1] == "recv"]
    places = [(number, place) for number, text in frames for place in outside_levels(text)]
    begins = [at for at in places if '"snapshot"' in traffic.lines[at[0]][3]] or places
    copies = []
    for number, place in random.sample(begins, DAMAGES // 2) + random.sample(places, DAMAGES // 2):
        lines = [list(line) for line in traffic.lines]
        text = lines[number][3]
        other = random.choice([digit for digit in "0123456789" if digit != text[place]])
        lines[number][3] = text[:place] + other + text[place + 1 :]
        copies.append((number, lines))
    return copies


def outside_levels(text: str) -> list[int]:
    if not BOOK.search(text):
        return []
    hidden = LEVELS.sub(lambda level: "-" * len(level[0]), text)
    return [match.start() for match in re.finditer("[0-9]", hidden)]
