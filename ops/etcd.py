"""One etcd node of our own on this machine's loopback, for `touchline chaos` and the tests: found, started, ended.

Not for production: one node survives nothing, and its timings are tuned to honor a time to live of 1 s. It listens on
free ports. Everything it writes is under one folder: its data, which `stop` removes, and its log.
"""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

HEARTBEAT_MS, ELECTION_MS = 50, 500
"""Measured: with etcd's defaults (100 and 1,000) the least time to live it grants is 2 s; with these it is 1."""
READY_S_MAX = 30.0
"""Ready in under a second where nothing else runs; a machine that takes this long is not usable."""
STOP_S_MAX = 5.0
"""A node that does not end by SIGTERM within it is killed: nothing in it is worth keeping."""
TRIES_MAX = 3  # a port that was free when it was looked for may be taken when etcd asks for it
LOG_TAIL = 2_000  # characters of its log that an error shows

INSTALLED = Path(sys.prefix) / "etcd" / "usr" / "bin" / "etcd"
"""Where .ci/etcd puts it when it may not install a package."""


class EtcdMissing(Exception):
    """There is no etcd to start."""

    def __init__(self) -> None:
        super().__init__(
            f"etcd is neither on PATH nor at {INSTALLED}; install it (Debian, Ubuntu: apt-get install etcd-server),"
            " or run .ci/etcd, which does"
        )


class EtcdFailed(Exception):
    """It was started and did not become ready."""

    def __init__(self, problem: str, log: str) -> None:
        self.log = log
        super().__init__(f"etcd {problem}; the end of its log:\n{log[-LOG_TAIL:]}")


class ServerFiles(NamedTuple):
    """PEM files: the authority that signs clients' certificates, the node's certificate and its key."""

    ca: Path
    cert: Path
    key: Path


def find_etcd() -> Path:
    """The binary. Raises EtcdMissing."""
    found = shutil.which("etcd")
    if found is not None:
        return Path(found)
    if INSTALLED.exists():
        return INSTALLED
    raise EtcdMissing


class EtcdNode:
    """A node on its own folder. `kill` and `start` again keep its data and its ports; `stop` ends it and removes its data."""

    def __init__(self, folder: Path, files: ServerFiles | None = None, options: tuple[str, ...] = ()) -> None:
        """files: its clients need certificates. options: further ones of etcd. Raises EtcdMissing."""
        self.folder = folder
        self._binary, self._files, self._options = find_etcd(), files, options
        self._ports: tuple[int, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers. Raises EtcdFailed."""
        assert self._process is None
        self.folder.mkdir(parents=True, exist_ok=True)
        for tries_left in reversed(range(TRIES_MAX)):
            self._ports = self._ports or free_ports(3)
            with (self.folder / "etcd.log").open("wb") as log:
                self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
            try:
                self._until_ready()
                return
            except EtcdFailed as error:
                self.kill()
                if "address already in use" not in error.log or tries_left == 0:
                    raise
                self._ports = ()

    def _command(self) -> list[str]:
        client, peer, health = self._ports
        scheme = "http" if self._files is None else "https"
        command = [
            str(self._binary),
            *("--name", "touchline", "--data-dir", str(self.folder / "data")),
            *("--listen-client-urls", f"{scheme}://127.0.0.1:{client}"),
            *("--advertise-client-urls", f"{scheme}://127.0.0.1:{client}"),
            *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
            *("--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"),
            *("--initial-cluster", f"touchline=http://127.0.0.1:{peer}"),
            *("--listen-metrics-urls", f"http://127.0.0.1:{health}"),
            *("--heartbeat-interval", str(HEARTBEAT_MS), "--election-timeout", str(ELECTION_MS)),
            *("--logger", "zap", "--log-outputs", "stderr"),
            *self._options,
        ]
        if self._files is not None:
            ca, cert, key = map(str, self._files)
            command += ["--client-cert-auth", "--trusted-ca-file", ca, "--cert-file", cert, "--key-file", key]
        return command

    def _until_ready(self) -> None:
        assert self._process is not None
        until = time.monotonic() + READY_S_MAX
        while not healthy(self._ports[2]):
            if self._process.poll() is not None:
                raise EtcdFailed(f"ended with {self._process.returncode}", self._log())
            if time.monotonic() > until:
                raise EtcdFailed(f"was not ready within {READY_S_MAX:.0f} s", self._log())
            time.sleep(0.05)

    def _log(self) -> str:
        return (self.folder / "etcd.log").read_text(errors="replace")

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it and remove its data (a fresh node has 120 MB). Its log stays. Idempotent."""
        if self._process is not None:
            self._process.terminate()
            self.thaw()
            try:
                self._process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def healthy(port: int) -> bool:
    """Whether the node says that it has a leader and can write."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback that nobody listens on now, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return tuple(one.getsockname()[1] for one in sockets)
    finally:
        for one in sockets:
            one.close()
