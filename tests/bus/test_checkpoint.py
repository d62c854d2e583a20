"""Checkpoint files: the newest good one, whatever happened to the others."""

import threading
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from bus.checkpoint import (
    FORMAT,
    KEPT,
    UNFINISHED,
    ActorState,
    Checkpoint,
    CheckpointError,
    CheckpointWriter,
    collect,
    from_bytes,
    newest,
    state_of,
    to_bytes,
)
from bus.log import LogSyncFailed
from bus.messages import CheckpointTaken


class State(msgspec.Struct):
    number: int
    names: list[str]


class Remembering:
    name, state_version = "remembering", 3

    def checkpoint(self) -> State:
        return State(7, ["a", "b"])


def checkpoint(offset: int) -> Checkpoint:
    return Checkpoint(FORMAT, "lock", 0, 4, offset, 123, 456, 99, collect([Remembering()]))


def put(folder: Path, offset: int, data: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{offset:020d}.checkpoint"
    path.write_bytes(to_bytes(checkpoint(offset)) if data is None else data)
    return path


def reformat(data: bytes, number: int) -> bytes:
    body = msgspec.msgpack.encode([number, *msgspec.msgpack.decode(data[4:])[1:]])
    return crc32(body).to_bytes(4, "little") + body


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, 5)
    found, problems = newest(tmp_path)
    assert (found, problems) == (checkpoint(5), [])
    assert found is not None
    assert state_of(found.actors[0], State) == State(7, ["a", "b"])
    assert found.actors[0].version == 3


def test_no_folder_and_an_empty_one_hold_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "nowhere") == (None, [])
    assert newest(tmp_path) == (None, [])


def test_every_cut_and_every_flipped_byte_is_found(tmp_path: Path) -> None:
    good = to_bytes(checkpoint(5))
    for length in range(len(good)):
        with pytest.raises(CheckpointError, match="torn"):
            from_bytes(tmp_path, good[:length])
    for at in range(len(good)):
        with pytest.raises(CheckpointError):
            from_bytes(tmp_path, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda good: b"", "the file is torn"),
        (lambda good: good[:-1], "the file is torn"),
        (lambda good: reformat(good, FORMAT + 1), f"format {FORMAT + 1}, this version reads {FORMAT}"),
        (lambda good: crc32(b"\xc0").to_bytes(4, "little") + b"\xc0", "not a checkpoint"),
    ],
)
def test_an_unusable_one_is_named_and_the_one_before_it_taken(tmp_path: Path, damage, told: str) -> None:  # type: ignore[no-untyped-def]
    put(tmp_path, 5)
    put(tmp_path, 9, damage(to_bytes(checkpoint(9))))
    put(tmp_path, 100, b"\0")
    found, problems = newest(tmp_path)
    assert found == checkpoint(5)
    assert [problem.path.name for problem in problems] == [f"{100:020d}.checkpoint", f"{9:020d}.checkpoint"]
    assert told in str(problems[1])


def test_one_that_cannot_be_opened_is_named_too(tmp_path: Path) -> None:
    put(tmp_path, 5)
    (tmp_path / f"{9:020d}.checkpoint").mkdir()
    found, problems = newest(tmp_path)
    assert found == checkpoint(5)
    assert "directory" in str(problems[0])


def test_the_writer_keeps_the_newest_three(tmp_path: Path) -> None:
    told: list[CheckpointTaken] = []
    taken = threading.Semaphore(0)

    def done(message: CheckpointTaken) -> None:
        told.append(message)
        taken.release()

    writer = CheckpointWriter(tmp_path / "checkpoints", done)
    for offset in range(1, 7):
        writer.write(checkpoint(offset))
        assert taken.acquire(timeout=10)
    writer.close()
    files = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert files == [f"{offset:020d}.checkpoint" for offset in (4, 5, 6)]
    assert len(files) == KEPT
    assert [(message.offset, message.reason) for message in told] == [(offset, "") for offset in range(1, 7)]
    assert told[0].bytes_written == len(to_bytes(checkpoint(1)))
    assert newest(tmp_path / "checkpoints")[0] == checkpoint(6)


def test_what_a_killed_writer_left_unfinished_goes_at_the_next_start(tmp_path: Path) -> None:
    kept = put(tmp_path, 5)
    for offset in (6, 7):
        (tmp_path / f"{offset:020d}{UNFINISHED}").write_bytes(to_bytes(checkpoint(offset))[:20])
    CheckpointWriter(tmp_path, lambda taken: None).close()
    assert list(tmp_path.iterdir()) == [kept]


def test_a_slow_disk_gets_the_newest_and_closing_writes_what_waits(tmp_path: Path) -> None:
    told: list[CheckpointTaken] = []
    first, go = threading.Event(), threading.Event()

    def done(message: CheckpointTaken) -> None:
        told.append(message)
        first.set()
        go.wait(10)

    writer = CheckpointWriter(tmp_path, done)
    writer.write(checkpoint(1))
    assert first.wait(10)  # the writer is held up behind its first file
    for offset in (2, 3, 4):
        writer.write(checkpoint(offset))
    go.set()
    writer.close()
    assert [message.offset for message in told] == [1, 4]
    assert newest(tmp_path)[0] == checkpoint(4)


def test_a_failing_disk_is_told_as_nothing_written_and_the_next_try_counts(tmp_path: Path) -> None:
    told: list[CheckpointTaken] = []
    folder = tmp_path / "checkpoints"
    taken = threading.Semaphore(0)

    def done(message: CheckpointTaken) -> None:
        told.append(message)
        taken.release()

    writer = CheckpointWriter(folder, done)
    folder.rmdir()
    writer.write(checkpoint(1))
    assert taken.acquire(timeout=10)
    folder.mkdir()
    writer.write(checkpoint(2))
    assert taken.acquire(timeout=10)
    writer.close()
    assert [(message.offset, message.bytes_written) for message in told] == [(1, 0), (2, len(to_bytes(checkpoint(2))))]
    assert "No such file" in told[0].reason


def test_without_a_durable_journal_there_is_no_checkpoint(tmp_path: Path) -> None:
    told: list[CheckpointTaken] = []

    def not_synced(checkpoint: Checkpoint) -> None:
        raise LogSyncFailed(tmp_path, 5)

    writer = CheckpointWriter(tmp_path, told.append, not_synced)
    writer.write(checkpoint(1))
    writer.close()
    assert [message.bytes_written for message in told] == [0]
    assert newest(tmp_path) == (None, [])


def test_an_integer_beyond_64_bits_is_refused_when_it_is_taken() -> None:
    class Huge(Remembering):
        def checkpoint(self) -> State:
            return State(1 << 64, [])

    with pytest.raises(OverflowError):
        collect([Huge()])


def test_an_actor_state_travels_as_bytes_of_its_own() -> None:
    (saved,) = collect([Remembering()])
    assert isinstance(saved, ActorState)
    with pytest.raises(msgspec.ValidationError):
        state_of(msgspec.structs.replace(saved, state=b"\x91\x01"), State)
