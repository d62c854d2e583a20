"""The half of `touchline chaos` that is about --kills: faults files, the progress bar, the result for people."""

import asyncio
import shlex
import signal
import sys
import tomllib
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

import ops.chaos
from bus.errors import MailboxError
from bus.mailbox import ipc_endpoint
from gateway.simulated.faults.spec import SpecError, parse_toml
from ops.chaos.kills.engine import ENGINE
from ops.chaos.kills.face import SPOT
from ops.chaos.kills.run import KillSettings, play
from ops.chaos.stage import ChaosFailed

BAR_WIDTH = 20
EXAMPLES = Path(ops.chaos.__path__[0]) / "faults"
"""Faults files that come with the program."""


class FaultsUnusable(Exception):
    """The text names file, table, key and remedy."""


def read_faults(path: Path | None) -> dict[str, Any]:
    """The file's tables, to be set once the engine has taken its baseline. Raises FaultsUnusable.

    A name without a folder may be that of an example that comes with the program.
    """
    if path is None:
        return {}
    if not path.exists() and (EXAMPLES / path).parent == EXAMPLES and (EXAMPLES / path).exists():
        path = EXAMPLES / path
    try:
        text = path.read_text(encoding="utf-8")
        parse_toml(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FaultsUnusable(f"--faults {path}: cannot be read ({error}); name a TOML file") from error
    except SpecError as error:
        raise FaultsUnusable(f"--faults {path}: {error}") from error
    return {name: table for name, table in tomllib.loads(text).items() if name in ("fault", "point")}


def run_kills(kills: int, seed: int, venue: str, faults: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Raises ChaosFailed, DemoFailed, CancelledError at a signal."""
    try:
        ipc_endpoint(folder / ENGINE, "telemetry")  # the longest name of an engine's own
    except MailboxError as error:
        raise ChaosFailed(
            f"{folder}: too long for the sockets of an engine in it; name a shorter directory with --keep"
        ) from error
    is_terminal = sys.stderr.isatty()
    settings = KillSettings(kills, seed, folder, faults, _bar if is_terminal else _silent, venue)
    settings.told(0, kills, "starting")
    try:
        return asyncio.run(_play(settings))
    finally:
        if is_terminal:
            click.echo("", err=True)


async def _play(settings: KillSettings) -> dict[str, Any]:
    """SIGTERM ends it as Ctrl-C does: with everything that was started."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await play(settings)


def _bar(done: int, of: int, words: str) -> None:
    click.echo(f"\r{bar_text(done, of, words, get_terminal_size().columns)}", err=True, nl=False)


def bar_text(done: int, of: int, words: str, columns: int) -> str:
    """One line that covers what stood there before and never reaches the last column, where terminals begin another one."""
    full = min(BAR_WIDTH * done // of, BAR_WIDTH)
    text = f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] {done}/{of} kills, {words}"
    return text[: columns - 1].ljust(columns - 1)


def _silent(done: int, of: int, words: str) -> None:
    """Nobody looks."""


def repeat_command(kills: int, seed: int, faults: Path | None, venue: str = SPOT.name) -> str:
    """What to type to have the same kills again, with everything kept."""
    words = ["touchline", "chaos", "--kills", str(kills), "--seed", str(seed)]
    words += ["--venue", venue] if venue != SPOT.name else []
    words += ["--faults", str(faults)] if faults is not None else []
    return shlex.join([*words, "--keep", "DIR"])


def kills_text(result: dict[str, Any]) -> str:
    """For people."""
    points = ", ".join(f"{way} {count}" for way, count in result["kills_by_point"].items())
    recovery = result["recovery_ms"]
    rows = [
        ("hit", points),
        ("by the venue", f"{result['kills_by_venue']}; in recovery {result['kills_during_recovery']}, in a checkpoint {result['kills_during_checkpoint']}"),
        ("orders", f"{result['orders']}, in flight at a kill {result['orders_in_flight_at_kill']}; duplicate {result['duplicate_orders']}, orphaned {result['orphaned_orders']}, unknown {result['unknown_orders']}"),
        ("fills", f"{result['fills']}; lost {result['lost_fills']}, duplicate {result['duplicate_fills']}, invented {result['invented_fills']}"),
        ("positions", f"differ by {result['position_difference']}; limit violations {result['limit_violations']}"),
        ("ledger equal", f"{result['ledger_equal']}"),
        ("recovery", f"p50 {recovery['p50']} ms, p95 {recovery['p95']} ms"),
        *(("FAILED", problem) for problem in result["problems"]),
    ]  # fmt: skip
    head = f"{result['kills']} kills, {result['restarts']} restarts, {result['seconds']:.0f} s"
    lines = [head, *(f"  {name:<13} {text}" for name, text in rows)]
    return "\n".join(lines if result["problems"] else [*lines, "  ok"])
