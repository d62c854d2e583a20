"""Sockets between hosts, and the keys that open them."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus.errors import KeyFileError, MailboxError, PlainTcpRefused
from bus.mailbox import KeyPair, PeerListener, PeerSender, ZmqMailboxes, check_endpoint
from bus.mailbox.keys import create, load_pair, load_public, public_path, secret_path

ROOT = Path(__file__).parents[2]
LIMIT_S = 60.0

LISTENER = """
import sys, time
from bus.mailbox import PeerListener, ZmqMailboxes
mailboxes = ZmqMailboxes()
listener = PeerListener(mailboxes, sys.argv[1])
print("bound", flush=True)
time.sleep(60)
"""


class Sockets:
    """Everything a test opened, closed in the order that a host closes it."""

    def __init__(self) -> None:
        self.mailboxes = ZmqMailboxes()
        self._ends: list[PeerListener | PeerSender] = []

    def listener(self, endpoint: str, keys: KeyPair | None = None, peers: tuple[bytes, ...] = ()) -> PeerListener:
        self._ends.append(PeerListener(self.mailboxes, endpoint, keys, peers))
        return self._ends[-1]  # type: ignore[return-value]  # the one just made

    def sender(self, endpoint: str, keys: KeyPair | None = None, peer: bytes | None = None) -> PeerSender:
        self._ends.append(PeerSender(self.mailboxes, endpoint, keys, peer))
        return self._ends[-1]  # type: ignore[return-value]  # the one just made

    def close(self) -> None:
        for end in self._ends:
            end.close()
        self.mailboxes.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    opened = Sockets()
    yield opened
    opened.close()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    for name in ("data", "trade", "stranger"):
        create(folder, name)
    return folder


def until(held: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT_S
    while not held():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def take(listener: PeerListener, count: int) -> list[bytes]:
    frames: list[bytes] = []

    def enough() -> bool:
        frames.extend(listener.drain(64)[0])
        return len(frames) >= count

    until(enough)
    return frames


@pytest.mark.parametrize("endpoint", ["ipc", "tcp://127.0.0.1:*", "tcp://[::1]:*"])
def test_frames_of_a_peer_come_whole_and_in_order(sockets: Sockets, tmp_path: Path, endpoint: str) -> None:
    address = f"ipc://{tmp_path}/a.ipc" if endpoint == "ipc" else endpoint
    listener = sockets.listener(address)
    sender = sockets.sender(listener.endpoint)
    until(lambda: sender.send(b"0"))
    for number in range(1, 1_000):
        assert sender.send(b"%d" % number)
    assert take(listener, 1_000) == [b"%d" % number for number in range(1_000)]


def test_nothing_is_kept_for_a_peer_that_is_not_there(sockets: Sockets, tmp_path: Path) -> None:
    sender = sockets.sender(f"ipc://{tmp_path}/nobody.ipc")
    assert sender.send(b"stale") is False


async def test_the_end_of_a_peers_process_is_told(sockets: Sockets, tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/a.ipc"
    with subprocess.Popen([sys.executable, "-c", LISTENER, endpoint], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        sender = sockets.sender(endpoint)
        assert sender.was_cut() is False
        until(lambda: sender.send(b"x"))
        told = asyncio.Event()
        asyncio.get_running_loop().add_reader(sender.descriptor, told.set)
        process.kill()
        async with asyncio.timeout(LIMIT_S):
            await told.wait()
        asyncio.get_running_loop().remove_reader(sender.descriptor)
        until(sender.was_cut)


def test_only_its_user_can_reach_an_ipc_socket(sockets: Sockets, tmp_path: Path) -> None:
    sockets.listener(f"ipc://{tmp_path}/a.ipc")
    assert (tmp_path / "a.ipc").stat().st_mode & 0o077 == 0


def closes_in_time(mailboxes: ZmqMailboxes) -> bool:
    """ZeroMQ waits for ever for a socket that nobody closed."""
    closing = threading.Thread(target=mailboxes.close, daemon=True)
    closing.start()
    closing.join(LIMIT_S)
    return not closing.is_alive()


def test_a_start_that_failed_half_way_closes_what_it_had_opened(tmp_path: Path, keys: Path) -> None:
    """Nobody holds a socket that he could close: the mailboxes do."""
    mailboxes = ZmqMailboxes()
    PeerSender(mailboxes, f"ipc://{tmp_path}/nobody.ipc")
    PeerListener(mailboxes, f"ipc://{tmp_path}/a.ipc")
    PeerListener(mailboxes, "tcp://127.0.0.1:*", load_pair(keys, "data"), (load_public(keys, "trade"),))
    assert closes_in_time(mailboxes)


def test_no_file_of_a_listener_is_left(tmp_path: Path) -> None:
    mailboxes = ZmqMailboxes()
    listener = PeerListener(mailboxes, f"ipc://{tmp_path}/a.ipc")
    listener.close()
    mailboxes.close()
    assert list(tmp_path.iterdir()) == []


# -- CURVE ------------------------------------------------------------------------------------------------------------


def test_a_peer_on_the_allow_list_is_heard(sockets: Sockets, keys: Path) -> None:
    listener = sockets.listener("tcp://127.0.0.1:*", load_pair(keys, "data"), (load_public(keys, "trade"),))
    sender = sockets.sender(listener.endpoint, load_pair(keys, "trade"), load_public(keys, "data"))
    until(lambda: sender.send(b"hello"))
    assert take(listener, 1) == [b"hello"]
    assert listener.allowed.refused == 0


def test_a_key_that_is_not_on_the_list_is_turned_away_and_counted(sockets: Sockets, keys: Path) -> None:
    listener = sockets.listener("tcp://127.0.0.1:*", load_pair(keys, "data"), (load_public(keys, "trade"),))
    stranger = sockets.sender(listener.endpoint, load_pair(keys, "stranger"), load_public(keys, "data"))
    until(lambda: listener.allowed.refused)
    assert stranger.send(b"let me in") is False
    assert listener.drain(1) == ([], True)


def test_a_peer_without_encryption_is_not_heard(sockets: Sockets, keys: Path) -> None:
    listener = sockets.listener("tcp://127.0.0.1:*", load_pair(keys, "data"), (load_public(keys, "trade"),))
    plain = sockets.sender(listener.endpoint)
    good = sockets.sender(listener.endpoint, load_pair(keys, "trade"), load_public(keys, "data"))
    until(lambda: good.send(b"good"))
    assert plain.send(b"plain") is False
    assert take(listener, 1) == [b"good"]


def test_a_peer_that_takes_somebody_else_for_the_listener_does_not_speak(sockets: Sockets, keys: Path) -> None:
    listener = sockets.listener("tcp://127.0.0.1:*", load_pair(keys, "stranger"), (load_public(keys, "trade"),))
    misled = sockets.sender(listener.endpoint, load_pair(keys, "trade"), load_public(keys, "data"))
    good = sockets.sender(listener.endpoint, load_pair(keys, "trade"), load_public(keys, "stranger"))
    until(lambda: good.send(b"good"))
    assert misled.send(b"orders") is False


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint", ["tcp://0.0.0.0:7001", "tcp://10.0.0.2:7001", "tcp://*:7001", "tcp://db.example:1"]
)
def test_plain_tcp_off_loopback_is_refused_at_both_ends(sockets: Sockets, endpoint: str) -> None:
    for open_it in (sockets.listener, sockets.sender):
        with pytest.raises(PlainTcpRefused, match=r"plain tcp is refused; use ipc:// on one machine, or name a folder"):
            open_it(endpoint)


@pytest.mark.parametrize("endpoint", ["udp://127.0.0.1:1", "data", "ipc://", "tcp://", ""])
def test_what_is_no_endpoint_is_named(endpoint: str) -> None:
    with pytest.raises(MailboxError, match="is no endpoint; write ipc:///path/to/file or tcp://address:port"):
        check_endpoint(endpoint, encrypted=True)


def test_an_endpoint_that_is_taken_is_named(sockets: Sockets) -> None:
    first = sockets.listener("tcp://127.0.0.1:*")
    with pytest.raises(MailboxError, match=f"cannot bind {first.endpoint}"):
        PeerListener(sockets.mailboxes, first.endpoint)


# -- keys in files ----------------------------------------------------------------------------------------------------


def test_a_secret_file_is_its_users_alone_and_the_public_one_everybodys(keys: Path) -> None:
    assert secret_path(keys, "data").stat().st_mode & 0o777 == 0o600
    assert public_path(keys, "data").stat().st_mode & 0o777 == 0o644
    assert load_pair(keys, "data").public == load_public(keys, "data")
    assert load_pair(keys, "data").secret.decode() not in public_path(keys, "data").read_text()


def test_a_pair_does_not_print_its_secret(keys: Path) -> None:
    pair = load_pair(keys, "data")
    assert pair.secret.decode() not in f"{pair!r} {pair}"


def test_keys_are_never_replaced(keys: Path) -> None:
    before = secret_path(keys, "data").read_bytes()
    with pytest.raises(KeyFileError, match="is there already"):
        create(keys, "data")
    assert secret_path(keys, "data").read_bytes() == before


def test_a_secret_that_others_may_read_is_refused(keys: Path) -> None:
    secret_path(keys, "data").chmod(0o640)
    with pytest.raises(KeyFileError, match="may be read by others; run: chmod 600"):
        load_pair(keys, "data")


def test_a_public_file_in_a_secret_ones_place_is_named(keys: Path) -> None:
    secret_path(keys, "data").write_bytes(public_path(keys, "data").read_bytes())
    with pytest.raises(KeyFileError, match="holds no secret key"):
        load_pair(keys, "data")


@pytest.mark.parametrize("text", ["", 'public-key = "short"', "\0\xff"])
def test_a_file_without_a_key_is_named(keys: Path, text: str) -> None:
    public_path(keys, "data").write_text(text)
    with pytest.raises(KeyFileError, match=r"data.key: .*`touchline keys` makes one"):
        load_public(keys, "data")
