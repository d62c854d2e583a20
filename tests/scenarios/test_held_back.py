"""The network keeps the last order of a leader that is killed, and delivers it when another one leads: it is refused."""

import json
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from bus.messages import SubmitOrder
from ops.chaos.judge import placements, stale_orders
from ops.etcd import EtcdNode
from tests.support.etcd import etcd
from tests.support.processes import EngineProcess, VenueProcess, until

__all__ = ["etcd"]

SYMBOL = "BTCUSDT"
TTL_MS = 3_000


class SlowRoad:
    """A way to the venue on which requests can be kept; what a dead client sent is still delivered, as a kernel does."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._venue = (parts.hostname, parts.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"{parts.scheme}://127.0.0.1:{self._server.getsockname()[1]}{parts.path}"
        self.open = threading.Event()
        self.open.set()
        self.kept = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.open.set()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(self._venue)
            threading.Thread(target=self._there, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(far, near), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        while data := receive(near):
            if not self.open.is_set():
                self.kept += data
                threading.Thread(target=self._later, args=(far, data), daemon=True).start()
            else:
                far.sendall(data)

    def _later(self, far: socket.socket, data: bytes) -> None:
        self.open.wait()
        far.sendall(data)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        while data := receive(far):
            try:
                near.sendall(data)
            except OSError:
                return


def receive(side: socket.socket) -> bytes:
    try:
        return side.recv(1 << 16)
    except OSError:
        return b""


@pytest.fixture(params=["local", "etcd"])
def section(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """[coordination] of both engines."""
    ttl = f"ttl_ms = {TTL_MS}\n"
    if request.param == "local":
        return f'[coordination]\npath = "{tmp_path / "coordination.sqlite"}"\n{ttl}'
    node: EtcdNode = request.getfixturevalue("etcd")
    return f'[coordination]\nbackend = "etcd"\nendpoints = ["{node.endpoint}"]\ngroup = "{tmp_path.name}"\naccount = "{tmp_path.name}"\n{ttl}'  # fmt: skip


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path) as running:
        yield running


def engine(folder: Path, venue: VenueProcess, section: str, websocket_api: str = "") -> EngineProcess:
    folder.mkdir()
    made = EngineProcess(folder, venue)
    text = made.config.read_text().replace("recv_window_ms = 500", "recv_window_ms = 5000")
    text = text.replace(venue.told["websocket_api"], websocket_api or venue.told["websocket_api"])
    made.config.write_text(text + section)
    return made


def requests(venue: VenueProcess) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{venue.told['rest']}/control/requests?from=0&limit=10000", timeout=10.0) as answer:
        rows: list[dict[str, Any]] = json.loads(answer.read())["rows"]
    return rows


def sent(first: EngineProcess) -> list[SubmitOrder]:
    return [message for message in first.journal() if isinstance(message, SubmitOrder)]


def test_an_order_of_a_dead_leader_that_comes_late_is_refused(
    tmp_path: Path, venue: VenueProcess, section: str
) -> None:
    with (
        SlowRoad(venue.told["websocket_api"]) as road,
        engine(tmp_path / "a", venue, section, road.url) as first,
        engine(tmp_path / "b", venue, section) as second,
    ):
        first.start()
        first.wait_for("orders_ready")
        second.start()
        second.wait_for("standing_by")
        until(lambda: len(venue.open_orders()) >= 2, "quotes of the first")
        known = len(sent(first))
        road.open.clear()
        venue.sweep(SYMBOL, "0.5")
        until(lambda: road.kept and len(sent(first)) > known, "an order of the first on its way")
        first.kill()
        epoch = max(order.epoch for order in placements(requests(venue)))
        second.wait_for("orders_ready")
        until(
            lambda: any(order.accepted and order.epoch > epoch for order in placements(requests(venue))),
            "an order of the second",
        )
        road.open.set()
        late = until(lambda: stale_orders(placements(requests(venue))), "the order that was kept")
        assert not any(order.accepted for order in late)
