"""`touchline flatten`: out of every position, now; through the engine that runs, or by one that starts for it alone."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import click
import uvloop

from bus.errors import BusError
from bus.log import LogError
from bus.messages import AnswerKind, Control
from gateway.doors.coordination.contract import CoordinationError
from ops import events
from ops.alone import Led, flatten_alone
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
from ops.config import ConfigError, load
from ops.control import Asker, is_alive
from ops.cost import closings
from ops.look import NoPicture, look_at_held
from ops.preflight import StartFailed
from ops.state import StateError

NO_ENGINE = "without an engine: touchline flatten --config CONFIG --state DIR"
SILENCE_S = 12.0
"""An engine that closes says something every 3 s; chosen, four times that."""


@click.command(short_help="Close every position now, within a collar.")
@click.argument("symbol", default="")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--config", type=click.Path(path_type=Path), help="With no engine alive: start one that does only this.")
@click.option("--reason", help="Why, for the log. Default: your name.")
@state_option
@json_option
def flatten(symbol: str, yes: bool, config: Path | None, reason: str | None, state: Path | None, as_json: bool) -> None:
    """Cancel orders and close every position, or that of one SYMBOL, by orders that cross within [stop] flatten_collar_bps.

    It shows what is held and about what it costs, and asks, unless --yes is given. Afterwards nothing new is traded there
    until `touchline resume`. With no engine alive --config CONFIG starts one without a strategy on --state, which leads the account
    first or names who does. Exit code 0: closed (what the venue would not take as an order is left, and shown); 1: not all
    could be closed, or you said no; 2: it could not be tried.
    """

    def work(told: Told) -> None:
        why = checked_reason(reason)
        if not yes and not sys.stdin.isatty():
            raise Refused("nobody can be asked here; --yes closes without asking")
        folder = state if config is not None else _engine(state)
        if config is not None and (folder is None or not is_alive(folder)):
            if folder is None:
                raise Refused("--config needs --state DIR: what is held stands there")
            if not (folder / "lock").exists():  # on an empty one nothing is held, and that would be the answer
                raise Refused(f"{folder}: no engine has ever run here; check --state")
            _alone(told, config, folder, symbol, why, yes=yes)
        assert folder is not None, "an engine was found"
        _through_engine(told, folder, symbol, why, yes=yes)

    run_command("flatten", as_json, work)


def _engine(state: Path | None) -> Path:
    try:
        folder = engine_of(state)
    except Refused as error:
        raise Refused(f"{error}; {NO_ENGINE}") from None
    if not is_alive(folder):
        raise Refused(f"{folder}: no engine runs on this directory; {NO_ENGINE}")
    return folder


def _through_engine(told: Told, folder: Path, symbol: str, reason: str, *, yes: bool) -> NoReturn:
    with Asker(folder) as asker:
        number = number_of(folder, symbol)
        lines = _held(folder, number)
        for line in lines:
            told.say(line)
        if not yes and lines and not _sure():
            told.end(False, "nothing was done")
        # So that an engine that hangs quotes nothing more when it goes on or starts again: this one is written down.
        asked(asker, Control.CANCEL_ONLY, number, reason, symbol=symbol.upper())
        answer = asked(asker, Control.FLATTEN, number, reason, seconds=SILENCE_S, news=told.say)
        gone = asked(asker, Control.CANCEL_ALL, number, reason, news=told.say)
    done = answer.kind is AnswerKind.DONE and gone.kind is AnswerKind.DONE
    text = answer.text if gone.kind is AnswerKind.DONE else f"{answer.text}; {gone.text}"
    if answer.kind is AnswerKind.DONE:
        told.say(f"{symbol.upper() or 'engine'}: nothing new is traded until touchline resume --reason TEXT")
    told.end(done, text, state=str(folder))


def _held(folder: Path, number: int) -> list[str]:
    """A line a position. An engine that shows nothing can still be told."""
    try:
        model, ladders = look_at_held(folder)
    except NoPicture as error:
        return [f"what is held cannot be shown: {error}"]
    rows = [row for row in model.board.rows if number in (-1, row.instrument)] if model.board is not None else []
    return [row.line for row in closings(rows, {row.instrument: row for row in model.listings}, ladders)]


def _sure() -> bool:
    return click.confirm("Close this now?", default=False, err=True)


def _alone(told: Told, path: Path, folder: Path, symbol: str, reason: str, *, yes: bool) -> NoReturn:
    async def confirm(positions: dict[str, str]) -> bool:
        for name, held in positions.items():
            if held != "0":
                told.say(f"{name} {held} is held")
        return yes or await asyncio.to_thread(_sure)

    os.umask(0o077)  # what is written is for this user alone
    log = events.EventLog(level=logging.WARNING)
    try:
        closed = uvloop.run(flatten_alone(load(path), folder, symbol, reason, confirm))
    except Led as error:
        told.end(False, str(error))
    except (ConfigError, StateError, StartFailed, CoordinationError, LogError, BusError, OSError) as error:
        raise Refused(str(error)) from None
    finally:
        log.close()
    told.end(closed.done, closed.text, positions=closed.positions, state=str(folder))
