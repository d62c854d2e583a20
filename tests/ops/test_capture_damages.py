"""Recordings damaged in every way there is: found where it can be found, and never a wrong top in between.

Where a damage cannot be found, the table says so: a venue with neither checksum nor best quotes at the book's own ids
cannot tell one digit from another.
"""

import csv
import io
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from bus.messages.feed import Numbering
from ops.capture import VerifyResult, market_of, verify
from tests.conformance.rows import ROWS, Row
from tests.ops.recordings import lines_of, recording, write
from tests.support.damages import DAMAGES, Place
from tests.support.traffic import written

FOUND, NOTHING, HEALED, UNSEEN, LATER = "found", "nothing", "healed", "unseen", "later"
"""found: a gap, a checksum, a top or an unreadable update is told. nothing: nothing is, and nothing is wrong. healed: by
late updates, without a snapshot. unseen: it cannot be told, and tops may differ. later: no book until the next snapshot."""

BY = {
    #                 ids of the symbol or the connection, checksum of each message, checksum and no ids (OKX in 2022)
    "one dropped": (FOUND, FOUND, FOUND),
    "one doubled": (NOTHING, NOTHING, NOTHING),
    "two swapped": (HEALED, FOUND, FOUND),
    "digit changed": (UNSEEN, FOUND, FOUND),
    "stale repeated": (NOTHING, NOTHING, FOUND),
    "buffer lost": (LATER, LATER, LATER),
    "cut": (FOUND, FOUND, FOUND),
    "unknown field": (NOTHING, NOTHING, NOTHING),
    "new enum value": (FOUND, FOUND, FOUND),
}


class Run(NamedTuple):
    result: VerifyResult
    tops: list[tuple[str, ...]]

    @property
    def told(self) -> int:
        """What was found wrong."""
        result = self.result
        return (
            result.gaps
            + result.checksums.failed
            + result.tops.failed
            + result.crossed
            + result.garbage
            + len(result.unsynced)
        )


def run(path: Path) -> Run:
    out = io.StringIO()
    result = verify(path, out)
    out.seek(0)
    return Run(result, [tuple(row) for row in csv.reader(out)][1:])


def column(row: Row) -> int:
    if row.without_ids:
        return 2
    return 1 if row.market().rule.numbering == Numbering.CHECKSUM else 0


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_generated(row: Row, damage: str, tmp_path: Path) -> None:
    market, symbol = row.market(), row.symbol(0, seed=7)
    traffic = written(market, [symbol, row.symbol(1, seed=8, beside=symbol)], seed=9)
    header = {"capture": 1, "venue": market.name, "source": "test"}
    whole = run(write(tmp_path / "whole.gz", [header, *traffic.lines]))
    assert (whole.result.holds, whole.told, whole.result.live) == (True, 0, 2)
    place = Place(market, traffic.lines, symbol.name, Random(damage))
    damaged = run(write(tmp_path / "damaged.gz", [header, *DAMAGES[damage](place)]))
    expected = BY[damage][column(row)]
    judge(expected, whole, damaged)
    assert damaged.result.live == 2, "a later snapshot is there for every book"
    key = 0 if column(row) else 2
    truths = {str(at if column(row) else truth.update_id): top_of(truth.top) for at, truth in symbol.truths.items()}
    wrong = [tops for tops in damaged.tops if tops[1] == symbol.name and decimals(tops) != truths[tops[key]]]
    assert wrong == [] or expected == UNSEEN


def judge(expected: str, whole: Run, damaged: Run) -> None:
    """Rows of a book, whenever they came; an update that is the same again may be one more row of the same top."""
    result = damaged.result
    if expected == FOUND:
        assert damaged.told > 0
    elif expected == NOTHING:
        assert (result.holds, damaged.told) == (True, 0)
        assert list(dict.fromkeys(damaged.tops)) == whole.tops
    elif expected == HEALED:
        assert (result.holds, result.reordered > 0, result.resyncs) == (True, True, whole.result.resyncs)
        assert sorted(tops[1:] for tops in damaged.tops) == sorted(tops[1:] for tops in whole.tops)
    elif expected == LATER:
        assert {tops[1:] for tops in damaged.tops} < {tops[1:] for tops in whole.tops}


def top_of(top: tuple[int, int, int, int]) -> tuple[Decimal, ...]:
    bid, bid_quantity, ask, ask_quantity = top
    return tuple(
        Decimal(figure).scaleb(-decimals)
        for figure, decimals in ((bid, 2), (bid_quantity, 5), (ask, 2), (ask_quantity, 5))
    )


def decimals(tops: tuple[str, ...]) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in tops[3:])


RECORDED = {
    "binance-spot-many-30s": ("NKNUSDT", 0),
    "binance-us-many-30s": ("COMPUSDT", 0),
    "binance-usdm-many-30s": ("SUSHIUSDT", 0),
    "okx-many-30s": ("BTC-USDT", 2),
    "kraken-v2-btcusd-d10": ("BTC/USD", 1),
    "kraken-v2-ethusd-d25": ("ETH/USD", 1),
}
"""Symbol to damage, and its column; recordings of a dozen records have no middle. No later snapshot lies in them."""


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", RECORDED)
def test_recorded(name: str, damage: str, tmp_path: Path) -> None:
    path = recording(name)
    symbol, kind = RECORDED[name]
    header, lines = lines_of(path)
    lines = [line for line in lines if line[1] != "rest" or "/depth" in line[2]]  # no metadata: long, not needed
    whole = run(write(tmp_path / "whole.gz", [header, *lines]))
    place = Place(market_of(header["venue"]), lines, symbol, Random(damage))
    damaged = run(write(tmp_path / "damaged.gz", [header, *DAMAGES[damage](place)]))
    expected = BY[damage][kind]
    judge(expected, whole, damaged)
    if expected in (FOUND, LATER):
        assert not damaged.result.holds or damaged.result.resyncs or damaged.told == 0
    columns = slice(0, None) if kind else slice(1, None)
    assert {tops[columns] for tops in damaged.tops} <= {tops[columns] for tops in whole.tops} or expected == UNSEEN
