"""Answers of a replica that lags: what is not in a list is not gone, and what is in it may be done."""

from pathlib import Path

from bus.messages import OrderStatus
from tests.faults.harness import trading
from tests.faults.shows import shows


@shows("query-lag-list")
async def test_an_old_list_concludes_nothing(tmp_path: Path) -> None:
    """A look each second, each answered as of three seconds ago: less than the venue may take, by the engine's own bound."""
    async with trading(tmp_path, hurry=False) as play:
        await play.fault("query-lag", lag_ms=3_000)
        await play.fills(2)
        await play.hit("query-lag", 6)
        await play.more_orders(8)
        await play.clear()
        await play.more_orders()
        rejected = {one for one, history in play.histories().items() if OrderStatus.REJECTED in history}
        assert rejected <= {row["client_order_id"] for row in await play.placed() if row["code"]}, "by the venue alone"
        assert await play.was_sent_once()
        assert await play.end() == []
