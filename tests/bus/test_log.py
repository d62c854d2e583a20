import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.log import (
    LogClosed,
    LogCorrupt,
    LogFormat,
    OffsetWentBack,
    Record,
    RecordLog,
    RecordTooLarge,
    read,
)
from bus.log.format import RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SYNCED, SYNCED_AT

SMALL = 4_096  # a segment of about 38 records of 64 bytes


def write(directory: Path, count: int, *, body: bytes = b"x" * 64, **options: object) -> list[Record]:
    """Append `count` records with offsets from 0, close without a sync mark, and return what must be read."""
    options = {"segment_bytes": SMALL, "prepare_ahead": False} | options
    with RecordLog(directory, **options) as log:  # type: ignore[arg-type]  # options of mixed types
        for i in range(count):
            log.append(i % 256, i, 1_000 + i, body)
    for path in segments(directory):
        poke(path, SYNCED_AT, SYNCED.pack(0))
    return [Record(i, i, 1_000 + i, i % 256, body) for i in range(count)]


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.log"))


def poke(path: Path, position: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        file.write(data)


def record_at(index: int, body_bytes: int = 64) -> int:
    return SEGMENT_HEADER_BYTES + index * (RECORD_HEADER_BYTES + body_bytes)


def test_records_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    expected = write(tmp_path, 200)
    assert len(segments(tmp_path)) > 4
    assert list(read(tmp_path)) == expected
    assert list(read(tmp_path, start_number=150)) == expected[150:]


def test_an_empty_log_reads_as_nothing(tmp_path: Path) -> None:
    assert list(read(tmp_path)) == []
    write(tmp_path, 0)
    assert list(read(tmp_path)) == []


def test_a_live_writer_can_be_read(tmp_path: Path) -> None:
    with RecordLog(tmp_path) as log:
        assert log.append(3, 7, 11, b"body") == 0
        assert list(read(tmp_path)) == [Record(0, 7, 11, 3, b"body")]
        assert (log.next_number, log.last_offset) == (1, 7)


def test_opening_again_goes_on_behind_the_last_record(tmp_path: Path) -> None:
    write(tmp_path, 50)
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        assert log.append(1, 49, 5, b"equal offsets are one input's") == 50
        assert log.torn is None
    assert [r.number for r in read(tmp_path)] == list(range(51))


def test_the_last_offset_survives_an_empty_last_segment(tmp_path: Path) -> None:
    write(tmp_path, 38)
    with RecordLog(tmp_path, segment_bytes=SMALL, prepare_ahead=False, retain=1) as log:
        log._roll()
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        assert (log.next_number, log.last_offset) == (38, 37)


@pytest.mark.parametrize(("offset", "last"), [(4, 5), (-1, 5)])
def test_an_offset_below_the_last_is_refused(tmp_path: Path, offset: int, last: int) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        log.append(0, last, 0, b"")
        with pytest.raises(OffsetWentBack) as caught:
            log.append(0, offset, 0, b"")
        assert (caught.value.offset, caught.value.last_offset, log.next_number) == (offset, last, 1)


def test_a_body_above_the_bound_or_a_segment_is_refused_and_the_log_goes_on(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL, body_bytes_max=100) as log:
        with pytest.raises(RecordTooLarge) as caught:
            log.append(0, 0, 0, b"x" * 101)
        assert (caught.value.length, caught.value.length_max) == (101, 100)
        assert log.append(0, 0, 0, b"x" * 100) == 0
    room = SMALL - SEGMENT_HEADER_BYTES - RECORD_HEADER_BYTES
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        with pytest.raises(RecordTooLarge):
            log.append(0, 0, 0, b"x" * (room + 1))
        assert log.append(0, 0, 0, b"x" * room) == 1


def test_a_kind_that_is_no_byte_appends_nothing(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        with pytest.raises(struct.error):
            log.append(256, 0, 0, b"x")
        log.append(255, 0, 0, b"y")
    assert [r.body for r in read(tmp_path)] == [b"y"]


def test_a_closed_log_refuses(tmp_path: Path) -> None:
    log = RecordLog(tmp_path, segment_bytes=SMALL)
    log.close()
    log.close()
    with pytest.raises(LogClosed):
        log.append(0, 0, 0, b"")


@pytest.mark.parametrize("prepare_ahead", [False, True])
def test_retention_deletes_the_oldest_segments(tmp_path: Path, prepare_ahead: bool) -> None:
    expected = write(tmp_path, 400, retain=3, prepare_ahead=prepare_ahead)
    kept = list(read(tmp_path))
    assert len(segments(tmp_path)) <= 3
    assert 0 < kept[0].number < 399
    assert kept == expected[kept[0].number :]
    assert list(tmp_path.glob("*.spare")) == []


def test_without_retention_nothing_is_deleted(tmp_path: Path) -> None:
    expected = write(tmp_path, 400, prepare_ahead=True)
    assert list(read(tmp_path)) == expected


def test_touching_ahead_changes_no_record(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=1 << 20) as log:
        for i in range(500):
            log.append(0, i, i, b"z" * 1_000)
            if i % 7 == 0:
                log.touch_ahead(1 << 16)
    assert [r.body for r in read(tmp_path)] == [b"z" * 1_000] * 500


# Torn tails.


@settings(max_examples=60, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=12),
    where=st.floats(0, 1, exclude_max=True),
    garble=st.none() | st.integers(1, 255),
)
def test_any_damage_to_the_last_record_costs_that_record_only(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], where: float, garble: int | None
) -> None:
    """Truncate the last record at, or flip bits in, an arbitrary byte: the rest is read, and appending goes on."""
    directory = tmp_path_factory.mktemp("log")
    with RecordLog(directory, segment_bytes=SMALL, prepare_ahead=False) as log:
        for i, body in enumerate(bodies):
            log.append(1, i, i, body)
    path = segments(directory)[-1]
    poke(path, SYNCED_AT, SYNCED.pack(0))
    size = RECORD_HEADER_BYTES + len(bodies[-1])
    end = log._position
    at = end - size + int(where * size)
    if garble is None:
        with path.open("r+b") as file:
            file.truncate(at)
    else:
        poke(path, at, bytes([path.read_bytes()[at] ^ garble]))
    assert [r.body for r in read(directory)] == bodies[:-1]
    with RecordLog(directory, segment_bytes=SMALL, prepare_ahead=False) as log:
        assert log.append(2, len(bodies), 9, b"behind") == len(bodies) - 1
    assert [r.body for r in read(directory)] == [*bodies[:-1], b"behind"]


