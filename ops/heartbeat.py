"""The engine's heartbeat, for the sentinel of the same machine: one mapped line of STATE/beat, written by the loop itself.

It is fed by progress and not by a thread: a loop that hangs, a host that broke, inputs that nobody takes, a stopped process
and a dead one all look the same from outside. Boottime counts while the machine sleeps, as the venue's clock does.
"""

import asyncio
import mmap
import os
import struct
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from bus.clock import boottime_ns

BEAT = struct.Struct("<4sIQ48s")
"""Magic, mood, boottime in ns, boot id and process as text. One store of eight aligned bytes is never seen half."""
MAGIC = b"TLb1"
INTERVAL_S = 0.1
"""Between beats; chosen: a thirtieth of the shortest useful silence. A beat is one write into memory."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Mood(IntEnum):
    """What the last word of a run was."""

    ALIVE = 0
    ENDED = 1
    """By a stop that left nothing, or only what it was told to leave: nobody need clean up."""


class Beat(NamedTuple):
    """age_ns: since the last beat; of another boot of the machine: for ever."""

    mood: Mood
    age_ns: int
    pid: int


FOR_EVER_NS = 1 << 62


def beat_path(state: Path) -> Path:
    return state / "beat"


class Heartbeat:
    """The engine's side; raises OSError when the file cannot be had. progress: a number that grows with each input taken; waiting: inputs that were not. whole: the host is."""

    def __init__(self, state: Path) -> None:
        path = beat_path(state)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BEAT.size)  # a full disk is an error here, not a SIGBUS at some beat
            self._map = mmap.mmap(descriptor, BEAT.size)
        finally:
            os.close(descriptor)
        self.progress: Callable[[], int] = lambda: 0
        self.waiting: Callable[[], int] = lambda: 0
        self.whole: Callable[[], bool] = lambda: True
        self._whose = f"{_boot_id()} {os.getpid()}".encode()[:48]
        self._last = -1
        self._ended = False
        self._write(Mood.ALIVE)

    def beat(self) -> bool:
        """The loop turns. It counts if the host takes what comes."""
        progress = self.progress()
        moves = self.whole() and (progress != self._last or not self.waiting())
        self._last = progress
        if moves and not self._ended:
            self._write(Mood.ALIVE)
        return moves

    async def run(self) -> None:
        """Until canceled."""
        while True:
            self.beat()
            await asyncio.sleep(INTERVAL_S)

    def end(self) -> None:
        """The run is over, and nobody need clean up after it: its last beat."""
        self._ended = True
        self._write(Mood.ENDED)

    def close(self) -> None:
        self._map.close()

    def _write(self, mood: Mood) -> None:
        self._map[:] = BEAT.pack(MAGIC, mood, boottime_ns(), self._whose)


def read_beat(state: Path) -> Beat | None:
    """The last one; None: no engine of this kind has run there. What cannot be read is no beat, and an old one."""
    try:
        raw = beat_path(state).read_bytes()
    except OSError:
        return None
    if len(raw) != BEAT.size:
        return None
    magic, mood, at_ns, whose = BEAT.unpack(raw)
    boot, _, pid = whose.rstrip(b"\0").decode("ascii", "replace").partition(" ")
    if magic != MAGIC or mood not in (Mood.ALIVE, Mood.ENDED):
        return Beat(Mood.ALIVE, FOR_EVER_NS, 0)
    age_ns = boottime_ns() - at_ns if boot == _boot_id() else FOR_EVER_NS
    return Beat(Mood(mood), max(age_ns, 0), int(pid) if pid.isdigit() else 0)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "?"
