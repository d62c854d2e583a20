"""`touchline halt` and `touchline resume`: trading states, by a person's word. They outlive the process."""

import sqlite3
from pathlib import Path
from typing import NoReturn

import click

from actors.execution import RANKS
from actors.risk import ORDERED
from bus.log import LogError
from bus.messages import AnswerKind, Control
from gateway.doors.store.left import owners, remains
from ops.cli.operating import (
    Refused,
    Told,
    asked,
    checked_reason,
    engine_of,
    json_option,
    number_of,
    run_command,
    state_option,
)
from ops.control import ANSWER_S, Asker, NoEngine, is_alive
from ops.halts import leave, read
from ops.look import NoPicture, look

LEVELS = {"halted": Control.HALT, "cancel-only": Control.CANCEL_ONLY, "reducing": Control.REDUCE}

HURRY_S = 5.0
"""For an engine to take a halt, which is written down anyway; chosen: one that lives does it in ms."""
CANCELS = (Control.HALT, Control.CANCEL_ONLY)
"""Behind which nothing works any more: that is seen, not assumed."""


@click.command(short_help="Stop new orders; what works is canceled.")
@click.argument("symbol", default="")
@click.option("--strategy", default="", help="Only this strategy, by its [strategy] owner.")
@click.option(
    "--to",
    "level",
    type=click.Choice(list(LEVELS)),
    default="halted",
    show_default=True,
    help="reducing: orders that make a position smaller pass. cancel-only: nothing new.",
)
@click.option("--reason", help="Why, for the log and the next one on duty. Default: your name.")
@state_option
@json_option
def halt(symbol: str, strategy: str, level: str, reason: str | None, state: Path | None, as_json: bool) -> None:
    """Stop new orders of the whole engine, of one SYMBOL or of one strategy, and cancel what is working there.

    It holds until `touchline resume`, whatever happens to the process: it is written down first, so an engine that hangs may be
    killed, and with none alive (--state DIR) the next one starts halted. Exit code 0: it holds, and orders are gone (of a
    strategy: are being canceled; with no engine: it says if any may work); 1: some may still work, or it was not answered; 2: wrong usage.
    """
    run_command("halt", as_json, lambda told: _order(told, LEVELS[level], symbol, strategy, reason, state))


@click.command(short_help="Let trading go on after a halt.")
@click.argument("symbol", default="")
@click.option("--strategy", default="", help="Only this strategy, by its [strategy] owner.")
@click.option("--reason", required=True, help="Why it is right to go on. It stands in the journal.")
@state_option
@json_option
def resume(symbol: str, strategy: str, reason: str, state: Path | None, as_json: bool) -> None:
    """Lift what a person ordered, and what waits for a person: a failed actor, a loss limit, a ledger that differs, refused orders.

    Of the whole engine (and everything in it), of one SYMBOL, or of one strategy. Exit code 0: it trades; 1: something
    else still holds it, and it says what; 2: no engine, or wrong usage.
    """
    run_command("resume", as_json, lambda told: _order(told, Control.RESUME, symbol, strategy, reason, state))


def _order(told: Told, control: Control, symbol: str, strategy: str, reason: str | None, state: Path | None) -> None:
    if symbol and strategy:
        raise Refused("SYMBOL and --strategy: give one of them")
    why = checked_reason(reason)
    folder = _folder(state)
    scope = symbol.upper() or strategy or "engine"
    instrument = number_of(folder, symbol)
    _check_strategy(folder, strategy)
    if control is Control.RESUME:
        _check_readable(folder)
    try:
        with Asker(folder) as asker:
            seconds = ANSWER_S if control is Control.RESUME else HURRY_S
            answer = asked(
                asker, control, instrument, why, strategy, seconds=seconds, news=told.say, symbol=symbol.upper()
            )
            done, text = answer.kind is AnswerKind.DONE, f"{scope}: {answer.text}"
            if done and not strategy and control in CANCELS:
                told.say(text)
                gone = asked(asker, Control.CANCEL_ALL, instrument, why, news=told.say)
                done, text = gone.kind is AnswerKind.DONE, gone.text
    except NoEngine as error:
        if control is Control.RESUME:
            raise NoEngine(f"{error}; then type it again: what was ordered holds until then") from None
        leave(folder, control, instrument, why, strategy, symbol.upper())
        _tell_left(told, folder, scope, ORDERED[control].name)
    told.end(done, text, scope=scope, state=str(folder))


def _folder(state: Path | None) -> Path:
    """Raises Refused. A halt needs no engine, but a directory where one has run."""
    folder = engine_of(state)
    if not (folder / "lock").exists():
        raise Refused(f"{folder}: no engine has ever run here; check --state")
    return folder


def _check_readable(folder: Path) -> None:
    """A resume that does not know what it lifts is none. Raises Refused."""
    for path, why in read(folder).unreadable:
        raise Refused(f"{path}: a halt that cannot be read ({why}); look at it, remove it, then type this again")


def _tell_left(told: Told, folder: Path, scope: str, name: str) -> NoReturn:
    if is_alive(folder):
        text = f"{scope}: the engine is starting or stands by; it begins {name}"
    else:
        text = f"{scope}: no engine runs; the next one starts {name}"
    working = _left_working(folder)
    if working:
        told.say(f"{working}: touchline cancel-all --config CONFIG --state {folder}")
    told.end(True, text, scope=scope, state=str(folder), engine=False)


def _left_working(folder: Path) -> str:
    """What a halt that nobody hears does not cancel, in words; "": nothing."""
    try:
        count = len(remains(folder / "store.sqlite", folder / "journal").orders)
    except (LogError, sqlite3.Error, OSError, ValueError):
        return "what the last run left at the venue is not known, and is not canceled by this"
    return f"{count} orders that the last run left may work still, and are not canceled by this" if count else ""


def _check_strategy(folder: Path, name: str) -> None:
    """A halt of nobody would look like one. Raises Refused."""
    if not name:
        return
    try:
        known = [*RANKS, *_who_trades(folder)]
    except sqlite3.Error as error:
        raise Refused(f"--strategy {name}: who trades cannot be read: {error}; halt the whole engine") from None
    if name not in known:
        raise Refused(f"--strategy {name}: no owner of that name; there are {', '.join(dict.fromkeys(known))}")


def _who_trades(folder: Path) -> list[str]:
    """By what the engine shows; of one that is over or shows nothing, by whose orders there were. Raises sqlite3.Error."""
    try:
        about = look(folder).about if is_alive(folder) else None
    except NoPicture:
        about = None
    return [about.strategy] if about is not None else owners(folder / "store.sqlite")