def test_what_a_cut_tail_left_behind_is_never_read_again(tmp_path: Path) -> None:
    """The torn record's body holds a valid record of the number that comes after its own."""
    write(tmp_path / "donor", 6)
    donor = segments(tmp_path / "donor")[0].read_bytes()[record_at(4) : record_at(6)]
    write(tmp_path / "log", 3)
    path = segments(tmp_path / "log")[0]
    poke(path, record_at(3) + RECORD_HEADER_BYTES, donor)
    with RecordLog(tmp_path / "log", segment_bytes=SMALL) as log:
        log.append(9, 9, 9, b"")
    assert [r.number for r in read(tmp_path / "log")] == [0, 1, 2, 3]


def test_unsynced_records_behind_a_hole_end_with_the_tail_and_a_copy_is_kept(tmp_path: Path) -> None:
    """A power loss writes pages in any order: record 5 is lost, 6 to 9 are there, and none was promised."""
    expected = write(tmp_path, 10)
    poke(segments(tmp_path)[0], record_at(5), bytes(100))
    assert list(read(tmp_path)) == expected[:5]
    before = segments(tmp_path)[0].read_bytes()
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        assert log.torn is not None
        assert (log.torn.number, log.torn.position, log.next_number) == (5, record_at(5), 5)
        assert log.torn.copy is not None
        assert log.torn.copy.read_bytes() == before
    assert list(read(tmp_path)) == expected[:5]


def test_an_empty_segment_behind_a_torn_one_goes(tmp_path: Path) -> None:
    expected = write(tmp_path, 39)
    assert len(segments(tmp_path)) == 1
    with RecordLog(tmp_path, segment_bytes=SMALL, prepare_ahead=False) as log:
        log._roll()
    for path in segments(tmp_path):
        poke(path, SYNCED_AT, SYNCED.pack(0))
    poke(segments(tmp_path)[0], record_at(38) + 50, b"?")
    assert list(read(tmp_path)) == expected[:38]
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        assert log.next_number == 38
    assert len(segments(tmp_path)) == 1


