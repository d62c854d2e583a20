"""Owners of rank, orders that reduce, orders that cross: who gives way, how large, and what waits for what."""

from typing import Any

import msgspec
import pytest

from bus.messages import (
    Control,
    EngineStarted,
    Fill,
    OperatorCommand,
    OrderCommand,
    OrderRefused,
    OrderStatus,
    QuoteIntent,
    Refusal,
    Side,
    TimerFired,
    TradingState,
)
from tests.actors.execution.builders import (
    ASK,
    BID,
    MS,
    NOW,
    SECOND,
    Desk,
    brief,
    instrument,
    intent,
    position,
    state,
    touch,
)

BUY, SELL = Side.BUY, Side.SELL


def exits(lots: int = 100, ask: int = ASK, **given: Any) -> QuoteIntent:
    """Sell this many of a long position."""
    return intent(**{"bid_lots": 0, "ask": ask, "ask_lots": lots, "owner": "exits", "reduce_only": True, **given})


def fill(desk: Desk, side: Side, lots: int) -> None:
    """Of an order of ours, as it is told before its OrderUpdate."""
    quantities = (lots, lots, 0, 0, "", True, False, desk.now)
    desk.tell(Fill(desk.number, 0, 0, 0, 1, "", "", 1, desk.number, side, 0, *quantities))


def holding(lots: int = 100, **given: Any) -> Desk:
    desk = Desk(**given)
    desk.tell(position(lots))
    return desk


def sweep(desk: Desk) -> list[tuple[Any, ...]]:
    generation = desk.execution.planner.generation
    return brief(list(desk.execution.receive(TimerFired("execution", 0, generation, desk.now), desk.now)))


def quoting(lots: int = 100) -> Desk:
    """Long, with the strategy's bid x0 and ask x1 of 10 at the touch."""
    desk = holding(lots)
    desk.rest(BUY, SELL)
    return desk


# Rank


def test_while_exits_act_a_strategy_is_held_at_nothing() -> None:
    desk = quoting()
    assert brief(desk.tell(exits(80)))[:2] == [("cancel", "x0"), ("cancel", "x1")]
    desk.update("x0", OrderStatus.CANCELED)
    desk.update("x1", OrderStatus.CANCELED)
    for _ in range(3):
        assert desk.tell(intent(ask_lots=10)) == []
    counters = desk.execution.counters
    assert (counters["intents_outranked"], counters["intents_held"]) == (3, 0)
    assert desk.execution.view()["ruled"] == [0]


@pytest.mark.parametrize(
    "end", [exits(0), OperatorCommand(Control.CANCEL_ALL, 0, ""), state(TradingState.CANCEL_ONLY, "owner:exits")],
    ids=["empty", "canceled", "state"],
)  # fmt: skip
def test_when_they_are_done_it_quotes_with_its_next_wish(end: Any) -> None:
    desk = holding()
    desk.tell(exits())
    desk.tell(end)
    desk.update("x0", OrderStatus.CANCELED)
    assert desk.tell(touch(bid_quantity=49)) == []
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]
    assert desk.execution.view()["ruled"] == []


def test_a_wish_of_rank_that_is_not_renewed_ends_as_any_other() -> None:
    desk = holding()
    desk.tell(exits(expires_ns=NOW + SECOND))
    desk.now += SECOND
    assert brief(desk.tell(intent(ask_lots=0))) == [("new", "BUY", BID, 10)]
    assert ("cancel", "x0") in sweep(desk)


def test_the_sweep_sees_that_nobody_rules_any_more() -> None:
    desk = holding()
    desk.tell(exits(expires_ns=NOW + SECOND))
    desk.now += SECOND
    sweep(desk)
    assert desk.execution.view()["ruled"] == []


def test_an_order_of_a_strategy_that_appears_meanwhile_goes_with_the_next_wish_of_rank() -> None:
    """One that was not known: found at the venue, by a question. The wish is the same as before."""
    desk = holding()
    desk.rest(BUY)
    found = desk.word("x0", OrderStatus.ACCEPTED, client_order_id="found", command=77)
    desk.tell(exits())
    desk.update("x0", OrderStatus.CANCELED)
    desk.tell(msgspec.structs.replace(found, number=99))
    assert brief(desk.tell(exits())) == [("cancel", "found")]


