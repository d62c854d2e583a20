"""What is said on a market data socket, how often, and how long it may be silent; against a scripted venue."""

import asyncio
from itertools import pairwise

from bus.messages import ConnectionDown, ConnectionUp, Frame, Message, Resubscribe, Stream
from gateway.doors.line import CONTROL_FRAMES, RENEWALS_MAX
from tests.gateway.doors.feeds import EASY, ask, plan, running
from tests.gateway.doors.peers import until
from tests.support.scripted import Talk, scripted


def renewal(symbol: str = "BTCUSDT", stream: Stream = Stream.DEPTH) -> Resubscribe:
    return Resubscribe(4, symbol, stream, "silent")


def up(told: list[Message]) -> bool:
    return any(isinstance(message, ConnectionUp) for message in told)


async def test_the_opening_is_said_before_the_connection_is_told() -> None:
    async with scripted() as venue:
        opening = [b'{"op":"subscribe"}', b'{"op":"more"}']
        async with running(venue.streams, plans=(plan("/ws/v5?x=1", opening),)) as (_, told):
            await until(lambda: up(told))
            await until(lambda: len(venue.talks[0].said) == 2)
            assert (venue.talks[0].path, venue.talks[0].frames) == ("/ws/v5?x=1", opening)


async def test_an_opening_longer_than_the_pace_is_said_over_time_and_loses_no_frame() -> None:
    """Two a second are left of four: eight frames take three seconds; what the venue answers to the first is not lost."""

    async def answer(talk: Talk) -> None:
        await until(lambda: talk.said)
        await talk.send(b"snapshot")

    async with (
        scripted(answer) as venue,
        running(venue.streams, EASY._replace(frames_per_s=4.0), (plan("", [b"%d" % n for n in range(6)]),)) as (
            _,
            told,
        ),
    ):
        await until(lambda: any(isinstance(message, Frame) for message in told))
        assert isinstance(told[0], ConnectionUp)
        await until(lambda: len(venue.talks[0].said) == 6)
        at = [second for second, _ in venue.talks[0].said]
        assert venue.talks[0].frames == [b"%d" % n for n in range(6)]
        most = 4 - CONTROL_FRAMES
        assert all(later - earlier > 0.95 for earlier, later in zip(at, at[most:], strict=False))


async def test_a_connection_is_kept_alive_although_much_waits_to_be_said() -> None:
    async with scripted() as venue:
        kept = plan("", [b"%d" % n for n in range(9)], b"ping", 0.2)
        async with running(venue.streams, EASY._replace(frames_per_s=5.0), (kept,)):
            await until(lambda: venue.talks and venue.talks[0].frames.count(b"ping") >= 3)
            assert b"8" not in venue.talks[0].frames


async def test_keepalives_come_in_their_interval_and_end_with_the_connection() -> None:
    async with scripted() as venue, running(venue.streams, plans=(plan(keepalive=b"ping", keepalive_s=0.05),)):
        await until(lambda: venue.talks and len(venue.talks[0].said) >= 4)
        at = [second for second, _ in venue.talks[0].said]
        assert all(0.03 < later - earlier < 0.2 for earlier, later in pairwise(at))
        said = len(venue.talks[0].said)
        await venue.talks[0].close()
        await until(lambda: len(venue.talks) == 2 and len(venue.talks[1].said) >= 2)
        assert len(venue.talks[0].said) <= said + 1


async def test_renewals_are_merged_bounded_and_said_in_pairs_within_the_pace() -> None:
    """Four a second, of which two are ours: the first renewal goes at once, the other one a second later."""
    async with scripted() as venue, running(venue.streams, EASY._replace(frames_per_s=4.0)) as (door, told):
        await until(lambda: up(told))
        ask(door, renewal(), *[renewal("ETHUSDT") for _ in range(50)], renewal("ETHUSDT", Stream.TRADE))
        await until(lambda: len(venue.talks[0].said) == 6)
        await asyncio.sleep(0.2)
        pairs = [frame.split()[:2] for frame in venue.talks[0].frames]
        assert pairs == [
            [word, symbol] for symbol in (b"BTCUSDT", b"ETHUSDT", b"ETHUSDT") for word in (b"end", b"begin")
        ]
        at = [second for second, _ in venue.talks[0].said]
        assert at[2] - at[0] > 0.95
        assert at[4] - at[2] > 0.95


async def test_a_subscription_said_may_be_renewed_again() -> None:
    async with scripted() as venue, running(venue.streams) as (door, told):
        await until(lambda: up(told))
        ask(door, renewal(), renewal())
        await until(lambda: len(venue.talks[0].said) == 4)
        ids = [frame.split()[2] for frame in venue.talks[0].frames if frame.startswith(b"begin")]
        assert ids == [b"1001", b"1002"]  # each answer can be told from another


async def test_beyond_the_bound_a_renewal_is_refused_and_counted() -> None:
    async with scripted() as venue, running(venue.streams, EASY._replace(frames_per_s=0.01)) as (door, told):
        await until(lambda: up(told))
        ask(door, *[renewal(f"S{n}") for n in range(RENEWALS_MAX + 4)])
        assert door.connections[4].ignored == 3  # the first is being said
        ask(door, renewal("S5"))  # it waits already: that is no further one
        assert door.connections[4].ignored == 3


async def test_a_renewal_without_a_connection_is_left_to_the_next_opening() -> None:
    async with scripted() as venue:
        venue.refuse = 1
        async with running(venue.streams, plans=(plan("", [b"hello"]),)) as (door, told):
            ask(door, renewal())
            await until(lambda: up(told))
            await until(lambda: venue.talks[0].said)
            await asyncio.sleep(0.05)
            assert venue.talks[0].frames == [b"hello"]


async def test_a_silent_socket_is_dropped_with_the_reason_although_it_answers_pings() -> None:
    async with scripted() as venue, running(venue.streams, EASY._replace(silence_s=0.2)) as (_, told):
        await until(lambda: len(venue.talks) == 2)
        down = next(message for message in told if isinstance(message, ConnectionDown))
        assert (down.connection, down.generation) == (4, 1)
        assert down.reason.startswith("no frame for 0.2")
        assert "never silent for 0.2 s" in down.reason
        assert 0.19 < venue.talks[1].opened_s - venue.talks[0].opened_s < 0.5


async def test_any_frame_is_a_sign_of_life() -> None:
    async def beat(talk: Talk) -> None:
        while True:
            await talk.send(b"beat")
            await asyncio.sleep(0.1)

    async with scripted(beat) as venue, running(venue.streams, EASY._replace(silence_s=0.25)) as (_, told):
        await asyncio.sleep(0.8)
        assert len(venue.talks) == 1
        assert not any(isinstance(message, ConnectionDown) for message in told)
