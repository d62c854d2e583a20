"""The venue itself: its clock, what it trades and in which grid, and what it says that we own."""

from pathlib import Path

import pytest

from bus.messages import OrderStatus, TradingState
from gateway.doors import session
from tests.faults.harness import CONFIG, Play, trading
from tests.faults.shows import shows

WOULD_TAKE = -2010
REJECTED = OrderStatus.REJECTED
ACTIVE, CANCEL_ONLY, REDUCING = TradingState.ACTIVE, TradingState.CANCEL_ONLY, TradingState.REDUCING
OFTEN = CONFIG.replace("recv_window_ms", "metadata_interval_s = 1\nrecv_window_ms")
"""The venue's metadata are read each second, so that a test need not wait ten minutes."""


def offset_ms(play: Play) -> float:
    return play.engine.venue_time.offset_ns / 1e6


@pytest.fixture
def asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue's time is asked twice a second in place of once in ten."""
    monkeypatch.setattr(session, "TIME_INTERVAL_S", 0.5)


@shows("clock-skew")
@pytest.mark.usefixtures("asked_often")
async def test_a_small_step_of_the_venues_clock_is_followed(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("clock-skew", offset_ms=300)
        await play.until(lambda: offset_ms(play) > 200, "the step is measured")
        await play.more_orders()
        await play.fills(1)
        assert play.trading(mark) == []
        await play.clear()
        await play.until(lambda: offset_ms(play) < 100, "the step back, too")
        await play.more_orders()
        assert await play.end() == []


@shows("clock-skew-beyond")
@pytest.mark.usefixtures("asked_often")
async def test_a_venue_whose_clock_is_off_is_not_traded_on(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("clock-skew", offset_ms=-4_000)
        await play.until(lambda: play.trading(mark) == [CANCEL_ONLY], "nothing new is sent")
        assert "clock_off" in play.alerts(mark)
        await play.clear()
        await play.until_active(mark)
        await play.more_orders()
        assert await play.end() == []


@shows("clock-skew-asked")
async def test_a_refused_timestamp_asks_the_time_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual question comes much later than this test lasts."""
    monkeypatch.setattr(session, "TIME_INTERVAL_S", 600.0)
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("clock-skew", offset_ms=-4_000)
        await play.until(lambda: play.trading(mark) == [CANCEL_ONLY], "nothing new is sent")
        assert sum(REJECTED in history for history in play.histories().values()) < 5
        await play.clear()
        assert await play.end() == []


@shows("halt")
async def test_a_halted_symbol_is_left_alone_until_it_trades(tmp_path: Path) -> None:
    async with trading(tmp_path, config=OFTEN) as play:
        states = play.engine.supervisor.trading
        (scope,) = [f"instrument:{number}" for number in play.engine.traded]
        await play.fault("halt", symbol="BTCUSDT", status="BREAK", seconds=2.0)
        await play.until(lambda: states.get(scope) is CANCEL_ONLY, "the instrument is closed")
        await play.until(lambda: play.orders["working"] == 0, "its quotes are pulled")
        await play.until(lambda: states.get(scope) is ACTIVE, "the instrument is open")
        await play.more_orders()
        assert await play.end() == []


@shows("filters")
async def test_another_grid_is_taken_over_while_orders_rest(tmp_path: Path) -> None:
    async with trading(tmp_path, config=OFTEN) as play:
        await play.until(lambda: play.orders["working"] > 0, "an order works")
        [before] = play.engine.traded.values()
        await play.fault("filters", symbol="BTCUSDT", tick_size="0.05", step_size="0.0001")
        await play.until(lambda: [row.tick for row in play.engine.traded.values()] != [before.tick], "a new version")
        placed = len(await play.placed())
        await play.more_orders()
        rows = (await play.placed())[placed:]
        assert {row["code"] for row in rows} <= {0, WOULD_TAKE}
        assert all(int(row["price"].replace(".", "")) % 5_000_000 == 0 for row in rows)
        assert not any(OrderStatus.UNKNOWN_NEW in one for one in play.histories().values())
        assert await play.end() == []


@shows("balance-wrong")
async def test_a_wrong_balance_leaves_only_what_reduces(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("balance-wrong", asset="USDT", amount="-100")
        await play.fills(1)
        assert play.trading(mark) == []  # what an event says of a balance is of a moment, and compared with nothing
        await play.control("disconnect", kind="api")
        await play.until(lambda: REDUCING in play.trading(mark), "only what reduces")
        assert "ledger_differs" in play.alerts(mark)
        assert set(play.engine.supervisor.differences) == {"USDT"}
        await play.clear()
        assert await play.end() == []


@shows("balance-wrong-gone")
async def test_a_balance_that_is_right_again_lets_us_trade(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("balance-wrong", asset="BTC", amount="0.001")
        await play.control("disconnect", kind="api")
        await play.until(lambda: REDUCING in play.trading(mark), "only what reduces")
        await play.clear()
        await play.control("disconnect", kind="api")
        await play.until_active(mark)
        await play.more_orders()
        assert await play.end() == []
