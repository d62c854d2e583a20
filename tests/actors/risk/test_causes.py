"""The table of what stops trading, against what the actor does."""

from typing import Any

import pytest

from actors.risk import AccountLimits, LatencyLimits, Risk
from actors.risk.causes import CAUSES, ENDS, NEVER, OWN, cause_of
from bus.messages import (
    ActorFailed,
    BaselineAwaited,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    Control,
    CooldownHeld,
    LeadershipLost,
    LedgerCompared,
    LoopLag,
    Message,
    OperatorCommand,
    OrderStatus,
    OrdersUnready,
    PrivateStreamDown,
    Refusal,
    StopRequested,
    StrategyQuarantined,
    TimerFired,
    TradingState,
)
from tests.actors.risk.builders import NOW, fill, instrument, limits, position, risk, update

SECOND = 1_000_000_000
LOST = BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 9)
REJECTED = update(number=1, status=OrderStatus.REJECTED, refusal=Refusal.VENUE_REJECTED, leaves_lots=0)

HAPPENINGS: dict[str, list[Message]] = {
    "orders": [OrdersUnready(0, "lost")],
    "stop": [StopRequested("sigterm", NOW)],
    "leadership": [LeadershipLost(0, 1, "term over")],
    "clock": [ClockEstimate(0, 10 * SECOND, 0)],
    "latency": [LoopLag(2 * SECOND)],
    "operator": [OperatorCommand(Control.HALT, -1, "look")],
    "actor_failed": [ActorFailed("risk", 51, "ValueError")],
    "ledger": [LedgerCompared(0, "AAA", 100, 1, False)],
    "baseline": [BaselineAwaited(0, ("AAA",))],
    "loss": [position(0, realized=-100)],
    "drawdown": [position(0, realized=-100)],
    "disconnects": [PrivateStreamDown(0, 1, "cut")],
    "rejects": [REJECTED],
    "fills": [fill(number=1)],
    "stale": [position(3), LOST, TimerFired("risk", 0, 1, NOW)],
    "cooldown": [CooldownHeld(0, NOW + 60 * SECOND, "loss")],
    "venue": [instrument(trading=False)],
    "quarantine": [StrategyQuarantined("maker", "raised")],
    "settings": [],
}


def struck(name: str) -> Risk:
    """An actor to which it has happened, with everything set to its first occurrence."""
    account = AccountLimits(
        daily_loss_max={"BBB": 1},
        drawdown_max={"BBB": 1},
        disconnects_max=1,
        stale_ns=1,
        latency=LatencyLimits(),
        owner_states={"slow": TradingState.REDUCING},
    )
    actor = risk(limits(rejects_max=1, fills_max=1), account)
    for n, message in enumerate(HAPPENINGS[name]):
        actor.receive(message, NOW + n * SECOND)
    return actor


def held(actor: Risk) -> dict[str, tuple[str, TradingState]]:
    rows = actor.switch.reasons.saved()
    return {row.name.partition(":")[0]: (row.scope.partition(":")[0], row.state) for row in rows}


def test_the_table_has_a_row_for_everything_that_happens_here() -> None:
    assert set(HAPPENINGS) == set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_each_cause_holds_where_and_what_its_row_says(name: str) -> None:
    scope, state = held(struck(name))[name]
    row = CAUSES[name]
    assert row.scope in (scope, "any")
    assert row.state.startswith((state.name, "as ", "by "))


@pytest.mark.parametrize("name", CAUSES)
def test_a_resume_ends_what_its_row_says_and_nothing_else(name: str) -> None:
    actor = struck(name)
    actor.receive(OperatorCommand(Control.RESUME, -1, "seen"), NOW + 10 * SECOND)
    assert (name not in held(actor)) is (CAUSES[name].resume is ENDS)
    fields: dict[str, Any] = {"instrument": 0} if CAUSES[name].scope == "instrument" else {}
    own = OperatorCommand(Control.RESUME, fields.get("instrument", -1), "seen", owner="maker")
    actor.receive(own, NOW + 10 * SECOND)
    assert (name not in held(actor)) is (CAUSES[name].resume in (ENDS, OWN))


@pytest.mark.parametrize("name", CAUSES)
def test_a_person_is_bound_as_its_row_says(name: str) -> None:
    state = struck(name).switch.state_for(0, "operator")
    assert (state is not TradingState.ACTIVE) is CAUSES[name].binds_operator


def test_a_name_without_a_row_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        cause_of("whim:0")
    assert cause_of("loss:USDT").resume is ENDS
    assert cause_of("clock:0").resume is NEVER
