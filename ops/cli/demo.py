"""`touchline demo`: a simulated venue, an engine that trades on it, and the console, in one go."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import click

from ops.cli.ranges import Real
from ops.console.terminal import able
from ops.demo import CONFIG, ConsoleProcess, DemoFailed, EngineProcess, VenueProcess, VenueWord, shortfalls
from ops.report import summary

Show = Literal["console", "lines", "nothing"]
NO_REPORT = "the engine left no report of trading"


@click.command()
@click.option("--seconds", type=Real(min=3.0), help="Stop by itself after this long. Default: until q or Ctrl-C.")
@click.option("--headless", is_flag=True, help="Neither console nor live line; needs --seconds.")
@click.option("--plain", is_flag=True, help="On a terminal: a line a second in place of the console.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated market.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="State directory, kept. Default: a temporary one, kept where something fails.",
)
def demo(seconds: float | None, headless: bool, plain: bool, as_json: bool, seed: int, state: Path | None) -> None:
    """Start a simulated venue and an engine that quotes on it, and watch; at the end ask the venue what is left.

    On a terminal the console shows it: q or Ctrl-C ends the demo, ? explains what is seen.

    Exit code 1: something a demo must show did not hold (it says what).
    """
    if headless and seconds is None:
        click.echo("touchline demo: --headless needs --seconds, or nothing would ever end it", err=True)
        sys.exit(2)
    folder = state or Path(tempfile.mkdtemp(prefix="touchline-demo-"))
    if not headless:
        kept = "" if state else " (temporary: kept only with --state, or where something fails)"
        click.echo(f"demo: a simulated venue and an engine; logs and state in {folder}{kept}", err=True)
    if (folder / "engine").exists():
        click.echo(
            f"touchline demo: --state {folder}: an earlier demo's; its venue is gone and took the account along. "
            "Give another directory",
            err=True,
        )
        sys.exit(2)
    failed = True
    try:
        os.umask(0o077)  # what is written is for this user alone
        folder.mkdir(parents=True, exist_ok=True)
        show = _shown(headless or as_json, plain)
        result, problems = asyncio.run(_demo(folder, seconds, seed, show))
        failed = bool(problems)
    except (DemoFailed, OSError) as error:
        click.echo(f"touchline demo: {error}", err=True)
        sys.exit(2)
    finally:
        _leave(folder, temporary=state is None, failed=failed)
    for problem in problems:
        click.echo(f"touchline demo: {problem}", err=True)
    click.echo(json.dumps(result) if as_json else _summary(result, told=show == "lines"))
    sys.exit(1 if problems else 0)


def _leave(folder: Path, *, temporary: bool, failed: bool) -> None:
    """A temporary folder goes, unless there is something to be found in it."""
    if temporary and failed:
        if words := _last_words(folder / "engine.log"):
            click.echo(words, err=True)
        click.echo(f"demo: logs and state are kept in {folder}", err=True)
    elif temporary:
        shutil.rmtree(folder, ignore_errors=True)


def _shown(quiet: bool, plain: bool) -> Show:
    if quiet or not sys.stdout.isatty():
        return "nothing"
    return "lines" if plain or not able() else "console"


async def _demo(folder: Path, seconds: float | None, seed: int, show: Show) -> tuple[dict[str, Any], list[str]]:
    venue = await VenueProcess.start(seed, folder / "venue", folder / "venue.log")
    try:
        config = folder / "config.toml"
        config.write_text(CONFIG.format(**venue.told), encoding="utf-8")
        engine = EngineProcess(config, folder / "engine", venue.told, folder / "report.json")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, engine.stop)
        started = loop.time()
        running = engine.run(seconds, folder / "engine.log", live=show == "lines")
        problem = ""
        if show == "console":
            (code, result), problem = await _watched(engine, asyncio.ensure_future(running), folder)
        else:
            code, result = await running
        ran = loop.time() - started
        # The engine has exited: what follows is the venue's own answer.
        word = VenueWord(venue.told)
        result["working_orders_at_exit"] = await word.working_orders()
        result["venue_ledger_equal"] = await word.ledger_equals(result.get("ledger", {}))
        result["engine_exit_code"], result["engine_restarts"] = code, engine.restarts
        problems = _missing(result, min(seconds or ran, ran)) + ([problem] if problem else [])
        if code != 0:
            problems.insert(0, f"the engine ended with exit code {code}; see {folder / 'engine.log'}")
        return result, problems
    finally:
        await venue.stop()


async def _watched(
    engine: EngineProcess, running: "asyncio.Future[tuple[int, dict[str, Any]]]", folder: Path
) -> tuple[tuple[int, dict[str, Any]], str]:
    """Show the console until it or the engine ends. Returns how the engine ended, and what was wrong with the console."""
    (folder / "engine").mkdir(mode=0o700)  # the console looks for it at once, the engine makes it in its own time
    console = await ConsoleProcess.start(folder / "engine", folder / "console.log")
    either: list[asyncio.Future[Any]] = [running, asyncio.ensure_future(console.process.wait())]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    code = await console.stop()
    if not running.done():
        click.echo("demo: canceling the orders, and asking the venue what is left", err=True)
        engine.stop()
    problem = f"the console ended with exit code {code}; see {folder / 'console.log'}" if code else ""
    return await running, problem


def _missing(result: dict[str, Any], seconds: float) -> list[str]:
    """What the demo did not show. An engine that was stopped before it traded has no figures to judge."""
    if "positions" in result:
        return shortfalls(result, seconds)
    return [NO_REPORT] + (["an order still works at the venue"] if result["working_orders_at_exit"] else [])


def _summary(result: dict[str, Any], *, told: bool) -> str:
    """told: the engine has said its own part on this terminal."""
    if "positions" not in result:
        return NO_REPORT
    equal = "equal" if result["venue_ledger_equal"] else "DIFFERENT"
    left = result["working_orders_at_exit"]
    ours = "" if told else f"{summary(result)}\n"
    return f"{ours}the venue's word: its balances and our ledger are {equal}; orders left working: {left}"


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]) if log.exists() else ""
