"""`touchline sentinel`: watches an engine's heartbeat, and cancels its orders when it stops."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from ops import events
from ops.at_venue import AtVenue, Unseen
from ops.cli.ranges import Real
from ops.config import ConfigError, credentials, load
from ops.engines import STATE_VARIABLE
from ops.heartbeat import read_beat
from ops.preflight import StartFailed
from ops.sections import Config
from ops.sentinel import Sentinel, SentinelLock, sweeper
from ops.state import StateError


@click.command(short_help="Cancel an engine's orders when it lives no more.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar=STATE_VARIABLE,
    show_envvar=True,
    required=True,
    help="State directory of the engine to watch, on this machine.",
)
@click.option("--seconds", type=Real(min=1.0), help="End by itself after this long.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout.")
def sentinel(config: Path, state: Path, seconds: float | None, as_json: bool) -> None:
    """Watch the engine of --state, and cancel all its orders at the venue once it is silent for [sentinel] silence_ms.

    Dead, frozen, hanging: whatever keeps its loop from turning is silence. It needs the engine's CONFIG and a key of its own
    ([sentinel] api_key_env), which should be allowed to cancel and no more. Start it before the engine, under a supervisor of
    its own; one a state directory. It ends with SIGINT or SIGTERM. Exit code 0; 1: orders of a silent engine were left;
    2: it could not start.
    """
    log = events.EventLog()
    failure, told = "", {}
    try:
        loaded = load(config)
        told = asyncio.run(_run(loaded, state, credentials(loaded.sentinel, "[sentinel]"), seconds))
    except (ConfigError, StateError, StartFailed, OSError) as error:
        failure = str(error)
    finally:
        log.close()  # its lines first: the last line is the reason
    if failure:
        click.echo(f"touchline sentinel: {failure}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps(told))
    sys.exit(1 if told["left"] else 0)


async def _run(config: Config, state: Path, key: tuple[str, str, str], seconds: float | None) -> dict[str, Any]:
    os.umask(0o077)
    lock = SentinelLock(state)
    try:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        if seconds is not None:
            loop.call_later(seconds, stopped.set)
        async with AtVenue(config, key) as venue:
            try:
                await venue.open_orders()
            except Unseen as error:
                raise StartFailed(
                    f"the sentinel's key cannot see what is open: {error}; check its permissions"
                ) from None
            section = config.sentinel
            watch = Sentinel(state, section.silence_ms, section.look_ms, sweeper(config, venue))
            events.info("sentinel_watches", state=str(state), silence_ms=section.silence_ms)
            if read_beat(state) is None:
                events.warning(
                    "sentinel_waits",
                    state=str(state),
                    remedy="no engine has run on this directory yet, nothing is watched until one does; or check --state",
                )
            await watch.run(stopped)
            events.info("sentinel_ends", phase=watch.phase.name)
            return {
                "phase": watch.phase.name,
                "alarms": watch.alarms,
                "sweeps": watch.sweeps,
                "canceled": watch.canceled,
                "left": watch.left,
                "looks": venue.looks,
                "cancels": venue.cancels,
            }
    finally:
        lock.close()
