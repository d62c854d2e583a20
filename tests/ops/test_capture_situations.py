"""What recordings may bring that ours do not hold: reconnections, overlaps, snapshots at odd times, many symbols and addresses."""

import csv
import io
import re
from pathlib import Path
from random import Random

import pytest

from bus.messages.feed import SnapshotSource
from ops.capture import VerifyResult, verify
from tests.conformance.rows import ROWS, Row
from tests.ops.recordings import write
from tests.support.traffic import START_NS, STEP_NS, Line, Symbol, Traffic

by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
over_rest = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.market().rule.snapshot == SnapshotSource.REST], ids=lambda row: row.name
)


def begun(row: Row, symbol: Symbol, address: str, at: int, updates: int = 12) -> Traffic:
    """One connection: a snapshot of its own, then diffs and other frames."""
    traffic = Traffic(row.market(), [symbol], 5, address)
    traffic.now_ns = at
    traffic.open()
    if traffic.rest:
        traffic.change(symbol, 2)
    traffic.snapshot(symbol)()
    for _ in range(updates):
        traffic.change(symbol, 2)
        traffic.chatter(symbol)
    return traffic


def later(row: Row, symbol: Symbol) -> Symbol:
    """The same symbol for a connection that begins now: the venue tells it anew."""
    again = row.symbol(row.symbols.index(symbol.name), 1)
    again.book = symbol.book
    return again


def verified(row: Row, lines: list[Line], tmp_path: Path) -> tuple[VerifyResult, list[list[str]]]:
    out = io.StringIO()
    header = {"capture": 1, "venue": row.market().name, "source": "test"}
    result = verify(write(tmp_path / "c.gz", [header, *lines]), out)
    out.seek(0)
    return result, list(csv.reader(out))[1:]


@by_row
@pytest.mark.parametrize("address", ["ws", "ws#2"])
def test_a_reconnection_that_lost_frames_comes_back_by_its_snapshot(row: Row, address: str, tmp_path: Path) -> None:
    symbol = row.symbol(0, 1)
    first = begun(row, symbol, "ws", START_NS)
    for _ in range(20):
        symbol.book.change()
    second = begun(row, later(row, symbol), address, first.now_ns + STEP_NS)
    result, rows = verified(row, first.lines + second.lines, tmp_path)
    assert (result.holds, result.live, result.resyncs) == (True, 1, 1)
    assert result.gaps == (1 if first.rest and address == "ws" else 0), "only ids of one connection show it as a gap"
    assert {int(row[0]) for row in rows} <= {line[0] for line in first.lines + second.lines}


@pytest.mark.parametrize("row", [row for row in ROWS if not row.without_ids], ids=lambda row: row.name)
def test_a_roll_with_both_connections_open_costs_nothing(row: Row, tmp_path: Path) -> None:
    """The second connection tells the same book from its opening on, and the first one goes on for a while.

    Where ids mean the same on both, it says the same words; elsewhere its own.
    """
    symbol = row.symbol(0, 2)
    same_words = row.market().rule.comparable
    one = begun(row, symbol, "ws", START_NS)
    beside = symbol if same_words else later(row, symbol)
    two = Traffic(row.market(), [beside], 6, "ws#2")
    two.now_ns = one.now_ns
    two.open()
    if not two.rest:
        told = getattr(symbol.wire, "sequence", None)
        two.snapshot(beside)()
        if same_words:  # it is at the id that the first connection told last
            two.lines[-1][3] = two.lines[-1][3].replace(f'"seqId":{symbol.wire.sequence}', f'"seqId":{told}')
            symbol.wire.sequence = told
    lines = one.lines + two.lines
    for number in range(20):
        symbol.book.change()
        frame = beside.wire.diff(beside.book, two.now_ns)
        two.receive(frame)
        lines.append(two.lines[-1])
        if number < 8:
            words = frame if same_words else symbol.wire.diff(symbol.book, two.now_ns)
            lines.append([two.now_ns + 1, "recv", "ws", words.decode()])
    result, rows = verified(row, lines, tmp_path)
    assert (result.holds, result.gaps, result.resyncs, result.live) == (True, 0, 0, 1)
    bid, _, ask, _ = symbol.book.top
    assert [float(text) for text in (rows[-1][3], rows[-1][5])] == [bid / 100, ask / 100]


@over_rest
@pytest.mark.parametrize("early", [True, False])
def test_a_snapshot_may_come_before_the_stream_or_long_after_it_was_taken(
    row: Row, early: bool, tmp_path: Path
) -> None:
    symbol = row.symbol(0, 3)
    traffic = Traffic(row.market(), [symbol], 3)
    for _ in range(5):
        traffic.change(symbol, 2)
    deliver = traffic.snapshot(symbol)
    for _ in range(50):
        traffic.change(symbol, 2)
    deliver()
    for _ in range(5):
        traffic.change(symbol, 2)
    lines = traffic.lines
    if early:
        body = next(line for line in lines if line[1] == "rest")
        lines = [[START_NS, *body[1:]], *(line for line in lines if line is not body)]
    result, rows = verified(row, lines, tmp_path)
    assert (result.holds, result.gaps, result.live) == (True, 0, 1)
    assert len(rows) >= 55


@over_rest
def test_a_snapshot_nobody_waited_for_serves_when_somebody_does(row: Row, tmp_path: Path) -> None:
    """It is ahead of the stream when it comes, and then the frames that lead up to it are lost."""
    symbol = row.symbol(0, 4)
    traffic = begun(row, symbol, "ws", START_NS)
    kept = len(traffic.lines)
    for _ in range(3):
        traffic.change(symbol, 2)
    symbol.book.change()
    traffic.snapshot(symbol)()
    spare = traffic.lines[-1]
    lines = [*traffic.lines[:kept], spare]
    told = len(traffic.lines)
    for _ in range(5):
        traffic.change(symbol, 2)
    result, _ = verified(row, lines + traffic.lines[told:], tmp_path)
    assert (result.holds, result.gaps, result.resyncs, result.live) == (True, 1, 1, 1)


