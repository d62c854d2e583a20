"""`capture verify` on real recordings, against a plain re-implementation that shares nothing with the actors."""

import csv
import gzip
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.binance_spot.market import BinanceSpot
from ops.capture import verify
from ops.capture.recorded import SnapshotAddress, SnapshotOf, subscribed_depth
from ops.capture.tops import HEADER as TOPS_HEADER
from ops.cli.capture import capture
from tests.conformance.rows import ROWS
from tests.ops.recordings import HEADER, NAMES, depth, recording, snapshot, ticker, write
from tests.support.traffic import written


def run(path: Path, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(capture, ["verify", str(path), *options])
    return result.exit_code, result.stdout, result.stderr


def summary(path: Path) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(path, "--json")
    return code, json.loads(out.splitlines()[-1])


def oracle(path: Path) -> list[tuple[Any, ...]]:
    """Rows of --tops by the venue's documented procedure, with Decimal and dicts; no gaps expected."""
    books: dict[str, dict[str, Any]] = {}
    rows: list[tuple[Any, ...]] = []
    with gzip.open(path, "rt") as file:
        next(file)
        for line in file:
            received_ns, kind, address, text = json.loads(line)
            message = json.loads(text)
            if kind == "rest" and (found := re.search(r"/depth\?symbol=(\w+)", address)):
                symbol = found[1]
                book = books.setdefault(symbol, {"waiting": [], "id": None})
                book["id"] = message["lastUpdateId"]
                book["b"], book["a"] = ({Decimal(p): Decimal(q) for p, q in message[side]} for side in ("bids", "asks"))
                for item in book["waiting"]:
                    follow(book, rows, symbol, *item)
            elif kind == "recv" and message.get("data", message).get("e") == "depthUpdate":
                event = message.get("data", message)
                book = books.setdefault(event["s"], {"waiting": [], "id": None})
                if book["id"] is None:
                    book["waiting"].append((received_ns, event))
                else:
                    follow(book, rows, event["s"], received_ns, event)
    return rows


def follow(book: dict[str, Any], rows: list[Any], symbol: str, received_ns: int, event: dict[str, Any]) -> None:
    if event["u"] <= book["id"]:
        return
    assert event["U"] <= book["id"] + 1
    book["id"] = event["u"]
    for side in "ba":
        for price, quantity in event[side]:
            book[side][Decimal(price)] = Decimal(quantity)
            if not Decimal(quantity):
                del book[side][Decimal(price)]
    bid, ask = max(book["b"]), min(book["a"])
    rows.append((received_ns, symbol, event["u"], bid, book["b"][bid], ask, book["a"][ask]))


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_real_capture_equals_the_plain_procedure(name: str, tmp_path: Path) -> None:
    path, tops = recording(name), tmp_path / "tops.csv"
    code, _, _ = run(path, "--json", "--tops", str(tops))
    assert code == 0
    with tops.open() as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == TOPS_HEADER
    found = [(int(row[0]), row[1], int(row[2]), *map(Decimal, row[3:])) for row in rows]
    assert found == oracle(path)


@pytest.mark.parametrize(("name", "books", "tops"), list(zip(NAMES, (1, 4, 1, 4), (1056, 26, 0, 57), strict=True)))
def test_summary_of_a_real_capture(name: str, books: int, tops: int) -> None:
    """tops: compared at equal ids; the figures are ours, fixed here so that none is lost unnoticed."""
    code, result = summary(recording(name))
    assert code == 0
    assert result["books"] == books
    assert result["tops"] == {"checked": tops, "failed": 0}
    assert (result["gaps"], result["resyncs"], result["crossed"]) == (0, 0, 0)


OTHERS = {
    "binance-usdm-ethusdt-20240808": (1, 0, 551),
    "binance-usdm-many-30s": (4, 0, 50),
    "bybit-btc-2026": (1, 0, 0),
    "coinbase-btc-2026": (1, 0, 0),
    "kraken-v2-btc-2026": (1, 4, 0),
    "kraken-v2-btcusd-d10": (1, 301, 0),
    "kraken-v2-ethusd-d25": (1, 1_129, 0),
    "okx-btc-2026": (1, 0, 0),
    "okx-many-30s": (3, 290, 0),
}
"""Books, checksums and tops compared; as above."""


@pytest.mark.parametrize("name", OTHERS)
def test_summary_of_a_real_capture_of_another_venue(name: str) -> None:
    code, result = summary(recording(name))
    books, checksums, tops = OTHERS[name]
    assert (code, result["books"], result["live"], result["gaps"]) == (0, books, books, 0)
    assert result["checksums"] == {"checked": checksums, "failed": 0}
    assert result["tops"] == {"checked": tops, "failed": 0}
    assert (result["crossed"], result["garbage"], result["unsynced"]) == (0, 0, [])


def test_a_removed_event_of_a_real_capture_shows(tmp_path: Path) -> None:
    with gzip.open(recording("binance-us-many-30s"), "rt") as file:
        lines = file.read().splitlines()
    diffs = [number for number, line in enumerate(lines) if "CRVUSDT" in line and "depthUpdate" in line]
    removed = diffs[len(diffs) // 2]
    path = write(tmp_path / "cut.gz", lines[:removed] + lines[removed + 1 :])
    tops = tmp_path / "tops.csv"
    code, out, _ = run(path, "--json", "--tops", str(tops))
    result = json.loads(out)
    assert (code, result["gaps"], result["resyncs"], result["books"]) == (1, 1, 0, 4)
    last = json.loads(json.loads(lines[diffs[len(diffs) // 2 - 1]])[3])["data"]["u"]
    with tops.open() as file:
        assert max(int(row[2]) for row in csv.reader(file) if row[1] == "CRVUSDT") == last


def test_buffered_updates_are_rows_with_their_own_time_and_the_snapshot_is_none(tmp_path: Path) -> None:
    lines = [
        HEADER,
        depth(5, 6, at=100),
        depth(7, 8, bids=[["10.50000000", "2.50000000"]], at=101),
        snapshot(7),
        depth(9, 9, asks=[["11.00000000", "0.00000000"]], at=103),
    ]
    tops = tmp_path / "tops.csv"
    code, _, _ = run(write(tmp_path / "c.gz", lines), "--tops", str(tops))
    assert code == 0
    assert tops.read_text().splitlines()[1:] == ["101,ETHUSDT,8,10.5,2.5,11,1", "103,ETHUSDT,9,10.5,2.5,,"]


def test_a_gap_with_a_later_snapshot_is_resynced(tmp_path: Path) -> None:
    lines = [HEADER, depth(5, 6), snapshot(6), depth(7, 7), depth(9, 9), snapshot(9), depth(10, 10)]
    code, result = summary(write(tmp_path / "c.gz", lines))
    assert (code, result["gaps"], result["resyncs"]) == (0, 1, 1)


def test_a_gap_without_one_fails_and_writes_no_more_rows(tmp_path: Path) -> None:
    lines = [HEADER, depth(5, 6), snapshot(6), depth(7, 7), depth(9, 9), depth(10, 10)]
    tops = tmp_path / "tops.csv"
    code, out, _ = run(write(tmp_path / "c.gz", lines), "--tops", str(tops))
    assert code == 1
    assert "unsynced    ETHUSDT" in out
    assert [row.split(",")[2] for row in tops.read_text().splitlines()[1:]] == ["7"]


def test_snapshots_that_do_not_fit_are_tried_one_after_the_other(tmp_path: Path) -> None:
    lines = [HEADER, depth(5, 6), snapshot(3), depth(7, 7), snapshot(4), snapshot(6), depth(8, 8)]
    code, result = summary(write(tmp_path / "c.gz", lines))
    assert (code, result["books"], result["gaps"]) == (0, 1, 0)


@pytest.mark.parametrize("early", [True, False])
def test_another_top_than_the_venues_fails(early: bool, tmp_path: Path) -> None:
    pair = [ticker(7, "10.00000000", "12.00000000"), depth(7, 7)]
    lines = [HEADER, depth(5, 6), snapshot(6), *(pair if early else reversed(pair))]
    code, result = summary(write(tmp_path / "c.gz", lines))
    assert (code, result["tops"]) == (1, {"checked": 1, "failed": 1})


def test_a_crossed_book_fails(tmp_path: Path) -> None:
    lines = [HEADER, depth(5, 6), snapshot(6), depth(7, 7, bids=[["11.00000000", "1.00000000"]])]
    code, result = summary(write(tmp_path / "c.gz", lines))
    assert (code, result["crossed"]) == (1, 1)


def test_a_capture_that_builds_no_book_has_verified_nothing(tmp_path: Path) -> None:
    code, out, _ = run(write(tmp_path / "c.gz", [HEADER, depth(5, 6)]))
    assert code == 1
    assert "nothing is verified" in out


def test_json_has_exactly_the_keys_that_others_read(tmp_path: Path) -> None:
    _, result = summary(write(tmp_path / "c.gz", [HEADER, depth(5, 6), snapshot(6), depth(7, 7)]))
    assert result == {
        "venue": "binance-spot",
        "records": 3,
        "books": 1,
        "gaps": 0,
        "resyncs": 0,
        "checksums": {"checked": 0, "failed": 0},
        "tops": {"checked": 0, "failed": 0},
        "crossed": 0,
        "duplicates": 0,
        "stale": 1,
        "reordered": 0,
        "garbage": 0,
        "unsynced": [],
        "live": 1,
        "proof": ["ids"],
    }


@pytest.mark.parametrize(
    ("tail", "proof", "said"),
    [
        ([], ["ids"], "ids alone (no checksum, no best quote at an equal id)"),
        ([ticker(7, "10.00000000", "11.00000000")], ["ids", "tops"], "ids, tops"),
    ],
)
def test_what_the_proof_was_is_said(tail: list[Any], proof: list[str], said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "c.gz", [HEADER, depth(5, 6), snapshot(6), depth(7, 7), *tail])
    assert summary(path)[1]["proof"] == proof
    assert f"proof       {said}\n" in run(path)[1]


def test_without_a_book_there_is_no_proof(tmp_path: Path) -> None:
    path = write(tmp_path / "c.gz", [HEADER, depth(5, 6)])
    assert summary(path)[1]["proof"] == []
    assert "proof       none (" in run(path)[1]


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        ("binance-spot", ["ids", "tops"]),
        ("coinbase", ["connection numbers"]),
        ("kraken-10", ["checksums"]),
        ("okx", ["ids"]),
        ("okx-checksums", ["ids", "checksums"]),
        ("okx-2022", ["checksums"]),
    ],
)
def test_each_venue_says_what_proves_its_books(name: str, proof: list[str], tmp_path: Path) -> None:
    row = next(row for row in ROWS if row.name == name)
    market = row.market()
    lines = written(market, [row.symbol(0, 1)]).lines
    result = verify(write(tmp_path / "c.gz", [{"capture": 1, "venue": market.name, "source": "test"}, *lines]))
    assert (result.holds, result.proof) == (True, proof)


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([], "line 1"),
        (["{}"], "line 1"),
        ([{**HEADER, "capture": 2}], "capture format 2"),
        ([HEADER, "[1,"], "line 2"),
        ([HEADER, depth(5, 6), [1, "post", "", ""]], "line 3"),
        ([HEADER, depth(5, 6), [1.5, "recv", "", ""]], "line 3"),
        ([{**HEADER, "venue": "kraken-v1"}], "kraken-v2, okx"),
    ],
)
def test_unusable_files_exit_2_and_name_the_place(lines: list[Any], word: str, tmp_path: Path) -> None:
    code, out, err = run(write(tmp_path / "c.gz", lines))
    assert (code, out) == (2, "")
    assert word in err


def test_files_that_are_not_gzip_or_cut_or_absent_exit_2(tmp_path: Path) -> None:
    plain_file, cut = tmp_path / "plain", tmp_path / "cut.gz"
    plain_file.write_text(json.dumps(HEADER))
    whole = write(tmp_path / "c.gz", [HEADER, *[depth(number, number) for number in range(5, 500)]]).read_bytes()
    cut.write_bytes(whole[:-20])
    assert "not a gzip file" in run(plain_file)[2]
    assert "cut or damaged" in run(cut)[2]
    assert [run(path)[0] for path in (plain_file, cut, tmp_path / "absent")] == [2, 2, 2]


def test_garbage_frames_are_shown_and_survived(tmp_path: Path) -> None:
    lines = [HEADER, depth(5, 6), snapshot(6), [7, "recv", "ws", "{not json"], depth(7, 7), [8, "send", "ws", "x"]]
    result = verify(write(tmp_path / "c.gz", lines))
    assert (result.holds, result.garbage, result.updates) == (True, 1, 1)


def test_a_recording_that_cannot_be_used_leaves_the_old_tops(tmp_path: Path) -> None:
    tops = tmp_path / "tops.csv"
    tops.write_text("of yesterday")
    path = write(tmp_path / "c.gz", [HEADER, depth(5, 6), snapshot(6), depth(7, 7), "[1,"])
    assert run(path, "--tops", str(tops))[0] == 2
    assert (tops.read_text(), sorted(item.name for item in tmp_path.iterdir())) == (
        "of yesterday",
        ["c.gz", "tops.csv"],
    )
    code, _, error = run(path, "--tops", str(tmp_path / "absent" / "tops.csv"))
    assert (code, "--tops" in error) == (2, True)


def test_the_tops_are_never_written_over_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", [HEADER, snapshot(10)])
    (tmp_path / "linked").hardlink_to(path)
    before = path.read_bytes()
    code, _, error = run(path, "--tops", str(tmp_path / "linked"))
    assert (code, "is the recording itself" in error, path.read_bytes()) == (2, True, before)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/api/v3/depth?symbol=NKNUSDT&limit=1000", SnapshotOf("NKNUSDT", 1_000)),
        ("https://api.binance.us/api/v3/depth?limit=5&symbol=btcusdt", SnapshotOf("BTCUSDT", 5)),
        ("/api/v3/depth?symbol=NKNUSDT", SnapshotOf("NKNUSDT", 0)),
        ("/api/v3/depth?symbol=NKNUSDT&limit=many", SnapshotOf("NKNUSDT", 0)),
        ("/api/v3/exchangeInfo", None),
        ("/api/v3/exchangeInfo?symbol=NKNUSDT", None),
        ("/api/v3/depth", None),
    ],
)
def test_symbol_and_levels_of_a_depth_request(address: str, found: SnapshotOf | None) -> None:
    assert SnapshotAddress(BinanceSpot()).read(address) == found


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        ('{"method":"subscribe","result":{"channel":"book","depth":25,"symbol":"A/B"},"success":true}', (["A/B"], 25)),
        ('{"method":"subscribe","params":{"channel":"book","depth":10,"symbol":["A/B","C/D"]}}', (["A/B", "C/D"], 10)),
        ('{"method":"subscribe","result":{"channel":"ohlc","depth":25,"symbol":"A/B"}}', None),
        ('{"method":"subscribe","result":{"channel":"book","symbol":"A/B"}}', None),
        ('{"depth":', None),
    ],
)
def test_depth_of_a_subscription(frame: str, found: tuple[list[str], int] | None) -> None:
    assert subscribed_depth(frame) == found
