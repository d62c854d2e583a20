"""One WebSocket connection of a client: frames out without a task, frames in, pings. The only module that writes to sockets.

A frame goes straight to the transport, which hands it to the socket at once or keeps it; no task wakes up for it. What the
transport keeps is all that waits for a slow client, and past WAITING_BYTES_MAX the client is cut off, as the venue does with
slow consumers: late data helps nobody.
"""

import asyncio
import time
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

WAITING_BYTES_MAX = (
    4 * 1024 * 1024
)  # chosen: eight seconds at 1,000 frames a second of 500 bytes, beyond the socket's own
INBOUND_BYTES_MAX = 64 * 1024  # chosen: our largest legal request is a SUBSCRIBE of 1,024 names, about 40 kB
SILENCE_S_MAX = 60.0  # web-socket-streams.md: no pong for a minute closes the connection
CLOSE_S_MAX = 2.0  # chosen: for a client's part of the goodbye; one that does not read would hold us for ever
CLOSE_NORMAL = 1000  # RFC 6455, 7.4.1
CLOSE_POLICY = 1008
_COUNTED = (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG)

Clock = Callable[[], int]
"""Returns nanoseconds since the epoch."""


class Connection:
    """`joins`: of what is sent in one turn of the loop the first frame goes at once, the others together at the turn's end: an
    answer, and what it caused. Never while `is_exact`: then whoever looks finds on the wire what was sent.
    `inbound_per_s_max`: a client that sends more texts, pings and pongs is told to go; 0: it may.
    """

    joins = False
    inbound_per_s_max = 0

    def __init__(self, request: web.Request, clock: Clock, is_exact: Callable[[], bool] = lambda: True) -> None:
        self.address = request.remote or ""
        self.connected_ns = clock()
        self._request = request
        self._clock = clock
        self._pong_s = time.monotonic()  # the clock may be set wrong on purpose
        # What the library closes by itself is a frame it cannot read; all else is said and heard here.
        self._socket = web.WebSocketResponse(
            timeout=CLOSE_S_MAX, max_msg_size=INBOUND_BYTES_MAX, compress=False, autoping=False, autoclose=False
        )
        self._transport: asyncio.Transport | None = None
        self._is_exact = is_exact
        self._held: list[bytes] | None = None
        self._is_read = False
        self._is_leaving = False
        self._second = self._in_second = 0
        self._over = asyncio.Event()

    @property
    def response(self) -> web.WebSocketResponse:
        return self._socket

    @property
    def waiting_bytes(self) -> int:
        """What was sent and the socket has not taken."""
        held = sum(map(len, self._held or ()))
        return held if self._transport is None else held + self._transport.get_write_buffer_size()

    async def open(self) -> None:
        await self._socket.prepare(self._request)
        self._transport = self._request.transport

    def send(self, payload: bytes) -> None:
        """Send a text frame; never blocks. A client that leaves too much unread loses its connection."""
        self._write(WSMsgType.TEXT, payload)

    def ping(self) -> None:
        """Ping with the present time as payload; a client silent for too long is cut off."""
        if time.monotonic() - self._pong_s > SILENCE_S_MAX:
            self.abort()
            return
        self._write(WSMsgType.PING, str(self._clock() // 1_000_000).encode())

    def abort(self) -> None:
        """Cut the connection at once, without a closing handshake: nothing that waits is sent."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def next_text(self) -> str | None:
        """Return the next text frame, answering pings on the way; None once the connection is over. One task may read."""
        while not self._over.is_set():
            self._is_read = True
            try:
                message: WSMessage = await self._socket.receive()
            finally:
                self._is_read = False
            if message.type in _COUNTED and self._is_too_much() and not self._is_leaving:
                await self.close(CLOSE_POLICY)
                return None
            match message.type:
                case WSMsgType.TEXT if not self._is_leaving:
                    text: str = message.data
                    return text
                case WSMsgType.TEXT:
                    pass  # who was told goodbye is not served any more
                case WSMsgType.PING:
                    self._write(WSMsgType.PONG, message.data)
                case WSMsgType.PONG:
                    self._pong_s = time.monotonic()
                case WSMsgType.CLOSE:
                    self._say_goodbye(message.data or CLOSE_NORMAL)
                    self._over.set()
                case _:
                    self._over.set()
        return None

    def _is_too_much(self) -> bool:
        """Count one more in the present second."""
        if not self.inbound_per_s_max:
            return False
        second = self._clock() // 1_000_000_000
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > self.inbound_per_s_max

    async def close(self, code: int = CLOSE_NORMAL) -> None:
        """Say goodbye, wait for the client's and hang up; safe to call more than once. A client that is silent is cut off."""
        self._say_goodbye(code)
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                if self._is_read:
                    await self._over.wait()
                while await self.next_text() is not None:
                    pass
        except TimeoutError:
            self.abort()
        if self._transport is not None:
            self._transport.close()

    def _say_goodbye(self, code: int) -> None:
        if not self._is_leaving:
            self._write(WSMsgType.CLOSE, code.to_bytes(2, "big"))
            self._send_held()
            self._is_leaving = True

    def _write(self, kind: WSMsgType, payload: bytes) -> None:
        """Nothing is sent past the goodbye, or to a socket that is gone: the reader sees its end."""
        transport = self._transport
        if transport is None or self._is_leaving or transport.is_closing() or self._socket.closed:
            return
        frame = _header(kind, len(payload)) + payload
        if self._held is not None:
            self._held.append(frame)
            if self._is_exact():
                self._send_held()
            return
        transport.write(frame)
        if transport.get_write_buffer_size() > WAITING_BYTES_MAX:
            self.abort()
        elif self.joins and not self._is_exact():
            self._held = []
            asyncio.get_running_loop().call_soon(self._send_held)

    def _send_held(self) -> None:
        """Send what waits for the end of the turn."""
        held, self._held = self._held, None
        transport = self._transport
        if not held or transport is None or transport.is_closing():
            return
        transport.write(b"".join(held))
        if transport.get_write_buffer_size() > WAITING_BYTES_MAX:
            self.abort()


def _header(kind: WSMsgType, length: int) -> bytes:
    """A final frame's first bytes, unmasked as a server's are (RFC 6455, 5.2)."""
    first = 0x80 | kind
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")
