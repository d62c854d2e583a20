"""Liquidity that will not stay: what a quote does not join, and when it steps back. Each rule on and off."""

from typing import Any

import pytest

from bus.messages import BookReason, BookState, BookStateChanged, Liquidity, OrderCommand, OrderStatus, Side
from tests.actors.execution.builders import ASK, BID, MS, NOW, SECOND, Desk, brief, build, intent, position, touch

BUY, SELL = Side.BUY, Side.SELL
LOST = BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 9)
LIVE = BookStateChanged(0, BookState.LIVE, BookReason.REORDERED, 9)


def liquidity(**given: Any) -> Liquidity:
    fields = {
        "instrument": 0, "version": 1, "update_id": 7, "received_ns": NOW, "bid_thin": False, "ask_thin": False,
        "bid_depth": 0, "ask_depth": 0, "bid_clusters": (), "bid_cluster_quantities": (), "bid_clusters_since_ns": (),
        "ask_clusters": (), "ask_cluster_quantities": (), "ask_clusters_since_ns": (), "bid_flickering": (),
        "ask_flickering": (),
    }  # fmt: skip
    found: Liquidity = build(Liquidity, fields, given)
    return found


def finding(desk: Desk, **given: Any) -> list[tuple[Any, ...]]:
    return brief(desk.tell(liquidity(**given)))


# Flicker


@pytest.mark.parametrize(
    ("flickering", "expected"),
    [
        ((), BID),
        ((BID + 1,), BID),
        ((BID,), BID - 1),
        ((BID, BID - 1), BID - 2),
        (tuple(range(BID, BID - 9, -1)), BID - 3),  # three steps are the most
    ],
)
def test_a_new_quote_stands_behind_levels_that_flicker(flickering: tuple[int, ...], expected: int) -> None:
    desk = Desk()
    finding(desk, bid_flickering=flickering)
    assert brief(desk.tell(intent())) == [("new", "BUY", expected, 10)]
    assert desk.execution.counters["steps_back"] == (expected != BID)


def test_on_the_ask_side_behind_is_higher() -> None:
    desk = Desk()
    finding(desk, ask_flickering=(ASK,))
    assert brief(desk.tell(intent(bid_lots=0, ask_lots=10))) == [("new", "SELL", ASK + 1, 10)]


def test_switched_off_it_joins_what_flickers() -> None:
    desk = Desk(avoid_flicker=False)
    finding(desk, bid_flickering=(BID,))
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]


def test_an_order_that_rests_where_it_begins_to_flicker_stays() -> None:
    desk = Desk()
    desk.rest()
    assert finding(desk, bid_flickering=(BID,)) == []
    assert desk.tell(intent()) == []
    assert desk.tell(touch(bid_quantity=30)) == []


def test_a_level_where_another_owner_of_ours_rests_is_joined() -> None:
    desk = Desk()
    desk.rest()
    finding(desk, bid_flickering=(BID,))
    assert brief(desk.tell(intent(owner="second"))) == [("new", "BUY", BID, 10)]


def test_when_the_flicker_is_over_the_quote_goes_where_it_was_wished_once() -> None:
    """And it stays there when it begins anew: a flicker that comes and goes moves an order once."""
    desk = Desk()
    finding(desk, bid_flickering=(BID,))
    desk.tell(intent())
    desk.update("x0", OrderStatus.ACCEPTED)
    desk.now += SECOND
    assert finding(desk) == []
    assert brief(desk.tell(touch(bid_quantity=49))) == [("cancel", "x0"), ("new", "BUY", BID, 10)]
    desk.update("x1", OrderStatus.ACCEPTED)
    desk.now += SECOND
    finding(desk, bid_flickering=(BID,))
    assert desk.tell(touch()) == []


# Thin ice


def test_on_thin_ice_a_resting_quote_steps_back_one_tick_behind_the_touch_at_once() -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert finding(desk, bid_thin=True) == [("cancel", "x0"), ("new", "BUY", BID - 1, 10)]
    assert desk.execution.counters["steps_back"] == 1


def test_on_the_ask_side_too() -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert finding(desk, ask_thin=True) == [("cancel", "x1"), ("new", "SELL", ASK + 1, 10)]


