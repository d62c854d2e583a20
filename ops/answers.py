"""What came of a person's command, on its way back to the process that sent it. The other end is ops.control.Asker.

Each asker has a socket of its own, STATE/a-NAME.ipc, named by `OperatorCommand.asker`. What it is told, it is told in the
order of the bus: facts that its command listens to (LISTENS), then CommandAnswered. Nobody is waited for: an asker that has
gone away costs what lies in one socket's queue.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from bus.codec import encode
from bus.errors import BusError
from bus.mailbox import ZmqMailboxes, ipc_endpoint
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    AnswerKind,
    CommandAnswered,
    Control,
    Difference,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OperatorCommand,
    Reconciled,
)

ASKERS_MAX = 16
"""Commands under way; the oldest beyond it is told no more. Chosen: people type one at a time, scripts a few."""
RECONCILED = (Difference, LedgerCompared, LedgerAdjusted, Reconciled)
LISTENS: Mapping[Control, tuple[type[Message], ...]] = {Control.RECONCILE: RECONCILED, Control.ACCEPT: RECONCILED}
"""Facts that are told to whoever gave such a command, from then until it is answered."""


class Sender(Protocol):
    def send(self, raw: bytes) -> bool: ...

    def close(self) -> None: ...


def answer_name(asker: str) -> str:
    """Of the asker's socket in the state directory: no longer than the longest that is there anyway."""
    return f"a-{asker}"


def opener(mailboxes: ZmqMailboxes, state: Path) -> Callable[[str], Sender]:
    """How the engine on `state` reaches an asker. What a dead one left behind is removed."""
    for left in state.glob(f"{answer_name('*')}.ipc"):
        left.unlink(missing_ok=True)
    return lambda asker: mailboxes.open_sender(ipc_endpoint(state, answer_name(asker)))


class Answers:
    """open_sender: a way to an asker by its name; until it is set, nobody is told anything. dropped: told to nobody."""

    def __init__(self) -> None:
        self.open_sender: Callable[[str], Sender] | None = None
        self._askers: dict[str, tuple[Control, Sender]] = {}
        self.dropped = 0

    def heard(self, command: OperatorCommand) -> None:
        """Before any answer to it: the supervisor gets a command in the cascade that answers it at the earliest."""
        if not command.asker or self.open_sender is None:
            return
        self._forget(command.asker)
        if len(self._askers) >= ASKERS_MAX:
            self._forget(next(iter(self._askers)))
        try:
            self._askers[command.asker] = (command.control, self.open_sender(command.asker))
        except BusError:
            self.dropped += 1

    def answered(self, answer: CommandAnswered) -> None:
        asked = self._askers.get(answer.asker)
        if asked is None:
            return
        self._tell(asked[1], answer)
        if answer.kind is not AnswerKind.FOLLOWS:
            self._forget(answer.asker)

    def overheard(self, fact: Message) -> None:
        """A fact that some command may listen to."""
        for control, sender in self._askers.values():
            if type(fact) in LISTENS.get(control, ()):
                self._tell(sender, fact)

    def close(self) -> None:
        for asker in list(self._askers):
            self._forget(asker)

    def _tell(self, sender: Sender, message: Message) -> None:
        if not sender.send(HEADER.pack(0, HEADER_VERSION, 0, 0, 0) + encode(message)):
            self.dropped += 1

    def _forget(self, asker: str) -> None:
        asked = self._askers.pop(asker, None)
        if asked is not None:
            asked[1].close()
