"""A person's word to a running engine, from another process on this machine: over DIR/control.ipc.

The socket's file is the operator's alone, as the state directory is. What is sent becomes an input of the engine, in
the control class, and is in its input log; what came of it the engine's log says.
"""

import fcntl
import os
from pathlib import Path

from bus.codec import encode
from bus.mailbox import OutsideSender, ipc_endpoint
from bus.messages import HEADER, HEADER_VERSION, OperatorCommand, StopRequested

CONTROL_MAILBOX = "control"
OUTSIDE_HOST = 0xFFFF
"""The host number in headers of messages that no host sent."""


class NoEngine(Exception):
    """Nobody would hear the command. The text says what to do."""


def send(state: Path, *commands: OperatorCommand | StopRequested) -> None:
    """Hand commands to the engine that runs on `state`, in order. Raises NoEngine. Delivery is local, not confirmed."""
    check_engine(state)
    sender = OutsideSender(ipc_endpoint(state, CONTROL_MAILBOX))
    try:
        for command in commands:
            if not sender.send(HEADER.pack(0, HEADER_VERSION, OUTSIDE_HOST, 0, 0) + encode(command)):
                raise NoEngine(f"{state}: the engine does not take commands any more; look at its log")
    finally:
        sender.close()


def check_engine(state: Path) -> None:
    """Raises NoEngine, with the reason. An engine holds the lock of its directory for as long as it lives, however it ends."""
    try:
        lock = os.open(state / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NoEngine(f"{state}: no engine has ever run here ({error.strerror}); check --state") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        if not (state / f"{CONTROL_MAILBOX}.ipc").exists():
            raise NoEngine(f"{state}: the engine is still starting; try again in a moment") from None
    else:
        raise NoEngine(f"{state}: no engine runs on this directory; start it with `touchline run`")
    finally:
        os.close(lock)
