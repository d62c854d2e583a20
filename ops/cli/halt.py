"""`touchline halt` and `touchline resume`: trading states, by a person's word. They outlive the process."""

from pathlib import Path

import click

from actors.execution import RANKS
from bus.messages import AnswerKind, Control
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
from ops.control import Asker
from ops.look import NoPicture, look

LEVELS = {"halted": Control.HALT, "cancel-only": Control.CANCEL_ONLY, "reducing": Control.REDUCE}

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

    It holds until `touchline resume`, whatever happens to the process. Exit code 0: it holds, and orders are gone (of a
    strategy: are being canceled); 1: some may still work, or it was not answered; 2: no engine, or wrong usage.
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
    folder = engine_of(state)
    scope = symbol.upper() or strategy or "engine"
    with Asker(folder) as asker:
        instrument = number_of(folder, symbol)
        _check_strategy(folder, strategy)
        answer = asked(asker, control, instrument, why, strategy, news=told.say)
        done, text = answer.kind is AnswerKind.DONE, f"{scope}: {answer.text}"
        if done and not strategy and control in CANCELS:
            told.say(text)
            gone = asked(asker, Control.CANCEL_ALL, instrument, why, news=told.say)
            done, text = gone.kind is AnswerKind.DONE, gone.text
    told.end(done, text, scope=scope, state=str(folder))


def _check_strategy(folder: Path, name: str) -> None:
    """A halt of nobody would look like one. Raises Refused."""
    if not name:
        return
    try:
        about = look(folder).about
    except NoPicture as error:
        raise Refused(f"--strategy {name}: the engine does not show who trades: {error}") from None
    known = [*RANKS, about.strategy if about is not None else ""]
    if name not in known:
        raise Refused(f"--strategy {name}: no owner of that name; there are {', '.join(known)}")
