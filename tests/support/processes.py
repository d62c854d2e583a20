"""A simulated venue and an engine as processes, and questions to the venue: for scenarios with real sockets and SIGKILL."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bus.codec import decode_any
from bus.log import LogError, read
from bus.messages import HEADER_SIZE, Message

ROOT = Path(__file__).parents[2]
CLIENT = "client"
"""The venue's name for the account whose keys it tells."""
WAIT_S = 90.0
"""How long a test waits for what must happen; nothing is asserted about how soon it does, and a slow machine is no failure."""

CONFIG = """
[venue]
kind = "binance-spot"
rest = "{rest}"
streams = "{streams}"
websocket_api = "{websocket_api}"
recv_window_ms = 500

[[instrument]]
symbol = "{symbol}"
order_max = "1"
position_max = "5"
position_min = "-5"

[strategy.parameters]
quantity_lots = {quantity_lots}
max_position_lots = 10000
min_position_lots = -10000

[orders]
leftovers = "{leftovers}"

[persistence]
checkpoint_interval_ms = {checkpoint_ms}

[stop]
deadline_s = 60
"""
"""A kill may lose an order on the wire: a stop waits until it is proven never to have been, ten seconds and more."""


def until(held: Callable[[], Any], what: str) -> Any:
    """Poll until it is true; its value."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if value := held():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {WAIT_S:.0f} s in vain: {what}")


class VenueProcess:
    """`touchline venue`, with its control endpoint."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "ops.cli", "venue", "--port", "0", "--control", *arguments]
        self._log = (folder / "venue.log").open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self.process.stdout is not None
        self.told: dict[str, str] = {}
        while "api_secret" not in self.told:
            name, _, value = self.process.stdout.readline().strip().partition(": ")
            assert name, (folder / "venue.log").read_text()
            self.told[name] = value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)
        self._log.close()

    def _open(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:
            return json.loads(response.read())

    def control(self, operation: str, **params: str) -> Any:
        url = f"{self.told['rest']}/control/{operation}?{urllib.parse.urlencode(params)}"
        return self._open(urllib.request.Request(url, method="POST"))

    def _ask(self, question: str, **params: str) -> Any:
        """By the control door, as everything here: a test that asks until something holds must not use the engine's limits up."""
        return self._open(
            urllib.request.Request(f"{self.told['rest']}/control/{question}?{urllib.parse.urlencode(params)}")
        )

    def ledger(self) -> Any:
        """Balances and open orders of every client."""
        return self._ask("ledger")

    def sweep(self, symbol: str, quantity: str) -> None:
        """The crowd buys and sells that much at market, so that whatever rests near the touch is filled."""
        for side in ("BUY", "SELL"):
            self.control("market", symbol=symbol, side=side, quantity=quantity)

    def rows(self, log: str, **params: str) -> list[dict[str, Any]]:
        """The whole of /control/LOG that fits."""
        rows: list[dict[str, Any]] = []
        page: dict[str, Any] = {"then": 0, "next": 1}
        while page["then"] < page["next"]:
            page = self._ask(log, **params, **{"from": str(page["then"])})
            assert page["first"] == 0, f"rows of {log} were dropped"
            rows += page["rows"]
        return rows

    def open_orders(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ledger()["open_orders"]
        return rows

    def orders(self, symbol: str) -> list[dict[str, Any]]:
        return self.rows("orders", symbol=symbol)

    def trades(self, symbol: str) -> list[tuple[int, int]]:
        """Trade id and order id of each that the client had a part in."""
        rows = self.rows("trades", symbol=symbol)
        return [(row["trade_id"], row["maker_order_id"] or row["taker_order_id"]) for row in rows]

    def balances(self) -> dict[str, int]:
        """Asset -> total in 10^-8."""
        rows = self.ledger()["accounts"][CLIENT]
        return {asset: units(row["free"]) + units(row["locked"]) for asset, row in rows.items()}


def units(text: str) -> int:
    """Decimal text in 10^-8."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole) * 10**8 + int(fraction.ljust(8, "0")[:8]))


class EngineProcess:
    """`touchline run` on one state directory, as often as a test wants. program: the module that is touchline."""

    program = "ops.cli"

    def __init__(
        self, folder: Path, venue: VenueProcess, symbol: str = "BTCUSDT", *, leftovers: str = "cancel",
        quantity_lots: int = 100, checkpoint_ms: int = 300,
    ) -> None:  # fmt: skip
        self.folder, self.state = folder, folder / "state"
        self.config = folder / "config.toml"
        self.config.write_text(
            CONFIG.format(
                **venue.told, symbol=symbol, leftovers=leftovers, quantity_lots=quantity_lots,
                checkpoint_ms=checkpoint_ms,
            )
        )  # fmt: skip
        self.environment = os.environ | {
            "TOUCHLINE_API_KEY": venue.told["api_key"],
            "TOUCHLINE_API_SECRET": venue.told["api_secret"],
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> Path:
        return self.folder / f"engine-{self.runs}.log"

    def start(self, *arguments: str) -> None:
        self.runs += 1
        command = [sys.executable, "-m", self.program, "run", str(self.config), "--state", str(self.state)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--headless", "--report", str(self.folder / "report.json"), *arguments],
                cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip

    def said(self, event: str) -> bool:
        return event in self.log.read_text(errors="replace")

    def wait_for(self, event: str) -> None:
        assert self.process is not None

        def there() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            return self.said(event)

        until(there, f"{event} in {self.log}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(timeout=WAIT_S) == -signal.SIGKILL

    def stop(self) -> Mapping[str, Any]:
        """SIGTERM; it must end well. Returns its report."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(timeout=WAIT_S) == 0, self.log.read_text(errors="replace")[-3_000:]
        return self.report()

    def report(self) -> Mapping[str, Any]:
        """Of the last run that ended by itself or by a stop."""
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return report

    def journal(self) -> list[Message]:
        """Everything journaled so far, beside a live writer too."""
        try:
            folder = self.state / "journal"
            return [decode_any(row.body[HEADER_SIZE:]) for row in read(folder)] if folder.exists() else []
        except LogError:
            return []
