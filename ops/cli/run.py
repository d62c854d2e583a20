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
from gateway.doors.coordination.contract import CoordinationError, Coordinator, Leader
from ops import events
from ops.config import Config, ConfigError, load
from ops.engine import DEPOSED_STOP_S, Engine
from ops.hosts import ALONE, Placement, place
from ops.preflight import StartFailed
from ops.report import idle_report, live_line, report, summary
from ops.side import SideHost
from ops.standby import make_coordinator
from ops.state import StateDirectory, StateError, write_durably


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="State directory; the only place written to."
)
@click.option("--seconds", type=click.FloatRange(min=1.0), help="Stop by itself after this long.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout.")
@click.option(
    "--report", "report_path", type=click.Path(path_type=Path), help="Write that object into this file as well."
)
@click.option("--headless", is_flag=True, help="No live line, even on a terminal.")
@click.option("--topology", type=click.Path(path_type=Path), help="File that says which actors run on which host.")
@click.option("--host", help="Run this host of the topology; the others are other processes.")
def run(
    config: Path,
    state: Path,
    seconds: float | None,
    as_json: bool,
    report_path: Path | None,
    headless: bool,
    topology: Path | None,
    host: str | None,
) -> None:
    """Run the engine on CONFIG until SIGINT or SIGTERM; it cancels its orders and sees them gone before it ends.

    While another instance leads the account it stands by, and takes over when that one is gone.

    Exit code 1: orders of ours may still work, an actor failed, the ledger differs from the venue's, or the engine broke;
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
            work = _run(load(config), state, placement, seconds, live)
        else:
            work = _run_side(load(config), state, placement, seconds)
        code, result = uvloop.run(work)
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


def _stopped_by_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _run_side(
    config: Config, state_path: Path, placement: Placement, seconds: float | None
) -> tuple[int, dict[str, Any]]:
    """A host beside the one that trades. It needs no term: whoever leads has its own."""
    stopped = _stopped_by_signal()
    state = StateDirectory(state_path)
    host: SideHost | None = None
    try:
        host = SideHost(config, state, placement)
        await host.start(stopped)
        broken = await host.wait(seconds, stopped)
        await host.stop(broken or ("signal" if stopped.is_set() else "time is up"))
        return (1 if broken or host.supervisor.failures else 0), host.report()
    finally:
        if host is not None:
            await host.close()
        state.close()


async def _run(
    config: Config, state_path: Path, placement: Placement, seconds: float | None, live: bool
) -> tuple[int, dict[str, Any]]:
    """One run after the other, for as long as each ends with its term: then the process stands by again."""
    stopped = _stopped_by_signal()
    state = StateDirectory(state_path)
    coordinator = make_coordinator(config.coordination, state.path)
    try:
        await coordinator.open()
        run = Run(config, state, coordinator, placement, seconds, live)
        while await run.once(stopped):
            pass
        return run.code, run.result
    finally:
        await coordinator.close()
        state.close()


class Run:
    """The runs of one process. result: the last one's report; code: 1 if any of them ended badly."""

    def __init__(
        self,
        config: Config,
        state: StateDirectory,
        coordinator: Coordinator,
        placement: Placement,
        seconds: float | None,
        live: bool,
    ) -> None:
        self._config, self._state, self._coordinator, self._live = config, state, coordinator, live
        self._placement = placement
        self._seconds = seconds
        self._until: float | None = None
        self._reason = "signal"
        self.code = 0
        self.result: dict[str, Any] = {}

    async def once(self, stopped: asyncio.Event) -> bool:
        """Stand by, trade, end. True: the term is over and nobody told us to stop, so stand by again."""
        engine = Engine(self._config, self._state, self._coordinator, self._placement)
        engine.standby.told = lambda leader: self._standing_by(leader, stopped)
        try:
            if await engine.start(stopped):
                await self._trade(engine, stopped)
            elif not self.result:
                self.result = idle_report(engine)
            return engine.deposed.is_set() and not stopped.is_set() and not engine.failure.done()
        finally:
            await engine.close()

    async def _trade(self, engine: Engine, stopped: asyncio.Event) -> None:
        watch = asyncio.ensure_future(_watch(engine)) if self._live else None
        broken = await engine.wait(self._left(), stopped)
        if watch is not None:
            watch.cancel()
        if engine.deposed.is_set():
            await engine.stop("leadership lost", DEPOSED_STOP_S)
            unresolved = 0  # the successor's: he cancels and books what we could not
        else:
            unresolved = await engine.stop(broken or (self._reason if stopped.is_set() else "time is up"))
        self.result = report(engine)
        if self._live:
            click.echo(summary(self.result))
        if broken or unresolved or engine.supervisor.failures or engine.supervisor.differences:
            self.code = 1

    def _standing_by(self, leader: Leader | None, stopped: asyncio.Event) -> None:
        """Called whenever what we wait for has changed; `--seconds` count from the first time."""
        loop = asyncio.get_running_loop()
        if self._seconds is not None and self._until is None:
            self._until = loop.time() + self._seconds
            loop.call_at(self._until, self._time_is_up, stopped)
        if self._live:
            who = f"{leader.holder} leads (epoch {leader.epoch})" if leader is not None else "nobody is known to lead"
            click.echo(f"standing by: {who}")

    def _time_is_up(self, stopped: asyncio.Event) -> None:
        if not stopped.is_set():
            self._reason = "time is up"
            stopped.set()

    def _left(self) -> float | None:
        """Of `--seconds`: what standing by has left of them."""
        if self._until is None:
            return self._seconds
        return max(self._until - asyncio.get_running_loop().time(), 0.0)


async def _watch(engine: Engine) -> None:
    seconds = 0
    while True:
        await asyncio.sleep(1.0)
        seconds += 1
        click.echo(live_line(engine, seconds))