def test_switched_off_it_stays_on_thin_ice() -> None:
    desk = Desk(step_back_on_thin_ice=False)
    desk.rest()
    assert finding(desk, bid_thin=True) == []


def test_a_wish_far_behind_the_touch_is_not_brought_nearer() -> None:
    desk = Desk()
    finding(desk, bid_thin=True)
    assert brief(desk.tell(intent(bid=BID - 7))) == [("new", "BUY", BID - 7, 10)]


def test_the_limit_stays_where_the_ice_was_found_thin() -> None:
    """Our own order may be the touch now, and its owner may follow it: it is not driven back tick by tick."""
    desk = Desk()
    desk.rest()
    finding(desk, bid_thin=True)
    desk.update("x1", OrderStatus.ACCEPTED)
    desk.update("x0", OrderStatus.CANCELED)
    desk.now += SECOND
    desk.tell(touch(BID - 1, bid_quantity=60))
    assert finding(desk, bid_thin=True, bid_depth=3) == []
    assert desk.tell(intent(bid=BID - 1)) == []


def test_a_finding_that_comes_and_goes_moves_an_order_once() -> None:
    desk = Desk(thin_ice_hold_ns=5 * SECOND)
    desk.rest()
    moves = finding(desk, bid_thin=True)
    desk.update("x1", OrderStatus.ACCEPTED)
    desk.update("x0", OrderStatus.CANCELED)
    for _ in range(20):
        desk.now += 400 * MS
        moves += finding(desk, bid_thin=False)
        moves += brief(desk.tell(touch(bid_quantity=50 + desk.now % 3)))
        desk.now += 400 * MS
        moves += finding(desk, bid_thin=True)
    assert moves == [("cancel", "x0"), ("new", "BUY", BID - 1, 10)]


def test_when_the_ice_has_held_long_enough_the_quote_returns() -> None:
    desk = Desk(thin_ice_hold_ns=SECOND)
    finding(desk, bid_thin=True)
    desk.tell(intent())
    desk.update("x0", OrderStatus.ACCEPTED)
    finding(desk)
    assert desk.tell(touch(bid_quantity=49), SECOND - 1) == []
    assert brief(desk.tell(touch(bid_quantity=50), 1)) == [("cancel", "x0"), ("new", "BUY", BID, 10)]


@pytest.mark.parametrize(
    "wish",
    [
        intent(owner="exits"),
        intent(owner="operator"),
        intent(reduce_only=True),
        intent(cross=True),
    ],
    ids=["exits", "operator", "reduce_only", "cross"],
)
def test_who_reduces_crosses_or_has_rank_stands_where_it_wishes(wish: Any) -> None:
    desk = Desk()
    desk.tell(position(-10))
    finding(desk, bid_thin=True, bid_flickering=(BID, BID - 1))
    assert brief(desk.tell(wish)) == [("new", "BUY", BID, 10)]


# Validity


def test_a_lost_book_takes_its_liquidity_with_it() -> None:
    desk = Desk()
    finding(desk, bid_thin=True, bid_flickering=(BID, BID - 1))
    desk.tell(LOST)
    desk.tell(LIVE)
    desk.tell(touch())
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]


@pytest.mark.parametrize("given", [{"version": 2}, {"instrument": 1}], ids=["version", "instrument"])
def test_findings_of_another_book_change_nothing(given: dict[str, Any]) -> None:
    desk = Desk()
    desk.rest()
    assert finding(desk, bid_thin=True, **given) == []


def test_a_finding_before_the_touch_is_not_kept() -> None:
    desk = Desk()
    desk.tell(LOST)
    finding(desk, bid_thin=True, bid_flickering=(BID,))
    desk.tell(LIVE)
    desk.tell(touch())
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]


def test_a_side_without_a_touch_has_nothing_to_step_back_from() -> None:
    desk = Desk()
    desk.tell(touch(0, bid_quantity=0))
    finding(desk, bid_thin=True)
    commands = desk.tell(intent())
    assert [m.price_ticks for m in commands if isinstance(m, OrderCommand)] == [BID]
