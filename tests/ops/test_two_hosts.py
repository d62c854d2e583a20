"""Real processes: a venue, a host with the books and a host that trades; killed, frozen, restarted, and refused."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus.codec import decode_any
from bus.log import read
from bus.mailbox.keys import create
from bus.messages import HEADER_SIZE, Instrument
from ops.config import ConfigError, load
from ops.hosts import place
from tests.ops.command_line import touchline
from tests.support.hosts import DATA, TRADE, Hosts, free_endpoint, topology
from tests.support.processes import until
from tests.support.replay import DIGEST_BYTES, Replay

DATA_NUMBER = 0
"""The first host of the files below."""


@pytest.fixture(params=["ipc", "tcp with CURVE"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosts]:
    """Books on "data", everything else on "trade"; nothing started but the venue."""
    encrypted = request.param != "ipc"
    endpoint: Callable[[str], str] = (lambda name: free_endpoint()) if encrypted else (lambda name: f"ipc://{name}.ipc")
    placed = {"data": (DATA, endpoint("data")), "trade": (("strategy", *TRADE), endpoint("trade"))}
    with Hosts(tmp_path, placed, encrypted=encrypted) as made:
        yield made


def start(hosts: Hosts, *names: str) -> None:
    for name in names:
        hosts[name].start()
    hosts.until_trading()


def from_data(hosts: Hosts) -> int:
    """Orders of the trade host's journal whose cause is an input of the data host."""
    return sum(header.host == DATA_NUMBER for header in hosts["trade"].submits())


def first_difference(hosts: Hosts, name: str) -> int:
    """Of the host's input log run again, from its first input; -1: it decided the same from beginning to end."""
    rows = [(row.kind, row.offset, row.now_ns, row.body) for row in read(hosts[name].state / "input-log")]
    told = [decode_any(body[DIGEST_BYTES + HEADER_SIZE :]) for _, _, _, body in rows]
    instruments = {message.instrument: message for message in told if isinstance(message, Instrument)}
    placement = place(hosts.folder / "topology.toml", name)
    replay = Replay(load(hosts.folder / "config.toml"), list(instruments.values()), placement=placement)
    return replay.first_difference(rows)


def test_they_trade_and_every_order_names_the_frame_that_caused_it(hosts: Hosts) -> None:
    start(hosts, "data", "trade")
    until(lambda: from_data(hosts) >= 3, "orders made from frames of the data host")
    headers = [header for header in hosts["trade"].submits() if header.host == DATA_NUMBER]
    offsets = [header.offset for header in headers]
    assert offsets == sorted(offsets)
    hosts["data"].stop()
    hosts.until_pulled()
    assert hosts["trade"].stop()["unresolved_orders"] == 0
    assert [first_difference(hosts, name) for name in ("data", "trade")] == [-1, -1]


def test_a_killed_data_host_pulls_every_quote_and_its_successor_trades_on(hosts: Hosts) -> None:
    start(hosts, "trade", "data")
    hosts["data"].kill()
    hosts["trade"].wait_for("state=INVALID reason=HOST_LOST")
    hosts.until_pulled()
    time.sleep(0.5)
    assert hosts.ours() == [], "and nothing comes after it"
    before = from_data(hosts)
    start(hosts, "data")
    until(lambda: from_data(hosts) > before, "orders made from frames of the second data host")
    report = hosts["trade"].stop()
    assert report["unresolved_orders"] == 0
    assert report["host_losses"] >= 1  # a slow machine is silent for 600 ms at times
    assert hosts.ours() == []
    assert first_difference(hosts, "trade") == -1, "the loss is an input like any other"


