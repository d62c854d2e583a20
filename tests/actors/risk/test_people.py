"""A person's word to risk: what is answered, whom it binds, and that it outlives the process."""

import pytest

from actors.risk import Risk
from bus.messages import (
    ActorFailed,
    AnswerKind,
    CommandAnswered,
    Control,
    EngineStarted,
    LedgerCompared,
    Message,
    OperatorCommand,
    OrdersReady,
    OrdersUnready,
    StopRequested,
    TradingState,
)
from tests.actors.risk.builders import NOW, risk

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState


def answered(actor: Risk, message: Message) -> list[tuple[str, AnswerKind, str]]:
    return [(m.asker, m.kind, m.text) for m in actor.receive(message, NOW) if isinstance(m, CommandAnswered)]


def test_an_order_is_answered_with_the_state_that_holds_now() -> None:
    actor = risk()
    assert answered(actor, OperatorCommand(Control.REDUCE, -1, "calm", asker="a")) == [
        ("a", AnswerKind.DONE, "REDUCING")
    ]
    assert answered(actor, OperatorCommand(Control.HALT, -1, "look", asker="b")) == [("b", AnswerKind.DONE, "HALTED")]
    assert answered(actor, OperatorCommand(Control.REDUCE, -1, "?", asker="c")) == [
        ("c", AnswerKind.DONE, "HALTED, as it was: look")
    ]


def test_a_resume_that_does_not_lift_everything_says_what_still_holds() -> None:
    actor = risk()
    actor.receive(OperatorCommand(Control.HALT, -1, "look"), NOW)
    actor.receive(OrdersUnready(0, "stream lost"), NOW)
    assert answered(actor, OperatorCommand(Control.RESUME, -1, "looked")) == [
        ("", AnswerKind.FAILED, "still CANCEL_ONLY: engine orders: stream lost")
    ]
    actor.receive(OrdersReady(0, 1, 0, 0, 0), NOW)
    assert answered(actor, OperatorCommand(Control.RESUME, -1, "looked")) == [("", AnswerKind.DONE, "ACTIVE")]


def test_one_strategy_is_halted_and_resumed_by_its_name() -> None:
    actor = risk()
    assert answered(actor, OperatorCommand(Control.HALT, -1, "odd", "maker"))[0][2] == "HALTED"
    assert actor.switch.state_for(0, "maker") is HALTED
    assert actor.switch.state_for(0, "other") is ACTIVE
    assert answered(actor, OperatorCommand(Control.RESUME, -1, "mended", "maker"))[0][2] == "ACTIVE"
    assert actor.switch.state_for(0, "maker") is ACTIVE


def test_flatten_stops_everybody_but_the_operators_own_orders_and_is_answered_by_others() -> None:
    actor = risk()
    assert answered(actor, OperatorCommand(Control.FLATTEN, 0, "out")) == []
    assert actor.switch.state_for(0, "maker") is CANCEL_ONLY
    assert actor.switch.state_for(0, "operator") is ACTIVE
    assert actor.switch.state_for(1, "maker") is ACTIVE


@pytest.mark.parametrize(
    ("message", "state"),
    [
        (OperatorCommand(Control.HALT, -1, "look"), ACTIVE),
        (StopRequested("sigterm", NOW), ACTIVE),
        (OrdersUnready(0, "stream lost"), CANCEL_ONLY),
        (ActorFailed("orderbook", 39, "ZeroDivisionError"), CANCEL_ONLY),
    ],
)
def test_what_binds_a_person(message: Message, state: TradingState) -> None:
    """A halt of his own does not keep him from getting out; what makes the position itself uncertain does."""
    actor = risk()
    actor.receive(message, NOW)
    assert actor.switch.state_for(0, "operator") is state
    assert actor.switch.state_for(0, "maker") is not ACTIVE


def test_what_a_person_ordered_is_folded_from_the_journal() -> None:
    """Killed before the next checkpoint: the halt holds in the next life, and so does the resume behind an older halt."""
    halt, resume = OperatorCommand(Control.HALT, -1, "look"), OperatorCommand(Control.RESUME, -1, "looked")
    after = risk(ready=False)
    after.restore(risk().checkpoint())
    after.recovers()[OperatorCommand](halt, NOW)
    after.receive(EngineStarted(0, 2), NOW)
    after.receive(OrdersReady(0, 2, 0, 0, 0), NOW)
    assert after.switch.reasons.engine is HALTED
    after.recovers()[OperatorCommand](resume, NOW)
    assert after.switch.reasons.engine is ACTIVE


def test_a_resume_of_one_symbol_names_what_holds_the_engine_and_what_to_type() -> None:
    actor = risk()
    actor.receive(OperatorCommand(Control.HALT, -1, "look"), NOW)
    actor.receive(OperatorCommand(Control.HALT, 0, "odd"), NOW)
    [(_, kind, text)] = answered(actor, OperatorCommand(Control.RESUME, 0, "looked"))
    assert kind is AnswerKind.FAILED
    assert text == "still HALTED: engine operator: look (touchline resume --reason TEXT)"
    [(_, _, text)] = answered(actor, OperatorCommand(Control.RESUME, -1, "looked"))
    assert text == "ACTIVE"


@pytest.mark.parametrize(
    ("compared", "text"),
    [
        (LedgerCompared(0, "BTC", 150_000_000, 140_000_000, False), "BTC: ours 1.5, venue's 1.4, dust bound 0"),
        (LedgerCompared(0, "USDT", -5, 0, False), "USDT: ours -0.00000005, venue's 0, dust bound 0"),
    ],
)
def test_a_gap_of_the_ledger_is_told_as_people_write_amounts(compared: LedgerCompared, text: str) -> None:
    actor = risk()
    actor.receive(compared, NOW)
    assert [row.text for row in actor.switch.reasons.saved()] == [text]
    again = risk()
    again.restore(actor.checkpoint())
    assert again.switch.scales == actor.switch.scales
