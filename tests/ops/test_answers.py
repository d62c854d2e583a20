"""The way back of what came of a command: real sockets, the real supervisor; only the actor that answers is the test."""

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
from ops.control import CONTROL_MAILBOX, Asker, NoAnswer, NoEngine
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
