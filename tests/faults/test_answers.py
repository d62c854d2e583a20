"""Answers that come late, twice, never or in the wrong order; and executions that come behind the end of their order."""

from pathlib import Path

from bus.messages import DONE, Fill, OrderStatus, TradingState
from tests.faults.harness import TAKING, UNKNOWN, trading
from tests.faults.shows import shows

ACCEPTED, CANCELED, FILLED = OrderStatus.ACCEPTED, OrderStatus.CANCELED, OrderStatus.FILLED
SUSPECT, UNKNOWN_NEW = OrderStatus.SUSPECT, OrderStatus.UNKNOWN_NEW


@shows("answer-delay")
async def test_a_late_answer_changes_nothing(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("answer-delay", door="api", delay_ms=[100, 900])
        await play.hit("answer-delay", 8)
        await play.fills(2)
        await play.clear()
        await play.more_orders()
        histories = play.histories()
        assert not any(UNKNOWN.intersection(histories[one]) for one in await play.hit_orders("answer-delay"))
        assert await play.end() == []


@shows("answer-lost")
async def test_an_order_without_an_answer_is_proven_by_its_report(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("answer-lost", operation="place", count=5)
        await play.hit("answer-lost", 5)
        await play.fills(1)
        await play.more_orders()
        histories = play.histories()
        for order in await play.hit_orders("answer-lost"):
            assert {ACCEPTED, FILLED, OrderStatus.PARTIALLY_FILLED}.intersection(histories[order])
        assert await play.was_sent_once()
        assert await play.end() == []


@shows("answer-lost-blind")
async def test_an_order_without_answer_and_report_is_found_by_a_query(tmp_path: Path) -> None:
    """Goal: nothing but the venue's word ends UNKNOWN. Method: orders are answered by neither answer nor report for as
    long as it takes to doubt them; the crowd fills some, which only the venue knows.
    """
    async with trading(tmp_path) as play:
        await play.fault("answer-lost", operation="place")
        await play.fault("user-drop")
        await play.hit("answer-lost", 2)
        orders = await play.hit_orders("answer-lost")
        await play.until(lambda: all(UNKNOWN_NEW in play.histories()[one] for one in orders[:2]), "they are UNKNOWN")
        await play.sweep()
        await play.clear()
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in orders), "each has an end")
        await play.more_orders()
        assert await play.was_sent_once()
        assert await play.end() == []


@shows("answer-lost-cancel")
async def test_a_cancel_without_an_answer_is_proven_by_its_report(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("answer-lost", operation="cancel", count=4)
        await play.hit("answer-lost", 4)
        orders = await play.hit_orders("answer-lost")
        await play.until(lambda: all(play.histories()[one][-1] in DONE for one in orders), "they are done")
        assert not any(UNKNOWN.intersection(play.histories()[one]) for one in orders)
        await play.more_orders()
        assert await play.end() == []


@shows("answer-double")
async def test_two_answers_are_one(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("answer-double")
        await play.hit("answer-double", 8)
        await play.fills(1)
        await play.more_orders()
        assert await play.was_sent_once()
        assert not any(UNKNOWN.intersection(one) for one in play.histories().values())
        assert await play.end() == []


@shows("answer-cut")
async def test_an_order_whose_answer_was_cut_off_is_found(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        for times in (1, 2):
            mark = play.mark()
            await play.fault("answer-cut", operation="place", count=1)
            await play.hit("answer-cut", times)
            await play.sweep()
            await play.until_active(mark)
            assert play.trading(mark)[0] is TradingState.CANCEL_ONLY
        orders = await play.hit_orders("answer-cut")
        assert all(play.histories()[one][-1] in (CANCELED, FILLED) for one in orders)
        await play.more_orders()
        assert await play.was_sent_once()
        assert await play.end() == []


@shows("events-first")
async def test_events_before_the_answer_are_taken_as_they_come(tmp_path: Path) -> None:
    async with trading(tmp_path, config=TAKING) as play:
        await play.fault("events-first")
        await play.hit("events-first", 8)
        await play.more_orders()
        for history in play.histories().values():
            assert not UNKNOWN.intersection(history)
            assert [status in DONE for status in history] == sorted(status in DONE for status in history)
        assert await play.end() == []


@shows("fill-after-cancel")
async def test_a_fill_after_the_cancel_is_booked(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("fill-after-cancel", count=3)
        await play.hit("fill-after-cancel", 3)
        orders = await play.hit_orders("fill-after-cancel")
        await play.until(
            lambda: {fill.client_order_id for fill in play.journal(Fill) if fill.late}.issuperset(orders),
            "their fills are booked as late ones",
        )
        assert all(play.histories()[one][-1] is CANCELED for one in orders)
        await play.more_orders()
        assert await play.end() == []


@shows("fill-after-cancel-known")
async def test_a_fill_that_the_cancel_announces_is_waited_for(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("fill-after-cancel", stale=False, count=3)
        await play.hit("fill-after-cancel", 3)
        orders = await play.hit_orders("fill-after-cancel")
        await play.until(lambda: {f.client_order_id for f in play.journal(Fill)}.issuperset(orders), "they are booked")
        for order in orders:
            history = play.histories()[order]
            assert history[-1] is CANCELED
            assert SUSPECT in history
        await play.more_orders()
        assert await play.end() == []