def test_a_new_run_knows_no_ruler_and_waits_for_no_position() -> None:
    desk = holding()
    desk.tell(exits())
    desk.update("x0", OrderStatus.CANCELED)
    fill(desk, SELL, 10)
    desk.tell(EngineStarted(0, 2))
    assert desk.execution.view()["ruled"] == []
    desk.tell(state(TradingState.ACTIVE))
    desk.tell(touch())
    assert brief(desk.tell(exits(owner="operator"))) == [("new", "SELL", ASK, 100)]


def test_what_exits_left_resting_ends_with_their_run() -> None:
    """A strategy's order may be adopted: its next wish decides. Exits may wish nothing any more, and a reduce-only order
    that nobody sizes by the position would open one, once the position is closed.
    """
    desk = holding()
    desk.rest(BUY)
    adopted = desk.word("x0", OrderStatus.ACCEPTED, client_order_id="left", command=77, owner="exits", side=SELL)
    desk.tell(msgspec.structs.replace(adopted, number=99))
    assert brief(desk.tell(EngineStarted(0, 2))) == [("cancel", "left")]


def test_the_operator_outranks_exits_and_both_the_strategy() -> None:
    desk = holding()
    desk.tell(exits())
    desk.update("x0", OrderStatus.ACCEPTED)
    flatten = intent(bid_lots=0, ask_lots=50, owner="operator", reduce_only=True)
    assert brief(desk.tell(flatten)) == [("cancel", "x0")]
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "SELL", ASK, 50)]
    assert desk.tell(exits()) == []
    assert desk.tell(intent()) == []
    assert desk.execution.counters["intents_outranked"] == 2


def test_rank_holds_in_its_own_instrument_only() -> None:
    desk = holding()
    desk.tell(exits())
    desk.tell(instrument(instrument=1))
    desk.tell(touch(instrument=1))
    assert desk.tell(intent()) == []
    assert [m.instrument for m in desk.tell(intent(instrument=1)) if isinstance(m, OrderCommand)] == [1]


def test_an_order_of_rank_left_alone_by_the_market_stays() -> None:
    """A strategy's quote would be canceled: to be filled is what this one is there for."""
    desk = holding(stale_ticks=5)
    desk.tell(exits())
    desk.update("x0", OrderStatus.ACCEPTED)
    assert desk.tell(touch(ASK - 1, ASK, ask_quantity=100)) == []


def test_reduce_only_orders_outlive_the_change_to_reducing() -> None:
    desk = holding()
    desk.tell(exits())
    assert desk.tell(state(TradingState.REDUCING)) == []
    assert brief(desk.tell(state(TradingState.HALTED))) == [("cancel", "x0")]


# Size


@pytest.mark.parametrize(("held", "wished", "expected"), [(100, 30, 30), (100, 100, 100), (60, 100, 60)])
def test_what_reduces_is_never_larger_than_the_position(held: int, wished: int, expected: int) -> None:
    assert brief(holding(held).tell(exits(wished))) == [("new", "SELL", ASK, expected)]


@pytest.mark.parametrize("held", [0, -50])
def test_nothing_is_sold_of_a_position_that_is_not_long(held: int) -> None:
    assert holding(held).tell(exits()) == []


def test_a_short_position_is_bought_back_no_further_than_to_flat() -> None:
    commands = holding(-40).tell(intent(bid_lots=100, owner="exits", reduce_only=True))
    assert brief(commands) == [("new", "BUY", BID, 40)]
    assert [m.reduce_only for m in commands if isinstance(m, OrderCommand)] == [True]


def test_the_strategys_order_that_is_being_canceled_may_still_fill_and_is_left_room() -> None:
    """100 held, 10 of the strategy's ask may sell: 90 at once, and the rest when the ask is gone."""
    desk = quoting(100)
    assert brief(desk.tell(exits(ask=ASK + 1))) == [("cancel", "x0"), ("cancel", "x1"), ("new", "SELL", ASK + 1, 90)]


def test_with_less_than_half_of_it_free_the_exit_waits_for_the_cancels() -> None:
    desk = quoting(15)
    assert brief(desk.tell(exits())) == [("cancel", "x0"), ("cancel", "x1")]
    assert desk.update("x0", OrderStatus.CANCELED) == []
    assert brief(desk.update("x1", OrderStatus.CANCELED)) == [("new", "SELL", ASK, 15)]


def test_if_the_strategys_order_fills_meanwhile_the_exit_is_that_much_smaller() -> None:
    """The execution comes before its PositionUpdate: between them nothing is placed."""
    desk = quoting(15)
    desk.tell(exits())
    fill(desk, SELL, 10)
    assert desk.update("x1", OrderStatus.FILLED, cumulative_lots=10) == []
    assert desk.tell(touch(bid_quantity=49)) == []
    assert brief(desk.tell(position(5))) == [("new", "SELL", ASK, 5)]


