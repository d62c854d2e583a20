"""Commands on their way into an engine: the real gate, the real risk and supervisor; host and sockets are played by the test.

A run can be killed at every step: what the next one knows is its journal and the directory.
"""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.risk import AccountLimits, Risk
from bus.clock import boottime_ns
from bus.mailbox import ZmqMailboxes
from bus.messages import AnswerKind, CommandAnswered, Control, Message, OperatorCommand, TradingState
from ops.commanded import Commanded
from ops.halts import folder_of, keys, leave, read
from ops.supervisor import Supervisor

HALTED, ACTIVE = TradingState.HALTED, TradingState.ACTIVE
RUNS: list["Run"] = []


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    for run in RUNS:
        run.end()
    RUNS.clear()


class Run:
    """As much of an engine as commands need. journal: of all runs on the directory."""

    def __init__(self, folder: Path, journal: list[OperatorCommand]) -> None:
        self.folder, self.records = folder, journal
        self.risk = Risk({}, AccountLimits())
        for command in journal:
            self.risk.recovers()[OperatorCommand](command, 0)
        self.risk.switch.reasons.drop("engine", "orders", "as if orders were ready")
        self.actors = [self.risk]
        self.ended = False
        self.state = SimpleNamespace(path=folder)
        self.supervisor = Supervisor()
        self.told: list[CommandAnswered] = []
        self.host = SimpleNamespace(journal_failures=0)
        self.journal = SimpleNamespace(next_number=len(journal), synced=len(journal))
        self.config: Any = SimpleNamespace(persistence=SimpleNamespace(sync_interval_ms=10))
        self.pump = SimpleNamespace(admits=None, listen=lambda outside, refused: None, post=self.take)
        self.mailboxes = ZmqMailboxes()
        self.commanded = Commanded(self, self.mailboxes)  # type: ignore[arg-type]  # it has what is used
        answered = self.supervisor.answers.answered
        self.supervisor.answers.answered = lambda said: (self.told.append(said), answered(said))[1]  # type: ignore[method-assign,func-returns-value]  # and shown
        RUNS.append(self)
        self.commanded.look()

    def take(self, *commands: Message) -> None:
        """As the host does: journaled before anybody acts."""
        for command in commands:
            assert isinstance(command, OperatorCommand)
            if not self.host.journal_failures:
                self.records.append(command)
                self.journal.next_number += 1
            self.risk.handlers[OperatorCommand](command, 0)
            self.supervisor.handlers[OperatorCommand](command, 0)

    def hear(self, command: OperatorCommand) -> bool:
        """Over the control mailbox."""
        admitted = self.commanded.admits(command)
        if admitted:
            self.take(command)
        return admitted

    def sync(self) -> None:
        self.journal.synced = self.journal.next_number
        self.commanded.look()

    @property
    def trading(self) -> TradingState:
        return self.risk.switch.reasons.engine

    def killed(self) -> "Run":
        """The next run."""
        self.end()
        return Run(self.folder, self.records)

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            self.supervisor.answers.close()
            self.mailboxes.close()


def resume() -> OperatorCommand:
    return OperatorCommand(Control.RESUME, -1, "looked")


def halted(run: Run) -> OperatorCommand:
    return leave(run.folder, Control.HALT, -1, "look").command()


def test_a_halt_nobody_sent_is_taken_at_the_next_look_and_removed_once_it_is_durable(tmp_path: Path) -> None:
    run = Run(tmp_path, [])
    halted(run)
    run.commanded.look()
    assert (run.trading, len(keys(tmp_path))) == (HALTED, 1)
    run.sync()
    assert (run.trading, keys(tmp_path), len(run.records)) == (HALTED, [], 1)


@pytest.mark.parametrize("kills", list(product((False, True), repeat=4)))
def test_a_resume_behind_a_halt_wins_and_is_not_undone_whenever_the_process_dies(
    tmp_path: Path, kills: tuple[bool, ...]
) -> None:
    """Killed or not behind each step: left; taken; removed, or not yet; resumed."""
    run = Run(tmp_path, [])
    steps: list[Callable[[], object]] = []
    command = halted(run)
    steps.append(lambda: None)
    steps.append(lambda: run.hear(command))
    steps.append(lambda: run.sync() if kills[0] else None)
    steps.append(lambda: run.hear(resume()))
    for step, kill in zip(steps, kills, strict=True):
        step()
        if kill:
            run = run.killed()
            assert run.trading is (ACTIVE if step is steps[-1] else HALTED)
    assert run.killed().trading is ACTIVE
    assert [row.control for row in run.records] == [Control.HALT, Control.RESUME]


@pytest.mark.parametrize("kills", list(product((False, True), repeat=3)))
def test_a_halt_behind_a_resume_holds_whenever_the_process_dies(tmp_path: Path, kills: tuple[bool, ...]) -> None:
    run = Run(tmp_path, [])
    run.hear(resume())
    run = run.killed() if kills[0] else run
    command = halted(run)
    run = run.killed() if kills[1] else run
    run.hear(command)
    run = run.killed() if kills[2] else run
    assert run.trading is HALTED
    assert run.killed().trading is HALTED


def test_a_halt_is_heard_once_however_it_comes_and_its_asker_is_told(tmp_path: Path) -> None:
    """The look was faster than the socket."""
    run = Run(tmp_path, [])
    command = leave(tmp_path, Control.CANCEL_ONLY, -1, "look").command("me")
    run.commanded.look()
    assert not run.hear(command)
    assert run.told[-1] == CommandAnswered("me", Control.CANCEL_ONLY, -1, AnswerKind.DONE, "CANCEL_ONLY")
    assert len(run.records) == 1


def test_a_halt_stays_while_the_disk_takes_no_more(tmp_path: Path) -> None:
    run = Run(tmp_path, [])
    run.host.journal_failures = 1
    run.hear(halted(run))
    run.sync()
    assert (run.trading, len(keys(tmp_path))) == (HALTED, 1)
    assert run.killed().trading is HALTED


def test_what_has_expired_is_refused_before_anybody_hears_of_it_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(tmp_path, [])
    late = OperatorCommand(Control.RESUME, -1, "late", asker="me", until_ns=boottime_ns() - 2_000_000_000)
    with caplog.at_level("INFO", "touchline"):
        assert not run.hear(late)
    assert run.records == []
    assert (run.told[-1].kind, run.told[-1].text[:24]) == (AnswerKind.FAILED, "refused: it came 2.0 s a")
    assert "operator_too_late" in caplog.text
    assert run.hear(OperatorCommand(Control.RESUME, -1, "early", until_ns=boottime_ns() + 60_000_000_000))


def test_a_halt_that_cannot_be_read_halts_everything_until_it_is_removed_and_resumed(tmp_path: Path) -> None:
    run = Run(tmp_path, [])
    leave(tmp_path, Control.REDUCE, 0, "look")
    [path] = folder_of(tmp_path).iterdir()
    path.write_bytes(b"?")
    run.commanded.look()
    assert run.trading is HALTED
    assert str(path) in run.records[-1].reason
    run.commanded.look()
    assert len(run.records) == 1, "said once"
    run.hear(resume())
    run = run.killed()
    assert (run.trading, path.exists()) == (HALTED, True), "never guessed, never thrown away"
    path.unlink()
    run.commanded.look()
    run.hear(resume())
    assert run.killed().trading is ACTIVE
    assert read(tmp_path) == ([], [])
