"""What stops trading, how far, and what starts it again."""

from typing import Any

import pytest

from actors.risk import AccountLimits, Risk
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    Alert,
    AlertLevel,
    AnswerKind,
    BaselineAwaited,
    BaselineTaken,
    ClockEstimate,
    CommandAnswered,
    Control,
    EngineStarted,
    LedgerCompared,
    Message,
    OperatorCommand,
    OrdersReady,
    OrderStatus,
    OrdersUnready,
    Refusal,
    StopRequested,
    StrategyQuarantined,
    TradingState,
    TradingStateChanged,
)
from tests.actors.risk.builders import NOW, limits, position, risk, update

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState
READY = OrdersReady(0, 1, 0, 0, 0)
HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def told(actor: Risk, message: Message, now_ns: int = NOW) -> list[tuple[str, TradingState]]:
    return [(m.scope, m.state) for m in actor.receive(message, now_ns) if isinstance(m, TradingStateChanged)]


def alerts(actor: Risk, message: Message) -> list[tuple[AlertLevel, str]]:
    return [(m.level, m.event) for m in actor.receive(message, NOW) if isinstance(m, Alert)]


def test_it_starts_in_cancel_only_and_orders_lifts_it() -> None:
    actor = risk(ready=False)
    assert actor.switch.reasons.engine is CANCEL_ONLY
    assert told(actor, READY) == [("engine", ACTIVE)]
    assert told(actor, OrdersUnready(0, "stream lost")) == [("engine", CANCEL_ONLY)]
    assert told(actor, READY) == [("engine", ACTIVE)]


def test_every_start_says_each_state_that_holds() -> None:
    actor = risk(None, AccountLimits(owner_states={"slow": REDUCING}))
    assert told(actor, EngineStarted(0, 2)) == [("engine", CANCEL_ONLY), ("owner:slow", REDUCING)]


def test_orders_ready_does_not_lift_what_the_operator_ordered() -> None:
    actor = risk(ready=False)
    assert told(actor, OperatorCommand(Control.HALT, -1, "look")) == [("engine", HALTED)]
    assert told(actor, READY) == []
    assert told(actor, OperatorCommand(Control.RESUME, -1, "looked")) == [("engine", ACTIVE)]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_resume_without_a_reason_is_answered_with_an_alert(reason: str) -> None:
    actor = risk()
    actor.receive(OperatorCommand(Control.REDUCE, -1, ""), NOW)
    assert actor.receive(OperatorCommand(Control.RESUME, -1, reason, asker="me"), NOW) == (
        Alert(AlertLevel.WARNING, "risk", "resume_without_reason", -1, "scope=engine"),
        CommandAnswered("me", Control.RESUME, -1, AnswerKind.FAILED, "refused: it was not said why; give a reason"),
    )
    assert actor.switch.reasons.engine is REDUCING


def test_a_looser_order_does_not_loosen_a_stricter_one() -> None:
    actor = risk()
    assert told(actor, OperatorCommand(Control.CANCEL_ONLY, 0, "")) == [("instrument:0", CANCEL_ONLY)]
    assert told(actor, OperatorCommand(Control.REDUCE, 0, "")) == []
    assert told(actor, OperatorCommand(Control.HALT, 0, "")) == [("instrument:0", HALTED)]
    assert told(actor, OperatorCommand(Control.RESUME, 0, "ok")) == [("instrument:0", ACTIVE)]


def test_resume_of_one_instrument_leaves_the_engine_stopped() -> None:
    actor = risk()
    actor.receive(OperatorCommand(Control.HALT, -1, ""), NOW)
    actor.receive(OperatorCommand(Control.HALT, 0, ""), NOW)
    assert told(actor, OperatorCommand(Control.RESUME, 0, "ok")) == [("instrument:0", ACTIVE)]
    assert actor.switch.state_for(0, "maker") is HALTED


def test_resume_of_all_resumes_the_instruments_too() -> None:
    actor = risk()
    actor.receive(OperatorCommand(Control.HALT, 0, ""), NOW)
    assert told(actor, OperatorCommand(Control.RESUME, -1, "ok")) == [("instrument:0", ACTIVE)]


