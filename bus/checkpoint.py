"""Checkpoints: the state of all actors of a host, at one offset, written by a thread; and reading the newest good one.

A checkpoint is taken between inputs (HOST_PROOF: one cut inside a cascade gives another run). States are encoded at
once, on the host's thread, because live references must not go to another; the file is written and synced by a
thread, under a new name, so a crash leaves the one before.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar
from zlib import crc32

import msgspec

from bus.actor import NOTHING, Handler
from bus.log import LogError
from bus.messages import CheckpointTaken, Message, TakeCheckpoint

FORMAT = 1
UNFINISHED = ".new"
"""Of a file until it is complete."""
KEPT = 3
"""Checkpoint files kept; the second and third serve when the newest cannot be read; chosen."""


class ActorState(msgspec.Struct, frozen=True, array_like=True):
    """One actor's state as it encoded it."""

    name: str
    version: int
    state: bytes


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """journal_number: the first journal record that is not in these states. vocabulary: hash of the message lock."""

    format: int
    vocabulary: str
    host: int
    epoch: int
    offset: int
    now_ns: int
    digest: int
    journal_number: int
    actors: tuple[ActorState, ...]


class CheckpointError(Exception):
    """A checkpoint that cannot be used: its file, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


StateT = TypeVar("StateT")
Migrations = Mapping[int, Callable[[Any], Any]]
"""By version: a state as plain data (what msgpack holds) to that of the next version."""


class Stateful(Protocol):
    """An actor, as far as a checkpoint is concerned."""

    @property
    def name(self) -> str: ...

    @property
    def state_version(self) -> int: ...

    def checkpoint(self) -> Any: ...


def collect(actors: Sequence[Stateful]) -> tuple[ActorState, ...]:
    """Encode every actor's state, now. Raises OverflowError for an integer beyond 64 bits: a state keeps none."""
    encode = msgspec.msgpack.encode
    return tuple(ActorState(actor.name, actor.state_version, encode(actor.checkpoint())) for actor in actors)


def state_of(saved: ActorState, kind: type[StateT]) -> StateT:
    """Read one actor's state back. Raises msgspec.ValidationError."""
    return msgspec.msgpack.decode(saved.state, type=kind)


class NewerProgram(Exception):
    """A state that a newer program wrote: this one must not touch what it cannot understand."""


def migrated(saved: ActorState, version: int, migrations: Migrations) -> ActorState:
    """The state as `version` writes it. Raises NewerProgram, or ValueError when no way leads there."""
    if saved.version == version:
        return saved
    if saved.version > version:
        raise NewerProgram(f"the state of {saved.name} has version {saved.version}, this program has {version}")
    plain = msgspec.msgpack.decode(saved.state)
    for step in range(saved.version, version):
        if step not in migrations:
            raise ValueError(f"{saved.name}: no migration leads from version {step} of its state")
        plain = migrations[step](plain)
    return ActorState(saved.name, version, msgspec.msgpack.encode(plain))


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """CRC32 first, then the struct."""
    body = msgspec.msgpack.encode(checkpoint)
    return crc32(body).to_bytes(4, "little") + body


def from_bytes(path: Path, raw: bytes) -> Checkpoint:
    """Raises CheckpointError."""
    if len(raw) < 4 or crc32(raw[4:]).to_bytes(4, "little") != raw[:4]:
        raise CheckpointError(path, "the checksum does not fit: the file is torn")
    try:
        checkpoint = msgspec.msgpack.decode(raw[4:], type=Checkpoint)
    except ValueError as error:
        raise CheckpointError(path, f"not a checkpoint: {error}") from error
    if checkpoint.format != FORMAT:
        raise CheckpointError(path, f"format {checkpoint.format}, this version reads {FORMAT}")
    return checkpoint


