"""A private stream that loses, repeats, reorders or delays its words, says nothing, ends, or uses words nobody knows."""

from pathlib import Path

from bus.messages import DONE, OrderStatus, TradingState
from tests.faults.harness import SELDOM, trading
from tests.faults.shows import shows


@shows("user-drop")
async def test_lost_reports_are_found_by_looking(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.until(lambda: play.orders["working"] > 0, "an order works")
        known = play.orders["fills"]
        await play.fault("user-drop")
        made = await play.fill_unseen()
        await play.hit("user-drop")
        await play.until(lambda: play.orders["fills"] >= made > known, "the fills are found")
        await play.clear()
        await play.more_orders()
        assert await play.end() == []


@shows("user-double")
async def test_reports_that_come_twice_count_once(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("user-double")
        await play.fills(3)
        await play.more_orders()
        await play.hit("user-double", 10)
        assert play.count("execution_repeated") > 0
        assert await play.end() == []


@shows("user-reorder")
async def test_reports_in_another_order_end_the_same(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("user-reorder")
        await play.fills(3)
        await play.more_orders()
        await play.hit("user-reorder", 10)
        await play.clear()
        assert await play.end() == []


@shows("user-delay")
async def test_late_reports_end_the_same(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("user-delay", delay_ms=[200, 600])
        await play.fills(2)
        await play.more_orders()
        await play.hit("user-delay", 10)
        await play.clear()
        assert await play.end() == []


@shows("user-stall")
async def test_a_silent_private_stream_loses_no_fill(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.until(lambda: play.orders["working"] > 0, "an order works")
        known = play.orders["fills"]
        await play.fault("user-stall", seconds=3.0, count=1)
        await play.hit("user-stall")
        made = await play.fill_unseen()
        await play.until(lambda: play.orders["fills"] >= made > known, "the fills are found")
        await play.more_orders()
        assert await play.end() == []


@shows("user-stall-suspect")
async def test_a_silent_private_stream_is_noticed(tmp_path: Path) -> None:
    """By itself, sooner than by the next look: those are half a minute apart here, as they are by default."""
    async with trading(tmp_path, config=SELDOM) as play:
        await play.more_orders()
        mark = play.mark()
        await play.fault("user-stall", seconds=3.0, count=1)
        await play.hit("user-stall")
        await play.until(lambda: "private_stream_suspect" in play.alerts(mark), "it is noticed")
        assert play.trading(mark)[:1] == [TradingState.CANCEL_ONLY]
        await play.until(lambda: play.count("private_stream_given_up") + play.count("private_stream_cleared"), "judged")
        assert await play.end() == []


@shows("user-end")
async def test_an_ended_subscription_is_opened_again(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("user-end", count=1)
        await play.hit("user-end")
        await play.sweep()
        await play.until_active(mark)
        assert play.trading(mark)[0] is TradingState.CANCEL_ONLY
        await play.fills(1)
        await play.more_orders()
        assert await play.end() == []


@shows("expired-in-match")
async def test_an_order_expired_by_the_venue_is_over(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("expired-in-match", period_s=0.3, count=3)
        await play.hit("expired-in-match", 3)
        orders = await play.hit_orders("expired-in-match")
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in orders), "they are done")
        assert {play.histories()[one][-1] for one in orders} == {OrderStatus.STP_EXPIRED}
        await play.more_orders()
        assert await play.end() == []


@shows("unknown-status")
async def test_an_unknown_word_is_told_and_drops_nothing(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("unknown-status", every=2, count=4)
        await play.hit("unknown-status", 4)
        await play.fills(2)
        await play.more_orders()
        assert "unknown_order_status" in play.alerts()
        orders = await play.hit_orders("unknown-status")
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in orders), "each has an end")
        assert await play.was_sent_once()
        assert await play.end() == []
