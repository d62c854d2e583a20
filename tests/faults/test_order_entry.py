"""The two ways for orders, end to end: REST for everything, and REST for cancels while the session is gone."""

from pathlib import Path

from bus.messages import TradingState
from tests.faults.harness import CONFIG, trading

BY_REST = CONFIG.replace("recv_window_ms = 1000", 'recv_window_ms = 1000\norder_entry = "rest"')
NOWHERE = "ws://127.0.0.1:1/ws-api/v3"


async def test_orders_and_cancels_go_by_rest_and_reports_come_by_the_stream(tmp_path: Path) -> None:
    async with trading(tmp_path, config=BY_REST) as play:
        await play.fills(2)
        await play.more_orders()
        doors = {row["door"] for row in await play.rows("requests") if row["kind"] in ("place", "cancel")}
        assert doors == {"rest"}
        assert await play.was_sent_once()
        assert await play.end() == []


async def test_orders_by_rest_survive_lost_answers_cuts_and_words_that_say_nothing(tmp_path: Path) -> None:
    async with trading(tmp_path, config=BY_REST) as play:
        await play.fault("answer-cut", operation="place", door="rest", count=2)
        await play.fault("unknown", operation="place", door="rest", outcome="either", status=503, count=2)
        await play.fault("unknown", operation="cancel", door="rest", outcome="either", code=-1007, count=2)
        await play.hit("answer-cut", 2)
        await play.hit("unknown", 4)
        await play.fills(1)
        await play.more_orders()
        assert await play.was_sent_once()
        assert await play.end() == []


async def test_without_a_session_cancels_go_by_rest_at_once_and_nothing_new_does(tmp_path: Path) -> None:
    """The venue's WebSocket API is gone and cannot be dialed; what works there is canceled all the same."""
    async with trading(tmp_path) as play:
        await play.until(lambda: play.orders["working"] > 0, "an order works")
        mark, url = play.mark(), play.engine.order_door._url
        play.engine.order_door._url = NOWHERE
        await play.control("disconnect", kind="api")
        await play.until(lambda: TradingState.CANCEL_ONLY in play.trading(mark), "nothing new is sent")
        sent = play.engine.order_door.orders_sent
        await play.until(lambda: play.orders["working"] == 0, "what works is canceled")
        canceled = [row for row in await play.rows("requests") if row["kind"] == "cancel" and row["door"] == "rest"]
        assert canceled
        assert play.engine.order_door.orders_sent == sent
        play.engine.order_door._url = url
        await play.until_active(mark)
        await play.more_orders()
        assert await play.end() == []
