"""Contracts: a position too small for the venue's least notional can still be closed, because the order only reduces."""

import pytest

from actors.exits.wishes import Wish, too_small
from bus.messages import ApprovedOrder, OrderRefused, PositionUpdate, Refusal, Side
from tests.actors.exits.builders import instrument as quoted
from tests.actors.risk.builders import ASK, BID, NOW, command, instrument, limits, risk, touch

LEAST = 10 * BID + 1
"""Above the notional of any order here."""


@pytest.mark.parametrize(("settle_asset", "passes"), [("USDT", True), ("", False)])
def test_a_reduce_only_order_of_a_contract_needs_no_least_notional(settle_asset: str, passes: bool) -> None:
    actor = risk(limits())
    actor.receive(instrument(min_notional=LEAST, settle_asset=settle_asset), NOW)
    actor.receive(touch(), NOW)
    actor.receive(PositionUpdate(1, 0, 0, 0, 1, 5, 5, 0, 0, 0.0), NOW)
    reducing = command(side=Side.SELL, price_ticks=ASK, quantity_lots=5, reduce_only=True)
    (answer,) = actor.receive(reducing, NOW + 1)
    if passes:
        assert isinstance(answer, ApprovedOrder)
    else:
        assert isinstance(answer, OrderRefused)
        assert answer.reason is Refusal.MIN_NOTIONAL
    (opening,) = actor.receive(command(command=2, quantity_lots=5), NOW + 2)
    assert isinstance(opening, OrderRefused)
    assert opening.reason is Refusal.MIN_NOTIONAL


@pytest.mark.parametrize(("settle_asset", "small"), [("USDT", False), ("", True)])
def test_an_exit_from_a_contract_is_never_dust_by_its_notional(settle_asset: str, small: bool) -> None:
    one = quoted(min_notional=10**12, settle_asset=settle_asset)
    assert too_small(Wish(10_000, 1, False), one) is small
    assert too_small(Wish(10_000, 0, False), one)