@over_rest
def test_a_snapshot_serves_whatever_became_of_the_request_for_it(row: Row, tmp_path: Path) -> None:
    """One that stays without an answer is given up, and the next attempt waits for its time; the recorder's did not."""
    for tenths in range(99, 129):
        symbol = row.symbol(0, 4)
        first = begun(row, symbol, "ws", START_NS)
        symbol.book.change()
        symbol.wire.diff(symbol.book, first.now_ns)  # lost
        later = Traffic(row.market(), [symbol], 6, "ws")
        later.now_ns = first.now_ns
        for _ in range(tenths):
            later.change(symbol, 2)
            later.now_ns = first.now_ns + len(later.lines) * 100_000_000
        later.snapshot(symbol)()
        later.change(symbol, 2)
        result, _ = verified(row, first.lines + later.lines, tmp_path)
        assert (result.holds, result.gaps, result.resyncs, result.live) == (True, 1, 1, 1), tenths


@by_row
def test_records_out_of_their_order_of_time(row: Row, tmp_path: Path) -> None:
    random = Random(1)
    lines = begun(row, row.symbol(0, 5), "ws", START_NS).lines
    moved = [[line[0] - random.randrange(3 * STEP_NS), *line[1:]] for line in lines]
    result, rows = verified(row, moved, tmp_path)
    plain, plain_rows = verified(row, lines, tmp_path)
    assert (result.holds, result.live) == (True, 1)
    assert [each[1:] for each in rows] == [each[1:] for each in plain_rows]
    assert result.updates == plain.updates


@by_row
def test_connections_side_by_side_know_nothing_of_each_other(row: Row, tmp_path: Path) -> None:
    one = begun(row, row.symbol(0, 5), "A", START_NS)
    two = begun(row, row.symbol(1, 6), "B", START_NS + 5)
    lines = sorted(one.lines + two.lines, key=lambda line: line[0])
    result, _ = verified(row, lines, tmp_path)
    assert (result.holds, result.gaps, result.live) == (True, 0, 2)


def test_more_symbols_than_there_is_room_for_at_first(tmp_path: Path) -> None:
    row = next(row for row in ROWS if row.name == "bybit")
    symbols = []
    for number in range(70):
        symbol = row.symbol(0, number)
        symbol.name = symbol.wire.symbol = f"COIN{number}USDT"
        symbols.append(symbol)
    traffic = Traffic(row.market(), symbols, 1)
    for symbol in symbols:
        traffic.snapshot(symbol)()
        traffic.change(symbol, 1)
    result, rows = verified(row, traffic.lines, tmp_path)
    assert (result.holds, result.books, result.live, len(rows)) == (True, 70, 70, 140)


def test_figures_that_grow_finer_are_read_from_the_start_in_scales_that_hold_them(tmp_path: Path) -> None:
    row = next(row for row in ROWS if row.name == "bybit")
    symbol = row.symbol(0, 1)
    symbol.wire.price_decimals = 10
    traffic = begun(row, symbol, "ws", START_NS)
    result, rows = verified(row, traffic.lines, tmp_path)
    bid, _, ask, _ = symbol.book.top
    assert result.holds
    assert rows[-1][3] == f"{bid / 10**10:.10f}".rstrip("0")
    assert rows[-1][5] == f"{ask / 10**10:.10f}".rstrip("0")


def test_trades_of_a_symbol_whose_book_was_not_recorded_are_no_lost_updates(tmp_path: Path) -> None:
    """Kraken's scales are what its figures show; a trade may come before any book, or without one."""
    row = next(row for row in ROWS if row.name == "kraken-10")
    symbol, stranger = row.symbol(0, 1), row.symbol(1, 2)
    trades = [stranger.wire.trade(number, 1_000_123, 77, True, START_NS).decode() for number in range(3)]
    own = symbol.wire.trade(1, 1_000_123, 77, True, START_NS).decode()
    before = [[START_NS - 4 + number, "recv", "ws", text] for number, text in enumerate([*trades, own])]
    result, rows = verified(row, before + begun(row, symbol, "ws", START_NS).lines, tmp_path)
    assert (result.holds, result.garbage, result.books, len(rows)) == (True, 0, 1, 13)


@pytest.mark.parametrize("place", ["snapshot", "update"])
def test_a_figure_of_more_decimals_than_all_others_is_damage_and_no_scale(place: str, tmp_path: Path) -> None:
    """Kraken's checksum is made of the instrument's own decimals: with one more, every book would be wrong."""
    row = next(row for row in ROWS if row.name == "kraken-10")
    symbol, other = row.symbol(0, 1), row.symbol(1, 2)
    lines = begun(row, symbol, "ws", START_NS).lines + begun(row, other, "ws", START_NS + 1).lines
    own = [line for line in lines if f'"type":"{place}"' in line[3] and '"book"' in line[3] and symbol.name in line[3]]
    own[len(own) // 2][3] = re.sub(r'("qty":[0-9]*\.[0-9]+)', r"\g<1>7", own[len(own) // 2][3], count=1)
    result, rows = verified(row, lines, tmp_path)
    assert (result.holds, result.garbage, result.live, result.checksums.failed) == (False, 1, 1, 0)
    assert result.unsynced == [symbol.name]
    assert len([each for each in rows if each[1] == other.name]) == 13