@pytest.mark.parametrize("only", [True, False])
def test_a_last_segment_whose_header_never_reached_the_disk_is_dropped(tmp_path: Path, only: bool) -> None:
    count = 0 if only else 39
    write(tmp_path, count)
    name = f"{count:020d}.log"
    (tmp_path / name).write_bytes(bytes(SMALL))
    assert len(list(read(tmp_path))) == count
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        assert log.append(0, 99, 0, b"") == count


# Damage that is no tail.


def test_damage_before_a_segment_with_records_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, 100)
    first = segments(tmp_path)[0]
    poke(first, record_at(10) + 50, b"?")
    records = read(tmp_path)
    with pytest.raises(LogCorrupt) as caught:
        list(records)
    assert (caught.value.segment, caught.value.position, caught.value.number) == (first, record_at(10), 10)


def test_damage_below_the_synced_mark_is_an_error_also_in_the_last_segment(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        for i in range(10):
            log.append(0, i, i, b"x" * 64)
    path = segments(tmp_path)[0]
    poke(path, record_at(9) + 50, b"?")
    damaged = path.read_bytes()
    with pytest.raises(LogCorrupt):
        list(read(tmp_path))
    with pytest.raises(LogCorrupt):
        RecordLog(tmp_path, segment_bytes=SMALL)
    assert path.read_bytes() == damaged


def test_a_missing_segment_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, 150)
    gone = segments(tmp_path)[1]
    gone.unlink()
    with pytest.raises(LogCorrupt) as caught:
        list(read(tmp_path))
    assert caught.value.number == int(gone.stem)


def test_a_segment_deleted_under_a_slow_reader_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, 150)
    records = read(tmp_path)
    next(records)
    segments(tmp_path)[1].unlink()
    with pytest.raises(LogCorrupt, match="slower than retention"):
        list(records)


@pytest.mark.parametrize(
    ("position", "data", "says"),
    [(0, b"GARBAGE!", "not a log segment"), (8, b"\x63", "format version 99"), (20, b"\x01", "header is damaged")],
)
def test_a_foreign_segment_names_the_file_and_the_remedy(tmp_path: Path, position: int, data: bytes, says: str) -> None:
    write(tmp_path, 1)
    path = segments(tmp_path)[0]
    poke(path, position, data)
    for use in (lambda: list(read(tmp_path)), lambda: RecordLog(tmp_path)):
        with pytest.raises(LogFormat, match=says) as caught:
            use()
        assert caught.value.path == path
        assert caught.value.remedy


def test_a_log_file_of_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine.log").touch()
    with pytest.raises(LogFormat, match=r"engine\.log"):
        RecordLog(tmp_path)


# Death.

WRITER = """
    import os, sys
    from pathlib import Path
    from bus.log import RecordLog
    log = RecordLog(Path(sys.argv[1]), segment_bytes=1 << 16)
    offset = log.next_number
    while True:
        number = log.append(1, offset, offset, offset.to_bytes(8, "little") * (offset % 90))
        os.write(1, number.to_bytes(8, "little"))
        offset += 1
"""


def test_sigkill_loses_no_acknowledged_record(tmp_path: Path) -> None:
    """A process appends and tells each number over a pipe until it is killed; three lives over one log."""
    acknowledged = -1
    for life in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        told = child.stdout.read(8 * (500 + 700 * life))
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read()
        child.wait()
        child.stdout.close()
        numbers = [n for (n,) in struct.iter_unpack("<Q", told[: len(told) // 8 * 8])]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert numbers[0] in (acknowledged + 1, acknowledged + 2)  # the last may be appended and not yet told
        acknowledged = numbers[-1]
        records = list(read(tmp_path))
        assert [r.number for r in records] == list(range(len(records)))
        assert all(r.body == r.offset.to_bytes(8, "little") * (r.offset % 90) for r in records)
        assert len(records) in (acknowledged + 1, acknowledged + 2)
