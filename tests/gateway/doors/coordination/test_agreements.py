"""Cooldowns, bands, the account's state and the watch: what every backend promises of them."""

import asyncio
import itertools
import time

import pytest

from gateway.doors.coordination.contract import (
    ACCOUNT_BYTES_MAX,
    REASON_LENGTH_MAX,
    Band,
    BandAnswer,
    Cooldown,
    Leader,
    Picture,
    Refused,
    TermOver,
)
from tests.gateway.doors.coordination.backends import SECOND_NS, Backend, above, campaigning, soon, until
from tests.support.holder import EPOCH

HOUR_NS = 3_600 * SECOND_NS
SOON_NS = time.time_ns() + HOUR_NS
ALL = 1 << 62  # a band that leaves nothing to others


async def test_a_cooldown_is_kept_by_the_group(backend: Backend) -> None:
    one, other = await backend.start("a"), await backend.start("b")
    held = Cooldown("BTCUSDT", SOON_NS, "stopped out")
    assert await one.hold_cooldown(backend.group, *held) == held
    assert await other.cooldowns(backend.group) == (held,)
    assert await other.cooldowns(backend.group + ".other") == ()


async def test_a_cooldown_is_never_shortened(backend: Backend) -> None:
    one = await backend.start("a")
    long = Cooldown("BTCUSDT", SOON_NS + 2, "long")
    assert await one.hold_cooldown(backend.group, "BTCUSDT", SOON_NS, "first") == Cooldown("BTCUSDT", SOON_NS, "first")
    assert await one.hold_cooldown(backend.group, *long) == long
    assert await one.hold_cooldown(backend.group, "BTCUSDT", SOON_NS + 1, "short") == long
    assert await one.cooldowns(backend.group) == (long,)


async def test_of_cooldowns_asked_at_once_the_longest_holds(backend: Backend) -> None:
    instances = [await backend.start(f"i{number}") for number in range(4)]
    asked = [(instances[number % 4], SOON_NS + (number * 7) % 20) for number in range(20)]
    answers = await asyncio.gather(
        *(one.hold_cooldown(backend.group, "BTCUSDT", end_ns, "all at once") for one, end_ns in asked)
    )
    assert all(answer.until_ns >= end_ns for answer, (_, end_ns) in zip(answers, asked, strict=True))
    assert [row.until_ns for row in await instances[0].cooldowns(backend.group)] == [max(end for _, end in asked)]


async def test_a_cooldown_outlives_who_asked_for_it(backend: Backend) -> None:
    one, term = await backend.leader()
    await one.hold_cooldown(backend.group, "BTCUSDT", SOON_NS, "stopped out")
    await one.resign(term)
    await one.close()
    other = await backend.start("b")
    assert await other.cooldowns(backend.group) == (Cooldown("BTCUSDT", SOON_NS, "stopped out"),)


async def test_cooldowns_long_past_are_removed_by_the_next(backend: Backend) -> None:
    one = await backend.start("a")
    past_ns = time.time_ns() - SECOND_NS
    for symbol, end_ns in (("OLD", past_ns - HOUR_NS), ("PAST", past_ns), ("NEW", SOON_NS)):
        await one.hold_cooldown(backend.group, symbol, end_ns, "")
    assert [row.symbol for row in await one.cooldowns(backend.group)] == ["NEW", "PAST"]


async def test_a_reason_is_cut(backend: Backend) -> None:
    one = await backend.start("a")
    held = await one.hold_cooldown(backend.group, "BTCUSDT", SOON_NS, "ü" * 5_000)
    assert held.reason == "ü" * REASON_LENGTH_MAX
    assert await one.cooldowns(backend.group) == (held,)


