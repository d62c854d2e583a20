"""The way back of what came of a command: real sockets, the real supervisor; only the actor that answers is the test."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.codec import decode_any
from bus.mailbox import OutsideMailbox, ZmqMailboxes, ipc_endpoint
from bus.messages import (
    HEADER_SIZE,
    AnswerKind,
    CommandAnswered,
    Control,
    Message,
    OperatorCommand,
    Reconciled,
)
from ops.answers import ASKERS_MAX, opener
from ops.cli.operating import what_now
from ops.control import CONTROL_MAILBOX, Asker, NoAnswer, NoEngine
from ops.halts import leave, read
from ops.state import StateDirectory
from ops.supervisor import Supervisor
from tests.support.processes import until

DONE = AnswerKind.DONE


class Engine:
    """What an engine has of it: the lock of the directory, the control mailbox, the supervisor."""

    def __init__(self, folder: Path) -> None:
        self.state = StateDirectory(folder)
        self.mailboxes = ZmqMailboxes()
        self.control: OutsideMailbox = self.mailboxes.open_outside("c", ipc_endpoint(folder, CONTROL_MAILBOX))
        self.supervisor = Supervisor()
        self.supervisor.answers.open_sender = opener(self.mailboxes, folder)

    def hear(self) -> OperatorCommand:
        """The next command, as the supervisor hears it."""
        raw = until(lambda: self.control.drain(1)[0], "a command")[0]
        command = decode_any(raw[HEADER_SIZE:])
        assert isinstance(command, OperatorCommand)
        self.say(command)
        return command

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.supervisor.handlers[type(message)](message, 0)

    def end(self) -> None:
        self.supervisor.answers.close()
        self.mailboxes.close()
        self.state.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.end()


def answer(command: OperatorCommand, kind: AnswerKind, text: str = "") -> CommandAnswered:
    return CommandAnswered(command.asker, command.control, command.instrument, kind, text)


def asked(asker: Asker, control: Control, engine: Engine, *facts: Message) -> list[Message]:
    """What the asker hears, when the engine says `facts` and then DONE. The generator sends with its first step."""
    talk = asker.ask(control, reason="test")
    heard: list[Message] = []

    def step() -> None:
        heard.append(next(talk))

    thread = threading.Thread(target=lambda: [step() for _ in range(len(facts) + 1)])
    thread.start()
    command = engine.hear()
    engine.say(*(answer(command, f.kind, f.text) if isinstance(f, CommandAnswered) else f for f in facts))
    engine.say(answer(command, DONE, "done"))
    thread.join(30)
    return heard


def test_an_asker_hears_what_follows_and_what_came_of_it(engine: Engine) -> None:
    follows = CommandAnswered("", Control.HALT, -1, AnswerKind.FOLLOWS, "3 orders are being canceled")
    with Asker(engine.state.path) as asker:
        heard = asked(asker, Control.HALT, engine, follows)
    assert [(m.kind, m.text) for m in heard if isinstance(m, CommandAnswered)] == [
        (AnswerKind.FOLLOWS, "3 orders are being canceled"),
        (DONE, "done"),
    ]


def test_facts_go_to_those_whose_command_listens_to_them(engine: Engine) -> None:
    fact = Reconciled(0, "operator", 2, 1, 0, 5)
    with Asker(engine.state.path) as asker:
        assert fact in asked(asker, Control.RECONCILE, engine, fact)
        engine.say(fact)  # it is answered: nobody is told
        follows = CommandAnswered("", Control.HALT, -1, AnswerKind.FOLLOWS, "")
        assert fact not in asked(asker, Control.HALT, engine, follows)


def test_no_answer_is_told_after_the_silence(engine: Engine) -> None:
    with Asker(engine.state.path) as asker, pytest.raises(NoAnswer, match="no answer came"):
        next(asker.ask(Control.HALT, reason="test", seconds=0.05))


def test_an_engine_that_ends_meanwhile_is_told_at_once(engine: Engine) -> None:
    with Asker(engine.state.path) as asker:
        talk = asker.ask(Control.HALT, reason="test", seconds=600.0)
        engine.state.close()
        with pytest.raises(NoEngine):
            next(talk)
    engine.state = StateDirectory(engine.state.path)


def test_askers_that_went_away_are_bounded_and_their_files_removed(engine: Engine, tmp_path: Path) -> None:
    for number in range(ASKERS_MAX + 3):
        engine.say(OperatorCommand(Control.HALT, -1, "test", asker=f"{number:06x}"))
    assert len(engine.supervisor.answers._askers) == ASKERS_MAX
    (tmp_path / "a-dead00.ipc").touch()
    opener(engine.mailboxes, tmp_path)
    assert not list(tmp_path.glob("a-*.ipc"))


def drained(engine: Engine, count: int) -> list[OperatorCommand]:
    heard: list[OperatorCommand] = []

    def all_there() -> bool:
        heard.extend(decode_any(raw[HEADER_SIZE:]) for raw in engine.control.drain(16)[0])  # type: ignore[misc]  # commands
        return len(heard) >= count

    until(all_there, f"{count} commands")
    return heard


def unanswered(state: Path, control: Control, **more: str) -> NoAnswer:
    with Asker(state) as asker, pytest.raises(NoAnswer) as raised:
        list(asker.ask(control, reason="test", seconds=0.05, **more))  # type: ignore[arg-type]  # text alone
    return raised.value


def test_what_lies_in_the_directory_is_heard_before_a_resume(engine: Engine, tmp_path: Path) -> None:
    left = [leave(tmp_path, Control.HALT, number, "left").command() for number in (0, 1)]
    unanswered(tmp_path, Control.RESUME)
    *before, resume = drained(engine, 3)
    assert before == left
    assert (resume.control, resume.left, resume.until_ns > 0) == (Control.RESUME, "", True)


@pytest.mark.parametrize("control", list(Control))
def test_what_tightens_never_expires_and_a_trading_state_lies_there_as_well(
    engine: Engine, tmp_path: Path, control: Control
) -> None:
    error = unanswered(tmp_path, control)
    [command] = drained(engine, 1)
    halts = control in (Control.HALT, Control.CANCEL_ONLY, Control.REDUCE)
    assert (command.until_ns > 0) is not (halts or control is Control.CANCEL_ALL)
    assert [halt.command(command.asker) for halt in read(tmp_path).halts] == ([command] if halts else [])
    assert (error.control, error.pid, error.taken) == (control, os.getpid(), False)


def test_a_halt_that_cannot_be_written_down_is_sent_all_the_same(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "halts").touch()
    error = unanswered(tmp_path, Control.HALT)
    assert drained(engine, 1)[0].left == ""
    assert "could not be written down either" in what_now("halt", error)


@pytest.mark.parametrize(
    ("command", "control", "words"),
    [
        ("halt", Control.HALT, ["holds as soon as it goes on", "kill -9 {pid}", "cancel-all --config CONFIG --state {state}"]),
        ("halt", Control.CANCEL_ALL, ["kill -9 {pid}", "cancel-all --config CONFIG --state {state}"]),
        ("resume", Control.RESUME, ["has expired", "kill -9 {pid}", "start it again"]),
        ("cancel-all", Control.CANCEL_ONLY, ["is written down", "kill -9 {pid}", "needs no engine"]),
        ("reconcile", Control.RECONCILE, ["has expired", "kill -9 {pid}", "reconcile --dry-run CONFIG --state {state}"]),
        ("reconcile", Control.ACCEPT, ["has expired", "kill -9 {pid}", "reconcile --dry-run CONFIG --state {state}"]),
        ("flatten", Control.FLATTEN, ["has expired", "kill -9 {pid}", "flatten --config CONFIG --state {state}"]),
    ],
)  # fmt: skip
def test_silence_says_what_holds_and_what_to_type(
    engine: Engine, tmp_path: Path, command: str, control: Control, words: list[str]
) -> None:
    told = what_now(command, unanswered(tmp_path, control))
    at = [told.find(word.format(pid=os.getpid(), state=tmp_path)) for word in words]
    assert -1 not in at, (told, words)
    assert at == sorted(at)
