"""The feed door against real servers: it comes back, counts its openings, and never dials in a frenzy."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bus.messages import ConnectionDown, ConnectionUp, Frame, Message
from gateway.doors import feed
from gateway.doors.feed import DELAY_MAX_S, FIRST_DELAYS_S, FeedDoor, Redial, reconnect_delay
from gateway.doors.websocket import Patience, connect
from tests.gateway.doors.peers import (
    LIMIT_S,
    Peer,
    frame,
    handshake_answer,
    server,
    shake_at_the_deadline,
    until,
)


@asynccontextmanager
async def running(url: str, patience: Patience | None = None) -> AsyncIterator[tuple[FeedDoor, list[Message]]]:
    told: list[Message] = []
    ticks = itertools.count(1_000)
    door = FeedDoor(4, url, told.append, lambda: next(ticks), patience or Patience())
    task = asyncio.create_task(door.run())
    try:
        yield door, told
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        door.close()


def kinds(told: list[Message]) -> list[str]:
    return [type(message).__name__ for message in told]


async def test_frames_are_handed_on_with_their_connection_and_time_of_receipt() -> None:
    async with server(lambda peer: peer.handshake(frame(b"one") + frame(b"two", 2))) as url, running(url) as (_, told):
        await until(lambda: len(told) == 3)
        assert told == [ConnectionUp(4, 1, 1_000), Frame(4, 1_001, b"one"), Frame(4, 1_002, b"two")]


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
        assert (door.generation, door.frames) == (2, 2)
        assert told[2].reason  # type: ignore[attr-defined]


async def test_a_venue_that_is_away_is_dialed_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "FIRST_DELAYS_S", (0.0, 0.01, 0.01))
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
        door.on_trouble = troubles.append
        await until(lambda: told)
        assert kinds(told) == ["ConnectionUp"]
        assert door.failed_attempts == 2
        assert [text.split(":")[0] for text in troubles] == ["attempt 1", "attempt 2"]
        assert all("HTTP 503" in text for text in troubles)


async def test_a_silent_peer_is_left_for_a_new_connection() -> None:
    async with (
        server(lambda peer: peer.handshake()) as url,
        running(url, Patience(LIMIT_S, ping_s=0.05, pong_s=0.05)) as (_, told),
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
    monkeypatch.setattr(feed, "FIRST_DELAYS_S", (0.0, 0.01, 0.02, LIMIT_S * 10))
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

    monkeypatch.setattr(feed.asyncio, "sleep", remember)
    redial = Redial()
    for lasted_s in (0.0, 1.0, 2.0, 60.0, 0.0, 0.0):
        await redial.pause(lasted_s)
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


async def test_the_late_end_of_an_old_connection_does_not_touch_the_new_one() -> None:
    async with server(lambda peer: peer.handshake()) as url:
        told: list[Message] = []
        door = FeedDoor(4, url, told.append, lambda: 0)
        old, new = [await connect(url, door._on_open, door._on_frame, door._on_close) for _ in range(2)]
        old.abort("late")
        assert kinds(told) == ["ConnectionUp", "ConnectionUp"]
        assert not door._down.is_set()
        new.abort("the test is over")
        assert told[2:] == [ConnectionDown(4, 2, "the test is over")]
        assert door._down.is_set()


async def test_an_opening_that_failed_after_it_was_told_leaves_one_connection_not_two() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "ws://{}:{}".format(*listener.getsockname())
        async with running(url, Patience(connect_s=0.1)) as (door, told):
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
                    assert door.generation == 2
