"""The example: what it wishes, one situation a row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.strategy.examples.join_touch import JoinTouch, Parameters
from bus.messages import QuoteIntent
from tests.actors.strategy.builders import NOW, instrument, position, running, signals


def wish(parameters: dict[str, Any], lots: int, **top: Any) -> tuple[int, int, int, int] | None:
    actor = running(JoinTouch(Parameters(**{"quantity_lots": 10, "max_position_lots": 30, **parameters})))
    actor.receive(position(lots), NOW)
    out = actor.receive(signals(**top), NOW)
    if not out:
        return None
    (intent,) = out
    assert isinstance(intent, QuoteIntent)
    return intent.bid_ticks, intent.bid_lots, intent.ask_ticks, intent.ask_lots


@pytest.mark.parametrize(
    ("parameters", "lots", "top", "expected"),
    [
        ({}, 10, {}, (999, 10, 1_001, 10)),
        ({}, 0, {}, (999, 10, 1_001, 0)),  # nothing to sell on spot
        ({"min_position_lots": -30}, 0, {}, (999, 10, 1_001, 10)),
        ({}, 25, {}, (999, 5, 1_001, 10)),
        ({}, 30, {}, (999, 0, 1_001, 10)),
        ({}, 40, {}, (999, 0, 1_001, 10)),
        ({}, 4, {}, (999, 10, 1_001, 4)),
        ({"skew_ticks": 3.0}, 20, {}, (993, 10, 1_000, 10)),  # the offer leads into the spread, not to the bid
        ({"skew_ticks": 3.0, "min_position_lots": -30}, -20, {}, (1_000, 10, 1_007, 10)),
        ({}, 10, {"bid": 9_995, "ask": 10_005}, (999, 10, 1_001, 10)),  # off the grid: to the passive side
        ({"imbalance_max": 0.5}, 10, {"imbalance": 0.6}, (999, 10, 1_001, 0)),
        ({"imbalance_max": 0.5}, 10, {"imbalance": -0.6}, (999, 0, 1_001, 10)),
        ({"imbalance_max": 0.5}, 10, {"imbalance": 0.5}, (999, 10, 1_001, 10)),
        ({}, 10, {"ask": 0}, None),
        ({}, 10, {"warm": False}, (999, 10, 1_001, 10)),
        ({"warm_only": True}, 10, {"warm": False}, None),
    ],
)
def test_one_situation(
    parameters: dict[str, Any], lots: int, top: dict[str, Any], expected: tuple[int, int, int, int] | None
) -> None:
    assert wish(parameters, lots, **top) == expected


@given(st.integers(-40, 40), st.floats(0, 20), st.integers(1, 2_000), st.integers(1, 300))
def test_it_never_wishes_to_take_nor_to_leave_its_bounds(lots: int, skew: float, bid: int, spread: int) -> None:
    wished = wish({"skew_ticks": skew, "min_position_lots": -30}, lots, bid=bid * 10, ask=(bid + spread) * 10)
    assert wished is not None
    bid_ticks, bid_lots, ask_ticks, ask_lots = wished
    assert 1 <= bid_ticks < bid + spread
    assert ask_ticks > bid
    assert lots + bid_lots <= max(30, lots)
    assert lots - ask_lots >= min(-30, lots)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity_lots": 0},
        {"min_position_lots": 31},
        {"skew_ticks": -1.0},
        {"imbalance_max": 1.1},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Parameters(**{"quantity_lots": 10, "max_position_lots": 30, **wrong})


@pytest.mark.parametrize(("lot", "lots"), [(5, 2), (2, 5), (100, 0)])
def test_another_lot_leaves_the_amounts_as_they_were(lot: int, lots: int) -> None:
    actor = running(JoinTouch(Parameters(quantity_lots=10, max_position_lots=30, min_position_lots=-30)))
    actor.receive(position(0), NOW)
    actor.receive(instrument(version=2, lot=lot), NOW)
    out = actor.receive(signals(version=2), NOW)
    assert [(intent.bid_lots, intent.ask_lots) for intent in out if isinstance(intent, QuoteIntent)] == (
        [(lots, lots)] if lots else []
    )
