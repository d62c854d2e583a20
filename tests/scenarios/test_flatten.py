"""`flatten` and stops that flatten or keep, with the whole engine and a scripted venue: what reaches the wire.

The strategy has bought 100 lots at 60,000.00 and quotes 100 lots at both touches.
"""

import pytest

from bus.messages import (
    AnswerKind,
    CommandAnswered,
    Control,
    OperatorCommand,
    OrderRefused,
    OrdersQuiet,
    StopPolicy,
    StopRequested,
    TradingState,
)
from tests.support.house import CONFIG
from tests.support.stage import MS, Stage

FLATTEN = OperatorCommand(Control.FLATTEN, -1, "out", asker="me")
SECOND = 1_000 * MS


class Long(Stage):
    def __init__(self, config: str = CONFIG) -> None:
        super().__init__(config)
        self.accept(self.bid)
        self.accept(self.ask)
        self.fill(self.bid)
        self.tick()
        self.bid = self.submits()[-1]
        self.accept(self.bid)
        self.house.wait(1_100)  # so that a mark has been told
        self.tick()
        assert (self.position(), self.working()) == (100, 2)
        self.house.forget()

    def quotes_leave(self) -> None:
        assert sorted(self.cancels()) == sorted([self.bid, self.ask])
        for order in (self.bid, self.ask):
            self.answer_cancel(order)
            self.canceled(order)

    def close(self, order: str) -> None:
        self.answer(order)
        self.fill(order)

    def orders(self) -> list[tuple[str, str, str, float]]:
        return [(r["side"], r["type"], r["price"].rstrip("0"), float(r["quantity"])) for r in self.all_submits]

    def answers(self) -> list[tuple[AnswerKind, str]]:
        return [(m.kind, m.text) for m in self.house.said(CommandAnswered)]


@pytest.mark.parametrize("before", [(), (OperatorCommand(Control.HALT, -1, "look"),)], ids=["quoting", "halted"])
def test_quotes_go_and_one_crossing_order_closes_and_nothing_comes_back(before: tuple[OperatorCommand, ...]) -> None:
    """Also when the operator has halted first: his own way out is not barred by his own word."""
    stage = Long()
    stage.house.post(*before, FLATTEN)
    stage.quotes_leave()
    stage.house.wait(300)
    [order] = stage.submits()
    assert stage.orders() == [("SELL", "LIMIT", "59700.05", 0.001)], "50 bps below the mid, and not post-only"
    stage.close(order)
    stage.house.wait(600)
    assert stage.position() == 0
    assert stage.answers()[-1] == (AnswerKind.DONE, "BTCUSDT closed, 0.001")
    for _ in range(5):
        stage.tick()
    assert len(stage.submits()) == 1
    assert stage.trading() is (TradingState.HALTED if before else TradingState.CANCEL_ONLY)
    stage.house.post(OperatorCommand(Control.RESUME, -1, "flat"))
    stage.tick()
    assert len(stage.submits()) > 1
    assert stage.house.said(OrderRefused) == []


def test_a_stop_that_flattens_closes_first_and_then_cancels() -> None:
    stage = Long()
    now_ns = stage.house.clock.now_ns()
    stage.house.post(StopRequested("sigterm", now_ns + 10 * SECOND, StopPolicy.FLATTEN))
    stage.quotes_leave()
    stage.house.wait(300)
    [order] = stage.submits()
    stage.close(order)
    stage.house.wait(600)
    assert stage.answers()[-1] == (AnswerKind.DONE, "BTCUSDT closed, 0.001")
    assert stage.house.said(OrdersQuiet) == [], "the engine says when the stop itself begins"
    stage.house.post(StopRequested("sigterm", stage.house.clock.now_ns() + 5 * SECOND))
    stage.settle(1)
    assert [quiet.unresolved for quiet in stage.house.said(OrdersQuiet)] == [0]


def test_a_stop_that_keeps_leaves_what_works_and_says_how_much() -> None:
    """Whatever the market, the book and the states say afterwards, no cancel leaves."""
    stage = Long()
    stage.house.post(StopRequested("sigterm", stage.house.clock.now_ns() + 5 * SECOND, StopPolicy.KEEP))
    stage.tick()
    stage.lose_a_frame()
    stage.settle(1)
    assert stage.cancels() == []
    assert stage.submits() == []
    assert [(quiet.unresolved, quiet.kept) for quiet in stage.house.said(OrdersQuiet)] == [(0, 2)]


def test_a_stop_that_keeps_waits_for_what_is_on_its_way() -> None:
    stage = Stage()
    stage.accept(stage.bid)
    stage.house.post(StopRequested("sigterm", stage.house.clock.now_ns() + 60 * SECOND, StopPolicy.KEEP))
    stage.house.wait(100)
    assert stage.house.said(OrdersQuiet) == []
    stage.accept(stage.ask)
    assert [(quiet.unresolved, quiet.kept) for quiet in stage.house.said(OrdersQuiet)] == [(0, 2)]


def test_a_second_stop_cancels_what_the_first_would_have_kept() -> None:
    stage = Long()
    stage.house.post(StopRequested("sigterm", stage.house.clock.now_ns() + 60 * SECOND, StopPolicy.KEEP))
    stage.house.post(StopRequested("again", stage.house.clock.now_ns() + 5 * SECOND))
    stage.quotes_leave()
