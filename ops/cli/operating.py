"""What the commands of an operator share: which engine is meant, a command and its answers, and how they are told."""

import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from bus.errors import BusError
from bus.messages import AnswerKind, CommandAnswered, Control
from ops.control import ANSWER_S, Asker, NoAnswer, NoEngine
from ops.engines import STATE_VARIABLE, Undecided, choose
from ops.halts import TIGHTENING
from ops.registry import numbers
from ops.state import StateError

REASON_MAX = 200
"""Characters that an engine takes (bus.pump)."""


REMEDIES = {
    "halt": "touchline cancel-all --config CONFIG --state {state}, because what works at the venue is not canceled by a halt that is not heard",
    "resume": "start it again and type this again",
    "cancel-all": "touchline cancel-all --config CONFIG --state {state}, which needs no engine",
    "flatten": "touchline flatten --config CONFIG --state {state}, which needs no engine",
    "reconcile": "touchline reconcile --dry-run CONFIG --state {state}, which needs no engine",
}  # fmt: skip
"""What to type when a command was not answered."""


def what_now(command: str, error: NoAnswer) -> str:
    """What becomes of a command that was not answered, and what to type."""
    kill = f"kill -9 {error.pid}, then " if error.pid else ""
    return f"{_left(error)}{_late(error)}Now: {kill}{REMEDIES[command].format(state=error.state)}"


def _left(error: NoAnswer) -> str:
    if error.control not in TIGHTENING:
        return ""
    if error.not_left:
        return f"The halt could not be written down either ({error.not_left}), nothing says that it holds. "
    return f"The halt is written down: {'it holds as soon as it goes on, and ' if error.pid else ''}at its next start. "


def _late(error: NoAnswer) -> str:
    if error.control in TIGHTENING or error.control is Control.CANCEL_ALL:
        return ""
    if error.control is Control.FLATTEN and not error.pid:
        return "Started again before its time is up, it goes on by itself. "
    return (
        "It had begun, and goes on if the process does. " if error.taken else "It has expired and is not done later. "
    )


class Refused(Exception):
    """Wrong usage, or nobody there: exit code 2. The text says what to do."""


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--state",
        type=click.Path(path_type=Path),
        envvar=STATE_VARIABLE,
        show_envvar=True,
        help="State directory of the engine. Default: of the one that runs here.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")(command)


def by_whom() -> str:
    """A reason for who gives none. A name may be anything: what an engine would refuse is left out."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "?"
    return f"by {name}" if name.isprintable() else "by an operator"


def engine_of(state: Path | None) -> Path:
    """Raises Refused."""
    try:
        return choose(state)
    except Undecided as error:
        raise Refused(str(error)) from None


def number_of(state: Path, symbol: str) -> int:
    """Of an instrument, however its symbol is written; -1 for "": all. Raises Refused."""
    if not symbol:
        return -1
    try:
        known = numbers(state / "instruments.json")
    except StateError as error:
        raise Refused(str(error)) from None
    for name, number in known.items():
        if name.casefold() == symbol.casefold():
            return number
    raise Refused(f"{symbol}: nothing of that name is traded here; there is {', '.join(known) or 'nothing'}")


def checked_reason(reason: str | None) -> str:
    """Raises Refused: an engine takes one line."""
    text = by_whom() if reason is None else reason.strip()
    if not text or len(text) > REASON_MAX or not text.isprintable():
        raise Refused(f"--reason: give one line of 1 to {REASON_MAX} characters")
    return text


def asked(
    asker: Asker,
    control: Control,
    instrument: int,
    reason: str,
    owner: str = "",
    *,
    seconds: float = ANSWER_S,
    news: Callable[[str], None] = lambda text: None,
    symbol: str = "",
) -> CommandAnswered:
    """Give a command and wait for what comes of it. news: told what follows, as it comes. Raises NoEngine, NoAnswer."""
    for message in asker.ask(control, instrument, reason, owner, seconds=seconds, symbol=symbol):
        if isinstance(message, CommandAnswered):
            if message.kind is not AnswerKind.FOLLOWS:
                return message
            news(message.text)
    raise AssertionError("ask ends with an answer or an exception")


class Told:
    """What a command says: lines on a terminal as they come, or one JSON object at its end."""

    def __init__(self, command: str, as_json: bool) -> None:
        self.command, self.as_json = command, as_json
        self.news: list[str] = []

    def say(self, text: str) -> None:
        self.news.append(text)
        if not self.as_json:
            click.echo(text)

    def end(self, done: bool, text: str, **more: Any) -> NoReturn:
        """Exit code 0 if it is done, 1 if it did not hold."""
        if self.as_json:
            click.echo(json.dumps({"command": self.command, "done": done, "answer": text, "news": self.news, **more}))
        elif done:
            click.echo(text)
        else:
            click.echo(f"touchline {self.command}: {text}", err=True)
        sys.exit(0 if done else 1)

    def refuse(self, error: Exception) -> NoReturn:
        """Exit code 2: wrong usage, or no engine."""
        if self.as_json:
            click.echo(json.dumps({"command": self.command, "done": False, "error": str(error)}))
        else:
            click.echo(f"touchline {self.command}: {error}", err=True)
        sys.exit(2)


def run_command(command: str, as_json: bool, work: Callable[[Told], None]) -> None:
    """Do it, and turn what goes wrong into one line and an exit code."""
    told = Told(command, as_json)
    try:
        work(told)
    except NoAnswer as error:
        told.end(False, f"{error}. {what_now(command, error)}")
    except (Refused, NoEngine, StateError, BusError, OSError) as error:
        told.refuse(error)
