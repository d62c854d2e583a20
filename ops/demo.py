"""The demo's parts: a simulated venue, an engine and a console as processes of their own, and the venue's word at the end.

The engine is what `touchline run` starts, nothing less. When it dies of a signal it is started again on the same
state directory, as a supervisor would; at the end the venue itself is asked, over REST, what is left.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from gateway.binance_spot.signing import HmacSigner, signed_query
from ops.config import decimal_units
from ops.cores import keep_to_core

RESTARTS_MAX = 3
VENUE_START_S = 20.0
CONSOLE_STOP_S = 3.0

CONFIG = """\
# Written by `touchline demo`: the simulated venue, two instruments, quotes at the touch on both sides.
[venue]
kind = "binance-spot"
rest = "{rest}"
streams = "{streams}"
websocket_api = "{websocket_api}"

[[instrument]]
symbol = "BTCUSDT"
order_max = "0.01"
position_max = "0.02"
position_min = "-0.02"

[[instrument]]
symbol = "ETHUSDT"
order_max = "0.1"
position_max = "0.2"
position_min = "-0.2"

[strategy]
use = "actors.strategy.examples.join_touch:JoinTouch"

[strategy.parameters]
quantity_lots = 100
max_position_lots = 1000
min_position_lots = -1000
skew_ticks = 1.0

[exits]  # near: the simulated market moves a basis point in minutes
enabled = true
profit_target_bps = 5
profit_release_bps = 1
break_even_trigger_bps = 2
stop_loss_bps = 1
run_away_bps = 2
passive_ms = 1000
cooldown_ms = 2000

[risk]
daily_loss_max = "1000"
order_rate_max = 90
"""


class DemoFailed(Exception):
    """The demo could not run at all."""


class VenueProcess:
    """`touchline venue` as a child; it dies with us."""

    def __init__(self, process: asyncio.subprocess.Process, told: dict[str, str]) -> None:
        self.process, self.told = process, told

    @classmethod
    async def start(
        cls,
        seed: int,
        folder: Path,
        log: Path,
        *,
        accounts: int = 1,
        control: bool = False,
        options: tuple[str, ...] = (),
    ) -> "VenueProcess":
        """Raises DemoFailed with the venue's own words."""
        options = ("--accounts", str(accounts), *(("--control",) if control else ()), *options)
        last_line = "api_secret" if accounts == 1 else f"api_secret_{accounts}"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ops.cli", "venue", "--port", "0", "--seed", str(seed), "--state", str(folder),
                *options, stdout=asyncio.subprocess.PIPE, stderr=errors,
                preexec_fn=partial(in_child, 0), start_new_session=True,  # Ctrl-C is for us: the venue outlives the engine
            )  # fmt: skip
        assert process.stdout is not None
        told: dict[str, str] = {}
        try:
            async with asyncio.timeout(VENUE_START_S):
                while last_line not in told:
                    line = (await process.stdout.readline()).decode()
                    if not line:
                        raise DemoFailed(f"the simulated venue did not start; its last words are in {log}")
                    name, _, value = line.strip().partition(": ")
                    told[name] = value
        except TimeoutError:
            process.kill()
            raise DemoFailed(f"the simulated venue was not up after {VENUE_START_S:.0f} s; see {log}") from None
        return cls(process, told)

    async def stop(self) -> None:
        await end(self.process, 5.0)


