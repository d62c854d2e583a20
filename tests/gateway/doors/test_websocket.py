"""The WebSocket under the feed and order doors, against servers whose every byte the test decides."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from websockets.frames import Opcode

from gateway.doors import websocket
from gateway.doors.websocket import FRAME_BYTES_MAX, ConnectFailed, Patience, WebSocket, connect
from tests.gateway.doors.certificates import contexts
from tests.gateway.doors.peers import LIMIT_S, Peer, Play, frame, handshake_answer, server, shake_at_the_deadline, until

ROOT = Path(__file__).parents[3]
CLOSE = 8
QUICK = Patience(connect_s=LIMIT_S, ping_s=0.05, pong_s=0.05, close_s=0.05)


class Heard:
    """What the callbacks were told, in order."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: list[str] = []
        self.story: list[str] = []
        self.socket: WebSocket | None = None

    def on_open(self, socket: WebSocket) -> None:
        self.story.append("open")
        self.socket = socket

    def on_frame(self, payload: bytes) -> None:
        self.story.append("frame")
        self.frames.append(payload)

    def on_close(self, socket: WebSocket, reason: str) -> None:
        assert self.socket is socket
        self.story.append("close")
        self.closed.append(reason)


@asynccontextmanager
async def connected(play: Play, patience: Patience | None = None) -> AsyncIterator[tuple[WebSocket, Heard]]:
    heard = Heard()
    async with server(play) as url:
        patience = patience or Patience(LIMIT_S, LIMIT_S, LIMIT_S, LIMIT_S)
        socket = await connect(url, heard.on_open, heard.on_frame, heard.on_close, patience)
        try:
            yield socket, heard
        finally:
            socket.abort("the test is over")
            await asyncio.sleep(0)


async def shake(peer: Peer) -> None:
    await peer.handshake()


# -- opening ----------------------------------------------------------------------------------------------------------


async def test_frames_in_the_segment_of_the_handshakes_end_come_after_the_opening() -> None:
    async with connected(lambda peer: peer.handshake(frame(b"one") + frame(b"two"))) as (socket, heard):
        await until(lambda: len(heard.frames) == 2)
        assert heard.story == ["open", "frame", "frame"]
        assert heard.frames == [b"one", b"two"]
        assert heard.socket is socket
        assert socket.open


async def answer_with(peer: Peer, reply: bytes) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    peer.writer.write(reply)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "HTTP 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
        (b"220 mail.example ESMTP\r\n\r\n", "valid HTTP response"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Accept"),
    ],
)
async def test_what_is_no_websocket_is_refused_with_what_it_said(reply: bytes, told: str) -> None:
    heard = Heard()
    async with server(lambda peer: answer_with(peer, reply)) as url:
        with pytest.raises(ConnectFailed, match=told) as failure:
            await connect(url, heard.on_open, heard.on_frame, heard.on_close, Patience(connect_s=LIMIT_S))
    assert failure.value.url == url
    assert heard.story == []


