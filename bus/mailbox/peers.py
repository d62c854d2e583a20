"""Sockets between hosts: each host binds one PULL at its endpoint, and connects one PUSH to each peer's.

One PUSH a peer keeps the order of everything that one host says to one other. A connection that breaks loses what was
under way; bus.link finds out and says it again. ipc sockets are files for their user alone. tcp needs CURVE: a client
whose public key is not on the allow-list is turned away before its first message, and counted here, because ZeroMQ
tells neither side.
"""

from collections.abc import Collection, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.backend import Socket as BackendSocket

from bus.errors import MailboxError, PlainTcpRefused
from bus.mailbox.keys import KeyPair
from bus.mailbox.local import OutsideMailbox, ZmqMailboxes, bind_private

PEER_HIGH_WATER = 10_000
"""Frames held at either end. The link keeps fewer under way; at 1,000 and 2,000 a send refuses falsely (notes/0001)."""
PEER_BYTES_MAX = 4 << 20
"""One frame: entries are cut at 256 kB, and one message has 1 MB at most."""
HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS = 200, 600
"""A connection whose other end has vanished without a word is closed, so that a new one can be made (FINDINGS: 0.7 s)."""
RECONNECT_MS, RECONNECT_MAX_MS = 50, 500
FAREWELL_MS = 200
"""How long the last frame of a run may take to leave; chosen."""
ZAP_DOMAIN = "touchline"


class AllowList:
    """Which public keys may speak to us. `refused` counts those that were turned away."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = frozenset(keys)
        self.refused = 0

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by pyzmq's authenticator, in its thread, for each connection."""
        allowed = key in self._keys
        self.refused += not allowed
        return allowed


class PeerListener(OutsideMailbox):
    """Where the peers of a host arrive. `drain` as for any outside mailbox."""

    def __init__(
        self, mailboxes: ZmqMailboxes, endpoint: str, keys: KeyPair | None = None, peers: Collection[bytes] = ()
    ) -> None:
        """keys, peers: for tcp: our pair, and the public keys that may connect. Raises PlainTcpRefused, MailboxError."""
        check_endpoint(endpoint, encrypted=keys is not None)
        self.allowed = AllowList(peers)
        self._authenticator: ThreadAuthenticator | None = None
        self._file: Path | None = None
        mailboxes.at_close(self.close)
        pull = mailboxes.socket(zmq.PULL)
        _set(pull, zmq.RCVHWM, endpoint)
        pull.set(zmq.MAXMSGSIZE, PEER_BYTES_MAX)
        if is_tcp(endpoint):
            if keys is not None:
                self._authenticator = ThreadAuthenticator(mailboxes.context)
                self._authenticator.start()
                self._authenticator.configure_curve_callback(ZAP_DOMAIN, self.allowed)
                pull.set(zmq.ZAP_DOMAIN, ZAP_DOMAIN.encode())
                pull.set(zmq.CURVE_SERVER, 1)
                pull.set(zmq.CURVE_SECRETKEY, keys.secret)
                pull.set(zmq.CURVE_PUBLICKEY, keys.public)
            try:
                pull.bind(endpoint)
            except zmq.ZMQError as error:
                raise MailboxError("peers", f"cannot bind {endpoint}: {error.strerror}") from error
        else:
            bind_private(pull, "peers", endpoint)
            self._file = Path(endpoint.removeprefix("ipc://"))
        self.endpoint = cast(bytes, pull.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()
        """As it was bound: with the port that was free, where the endpoint said `:*`."""
        super().__init__(pull)

    def close(self) -> None:
        """End the authenticator's thread and remove our file; the socket is closed with its mailboxes. Idempotent."""
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None


class PeerSender:
    """The way to one peer. It may be opened before the peer is there, and outlives its restarts.

    `descriptor` is readable when something happened to the connection: `was_cut` says what. Edge-triggered.
    """

    def __init__(
        self, mailboxes: ZmqMailboxes, endpoint: str, keys: KeyPair | None = None, peer: bytes | None = None
    ) -> None:
        """keys, peer: for tcp: our pair and the peer's public key. Raises PlainTcpRefused, MailboxError."""
        check_endpoint(endpoint, encrypted=keys is not None and peer is not None)
        push = mailboxes.socket(zmq.PUSH)
        _set(push, zmq.SNDHWM, endpoint)
        push.set(zmq.IMMEDIATE, 1)  # to a connection that stands, or not at all: what waits here would grow stale
        push.set(zmq.RECONNECT_IVL, RECONNECT_MS)
        push.set(zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS)
        if keys is not None and peer is not None and is_tcp(endpoint):
            push.set(zmq.CURVE_SERVERKEY, peer)
            push.set(zmq.CURVE_SECRETKEY, keys.secret)
            push.set(zmq.CURVE_PUBLICKEY, keys.public)
        self._push = push
        self._monitor = push.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        mailboxes.at_close(self.close)
        self.descriptor = int(self._monitor.get(zmq.FD))
        try:
            push.connect(endpoint)
        except zmq.ZMQError as error:
            raise MailboxError("peers", f"cannot connect to {endpoint}: {error.strerror}") from error
        self._send = BackendSocket.send.__get__(push)

    def send(self, frame: bytes) -> bool:
        """False when there is no connection, or it is full: the frame is lost."""
        try:
            self._send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def was_cut(self) -> bool:
        """Whether the connection has ended since the last call; it is made anew by itself."""
        cut = False
        while cast(int, self._monitor.get(zmq.EVENTS)) & zmq.POLLIN:
            self._monitor.recv_multipart(zmq.NOBLOCK)
            cut = True
        return cut

    def close(self) -> None:
        """The last frame has FAREWELL_MS to leave. Idempotent."""
        if self._push.closed:
            return
        self._push.disable_monitor()
        self._monitor.close(0)
        self._push.close(FAREWELL_MS)


def is_tcp(endpoint: str) -> bool:
    return urlsplit(endpoint).scheme == "tcp"


def check_endpoint(endpoint: str, *, encrypted: bool) -> None:
    """Only ipc, tcp with CURVE, or plain tcp that cannot leave this machine. Raises PlainTcpRefused, MailboxError."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("ipc", "tcp") or not (parts.path if parts.scheme == "ipc" else parts.netloc):
        raise MailboxError("peers", f"{endpoint!r} is no endpoint; write ipc:///path/to/file or tcp://address:port")
    if parts.scheme == "tcp" and not encrypted and not _is_loopback(parts.netloc.rpartition(":")[0]):
        raise PlainTcpRefused(endpoint, "name a folder of keys under [keys] (`touchline keys` makes them)")


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:  # a name or an interface: who knows what it stands for
        return False


def _set(socket: "zmq.Socket[bytes]", high_water: int, endpoint: str) -> None:
    socket.set(zmq.LINGER, 0)
    socket.set(zmq.IPV6, "[" in endpoint)
    socket.set(high_water, PEER_HIGH_WATER)
    socket.set(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.set(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.set(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
