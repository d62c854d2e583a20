"""`touchline reconcile`: what differs between us and the venue, by the running engine or, with none alive, without it."""

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bus.errors import BusError
from bus.messages import (
    AnswerKind,
    CommandAnswered,
    Control,
    Difference,
    DifferenceKind,
    Instrument,
    LedgerAdjusted,
    Message,
    Reconciled,
)
from gateway.binance_spot.decimals import SCALE
from ops.cli.operating import Refused, engine_of, json_option, state_option, what_now
from ops.config import ConfigError, decimal_text, load
from ops.control import Asker, NoAnswer, NoEngine
from ops.preflight import StartFailed
from ops.sections import Config
from ops.shadow import compare
from ops.state import StateError

COLUMNS = ("what", "of", "ours", "venue's")
DONE, TO_DO = "done about it", "what a start would do"
COMPARED_S = 40.0
"""Longest silence of an engine that compares: its slowest question has 10 s, and a start asks three in a row; chosen."""


@click.command(short_help="What differs between us and the venue.")
@click.argument("config", type=click.Path(path_type=Path), required=False)
@state_option
@click.option("--dry-run", is_flag=True, help="With no engine alive: only look; CONFIG says where and with which key.")
@click.option(
    "--accept", is_flag=True, help="Take what differs as ours: the gap is booked, or the ledger's start taken."
)
@click.option("--reason", default="", help="Why, for the journal. --accept needs it.")
@json_option
def reconcile(config: Path | None, state: Path | None, dry_run: bool, accept: bool, reason: str, as_json: bool) -> None:
    """Compare orders, executions and balances with the venue, and show every difference.

    The running engine does it, as it does by itself at each start, each reconnect and by interval: what it finds missing
    is booked, and a gap of the ledger is shown until it is gone or accepted. With no engine alive, --dry-run CONFIG asks the
    venue and compares with what is on disk; nothing is written and no order is touched. A running engine does with it what it
    does without.

    Exit code 0: equal; 1: there are differences; 2: it could not be done.
    """
    try:
        _check(config, dry_run=dry_run, accept=accept, reason=reason)
        loaded = load(config) if config is not None else None  # a wrong one is said with an engine alive, too
        said, instruments = _ask(loaded, engine_of(state), dry_run=dry_run, accept=accept, reason=reason)
    except (Refused, ConfigError, StateError, StartFailed, NoEngine, BusError, OSError) as error:
        if as_json:
            click.echo(json.dumps({"compared": False, "error": str(error)}))
        else:
            click.echo(f"touchline reconcile: {error}", err=True)
        sys.exit(2)
    report = make_report(said, instruments)
    click.echo(json.dumps(report) if as_json else table(report, TO_DO if instruments else DONE))
    sys.exit(0 if report["equal"] else 1)


def _check(config: Path | None, *, dry_run: bool, accept: bool, reason: str) -> None:
    if config is not None and not dry_run:
        raise ConfigError(f"{config}: a configuration belongs to --dry-run; a running engine has its own")
    if accept and dry_run:
        raise ConfigError("--accept writes and --dry-run does not; give one of them")
    if accept and not reason.strip():
        raise ConfigError("--accept needs --reason TEXT: it stands in the journal beside what was booked")


def _ask(
    config: Config | None, state: Path, *, dry_run: bool, accept: bool, reason: str
) -> tuple[list[Message], dict[int, Instrument]]:
    """The engine if there is one; else, to look only, the venue itself: then the instruments are known, too."""
    try:
        with Asker(state) as asker:
            said: list[Message] = []
            if accept:
                said += asker.ask(Control.ACCEPT, reason=reason)
                _check_answer(said)
            said += asker.ask(Control.RECONCILE, reason=reason, seconds=COMPARED_S)
            _check_answer(said)
            return said, {}
    except NoAnswer as error:
        raise Refused(f"{error}. {what_now('reconcile', error)}") from None
    except NoEngine as error:
        if not dry_run:
            raise NoEngine(f"{error}; to look without an engine, add --dry-run and the configuration") from None
        if config is None:
            raise ConfigError(f"{error}; to look without it, name the configuration: --dry-run CONFIG") from None
        return asyncio.run(compare(config, state))


def _check_answer(said: list[Message]) -> None:
    last = said[-1]
    if isinstance(last, CommandAnswered) and last.kind is AnswerKind.FAILED:
        raise Refused(f"the engine could not: {last.text}")


def make_report(said: Iterable[Message], instruments: dict[int, Instrument]) -> dict[str, Any]:
    """The rows of the last comparison and its counts; amounts as decimal text, each row with its unit."""
    rows: list[dict[str, Any]] = []
    adjusted: list[dict[str, str]] = []
    done: Reconciled | None = None
    for message in said:
        if isinstance(message, Difference):
            rows.append(_row(message, instruments))
        elif isinstance(message, LedgerAdjusted):
            amount = decimal_text(message.units, _scale(message.asset, instruments))
            adjusted.append({"asset": message.asset, "amount": amount, "reason": message.reason})
        elif isinstance(message, Reconciled):
            done = message
    assert done is not None, "an answer DONE comes behind Reconciled"
    return {
        "equal": done.differences == 0 and done.compared,
        "ledger_compared": done.compared,
        "trigger": done.trigger,
        "orders": done.orders,
        "fills": done.fills,
        "differences": done.differences,
        "took_ms": done.took_ns // 1_000_000,
        "rows": rows,
        "adjusted": adjusted,
    }


def _row(row: Difference, instruments: dict[int, Instrument]) -> dict[str, Any]:
    known = instruments.get(row.instrument)
    if row.kind is DifferenceKind.BALANCE:
        unit, scale = row.subject, _scale(row.subject, instruments)
    elif row.kind in (DifferenceKind.FILL_MISSING, DifferenceKind.POSITION):
        unit, scale = ("base", SCALE) if known is None else (known.base_asset, known.base_scale)
    else:
        unit, scale = "lots", 0
    return {
        "kind": row.kind.name,
        "subject": row.subject,
        "ours": decimal_text(row.ours, scale),
        "venue": decimal_text(row.venues, scale),
        "unit": unit,
        "action": row.action,
    }


def _scale(asset: str, instruments: dict[int, Instrument]) -> int:
    """Decimals of an asset's amounts; of one that no instrument names, the venue's own."""
    for row in instruments.values():
        if asset in (row.base_asset, row.quote_asset):
            return row.base_scale if asset == row.base_asset else row.quote_scale
    return SCALE


def table(report: dict[str, Any], done: str = DONE) -> str:
    """For people: a head, then a line for each row, in columns. done: what the last of them is called."""
    head = (
        f"compared in {report['took_ms']} ms: {report['orders']} orders open, {report['fills']} executions were missing, "
        + ("equal" if report["equal"] else f"differences: {report['differences']}")
        + ("" if report["ledger_compared"] else "; balances not compared: executions came between")
    )
    if not report["rows"]:
        return head
    rows = [(r["kind"], r["subject"], r["ours"], f"{r['venue']} {r['unit']}", r["action"]) for r in report["rows"]]
    lines = [(*COLUMNS, done), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    shown = ["  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]) for line in lines]
    left = report["differences"] - len(report["rows"])
    return "\n".join([head, *shown, *([f"and {left} more"] if left > 0 else [])])
