"""`touchline cancel-all`: through the engine that runs, or without one."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, NoReturn

import click

from bus.log import LogError
from bus.messages import AnswerKind, Control
from gateway.doors.store.left import Left, remains
from ops.at_venue import AtVenue, Open
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
from ops.config import ConfigError, credentials, load
from ops.control import ANSWER_S, Asker, NoAnswer, NoEngine, is_alive
from ops.preflight import StartFailed
from ops.registry import numbers
from ops.sections import Config
from ops.sweep import Swept, ours, sweep

SHOWN_MAX = 20
NO_ENGINE = "without an engine: touchline cancel-all --config CONFIG --state DIR"
HURRY_S = 3.0
"""For an engine to take a command, where there is another way; chosen: one that lives does it in ms."""


@click.command("cancel-all", short_help="Cancel every order of ours, engine or none.")
@click.argument("symbol", default="")
@click.option("--config", type=click.Path(path_type=Path), help="Where, and with which key, if no engine answers.")
@click.option("--everything", is_flag=True, help="Orders that are not ours, too. From here, with --config.")
@click.option(
    "--go-on", is_flag=True, help="Let strategies quote again at once; otherwise only after `touchline resume`."
)
@click.option("--reason", help="Why, for the log. Default: your name.")
@state_option
@json_option
def cancel_all(
    symbol: str,
    config: Path | None,
    everything: bool,
    go_on: bool,
    reason: str | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Cancel all orders of ours, or those of one SYMBOL, and see them gone.

    A running engine does it, and is CANCEL_ONLY there afterwards: what was canceled would be back in a moment. With
    --config CONFIG it is done from here where no engine is alive, or none answers: everything open whose id is ours, and
    what the journal left open or unproven; no leadership is needed. Exit code 0: all are gone, by the venue's word; 1: some
    may still work; 2: it could not be tried.
    """

    def work(told: Told) -> None:
        if everything and config is None:
            raise Refused(
                "--everything: an engine cancels its own orders alone; it is done from here, with --config CONFIG"
            )
        folder = _folder(state, config)
        if not everything and folder is not None and (config is None or is_alive(folder)):
            try:
                _through_engine(
                    told, folder, symbol, reason, go_on=go_on, seconds=ANSWER_S if config is None else HURRY_S
                )
            except (NoEngine, NoAnswer) as error:
                if config is None:
                    raise
                told.say(f"{error}; so it is done from here")
                if isinstance(error, NoAnswer) and error.pid:
                    kept = "; it is CANCEL_ONLY when it goes on, and at its next start, until touchline resume"
                    held = "" if go_on or error.not_left else kept
                    told.say(f"kill -9 {error.pid} if it must not go on{held}")
        assert config is not None, "without it an engine is asked"
        _without_engine(told, config, folder, symbol, everything=everything)

    run_command("cancel-all", as_json, work)


def _folder(state: Path | None, config: Path | None) -> Path | None:
    """Raises Refused: with neither an engine nor a configuration nothing can be done."""
    if config is not None:
        return state  # which engine trades by this file nobody says but --state
    try:
        folder = engine_of(state)
    except Refused as error:
        raise Refused(f"{error}; {NO_ENGINE}") from None
    if not is_alive(folder):
        raise Refused(f"{folder}: no engine runs on this directory; {NO_ENGINE}")
    return folder


def _through_engine(
    told: Told, folder: Path, symbol: str, reason: str | None, *, go_on: bool, seconds: float
) -> NoReturn:
    """Raises NoEngine, NoAnswer."""
    why = checked_reason(reason)
    scope = symbol.upper() or "engine"
    with Asker(folder) as asker:
        instrument = number_of(folder, symbol)
        if not go_on:
            held = asked(
                asker, Control.CANCEL_ONLY, instrument, why, seconds=seconds, news=told.say, symbol=symbol.upper()
            )
            told.say(f"{scope}: {held.text}, until touchline resume{f' {scope}' if symbol else ''} --reason TEXT")
        answer = asked(asker, Control.CANCEL_ALL, instrument, why, news=told.say)
    told.end(answer.kind is AnswerKind.DONE, answer.text, scope=scope, state=str(folder))


def _without_engine(told: Told, path: Path, state: Path | None, symbol: str, *, everything: bool) -> None:
    try:
        config = load(path)
        key = credentials(config.venue)
        left = _left(state, symbol) if state is not None else []
        if state is None:
            told.say("no --state: the journal is not asked, only what the venue lists is canceled")
        swept = asyncio.run(_sweep(config, key, left, symbol, everything=everything))
    except (ConfigError, StartFailed, LogError, sqlite3.Error, ValueError) as error:
        raise Refused(str(error)) from None
    rows: list[dict[str, Any]] = [_row(order) for order in swept.left]
    for order in swept.left[:SHOWN_MAX]:
        told.say(f"left: {order.symbol} {order.client_order_id} {order.status}")
    for text in swept.trouble[:SHOWN_MAX]:
        told.say(text)
    count = len(swept.found) - len(swept.left)
    gone = f"{count} order is gone" if count == 1 else f"{count} orders are gone"
    if not swept.seen:
        told.end(False, "what is open could not be seen after the cancels", canceled=count, left=rows)
    if swept.left:
        told.end(False, f"{gone}, still open: {len(swept.left)}", canceled=count, left=rows)
    told.end(True, f"{gone}, none is left, by a second look", canceled=count, left=[])


def _left(state: Path, symbol: str) -> list[tuple[str, Left]]:
    """(symbol, order) of what the directory's last run left open or unproven."""
    if not (state / "lock").exists():
        raise Refused(f"{state}: no engine has ever run here; check --state")
    names = {number: name for name, number in numbers(state / "instruments.json").items()}
    rows = [(names.get(row.instrument, ""), row) for row in remains(state / "store.sqlite", state / "journal").orders]
    return [(name, row) for name, row in rows if name and symbol.casefold() in ("", name.casefold())]


async def _sweep(
    config: Config, key: tuple[str, str, str], left: list[tuple[str, Left]], symbol: str, *, everything: bool
) -> Swept:
    async with AtVenue(config, key, [name for name, _ in left]) as venue:
        numbers_of = {row.venue_symbol.casefold(): number for number, row in venue.instruments.items()}
        if symbol and symbol.casefold() not in numbers_of:
            known = ", ".join(row.venue_symbol for row in venue.instruments.values())
            raise ConfigError(f"{symbol}: the configuration does not trade it; it has {known}")
        only = [numbers_of[symbol.casefold()]] if symbol else None
        unlisted = [Open(numbers_of[name.casefold()], name, row.client_order_id, row.status) for name, row in left]
        wanted = (lambda order: True) if everything else ours(config.orders.prefix)
        window_s = config.venue.recv_window_ms / 1e3
        return await sweep(venue, wanted, window_s, unlisted=unlisted, numbers=only)


def _row(order: Open) -> dict[str, Any]:
    return {"symbol": order.symbol, "client_order_id": order.client_order_id, "status": order.status}
