"""A person's commands on their way into the engine: from the control mailbox, and from the halts that lie in its directory.

What comes too late is refused before any actor hears of it, and he who gave it is told. By boottime: commands come from
this machine alone, all its processes share that clock, it goes on while a process or the machine stands still, and nobody sets
it; engine time is each process's own.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from actors.risk import ORDERED, Risk
from bus.clock import boottime_ns
from bus.mailbox import ZmqMailboxes, ipc_endpoint
from bus.messages import AnswerKind, CommandAnswered, Message, OperatorCommand
from ops import events, halts
from ops.answers import opener
from ops.control import CONTROL_MAILBOX

if TYPE_CHECKING:
    from ops.engine import Engine


def control_file(state: Path) -> Path:
    return state / f"{CONTROL_MAILBOX}.ipc"


class Commanded:
    """Of one run, once its host, pump and journal are there."""

    def __init__(self, engine: "Engine", mailboxes: ZmqMailboxes) -> None:
        self._engine, self._state = engine, engine.state.path
        self._heard = dict.fromkeys(heard(engine.actors))
        """Names of halts that this run or one before it has taken."""
        self._journaled = dict.fromkeys(self._heard, 0)
        """The same, with how many journal records must be durable before the file may go."""
        self._unreadable: list[Path] = []
        self._failing = False
        supervisor, pump = engine.supervisor, engine.pump
        supervisor.on_command = self._taken
        supervisor.answers.open_sender = opener(mailboxes, self._state)
        pump.admits = self.admits
        outside = mailboxes.open_outside(CONTROL_MAILBOX, ipc_endpoint(self._state, CONTROL_MAILBOX))
        pump.listen(outside, lambda count, why: events.warning("outside_message_refused", count=count, reason=why))

    def admits(self, message: Message) -> bool:
        """Whether it becomes an input; if not, its asker has been told."""
        if not isinstance(message, OperatorCommand):
            return True
        late_ns = boottime_ns() - message.until_ns
        if message.until_ns and late_ns > 0:
            name = message.control.name
            events.warning("operator_too_late", command=name, late_ms=late_ns // 1_000_000, reason=message.reason)
            text = f"refused: it came {late_ns / 1e9:.1f} s after it had expired, and was not done; ask again"
            self._answer(message, AnswerKind.FAILED, text)
            return False
        if message.left and message.left in self._heard:
            ordered = ORDERED.get(message.control)
            self._answer(message, AnswerKind.DONE, ordered.name if ordered is not None else "heard before")
            return False
        return True

    def look(self) -> None:
        """At the start, before anything can trade, and once a second: take what nobody has sent, remove what is journaled."""
        try:
            keys: list[str] | None = halts.keys(self._state)
        except OSError:
            keys = None  # it is told by whoever reads
        if keys is None or self._unreadable or any(key not in self._heard for key in keys):
            self._take()
        try:
            for key in keys or ():
                if key in self._journaled and self._is_durable(self._journaled[key]):
                    halts.take_away(self._state, key)
            self._failing = False
        except OSError as error:
            if not self._failing:
                folder = str(halts.folder_of(self._state))
                events.warning("halts_not_removed", folder=folder, reason=error.strerror, remedy="permit writing there")
            self._failing = True

    def _take(self) -> None:
        left = halts.read(self._state)
        for halt in left.halts:
            if halt.key not in self._heard:
                self._engine.pump.post(halt.command())
        for path, why in left.unreadable:
            if path not in self._unreadable:
                events.critical("halt_unreadable", file=str(path), reason=why, remedy=halts.REMEDY)
                self._engine.pump.post(halts.unreadable_command(path, why))
        self._unreadable = [path for path, _ in left.unreadable]

    def _taken(self, command: OperatorCommand) -> None:
        """It is in the journal, unless the disk takes no more: then its file stays for the next start."""
        if command.left:
            self._heard[command.left] = None
            if not self._engine.host.journal_failures:
                self._journaled[command.left] = self._engine.journal.next_number

    def _is_durable(self, number: int) -> bool:
        """As durable as this journal is made: by the group commit, or by the kernel alone where there is none."""
        return self._engine.journal.synced >= number or not self._engine.config.persistence.sync_interval_ms

    def _answer(self, command: OperatorCommand, kind: AnswerKind, text: str) -> None:
        answers = self._engine.supervisor.answers
        answers.heard(command)
        answers.answered(CommandAnswered(command.asker, command.control, command.instrument, kind, text))


def heard(actors: Iterable[object]) -> list[str]:
    """What risk, as recovered, has heard of what lay in the directory. Risk of another host: nothing."""
    return [key for actor in actors if isinstance(actor, Risk) for key in actor.switch.heard]
