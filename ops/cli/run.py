"""`touchline run CONFIG`: the engine, until it is told to stop."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
import uvloop

from bus.errors import BusError
from bus.log import LogError
from bus.messages import StopPolicy
from gateway.doors.coordination.contract import CoordinationError
from ops import events
from ops.cli.ranges import Real
from ops.config import ConfigError, load
from ops.ending import Stopped
from ops.hosts import ALONE, Placement, place
from ops.preflight import StartFailed
from ops.runs import Runs
from ops.sections import Config
from ops.side import SideHost
from ops.standby import make_coordinator
from ops.state import StateDirectory, StateError, write_durably


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="State directory; the only place written to."
)
@click.option("--seconds", type=Real(min=1.0), help="Stop by itself after this long.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout.")
@click.option(
    "--report", "report_path", type=click.Path(path_type=Path), help="Write that object into this file as well."
)
@click.option("--headless", is_flag=True, help="No live line, even on a terminal.")
@click.option("--topology", type=click.Path(path_type=Path), help="File that says which actors run on which host.")
@click.option(
    "--stop-policy",
    type=click.Choice(["cancel", "keep", "flatten"]),
    help="What SIGTERM does with orders and positions, instead of [stop] policy.",
)
@click.option("--host", help="Run this host of the topology; the others are other processes.")
def run(
    config: Path,
    state: Path,
    seconds: float | None,
    as_json: bool,
    report_path: Path | None,
    headless: bool,
    topology: Path | None,
    stop_policy: str | None,
    host: str | None,
) -> None:
    """Run the engine on CONFIG until SIGINT or SIGTERM; it cancels its orders and sees them gone before it ends, or does what
    [stop] policy says. A second signal makes it cancel and end at once.

    While another instance leads the account it stands by, and takes over when that one is gone.

    Exit code 1: orders of ours may still work, positions were not closed that should have been, an actor failed, the ledger
    differs from the venue's, or the engine broke;
    2: it could not start. With --topology this process is one host of several (docs/howto/two-hosts.md).
    """
    if report_path is not None and not report_path.absolute().parent.is_dir():
        click.echo(f"touchline run: --report {report_path}: its directory does not exist; make it first", err=True)
        sys.exit(2)
    os.umask(0o077)  # what is written is for this user alone
    if (topology is None) is not (host is None):
        click.echo("touchline run: --topology and --host belong together; give both or neither", err=True)
        sys.exit(2)
    live = sys.stdout.isatty() and not headless
    log = events.EventLog()
    failure, code = "", 2
    orders_left = False
    result: dict[str, Any] = {}
    try:
        placement = place(topology, host) if topology is not None and host is not None else ALONE
        if placement.trades:
            policy = StopPolicy[stop_policy.upper()] if stop_policy else None
            code, result = uvloop.run(_run(load(config), state, placement, seconds, live, policy))
        else:
            code, result = uvloop.run(_run_side(load(config), state, placement, seconds))
    except (ConfigError, StateError, StartFailed, CoordinationError, LogError, BusError, OSError) as error:
        failure = str(error)
        orders_left = isinstance(error, StartFailed) and error.unresolved > 0
    finally:
        log.close()  # its lines first: the last line is the reason
    if failure:
        more = "; orders of ours may still work at the venue: start again on the same --state" if orders_left else ""
        click.echo(f"touchline run: {failure}{more}", err=True)
        sys.exit(1 if orders_left else 2)
    if report_path is not None:
        write_durably(report_path, json.dumps(result).encode())
    if as_json:
        click.echo(json.dumps(result))
    sys.exit(code)


def _stopped_by_signal() -> Stopped:
    stopped = Stopped()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.signal)
    return stopped


async def _run_side(
    config: Config, state_path: Path, placement: Placement, seconds: float | None
) -> tuple[int, dict[str, Any]]:
    stopped = _stopped_by_signal()
    loop = asyncio.get_running_loop()
    until = None if seconds is None else loop.time() + seconds
    if until is not None:
        loop.call_at(until, stopped.set)  # it may wait for the host that trades: that counts as well
    state = StateDirectory(state_path)
    host: SideHost | None = None
    try:
        host = SideHost(config, state, placement)
        await host.start(stopped)
        broken = await host.wait(None, stopped)
        await host.stop(broken or ("signal" if until is None or loop.time() < until else "time is up"))
        result = host.report()
        return (1 if broken or host.supervisor.failures else 0), result
    finally:
        if host is not None:
            await host.close()
        state.close()


async def _run(
    config: Config,
    state_path: Path,
    placement: Placement,
    seconds: float | None,
    live: bool,
    policy: StopPolicy | None,
) -> tuple[int, dict[str, Any]]:
    stopped = _stopped_by_signal()
    state = StateDirectory(state_path)
    coordinator = make_coordinator(config.coordination, state.path)
    try:
        await coordinator.open()
        runs = Runs(config, state, coordinator, placement, seconds, live=live, policy=policy)
        while await runs.once(stopped):
            pass
        return runs.code, runs.result
    finally:
        await coordinator.close()
        state.close()
