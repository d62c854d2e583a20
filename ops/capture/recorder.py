"""Records a venue into one file after another. A new file begins with a session of its own, beside the old one's.

So each file has its own connections from their opening on, its own metadata and its own snapshots, and verifies alone; the
old session ends when all books of the new one are LIVE, so that what one file lacks at its end the next one has.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ops.capture.session import RecordFailed, Session, Wanted

TICK_S = 1.0
"""Between flushes; what a crash loses at most."""
OVERLAP_S_MAX = 30.0
"""A new file's books that are not LIVE by then are left to themselves; chosen."""
RETRY_S = 60.0
"""Before another attempt at a rotation that failed; chosen. The old file goes on meanwhile."""
SUFFIXES = (".jsonl.gz", ".gz")


class Rotation(NamedTuple):
    """A new file after so much; 0: never for that reason."""

    bytes: int = 0
    seconds: float = 0.0


class Recorded(msgspec.Struct):
    """One file. outages: times a connection was gone; failed_attempts: to dial it again."""

    path: str
    records: int = 0
    bytes: int = 0
    frames: int = 0
    gaps: int = 0
    resyncs: int = 0
    outages: int = 0
    failed_attempts: int = 0


class Recording(msgspec.Struct):
    """live: books at the end. failure: what ended it before its time; "" when it was asked to end.

    trouble: what last went wrong while a book is not LIVE; last_trouble: ever.
    """

    venue: str
    symbols: int
    files: list[Recorded] = []
    live: int = 0
    failure: str = ""
    trouble: str = ""
    last_trouble: str = ""

    @property
    def holds(self) -> bool:
        """Every book is LIVE at the end, and nothing broke."""
        return not self.failure and self.live == self.symbols

    def total(self, field: str) -> int:
        return sum(getattr(file, field) for file in self.files)


Show = Callable[[Recording], None]
"""Hears, once a second, how it stands."""


class Recorder:
    """Runs until its time is over, `stopped` is set, or it cannot write."""

    def __init__(self, wanted: Wanted, out: Path, rotation: Rotation, now_ns: Callable[[], int]) -> None:
        self.recording = Recording(wanted.name, len(wanted.symbols))
        self._wanted, self._out, self._rotation, self._now_ns = wanted, out, rotation, now_ns
        self._files = 0
        self._began_s = self._retry_s = 0.0

    async def run(self, seconds: float | None, stopped: asyncio.Event, show: Show) -> Recording:
        """Raises RecordFailed when it cannot begin, OSError when there is no file to write."""
        loop = asyncio.get_running_loop()
        until_s = float("inf") if seconds is None else loop.time() + seconds
        session = await self._begin()
        try:
            while not stopped.is_set() and loop.time() < until_s and not session.failure.done():
                await _sleep(min(TICK_S, until_s - loop.time()), stopped)
                session.flush()
                self._note(session)
                show(self.recording)
                if self._due(session):
                    session = await self._rotate(session, stopped)
        finally:
            await self._finish(session)
        return self.recording

    async def _begin(self) -> Session:
        self._files += 1
        path = numbered(self._out, self._files)
        session = Session(self._wanted, path, self._now_ns)
        try:
            await session.start()
        except BaseException:
            await session.end()
            path.unlink()
            self._files -= 1
            raise
        self.recording.files.append(Recorded(str(path)))
        self._began_s = asyncio.get_running_loop().time()
        return session

    def _due(self, session: Session) -> bool:
        now_s = asyncio.get_running_loop().time()
        by_size = 0 < self._rotation.bytes <= session.writer.bytes_written
        by_time = 0 < self._rotation.seconds <= now_s - self._began_s
        return (by_size or by_time) and now_s >= self._retry_s

    async def _rotate(self, old: Session, stopped: asyncio.Event) -> Session:
        """The new session, once the old one has ended; the old one where no new one can begin."""
        loop = asyncio.get_running_loop()
        beginning = asyncio.ensure_future(self._begin())
        while not beginning.done() and not stopped.is_set():
            await asyncio.wait([beginning], timeout=TICK_S)
            old.flush()
        if not beginning.done():
            beginning.cancel()
        try:
            new = await beginning
        except (RecordFailed, OSError, asyncio.CancelledError) as error:
            old.trouble = f"no new file: {error}"
            self._retry_s = loop.time() + RETRY_S
            return old
        until_s = loop.time() + OVERLAP_S_MAX
        while new.live < len(self._wanted.symbols) and loop.time() < until_s and not stopped.is_set():
            await _sleep(TICK_S / 4, stopped)
            old.flush()
            new.flush()
        await self._finish(old, place=-2)
        return new

    def _note(self, session: Session, place: int = -1) -> None:
        file, writer = self.recording.files[place], session.writer
        file.records, file.bytes, file.frames = writer.records, writer.bytes_written, session.frames
        file.gaps, file.resyncs = session.gaps, session.resyncs
        file.outages, file.failed_attempts = session.outages, session.failed_attempts
        recording = self.recording
        recording.live = session.live
        recording.last_trouble = session.trouble or recording.last_trouble
        if recording.live == recording.symbols:
            session.trouble = ""
        recording.trouble = session.trouble

    async def _finish(self, session: Session, place: int = -1) -> None:
        self._note(session, place)
        try:
            await session.end()
        except OSError as error:
            self.recording.failure = f"{session.writer.path}: cannot be written: {error.strerror}"
        if session.failure.done():
            self.recording.failure = session.failure.result()
        file = self.recording.files[place]
        file.records, file.bytes = session.writer.records, session.writer.bytes_written


def numbered(out: Path, number: int) -> Path:
    """`out`, then with the number before its suffix: rec.jsonl.gz, rec.2.jsonl.gz."""
    if number == 1:
        return out
    suffix = next((suffix for suffix in SUFFIXES if out.name.endswith(suffix)), "")
    return out.with_name(f"{out.name.removesuffix(suffix)}.{number}{suffix}")


async def _sleep(seconds: float, stopped: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await stopped.wait()
    except TimeoutError:
        return
