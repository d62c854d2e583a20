"""The state directory: the only place where the engine writes. One engine at a time, and an epoch a start.

DIR/lock         held while an engine runs        DIR/epoch        of the last start; in every client order id
DIR/journal      the order journal                DIR/input-log    every input, for replay
DIR/checkpoints  the last few                     DIR/store.sqlite index of the journal, for people
DIR/limits.json  what of the venues' limits is used
DIR/poison       what a handler raised on, the last few
DIR/halts        what a person has ordered and the journal does not have yet (ops.halts)
"""

import fcntl
import os
import re
import time
from pathlib import Path

EPOCH_MAX = 36**5 - 1
"""Epochs fit five characters of base 36 in a client order id (actors/orders/ids)."""
MINUTE_NS = 60_000_000_000
EPOCH_ORIGIN_MINUTES = 26_297_280
"""2020-01-01T00:00Z in minutes since 1970: epochs count minutes from there, unless starts come faster. 36**5 last 115 years."""


LOCK_ATTEMPTS, LOCK_PAUSE_S = 3, 0.02
"""Chosen: a look takes microseconds, and a start that is refused should not be slow to say so."""


class StateError(Exception):
    """The state directory cannot be used. The text says what to do."""


class StateDirectory:
    """An open state directory; `close` (or the process's end, however it comes) frees it."""

    def __init__(self, path: Path) -> None:
        """Raises StateError: in use by another engine, not writable, not a directory."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            reason = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror
            raise StateError(
                f"{path}: cannot be used as a state directory: {reason}; give --state a directory that you may write"
            ) from error
        if not _locked(self._lock):
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
            os.close(self._lock)
            raise StateError(
                f"{path}: in use by another engine (process {holder or 'unknown'}); stop it, or give --state another directory"
            )
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def input_log(self) -> Path:
        return self.path / "input-log"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def poison(self) -> Path:
        return self.path / "poison"

    @property
    def instruments(self) -> Path:
        return self.path / "instruments.json"

    @property
    def limits(self) -> Path:
        return self.path / "limits.json"

    @property
    def store(self) -> Path:
        return self.path / "store.sqlite"

    def epoch_floor(self, seen: int, now_ns: int) -> int:
        """An epoch of this start must be above it: the counter's file, `seen` (the highest known elsewhere), and time.

        Never below the minutes since 2020 at `now_ns`, so that a fresh directory does not repeat the ids of a lost one.

        Raises StateError when the counter's file says something else than a number: guessing could repeat order ids.
        """
        path = self.path / "epoch"
        try:
            text = path.read_bytes()[:40].decode("ascii", "replace").strip() if path.exists() else "0"
        except OSError as error:
            raise StateError(
                f"{path}: cannot be read: {error.strerror}; restore it, or start a new directory"
            ) from error
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise StateError(
                f"{path}: {text!r} is not an epoch; write the highest epoch ever used there, or start a new directory"
            )
        floor = max(int(text), seen, now_ns // MINUTE_NS - EPOCH_ORIGIN_MINUTES - 1)
        if floor >= EPOCH_MAX:
            raise StateError(f"{path}: all {EPOCH_MAX} epochs are used up; start a new directory with a new prefix")
        return floor

    def keep_epoch(self, epoch: int) -> None:
        """Write down the epoch of this start, durably, before it makes an id. Raises StateError."""
        path = self.path / "epoch"
        try:
            write_durably(path, f"{epoch}\n".encode())
        except OSError as error:
            raise StateError(
                f"{path}: cannot be written: {error.strerror}; free disk space or permit writing"
            ) from error

    def close(self) -> None:
        os.close(self._lock)


def _locked(lock: int) -> bool:
    """Who only looks whether an engine lives holds the lock for some microseconds: that is waited for."""
    for attempt in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < LOCK_ATTEMPTS:
                time.sleep(LOCK_PAUSE_S)
        else:
            return True
    return False


def write_durably(path: Path, data: bytes) -> None:
    """Replace the file in one step: either the old or the new content is there after a crash or a power loss."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