async def test_bands_that_do_not_meet_are_both_held(backend: Backend) -> None:
    one, low = await backend.leader("low-" + backend.scope)
    high = await soon(one.campaign("high-" + backend.scope, above))
    assert await one.put_band(low, backend.group, "BTCUSDT", 90, 100) == BandAnswer(True, 0, 0)
    assert await one.put_band(high, backend.group, "BTCUSDT", 99, 91) == BandAnswer(True, 90, 100)
    assert await one.bands(backend.group) == (
        Band("BTCUSDT", high.scope, 99, 91),
        Band("BTCUSDT", low.scope, 90, 100),
    )


@pytest.mark.parametrize(("bid_max", "ask_min"), [(100, 0), (0, 90), (ALL, 1), (101, 200), (1, 89)])
async def test_a_band_that_would_meet_another_is_refused_and_told_where(
    backend: Backend, bid_max: int, ask_min: int
) -> None:
    one, there = await backend.leader("there-" + backend.scope)
    mine = await soon(one.campaign(backend.scope, above))
    await one.put_band(there, backend.group, "BTCUSDT", 90, 100)
    await one.put_band(mine, backend.group, "BTCUSDT", 50, 150)
    assert await one.put_band(mine, backend.group, "BTCUSDT", bid_max, ask_min) == BandAnswer(False, 90, 100)
    assert Band("BTCUSDT", mine.scope, 50, 150) in await one.bands(backend.group, "BTCUSDT")


async def test_other_symbols_and_groups_never_meet(backend: Backend) -> None:
    one, first = await backend.leader("first-" + backend.scope)
    second = await soon(one.campaign(backend.scope, above))
    await one.put_band(first, backend.group, "BTCUSDT", ALL, 1)
    assert (await one.put_band(second, backend.group, "ETHUSDT", ALL, 1)).granted
    assert (await one.put_band(second, backend.group + ".other", "BTCUSDT", ALL, 1)).granted
    assert await one.bands(backend.group, "ETHUSDT") == (Band("ETHUSDT", second.scope, ALL, 1),)


async def test_a_band_replaces_the_scopes_last(backend: Backend) -> None:
    one, term = await backend.leader()
    for band in ((ALL, 1), (90, 100), (0, 0)):
        assert await one.put_band(term, backend.group, "BTCUSDT", *band) == BandAnswer(True, 0, 0)
    assert await one.bands(backend.group) == (Band("BTCUSDT", term.scope, 0, 0),)


async def test_of_100_crossing_pairs_put_at_once_exactly_one_each_is_admitted(backend: Backend) -> None:
    """Each pair on a symbol of its own, both sides from instances of their own."""
    bidder, bids = await backend.leader("bids-" + backend.scope, "bidder")
    asker, asks = await backend.leader("asks-" + backend.scope, "asker")
    symbols = [f"S{number}" for number in range(100)]
    answers = await asyncio.gather(
        *(bidder.put_band(bids, backend.group, symbol, 100, 0) for symbol in symbols),
        *(asker.put_band(asks, backend.group, symbol, 0, 100) for symbol in symbols),
    )
    admitted = [answers[number].granted + answers[number + 100].granted for number in range(100)]
    assert admitted == [1] * 100
    assert len(await bidder.bands(backend.group)) == 100


async def test_of_many_scopes_on_one_symbol_no_two_meet(backend: Backend) -> None:
    """All at once: five that bid and five that ask at one price; one side is in, whole."""
    terms = [await backend.leader(f"{number}-{backend.scope}", f"i{number}") for number in range(10)]
    answers = await asyncio.gather(
        *(
            one.put_band(term, backend.group, "BTCUSDT", *((100, 0) if number % 2 else (0, 100)))
            for number, (one, term) in enumerate(terms)
        )
    )
    sides = [{answer.granted for answer in answers[side::2]} for side in (0, 1)]
    assert sides in ([{True}, {False}], [{False}, {True}])


