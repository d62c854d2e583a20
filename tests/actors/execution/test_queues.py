"""What execution asks the book and makes of its answers: the place of each order, and what it is kept for."""

from typing import Any

import msgspec
import pytest

from actors.execution import Execution, ExecutionState
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    LevelQuantities,
    Message,
    OrderStatus,
    Side,
    TimerFired,
    TradePrint,
    TradesMissed,
    WatchLevels,
)
from tests.actors.execution.builders import ASK, BID, MS, SECOND, Desk, brief, instrument, intent, touch

BUY, SELL = Side.BUY, Side.SELL


def receive(desk: Desk, message: Message) -> tuple[Message, ...]:
    return desk.execution.receive(message, desk.now)


def sweep(desk: Desk) -> tuple[Message, ...]:
    desk.now += 100 * MS
    return receive(desk, TimerFired("execution", 0, desk.execution.planner.generation, desk.now))


def bids(desk: Desk, *levels: tuple[int, int], known: bool = True) -> LevelQuantities:
    prices, quantities = tuple(price for price, _ in levels), tuple(quantity for _, quantity in levels)
    return LevelQuantities(0, 1, 8, desk.now, prices, quantities, (), (), known)


def trade(price: int, quantity: int, aggressor: Side = SELL, **given: Any) -> TradePrint:
    return msgspec.structs.replace(TradePrint(0, 1, 1, 0, 0, price, quantity, aggressor), **given)


def places(desk: Desk) -> list[tuple[int | None, ...]]:
    return [row[8:] for row in desk.execution.view()["orders"]]


def standing(ahead: int = 40, **given: Any) -> Desk:
    """An order of 10 at BID behind `ahead`, settled, the market's touch at it."""
    desk = Desk(**given)
    desk.tell(intent())
    desk.update("x0", OrderStatus.ACCEPTED)
    desk.now += SECOND
    receive(desk, bids(desk, (BID, ahead + 10)))
    assert places(desk) == [(ahead, ahead, 0)]
    return desk


# Asking


def test_the_book_is_asked_when_an_order_is_accepted_and_not_before() -> None:
    desk = Desk()
    assert not [m for m in desk.tell(intent(ask_lots=10)) if isinstance(m, WatchLevels)]
    first = receive(desk, desk.word("x0", OrderStatus.ACCEPTED))
    assert first == (WatchLevels(0, (BID,), ()),)
    second = receive(desk, desk.word("x1", OrderStatus.ACCEPTED))
    assert second == (WatchLevels(0, (BID,), (ASK,)),)
    assert receive(desk, desk.word("x0", OrderStatus.ACCEPTED)) == ()


def test_a_level_without_an_order_is_given_up_when_the_order_ends() -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    desk.tell(intent(bid_lots=0, ask_lots=10))
    assert receive(desk, desk.word("x0", OrderStatus.CANCELED)) == (WatchLevels(0, (), (ASK,)),)


def test_while_an_order_leaves_the_book_is_asked_by_the_next_sweep_only() -> None:
    """What is on its way to the venue does not wait for it."""
    desk = Desk(replace="after_cancel")
    desk.rest()
    desk.tell(intent(bid=BID - 1))
    ended = receive(desk, desk.word("x0", OrderStatus.CANCELED))
    assert [type(message).__name__ for message in ended] == ["OrderCommand"]
    assert WatchLevels(0, (), ()) in sweep(desk)
    assert not [m for m in sweep(desk) if isinstance(m, WatchLevels)]


def test_the_book_is_asked_again_when_it_is_live_again() -> None:
    live = BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 9)
    desk = Desk()
    assert receive(desk, live) == ()
    desk.rest()
    assert receive(desk, live) == (WatchLevels(0, (BID,), ()),)


# The answers


def test_nothing_is_known_of_a_place_before_the_book_answers_or_beyond_its_horizon() -> None:
    desk = Desk()
    desk.rest()
    assert places(desk) == [(None, None, None)]
    receive(desk, bids(desk, (BID, 0), known=False))
    assert places(desk) == [(None, None, None)]


def test_beyond_the_horizon_what_was_known_stays() -> None:
    desk = standing(40)
    receive(desk, bids(desk, (BID, 0), known=False))
    assert places(desk) == [(40, 40, 0)]


def test_a_level_seen_too_early_after_the_acceptance_counts_whole_and_the_sweep_settles_it() -> None:
    """It may lack the order still. Unchanged for book_lag_ns of a book that is heard of, it contains it."""
    desk = Desk()
    desk.tell(intent())
    desk.update("x0", OrderStatus.ACCEPTED)
    receive(desk, bids(desk, (BID, 50)))
    receive(desk, trade(BID, 5))
    receive(desk, trade(BID - 1, 5))
    assert places(desk) == [(50, 50, 0)]
    sweep(desk)
    assert places(desk) == [(50, 50, 0)], "no book was received since"
    desk.tell(touch(BID + 1, received_ns=desk.now))
    sweep(desk)
    assert places(desk) == [(40, 40, 0)]


