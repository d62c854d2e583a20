"""A person's word outranks everything; a stop leaves nothing behind."""

import pytest

from bus.messages import (
    AnswerKind,
    Balance,
    CommandAnswered,
    Control,
    OperatorCommand,
    OrdersQuiet,
    StopRequested,
    TradingState,
)
from tests.support.stage import BALANCES, Stage


def quoting() -> Stage:
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.wait(200)
    stage.house.wire.written.clear()
    return stage


def end_both(stage: Stage) -> None:
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)


@pytest.mark.parametrize(
    ("control", "state"), [(Control.HALT, TradingState.HALTED), (Control.CANCEL_ONLY, TradingState.CANCEL_ONLY)]
)
def test_the_kill_switch_takes_everything_down_and_keeps_it_down(control: Control, state: TradingState) -> None:
    stage = quoting()
    stage.house.post(OperatorCommand(control, -1, "test"))
    assert stage.trading() is state
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    end_both(stage)
    for _ in range(5):
        stage.tick()
    assert stage.submits() == []


def test_a_resume_without_a_reason_is_none() -> None:
    stage = quoting()
    stage.house.post(OperatorCommand(Control.HALT, -1, "test"), OperatorCommand(Control.RESUME, -1, " "))
    assert stage.trading() is TradingState.HALTED
    stage.house.post(OperatorCommand(Control.RESUME, -1, "all clear"))
    assert stage.trading() is TradingState.ACTIVE


def test_cancel_all_takes_orders_down_and_lets_the_strategy_come_back() -> None:
    stage = quoting()
    stage.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "test"))
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    end_both(stage)
    for _ in range(15):
        stage.tick()
    assert (stage.trading(), len(stage.submits())) == (TradingState.ACTIVE, 2)


def test_cancel_all_is_answered_when_each_order_is_gone_by_the_venues_word() -> None:
    stage = quoting()
    stage.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "test", asker="me"))
    end_both(stage)
    stage.house.wait(60)
    assert [(m.kind, m.text) for m in stage.house.said(CommandAnswered)] == [
        (AnswerKind.FOLLOWS, "2 orders are being canceled"),
        (AnswerKind.DONE, "2 orders are gone, by the venue's word"),
    ]
    stage.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "test", asker="me"))
    assert stage.house.said(CommandAnswered)[-1].text == "no order of ours is open"


def test_cancel_all_says_what_may_still_work() -> None:
    stage = quoting()
    stage.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "test", asker="me"))
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    stage.house.wait(8_100)
    last = stage.house.said(CommandAnswered)[-1]
    assert last.kind is AnswerKind.FAILED
    assert last.text.startswith(f"1 order is gone, 1 may still work: {stage.ask} ")


def test_a_stop_says_quiet_only_when_the_venue_said_that_all_is_gone() -> None:
    stage = quoting()
    house = stage.house
    house.post(StopRequested("test", house.clock.now_ns() + 5_000_000_000))
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    stage.tick()
    assert house.said(OrdersQuiet) == []
    stage.answer_cancel(stage.ask)
    stage.canceled(stage.ask)
    house.answer_queries(BALANCES)
    assert house.said(OrdersQuiet) == [OrdersQuiet(0, 0)]
    assert (stage.submits(), stage.working(), stage.reserved()) == ([], 0, (0, 0))


def test_a_fill_that_crosses_the_stop_is_booked() -> None:
    stage = quoting()
    house = stage.house
    house.post(StopRequested("test", house.clock.now_ns() + 5_000_000_000))
    stage.fill(stage.bid)
    stage.answer_cancel(stage.ask)
    stage.canceled(stage.ask)
    house.answer_queries(BALANCES)
    assert house.said(OrdersQuiet) == [OrdersQuiet(0, 0)]
    assert stage.position() == 100


def test_at_the_deadline_the_stop_tells_how_many_orders_it_cannot_account_for() -> None:
    stage = quoting()
    house = stage.house
    house.post(StopRequested("test", house.clock.now_ns() + 5_000_000_000))
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    house.wait(6_000)
    assert house.said(OrdersQuiet) == [OrdersQuiet(0, 1)]


def test_a_stop_compares_the_ledger_once_more() -> None:
    """Money went away during the run; without this the next start would be the first to say so."""
    stage = quoting()
    house = stage.house
    end_both(stage)
    house.post(StopRequested("test", house.clock.now_ns() + 5_000_000_000))
    for order in list(house.actor("orders").desk.register.open):
        stage.answer_cancel(order)
        stage.canceled(order)
    house.answer_queries((Balance("BTC", 9 * 10**8, 0), *BALANCES[1:]))
    assert house.said(OrdersQuiet) == [OrdersQuiet(0, 0)]
    assert "ledger_differs" in house.alerts()