class EngineProcess:
    """`touchline run` as a child, restarted on the same state when a signal killed it."""

    def __init__(self, config: Path, state: Path, told: dict[str, str], report: Path) -> None:
        self._config, self._state, self._report = config, state, report
        self._environment = os.environ | {
            "TOUCHLINE_API_KEY": told["api_key"],
            "TOUCHLINE_API_SECRET": told["api_secret"],
        }
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._stopping = False

    async def run(self, seconds: float | None, log: Path, *, live: bool) -> tuple[int, dict[str, Any]]:
        """Run for that long in all, restarts included. Returns the exit code and the last run's report."""
        until = time.monotonic() + seconds if seconds else None
        while True:
            left = [] if until is None else ["--seconds", f"{max(until - time.monotonic(), 1.0):.1f}"]
            with log.open("ab") as errors:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "ops.cli", "run", str(self._config), "--state", str(self._state),
                    "--report", str(self._report), *left, *([] if live else ["--headless"]),
                    stdout=None if live else asyncio.subprocess.DEVNULL, stderr=errors,
                    env=self._environment, preexec_fn=partial(in_child, 1), start_new_session=True,
                )  # fmt: skip
            code = await self.process.wait()
            if code >= 0 or self._stopping or self.restarts >= RESTARTS_MAX:
                break
            self.restarts += 1
        report = json.loads(self._report.read_bytes()) if code in (0, 1) and self._report.exists() else {}
        return code, report

    def stop(self) -> None:
        """Once: a second Ctrl-C must not cut short the cancels that the first one asked for, nor start anything again."""
        if not self._stopping and self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        self._stopping = True


class ConsoleProcess:
    """`touchline monitor` as a child on our terminal. Ctrl-C reaches it as well, and both of us end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, state: Path, log: Path) -> "ConsoleProcess":
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ops.cli", "monitor", "--state", str(state),
                stderr=errors, preexec_fn=partial(in_child, 0),
            )  # fmt: skip
        return cls(process)

    async def stop(self) -> int:
        """The terminal is given back when this returns, even if the console had to be killed. Returns its exit code."""
        await end(self.process, CONSOLE_STOP_S)
        code = self.process.returncode
        assert code is not None
        if code:
            await (await asyncio.create_subprocess_exec("stty", "sane")).wait()
        return code


class VenueWord:
    """What the venue answers over REST, signed like any client's question."""

    def __init__(self, told: dict[str, str]) -> None:
        self._base, self._signer = told["rest"], HmacSigner(told["api_key"], told["api_secret"])

    async def working_orders(self) -> int:
        return len(await self._get("/api/v3/openOrders"))

    async def ledger_equals(self, ours: dict[str, str]) -> bool:
        """Whether every asset of ours has exactly the venue's total, and the venue has none that we lack."""
        account = await self._get("/api/v3/account")
        venues = {
            row["asset"]: decimal_units(row["free"], 8, "free") + decimal_units(row["locked"], 8, "locked")
            for row in account["balances"]
        }
        mine = {asset: decimal_units(text, 8, asset) for asset, text in ours.items()}
        assets = venues.keys() | mine.keys()
        return bool(mine) and all(venues.get(asset, 0) == mine.get(asset, 0) for asset in assets)

    async def _get(self, path: str) -> Any:
        query = signed_query(self._signer, [("timestamp", str(time.time_ns() // 1_000_000)), ("recvWindow", "5000")])
        headers = {"X-MBX-APIKEY": self._signer.api_key}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(f"{self._base}{path}?{query}", headers=headers) as response,
        ):
            answer = await response.json()
            if response.status != 200:
                raise DemoFailed(f"the simulated venue answered {path} with {response.status}: {answer}")
            return answer


def shortfalls(result: dict[str, Any], seconds: float) -> list[str]:
    """What a demo must show and this one did not; empty: it held. Counts apply from 20 s on."""
    rules = [
        (result.get("top_mismatches") == 0, "a rebuilt top of book differs from the venue's"),
        (result.get("venue_ledger_equal") is True, "the venue's balances differ from our ledger"),
        (result.get("working_orders_at_exit") == 0, "an order still works at the venue"),
    ]
    if seconds >= 20:
        rules += [
            (result.get("orders_sent", 0) >= 20, "fewer than 20 orders were sent"),
            (result.get("fills", 0) >= 5, "fewer than 5 fills"),
            (result.get("top_checks", 0) >= 100, "fewer than 100 tops were checked"),
        ]
    return [text for held, text in rules if not held]


async def end(process: asyncio.subprocess.Process, seconds: float) -> None:
    """SIGTERM, then SIGKILL."""
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def in_child(core: int) -> None:
    """In a child before exec: a core of its own, and SIGTERM when the parent is gone, however it went (Linux, prctl
    PR_SET_PDEATHSIG).
    """
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    keep_to_core(core)