async def test_a_successor_inherits_the_band_and_its_predecessor_cannot_narrow_it(backend: Backend) -> None:
    first, old = await backend.leader()
    await first.put_band(old, backend.group, "BTCUSDT", 90, 100)
    second = await backend.start("b")
    async with campaigning(second, backend.scope) as campaign:
        await first.resign(old)
        new = await soon(campaign)
    assert await second.bands(backend.group) == (Band("BTCUSDT", backend.scope, 90, 100),)
    with pytest.raises(TermOver, match=f"b leads with epoch {new.epoch}"):
        await first.put_band(old, backend.group, "BTCUSDT", 0, 0)
    with pytest.raises(TermOver):
        await first.drop_band(old, backend.group, "BTCUSDT")
    assert (await second.put_band(new, backend.group, "BTCUSDT", 80, 110)).granted
    assert await second.bands(backend.group) == (Band("BTCUSDT", backend.scope, 80, 110),)


async def test_a_dropped_band_is_no_peer(backend: Backend) -> None:
    one, term = await backend.leader()
    await one.put_band(term, backend.group, "BTCUSDT", 0, 0)
    await one.drop_band(term, backend.group, "BTCUSDT")
    await one.drop_band(term, backend.group, "BTCUSDT")
    assert await one.bands(backend.group) == ()


async def test_the_account_is_left_for_a_successor(backend: Backend) -> None:
    one, term = await backend.leader()
    assert await one.get_account(backend.scope) is None
    for state in (b"first", bytes(range(256)), b"x" * ACCOUNT_BYTES_MAX):
        await one.put_account(term, state)
    await one.resign(term)
    other = await backend.start("b")
    assert await other.get_account(backend.scope) == b"x" * ACCOUNT_BYTES_MAX


async def test_a_state_too_large_is_refused(backend: Backend) -> None:
    one, term = await backend.leader()
    with pytest.raises(Refused, match=str(ACCOUNT_BYTES_MAX)):
        await one.put_account(term, b"x" * (ACCOUNT_BYTES_MAX + 1))


async def test_a_watch_sees_all_there_is_and_each_change(backend: Backend) -> None:
    watcher = await backend.start("watcher")
    pictures: list[Picture] = []
    watching = watcher.watch(backend.group, backend.scope, pictures.append)
    await until(lambda: pictures)
    one, term = await backend.leader()
    led = Leader(backend.scope, EPOCH + 1, "a")
    await until(lambda: pictures[-1].leader == led)
    held = await one.hold_cooldown(backend.group, "BTCUSDT", SOON_NS, "stopped out")
    await until(lambda: pictures[-1].cooldowns == (held,))
    await one.put_band(term, backend.group, "BTCUSDT", 90, 100)
    await until(lambda: pictures[-1].bands == (Band("BTCUSDT", backend.scope, 90, 100),))
    await one.resign(term)
    await until(lambda: pictures[-1] == Picture(None, (held,), (Band("BTCUSDT", backend.scope, 90, 100),)))
    assert pictures[0] == Picture(None, (), ())
    assert all(before != after for before, after in itertools.pairwise(pictures))
    assert (watching.trouble, watching.seen_ns > 0) == ("", True)


async def test_a_watch_that_was_closed_says_no_more(backend: Backend) -> None:
    one, term = await backend.leader()
    kept: list[Picture] = []
    closed: list[Picture] = []
    one.watch(backend.group, backend.scope, kept.append)
    watching = one.watch(backend.group, backend.scope, closed.append)
    await until(lambda: kept and closed)
    await watching.close()
    await one.put_band(term, backend.group, "BTCUSDT", 90, 100)
    await until(lambda: len(kept) == 2)
    assert len(closed) == 1


async def test_a_listeners_mistake_does_not_end_the_watch(backend: Backend) -> None:
    one, term = await backend.leader()
    pictures: list[Picture] = []
    mistakes: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(str(context["exception"])))

    def listen(picture: Picture) -> None:
        pictures.append(picture)
        raise ValueError("a mistake")

    one.watch(backend.group, backend.scope, listen)
    await until(lambda: len(pictures) == 1)
    await one.put_band(term, backend.group, "BTCUSDT", 90, 100)
    await until(lambda: len(pictures) == 2)
    assert mistakes == ["a mistake", "a mistake"]