def journal_numbers(folder: Path) -> list[int]:
    """`journal_number` of each checkpoint there that is whole; the states in it are not decoded."""
    numbers = []
    for path in sorted(folder.glob("*.checkpoint")):
        with contextlib.suppress(OSError, CheckpointError):  # gone meanwhile, or torn: nobody will start from it
            numbers.append(from_bytes(path, path.read_bytes()).journal_number)
    return numbers


def newest(
    folder: Path, use: Callable[[Checkpoint], None] = lambda checkpoint: None
) -> tuple[Checkpoint | None, list[CheckpointError]]:
    """The newest checkpoint that can be read, and what was wrong with newer ones.

    use: takes one, or raises ValueError to have the one before.
    """
    problems: list[CheckpointError] = []
    for path in sorted(folder.glob("*.checkpoint"), reverse=True):
        try:
            checkpoint = from_bytes(path, path.read_bytes())
            use(checkpoint)
            return checkpoint, problems
        except ValueError as error:
            problems.append(CheckpointError(path, str(error)))
        except CheckpointError as error:
            problems.append(error)
        except OSError as error:
            problems.append(CheckpointError(path, str(error.strerror)))
    return None, problems


Secure = Callable[[Checkpoint], None]
"""Make what a checkpoint builds upon durable, or raise: else a power loss leaves a checkpoint of records that are gone."""


def sync_folder(folder: Path) -> None:
    """Make names in it durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class CheckpointWriter:
    """The thread that encodes and writes checkpoint files. `done` gets one CheckpointTaken for each, on that thread.

    The folder's only writer: what one that was killed left unfinished there is removed.
    secure: called before a file gets its name; what it raises (an OSError, a LogError) means that there is no checkpoint.
    """

    def __init__(
        self, folder: Path, done: Callable[[CheckpointTaken], None], secure: Secure = lambda checkpoint: None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(f"*{UNFINISHED}"):
            unfinished.unlink(missing_ok=True)
        self._folder, self._done, self._secure = folder, done, secure
        self._queue: SimpleQueue[Checkpoint | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def write(self, checkpoint: Checkpoint) -> None:
        self._queue.put(checkpoint)

    def close(self) -> None:
        """Write what is queued, then stop."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            try:  # only the newest matters when the disk is slower than the schedule
                while (later := self._queue.get_nowait()) is not None:
                    job = later
                self._queue.put(None)
            except Empty:
                pass
            self._done(self._write(job))

    def _write(self, checkpoint: Checkpoint) -> CheckpointTaken:
        started = perf_counter_ns()
        offset = checkpoint.offset
        path = self._folder / f"{offset:020d}.checkpoint"
        try:
            data = to_bytes(checkpoint)
            temporary = path.with_suffix(UNFINISHED)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fdatasync(file.fileno())
            self._secure(checkpoint)
            temporary.rename(path)
            sync_folder(self._folder)  # before the journal lets go of what only older ones needed
            for old in sorted(self._folder.glob("*.checkpoint"))[:-KEPT]:
                old.unlink()
        except (OSError, LogError) as error:
            return CheckpointTaken(offset, 0, perf_counter_ns() - started, str(error))
        return CheckpointTaken(offset, len(data), perf_counter_ns() - started, "")


class Checkpoints:
    """The host's receiver of TakeCheckpoint: it takes one when the present cascade is complete."""

    name = "checkpoints"

    def __init__(self, take: Callable[[int], None]) -> None:
        self.handlers: Mapping[type[Message], Handler] = {TakeCheckpoint: self._on_request}
        self._take = take
        self._after_cascade: Callable[[Callable[[int], None]], None] | None = None

    def attach(self, after_cascade: Callable[[Callable[[int], None]], None]) -> None:
        """The host's `after_cascade`; before the first message."""
        self._after_cascade = after_cascade

    def _on_request(self, request: TakeCheckpoint, now_ns: int) -> tuple[Message, ...]:
        assert self._after_cascade is not None
        self._after_cascade(self._take)
        return NOTHING
