"""One mapped segment for writing, and the thread that makes the next one before it is needed."""

import contextlib
import mmap
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Self

from bus.log.format import (
    SEGMENT_HEADER_BYTES,
    SYNCED,
    SYNCED_AT,
    LogFull,
    LogSyncFailed,
    pack_segment_header,
    segment_name,
)

FIRST_BYTES: Final = 64 << 10  # written when made, so that the roll's first appends find their pages; see `name`
RESERVE_RETRY_S: Final = 1.0  # chosen: how soon freed disk space is noticed


class Segment:
    """A segment open for writing: descriptor and map. `end` is set when it is left: where its records end."""

    __slots__ = ("end", "entered", "fd", "map", "path", "size")

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path, self.fd, self.size = path, fd, size
        self.map = mmap.mmap(fd, size)
        self.end = 0
        self.entered = False  # whether the directory entry was synced

    @classmethod
    def make(cls, path: Path, size: int, *, reserve: bool) -> Self:
        """A zero-filled, unnamed segment. Raises LogFull, and leaves no file, if the space cannot be had."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            allot(fd, size, reserve=reserve)
            os.pwrite(fd, bytes(min(FIRST_BYTES, size)), 0)
            segment = cls(path, fd, size)
            segment.map[:SEGMENT_HEADER_BYTES] = bytes(SEGMENT_HEADER_BYTES)
            return segment
        except OSError as error:
            os.close(fd)
            path.unlink()
            raise LogFull(path, size, error.errno or 0) from error

    @classmethod
    def reopen(cls, path: Path, size: int, end: int, *, reserve: bool) -> Self:
        """Cut everything from byte `end` and zero it up to the full size. Raises LogFull; the records are safe then."""
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.ftruncate(fd, end)
            allot(fd, size, reserve=reserve)
            segment = cls(path, fd, size)
        except OSError as error:
            os.close(fd)
            raise LogFull(path, size, error.errno or 0) from error
        segment.entered = True
        return segment

    def name(self, directory: Path, first: int, last_offset: int) -> None:
        """Give the segment its header and its name, in this order: no file is ever seen without a header."""
        header = pack_segment_header(first, time.time_ns(), self.size, last_offset)
        self.map[:SEGMENT_HEADER_BYTES] = header
        path = directory / segment_name(first)
        self.path.rename(path)
        self.path = path

    def sync(self, position: int) -> None:
        """Put bytes up to `position` on the disk, then note so in the header (which the next sync takes along).

        fdatasync, not msync: it covers mapped pages too, and Python gives up the GIL for it. Raises LogSyncFailed.
        """
        try:
            if not self.entered:
                _sync_directory(self.path.parent)
                self.entered = True
            os.fdatasync(self.fd)
        except OSError as error:
            raise LogSyncFailed(self.path, error.errno or 0) from error
        SYNCED.pack_into(self.map, SYNCED_AT, position)

    def close(self) -> None:
        self.map.close()
        os.close(self.fd)


def allot(fd: int, size: int, *, reserve: bool) -> None:
    """Sparse, or with `reserve` blocks that are really ours: a mapped write into a hole on a full disk is a SIGBUS."""
    os.ftruncate(fd, size)
    if reserve:
        os.posix_fallocate(fd, 0, size)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Preparer:
    """A thread that keeps one segment ready, and runs `retire` (sync, close, delete) after each roll.

    The log takes with `take`, from its own thread; with none ready it makes one itself, at once. `full` says that the
    last try to make one failed, while the current segment still has room: the early warning of LogFull.
    """

    def __init__(self, directory: Path, size: int, *, reserve: bool, retire: Callable[[], None]) -> None:
        self.full = False
        self._directory, self._size, self._reserve, self._retire = directory, size, reserve, retire
        self._ready: deque[Segment] = deque()
        self._made = 0
        self._wake: SimpleQueue[bool] = SimpleQueue()  # True: go on; False: end
        self._thread = threading.Thread(target=self._run, name="log-preparer", daemon=True)
        self._thread.start()
        self._wake.put(True)

    def take(self) -> Segment | None:
        return self._ready.popleft() if self._ready else None

    def wake(self) -> None:
        self._wake.put(True)

    def stop(self) -> None:
        self._wake.put(False)
        self._thread.join()
        while self._ready:
            segment = self._ready.popleft()
            segment.close()
            segment.path.unlink()

    def _run(self) -> None:
        while self._wait():
            self._retire()
            self._prepare()

    def _wait(self) -> bool:
        try:
            return self._wake.get(timeout=RESERVE_RETRY_S if self.full else None)
        except Empty:
            return True

    def _prepare(self) -> None:
        if self._ready:
            return
        self._made += 1  # a name of its own each: the log may still be about to rename the one it took
        path = self._directory / f"ahead-{self._made}.spare"
        try:
            self._ready.append(Segment.make(path, self._size, reserve=self._reserve))
            self.full = False
        except LogFull:
            self.full = True


def remove_spares(directory: Path) -> None:
    """Segments made ahead by a process that died before it named them: they hold no record."""
    for path in directory.glob("*.spare"):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
