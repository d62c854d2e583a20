"""Counts of orders made under other filters: each in the lot of its own version, whenever the Instrument is heard of."""

from typing import Any

from actors.risk import AccountLimits, Risk
from bus.messages import ClockEstimate, OrderStatus, TradingState, TradingStateChanged
from tests.actors.risk.builders import NOW, fill, instrument, limits, position, risk, update

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


def test_limits_are_the_same_amounts_in_whatever_lot() -> None:
    bounds = limits(order_lots_max=50, position_lots_max=105, position_lots_min=-105, unit=FINE)
    actor = Risk({0: bounds}, AccountLimits())
    book = actor.books[0]
    for version, lot, expected in ((1, FINE, (50, 105, -105)), (2, COARSE, (5, 10, -10)), (3, FINE, (50, 105, -105))):
        actor.receive(instrument(version=version, lot=lot), NOW)
        assert (book.lots_max, book.position_max, book.position_min) == expected


def test_a_position_that_is_no_whole_number_of_new_lots_is_its_whole_ones_and_nothing_is_lost() -> None:
    actor = risk()
    actor.receive(position(25), NOW)
    for version, lot, whole in ((2, COARSE, 2), (3, FINE, 25)):
        actor.receive(instrument(version=version, lot=lot), NOW)
        assert worst(actor) == whole


def test_a_position_of_a_version_nobody_told_is_counted_by_what_is_held() -> None:
    """The portfolio says a position anew in each new lot; a journal may end there."""
    actor = recovered(
        update(number=1, unit=COARSE, leaves_lots=0, status=OrderStatus.CANCELED), position(30, version=7)
    )
    assert worst(actor) == 30


def test_what_the_venue_does_not_trade_is_cancel_only_until_it_does() -> None:
    actor = risk()
    [halted] = actor.receive(instrument(version=2, trading=False), NOW)
    assert halted == TradingStateChanged("instrument:0", TradingState.CANCEL_ONLY, "the venue does not trade it now")
    [resumed] = actor.receive(instrument(version=3), NOW)
    assert (resumed.scope, resumed.state) == ("instrument:0", TradingState.ACTIVE)


def test_another_venues_clock_stops_nothing() -> None:
    actor = Risk({0: limits()}, AccountLimits(clock_error_ns_max=1_000, venue=0))
    assert actor.receive(ClockEstimate(3, 5_000, 500_000_000), NOW) == ()
    assert actor.receive(ClockEstimate(0, 5_000, 0), NOW) != ()
