"""`touchline signals` against the metrics' formulas over plain dicts of Decimals: nothing here is shared with the actors."""

import csv
import gzip
import json
import os
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.cli import main
from tests.ops.recordings import HEADER, NAMES, depth, recording, snapshot, write

PROMISED = ["received_ns", "symbol", "update_id", "spread", "imbalance_1", "imbalance_5", "weighted_mid", "ofi"]
TOLERANCE = Fraction(1, 10**9)
FLOW_WINDOW = 100
PRESSURE_NS = 5_000_000_000

Row = dict[str, Any]


class PlainBook:
    """One symbol by the venue's documented procedure: dicts of Decimals, sorted anew for every row."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.waiting: list[tuple[int, dict[str, Any]]] = []
        self.sides: dict[str, dict[Decimal, Decimal]] = {}
        self.update_id: int | None = None
        self.last_top: tuple[Decimal, ...] | None = None
        self.updates = 0
        self.flows: deque[Decimal] = deque(maxlen=FLOW_WINDOW)
        self.trades: list[tuple[int, Decimal]] = []

    def snapshot(self, received_ns: int, body: dict[str, Any]) -> list[Row]:
        self.update_id = body["lastUpdateId"]
        self.sides = {side[0]: {Decimal(p): Decimal(q) for p, q in body[side]} for side in ("bids", "asks")}
        kept = [item for item in self.waiting if item[1]["u"] > body["lastUpdateId"]]
        assert not kept, "in the recordings nothing that waits continues the snapshot"
        return [self.row(received_ns)]

    def update(self, received_ns: int, event: dict[str, Any]) -> list[Row]:
        if self.update_id is None:
            self.waiting.append((received_ns, event))
            return []
        if event["u"] <= self.update_id:
            return []
        assert event["U"] <= self.update_id + 1
        self.update_id = event["u"]
        for side in "ba":
            for price, quantity in event[side]:
                self.sides[side].pop(Decimal(price), None)
                if Decimal(quantity):
                    self.sides[side][Decimal(price)] = Decimal(quantity)
        self.updates += 1
        return [self.row(received_ns)]

    def row(self, received_ns: int) -> Row:
        bids = sorted(self.sides["b"].items(), reverse=True)
        asks = sorted(self.sides["a"].items())
        (bid, bid_quantity), (ask, ask_quantity) = bids[0], asks[0]
        share = Fraction(bid_quantity) / (Fraction(bid_quantity) + Fraction(ask_quantity))
        last, self.last_top = self.last_top, (bid, bid_quantity, ask, ask_quantity)
        flow = None
        if last is not None:
            flow = (
                (bid >= last[0]) * bid_quantity
                - (bid <= last[0]) * last[1]
                - (ask <= last[2]) * ask_quantity
                + (ask >= last[2]) * last[3]
            )
            self.flows.append(flow)
        recent = [quantity for at_ns, quantity in self.trades if at_ns > received_ns - PRESSURE_NS]
        volume = sum(map(abs, recent))
        return {
            "received_ns": received_ns,
            "symbol": self.symbol,
            "update_id": self.update_id,
            "spread": ask - bid,
            **{f"imbalance_{count}": imbalance(bids[:count], asks[:count]) for count in (1, 5, 10)},
            "weighted_mid": share * Fraction(ask) + (1 - share) * Fraction(bid),
            "ofi": flow if self.updates > 1 else None,
            "order_flow_imbalance": sum(self.flows),
            "pressure": Fraction(sum(recent)) / Fraction(volume) if volume else 0,
        }


def imbalance(bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]) -> Fraction:
    bid, ask = (Fraction(sum(quantity for _, quantity in side)) for side in (bids, asks))
    return (bid - ask) / (bid + ask)


def reference(path: Path) -> list[Row]:
    books: dict[str, PlainBook] = {}
    rows: list[Row] = []
    with gzip.open(path, "rt") as file:
        next(file)
        for line in file:
            received_ns, kind, address, text = json.loads(line)
            message = json.loads(text)
            event = message.get("data", message) if isinstance(message, dict) else {}
            if kind == "rest" and "/depth?symbol=" in address:
                symbol = address.split("symbol=")[1].split("&")[0]
                rows += books.setdefault(symbol, PlainBook(symbol)).snapshot(received_ns, message)
            elif kind == "recv" and event.get("e") == "depthUpdate":
                rows += books.setdefault(event["s"], PlainBook(event["s"])).update(received_ns, event)
            elif kind == "recv" and event.get("e") == "trade" and event["s"] in books:
                signed = Decimal(event["q"]) * (-1 if event["m"] else 1)
                books[event["s"]].trades.append((received_ns, signed))
    return rows


def run(path: Path, out: Path, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["signals", str(path), "--out", str(out), *options])
    return result.exit_code, result.stdout, result.stderr


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def differs(text: str, expected: Any) -> bool:
    if expected is None:
        return text != ""
    return text == "" or abs(Fraction(Decimal(text)) - Fraction(expected)) > TOLERANCE


RECORDS_MAX = 20_000
"""Of a real capture: some 160 s of a busy instrument, past every window. The plain formulas in Fractions are slow."""


def beginning(path: Path, shorter: Path) -> Path:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return write(shorter, [line.rstrip("\n") for line, _ in zip(file, range(RECORDS_MAX + 1), strict=False)])


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_a_real_capture_equals_the_plain_formulas(name: str, tmp_path: Path) -> None:
    path, out = beginning(recording(name), tmp_path / "beginning.jsonl.gz"), tmp_path / "signals.csv"
    assert run(path, out)[0] == 0
    rows, expected = table(out), reference(path)
    assert list(rows[0])[: len(PROMISED)] == PROMISED
    assert [(row["received_ns"], row["symbol"], row["update_id"]) for row in rows] == [
        (str(row["received_ns"]), row["symbol"], str(row["update_id"])) for row in expected
    ]
    figures = [field for field in expected[0] if field not in PROMISED[:3]]
    wrong = [
        (row["update_id"], field, row[field], plain[field])
        for row, plain in zip(rows, expected, strict=True)
        for field in figures
        if differs(row[field], plain[field])
    ]
    assert wrong == []


def written(tmp_path: Path, *lines: Any) -> tuple[int, list[dict[str, str]]]:
    out = tmp_path / "out.csv"
    code, _, _ = run(write(tmp_path / "c.gz", [HEADER, *lines]), out)
    return code, table(out)


def bid(price: str, quantity: str) -> list[list[str]]:
    return [[price, quantity]]


def test_the_first_update_after_the_snapshot_has_no_ofi_and_the_next_has(tmp_path: Path) -> None:
    code, rows = written(
        tmp_path,
        depth(5, 6),
        snapshot(6),
        depth(7, 7, bids=bid("10.00000000", "3.00000000")),
        depth(8, 8, bids=bid("10.00000000", "2.50000000")),
        depth(9, 9, bids=bid("10.50000000", "0.25000000")),
    )
    assert code == 0
    assert [(row["update_id"], row["ofi"]) for row in rows] == [("6", ""), ("7", ""), ("8", "-0.5"), ("9", "0.25")]
    assert [row["order_flow_imbalance"] for row in rows] == ["0.0", "2.0", "1.5", "1.75"]
    assert [row["spread"] for row in rows] == ["1", "1", "1", "0.5"]


def test_updates_between_the_snapshot_and_live_are_rows_without_figures(tmp_path: Path) -> None:
    _, rows = written(tmp_path, depth(5, 6), depth(7, 7), depth(8, 8), snapshot(6), depth(9, 9), depth(10, 10))
    assert [(row["update_id"], row["spread"], row["ofi"]) for row in rows] == [
        ("6", "", ""), ("7", "", ""), ("8", "1", ""), ("9", "1", "0"), ("10", "1", "0"),
    ]  # fmt: skip


def test_an_update_that_crosses_the_book_is_a_row_without_figures(tmp_path: Path) -> None:
    code, rows = written(
        tmp_path, depth(5, 6), snapshot(6), depth(7, 7), depth(8, 8, bids=bid("11.00000000", "1.00000000")), depth(9, 9)
    )
    assert code == 1
    assert [(row["update_id"], row["spread"]) for row in rows] == [("6", "1"), ("7", "1"), ("8", "")]


def test_a_book_with_one_side_has_no_figures_and_its_return_no_ofi(tmp_path: Path) -> None:
    gone, back = bid("10.00000000", "0.00000000"), bid("9.00000000", "1.00000000")
    _, rows = written(
        tmp_path, depth(5, 6), snapshot(6), depth(7, 7), depth(8, 8, bids=gone), depth(9, 9, bids=back), depth(10, 10)
    )
    assert [(row["update_id"], row["spread"], row["ofi"]) for row in rows] == [
        ("6", "1", ""), ("7", "1", ""), ("8", "", ""), ("9", "2", ""), ("10", "2", "0"),
    ]  # fmt: skip


def test_nothing_is_carried_over_a_gap(tmp_path: Path) -> None:
    code, rows = written(
        tmp_path, depth(5, 6), snapshot(6), depth(7, 7), depth(9, 9), snapshot(9), depth(10, 10), depth(11, 11)
    )
    assert code == 0
    assert [(row["update_id"], row["ofi"]) for row in rows] == [
        ("6", ""), ("7", ""), ("9", ""), ("10", ""), ("11", "0"),
    ]  # fmt: skip


def test_json_sums_up(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    code, text, _ = run(write(tmp_path / "c.gz", [HEADER, depth(5, 6), depth(7, 7), snapshot(5)]), out, "--json")
    assert (code, json.loads(text.splitlines()[-1])) == (
        0,
        {"venue": "binance-spot", "records": 3, "rows": 3, "live": 1, "books": 1, "holds": True, "out": str(out)},
    )


def test_a_recording_that_does_not_hold_is_written_and_exits_1(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    code, text, _ = run(write(tmp_path / "c.gz", [HEADER, depth(5, 6)]), out)
    assert code == 1
    assert "touchline capture verify" in text
    assert table(out) == []


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([{**HEADER, "venue": "kraken-v1"}], "is not supported; supported: binance-spot"),
        ([HEADER, depth(5, 6), snapshot(6), "[1,"], "line 4"),
    ],
)
def test_what_cannot_be_read_exits_2_and_leaves_the_old_file(lines: list[Any], word: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("of yesterday")
    code, text, error = run(write(tmp_path / "c.gz", lines), out)
    assert (code, text) == (2, "")
    assert word in error
    assert out.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.gz", "out.csv"]


def test_an_out_that_cannot_be_written_exits_2_and_names_it(tmp_path: Path) -> None:
    path = write(tmp_path / "c.gz", [HEADER, depth(5, 6), snapshot(6)])
    for out in (tmp_path, tmp_path / "absent" / "out.csv", path):
        code, _, error = run(path, out)
        assert (code, f"--out {out}" in error) == (2, True)
    assert table_is_whole(path)


def table_is_whole(path: Path) -> bool:
    with gzip.open(path, "rt") as file:
        return len(file.readlines()) == 3


def test_a_pipe_takes_the_rows_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code, _, _ = run(write(tmp_path / "c.gz", [HEADER, depth(5, 6), snapshot(6), depth(7, 7)]), pipe)
    assert code == 0
    assert os.read(reader, 1 << 16).count(b"\n") == 3
    os.close(reader)
    assert pipe.is_fifo()