def test_the_touch_tells_the_level_that_is_the_touch() -> None:
    desk = standing(40)
    desk.tell(touch(bid_quantity=30))
    assert places(desk) == [(20, 20, 0)]
    desk.tell(touch(BID + 1, bid_quantity=5))
    assert places(desk) == [(20, 20, 0)]
    desk.tell(touch(BID - 1, bid_quantity=5))
    assert places(desk) == [(0, 0, 0)], "nothing is displayed before the touch"


@pytest.mark.parametrize(
    ("print_", "expected"),
    [
        (trade(BID, 15), 25),
        (trade(BID, 99), 0),
        (trade(BID - 1, 1), 0),  # through it: nobody is left at our price
        (trade(BID + 1, 15), 40),
        (trade(BID, 15, BUY), 40),
        (trade(BID, 15, version=2), 40),
        (trade(BID, 15, instrument=5), 40),
    ],
    ids=["at", "more_than_ahead", "through", "better", "other_side", "version", "instrument"],
)
def test_trades_by_where_they_were(print_: TradePrint, expected: int) -> None:
    desk = standing(40)
    assert receive(desk, print_) == ()
    assert places(desk) == [(expected, expected, 0)]


def test_on_the_ask_side_it_is_the_mirror() -> None:
    desk = Desk()
    desk.rest(SELL)
    receive(desk, LevelQuantities(0, 1, 8, desk.now, (), (), (ASK,), (50,)))
    receive(desk, trade(ASK, 15, BUY))
    assert places(desk) == [(25, 25, 0)]
    receive(desk, trade(ASK + 1, 1, BUY))
    assert places(desk) == [(0, 0, 0)]


def test_an_own_execution_means_that_nobody_is_ahead() -> None:
    desk = standing(40)
    desk.update("x0", OrderStatus.PARTIALLY_FILLED, leaves_lots=4, cumulative_lots=6)
    receive(desk, bids(desk, (BID, 30)))
    assert places(desk) == [(0, 0, 26)]


def test_own_orders_of_every_owner_that_came_later_are_not_counted_as_others() -> None:
    """Two owners at one price, 40 others between none: 40 ahead of the first, and the first with them of the second."""
    desk = standing(40)
    desk.tell(intent(owner="second", bid_lots=7))
    desk.update("x1", OrderStatus.ACCEPTED)
    desk.now += SECOND
    receive(desk, bids(desk, (BID, 40 + 10 + 7 + 3)))
    assert places(desk) == [(40, 40, 3), (53, 53, 0)]
    receive(desk, bids(desk, (BID, 20 + 10 + 7)))
    assert [row[0] for row in places(desk)] == [20, 30]


def test_a_later_own_order_that_the_level_may_lack_still_is_not_taken_off_it() -> None:
    desk = standing(40)
    desk.tell(intent(owner="second", bid_lots=7))
    desk.update("x1", OrderStatus.ACCEPTED)
    receive(desk, trade(BID, 0))
    receive(desk, bids(desk, (BID, 49)))
    assert [row[0] for row in places(desk)] == [39, 49]


def test_a_level_that_was_traded_and_filled_up_again_owes_nothing() -> None:
    """The next decrease is of cancels: of the 40 others 30 are left."""
    desk = standing(40)
    receive(desk, trade(BID, 10))
    receive(desk, bids(desk, (BID, 50)))
    receive(desk, bids(desk, (BID, 40)))
    assert places(desk) == [(30, 23, 7)]


def test_an_order_found_partly_filled_is_not_at_the_head_for_that() -> None:
    """It was filled before anybody here knew it; who is ahead of it now nobody knows."""
    desk = standing(40)
    found = {"client_order_id": "found", "command": 77, "leaves_lots": 4, "cumulative_lots": 6}
    desk.update("x0", OrderStatus.PARTIALLY_FILLED, **found)
    assert places(desk)[1] == (None, None, None)


def test_a_later_own_order_that_is_being_canceled_may_be_gone_from_the_level_already() -> None:
    """The level without it: were it still taken off, fewer would count as ahead than are."""
    desk = standing(40)
    desk.tell(intent(owner="second", bid_lots=7))
    desk.update("x1", OrderStatus.ACCEPTED)
    desk.now += SECOND
    receive(desk, bids(desk, (BID, 57)))
    desk.tell(intent(owner="second", bid_lots=0))
    receive(desk, bids(desk, (BID, 50)))
    assert places(desk)[0][:2] == (40, 35)  # the bound holds; the estimate takes the 7 for a cancel of others


def test_new_filters_forget_the_places() -> None:
    desk = standing(40)
    desk.tell(instrument(version=2))
    assert places(desk) == [(None, None, None)]
    receive(desk, msgspec.structs.replace(bids(desk, (BID, 5)), version=2))
    assert places(desk) == [(None, None, None)]