def test_a_position_update_that_never_comes_holds_an_exit_for_a_second_only() -> None:
    desk = holding(100)
    fill(desk, SELL, 10)
    assert desk.tell(exits()) == []
    assert desk.tell(touch(bid_quantity=49), SECOND - 1) == []
    assert brief(desk.tell(touch(), 1)) == [("new", "SELL", ASK, 100)]


def test_a_position_update_that_never_came_holds_no_later_exit() -> None:
    """The portfolio failed on one fill; the next one's update is its own."""
    desk = holding(100)
    fill(desk, SELL, 10)
    desk.now += SECOND
    fill(desk, SELL, 10)
    desk.tell(position(80))
    assert brief(desk.tell(exits(80))) == [("new", "SELL", ASK, 80)]


def test_a_position_that_shrinks_under_a_resting_exit_makes_it_smaller() -> None:
    desk = holding(100)
    desk.tell(exits())
    desk.update("x0", OrderStatus.ACCEPTED)
    assert brief(desk.tell(position(95))) == [("cancel", "x0")]
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "SELL", ASK, 95)]


def test_a_part_of_the_wish_that_was_executed_is_not_wished_again() -> None:
    """50 of 100 to be sold: after 20 of them, and a cancel by the venue, 30 are."""
    desk = holding(100)
    desk.tell(exits(50))
    desk.update("x0", OrderStatus.PARTIALLY_FILLED, leaves_lots=30, cumulative_lots=20)
    desk.tell(position(80))
    desk.update("x0", OrderStatus.CANCELED, cumulative_lots=20)
    assert brief(desk.tell(touch(bid_quantity=49), SECOND)) == [("new", "SELL", ASK, 30)]


def test_what_was_executed_before_a_wish_does_not_count_against_it() -> None:
    desk = holding(100)
    desk.tell(exits(50))
    desk.update("x0", OrderStatus.CANCELED, cumulative_lots=20)
    desk.tell(position(80))
    assert brief(desk.tell(exits(50), SECOND)) == [("new", "SELL", ASK, 50)]


def test_the_rest_of_an_exit_follows_its_first_part_without_a_new_wish() -> None:
    desk = quoting(100)
    desk.tell(exits(ask=ASK + 1))
    desk.update("x0", OrderStatus.CANCELED)
    desk.update("x1", OrderStatus.CANCELED)
    fill(desk, SELL, 90)
    assert desk.update("x2", OrderStatus.FILLED, cumulative_lots=90) == []
    assert brief(desk.tell(position(10))) == [("new", "SELL", ASK + 1, 10)]
    fill(desk, SELL, 10)
    desk.update("x3", OrderStatus.FILLED, cumulative_lots=10)
    assert desk.tell(position(0)) == []


def test_a_refusal_because_it_would_not_reduce_ends_with_the_order_that_stood_in_its_way() -> None:
    desk = quoting(100)
    desk.execution.receive(exits(ask=ASK + 1), desk.now)
    desk.tell(OrderRefused(0, "exits", 2, SELL, Refusal.NOT_REDUCING))
    assert desk.tell(touch(bid_quantity=49)) == []
    assert brief(desk.update("x1", OrderStatus.CANCELED)) == [("new", "SELL", ASK + 1, 100)]


@pytest.mark.parametrize("filters", [{"min_lots": 12}, {"min_notional": 12 * ASK}])
def test_a_part_that_the_venue_would_not_take_waits_for_the_whole(filters: dict[str, int]) -> None:
    """20 held, 10 of them under the strategy's ask: refused for its size, the exit would be held back longer still."""
    desk = quoting(20)
    desk.tell(instrument(**filters))
    assert brief(desk.tell(exits())) == [("cancel", "x0"), ("cancel", "x1")]
    desk.update("x0", OrderStatus.CANCELED)
    assert brief(desk.update("x1", OrderStatus.CANCELED)) == [("new", "SELL", ASK, 20)]


def test_what_is_left_of_a_position_is_tried_even_if_the_venue_may_not_take_it() -> None:
    """Whose wish it is hears so, and lets go of it."""
    desk = holding(5)
    desk.tell(instrument(min_lots=12))
    assert brief(desk.tell(exits(5))) == [("new", "SELL", ASK, 5)]


# Crossing


