"""Connections that are cut or announced to be: nothing is quoted blindly, nothing of meanwhile is missed."""

from pathlib import Path

from bus.messages import BookState, OrderStatus, TradingState
from tests.faults.harness import SELDOM, trading
from tests.faults.shows import shows

ACTIVE, CANCEL_ONLY = TradingState.ACTIVE, TradingState.CANCEL_ONLY


@shows("disconnect-market")
async def test_a_cut_feed_pulls_the_quotes_and_comes_back(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("disconnect", connections="market", period_s=0.05, count=1)
        await play.hit("disconnect")
        await play.until(lambda: play.books(mark) != [], "the book is taken away")
        assert play.books(mark)[0] is not BookState.LIVE
        await play.more_orders()
        assert play.trading(mark) == []  # the order connection stands
        assert await play.end() == []


@shows("disconnect-api")
async def test_a_cut_order_connection_is_reconciled_before_trading_goes_on(tmp_path: Path) -> None:
    """A fill that nobody told us of is found by the reconnect's look: the periodic ones are half a minute apart."""
    async with trading(tmp_path, config=SELDOM) as play:
        await play.fault("user-drop")
        made = await play.fill_unseen()
        mark = play.mark()
        await play.clear()
        await play.fault("disconnect", connections="api", period_s=0.01, count=1)
        await play.hit("disconnect")
        await play.until_active(mark)
        assert play.trading(mark) == [CANCEL_ONLY, ACTIVE]
        assert play.orders["fills"] >= made
        await play.more_orders()
        assert await play.end() == []


@shows("disconnect-all")
async def test_everything_cut_again_and_again(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("disconnect", connections="all", period_s=0.4, count=3)
        await play.hit("disconnect", 3)
        await play.fills(1)
        await play.more_orders()
        assert CANCEL_ONLY in play.trading(mark)
        assert await play.end() == []


@shows("server-shutdown")
async def test_an_announced_shutdown_is_rolled_over(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark, opened = play.mark(), (await play.ask("/control/streams"))["opened"]
        await play.fault("server-shutdown", seconds=2.0, period_s=0.05, count=1)
        await play.hit("server-shutdown")
        await play.until(lambda: play.engine.views()["market_data"]["rolls"] > 0, "the book has moved")
        await play.more_orders()
        assert play.believed(mark)
        assert (await play.ask("/control/streams"))["opened"] == opened + 1
        assert await play.end() == []


async def test_an_order_that_a_cut_lost_is_given_up(tmp_path: Path) -> None:
    """What every test that cuts the order connection may meet: an order on its way just then, which never arrived."""
    async with trading(tmp_path) as play:
        await play.fault("request-lost", operation="place", count=1)
        await play.hit("request-lost")
        [lost] = await play.hit_orders("request-lost")
        await play.fault("disconnect", connections="api", period_s=0.01, count=1)
        await play.hit("disconnect")
        assert await play.end() == []
        assert play.histories()[lost][-1] is OrderStatus.REJECTED
