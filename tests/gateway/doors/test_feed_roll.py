"""Make before break: the next generation beside the present one, whatever becomes of either."""

import asyncio
from itertools import count
from random import Random

import pytest

from bus.messages import (
    ConnectionDown,
    ConnectionUp,
    Frame,
    Message,
    ReleaseConnection,
    Resubscribe,
    RollConnection,
    Stream,
)
from gateway.doors import redial
from gateway.market import ConnectionPlan, Limits
from tests.gateway.doors.feeds import EASY, ask, kinds, plan, running
from tests.gateway.doors.peers import until
from tests.support.scripted import Talk, scripted

HELLO = plan("/feed", [b"hello"])


async def every_10_ms(talk: Talk) -> None:
    """Numbered frames once the opening has been said, as long as it lasts."""
    await until(lambda: talk.said)
    for number in count():
        await talk.send(b"%d" % number)
        await asyncio.sleep(0.01)


def roll(generation: int) -> RollConnection:
    return RollConnection(4, generation, "its life ends")


def release(generation: int) -> ReleaseConnection:
    return ReleaseConnection(4, generation, "rolled")


def ups(told: list[Message]) -> list[tuple[int, bool]]:
    return [(m.generation, m.overlaps) for m in told if isinstance(m, ConnectionUp)]


def downs(told: list[Message]) -> list[tuple[int, str]]:
    return [(m.generation, m.reason) for m in told if isinstance(m, ConnectionDown)]


def heard(told: list[Message], generation: int) -> int:
    return sum(isinstance(m, Frame) and m.generation == generation for m in told)


async def test_both_deliver_until_the_old_one_is_released() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1))
        await until(lambda: heard(told, 2) > 2)
        before = heard(told, 1)
        await until(lambda: heard(told, 1) > before)  # still
        assert (door.connections[4].open, ups(told), downs(told)) == (2, [(1, False), (2, True)], [])
        ask(door, release(1))
        assert downs(told) == [(1, "rolled")]
        after = heard(told, 1)
        await until(lambda: heard(told, 2) > 10)
        assert (heard(told, 1), door.connections[4].open, len(venue.talks)) == (after, 1, 2)
        assert [talk.frames for talk in venue.talks] == [[b"hello"], [b"hello"]]


async def test_the_new_one_is_told_when_it_has_said_its_opening() -> None:
    """ConnectionUp stands before the new one's first frame, and the frames of both bear their generation."""
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1))
        await until(lambda: heard(told, 2))
        up = next(place for place, m in enumerate(told) if isinstance(m, ConnectionUp) and m.generation == 2)
        assert heard(told[:up], 2) == 0


async def test_a_second_wish_while_one_is_under_way_or_done_is_ignored() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1), roll(1))
        await until(lambda: heard(told, 2))
        ask(door, roll(1), roll(2), roll(7))
        await asyncio.sleep(0.1)
        assert (len(venue.talks), door.connections[4].ignored) == (2, 4)


async def test_a_successor_that_does_not_open_is_tried_again_while_the_old_one_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.02, 0.02, 0.02))
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        venue.refuse = 3
        ask(door, roll(1))
        await until(lambda: venue.refused == 3)
        before = heard(told, 1)
        await until(lambda: ups(told) == [(1, False), (2, True)] and heard(told, 1) > before)
        assert (downs(told), door.connections[4].failed_attempts) == ([], 3)


async def test_when_the_old_one_dies_meanwhile_the_new_one_is_simply_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.02, 0.02, 0.02))
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        venue.refuse = 2
        ask(door, roll(1))
        await until(lambda: venue.refused)
        await venue.talks[0].close()
        await until(lambda: len(ups(told)) == 2)
        assert ups(told) == [(1, False), (2, False)]
        assert [generation for generation, _ in downs(told)] == [1]
        await until(lambda: heard(told, 2))
        assert door.connections[4].open == 1


async def test_a_successor_that_dies_before_it_was_let_in_is_tried_again() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1))
        await until(lambda: heard(told, 2))
        await venue.talks[1].close()
        await until(lambda: len(ups(told)) == 3)
        assert ups(told) == [(1, False), (2, True), (3, True)]
        assert [generation for generation, _ in downs(told)] == [2]
        assert door.connections[4].open == 2


async def test_whoever_releases_the_new_one_keeps_the_old_one_and_may_roll_again() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1))
        await until(lambda: heard(told, 2))
        ask(door, release(2))
        await asyncio.sleep(0.1)
        assert (door.connections[4].open, len(venue.talks), downs(told)) == (1, 2, [(2, "rolled")])
        ask(door, roll(1))
        await until(lambda: ups(told) == [(1, False), (2, True), (3, True)])


