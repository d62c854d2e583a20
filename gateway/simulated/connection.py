"""One WebSocket connection of a client: a bounded queue, one writer, pings. The only module that writes to sockets.

Past QUEUE_MAX waiting frames the client is cut off, as the venue does with slow consumers: late data helps nobody.
"""

import asyncio
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

QUEUE_MAX = 8_192  # chosen: at 1,000 frames a second eight seconds, beyond the socket's own buffers
INBOUND_BYTES_MAX = 64 * 1024  # chosen: our largest legal request is a SUBSCRIBE of 1,024 names, about 40 kB
SILENCE_NS_MAX = 60_000_000_000  # web-socket-streams.md: no pong for a minute closes the connection

Clock = Callable[[], int]
"""Returns nanoseconds since the epoch."""


class Connection:
    def __init__(self, request: web.Request, clock: Clock) -> None:
        self.address = request.remote or ""
        self.connected_ns = clock()
        self._request = request
        self._clock = clock
        self._pong_ns = self.connected_ns
        self._socket = web.WebSocketResponse(max_msg_size=INBOUND_BYTES_MAX, compress=False, autoping=False)
        self._queue: asyncio.Queue[tuple[WSMsgType, bytes]] = asyncio.Queue(QUEUE_MAX)
        self._writer: asyncio.Task[None] | None = None

    @property
    def response(self) -> web.WebSocketResponse:
        return self._socket

    async def open(self) -> None:
        await self._socket.prepare(self._request)
        self._writer = asyncio.create_task(self._write())

    def send(self, payload: bytes) -> None:
        """Queue a text frame; never blocks. A client whose queue is full loses its connection."""
        self._put(WSMsgType.TEXT, payload)

    def ping(self) -> None:
        """Ping with the present time as payload; a client silent for too long is cut off."""
        now_ns = self._clock()
        if now_ns - self._pong_ns > SILENCE_NS_MAX:
            self.abort()
            return
        self._put(WSMsgType.PING, str(now_ns // 1_000_000).encode())

    def abort(self) -> None:
        """Cut the connection at once, without a closing handshake: nothing that waits is sent."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def next_text(self) -> str | None:
        """Return the next text frame, answering pings on the way; None once the connection is over."""
        while True:
            message: WSMessage = await self._socket.receive()
            match message.type:
                case WSMsgType.TEXT:
                    text: str = message.data
                    return text
                case WSMsgType.PING:
                    self._put(WSMsgType.PONG, message.data)
                case WSMsgType.PONG:
                    self._pong_ns = self._clock()
                case _:
                    return None

    async def close(self, code: int = 1000) -> None:
        """Say goodbye and stop the writer; safe to call more than once."""
        if self._writer is not None:
            self._writer.cancel()
        if not self._socket.closed:
            await self._socket.close(code=code)

    def _put(self, kind: WSMsgType, payload: bytes) -> None:
        try:
            self._queue.put_nowait((kind, payload))
        except asyncio.QueueFull:
            self.abort()

    async def _write(self) -> None:
        try:
            while True:
                kind, payload = await self._queue.get()
                await self._socket.send_frame(payload, kind)
        except ConnectionError:
            self.abort()  # the reader sees the end of the connection and cleans up