def test_a_frozen_data_host_is_lost_and_what_waited_for_it_is_not_taken_for_fresh(hosts: Hosts) -> None:
    """It wakes up with a socket full of old frames, and drops that connection before it reads one of them."""
    start(hosts, "data", "trade")
    hosts["data"].signal(signal.SIGSTOP)
    hosts["trade"].wait_for("state=INVALID reason=HOST_LOST")
    hosts.until_pulled()
    before = from_data(hosts)
    hosts["data"].signal(signal.SIGCONT)
    hosts["data"].wait_for("state=INVALID reason=CONNECTION_LOST")
    hosts["data"].wait_for("state=LIVE", count=2)
    until(lambda: from_data(hosts) > before, "orders made from fresh frames")
    lived = [line for line in hosts["trade"].text().splitlines() if "book_state" in line]
    woke = lived[next(n for n, line in enumerate(lived) if "HOST_LOST" in line) + 1]
    assert "state=INVALID reason=CONNECTION_LOST" in woke, "the first word of the one that woke up"
    assert hosts["data"].stop()["standstills"] >= 1
    hosts["trade"].stop()


def test_a_killed_trade_host_finds_its_books_and_its_numbers_again(hosts: Hosts) -> None:
    start(hosts, "data", "trade")
    hosts["trade"].kill()
    start(hosts, "trade")
    before = from_data(hosts)
    until(lambda: from_data(hosts) > before, "orders of the second run")
    assert hosts["trade"].stop()["unresolved_orders"] == 0
    hosts["data"].stop()
    assert hosts["data"].runs == 1


def test_a_strategy_may_run_beside_the_books(tmp_path: Path) -> None:
    placed = {"data": (("strategy", *DATA), "ipc://data.ipc"), "trade": (TRADE, "ipc://trade.ipc")}
    with Hosts(tmp_path, placed) as hosts:
        start(hosts, "data", "trade")
        until(lambda: from_data(hosts) >= 3, "orders made from intents of the data host")
        hosts["data"].kill()
        hosts.until_pulled()
        start(hosts, "data")
        assert hosts["trade"].stop()["unresolved_orders"] == 0


def test_a_strategy_may_have_a_host_of_its_own(tmp_path: Path) -> None:
    placed = {
        "data": (DATA, "ipc://data.ipc"),
        "trade": (TRADE, "ipc://trade.ipc"),
        "strategy": (("strategy",), "ipc://strategy.ipc"),
    }
    with Hosts(tmp_path, placed) as hosts:
        start(hosts, "strategy", "trade", "data")
        until(lambda: from_data(hosts) >= 3, "the cause crosses two hosts")
        hosts["strategy"].kill()
        hosts.until_pulled()
        start(hosts, "strategy")
        assert hosts["trade"].stop()["unresolved_orders"] == 0


def test_a_host_whose_key_is_not_on_the_list_is_turned_away_and_told_in_the_log(tmp_path: Path) -> None:
    placed = {"data": (DATA, free_endpoint()), "trade": (("strategy", *TRADE), free_endpoint())}
    with Hosts(tmp_path, placed, encrypted=True) as hosts:
        hosts["trade"].start()
        hosts["trade"].wait_for("orders_ready")
        for file in (tmp_path / "keys").glob("data.*"):
            file.unlink()
        create(tmp_path / "keys", "data")  # not the one that trade has read
        hosts["data"].start()
        hosts["trade"].wait_for("host_key_refused")
        hosts["data"].wait_for("waiting_for_host")
        assert hosts.ours() == []


def test_a_plain_tcp_bind_off_loopback_is_refused(tmp_path: Path) -> None:
    (tmp_path / "topology.toml").write_text(
        topology({"data": (DATA, "tcp://10.0.0.2:7001"), "trade": (("strategy", *TRADE), "tcp://10.0.0.3:7001")})
    )
    (tmp_path / "config.toml").write_text(CONFIG)
    for name in ("data", "trade"):
        ended = touchline(
            *("run", str(tmp_path / "config.toml"), "--state", str(tmp_path / name)),
            *("--topology", str(tmp_path / "topology.toml"), "--host", name),
        )
        ended.refused("tcp://10.0.0.2:7001: plain tcp is refused", "use ipc:// on one machine", "`touchline keys`")