async def test_releasing_the_last_one_dials_anew_at_once() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        started = asyncio.get_running_loop().time()
        ask(door, release(1))
        await until(lambda: heard(told, 2))
        assert asyncio.get_running_loop().time() - started < 0.5
        assert kinds([m for m in told if not isinstance(m, Frame)]) == [
            "ConnectionUp",
            "ConnectionDown",
            "ConnectionUp",
        ]
        assert ups(told)[-1] == (2, False)
        assert len(venue.talks) == 2


async def test_releasing_one_that_is_gone_cuts_the_pause_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 60.0))
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        venue.refuse = 2
        await venue.talks[0].close()
        await until(lambda: venue.refused == 2)  # and now it would wait for half a minute or more
        await asyncio.sleep(0.05)
        assert len(venue.talks) == 1
        ask(door, release(1))
        await until(lambda: ups(told) == [(1, False), (2, False)])


async def test_whoever_releases_for_ever_does_not_keep_us_dialing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.01, 0.02, 60.0))
    async with scripted() as venue, running(venue.streams) as (door, told):
        for generation in range(1, 5):
            await until(lambda generation=generation: len(ups(told)) == generation)  # type: ignore[misc]
            ask(door, release(generation))
        await asyncio.sleep(0.1)
        assert len(venue.talks) == 4


@pytest.mark.parametrize("connects", [1, 3])
async def test_openings_keep_the_venues_pace_over_all_connections(connects: int) -> None:
    """Eight connections at one address; no span of the venue's sees more openings than it allows.

    Half a span is left for a busy machine: the venue notes an opening when it gets round to it.
    """
    limits: Limits = EASY._replace(connects=connects, connects_s=0.3)
    plans: list[ConnectionPlan] = [plan(f"/{n}") for n in range(8)]
    async with scripted() as venue, running(venue.streams, limits, plans) as (door, told):
        await until(lambda: len(venue.talks) == len(kinds(told)) == 8)
        at = sorted(talk.opened_s for talk in venue.talks)
        assert sorted(talk.path for talk in venue.talks) == [f"/{n}" for n in range(8)]
        assert all(later - earlier > 0.15 for earlier, later in zip(at, at[connects:], strict=False))
        assert (sum(c.open for c in door.connections.values()), kinds(told)) == (8, ["ConnectionUp"] * 8)


async def test_a_renewal_goes_to_both_of_an_overlap() -> None:
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        await until(lambda: heard(told, 1))
        ask(door, roll(1))
        await until(lambda: heard(told, 2))
        ask(door, Resubscribe(4, "BTCUSDT", Stream.DEPTH, "silent"))
        await until(lambda: all(len(talk.said) == 3 for talk in venue.talks))
        assert venue.talks[0].frames == venue.talks[1].frames == [b"hello", b"end BTCUSDT", b"begin BTCUSDT 1001"]


def assert_told_in_order(told: list[Message]) -> set[int]:
    """What may ever be told of one connection; returns the generations that are open at the end."""
    known, opened = 0, set[int]()
    for message in told:
        if isinstance(message, ConnectionUp):
            assert message.generation == known + 1, "every opening is the next generation"
            assert message.overlaps is bool(opened)
            known = message.generation
            opened.add(known)
            assert len(opened) <= 2
        elif isinstance(message, ConnectionDown):
            opened.remove(message.generation)
        elif isinstance(message, Frame):
            assert message.generation in opened
    return opened


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_asked_and_whatever_breaks_it_is_told_in_order_and_comes_back(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rolls, releases, renewals, cuts and refusals at random, five milliseconds apart; then peace."""
    monkeypatch.setattr(redial, "FIRST_DELAYS_S", (0.0, 0.01, 0.01, 0.01))
    monkeypatch.setattr(redial, "DELAY_MAX_S", 0.01)
    random = Random(seed)
    async with scripted(every_10_ms) as venue, running(venue.streams, plans=(HELLO,)) as (door, told):
        for _ in range(200):
            generation = max(door.connections[4].generation - random.randrange(3), 0)
            what = random.randrange(7)
            if what < 2:
                ask(door, roll(generation))
            elif what < 4:
                ask(door, release(generation))
            elif what == 4:
                ask(door, Resubscribe(4, "BTCUSDT", Stream.DEPTH, "test"))
            elif what == 5 and venue.talks:
                await venue.talks[-1].close()
            else:
                venue.refuse = random.randrange(3)
            await asyncio.sleep(0.005)
        venue.refuse = 0
        await until(lambda: assert_told_in_order(told))
        newest = max(assert_told_in_order(told))
        before = heard(told, newest)
        await until(lambda: heard(told, newest) > before)
        assert door.connections[4].generation > 5, "or nothing of this was tried"
        assert door.connections[4].open == len(assert_told_in_order(told))
