import errno
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus.log import LogFull, LogSyncFailed, RecordLog, Syncer, read
from bus.log.format import SEGMENT_HEADER_BYTES, SYNCED, SYNCED_AT

SMALL = 8_192


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def has_spare(log: RecordLog) -> bool:
    return log._preparer is not None and bool(log._preparer._ready)


def test_sync_returns_how_many_records_are_durable_and_marks_the_segment(tmp_path: Path) -> None:
    with RecordLog(tmp_path) as log:
        log.append(0, 0, 0, b"a" * 64)
        assert (log.synced, log.sync(), log.synced) == (0, 1, 1)
        log.append(0, 0, 0, b"b")
        assert log.synced == 1
    (mark,) = SYNCED.unpack_from(next(tmp_path.glob("*.log")).read_bytes(), SYNCED_AT)
    assert mark == SEGMENT_HEADER_BYTES + 36 + 64 + 36 + 1


def test_a_syncer_makes_what_was_appended_durable(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        syncer = Syncer(log, interval_ms=1)
        for i in range(1_000):
            log.append(0, i, i, b"x" * 64)
        until(lambda: log.synced == 1_000)
        syncer.stop()
        assert (syncer.failed, syncer.failures) == (False, 0)
        assert syncer.syncs >= 1
        assert syncer.sync_ns_max > 0
    assert len(list(read(tmp_path))) == 1_000


def test_interval_zero_starts_no_thread(tmp_path: Path) -> None:
    with RecordLog(tmp_path, prepare_ahead=False) as log:
        before = threading.active_count()
        syncer = Syncer(log, interval_ms=0)
        assert threading.active_count() == before
        syncer.stop()


def test_a_failed_sync_is_final_and_seen_by_the_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails once and then pretends that all is well, as Linux does: nothing may be called durable any more."""
    log = RecordLog(tmp_path)
    log.append(0, 0, 0, b"x")
    fdatasync = os.fdatasync

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "bad disk")

    monkeypatch.setattr(os, "fdatasync", fail)
    syncer = Syncer(log, interval_ms=1)
    until(lambda: syncer.failed)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    syncer.stop()
    with pytest.raises(LogSyncFailed) as caught:
        log.sync()
    assert (caught.value.errno, caught.value.segment.parent) == (errno.EIO, tmp_path)
    assert (syncer.failures, log.sync_failures, log.synced) == (1, 1, 0)
    assert log.append(0, 0, 0, b"a cancel still gets its record") == 1
    log.close()


def test_a_failed_sync_of_a_retired_segment_is_seen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "bad disk")

    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        monkeypatch.setattr(os, "fdatasync", fail)
        for i in range(200):
            log.append(0, i, i, b"x" * 64)
        until(lambda: log.failed is not None)
    assert len(list(read(tmp_path))) == 200


@pytest.fixture
def no_space() -> Iterator[Callable[[int], None]]:
    """Lets a test refuse files above a size: posix_fallocate then fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_an_error_not_a_signal_and_appending_goes_on_when_there_is_room(
    tmp_path: Path, no_space: Callable[[int], None]
) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL, reserve=True, prepare_ahead=False) as log:
        no_space(SMALL // 2)
        count = log.free_bytes // 100
        for i in range(count):
            log.append(0, i, i, b"x" * 64)
        with pytest.raises(LogFull) as caught:
            log.append(0, count, 0, b"x" * 64)
        assert (caught.value.wanted_bytes, caught.value.errno) == (SMALL, errno.EFBIG)
        assert log.next_number == count
        no_space(resource.RLIM_INFINITY)
        assert log.append(0, count, 0, b"x" * 64) == count
    assert len(list(read(tmp_path))) == count + 1


def test_the_journal_really_owns_its_blocks(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=1 << 20, reserve=True, prepare_ahead=False):
        assert next(tmp_path.glob("*.log")).stat().st_blocks * 512 >= 1 << 20


def test_the_owner_is_warned_before_the_last_segment_is_used_up(
    tmp_path: Path, no_space: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.log.segment.RESERVE_RETRY_S", 0.005)
    with RecordLog(tmp_path, segment_bytes=SMALL, reserve=True) as log:
        until(lambda: has_spare(log))
        no_space(SMALL // 2)
        for i in range(100):
            log.append(0, i, i, b"x" * 64)
        until(lambda: log.full)
        assert log.free_bytes > 0
        no_space(resource.RLIM_INFINITY)
        until(lambda: not log.full)


def test_a_segment_made_ahead_is_used(tmp_path: Path) -> None:
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        for i in range(400):
            if log.free_bytes < 200:
                until(lambda: has_spare(log))
            log.append(0, i, i, b"x" * 64)
        assert log.rolls_waited == 0


def test_syncing_while_segments_roll_claims_only_what_is_on_disk(tmp_path: Path) -> None:
    """After each sync the marks on disk must cover every record it claims."""
    with RecordLog(tmp_path, segment_bytes=SMALL) as log:
        stop = threading.Event()

        def append() -> None:
            i = 0
            while not stop.is_set() and i < 20_000:
                log.append(0, i, i, b"x" * 64)
                i += 1

        thread = threading.Thread(target=append)
        thread.start()
        for _ in range(30):
            claimed = log.sync()
            marked = 0
            for path in sorted(tmp_path.glob("*.log")):
                (mark,) = SYNCED.unpack_from(path.read_bytes(), SYNCED_AT)
                marked = max(marked, int(path.stem) + max(0, mark - SEGMENT_HEADER_BYTES) // 100)
            assert marked >= claimed
        stop.set()
        thread.join()
