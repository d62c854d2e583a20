"""A WebSocket client whose writes and reads need no await: the transport of the feed door and the order door.

The protocol is websockets' Sans-I/O core; the socket is an asyncio transport. A frame is handed on inside the socket
callback that received it (the library's own client wakes a task first), and `write` reaches the kernel before it
returns unless the transport must buffer, which `buffered` tells: so the order door can check, journal and write in
one step.
"""

import asyncio
import functools
import ssl
from collections.abc import Callable, Iterable
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import CLOSED, OPEN, Event
from websockets.uri import parse_uri

FRAME_BYTES_MAX = 16 << 20
"""Largest message taken: Coinbase's whole-book snapshot has several MB; anything larger ends the connection."""
UNREAD_BYTES_MAX = 1 << 20
"""Answers to the peer's pings that it has not read; chosen: a subscription's frames have some kB, beyond that it never reads."""


class Patience(NamedTuple):
    """How long a connection waits for its peer, in seconds.

    ping_s, pong_s: chosen; Binance pings every 20 s itself, ours finds a half-open connection in 15 s.
    """

    connect_s: float = 10.0
    ping_s: float = 10.0
    pong_s: float = 5.0
    close_s: float = 1.0


PATIENCE = Patience()

OnOpen = Callable[["WebSocket"], None]
OnFrame = Callable[[bytes], None]
OnRead = Callable[[], None]
"""Everything that one read of the socket brought has been handed on."""
OnClose = Callable[["WebSocket", str], None]
"""(the socket that ended, why): a door may have another one by then."""


class ConnectFailed(Exception):
    """The WebSocket could not be opened. Retrying may help; nothing was sent.

    status: the HTTP status that refused it, 0 if none did. retry_after: its header, in the venue's words.
    """

    def __init__(self, url: str, reason: str, status: int = 0, retry_after: str = "") -> None:
        self.url, self.reason, self.status, self.retry_after = url, reason, status, retry_after
        super().__init__(f"cannot connect to {url}: {reason}")


