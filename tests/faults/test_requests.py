"""Requests that come late, are lost, refused for their number, or end in words that do not say what was done."""

from pathlib import Path
from typing import Any

import pytest

from bus.messages import DONE, OrderStatus, TradingState
from tests.faults.harness import ABSENT, SELDOM, UNKNOWN, trading
from tests.faults.shows import shows

REJECTED, ACCEPTED, CANCELED = OrderStatus.REJECTED, OrderStatus.ACCEPTED, OrderStatus.CANCELED

S = 1_000_000_000
WOULD_TAKE = -2010
ON_ITS_WAY_S = 0.05
"""What had left before the venue's word came may still arrive."""


def placed_within(placed: list[dict[str, Any]], from_ns: int, seconds: float) -> list[dict[str, Any]]:
    """New orders that the venue got in that time."""
    return [row for row in placed if ON_ITS_WAY_S * S < row["received_ns"] - from_ns < seconds * S]


@shows("request-delay")
async def test_a_slow_venue_is_waited_for(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("request-delay", operation="place", delay_ms=300, count=4)
        await play.hit("request-delay", 4)
        await play.more_orders()
        late = await play.hit_orders("request-delay")
        codes = {row["code"] for row in await play.placed() if row["client_order_id"] in late}
        assert codes <= {0, WOULD_TAKE}, "the market may have moved to a late post-only order; nothing else refuses it"
        assert await play.was_sent_once()
        assert await play.end() == []


@shows("request-delay-beyond")
async def test_an_order_past_its_own_deadline_is_refused_by_the_venue(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("request-delay", operation="place", delay_ms=1_300, count=3)
        await play.hit("request-delay", 3)
        late = await play.hit_orders("request-delay")
        await play.until(lambda: all(REJECTED in play.histories()[one] for one in late), "they are refused")
        codes = {row["client_order_id"]: row["code"] for row in await play.placed()}
        assert {codes[one] for one in late} == {-1021}
        await play.more_orders()
        assert await play.end() == []


@shows("request-lost-cancel")
async def test_a_lost_cancel_is_sent_again(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("request-lost", operation="cancel", count=4)
        await play.hit("request-lost", 4)
        lost = await play.hit_orders("request-lost")
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in lost), "they are done all the same")
        again = [history for one in lost if OrderStatus.UNKNOWN_CANCEL in (history := play.histories()[one])]
        assert CANCELED in [history[-1] for history in again]  # others were filled meanwhile
        assert await play.end() == []


@shows("unknown-done")
async def test_an_unknown_outcome_that_was_done_counts_once(tmp_path: Path) -> None:
    """Each of the venue's ways to say so, once. (An order that would take may be refused all the same: then it was not done.)"""
    hows = ({"code": -1007}, {"code": -1006}, {"status": 500}, {"status": 502}, {"status": 503}, {"status": 504})
    async with trading(tmp_path) as play:
        for after, how in enumerate(hows):
            await play.fault("unknown", operation="place", outcome="done", after=after, count=1, **how)
        await play.hit("unknown", len(hows))
        await play.fills(1)
        await play.more_orders()
        assert await play.was_sent_once()
        assert await play.end() == []


@shows("unknown-cancel")
async def test_an_unknown_cancel_is_asked_about(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("unknown", operation="cancel", outcome="either", code=-1007, count=5)
        await play.hit("unknown", 5)
        orders = await play.hit_orders("unknown")
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in orders), "they are done")
        await play.more_orders()
        assert await play.end() == []


@shows("unknown-query")
async def test_questions_that_fail_are_asked_again(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("unknown", door="rest", operation="query", status=503, outcome="not-done", count=4)
        await play.fault("unknown", door="rest", operation="account", status=503, outcome="not-done", count=4)
        await play.control("disconnect", kind="api")
        await play.hit("unknown", 4)
        await play.more_orders()
        assert "look_failed" in play.alerts(mark)
        assert await play.end() == []


@shows("rate-limited-place")
async def test_a_rate_limit_is_a_definite_no(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("rate-limited", operation="place", retry_s=1.0, count=4)
        await play.hit("rate-limited", 4)
        orders = await play.hit_orders("rate-limited")
        await play.until(lambda: all(play.histories()[one][-1] is REJECTED for one in orders), "they are rejected")
        assert not any(UNKNOWN.intersection(play.histories()[one]) for one in orders)
        await play.more_orders()
        assert await play.end() == []


@shows("rate-limited-orders-wait")
async def test_no_order_leaves_before_the_venue_wants_it(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("rate-limited", operation="place", retry_s=1.0, count=1)
        [row] = await play.hit("rate-limited")
        await play.until(lambda: play.engine.clock.now_ns() > row["time_ns"] + S, "that time passes")
        if wrong := await play.end():
            pytest.fail(f"{wrong}")  # no part of what the row is about
        assert placed_within(await play.placed(), row["time_ns"], 1.0) == []


@shows("rate-limited-query")
async def test_questions_wait_as_long_as_the_venue_says(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("rate-limited", door="rest", retry_s=3.0, count=1)
        await play.hit("rate-limited")
        await play.until(lambda: play.engine.rest.holds == 1, "it is obeyed")  # the next look is due within a second
        await play.until(lambda: play.engine.rest.refused > 0, "nothing leaves")
        await play.more_orders()
        assert play.engine.rest.holds == 1
        assert await play.end() == []


async def test_a_rate_limit_on_the_very_question_that_would_end_unknown(tmp_path: Path) -> None:
    """The answer is cut off, and the reconnect's first question is refused with 429: nothing is concluded meanwhile."""
    async with trading(tmp_path, config=SELDOM) as play:
        await play.fault("rate-limited", door="rest", operation="query", retry_s=2.0, count=1)
        mark = play.mark()
        await play.fault("answer-cut", operation="place", count=1)
        await play.hit("answer-cut")
        [order] = await play.hit_orders("answer-cut")
        [row] = await play.hit("rate-limited")
        await play.until(
            lambda: play.histories()[order][-1] in DONE, "it is proven, by the stream or when it may be asked"
        )
        assert not set(play.histories()[order]).intersection(ABSENT)
        await play.until_active(mark)
        asked = [one for one in await play.rows("requests") if one["door"] == "rest" and one["kind"] == "query"]
        assert not [one for one in asked if ON_ITS_WAY_S * S < one["received_ns"] - row["time_ns"] < 2 * S]
        await play.more_orders()
        assert await play.end() == []


@shows("banned")
async def test_a_ban_is_sat_out(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.until(lambda: play.orders["working"] > 0, "an order works")
        mark = play.mark()
        await play.fault("banned", seconds=1.0, count=1)
        [row] = await play.hit("banned")
        await play.until(lambda: TradingState.CANCEL_ONLY in play.trading(mark), "nothing new is sent")
        await play.fill_unseen()
        await play.more_orders()
        assert placed_within(await play.placed(), row["time_ns"], 1.0) == []
        assert await play.end() == []
