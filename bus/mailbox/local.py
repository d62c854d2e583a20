"""Mailboxes of one host on ZeroMQ, and the second socket that other processes of this machine send to.

A mailbox is a PULL socket bound to inproc://NAME with ONE PUSH socket of its host connected to it: several would
reorder bursts and be four to eight times slower (notes/0001). High-water marks between local ends are 0 (a mark of 1000 raises a
false EAGAIN on an empty queue); the host bounds the count instead. Senders outside the host get a second PULL socket
on ipc://, drained to EAGAIN and re-armed, because a counted receive on a shared socket would strand their messages.
"""

import os
import socket as unix
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import zmq
from zmq.backend import Socket as BackendSocket

from bus.errors import MailboxError, PlainTcpRefused

OUTSIDE_HIGH_WATER = 100_000
"""Messages of outside senders held before they are refused; far above the 10,000 that never refused falsely."""
OUTSIDE_BYTES_MAX = 1 << 20
"""One outside message: the largest of ours, a depth snapshot of 5,000 levels a side, has about 200 kB."""


class Mailbox(NamedTuple):
    """send: put one message. receive: take exactly one that was sent; asking for more raises."""

    send: Callable[[bytes], object]
    receive: Callable[[], bytes]


class Mailboxes(Protocol):
    """What a host needs of its transport: the ZeroMQ one here, the in-memory one in bus.loopback."""

    def open(self, name: str) -> Mailbox: ...

    def close(self) -> None: ...


class ZmqMailboxes:
    """All mailboxes of one host, in a ZeroMQ context of their own."""

    def __init__(self) -> None:
        self._context = zmq.Context(io_threads=1)
        self._sockets: list[zmq.Socket[bytes]] = []
        self._ends: list[Callable[[], object]] = []

    def open(self, name: str) -> Mailbox:
        endpoint = f"inproc://{name}"
        pull, push = self.socket(zmq.PULL), self.socket(zmq.PUSH)
        for socket in (pull, push):
            socket.set(zmq.LINGER, 0)
        pull.set(zmq.RCVHWM, 0)
        push.set(zmq.SNDHWM, 0)
        pull.bind(endpoint)
        push.connect(endpoint)
        # The backend's methods bound once: 0.55 of the time of zmq.Socket's wrappers (host proof, section 1).
        send = BackendSocket.send.__get__(push)
        # NOBLOCK: a miscount must raise, not hang an engine with orders on the venue.
        receive = partial(BackendSocket.recv.__get__(pull), zmq.NOBLOCK)
        return Mailbox(send, receive)

    def open_outside(self, name: str, endpoint: str) -> "OutsideMailbox":
        """A second socket of mailbox `name` for senders in other processes. Refuses plain tcp.

        A file left by a dead process at an ipc endpoint is replaced; one that somebody answers on is an error.
        """
        pull = self.socket(zmq.PULL)
        pull.set(zmq.LINGER, 0)
        pull.set(zmq.RCVHWM, OUTSIDE_HIGH_WATER)
        pull.set(zmq.MAXMSGSIZE, OUTSIDE_BYTES_MAX)
        bind_private(pull, name, endpoint)
        return OutsideMailbox(pull)

    def open_sender(self, endpoint: str) -> "OutsideSender":
        """A way to another process of this machine that asked for an answer; to be closed when it has had it."""
        return OutsideSender(endpoint, self._context)

    def close(self) -> None:
        for end in self._ends:
            end()
        for socket in self._sockets:
            socket.close(0)
        self._context.term()

    def at_close(self, end: Callable[[], object]) -> None:
        """What has to end with the mailboxes if nobody ended it before: ZeroMQ waits for ever for a socket that is open.

        For the modules beside this one; `end` may be called twice.
        """
        self._ends.append(end)

    @property
    def context(self) -> "zmq.Context[zmq.Socket[bytes]]":
        """For the modules beside this one."""
        return self._context

    def socket(self, kind: int) -> "zmq.Socket[bytes]":
        """A socket of this host, closed with its mailboxes. For the modules beside this one."""
        socket: zmq.Socket[bytes] = self._context.socket(kind)
        self._sockets.append(socket)
        return socket


class OutsideMailbox:
    """The ipc side of a mailbox. Its descriptor is edge-triggered: drain to the end, or call again by yourself."""

    def __init__(self, pull: "zmq.Socket[bytes]") -> None:
        self._receive = BackendSocket.recv.__get__(pull)
        self.descriptor = int(pull.get(zmq.FD))

    def drain(self, limit: int) -> tuple[list[bytes], bool]:
        """Up to `limit` messages, and whether the socket is empty now. Not empty: the descriptor will not fire again."""
        taken: list[bytes] = []
        while len(taken) < limit:
            try:
                taken.append(self._receive(zmq.NOBLOCK))
            except zmq.Again:
                return taken, True
        return taken, False


class OutsideSender:
    """The sending end for another process on this machine. context: of a host that has one; else it makes its own."""

    def __init__(self, endpoint: str, context: "zmq.Context[zmq.Socket[bytes]] | None" = None) -> None:
        if urlsplit(endpoint).scheme != "ipc":
            raise PlainTcpRefused(endpoint)
        self._own = context is None
        self._context = zmq.Context(io_threads=1) if context is None else context
        self._push: zmq.Socket[bytes] = self._context.socket(zmq.PUSH)
        self._push.set(zmq.LINGER, 500)
        self._push.set(zmq.SNDHWM, OUTSIDE_HIGH_WATER)
        self._push.connect(endpoint)

    def send(self, raw: bytes) -> bool:
        """False when the mailbox's host does not take any more."""
        try:
            self._push.send(raw, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self) -> None:
        """What was sent has the linger's time to leave; with a host's context nobody waits for that."""
        self._push.close()
        if self._own:
            self._context.term()


def bind_private(socket: "zmq.Socket[bytes]", name: str, endpoint: str) -> None:
    """Bind to an ipc endpoint whose file is for this user alone. Raises PlainTcpRefused, MailboxError.

    A file left by a dead process there is replaced; one that somebody answers on is an error.
    """
    if urlsplit(endpoint).scheme != "ipc":
        raise PlainTcpRefused(endpoint)
    if _is_answered(endpoint.removeprefix("ipc://")):  # libzmq would take the name away from whoever holds it
        raise MailboxError(name, f"{endpoint} is held by another process; stop it, or use another --state directory")
    mask = os.umask(0o077)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise MailboxError(name, f"cannot bind {endpoint}: {error.strerror}") from error
    finally:
        os.umask(mask)


def _is_answered(path: str) -> bool:
    """Whether a process accepts connections on the Unix socket at `path`."""
    with unix.socket(unix.AF_UNIX, unix.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:  # nothing there, or a dead process's file
            return False
        return True


def ipc_endpoint(folder: Path, name: str) -> str:
    """ipc://FOLDER/NAME.ipc. Raises MailboxError when the path is longer than a Unix socket's name may be."""
    path = folder.resolve() / f"{name}.ipc"
    check_ipc_path(path, name)
    return f"ipc://{path}"


def check_ipc_path(path: Path, name: str) -> None:
    """Raises MailboxError as `ipc_endpoint`."""
    if len(os.fsencode(path)) > 100:  # sun_path has 108 bytes on Linux; libzmq keeps some
        raise MailboxError(name, f"the path {path} is too long for a socket; use a shorter --state directory")
