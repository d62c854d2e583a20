"""Counts of orders made under other filters: each in the lot of its own version, whenever the Instrument is heard of."""

from typing import Any

from actors.risk import AccountLimits, Risk
from bus.messages import OrderStatus
from tests.actors.risk.builders import NOW, fill, instrument, limits, risk, update

COARSE, FINE = 10, 1
"""Base units of a lot in version 1, and in version 2."""


def recovered(*facts: object) -> Risk:
    """A fresh actor that folded facts of the journal, and only then heard of the finer instrument."""
    actor = Risk({0: limits()}, AccountLimits())
    for fact in facts:
        actor.recovers()[type(fact)](fact, NOW)  # type: ignore[index]  # facts are messages
    actor.receive(instrument(version=2, lot=FINE), NOW)
    return actor


def worst(actor: Risk) -> int:
    return actor.books[0].worst_long()


def test_an_order_of_a_coarser_lot_reserves_all_of_its_quantity() -> None:
    actor = recovered(update(number=1, unit=COARSE))
    assert worst(actor) == 100
    actor.receive(update(number=2, unit=COARSE, status=OrderStatus.SUSPECT), NOW)
    assert worst(actor) == 100
    actor.receive(update(number=3, unit=COARSE, status=OrderStatus.CANCELED, leaves_lots=0), NOW)
    assert worst(actor) == 0


def test_its_fills_are_counted_in_its_own_lots() -> None:
    actor = recovered(update(number=1, unit=COARSE))
    actor.receive(fill(number=1, quantity_lots=4), NOW + 1)
    actor.receive(update(number=2, unit=COARSE, cumulative_lots=4, leaves_lots=6), NOW + 1)
    assert worst(actor) == 100
    assert actor.books[0].leaves_buy == 60


def test_orders_of_two_versions_in_one_journal_are_added_up_in_one_lot() -> None:
    older: dict[str, Any] = {"unit": COARSE}
    newer: dict[str, Any] = {"unit": FINE, "version": 2, "client_order_id": "x1", "command": 1}
    for first, second in ((older, newer), (newer, older)):
        assert worst(recovered(update(number=1, **first), update(number=2, **second))) == 110


def test_a_version_that_came_and_went_while_we_were_down_is_read_by_its_unit() -> None:
    actor = risk()
    actor.receive(update(number=1, version=0, unit=COARSE), NOW)
    assert worst(actor) == 100


def test_a_restart_keeps_what_is_known_of_versions() -> None:
    actor = Risk({0: limits()}, AccountLimits())
    actor.recovers()[type(update())](update(number=1, unit=COARSE), NOW)
    again = Risk({0: limits()}, AccountLimits())
    again.restore(actor.checkpoint())
    again.receive(instrument(version=2, lot=FINE), NOW)
    assert worst(again) == 100
