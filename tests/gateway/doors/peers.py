"""Real peers on loopback for the doors' tests: a raw WebSocket server whose every byte the test decides."""

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
LIMIT_S = 60.0
"""A test that waits this long has failed."""


def frame(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """One unmasked frame, as a server writes it (RFC 6455, 5.2)."""
    first = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        return first + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return first + b"\x7e" + struct.pack(">H", len(payload)) + payload
    return first + b"\x7f" + struct.pack(">Q", len(payload)) + payload


def handshake_answer(request: bytes) -> bytes:
    key = next(line.split(b":")[1].strip() for line in request.split(b"\r\n") if b"Sec-WebSocket-Key" in line)
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"


class Peer:
    """One accepted connection, after or before the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.path = ""

    async def handshake(self, also: bytes = b"") -> None:
        """Answer the opening handshake, with `also` in the very same segment."""
        request = await self.reader.readuntil(b"\r\n\r\n")
        self.path = request.split(b" ", 2)[1].decode()
        self.writer.write(handshake_answer(request) + also)

    async def read_frame(self) -> tuple[int, bytes]:
        """(opcode, unmasked payload) of one client frame."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(length)
        whole = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return first & 0x0F, whole.to_bytes(length, "big")

    def cut(self) -> None:
        self.writer.transport.abort()


Play = Callable[[Peer], Awaitable[Any]]


@asynccontextmanager
async def server(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that runs `play` for each connection and then waits for its end; yields its ws:// or wss:// address."""
    tasks: set[asyncio.Task[None]] = set()
    failures: list[BaseException] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await play(Peer(reader, writer))
            while await reader.read(1 << 16):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the connection's end is what ends a play
        except Exception as error:  # noqa: BLE001 - a play's own failure must reach the test, not the loop's log
            failures.append(error)
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    host, port = listener.sockets[0].getsockname()[:2]
    try:
        yield f"{'wss' if tls else 'ws'}://{host}:{port}"
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if failures:
            raise failures[0]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true; a test that never sees it fails."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.005)


async def shake_at_the_deadline(listener: socket.socket, connect_s: float) -> socket.socket:
    """Accept one client of this loop, and answer so that its deadline lies in the very turn that reads the answer.

    The loop is held up from before the answer until the deadline has passed; asyncio then reads first and times out second.
    """
    loop = asyncio.get_running_loop()
    held, answered = threading.Event(), threading.Event()

    def hold(turns: int) -> None:
        if turns:  # until the client waits for the answer, with its deadline running
            loop.call_soon(hold, turns - 1)
            return
        held.set()
        assert answered.wait(LIMIT_S)
        time.sleep(connect_s)

    def answer() -> socket.socket:
        peer, _ = listener.accept()
        request = peer.recv(4096)
        loop.call_soon_threadsafe(hold, 20)
        assert held.wait(LIMIT_S)
        peer.sendall(handshake_answer(request))
        answered.set()
        return peer

    return await asyncio.to_thread(answer)
