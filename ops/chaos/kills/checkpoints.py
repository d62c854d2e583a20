"""Killing a process while it writes a checkpoint, from outside: its unfinished file appears, and the signal goes at once."""

import ctypes
import os
import select
import signal
import struct
from pathlib import Path

from bus.checkpoint import UNFINISHED

IN_CREATE = 0x100
EVENT = struct.Struct("iIII")
"""inotify(7): watch, mask, cookie, length of the name that follows."""
BUFFER_BYTES = 4_096


def kill_in_checkpoint(folder: Path, pid: int, seconds: float) -> Path | None:
    """Blocks. The unfinished file whose making was answered with SIGKILL; None: none came in time, nothing was sent.

    Whether the signal was in time shows once the process is gone: then the file is still there. Raises OSError.
    """
    library = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    events = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if events < 0 or library.inotify_add_watch(events, str(folder).encode(), IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), f"inotify: {folder}")
        while select.select([events], [], [], seconds)[0]:
            for name in _names(os.read(events, BUFFER_BYTES)):
                if name.endswith(UNFINISHED):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    return folder / name
        return None
    finally:
        os.close(process)
        if events >= 0:
            os.close(events)


def _names(data: bytes) -> list[str]:
    names = []
    at = 0
    while at < len(data):
        *_, length = EVENT.unpack_from(data, at)
        at += EVENT.size
        names.append(data[at : at + length].rstrip(b"\0").decode())
        at += length
    return names
