"""Cancels that cross a fill on their way, are refused, or get no answer."""

from bus.messages import Control, OperatorCommand, OrderStatus, ReportKind, VenueState
from tests.support.stage import Stage

UNKNOWN_ORDER = (-2011, "Unknown order sent.")


def canceling() -> Stage:
    """Both quotes work, and an operator has canceled both: the cancels are on the wire."""
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.post(OperatorCommand(Control.HALT, -1, "test"))
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    return stage


def test_a_cancel_refused_because_the_order_was_filled_ends_in_the_fill() -> None:
    """The refusal comes first: it proves nothing, so the venue is asked. Then the stream tells of the fill."""
    stage = canceling()
    stage.answer_cancel(stage.bid, *UNKNOWN_ORDER)
    assert stage.status(stage.bid) is OrderStatus.SUSPECT
    assert "ORDER" in stage.questions()
    stage.fill(stage.bid)
    assert stage.status(stage.bid) is OrderStatus.FILLED
    assert (stage.position(), len(stage.fills())) == (100, 1)


def test_the_query_behind_a_refused_cancel_books_the_fill_when_the_stream_is_silent() -> None:
    """The order is found FILLED without its execution: not released before the trade itself was booked."""
    stage = canceling()
    stage.answer_cancel(stage.bid, *UNKNOWN_ORDER)
    filled = stage.found(stage.bid, state=VenueState.DONE_FILLED, executed=100)
    stage.house.answer_queries(ORDER=(filled,))
    assert stage.status(stage.bid) is OrderStatus.SUSPECT
    assert stage.reserved() == (100, -100)
    trade = stage.found(stage.bid, ReportKind.TRADE, VenueState.NONE, executed=100, trade_id=3, last=100)
    stage.settle(1.0, ORDER=(filled,), TRADES=(trade,))
    assert stage.status(stage.bid) is OrderStatus.FILLED
    assert (stage.position(), len(stage.fills())) == (100, 1)


def test_a_fill_after_the_cancel_request_still_counts() -> None:
    stage = canceling()
    stage.fill(stage.bid, "0.00030000")
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid, "0.00030000")
    assert stage.history(stage.bid)[-1] == "CANCELED"
    assert stage.updates(stage.bid)[-1].cumulative_lots == 30
    assert (stage.position(), stage.reserved()[0]) == (30, 30)


def test_a_late_fill_after_canceled_is_booked_once_and_says_that_it_is_late() -> None:
    """CANCELED came with 0.0004 executed, whose execution had not come: it comes later, twice."""
    stage = canceling()
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid, "0.00040000")
    assert stage.status(stage.bid) is OrderStatus.SUSPECT
    stage.fill(stage.bid, "0.00040000", trade=9)
    stage.fill(stage.bid, "0.00040000", trade=9)
    assert stage.status(stage.bid) is OrderStatus.CANCELED
    assert [(fill.trade_id, fill.quantity_lots) for fill in stage.fills()] == [(9, 40)]
    assert stage.position() == 40


def test_a_fill_that_nobody_announced_after_canceled_is_booked_and_late() -> None:
    stage = canceling()
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    assert stage.status(stage.bid) is OrderStatus.CANCELED
    stage.fill(stage.bid, "0.00040000", trade=9)
    stage.fill(stage.bid, "0.00040000", trade=9)
    assert [(fill.trade_id, fill.late) for fill in stage.fills()] == [(9, True)]
    assert (stage.position(), stage.reserved()[0]) == (40, 40)


def test_a_cancel_without_an_answer_goes_out_again() -> None:
    stage = canceling()
    stage.house.wire.written.clear()
    stage.house.wait(2_500)
    assert stage.status(stage.bid) is OrderStatus.UNKNOWN_CANCEL
    stage.settle(3.0, ORDER=())
    assert stage.working() == 2, "silence is no proof"


def test_a_cancel_that_the_venue_refuses_for_ever_stops_after_three_times() -> None:
    """A refusal with the order still found working: asked again, never in a storm, and a person is called."""
    stage = canceling()
    working = stage.found(stage.bid)
    for _ in range(40):
        stage.answer_cancel(stage.bid, *UNKNOWN_ORDER)
        stage.settle(1.0, ORDER=(working,))
    assert stage.cancels().count(stage.bid) <= 4
    assert "cancel_refused_repeatedly" in stage.house.alerts()