def test_a_crossing_order_goes_as_written_and_is_not_post_only() -> None:
    commands = holding().tell(exits(ask=BID - 5, cross=True))
    assert brief(commands) == [("new", "SELL", BID - 5, 100)]
    assert [m.post_only for m in commands if isinstance(m, OrderCommand)] == [False]


def test_without_cross_the_same_wish_stays_passive() -> None:
    commands = holding().tell(exits(ask=BID - 5))
    assert brief(commands) == [("new", "SELL", BID + 1, 100)]
    assert [m.post_only for m in commands if isinstance(m, OrderCommand)] == [True]


def test_it_waits_for_the_strategys_order_that_it_would_meet() -> None:
    """The strategy's bid rests where the exit sells: our account does not trade with itself."""
    desk = holding(100)
    desk.rest(BUY)
    assert brief(desk.tell(exits(ask=BID, cross=True))) == [("cancel", "x0")]
    assert desk.tell(touch(bid_quantity=49)) == []
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "SELL", BID, 100)]


@pytest.mark.parametrize("replace", ["together", "after_cancel"])
def test_a_resting_exit_is_replaced_by_a_crossing_one_only_when_it_has_ended(replace: str) -> None:
    """Both at once could sell 200 of 100. What the first one still sold is not sold again."""
    desk = holding(100, replace=replace)
    desk.tell(exits())
    desk.update("x0", OrderStatus.ACCEPTED)
    assert brief(desk.tell(exits(ask=BID, cross=True), 1 * MS)) == [("cancel", "x0")]
    fill(desk, SELL, 30)
    desk.update("x0", OrderStatus.PENDING_CANCEL, cumulative_lots=30, leaves_lots=70)
    assert desk.tell(position(70)) == []
    assert brief(desk.update("x0", OrderStatus.CANCELED, cumulative_lots=30)) == [("new", "SELL", BID, 70)]


def test_half_of_the_position_is_replaced_in_turn_as_well() -> None:
    """There would be room for both in the position, but not in the wish."""
    desk = holding(100)
    desk.tell(exits(50))
    desk.update("x0", OrderStatus.ACCEPTED)
    assert brief(desk.tell(exits(50, ask=BID, cross=True))) == [("cancel", "x0")]
    assert desk.tell(touch(bid_quantity=49)) == []
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "SELL", BID, 50)]


def test_a_crossing_order_that_the_market_ran_away_from_follows_at_once() -> None:
    desk = holding(100)
    desk.tell(exits(ask=BID, cross=True))
    desk.update("x0", OrderStatus.ACCEPTED)
    assert desk.tell(exits(ask=BID, cross=True)) == []
    assert brief(desk.tell(exits(ask=BID - 3, cross=True))) == [("cancel", "x0")]
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "SELL", BID - 3, 100)]


def test_an_exit_that_begins_to_cross_does_not_wait_for_the_pause_of_the_passive_one() -> None:
    """What was refused was another order; the pause after that one could be seconds."""
    desk = holding(100)
    desk.tell(exits())
    for number in range(4):
        desk.update(f"x{number}", OrderStatus.REJECTED)
        desk.tell(touch(bid_quantity=40 + number), 800 * MS)
    desk.update("x4", OrderStatus.REJECTED)
    assert desk.tell(touch()) == []
    assert brief(desk.tell(exits(ask=BID, cross=True))) == [("new", "SELL", BID, 100)]
    desk.update("x5", OrderStatus.REJECTED)
    assert desk.tell(exits(ask=BID - 1, cross=True)) == [], "its own refusals are waited for"


def test_a_strategy_that_crosses_is_not_sized_by_the_position() -> None:
    commands = holding(0).tell(intent(bid=ASK, cross=True))
    assert brief(commands) == [("new", "BUY", ASK, 10)]
    assert [m.post_only for m in commands if isinstance(m, OrderCommand)] == [False]


def test_the_same_wish_that_crosses_no_more_is_another_one() -> None:
    desk = Desk()
    desk.tell(intent(bid=ASK, cross=True))
    desk.update("x0", OrderStatus.ACCEPTED)
    assert brief(desk.tell(intent(bid=ASK)))[0] == ("cancel", "x0")


def test_two_strategies_never_meet_each_other() -> None:
    desk = Desk()
    desk.rest(BUY)
    assert desk.tell(intent(owner="second", bid_lots=0, ask=BID, ask_lots=5, cross=True)) == []
    assert brief(desk.tell(intent(bid_lots=0)) + desk.update("x0", OrderStatus.CANCELED)) == [
        ("cancel", "x0"),
        ("new", "SELL", BID, 5),
    ]
