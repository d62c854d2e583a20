"""What other instances mean to risk: the band, cooldowns, and a term that is over."""

from typing import Any

import msgspec
import pytest

from actors.risk import AccountLimits, Risk
from actors.risk.actor import RiskState
from bus.messages import (
    ApprovedOrder,
    BandHeld,
    BandWanted,
    Control,
    CooldownHeld,
    EngineStarted,
    LeadershipLost,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersReady,
    Refusal,
    Side,
    TradingState,
    TradingStateChanged,
)
from tests.actors.risk.builders import ASK, BID, NOW, command, limits, position, risk

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState
COOL = CooldownHeld(0, NOW + 5, "loss")


def judged(actor: Risk, **given: Any) -> tuple[Message, ...]:
    return actor.receive(command(**given), NOW)


def reason(actor: Risk, **given: Any) -> Refusal:
    first = judged(actor, **given)[0]
    return first.reason if isinstance(first, OrderRefused) else Refusal.NONE


def told(actor: Risk, message: Message, now_ns: int = NOW) -> list[tuple[str, TradingState]]:
    return [(m.scope, m.state) for m in actor.receive(message, now_ns) if isinstance(m, TradingStateChanged)]


# -- bands ------------------------------------------------------------------------------------------------------------


def test_nothing_may_rest_before_coordination_has_said_where() -> None:
    actor = risk(ready=False)
    actor.receive(OrdersReady(0, 1, 0, 0, 0), NOW)
    assert reason(actor) is Refusal.BAND
    assert reason(actor, command=1, side=Side.SELL, price_ticks=ASK) is Refusal.BAND


@pytest.mark.parametrize(
    ("band", "side", "price", "refusal"),
    [
        ((BID, 0), Side.BUY, BID, Refusal.NONE),
        ((BID, 0), Side.BUY, BID - 5, Refusal.NONE),
        ((BID, 0), Side.BUY, BID + 1, Refusal.BAND),
        ((BID, 0), Side.SELL, ASK, Refusal.BAND),
        ((0, ASK), Side.SELL, ASK, Refusal.NONE),
        ((0, ASK), Side.SELL, ASK + 5, Refusal.NONE),
        ((0, ASK), Side.SELL, ASK - 1, Refusal.BAND),
        ((0, ASK), Side.BUY, BID, Refusal.BAND),
    ],
)
def test_an_order_rests_within_the_band_or_not_at_all(
    band: tuple[int, int], side: Side, price: int, refusal: Refusal
) -> None:
    actor = risk()
    assert actor.receive(BandHeld(0, *band), NOW) == ()
    assert reason(actor, side=side, price_ticks=price) is refusal


def test_a_refusal_asks_for_the_price_that_was_wished() -> None:
    actor = risk()
    actor.receive(BandHeld(0, 0, 0), NOW)
    refused, wanted = judged(actor)
    assert refused == OrderRefused(0, "maker", 0, Side.BUY, Refusal.BAND)
    assert wanted == BandWanted(0, 1, BID)


@pytest.mark.parametrize(("reduce_only", "post_only"), [(True, False), (True, True), (False, False)])
def test_only_an_order_that_reduces_and_may_take_asks_for_the_nearest_band(reduce_only: bool, post_only: bool) -> None:
    actor = risk()
    actor.receive(position(20), NOW - 1)
    actor.receive(BandHeld(0, BID, ASK), NOW)
    given = {
        "side": Side.SELL,
        "price_ticks": BID,
        "quantity_lots": 10,
        "reduce_only": reduce_only,
        "post_only": post_only,
    }
    _, wanted = judged(actor, **given)
    assert wanted == BandWanted(0, -1, BID, reduce_only and not post_only)


def test_an_order_that_something_else_keeps_back_widens_nothing() -> None:
    actor = risk(limits(position_lots_max=5))
    actor.receive(BandHeld(0, 0, 0), NOW)
    assert judged(actor, quantity_lots=10) == (OrderRefused(0, "maker", 0, Side.BUY, Refusal.POSITION),)


def test_a_reducing_order_keeps_to_the_band_too() -> None:
    """It would trade with another instance of ours as any other would."""
    actor = risk()
    actor.receive(position(20), NOW - 1)
    actor.receive(BandHeld(0, BID, ASK), NOW)
    assert reason(actor, side=Side.SELL, price_ticks=ASK - 1, quantity_lots=10) is Refusal.BAND


def test_a_run_begins_without_a_band_and_a_checkpoint_keeps_it() -> None:
    actor = risk()
    actor.receive(BandHeld(0, BID, ASK), NOW)
    again = risk(ready=False)
    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=RiskState))
    assert isinstance(judged(again)[0], ApprovedOrder)
    again.receive(EngineStarted(0, 2), NOW)
    assert (again.books[0].bid_max, reason(again, command=1)) == (0, Refusal.TRADING_STATE)


def test_a_band_of_an_instrument_nobody_trades_is_nothing_to_us() -> None:
    assert risk().receive(BandHeld(99, 1, 1), NOW) == ()


# -- cooldowns --------------------------------------------------------------------------------------------------------


def test_in_a_cooldown_only_reducing_orders_pass() -> None:
    actor = risk()
    actor.receive(position(20), NOW - 1)
    assert told(actor, COOL) == [("instrument:0", REDUCING)]
    assert reason(actor) is Refusal.TRADING_STATE
    assert reason(actor, command=1, side=Side.SELL, price_ticks=ASK, quantity_lots=10) is Refusal.NONE


def test_it_ends_when_it_is_said_again_at_its_end() -> None:
    actor = risk()
    told(actor, COOL)
    assert told(actor, COOL, NOW + 4) == []
    assert told(actor, COOL, NOW + 5) == [("instrument:0", ACTIVE)]
    assert told(actor, COOL, NOW + 6) == []


def test_a_person_does_not_end_it_and_it_does_not_end_what_a_person_ordered() -> None:
    actor = risk()
    told(actor, COOL)
    assert told(actor, OperatorCommand(Control.RESUME, 0, "I want to")) == []
    told(actor, OperatorCommand(Control.HALT, 0, "look"))
    assert told(actor, COOL, NOW + 5) == []
    assert actor.switch.state_for(0, "maker") is HALTED


# -- the term ---------------------------------------------------------------------------------------------------------


def test_a_lost_term_lets_only_cancels_through_until_the_next_run() -> None:
    actor = risk()
    assert told(actor, LeadershipLost(0, 1, "cut off")) == [("engine", CANCEL_ONLY)]
    assert reason(actor) is Refusal.TRADING_STATE
    assert told(actor, OrdersReady(0, 1, 0, 0, 0)) == []
    assert told(actor, OperatorCommand(Control.RESUME, -1, "I want to")) == []
    actor.receive(EngineStarted(0, 2), NOW)
    assert told(actor, OrdersReady(0, 2, 0, 0, 0)) == [("engine", ACTIVE)]


# -- what was taken over ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day_start", "stopped"), [(-900, False), (0, True)])
def test_a_loss_that_was_taken_over_counts_as_far_as_it_is_of_today(day_start: int, *, stopped: bool) -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 500}))
    taken = position(0, realized=-1_000, taken_over=True, day_start=day_start)
    assert (told(actor, taken) == [("engine", REDUCING)]) is stopped