def test_cancel_all_changes_no_state() -> None:
    assert risk().receive(OperatorCommand(Control.CANCEL_ALL, -1, ""), NOW) == ()


def test_a_failed_actor_stops_new_orders_with_an_alert_until_it_is_made_anew() -> None:
    actor = risk()
    changes = actor.receive(ActorFailed("orderbook", 39, "ZeroDivisionError"), NOW)
    assert [type(m) for m in changes] == [TradingStateChanged, Alert]
    assert actor.switch.reasons.engine is CANCEL_ONLY
    assert told(actor, READY) == []
    assert told(actor, ActorsRestarted(("orderbook", "microstructure"), 1, "")) == [("engine", ACTIVE)]


@pytest.mark.parametrize("owner", ["", "other"])
def test_a_quarantine_is_of_its_owner_alone_and_ends_with_his_resume(owner: str) -> None:
    actor = risk()
    assert told(actor, StrategyQuarantined("main", "it raised")) == [("owner:main", CANCEL_ONLY)]
    assert actor.switch.reasons.engine is ACTIVE
    assert told(actor, OperatorCommand(Control.RESUME, -1, "go on", owner)) == []
    assert told(actor, OperatorCommand(Control.RESUME, -1, "mended", "main")) == [("owner:main", ACTIVE)]


def test_what_failed_in_a_run_is_not_held_against_the_next() -> None:
    actor = risk()
    actor.receive(ActorFailed("orders", 39, ""), NOW)
    actor.receive(StrategyQuarantined("main", ""), NOW)
    actor.receive(EngineStarted(0, 2), NOW)
    assert [held.name for held in actor.switch.reasons.saved()] == ["orders"]


def test_a_stop_lasts_until_the_next_start() -> None:
    actor = risk()
    assert told(actor, StopRequested("sigterm", NOW)) == [("engine", CANCEL_ONLY)]
    assert told(actor, OperatorCommand(Control.RESUME, -1, "no")) == []
    actor.receive(EngineStarted(0, 2), NOW)
    assert told(actor, READY) == [("engine", ACTIVE)]


@pytest.mark.parametrize(("offset", "uncertainty", "good"), [(400, 100, True), (-400, 100, True), (-401, 100, False)])
def test_a_clock_off_by_more_than_the_bound_cancels_only(offset: int, uncertainty: int, good: bool) -> None:
    actor = risk(None, AccountLimits(clock_error_ns_max=500))
    answer = alerts(actor, ClockEstimate(0, offset, uncertainty))
    assert answer == ([] if good else [(AlertLevel.CRITICAL, "clock_off")])
    assert actor.switch.reasons.engine is (ACTIVE if good else CANCEL_ONLY)
    assert alerts(actor, ClockEstimate(0, offset, uncertainty)) == []  # said once
    actor.receive(ClockEstimate(0, 0, 0), NOW)
    assert actor.switch.reasons.engine is ACTIVE


def test_a_good_clock_of_one_venue_does_not_speak_for_another() -> None:
    actor = risk(None, AccountLimits(clock_error_ns_max=500))
    actor.receive(ClockEstimate(0, 501, 0), NOW)
    assert told(actor, ClockEstimate(1, 0, 0)) == []
    assert actor.switch.reasons.engine is CANCEL_ONLY


def test_a_ledger_difference_beyond_dust_reduces_until_it_agrees_again_or_resume() -> None:
    actor = risk(None, AccountLimits(dust={"AAA": 3}))
    assert told(actor, LedgerCompared(0, "AAA", 100, 50, True)) == []  # a baseline
    assert told(actor, LedgerCompared(0, "AAA", 100, 103, False)) == []
    assert told(actor, LedgerCompared(0, "AAA", 100, 96, False)) == [("engine", REDUCING)]
    assert told(actor, LedgerCompared(0, "BBB", 100, 100, False)) == []
    assert told(actor, LedgerCompared(0, "AAA", 100, 97, False)) == [("engine", ACTIVE)]
    assert told(actor, LedgerCompared(0, "AAA", 100, 96, False)) == [("engine", REDUCING)]
    assert told(actor, OperatorCommand(Control.RESUME, -1, "a deposit")) == [("engine", ACTIVE)]


