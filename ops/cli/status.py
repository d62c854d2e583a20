"""`touchline status`: one look at an engine, for a person in a hurry or for a machine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bus.errors import BusError
from gateway.binance_spot.decimals import SCALE
from ops.cli.operating import Refused, Told, engine_of, json_option, state_option
from ops.config import decimal_text
from ops.control import holder, is_alive
from ops.look import LOOK_S, NoPicture, look
from ops.status import of_engine, of_remains

TROUBLES = (
    "ledger_differences", "actor_failures", "journal_failures", "orders_refused", "ambiguous_answers", "alerts_critical",
    "stalls",
)  # fmt: skip
"""Counts that a person should see when they are not 0."""
ROWS_MAX = 12


@click.command(short_help="What the engine does, and what is wrong.")
@state_option
@json_option
def status(state: Path | None, as_json: bool) -> None:
    """Show trading states with their reasons, orders, what is unproven, positions, connections, limits and alerts.

    Exit code 0: an engine runs (whatever its state); 1: none does, or it shows nothing, and what it left is shown; 2: it is
    not clear which engine is meant.
    """
    try:
        folder = engine_of(state)
        if not (folder / "lock").exists():
            raise Refused(f"{folder}: no engine has ever run here; check --state")
    except Refused as error:
        Told("status", as_json).refuse(error)
    told = _look(folder)
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo("\n".join(_lines(told)))
    sys.exit(0 if told["alive"] else 1)


def _look(folder: Path) -> dict[str, Any]:
    if not is_alive(folder):
        return of_remains(folder, "no engine runs on this directory")
    try:
        return of_engine(folder, look(folder, LOOK_S))
    except (NoPicture, BusError) as error:
        return of_remains(folder, f"process {holder(folder)} holds it, but {error}")


def _lines(told: dict[str, Any]) -> Iterator[str]:
    if not told["alive"]:
        yield from _remains(told)
        return
    phase = f", orders {told['phase']}" if told["phase"] else ""
    yield f"{told['state']}{phase}   {told['venue']} {told['account']}, epoch {told['epoch']}, process {told['pid']}, up {_ago(told['up_s'])}"
    if told["state"] == "STANDING_BY":
        yield f"leader: {told['leader'] or 'nobody is known to lead'}"
    for row in told.get("trading", {}).get("reasons", ())[:ROWS_MAX]:
        yield f"  {row['scope']} {row['state']}: {row['reason']}: {row['text']}"
    if step := told.get("trading", {}).get("step"):
        yield f"  limits are tightened, step {step} of 4: {told['trading']['why']}"
    if held := told.get("trading", {}).get("held_back"):
        yield f"  {held} requests wait: the venue has refused them too often"
    yield from _orders(told)
    for row in told.get("instruments", ()):
        book = row["book"] + (f" ({row['reason']})" if row["reason"] else "")
        yield (
            f"{row['symbol']:<12} {book:<10} {row['bid']} / {row['ask']}   position {row['position']}   "
            f"realized {row['realized']}  unrealized {row['unrealized']} {row['quote_asset']}"
        )
    yield from _connections(told)
    if troubles := [f"{name} {told['counts'][name]}" for name in TROUBLES if told.get("counts", {}).get(name)]:
        yield f"counted: {', '.join(troubles)}"
    yield from _recovery(told)
    if told["alerts"]:
        yield "the last warnings, over or not:"
    for line in told["alerts"]:
        yield f"  {line}"


def _orders(told: dict[str, Any]) -> Iterator[str]:
    if "orders" not in told:
        return
    counts = ", ".join(f"{count} {status}" for status, count in told["orders"].items())
    yield f"orders: {counts or 'none open'}"
    for row in told["unproven"][:ROWS_MAX]:
        yield f"  unproven: {row['symbol']} {row['client_order_id']} {row['status']}"
    for key, units in list(told["shortfalls"].items())[:ROWS_MAX]:
        yield f"  executions missing: {key}, {units} base units"
    if told["quarantined"]:
        yield f"  kept aside: {told['quarantined']} words of the venue that fit nothing"
    for text in told["strange"][:ROWS_MAX]:
        yield f"  strange: {text}"
    if told["flattening"]:
        yield f"  being closed: {', '.join(told['flattening'])}"


def _connections(told: dict[str, Any]) -> Iterator[str]:
    if "connections" not in told:
        return
    rows = told["connections"]
    feeds = ", ".join(f"{row['venue']} {'up' if row['open'] else 'DOWN'}" for row in rows["feeds"])
    entry = (
        f"order entry {rows['order_entry']}, private stream {rows['private_stream']}; " if rows["order_entry"] else ""
    )
    yield f"connections: {entry}market data {feeds or 'none'}"
    used = [f"{row['kind']} {row['used']}/{row['limit']} in {row['seconds']} s" for row in told["budgets"]]
    if used:
        yield f"limits: {', '.join(used[:ROWS_MAX])}"


def _recovery(told: dict[str, Any]) -> Iterator[str]:
    words = [
        f"reconciled {_ago(row['age_s'])} ago by {row['trigger']}, {row['differences']} differences"
        for row in told.get("reconciled", ())
    ]
    if "ledger_compared_age_s" in told:
        age_s = told["ledger_compared_age_s"]
        words.append("ledger not compared yet" if age_s is None else f"ledger compared {_ago(age_s)} ago")
    if told["checkpoint_age_s"] is not None:
        words.append(f"checkpoint {_ago(told['checkpoint_age_s'])} ago")
    if words:
        yield "; ".join(words)


def _remains(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['why']} ({told['state_directory']})"
    if "unreadable" in told:
        yield f"what it left cannot be read: {told['unreadable']}"
        return
    if told["last_record"]:
        yield f"last word in the journal {told['last_record']}, epoch {told['epoch']}"
    rows = told["open_orders"]
    yield f"orders that it left open or unproven: {len(rows)}" + (
        "; the next start looks after them, or touchline cancel-all --config CONFIG --state DIR" if rows else ""
    )
    for row in rows[:ROWS_MAX]:
        yield f"  {row['symbol']} {row['client_order_id']} {row['side']} {row['status']}"
    for symbol, units in told["positions_base_units"].items():
        if units:
            yield f"  {symbol} position {decimal_text(units, SCALE)}"
    yield from _next_start(told["next_start"])
    yield "this is its journal's word: what the venue has done since then is not in it"


def _next_start(told: dict[str, Any]) -> Iterator[str]:
    yield f"the next start begins {told['state']}" + (", with" if told["reasons"] else "")
    for row in told["reasons"][:ROWS_MAX]:
        yield f"  {row['scope']} {row['state']}: {row['reason']}: {row['text']}"
    for path in told["unreadable"][:ROWS_MAX]:
        yield f"  a halt that cannot be read: {path}: look at it, remove it"
    for row in told["strategies"][:ROWS_MAX]:
        yield f"  strategy {row['strategy']} was quarantined, and is called again: {row['text']}"
    if told["flatten"] is not None:
        what = told["flatten"]["symbol"] or "everything"
        yield f"  flatten of {what} was going on: the next start closes the rest if its time is not up, or says that it does not"
    if told["kept_aside"]:
        yield f"  kept aside: {told['kept_aside']} words of the venue that fit nothing"


def _ago(seconds: float) -> str:
    """12 s, 3 min, 5 h: as exact as a person needs it."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
