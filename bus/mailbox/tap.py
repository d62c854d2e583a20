"""The telemetry tap: what a host shows to whoever watches, over ipc. It never blocks, and its queues hold four frames.

An XPUB socket here, an XSUB socket at the watcher: frames go down, the watcher's wishes come up the same connection.
A watcher that does not read loses what comes meanwhile, and all that is kept for it is those few frames and one kernel
buffer (some 200 kB); the host only ever drops.
"""

from urllib.parse import urlsplit

import zmq
from zmq.backend import Socket as BackendSocket

from bus.errors import MailboxError, PlainTcpRefused
from bus.mailbox.local import ZmqMailboxes, bind_private

FRAMES_HELD = 4
"""At each end. At 50 frames a second and one reading a frame nothing was lost with it; chosen."""
WISH_BYTES_MAX = 256
"""A wish is some small integers; whoever sends more is cut off by ZeroMQ."""
WISHES_MAX = 64
"""Wishes taken in one go; a watcher sends four a second. Chosen."""
_SUBSCRIPTION = (0, 1)
"""First byte of the (un)subscriptions that XPUB hands out beside wishes."""


class Tap:
    """The host's end. `descriptor` is edge-triggered, and a publish may eat the edge: drain before each publish too."""

    def __init__(self, mailboxes: ZmqMailboxes, name: str, endpoint: str) -> None:
        """Binds. Raises PlainTcpRefused, MailboxError as `ZmqMailboxes.open_outside` does. Closed with `mailboxes`."""
        socket = mailboxes.socket(zmq.XPUB)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.SNDHWM, FRAMES_HELD)
        socket.set(zmq.MAXMSGSIZE, WISH_BYTES_MAX)
        bind_private(socket, name, endpoint)
        self._send = BackendSocket.send.__get__(socket)
        self._receive = BackendSocket.recv.__get__(socket)
        self.descriptor = int(socket.get(zmq.FD))

    def drain(self) -> list[bytes]:
        """The wishes that came since, at most WISHES_MAX."""
        taken: list[bytes] = []
        while len(taken) < WISHES_MAX:
            try:
                raw = self._receive(zmq.NOBLOCK)
            except zmq.Again:
                break
            if raw and raw[0] not in _SUBSCRIPTION:
                taken.append(raw)
        return taken

    def publish(self, raw: bytes) -> None:
        """To every watcher that keeps up; 1 us when there is none."""
        self._send(raw, zmq.NOBLOCK)


class Watcher:
    """The other process's end. It may be opened before the host is there and outlives restarts of it."""

    def __init__(self, endpoint: str) -> None:
        if urlsplit(endpoint).scheme != "ipc":
            raise PlainTcpRefused(endpoint)
        self._context = zmq.Context(io_threads=1)
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.XSUB)
        self._socket.set(zmq.LINGER, 0)
        self._socket.set(zmq.RCVHWM, FRAMES_HELD)
        self._socket.set(zmq.RECONNECT_IVL, 50)
        self._socket.set(zmq.RECONNECT_IVL_MAX, 500)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            raise MailboxError("tap", f"cannot connect to {endpoint}: {error.strerror}") from error
        self._socket.send(b"\x01")  # everything
        self.descriptor = int(self._socket.get(zmq.FD))

    def wish(self, raw: bytes) -> None:
        """Up to the host; lost when there is none. It may eat the descriptor's edge: `take` after it."""
        assert raw[0] not in _SUBSCRIPTION, "XSUB would take it for a subscription"
        self._socket.send(raw, zmq.NOBLOCK)

    def take(self) -> list[bytes]:
        """The frames that came since, oldest first. `descriptor` is edge-triggered; after this it will fire again."""
        taken: list[bytes] = []
        while True:
            try:
                taken.append(self._socket.recv(zmq.NOBLOCK))
            except zmq.Again:
                return taken

    def close(self) -> None:
        self._socket.close(0)
        self._context.term()