def test_restored_orders_stand_where_they_stood() -> None:
    """Two more at the price, accepted at one moment, the later command first."""
    desk = standing(40)
    for owner, lots in (("second", 7), ("third", 3)):
        desk.tell(intent(owner=owner, bid_lots=lots))
    desk.update("x2", OrderStatus.ACCEPTED)
    desk.update("x1", OrderStatus.ACCEPTED)
    fresh = Execution(desk.settings)
    saved = msgspec.msgpack.encode(desk.execution.checkpoint())
    fresh.restore(msgspec.msgpack.decode(saved, type=ExecutionState))
    desk.now += SECOND
    for message in (trade(BID, 3), bids(desk, (BID, 64)), touch(bid_quantity=61)):
        assert fresh.receive(message, desk.now) == desk.execution.receive(message, desk.now)
        assert fresh.view() == desk.execution.view()


# What a place is kept for


def behind_others(**given: Any) -> Desk:
    """An order of 10 with 10 ahead and 40 behind: in the first quarter."""
    desk = standing(10, **given)
    receive(desk, bids(desk, (BID, 60)))
    assert places(desk) == [(10, 10, 40)]
    return desk


def test_one_tick_nearer_does_not_give_up_a_place_in_the_first_quarter() -> None:
    desk = behind_others()
    assert desk.tell(intent(bid=BID + 1)) == []
    assert desk.tell(touch(BID + 1, bid_quantity=5)) == []
    assert desk.execution.counters["places_kept"] == 1
    assert desk.execution.view()["orders"][0][3] == BID


@pytest.mark.parametrize(
    ("given", "wish", "market"),
    [
        ({"keep_place": False}, intent(bid=BID + 1), touch(bid_quantity=60)),
        ({"keep_ahead_ppm": 190_000}, intent(bid=BID + 1), touch(bid_quantity=60)),
        ({}, intent(bid=BID + 2), touch(bid_quantity=60)),
        ({}, intent(bid=BID + 1), touch(BID + 2)),
        ({}, intent(bid=BID - 1), touch(bid_quantity=60)),
        ({}, intent(bid=BID + 1, bid_lots=5), touch(bid_quantity=60)),
    ],
    ids=["switched_off", "too_far_back", "two_ticks", "third_level", "away", "less"],
)
def test_in_every_other_case_it_moves(given: dict[str, Any], wish: Message, market: Message) -> None:
    desk = behind_others(**given)
    desk.tell(market)
    moved = brief(desk.tell(wish))
    assert moved[0] == ("cancel", "x0")
    assert moved[1][0] == "new"
    assert desk.execution.counters["places_kept"] == 0


def test_a_place_with_nobody_behind_it_is_none() -> None:
    desk = standing(0)
    assert brief(desk.tell(intent(bid=BID + 1))) == [("cancel", "x0"), ("new", "BUY", BID + 1, 10)]


def test_a_kept_order_moves_when_the_market_has_left_it() -> None:
    """Not by the touch itself: its owner's answer to that touch may be to go farther still."""
    desk = behind_others()
    assert desk.tell(intent(bid=BID + 1)) == []
    assert desk.tell(touch(BID + 2)) == []
    assert brief(list(sweep(desk))) == [("cancel", "x0"), ("new", "BUY", BID + 1, 10)]


def test_an_equal_wish_asks_again_whether_a_place_is_kept() -> None:
    desk = behind_others()
    desk.tell(intent(bid=BID + 1))
    desk.tell(touch(BID + 2))
    assert brief(desk.tell(intent(bid=BID + 1))) == [("cancel", "x0"), ("new", "BUY", BID + 1, 10)]


# Trades that are missing, or come late


def test_a_trade_that_is_never_told_leaves_the_bound_a_bound() -> None:
    """Of the 40 ahead 15 were taken and nobody told us: there are 25, and 40 is at least that. The level says the rest."""
    desk = standing(40)
    receive(desk, TradesMissed(0, desk.now, 5, 6, 0))
    assert places(desk) == [(40, 40, 0)]
    receive(desk, bids(desk, (BID, 35)))
    assert places(desk)[0][0] == 25


@pytest.mark.parametrize("received", ["late", "held"])
def test_a_late_print_is_not_taken_off_a_level_that_has_shown_it(received: str) -> None:
    """30 were traded, 10 came and canceled behind: the level of 20 says 10 others. Taking the 30 off again would say none."""
    desk = standing(40)
    receive(desk, bids(desk, (BID, 20)))
    desk.now += SECOND
    receive(desk, TradesMissed(0, desk.now, 5, 6, 1))
    at_ns = desk.now if received == "late" else desk.now - 5
    receive(desk, trade(BID, 30, received_ns=at_ns))
    receive(desk, trade(BID - 1, 1, received_ns=at_ns))
    assert places(desk)[0][0] == 10
    receive(desk, trade(BID, 4, received_ns=desk.now + 1))
    assert places(desk)[0][0] == 6, "live ones count again"


def test_a_late_print_of_before_an_order_came_is_not_taken_off_its_queue() -> None:
    desk = standing(40)
    receive(desk, TradesMissed(0, desk.now + 1, 5, 6, 1))
    receive(desk, trade(BID, 15, received_ns=desk.now + 1, venue_ns=1))
    assert places(desk) == [(40, 40, 0)]
    receive(desk, TradesMissed(77, desk.now + 1, 5, 6, 1))
