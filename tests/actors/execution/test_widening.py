"""Quotes stand further off while we are slow; what closes a position does not."""

import msgspec
import pytest

from actors.execution import Execution
from actors.execution.pricing import widened
from actors.execution.slots import ExecutionState
from bus.messages import EngineStarted, LimitsTightened, OrderStatus, Side, TradingState
from tests.actors.execution.builders import ASK, BID, SECOND, Desk, brief, instrument, intent, position, state, touch

CALM = LimitsTightened(0, 0, 0, "calm")
ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState


def tightened(ticks: int = 3, ppm: int = 0) -> LimitsTightened:
    return LimitsTightened(1, ticks, 0, "slow", ppm)


@pytest.mark.parametrize(
    ("side", "ticks", "ppm", "stands"),
    [(1, 3, 0, 9_987), (-1, 3, 0, 9_993), (1, 1, 400, 9_987), (-1, 9, 400, 9_999), (1, 1, 10, 9_989), (1, 0, 0, 9_990)],
)
def test_the_larger_of_both_widths_counts(side: int, ticks: int, ppm: int, stands: int) -> None:
    assert widened(side, 9_990, ticks, ppm) == stands


def test_resting_quotes_step_back_at_once_and_come_back_in_their_time() -> None:
    desk = Desk()
    desk.rest(Side.BUY, Side.SELL)
    out = brief(desk.tell(tightened()))
    assert sorted(out) == [("cancel", "x0"), ("cancel", "x1"), ("new", "BUY", 9_987, 10), ("new", "SELL", 10_013, 10)]
    for old, new in (("x0", "x2"), ("x1", "x3")):
        desk.update(old, OrderStatus.CANCELED)
        desk.update(new, OrderStatus.ACCEPTED)
    assert brief(desk.tell(CALM)) == [], "nearer is no emergency: the orders are young"
    desk.now += SECOND
    assert sorted(brief(desk.tell(CALM)))[2:] == [("new", "BUY", BID, 10), ("new", "SELL", ASK, 10)]


def test_new_wishes_and_moving_touches_keep_the_width() -> None:
    desk = Desk()
    desk.tell(tightened())
    assert brief(desk.tell(intent(ask_lots=10))) == [("new", "BUY", 9_987, 10), ("new", "SELL", 10_013, 10)]
    assert brief(desk.tell(touch(BID, ASK), SECOND)) == []


def test_exits_and_crossing_orders_are_not_widened() -> None:
    """They are judged by what they close, and every tick of width would keep it open for longer."""
    desk = Desk()
    desk.tell(position(10))
    desk.tell(tightened())
    out = desk.tell(intent(bid_lots=0, ask=10_001, ask_lots=10, owner="exits", reduce_only=True))
    assert brief(out) == [("new", "SELL", 10_001, 10)]
    assert brief(desk.tell(tightened(9))) == []


def test_the_width_outlives_a_checkpoint_and_not_a_start() -> None:
    desk = Desk()
    desk.tell(tightened(3, 50))
    again = Execution(desk.settings)
    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(desk.execution.checkpoint()), type=ExecutionState))
    assert (again.planner.widen_ticks, again.planner.widen_ppm) == (3, 50)
    again.receive(EngineStarted(0, 2), desk.now)
    assert (again.planner.widen_ticks, again.planner.widen_ppm) == (0, 0)


@pytest.mark.parametrize(("venue", "stays"), [(0, False), (4, True)])
def test_a_venues_state_holds_its_instruments_alone(venue: int, stays: bool) -> None:
    desk = Desk()
    desk.rest()
    assert brief(desk.tell(state(CANCEL_ONLY, f"venue:{venue}"))) == ([] if stays else [("cancel", "x0")])
    desk.tell(instrument(instrument=1, venue=4))
    desk.tell(touch(instrument=1))
    there = desk.tell(intent(instrument=1, venue=4))
    assert brief(there) == ([] if stays else [("new", "BUY", BID, 10)])
