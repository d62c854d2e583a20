"""A person's word to a running engine, from another process on this machine: over DIR/control.ipc.

The sockets' files are the operator's alone, as the state directory is. What is sent becomes an input of the engine, in
the control class, and is in its input log and its journal. What came of it comes back:

    with Asker(state) as asker:
        for message in asker.ask(Control.RECONCILE, reason="by hand"):
            ...  # facts that the command listens to (ops.answers.LISTENS), CommandAnswered FOLLOWS
        # the last one is CommandAnswered DONE or FAILED; NoAnswer was raised if it did not come in time

A command that tightens a trading state is also left in the directory before it is sent (ops.halts): it holds even if the
engine hangs and is killed. Whatever else trades or loosens expires with the asker's patience, so that an engine that wakes up
later does not do what nobody waits for any more; a CANCEL_ALL is right however late.

The actor whose business a command is answers it, with `CommandAnswered(command.asker, command.control,
command.instrument, kind, text)`: FOLLOWS as often as there is news, then DONE or FAILED once. A command without an asker
may be answered as well: nobody listens then.
"""

import fcntl
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from bus.clock import boottime_ns
from bus.codec import decode_any, encode
from bus.mailbox import OutsideSender, ZmqMailboxes, ipc_endpoint
from bus.messages import (
    HEADER,
    HEADER_SIZE,
    HEADER_VERSION,
    AnswerKind,
    CommandAnswered,
    Control,
    Message,
    OperatorCommand,
    StopRequested,
)
from ops import halts
from ops.answers import answer_name

CONTROL_MAILBOX = "control"
OUTSIDE_HOST = 0xFFFF
"""The host number in headers of messages that no host sent."""
ANSWER_S = 10.0
"""How long news of a command may be away before it is given up; chosen: a venue's slowest answer has 10 s (Binance)."""
LATE_S = 1.0
"""Longer than a command lives, its answer is waited for: it is heard whether it was done or came too late; chosen."""
LOOK_S = 0.2
"""Between two looks whether the engine still lives, while nothing comes; chosen."""
TAKEN_MAX = 64


class NoEngine(Exception):
    """Nobody would hear the command. The text says what to do."""


class NoAnswer(Exception):
    """The command was sent, and nothing more was heard of it. The text says what that means; pid: of the engine that lives and
    says nothing, 0: it ended. control: what was asked; taken: it had answered that it follows. not_left: why a halt could not
    be written down.
    """

    def __init__(
        self, state: Path, text: str, control: Control, pid: int = 0, *, taken: bool = False, not_left: str = ""
    ) -> None:
        self.state, self.control, self.pid, self.taken, self.not_left = state, control, pid, taken, not_left
        super().__init__(f"{state}: {text}")


class Asker:
    """One process that asks one engine; a context manager. Raises NoEngine, and BusError when its socket cannot be made."""

    def __init__(self, state: Path) -> None:
        check_engine(state)
        self._state = state
        self.name = os.urandom(3).hex()
        endpoint = ipc_endpoint(state, answer_name(self.name))
        self._file = Path(endpoint.removeprefix("ipc://"))
        self._mailboxes = ZmqMailboxes()
        self._mailbox = self._mailboxes.open_outside("answers", endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._mailboxes.close()
        self._file.unlink(missing_ok=True)

    def ask(
        self,
        control: Control,
        instrument: int = -1,
        reason: str = "",
        owner: str = "",
        *,
        seconds: float = ANSWER_S,
        symbol: str = "",
    ) -> Iterator[Message]:
        """Send the command and yield what comes of it, until it is answered for good. symbol: the instrument's, for people.

        seconds: longest silence. Raises NoEngine (also when it ends meanwhile), NoAnswer. A halt that cannot be written down is
        sent all the same. Before a RESUME the engine hears what lies in the directory: it was ordered before.
        """
        key, until_ns, not_left = "", 0, ""
        before: list[OperatorCommand] = []
        if control in halts.TIGHTENING:
            try:
                key = halts.leave(self._state, control, instrument, reason, owner, symbol).key
            except OSError as error:
                not_left = str(error)
        elif control is not Control.CANCEL_ALL:
            until_ns = boottime_ns() + int(seconds * 1e9)
        if control is Control.RESUME:
            before = [halt.command() for halt in halts.read(self._state).halts]
        command = OperatorCommand(control, instrument, reason, owner, self.name, -1, until_ns, key)
        send(self._state, *before, command)
        until, taken = time.monotonic() + seconds + LATE_S, False
        while True:
            messages = self._take()
            for message in messages:
                yield message
                if isinstance(message, CommandAnswered):
                    if message.kind is not AnswerKind.FOLLOWS:
                        return
                    taken = True
            if messages:
                until = time.monotonic() + seconds
                continue
            text, pid = self._silence(seconds, over=time.monotonic() > until)
            if text:
                raise NoAnswer(self._state, text, control, pid, taken=taken, not_left=not_left)

    def _silence(self, seconds: float, *, over: bool) -> tuple[str, int]:
        """Why nothing more is waited for, "" if it is; and the process that says nothing, 0: it ended."""
        try:
            check_engine(self._state)
        except NoEngine:
            return "the engine ended before it answered; what it took of the command is in its log", 0
        if not over:
            return "", 0
        pid = holder(self._state)
        return f"no answer came in {seconds:g} s: process {pid} hangs or stands still", pid

    def _take(self) -> list[Message]:
        """What came; waits for it for LOOK_S at most."""
        taken, empty = self._mailbox.drain(TAKEN_MAX)
        if empty and not taken:
            select.select([self._mailbox.descriptor], [], [], LOOK_S)
            taken, _ = self._mailbox.drain(TAKEN_MAX)
        return [decode_any(raw[HEADER_SIZE:]) for raw in taken]


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
        (state / "lock").stat()
    except OSError as error:
        raise NoEngine(f"{state}: no engine has ever run here ({error.strerror}); check --state") from error
    if not is_alive(state):
        raise NoEngine(f"{state}: no engine runs on this directory; start it with `touchline run`")
    if not (state / f"{CONTROL_MAILBOX}.ipc").exists():
        raise NoEngine(
            f"{state}: the engine is starting, or stands by for another one; `touchline status` says which, try again then"
        )


def holder(state: Path) -> int:
    """The process that holds the directory, by its own word; 0: it has said none."""
    try:
        text = (state / "lock").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return 0
    return int(text) if text.isdecimal() else 0


def is_alive(state: Path) -> bool:
    """Whether a process holds the lock of the directory."""
    try:
        lock = os.open(state / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
