"""Which engines run on this machine, so that a person in a hurry need not name the state directory.

Nothing is written for it: a running engine holds the lock of its directory open, and the kernel tells whose descriptors are
whose. Engines of other users are neither seen nor of any use: their sockets are not ours to open.
"""

import os
from pathlib import Path

from ops.control import is_alive

STATE_VARIABLE = "TOUCHLINE_STATE"
PROC = Path("/proc")


class Undecided(Exception):
    """No engine, or several: somebody has to say which. The text says how."""


def running(proc: Path = PROC) -> list[Path]:
    """State directories of this user's engines that live, sorted."""
    found: dict[Path, None] = {}
    for process in proc.glob("[0-9]*"):
        try:
            if process.stat().st_uid != os.getuid():
                continue
            targets = [link.readlink() for link in (process / "fd").iterdir()]
        except OSError:  # it ended meanwhile, or is none of ours
            continue
        for target in targets:
            if target.name == "lock" and _is_engine(target.parent):
                found[target.parent] = None
    return sorted(found)


def _is_engine(folder: Path) -> bool:
    """Its lock is held and it shows itself: other programs have files of that name, too."""
    return (folder / "telemetry.ipc").exists() and is_alive(folder)


def choose(named: Path | None, proc: Path = PROC) -> Path:
    """The state directory: as named, or by the environment's word (click reads it), or the one engine there is.

    Raises Undecided.
    """
    if named is not None:
        return named
    found = running(proc)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Undecided(f"no engine runs here; name its state directory: --state DIR, or {STATE_VARIABLE}")
    names = ", ".join(str(folder) for folder in found)
    raise Undecided(f"{len(found)} engines run here; say which: --state DIR, or {STATE_VARIABLE}: {names}")
