"""Submits whose answers come late, twice, in the wrong order, or never: what is known, what is reserved, what is asked."""

import pytest

from bus.messages import Frame, OrderRefused, OrderStatus, Refusal, ReportKind, VenueState
from tests.support.stage import Stage


def test_a_lost_answer_keeps_full_risk_until_the_query_finds_the_order() -> None:
    """The connection dies behind the write: the order may work. It is found, and canceled as a leftover."""
    stage = Stage()
    stage.lose_connection()
    assert stage.status(stage.bid) is OrderStatus.UNKNOWN_NEW
    assert stage.reserved() == (100, -100)
    stage.reconnect()
    found = (stage.found(stage.bid), stage.found(stage.ask))
    stage.house.answer_queries(OPEN_ORDERS=found)
    stage.house.wait(100)
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    assert stage.reserved() == (100, -100)
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    assert stage.reserved() == (0, 0)
    assert stage.history(stage.bid)[-1] == "CANCELED"


def test_a_lost_submit_is_given_up_only_when_its_deadline_is_over_and_history_is_clean() -> None:
    """Not found at once proves nothing: the request may still be on its way. Only later, and twice, does it."""
    stage = Stage()
    stage.lose_connection()
    stage.reconnect()
    stage.house.answer_queries()
    assert stage.status(stage.bid) is OrderStatus.UNKNOWN_NEW
    assert stage.reserved() == (100, -100)
    stage.settle(30.0)
    assert {stage.status(stage.bid), stage.status(stage.ask)} == {OrderStatus.REJECTED}
    assert stage.reserved() == (0, 0)


def test_an_ambiguous_error_is_not_a_no() -> None:
    stage = Stage()
    stage.refuse(stage.bid, -1007, "Timeout waiting for response from backend server.")
    assert stage.status(stage.bid) is OrderStatus.UNKNOWN_NEW
    assert stage.reserved() == (100, -100)


def test_a_definite_no_releases_at_once() -> None:
    stage = Stage()
    stage.refuse(stage.bid, -2010, "Order would immediately match and take.")
    assert stage.history(stage.bid) == ["PENDING_NEW", "REJECTED"]
    assert stage.reserved() == (0, -100)


def test_a_refusal_as_duplicate_means_the_first_attempt_lives() -> None:
    stage = Stage()
    stage.refuse(stage.bid, -2010, "Duplicate order sent.")
    assert stage.status(stage.bid) is OrderStatus.UNKNOWN_NEW
    assert "order_of_another_engine" in stage.house.alerts(), "we sent this id once"
    stage.house.wait(100)
    stage.house.answer_queries(ORDER=(stage.found(stage.bid),))
    assert stage.status(stage.bid) is OrderStatus.ACCEPTED


def test_a_fill_before_the_acknowledgement_counts() -> None:
    stage = Stage()
    stage.fill(stage.bid, "0.00040000")
    assert stage.history(stage.bid) == ["PENDING_NEW", "PARTIALLY_FILLED"]
    assert (stage.position(), stage.reserved()) == (40, (100, -60))
    stage.accept(stage.bid)
    assert stage.history(stage.bid) == ["PENDING_NEW", "PARTIALLY_FILLED"]
    assert len(stage.fills()) == 1


def test_a_full_fill_before_new_ends_the_order_and_new_does_not_reopen_it() -> None:
    stage = Stage()
    stage.fill(stage.bid)
    stage.report(stage.bid, "NEW", "NEW")
    stage.answer(stage.bid)
    assert stage.history(stage.bid) == ["PENDING_NEW", "FILLED"]
    assert stage.position() == 100
    assert stage.working() == 1


def test_the_same_execution_from_stream_and_query_is_booked_once() -> None:
    stage = Stage()
    stage.accept(stage.bid)
    stage.fill(stage.bid, "0.00040000", trade=7)
    stage.fill(stage.bid, "0.00040000", trade=7)
    stage.lose_connection()
    stage.reconnect()
    trade = stage.found(stage.bid, ReportKind.TRADE, VenueState.NONE, executed=40, trade_id=7, last=40)
    order = stage.found(stage.bid, executed=40)
    stage.house.answer_queries(OPEN_ORDERS=(order,), TRADES=(trade,), ORDER=(order,))
    assert [fill.quantity_lots for fill in stage.fills()] == [40]
    assert stage.position() == 40


def test_a_wish_made_of_old_news_sends_nothing_and_the_next_fresh_one_does() -> None:
    """The machine was suspended for three seconds, and then takes a frame that had been waiting all the time."""
    stage = Stage()
    house = stage.house
    for order in (stage.bid, stage.ask):
        stage.accept(order)
        stage.fill(order)
    house.wire.written.clear()
    received_ns = house.clock.now_ns()
    house.clock.advance(3_000_000_000)
    stage.sequence += 1
    house.post(Frame(0, received_ns, house.depth(stage.sequence, stage.sequence, [["59980.00", "4.0"]], [])))
    assert stage.submits() == []
    assert {refused.reason for refused in house.said(OrderRefused)} == {Refusal.EXPIRED}
    for _ in range(5):
        stage.tick()
    assert len(stage.submits()) == 2


@pytest.mark.parametrize("refusal", [Refusal.DISK, Refusal.LEASE, Refusal.NOT_CONNECTED])
def test_what_the_door_cannot_do_it_says_and_nothing_stays_reserved(refusal: Refusal) -> None:
    stage = Stage()
    stage.fill(stage.bid)
    door = stage.house.door
    if refusal is Refusal.DISK:
        door.disk_failed = lambda: True
    elif refusal is Refusal.LEASE:
        door.lease_left_ns = lambda: 0
    else:
        door._subscribed = False
    before = len(stage.submits())
    stage.tick()
    assert len(stage.submits()) == before
    new = stage.updates()[-1]
    assert (new.status, new.refusal) == (OrderStatus.NEVER_SENT, refusal)
    assert stage.reserved() == (100, 0)
    assert stage.house.said(OrderRefused) == []