class WebSocket(asyncio.Protocol):
    """One open connection. Made by `connect`; `on_close` is called exactly once after that."""

    def __init__(
        self,
        url: str,
        on_open: OnOpen,
        on_frame: OnFrame,
        on_close: OnClose,
        patience: Patience = PATIENCE,
        on_read: OnRead = lambda: None,
    ) -> None:
        self.url, self._patience, self._on_read = url, patience, on_read
        self._on_open, self._on_frame, self._on_close = on_open, on_frame, on_close
        self._protocol = ClientProtocol(parse_uri(url), max_size=FRAME_BYTES_MAX)
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._opened.add_done_callback(_heard)
        self._transport: asyncio.Transport | None = None
        self._below: asyncio.Transport | None = None  # the socket's own transport, where `_transport` is TLS
        self._parts: list[bytes] = []
        self._keepalive: asyncio.TimerHandle | None = None
        self._awaits_pong = False
        self._closed = False

    # -- for the doors --------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        return self._protocol.state is OPEN and not self._closed

    @property
    def buffered(self) -> int:
        """Bytes that were written but have not reached the kernel."""
        if self._transport is None:
            return 0
        waiting = self._transport.get_write_buffer_size()
        if self._below is not None:  # TLS counts only what it holds itself: 64 KiB may wait below it, unseen
            waiting += self._below.get_write_buffer_size()
        return waiting

    def write(self, payload: bytes) -> None:
        """Send one text frame. Only while `open`."""
        self.write_all((payload,))

    def write_all(self, payloads: Iterable[bytes]) -> None:
        """Send one text frame each, in one write. Only while `open`."""
        assert self._transport is not None
        for payload in payloads:
            self._protocol.send_text(payload)
        self._transport.write(b"".join(self._protocol.data_to_send()))

    def close(self) -> None:
        """Start the closing handshake; the connection is cut `close_s` later whatever the peer does."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(1000)
            self._flush()
            self._loop.call_later(self._patience.close_s, self._abort)
        else:
            self._abort()

    def abort(self, reason: str) -> None:
        """Cut the connection now; `on_close` has run when this returns."""
        self._lost(reason)
        self._abort()

    async def secure(self, context: ssl.SSLContext, hostname: str) -> None:
        """Put TLS between the socket and the protocol, before the first byte. Raises OSError (ssl.SSLError is one)."""
        assert self._below is not None
        try:
            transport = await self._loop.start_tls(self._below, self, context, server_hostname=hostname)
        except BaseException:
            self._below.abort()  # the loop would close it politely, which waits for what is buffered
            raise
        self._begin(transport)

    async def opened(self) -> None:
        """Wait for the opening handshake. Raises ConnectFailed."""
        limit_s = self._patience.connect_s
        try:
            async with asyncio.timeout(limit_s):
                await self._opened
        except TimeoutError:
            reason = f"no answer to the handshake in {limit_s:g} s"
            self.abort(reason)  # tells the end first if the answer came in this very turn of the loop
            raise ConnectFailed(self.url, reason) from None
        except asyncio.CancelledError:
            self._abort()  # whoever asked is gone: nobody would ever close this socket
            raise

    # -- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        below = cast(asyncio.Transport, transport)  # uvloop's is one by behavior, not by class
        if self._protocol.uri.secure:
            self._below = below
        else:
            self._begin(below)

    def data_received(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if self._closed:  # whoever aborted trusts nothing that lay behind
                return
            if type(event) is Frame:
                self._take(event)
            else:
                self._handshake(event)
        self._on_read()
        self._flush()
        if protocol.close_expected():
            self._abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(str(exc) if exc else _ending(self._protocol))

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        return False

    # -- inside ---------------------------------------------------------------------------------------------------

    def _begin(self, transport: asyncio.Transport | None) -> None:
        assert transport is not None
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY or opcode is Opcode.CONT:
            if frame.fin and not self._parts:
                self._on_frame(bytes(frame.data))
                return
            self._parts.append(bytes(frame.data))  # the core ends a connection whose fragments exceed the limit
            if frame.fin:
                whole = b"".join(self._parts)
                self._parts.clear()
                self._on_frame(whole)
        elif opcode is Opcode.PONG:
            self._awaits_pong = False

    def _handshake(self, event: Event) -> None:
        if self._opened.done():
            return
        if self._protocol.handshake_exc is not None:
            self._opened.set_exception(_refused(self.url, self._protocol.handshake_exc))
            self._abort()
        else:
            self._opened.set_result(None)
            self._on_open(self)  # here, because the first frame may lie in the same segment as the handshake's end
            self._keepalive = self._loop.call_later(self._patience.ping_s, self._ping)

    def _ping(self) -> None:
        if not self.open:
            return
        self._awaits_pong = True
        self._protocol.send_ping(b"")
        self._flush()
        self._keepalive = self._loop.call_later(self._patience.pong_s, self._check_pong)

    def _check_pong(self) -> None:
        if self._awaits_pong:
            self.abort(f"no answer to a ping in {self._patience.pong_s:g} s")
        else:
            rest_s = max(self._patience.ping_s - self._patience.pong_s, 0.0)
            self._keepalive = self._loop.call_later(rest_s, self._ping)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if self._transport is None or self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof() and self._protocol.state is CLOSED:
                self._transport.close()
        if self.buffered > UNREAD_BYTES_MAX:
            self.abort(f"the peer does not read: {self.buffered} bytes wait for it")

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _lost(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        if self._keepalive is not None:
            self._keepalive.cancel()
        if not self._opened.done():
            self._opened.set_exception(ConnectFailed(self.url, reason or "the connection was closed"))
        elif not self._opened.cancelled() and self._opened.exception() is None:
            self._on_close(self, reason or "the connection was closed")


def _refused(url: str, error: Exception) -> ConnectFailed:
    if not isinstance(error, InvalidStatus):
        return ConnectFailed(url, str(error))
    response = error.response
    return ConnectFailed(url, str(error), response.status_code, response.headers.get("Retry-After", ""))


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The system's, read once: each reading holds up the loop for 22 ms (`ssl.create_default_context`, mean of 20)."""
    return ssl.create_default_context()


def _heard(opened: asyncio.Future[None]) -> None:
    """An opening that failed is no error of the loop when whoever waited for it has left."""
    if not opened.cancelled():
        opened.exception()


def _ending(protocol: ClientProtocol) -> str:
    """Why the connection ended, as far as the protocol knows: the peer's close frame, or what it sent wrong."""
    if protocol.close_rcvd is not None:
        return f"closed with code {protocol.close_rcvd.code} {protocol.close_rcvd.reason}".strip()
    wrong = protocol.handshake_exc or protocol.parser_exc
    return str(wrong) if wrong is not None else ""


async def connect(
    url: str,
    on_open: OnOpen,
    on_frame: OnFrame,
    on_close: OnClose,
    patience: Patience = PATIENCE,
    context: ssl.SSLContext | None = None,
    on_read: OnRead = lambda: None,
) -> WebSocket:
    """Open a WebSocket; `on_open` runs before the first frame. Raises ConnectFailed, whatever went wrong.

    context: for wss://; the system's certificates decide without it.
    """
    parts = urlsplit(url)
    secure, host = parts.scheme == "wss", parts.hostname or ""
    try:
        async with asyncio.timeout(patience.connect_s):
            # Plain first, TLS on top: so we hold both transports, and can tell what waits in either.
            _, socket = await asyncio.get_running_loop().create_connection(
                lambda: WebSocket(url, on_open, on_frame, on_close, patience, on_read),
                host,
                parts.port or (443 if secure else 80),
            )
            if secure:
                await socket.secure(context or _certificates(), host)
    except TimeoutError:
        raise ConnectFailed(url, f"no connection in {patience.connect_s:g} s") from None
    except (OSError, InvalidURI, InvalidHandshake) as error:
        raise ConnectFailed(url, str(error) or type(error).__name__) from error
    await socket.opened()
    return socket
