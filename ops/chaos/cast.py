"""Who takes part: engines as processes that can be killed and stopped, and the configuration they run on."""

import asyncio
import ctypes
import json
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gateway.doors.coordination.contract import Coordinator
from ops.chaos.judge import PREFIX
from ops.demo import end
from ops.sections import CoordinationSection
from ops.standby import make_coordinator

STOP_S = 20.0
"""For a clean stop: the engine's own 5 s, a last checkpoint, and a busy machine."""
PR_SET_PDEATHSIG = 1
EPOCH_LINE = re.compile(rb"\borders_ready epoch=(\d+)")
"""What an engine logs once it may trade: which epochs were whose. For who to hit and for naming rows, not for judging."""

CONFIG = """\
# Written by `touchline chaos`.
[venue]
kind = "binance-spot"
rest = "{rest}"
streams = "{streams}"
websocket_api = "{websocket_api}"
self_trade_prevention = "{prevention}"

[[instrument]]
symbol = "BTCUSDT"
order_max = "1"
position_max = "3"
position_min = "-3"

[strategy]
use = "{strategy}"
owner = "{name}"

[strategy.parameters]
{parameters}

[exits]
{exits}

[orders]
prefix = "{prefix}"

[risk]
order_rate_max = 90
daily_loss_max = "100000"

[persistence]
input_log = false

[coordination]
backend = "{backend}"
path = "{path}"
endpoints = ["{endpoint}"]
group = "{group}"
account = "{label}"
ttl_ms = {ttl_ms}
"""
"""order_rate_max: the venue takes 100 in 10 s; an engine that waits for its own limit would be measured as a late leader.
input_log: its 64 MB a start are for replays, which nobody makes of a chaos run."""


@dataclass(frozen=True)
class Role:
    """What one engine is told. label: of its account in [coordination]; account: the venue's name of it, and its keys."""

    name: str
    account: str
    api_key: str
    api_secret: str
    label: str
    group: str
    strategy: str
    parameters: str
    exits: str = "enabled = false"
    prevention: str = "EXPIRE_TAKER"


@dataclass(frozen=True)
class Store:
    """Where the engines coordinate. path: the local backend's file; endpoint: etcd's."""

    backend: Literal["etcd", "local"]
    ttl_ms: int
    path: Path
    endpoint: str

    def coordinator(self) -> Coordinator:
        """Access of our own, as one more instance has it."""
        section = CoordinationSection(
            backend=self.backend, path=str(self.path), endpoints=(self.endpoint,), ttl_ms=self.ttl_ms
        )
        return make_coordinator(section, self.path.parent)


class Instance:
    """`touchline run` on one state directory, as often as it is killed."""

    def __init__(self, role: Role, store: Store, venue: dict[str, str], folder: Path, config: str = CONFIG) -> None:
        """config: a text to be filled in as CONFIG is."""
        self.role, self.name, self.account = role, role.name, role.account
        self._config, self.state = folder / f"{role.name}.toml", folder / role.name
        self._report, self.log = folder / f"{role.name}.json", folder / f"{role.name}.log"
        self._environment = os.environ | {
            "TOUCHLINE_API_KEY": role.api_key,
            "TOUCHLINE_API_SECRET": role.api_secret,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False
        self._since = 0  # where its log stood when `said` was last told to begin anew
        self._config.write_text(
            config.format(
                **venue, prefix=PREFIX, name=role.name, label=role.label, group=role.group, strategy=role.strategy,
                parameters=role.parameters, exits=role.exits, prevention=role.prevention,
                backend=store.backend, ttl_ms=store.ttl_ms, path=store.path, endpoint=store.endpoint,
            ),
            encoding="utf-8",
        )  # fmt: skip

    async def start(self) -> None:
        self._ending = False
        self.listen()
        with self.log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ops.cli", "run", str(self._config), "--state", str(self.state), "--headless",
                "--report", str(self._report), stdout=asyncio.subprocess.DEVNULL, stderr=errors, env=self._environment,
                preexec_fn=_die_with_parent, start_new_session=True,
            )  # fmt: skip

    @property
    def ended_by_itself(self) -> bool:
        return self._process is not None and self._process.returncode is not None and not self._ending

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Of its end; None while it runs, or before it ever did."""
        return self._process.returncode if self._process is not None else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> int:
        """Send the signal; wall time right before, in ns."""
        assert self._process is not None
        self._ending = number is signal.SIGKILL
        self.listen()
        at_ns = time.time_ns()
        self._process.send_signal(number)
        return at_ns

    async def gone(self) -> None:
        """Wait until a killed process has ended: its state directory is free then."""
        assert self._process is not None
        await self._process.wait()

    async def ends_within(self, seconds: float) -> bool:
        """Whether it ended, however, before the time was up."""
        try:
            async with asyncio.timeout(seconds):
                await self.gone()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> dict[str, Any]:
        """SIGTERM; its report, with the exit code as "exit_code" (negative: it had to be killed)."""
        assert self._process is not None
        self._ending = True
        self._report.unlink(missing_ok=True)
        await end(self._process, STOP_S)
        written = json.loads(self._report.read_bytes()) if self._report.exists() else {}
        return {**written, "exit_code": self._process.returncode}

    async def drop(self) -> None:
        """End it whatever state it is in; nothing of it is wanted any more."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    # ---- what it logged

    def listen(self) -> None:
        """What it logs from here on is what it `said`; so it is at each start and each signal."""
        self._since = len(self._log())

    def said(self, event: str) -> bool:
        return event.encode() in self._log()[self._since :]

    def epochs(self) -> list[int]:
        return [int(found) for found in EPOCH_LINE.findall(self._log())]

    def logged(self) -> str:
        """All of its log."""
        return self._log().decode(errors="replace")

    def last_words(self) -> str:
        """The last line of its log, without what Python itself says after a traceback."""
        lines = self._log().decode(errors="replace").splitlines()
        return next((line for line in reversed(lines) if not line.startswith("sys:1: ")), "nothing")

    def _log(self) -> bytes:
        return self.log.read_bytes() if self.log.exists() else b""


def _die_with_parent() -> None:
    """In the child before exec: SIGKILL when the parent is gone, because a stopped process hears no other (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