def test_a_host_that_waits_for_the_one_that_trades_ends_when_its_time_is_up(tmp_path: Path) -> None:
    placed = {
        "data": (DATA, "ipc://data.ipc"),
        "trade": (TRADE, "ipc://trade.ipc"),
        "strategy": (("strategy",), "ipc://s.ipc"),
    }
    (tmp_path / "topology.toml").write_text(topology(placed))
    (tmp_path / "config.toml").write_text(CONFIG)
    ended = touchline(
        *("run", str(tmp_path / "config.toml"), "--state", str(tmp_path / "state"), "--seconds", "1"),
        *("--topology", str(tmp_path / "topology.toml"), "--host", "strategy"),
    )
    assert ended.code == 0, ended.err
    assert "time is up" in ended.err


def test_an_endpoint_that_is_taken_ends_the_start_and_says_so(tmp_path: Path) -> None:
    """Its senders are open by then; whatever was opened is closed again, or the process would never end."""
    placed = {
        "data": (DATA, "ipc://data.ipc"),
        "trade": (TRADE, "ipc://trade.ipc"),
        "strategy": (("strategy",), "ipc://strategy.ipc"),
    }
    (tmp_path / "topology.toml").write_text(topology(placed))
    (tmp_path / "config.toml").write_text(CONFIG)
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(str(tmp_path / "strategy.ipc"))
        holder.listen()
        ended = touchline(
            *("run", str(tmp_path / "config.toml"), "--state", str(tmp_path / "state")),
            *("--topology", str(tmp_path / "topology.toml"), "--host", "strategy"),
        )
    ended.refused("strategy.ipc is held by another process")


@pytest.mark.parametrize("endpoint", ["a port in use", "no folder", "an address of others"])
def test_an_endpoint_that_cannot_be_bound_ends_the_start_and_says_so(endpoint: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        at = {
            "a port in use": f"tcp://127.0.0.1:{holder.getsockname()[1]}",
            "no folder": "ipc://absent/strategy.ipc",
            "an address of others": "tcp://192.0.2.1:7001",  # RFC 5737: nobody's
        }[endpoint]
        placed = {"data": (DATA, "ipc://d.ipc"), "trade": (TRADE, "ipc://t.ipc"), "strategy": (("strategy",), at)}
        for name in placed:
            create(tmp_path / "keys", name)
        (tmp_path / "topology.toml").write_text(topology(placed, "keys"))
        (tmp_path / "config.toml").write_text(CONFIG)
        ended = touchline(
            *("run", str(tmp_path / "config.toml"), "--state", str(tmp_path / "state")),
            *("--topology", str(tmp_path / "topology.toml"), "--host", "strategy"),
        )
    ended.refused("cannot bind", at.rpartition("/")[2])


CONFIG = """
[venue]
kind = "binance-spot"
rest = "http://127.0.0.1:1"
streams = "ws://127.0.0.1:1"
websocket_api = "ws://127.0.0.1:1"

[[instrument]]
symbol = "BTCUSDT"
order_max = "1"
position_max = "1"

[strategy.parameters]
quantity_lots = 100
max_position_lots = 1000
"""


def test_host_and_topology_belong_together(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    for option in (("--host", "data"), ("--topology", "topology.toml")):
        ended = touchline("run", str(tmp_path / "config.toml"), "--state", str(tmp_path / "state"), *option)
        ended.refused("--topology and --host belong together")


def test_a_host_that_the_file_does_not_name_is_told_with_those_it_does(tmp_path: Path) -> None:
    path = tmp_path / "topology.toml"
    path.write_text(topology({"data": (DATA, "ipc://data.ipc"), "trade": (("strategy", *TRADE), "ipc://trade.ipc")}))
    with pytest.raises(ConfigError, match="names no such host; known: data, trade"):
        place(path, "dta")
