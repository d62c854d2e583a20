"""Halts in the state directory: DIR/halts, a file each, from before a halt is sent until the engine has it in its journal.

A word on a socket is lost with the process that should have heard it. This one is not: an engine that hangs may be killed,
and one that is not there yet finds it. A start takes what lies here before anything can trade, a running engine looks once a
second, and either takes a file away only when its command is in the journal. A command is heard once, by its name
(`OperatorCommand.left`), however often it comes, so a RESUME that came behind it is not undone.

What cannot be read halts the whole engine and stays: nobody guesses what it said. Files are written as a whole, synced.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from bus.messages import Control, OperatorCommand
from ops.state import write_durably

TIGHTENING = (Control.HALT, Control.CANCEL_ONLY, Control.REDUCE)
"""Right however late they are. A RESUME, a FLATTEN is not: the market has moved, and whoever gave it has gone on."""
LEFT_MAX = 64
"""Files; a later one of the same kind and scope takes the place of the one before. Chosen: scopes that a person halts one by one."""
BYTES_MAX = 4_096
SUFFIX = ".json"
REMEDY = "look at it, remove it, then touchline resume --reason TEXT"
UNFINISHED_S = 60.0
"""A file that is unfinished for so long is a killed command's; chosen."""


class Halt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command as it lies there. control: a name of TIGHTENING; symbol, at: for people."""

    key: str
    control: str
    instrument: int
    symbol: str
    owner: str
    venue: int
    reason: str
    at: str

    def command(self, asker: str = "") -> OperatorCommand:
        return OperatorCommand(
            Control[self.control], self.instrument, self.reason, self.owner, asker, self.venue, 0, self.key
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    crc32: int
    halt: Halt


class Left(NamedTuple):
    """Everything that lies there. unreadable: (file, why); oldest first, both."""

    halts: list[Halt]
    unreadable: list[tuple[Path, str]]


class TooManyHalts(OSError):
    """No more are written down. The text says what to do."""


def unreadable_command(path: Path, why: str) -> OperatorCommand:
    """What is done about a file that cannot be read."""
    return OperatorCommand(Control.HALT, -1, f"{path}: a halt that cannot be read ({why}): {REMEDY}")


def folder_of(state: Path) -> Path:
    return state / "halts"


def leave(state: Path, control: Control, instrument: int, reason: str, owner: str = "", symbol: str = "") -> Halt:
    """Write a halt down, durably, before it is sent. Raises OSError: it could not be."""
    assert control in TIGHTENING
    folder = folder_of(state)
    folder.mkdir(mode=0o700, exist_ok=True)
    _remove_unfinished(folder)
    before = [halt for halt in read(state).halts if _scope(halt) == (control.name, instrument, owner, -1)]
    if not before and len(_paths(folder)) >= LEFT_MAX:
        raise TooManyHalts(f"{folder}: {LEFT_MAX} halts lie there and no engine takes them; halt the whole engine")
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    halt = Halt(os.urandom(6).hex(), control.name, instrument, symbol, owner, -1, reason, at)
    body = msgspec.json.encode(_File(_checksum(halt), halt))
    write_durably(folder / f"{time.time_ns():020d}-{halt.key}{SUFFIX}", body + b"\n")
    for old in before:
        take_away(state, old.key)
    return halt


def read(state: Path) -> Left:
    """What lies there. Never raises: what cannot be read is told."""
    folder = folder_of(state)
    halts: list[Halt] = []
    unreadable: list[tuple[Path, str]] = []
    try:
        paths = _paths(folder)
    except OSError as error:
        return Left([], [(folder, str(error.strerror))])
    for path in paths:
        try:
            halts.append(_read(path))
        except FileNotFoundError:
            continue  # it has just been taken away
        except (OSError, ValueError) as error:
            unreadable.append((path, error.strerror or "?" if isinstance(error, OSError) else str(error)))
    return Left(halts, unreadable)


def keys(state: Path) -> list[str]:
    """Of the files there, by their names alone. Raises OSError."""
    return [path.name.removesuffix(SUFFIX).rpartition("-")[2] for path in _paths(folder_of(state))]


def take_away(state: Path, key: str) -> None:
    """Its command is in the journal. Raises OSError; not if it is gone."""
    for path in _paths(folder_of(state)):
        if path.name.endswith(f"-{key}{SUFFIX}"):
            path.unlink(missing_ok=True)


def _paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []


def _read(path: Path) -> Halt:
    """Raises OSError, ValueError."""
    with path.open("rb") as file:
        raw = file.read(BYTES_MAX + 1)
    found = msgspec.json.decode(raw, type=_File)
    if found.crc32 != _checksum(found.halt):
        raise ValueError("its checksum does not fit")
    if found.halt.control not in [control.name for control in TIGHTENING]:
        raise ValueError(f"{found.halt.control} is no halt")
    return found.halt


def _scope(halt: Halt) -> tuple[str, int, str, int]:
    return halt.control, halt.instrument, halt.owner, halt.venue


def _checksum(halt: Halt) -> int:
    return crc32(msgspec.json.encode(halt))


def _remove_unfinished(folder: Path) -> None:
    for path in folder.iterdir():
        if path.suffix == ".new" and path.stat().st_mtime < time.time() - UNFINISHED_S:
            path.unlink(missing_ok=True)