def test_a_new_baseline_of_an_asset_ends_its_difference_alone() -> None:
    actor = risk()
    for asset in ("AAA", "BBB"):
        actor.receive(LedgerCompared(0, asset, 100, 96, False), NOW)
    assert told(actor, BaselineTaken(0, ("AAA",), (96,))) == []
    assert [reason.name for reason in actor.switch.reasons.saved()] == ["ledger:BBB"]
    assert told(actor, BaselineTaken(0, ("BBB", "AAA"), (1, 2))) == [("engine", ACTIVE)]


def loss(realized: int, **given: Any) -> Message:
    return position(0, realized=realized, **given)


def test_a_ledger_whose_start_was_accepted_just_before_a_kill_is_awaited_no_more() -> None:
    """The checkpoint is of before the acceptance, which the journal has. Nobody says it a second time, and no RESUME ends it."""
    actor = risk()
    actor.receive(BaselineAwaited(0, ("AAA",)), NOW)
    again = Risk(actor.limits, actor.account_limits)
    again.restore(actor.checkpoint())
    again.recovers()[BaselineTaken](BaselineTaken(0, ("AAA",), (5,)), NOW)
    again.receive(EngineStarted(0, 2), NOW)
    again.receive(OrdersReady(0, 2, 0, 0, 0), NOW)
    assert again.switch.state_for(0, "maker") is ACTIVE


def test_the_days_realized_loss_reduces() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    assert told(actor, loss(-100)) == []
    assert told(actor, loss(-101)) == [("engine", REDUCING)]


def test_a_new_day_and_a_resume_count_anew() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    actor.receive(loss(-90), NOW)
    assert told(actor, loss(-180), NOW + DAY) == []
    assert told(actor, loss(-191), NOW + DAY) == [("engine", REDUCING)]
    actor.receive(OperatorCommand(Control.RESUME, -1, "accepted"), NOW + DAY)
    assert told(actor, loss(-291), NOW + DAY) == []
    assert told(actor, loss(-292), NOW + DAY) == [("engine", REDUCING)]


def test_a_clock_that_goes_back_across_midnight_brings_no_day_back() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    actor.receive(loss(-60), NOW)
    assert told(actor, loss(-101), NOW - DAY) == [("engine", REDUCING)]


def test_an_order_rate_counted_by_a_clock_that_was_ahead_is_over_in_its_window() -> None:
    actor = risk(None, AccountLimits(order_rate=1, order_rate_window_ns=10_000))
    actor.rate.count(NOW + HOUR)
    actor.receive(EngineStarted(0, 2), NOW)
    assert not actor.rate.has_room(NOW + 9_999)
    assert actor.rate.has_room(NOW + 10_000)


def test_too_many_venue_rejects_stop_the_instrument() -> None:
    actor = risk(limits(rejects_max=3, rejects_window_ns=1_000))
    rejected = {"status": OrderStatus.REJECTED, "refusal": Refusal.VENUE_REJECTED, "leaves_lots": 0}
    times = [NOW, NOW + 1_000, NOW + 1_500, NOW + 1_999]
    answers = [told(actor, update(number=n, client_order_id=f"x{n}", **rejected), now) for n, now in enumerate(times)]
    assert answers == [[], [], [], [("instrument:0", CANCEL_ONLY)]]
    assert told(actor, OperatorCommand(Control.RESUME, 0, "fixed")) == [("instrument:0", ACTIVE)]


def test_the_strictest_of_engine_instrument_and_owner_holds() -> None:
    actor = risk(None, AccountLimits(owner_states={"maker": REDUCING}))
    assert actor.switch.state_for(0, "maker") is REDUCING
    actor.receive(OperatorCommand(Control.CANCEL_ONLY, 0, ""), NOW)
    assert actor.switch.state_for(0, "maker") is CANCEL_ONLY
    assert actor.switch.state_for(1, "maker") is REDUCING
    assert actor.switch.state_for(1, "other") is ACTIVE