async def test_a_peer_that_cuts_during_the_handshake_is_a_failed_connection() -> None:
    async def cut(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.cut()

    heard = Heard()
    async with server(cut) as url:
        with pytest.raises(ConnectFailed):
            await connect(url, heard.on_open, heard.on_frame, heard.on_close)
    assert heard.story == []


async def test_a_peer_that_never_answers_the_handshake_is_given_up() -> None:
    async def silent(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")

    heard = Heard()
    async with server(silent) as url:
        with pytest.raises(ConnectFailed, match=r"no answer to the handshake in 0\.05 s"):
            await connect(url, heard.on_open, heard.on_frame, heard.on_close, Patience(connect_s=0.05))
    assert heard.story == []


async def test_a_canceled_opening_leaves_no_connection_behind() -> None:
    arrived, ended = asyncio.Event(), asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        arrived.set()
        with contextlib.suppress(ConnectionError):
            await peer.reader.read()
        ended.set()

    heard = Heard()
    async with server(silent) as url:
        opening = asyncio.create_task(connect(url, heard.on_open, heard.on_frame, heard.on_close))
        await asyncio.wait_for(arrived.wait(), LIMIT_S)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.wait_for(ended.wait(), LIMIT_S)
    assert heard.story == []


@pytest.mark.parametrize("url", ["ws://127.0.0.1:{port}", "wss://127.0.0.1:{port}", "http://127.0.0.1:{port}"])
async def test_a_refused_connection_names_its_address(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = url.format(port=taken.getsockname()[1])
    heard = Heard()
    with pytest.raises(ConnectFailed, match=url):
        await connect(url, heard.on_open, heard.on_frame, heard.on_close)


async def test_a_peer_without_tls_is_refused_on_wss() -> None:
    heard = Heard()
    async with server(lambda peer: answer_with(peer, b"HTTP/1.1 200 OK\r\n\r\n")) as url:
        with pytest.raises(ConnectFailed, match="wss://"):
            await connect(url.replace("ws:", "wss:"), heard.on_open, heard.on_frame, heard.on_close, Patience(0.5))


# -- what comes in ----------------------------------------------------------------------------------------------------


async def test_a_fragmented_message_is_one_frame_even_around_a_ping() -> None:
    pieces = frame(b"ab", 1, fin=False) + frame(b"", 0, fin=False) + frame(b"beat", 9) + frame(b"cd", 0)
    pongs: list[tuple[int, bytes]] = []

    async def play(peer: Peer) -> None:
        await peer.handshake()
        for at in range(len(pieces)):  # byte by byte: no boundary of a segment is a boundary of a message
            peer.writer.write(pieces[at : at + 1])
            await peer.writer.drain()
        peer.writer.write(frame(b"whole"))
        pongs.append(await peer.read_frame())

    async with connected(play) as (_, heard):
        await until(lambda: len(heard.frames) == 2 and pongs)
        assert heard.frames == [b"abcd", b"whole"]
        assert pongs == [(Opcode.PONG, b"beat")]


async def test_a_frame_above_the_limit_ends_the_connection_and_says_so() -> None:
    closes: list[tuple[int, bytes]] = []

    async def play(peer: Peer) -> None:
        head = b"\x81\x7f" + struct.pack(">Q", FRAME_BYTES_MAX + 1)
        await peer.handshake(frame(b"small") + head + b"x")
        closes.append(await peer.read_frame())

    async with connected(play) as (socket, heard):
        await until(lambda: heard.closed and closes)
        assert heard.frames == [b"small"]
        assert closes[0][0] == CLOSE
        assert struct.unpack(">H", closes[0][1][:2]) == (1009,)
        assert len(heard.closed) == 1
        assert "too big" in heard.closed[0] or "exceeds" in heard.closed[0]
        assert not socket.open


async def test_fragments_above_the_limit_end_the_connection_too() -> None:
    quarter = bytes(FRAME_BYTES_MAX // 4)
    too_much = frame(quarter, 2, fin=False) + frame(quarter, 0, fin=False) * 3 + frame(b"x", 0)

    async def play(peer: Peer) -> None:
        await peer.handshake()
        peer.writer.write(too_much)

    async with connected(play) as (_, heard):
        await until(lambda: heard.closed)
        assert heard.frames == []
        assert "exceeds limit" in heard.closed[0]


async def test_a_message_in_very_many_fragments_costs_no_more_for_the_last_than_for_the_first() -> None:
    """Adding up what came before with each of them is two billion additions: no test here waits so long."""
    count = 60_000
    fragments = frame(b"x", 2, fin=False) + frame(b"x", 0, fin=False) * (count - 2) + frame(b"x", 0)

    async def play(peer: Peer) -> None:
        await peer.handshake()
        for at in range(0, len(fragments), 3_000):
            peer.writer.write(fragments[at : at + 3_000])
            await asyncio.sleep(0.001)

    async with connected(play) as (_, heard):
        await until(lambda: heard.frames)
        assert heard.frames == [b"x" * count]


async def test_the_limit_of_fragments_counts_one_message_not_all() -> None:
    half = bytes(FRAME_BYTES_MAX // 2)
    whole = frame(half, 2, fin=False) + frame(half, 0)

    async def play(peer: Peer) -> None:
        await peer.handshake()
        peer.writer.write(whole + whole)

    async with connected(play) as (_, heard):
        await until(lambda: len(heard.frames) == 2)
        assert heard.frames == [half + half] * 2


async def test_a_masked_frame_of_a_server_is_an_error_of_the_peer() -> None:
    async with connected(lambda peer: peer.handshake(b"\x81\x83\0\0\0\0abc")) as (_, heard):
        await until(lambda: heard.closed)
        assert heard.frames == []
        assert "mask" in heard.closed[0]


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (struct.pack(">H", 1001) + b"going away", "closed with code 1001 going away"),
        (struct.pack(">H", 1008), "closed with code 1008"),
        (b"", "closed with code 1005"),
    ],
)
async def test_a_close_frame_is_answered_and_its_code_told(payload: bytes, told: str) -> None:
    answers: list[tuple[int, bytes]] = []

    async def play(peer: Peer) -> None:
        await peer.handshake(frame(b"last") + frame(payload, CLOSE))
        answers.append(await peer.read_frame())

    async with connected(play) as (socket, heard):
        await until(lambda: heard.closed and answers)
        assert heard.story == ["open", "frame", "close"]
        assert heard.closed == [told]
        assert answers == [(CLOSE, payload)]
        assert not socket.open


async def test_a_cut_without_a_word_is_told_once() -> None:
    async def play(peer: Peer) -> None:
        await peer.handshake()
        peer.cut()

    async with connected(play) as (socket, heard):
        await until(lambda: heard.closed)
        socket.abort("again")
        assert len(heard.closed) == 1
        assert heard.closed[0] not in ("", "again")


async def test_abort_has_told_when_it_returns() -> None:
    async with connected(shake) as (socket, heard):
        socket.abort("not trusted")
        assert heard.closed == ["not trusted"]
        assert not socket.open


async def test_nothing_is_handed_on_after_an_abort_not_even_from_the_same_segment() -> None:
    """The order door aborts when the venue ends the private stream: what follows in the segment is not trusted."""
    heard = Heard()

    def abort_at_once(payload: bytes) -> None:
        heard.on_frame(payload)
        assert heard.socket is not None
        heard.socket.abort("enough")

    async with server(lambda peer: peer.handshake(frame(b"one") + frame(b"two"))) as url:
        await connect(url, heard.on_open, abort_at_once, heard.on_close)
        await until(lambda: heard.closed)
        await asyncio.sleep(0.01)
    assert heard.story == ["open", "frame", "close"]


async def test_an_opening_that_completes_as_its_time_runs_out_is_closed_before_it_failed() -> None:
    """The answer and the deadline lie in one turn of the loop: the opening is told, so its end must be told too, first."""
    heard = Heard()
    patience = Patience(connect_s=0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        answering = asyncio.create_task(shake_at_the_deadline(listener, patience.connect_s))
        with pytest.raises(ConnectFailed):
            await connect(f"ws://{host}:{port}", heard.on_open, heard.on_frame, heard.on_close, patience)
        assert heard.story == ["open", "close"]
        (await answering).close()


async def test_closing_says_goodbye_and_waits_for_the_peer_only_so_long() -> None:
    goodbyes: list[tuple[int, bytes]] = []

    async def play(peer: Peer) -> None:
        await peer.handshake()
        goodbyes.append(await peer.read_frame())  # and never an answer

    async with connected(play, QUICK._replace(ping_s=LIMIT_S)) as (socket, heard):
        socket.close()
        assert not socket.open
        await until(lambda: heard.closed)
        assert goodbyes == [(CLOSE, struct.pack(">H", 1000))]


async def test_a_peer_that_answers_pings_stays() -> None:
    pings = 0

    async def play(peer: Peer) -> None:
        nonlocal pings
        await peer.handshake()
        while True:
            opcode, payload = await peer.read_frame()
            pings += opcode == Opcode.PING
            peer.writer.write(frame(payload, Opcode.PONG))

    async with connected(play, QUICK._replace(pong_s=LIMIT_S)) as (socket, heard):
        await until(lambda: pings == 1)
        assert (socket.open, heard.closed) == (True, [])


FROZEN = """
import asyncio, sys
from tests.gateway.doors.certificates import contexts
from tests.gateway.doors.peers import LIMIT_S, Peer, Play, frame, handshake_answer, server, until
async def main():
    async with server(lambda peer: peer.handshake()) as url:
        print(url, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_peer_that_asks_and_never_reads_the_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ping of its is answered: what the kernel does not take would be ours to keep, without a limit."""
    monkeypatch.setattr(websocket, "UNREAD_BYTES_MAX", 100_000)
    pings = frame(bytes(125), 9) * 1_000

    async def play(peer: Peer) -> None:
        await peer.handshake()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
        while True:
            peer.writer.write(pings)
            await peer.writer.drain()

    async with connected(play) as (socket, heard):
        most = 0

        def left() -> bool:
            nonlocal most
            most = max(most, socket.buffered)
            return bool(heard.closed)

        await until(left)
        assert "does not read" in heard.closed[0]
        assert most < 1_000_000


async def test_a_frozen_peer_is_found_by_a_ping() -> None:
    """A process that is stopped keeps its sockets open, and its kernel takes what we send: only silence tells."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FROZEN, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    heard = Heard()
    try:
        url = (await process.stdout.readline()).decode().strip()
        quick = QUICK._replace(ping_s=0.3, pong_s=0.2)
        socket = await connect(url, heard.on_open, heard.on_frame, heard.on_close, quick)
        os.kill(process.pid, signal.SIGSTOP)
        await until(lambda: heard.closed)
        assert heard.closed == ["no answer to a ping in 0.2 s"]
        assert not socket.open
    finally:
        process.kill()
        await process.wait()


# -- what goes out ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def plain_peer(secure: bool) -> AsyncIterator[tuple[WebSocket, socket.socket]]:
    """A client, and the server's end of it as a blocking socket: it is read without a turn of the loop."""
    heard = Heard()
    server_tls, client_tls = contexts()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        host, port = listener.getsockname()
        accepting = asyncio.create_task(asyncio.to_thread(accept_and_shake, listener, server_tls if secure else None))
        client = await connect(
            f"{'wss' if secure else 'ws'}://{host}:{port}",
            heard.on_open,
            heard.on_frame,
            heard.on_close,
            context=client_tls if secure else None,
        )
        with await accepting as peer:
            yield client, peer
            client.abort("done")
            await until(lambda: heard.closed)


def accept_and_shake(listener: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    connection, _ = listener.accept()
    connection.settimeout(LIMIT_S)
    if tls is not None:
        connection = tls.wrap_socket(connection, server_side=True)
    connection.sendall(handshake_answer(connection.recv(4096)))
    return connection


async def the_bytes_are_there_before_write_returns(secure: bool) -> None:
    async with plain_peer(secure) as (client, peer):
        peer.setblocking(False)
        for payloads in ([b"one"], [b"two", b"three"]):
            client.write_all(payloads)
            got = peer.recv(4096)  # no turn of the loop in between
            assert len(got) == sum(2 + 4 + len(payload) for payload in payloads)
            assert client.buffered == 0


async def the_buffer_grows_when_the_peer_does_not_read(secure: bool) -> None:
    async with plain_peer(secure) as (client, _):
        written = 0
        while not client.buffered and written < 64 << 20:
            client.write(bytes(1 << 20))
            written += 1 << 20
        first = client.buffered
        client.write(b"more")
        assert 0 < first < client.buffered
        assert client.open


async def while_the_buffer_is_empty_the_kernel_has_everything(secure: bool) -> None:
    """The commit point refuses an order behind bytes that wait in this process: not one may wait there unseen."""
    size = 1_000
    async with plain_peer(secure) as (client, peer):
        frames = 0
        while not client.buffered:
            client.write(bytes(size))
            frames += 1
        due = (frames - 1) * (4 + 4 + size)  # all but the frame that did not fit
        while due > 0:
            due -= len(peer.recv(min(due, 1 << 16)))


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "claim",
    [
        the_bytes_are_there_before_write_returns,
        the_buffer_grows_when_the_peer_does_not_read,
        while_the_buffer_is_empty_the_kernel_has_everything,
    ],
)
def test_on_both_loops(loop: str, secure: bool, claim) -> None:  # type: ignore[no-untyped-def]
    """The commit point rests on it: journal, then kernel, in one step; uvloop promises no such thing in writing."""
    (uvloop.run if loop == "uvloop" else asyncio.run)(claim(secure))


async def a_conversation_over_tls() -> None:
    closes: list[tuple[int, bytes]] = []

    async def play(peer: Peer) -> None:
        await peer.handshake(frame(b"first"))
        peer.writer.write(frame((await peer.read_frame())[1]) + frame(struct.pack(">H", 1001), CLOSE))
        closes.append(await peer.read_frame())

    heard = Heard()
    server_tls, client_tls = contexts()
    async with server(play, server_tls) as url:
        client = await connect(url, heard.on_open, heard.on_frame, heard.on_close, context=client_tls)
        client.write(b"echo")
        await until(lambda: heard.closed and closes)
    assert heard.story == ["open", "frame", "frame", "close"]
    assert heard.frames == [b"first", b"echo"]
    assert heard.closed == ["closed with code 1001"]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_conversation_over_tls_is_one_without(run) -> None:  # type: ignore[no-untyped-def]
    run(a_conversation_over_tls())


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    heard = Heard()
    async with server(shake, contexts()[0]) as url:
        with pytest.raises(ConnectFailed, match="certificate verify failed"):
            await connect(url, heard.on_open, heard.on_frame, heard.on_close)
    assert heard.story == []


async def test_a_tls_handshake_without_an_answer_is_given_up_and_its_connection_closed() -> None:
    heard = Heard()
    ended = asyncio.Event()

    async def silent(peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            while await peer.reader.read(1 << 16):
                pass
        ended.set()

    async with server(silent) as url:
        url = url.replace("ws:", "wss:")
        with pytest.raises(ConnectFailed, match=r"no connection in 0\.05 s"):
            await connect(url, heard.on_open, heard.on_frame, heard.on_close, Patience(connect_s=0.05))
        await asyncio.wait_for(ended.wait(), LIMIT_S)
    assert heard.story == []
