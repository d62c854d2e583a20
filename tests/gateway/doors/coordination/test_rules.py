"""What both backends decide by: bands that meet, the next epoch, and a term by its holder's clock."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orders import ids
from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    EPOCH_MAX,
    Band,
    BandAnswer,
    EpochsExhausted,
    Refused,
    TermOver,
    Unreachable,
    judge_band,
    next_epoch,
)
from gateway.doors.coordination.lease import deadline_ns, keep
from gateway.doors.coordination.term import MARGIN_NS_MAX, Term, margin_ns
from ops import state

MS = 1_000_000
prices = st.integers(0, 8)
bands = st.builds(Band, st.sampled_from(["A", "B"]), st.sampled_from("xyz"), prices, prices)


@given(bands, st.lists(bands, max_size=4, unique_by=lambda band: band.scope))
def test_a_granted_band_holds_no_order_that_could_trade_with_anothers(mine: Band, others: list[Band]) -> None:
    """Against every pair of prices: a bid trades with an ask at or below it."""
    theirs = [band for band in others if (band.symbol, band.scope != mine.scope) == (mine.symbol, True)]
    could_trade = any(
        (0 < one.ask_min <= ask and bid <= other.bid_max and bid >= ask)
        for band in theirs
        for one, other in ((mine, band), (band, mine))
        for bid in range(1, 10)
        for ask in range(1, 10)
    )
    answer = judge_band(mine, tuple(others))
    assert answer.granted is not could_trade
    assert answer.theirs_bid_max == max((band.bid_max for band in theirs), default=0)
    assert answer.theirs_ask_min == min((band.ask_min for band in theirs if band.ask_min), default=0)


def test_the_own_band_is_no_obstacle() -> None:
    assert judge_band(Band("A", "x", 9, 1), (Band("A", "x", 5, 5),)) == BandAnswer(True, 0, 0)


@pytest.mark.parametrize(
    ("counter", "above", "epoch"), [(0, 0, 1), (3, 9, 10), (9, 3, 10), (0, EPOCH_MAX - 1, EPOCH_MAX)]
)
def test_the_next_epoch_is_above_both(counter: int, above: int, epoch: int) -> None:
    assert next_epoch("scope", counter, above) == epoch


@pytest.mark.parametrize(("counter", "above"), [(EPOCH_MAX, 0), (0, EPOCH_MAX)])
def test_there_is_no_epoch_behind_the_last(counter: int, above: int) -> None:
    with pytest.raises(EpochsExhausted, match="scope"):
        next_epoch("scope", counter, above)


def test_all_rooms_have_the_same_last_epoch() -> None:
    """They may not import each other."""
    assert EPOCH_MAX == ids.EPOCH_MAX == state.EPOCH_MAX


@pytest.mark.parametrize(("ttl_ms", "margin_ms"), [(1_000, 300), (1_666, 499.8), (2_000, 500), (60_000, 500)])
def test_the_margin_is_a_part_of_the_time_to_live_and_bounded(ttl_ms: int, margin_ms: float) -> None:
    assert margin_ns(ttl_ms * MS) == margin_ms * MS
    assert margin_ns(ttl_ms * MS) <= MARGIN_NS_MAX
    assert deadline_ns(1_000, ttl_ms * MS) == 1_000 + ttl_ms * MS - margin_ns(ttl_ms * MS)


def test_a_keep_alive_never_shortens_and_never_revives() -> None:
    term = Term("scope", 1, "a", 1, 100)
    term.extend(200)
    term.extend(150)
    assert term.left_ns(120) == 80
    term.end("first reason")
    term.end("second reason")
    term.extend(10_000)
    assert term.left_ns(0) < 0
    assert term.reason == "first reason"


async def kept(renew: Callable[[], Awaitable[int]], ttl_ns: int = 40 * MS) -> str:
    """Why a term ends that is renewed like that."""
    term = Term("scope", 1, "a", 1, boottime_ns() + ttl_ns)
    await asyncio.wait_for(keep(term, ttl_ns, renew), 30)
    return term.reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TermOver("scope", 1, "b leads"), "b leads"),
        (Unreachable("there", "keep", "gone"), f"not kept alive in time: {Unreachable('there', 'keep', 'gone')}"),
        (Refused("there", "keep", "no space"), "not kept alive in time: keep: there refused: no space"),
    ],
)
async def test_a_term_that_cannot_be_renewed_ends_and_says_why(error: Exception, reason: str) -> None:
    async def renew() -> int:
        raise error

    assert await kept(renew) == reason


async def test_a_store_that_does_not_answer_ends_the_term() -> None:
    async def renew() -> int:
        return await asyncio.get_running_loop().create_future()

    assert await kept(renew) == "not kept alive in time: no answer in time"


async def test_a_term_that_ends_elsewhere_is_no_longer_renewed() -> None:
    renewed: list[int] = []

    async def renew() -> int:
        renewed.append(1)
        return 0

    term = Term("scope", 1, "a", 1, boottime_ns() + 3_600_000 * MS)
    keeping = asyncio.create_task(keep(term, 14_400_000 * MS, renew))
    await asyncio.sleep(0)
    term.end("resigned")
    await asyncio.wait_for(keeping, 30)
    assert (renewed, term.reason) == ([], "resigned")
