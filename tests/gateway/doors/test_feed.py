"""The feed door against real servers: it comes back, counts its openings, and never dials in a frenzy."""

import asyncio
import contextlib
import itertools
import socket

import pytest

from bus.messages import ConnectionDown, ConnectionUp, Frame
from gateway.doors import redial
from gateway.doors.feed import FeedDoor
from gateway.doors.redial import DELAY_MAX_S, FIRST_DELAYS_S, Redial, reconnect_delay
from gateway.doors.websocket import Patience
from tests.gateway.doors.feeds import kinds, plan, running
from tests.gateway.doors.peers import (
    LIMIT_S,
    Peer,
    frame,
    handshake_answer,
    server,
    shake_at_the_deadline,
    until,
)


async def test_frames_are_handed_on_with_their_connection_and_time_of_receipt() -> None:
    async with server(lambda peer: peer.handshake(frame(b"one") + frame(b"two", 2))) as url, running(url) as (_, told):
        await until(lambda: len(told) == 3)
        # One read of the socket brought both, so both were there at one time.
        assert told == [ConnectionUp(4, 1, 1_000), Frame(4, 1_001, b"one", 1), Frame(4, 1_001, b"two", 1)]


async def test_a_lost_connection_is_told_then_reopened_as_the_next_generation() -> None:
    connections = 0

    async def play(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        await peer.handshake(frame(b"%d" % connections))
        if connections == 1:
            await peer.writer.drain()
            peer.cut()

    async with server(play) as url, running(url) as (door, told):
        await until(lambda: len(told) == 5)
        assert kinds(told) == ["ConnectionUp", "Frame", "ConnectionDown", "ConnectionUp", "Frame"]
        assert [m.generation for m in told if isinstance(m, ConnectionUp | ConnectionDown)] == [1, 1, 2]
        assert (door.connections[4].generation, door.frames) == (2, 2)
        assert told[2].reason  # type: ignore[attr-defined]


async def test_a_venue_that_is_away_is_dialed_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.01, 0.01))
    troubles: list[str] = []
    refused = 0

    async def play(peer: Peer) -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return
        await peer.handshake()

    async with server(play) as url, running(url) as (door, told):
        door.connections[4].on_trouble = troubles.append
        await until(lambda: told)
        assert kinds(told) == ["ConnectionUp"]
        assert door.connections[4].failed_attempts == 2
        assert [text.split(":")[0] for text in troubles] == [f"own, connection 4, attempt {n}" for n in (1, 2)]
        assert all("HTTP 503" in text for text in troubles)


async def test_a_silent_peer_is_left_for_a_new_connection() -> None:
    async with (
        server(lambda peer: peer.handshake()) as url,
        running(url, patience=Patience(LIMIT_S, ping_s=0.05, pong_s=0.05)) as (_, told),
    ):
        await until(lambda: kinds(told)[:3] == ["ConnectionUp", "ConnectionDown", "ConnectionUp"])
        assert "ping" in told[1].reason  # type: ignore[attr-defined]


def test_delays_grow_to_their_bound_and_stay_below_the_venues_limit() -> None:
    delays = [reconnect_delay(attempt) for attempt in range(1, 60)]
    assert tuple(delays[: len(FIRST_DELAYS_S)]) == FIRST_DELAYS_S
    assert delays == sorted(delays)
    assert delays[-1] == DELAY_MAX_S
    elapsed = list(itertools.accumulate(delays))
    assert sum(1 for at in elapsed if at <= 300) < 50  # 300 in 5 minutes are allowed


async def test_a_venue_that_accepts_and_hangs_up_is_not_dialed_in_a_frenzy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection succeeds and ends at once: the pauses must grow as if none had."""
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.01, 0.02, LIMIT_S * 10))
    dialed = 0

    async def hang_up(peer: Peer) -> None:
        nonlocal dialed
        dialed += 1
        await peer.handshake(frame(b"", 8))

    async with server(hang_up) as url, running(url) as (_, told):
        await until(lambda: len(told) >= 8)
        await asyncio.sleep(0.2)  # a frenzy makes hundreds in it
        assert dialed == 4


async def test_a_steady_connection_forgives_the_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def remember(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(redial.asyncio, "sleep", remember)
    short = Redial()
    for lasted_s in (0.0, 1.0, 1.9, 60.0, 0.0, 0.0):
        await short.pause(lasted_s)
    assert pauses == [0.1, 0.2, 0.1]


async def test_a_door_closed_for_good_says_goodbye() -> None:
    goodbyes: list[int] = []

    async def play(peer: Peer) -> None:
        await peer.handshake()
        goodbyes.append((await peer.read_frame())[0])

    async with server(play) as url:
        async with running(url) as (_, told):
            await until(lambda: told)
        await until(lambda: goodbyes == [8])


async def test_a_connection_that_opens_when_the_door_is_closed_already_is_cut_and_not_told() -> None:
    """The engine ends while it dials: nobody would ever close that socket."""
    asked, may_answer = asyncio.Event(), asyncio.Event()
    ends: list[bytes] = []

    async def play(peer: Peer) -> None:
        request = await peer.reader.readuntil(b"\r\n\r\n")
        asked.set()
        await may_answer.wait()
        peer.writer.write(handshake_answer(request) + frame(b"too late"))
        with contextlib.suppress(ConnectionError):
            ends.append(await peer.reader.read(1))
        ends.append(b"")

    async with server(play) as url, running(url) as (door, told):
        await asked.wait()
        door.close()
        may_answer.set()
        await until(lambda: ends)
        assert (ends[0], told, door.down) == (b"", [], 1)


async def test_an_opening_that_failed_after_it_was_told_leaves_one_connection_not_two() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "ws://{}:{}".format(*listener.getsockname())
        async with running(url, patience=Patience(connect_s=0.1)) as (door, told):
            with await shake_at_the_deadline(listener, 0.1):
                second, _ = await asyncio.to_thread(listener.accept)
                with second:
                    second.sendall(handshake_answer(await asyncio.to_thread(second.recv, 4096)))
                    await until(lambda: len(told) == 3)
                    await asyncio.sleep(0.05)
                    listener.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        listener.accept()[0].close()
                        raise AssertionError("a third connection was dialed beside the second")
                    assert kinds(told) == ["ConnectionUp", "ConnectionDown", "ConnectionUp"]
                    assert door.connections[4].generation == 2


async def test_a_process_that_stood_still_takes_nothing_that_waited_from_any_socket() -> None:
    """The first frame that tells drops every connection; what lies behind it in its own segment is not taken either."""
    late = False
    doors: list[FeedDoor] = []

    async def play(peer: Peer) -> None:
        await peer.handshake()
        await until(lambda: late)
        peer.writer.write(frame(b"old") + frame(b"old"))

    def is_fresh(_now_ns: int) -> bool:
        nonlocal late
        if late:
            late = False
            doors[0].drop("it stood still")
            return False
        return True

    async with server(play) as url, running(url, plans=(plan(), plan()), is_fresh=is_fresh) as (door, told):
        doors.append(door)
        await until(lambda: len(told) == 2)
        late = True
        await until(lambda: len(told) == 6)
        assert {(m.connection, m.generation, m.reason) for m in told[2:] if isinstance(m, ConnectionDown)} == {
            (4, 1, "it stood still"),
            (5, 1, "it stood still"),
        }
        assert {(m.connection, m.generation) for m in told[2:] if isinstance(m, ConnectionUp)} == {(4, 2), (5, 2)}
