"""`touchline chaos`: kill, stop and set engines against each other, and let the venue say what came of it."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from typing import Any, Literal, NoReturn

import click
from click.core import ParameterSource

from ops.chaos.kills.face import FACES, SPOT
from ops.chaos.play import play
from ops.chaos.scenarios import SCENARIOS
from ops.chaos.stage import ChaosFailed, Settings
from ops.cli.chaos_kills import FaultsUnusable, kills_text, read_faults, repeat_command, run_kills
from ops.cli.ranges import Whole
from ops.demo import DemoFailed

ALL = "all"
KILLS_MAX = 1_000
"""Beyond it the venue's logs would lose rows (gateway/simulated/evidence.py); chosen."""


@click.command()
@click.option("--scenario", type=click.Choice([*SCENARIOS, ALL]), help="What is done to whom. Or --kills.")
@click.option(
    "--kills",
    type=Whole(1, KILLS_MAX),
    help="Kill one engine so often, at every point, and compare its books with the venue's.",
)
@click.option(
    "--venue",
    type=click.Choice([*FACES]),
    default=SPOT.name,
    show_default=True,
    help="--kills only: what is traded; usdm are USD-M futures.",
)
@click.option("--faults", type=click.Path(path_type=Path), help="--kills only: TOML file of what goes wrong besides.")
@click.option("--rounds", type=Whole(1, 10_000), default=3, show_default=True, help="Faults, or meetings.")
@click.option(
    "--backend",
    type=click.Choice(["etcd", "local"]),
    help="Of [coordination]. Default: etcd; local where one engine runs alone (feed-...).",
)
@click.option("--ttl-ms", type=Whole(1_000, 60_000), default=2_000, show_default=True, help="Of a leader's term.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the market and of the moments of the faults.")
@click.option(
    "--unprotected", is_flag=True, help="self-trade only: the engines do not know of each other. It must fail."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Keep logs, configurations and states in this directory.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def chaos(
    scenario: str | None,
    kills: int | None,
    venue: str,
    faults: Path | None,
    rounds: int,
    backend: Literal["etcd", "local"] | None,
    ttl_ms: int,
    seed: int,
    unprotected: bool,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Run engines against a simulated venue, do them harm, and judge by the venue's own log of requests and trades.

    --kills N: one engine that quotes busily is killed N times (SIGKILL, SIGSTOP, cut sockets, a full disk, restarts; most
    of them by the venue itself at a point of its protocol), and in the end its orders, fills, positions and balances must be
    the venue's. The seed draws which kills, in which order, at which moments; two runs are alike, not identical, because
    processes and sockets run in real time. Exit code 1: anything differs, a point was never hit (so 5 kills at least), or
    fewer than 20 orders or 2 fills a kill.

    --scenario NAME: several engines on one account or group, or one with a feed that misbehaves.

    \b
    leader-kill   two engines on one account; the one that trades is killed (SIGKILL) and comes back as a standby
    leader-pause  the same with SIGSTOP, and SIGCONT once the other one trades
    self-trade    two engines on two accounts with strategies that want to trade with each other
    cooldown      two engines of one group; one makes a loss and asks for a pause that both must keep
    feed-kill     one engine whose market connection is cut, again and again
    feed-stall    its streams fall silent while pings are answered
    feed-hole     a depth event is lost
    feed-roll     the venue announces that it will close the connection: nothing of it may be seen in the book

    Exit code 1: an order of an old epoch was accepted, two epochs traded at once, a self-trade, a ledger that differs, a
    takeover p95 more than 4 s beyond --ttl-ms, an order that increased a position in a cooldown, a book that did not
    return within 5 s, a planned roll that cost a resync; or nothing was exercised. 2: it could not be run.
    """
    wrong = _wrong_usage(scenario, kills, faults, backend, ttl_ms, unprotected=unprotected, keep=keep)
    if wrong:
        click.echo(f"touchline chaos: {wrong}", err=True)
        sys.exit(2)
    os.umask(0o077)  # what is written is for this user alone
    if kills is not None:
        _kills(kills, seed, venue, faults, keep, as_json=as_json)
    assert scenario is not None
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-chaos-")))
        results = []
        for name in SCENARIOS if scenario == ALL else (scenario,):
            own = folder / name
            try:
                own.mkdir(parents=True)
                store = _backend(name, backend)
                settings = Settings(rounds, store, ttl_ms, seed, unprotected, own.absolute(), _progress)
                results.append(asyncio.run(_play(name, settings)))
            except (ChaosFailed, DemoFailed, OSError) as error:
                click.echo(f"touchline chaos: {name}: {error}", err=True)
                sys.exit(2)
            except (asyncio.CancelledError, KeyboardInterrupt):
                click.echo(f"touchline chaos: {name}: stopped by a signal; nothing is judged", err=True)
                sys.exit(2)
    held = not any(result["problems"] for result in results)
    _print(results if scenario == ALL else results[0], as_json)
    sys.exit(0 if held else 1)


def _kills(kills: int, seed: int, venue: str, faults: Path | None, keep: Path | None, *, as_json: bool) -> NoReturn:
    """All of --kills. Where something failed, everything that was written is kept, and named; not where a person stopped it."""
    try:
        tables = read_faults(faults)
        folder = keep or Path(tempfile.mkdtemp(prefix="touchline-chaos-"))
        folder.mkdir(parents=True, exist_ok=True)
    except (FaultsUnusable, OSError) as error:
        click.echo(f"touchline chaos: {error}", err=True)
        sys.exit(2)
    left = f"what was written is in {folder}; again: {repeat_command(kills, seed, faults, venue)}"
    try:
        result = run_kills(kills, seed, venue, tables, folder.absolute())
    except (ChaosFailed, DemoFailed, OSError) as error:
        click.echo(f"touchline chaos: {error}\ntouchline chaos: {left}", err=True)
        sys.exit(2)
    except (asyncio.CancelledError, KeyboardInterrupt):
        if keep is None:
            rmtree(folder, ignore_errors=True)
        click.echo("touchline chaos: stopped by a signal; nothing is judged", err=True)
        sys.exit(2)
    if keep is None and not result["problems"]:
        rmtree(folder, ignore_errors=True)
    click.echo(json.dumps(result) if as_json else kills_text(result))
    if result["problems"]:
        click.echo(f"touchline chaos: {left}", err=True)
    sys.exit(1 if result["problems"] else 0)


def _backend(scenario: str, wanted: Literal["etcd", "local"] | None) -> Literal["etcd", "local"]:
    """One engine that coordinates with nobody needs no server."""
    return wanted or ("local" if scenario.startswith("feed-") else "etcd")


def _wrong_usage(
    scenario: str | None,
    kills: int | None,
    faults: Path | None,
    backend: Literal["etcd", "local"] | None,
    ttl_ms: int,
    *,
    unprotected: bool,
    keep: Path | None,
) -> str:
    """What no option can say by itself; "" when all fit together."""
    if (scenario is None) is (kills is None):
        return "--scenario and --kills: give one of the two"
    if faults is not None and kills is None:
        return f"--faults {faults}: belongs to --kills, a scenario brings its own; leave it out"
    if kills is None and (foreign := _given(("venue",))):
        return f"{foreign}: belongs to --kills, scenarios are played on Spot; leave it out"
    if kills is not None and (foreign := _given(("rounds", "backend", "ttl_ms", "unprotected"))):
        return f"{foreign}: belongs to --scenario; leave it out with --kills"
    if unprotected and scenario != "self-trade":
        return f"--unprotected: --scenario {scenario} has no such control; use self-trade"
    if scenario is not None and _backend(scenario, backend) == "etcd" and ttl_ms % 1_000:
        return f"--ttl-ms {ttl_ms}: etcd counts whole seconds; give a multiple of 1000"
    if keep is not None and keep.exists() and not keep.is_dir():
        return f"--keep {keep}: not a directory; give a new one"
    if keep is not None and keep.exists() and any(keep.iterdir()):
        return f"--keep {keep}: not empty; give a new directory"
    return ""


def _given(names: tuple[str, ...]) -> str:
    """The first of these options that was given."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            return f"--{name.replace('_', '-')}"
    return ""


async def _play(name: str, settings: Settings) -> dict[str, Any]:
    """SIGTERM ends it as Ctrl-C does: with everything that was started."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await play(name, settings)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(text, err=True)


def _print(outcome: dict[str, Any] | list[dict[str, Any]], as_json: bool) -> None:
    results = outcome if isinstance(outcome, list) else [outcome]
    if as_json:
        whole = (
            outcome if isinstance(outcome, dict) else {"scenario": ALL, "results": {r["scenario"]: r for r in results}}
        )
        click.echo(json.dumps(whole))
        return
    for result in results:
        click.echo(result_text(result))


def result_text(result: dict[str, Any]) -> str:
    """For people. Of one engine alone nothing that is about several."""
    stale, takeover, books = result["stale_epoch_orders_received"], result["takeover_ms"], result["books"]
    rows: list[tuple[str, str]] = []
    if books is None:  # there are several instances, and leaders that change
        rows.append(("old epochs", f"{stale} orders received, {result['stale_epoch_orders_accepted']} accepted"))
        rows.append(("overlap", f"{result['both_traded_overlap_ms']} ms"))
        rows.append(("self-trades", f"{result['self_trades']}"))
    if takeover["count"]:
        rows.append(("takeover", f"p50 {takeover['p50']} ms, p95 {takeover['p95']} ms of {takeover['count']}"))
    if result["increasing_in_cooldown"] is not None:
        rows.append(("cooldown", f"{result['increasing_in_cooldown']} orders increased a position in it"))
    if books is not None:
        returned = books["returned_ms"]
        rows.append(
            (
                "book",
                f"{books['faults']} faults: INVALID {books['invalid']}, STALE {books['stale']}, resyncs {books['resyncs']}, resumed {books['resumed']}",
            )
        )
        if returned:
            rows.append(("LIVE again", f"after at most {max(returned):.0f} ms, {len(returned)} times"))
        rows.append(("connections", f"{books['connections']} made; {books['frames_lost']} frames lost by the venue"))
        rows.append(("trades", f"{books['trades_backfilled']} backfilled, {books['trades_missed']} missed for good"))
    rows.append(("ledger equal", f"{result['ledger_equal']}"))
    for name, row in result["instances"].items():
        rows.append((name, f"{row['orders']} orders, {row['accepted']} accepted, {row['fills']} fills"))
    rows += [("FAILED", problem) for problem in result["problems"]]
    head = f"{result['scenario']}: {result['rounds']} rounds on {result['backend']}"
    lines = [head, *(f"  {name:<13} {text}" for name, text in rows)]
    return "\n".join([*lines, "  ok" if not result["problems"] else ""]).rstrip()
