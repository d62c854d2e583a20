"""An engine on several hosts, as processes: `touchline run --topology FILE --host NAME`, one state directory each."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bus.codec import decode_any
from bus.log import LogError, read
from bus.mailbox.keys import create
from bus.messages import HEADER_SIZE, Header, Message, SubmitOrder, read_header
from tests.support.processes import CONFIG, ROOT, WAIT_S, VenueProcess, until

DATA = ("market_data", "orderbook", "microstructure")
TRADE = ("exits", "execution", "risk", "orders", "portfolio", "coordination", "persistence")
SYMBOL = "BTCUSDT"


def topology(hosts: Mapping[str, tuple[tuple[str, ...], str]], keys: str = "") -> str:
    """The file's text; hosts: name -> (actors, endpoint), in the order of their numbers."""
    rows = [
        f'[[host]]\nname = "{name}"\nactors = {list(actors)}\nendpoint = "{endpoint}"\n'.replace("'", '"')
        for name, (actors, endpoint) in hosts.items()
    ]
    return "\n".join(rows) + (f'\n[keys]\nfolder = "{keys}"\n' if keys else "")


def free_endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


class HostProcess:
    """One host of a topology, as often as a test starts it."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self.folder, self.name, self._environment = folder, name, environment
        self.state = folder / name
        self.process: subprocess.Popen[bytes] | None = None
        self.runs = 0

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}-{self.runs}.log"

    def start(self) -> None:
        self.runs += 1
        command = [
            *(sys.executable, "-m", "ops.cli", "run", str(self.folder / "config.toml"), "--state", str(self.state)),
            *("--topology", str(self.folder / "topology.toml"), "--host", self.name, "--headless"),
            *("--report", str(self.folder / f"{self.name}.json")),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=log
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, event: str, count: int = 1) -> None:
        def there() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.text()
            return self.text().count(event) >= count

        until(there, f"{event} ({count} times) in {self.log}")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.process is not None
        assert self.process.wait(timeout=WAIT_S) == -signal.SIGKILL

    def stop(self) -> Mapping[str, Any]:
        """SIGTERM; it must end well. Returns its report."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        assert self.process.wait(timeout=WAIT_S) == 0, self.text()[-3_000:]
        report: dict[str, Any] = json.loads((self.folder / f"{self.name}.json").read_bytes())
        return report

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def journal(self) -> list[tuple[Header, Message]]:
        """Everything journaled so far, with its headers, beside a live writer too."""
        try:
            folder = self.state / "journal"
            records = list(read(folder)) if folder.exists() else []
        except LogError:
            return []
        return [(read_header(row.body), decode_any(row.body[HEADER_SIZE:])) for row in records]

    def submits(self) -> list[Header]:
        return [header for header, message in self.journal() if isinstance(message, SubmitOrder)]


class Hosts:
    """A venue and the hosts of one engine; whatever still runs at the end is killed."""

    def __init__(
        self, folder: Path, hosts: Mapping[str, tuple[tuple[str, ...], str]], *, encrypted: bool = False
    ) -> None:
        self.folder = folder
        self.venue = VenueProcess(folder, "--symbols", SYMBOL, "--seed", "3")
        told = self.venue.told
        text = CONFIG.format(**told, symbol=SYMBOL, leftovers="cancel", quantity_lots=100, checkpoint_ms=300)
        (folder / "config.toml").write_text(text)
        (folder / "topology.toml").write_text(topology(hosts, "keys" if encrypted else ""))
        for name in hosts if encrypted else ():
            create(folder / "keys", name)
        without = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHLINE_")}
        keys = {"TOUCHLINE_API_KEY": told["api_key"], "TOUCHLINE_API_SECRET": told["api_secret"]}
        self._hosts = {
            name: HostProcess(folder, name, without | (keys if "orders" in actors else {}))
            for name, (actors, _) in hosts.items()
        }

    def __getitem__(self, name: str) -> HostProcess:
        return self._hosts[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for host in self._hosts.values():
            host.end()
        self.venue.__exit__(kind, error, at)

    def ours(self) -> list[dict[str, Any]]:
        """Open orders of ours at the venue; its control endpoint has no rate limit."""
        rows: list[dict[str, Any]] = self.venue.ledger()["open_orders"]
        return rows

    def until_trading(self) -> None:
        until(self.ours, "an order of ours works")

    def until_pulled(self) -> None:
        until(lambda: not self.ours(), "no order of ours works")
