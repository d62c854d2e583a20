"""The one promise that must hold: the worst case is never beyond the limit, whatever happens in whatever order."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.risk import Risk, RiskState
from actors.risk.exposure import SETTLE_NS
from bus.messages import OrderRefused, OrderStatus, Refusal, Side
from tests.actors.risk.builders import NOW, command, fill, instrument, limits, position, risk, update
from tests.actors.risk.world import World

TIGHT = limits(position_lots_max=20, position_lots_min=-15)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_worst_case_is_never_beyond_the_limit_and_never_understated(seed: int) -> None:
    """Goal: the invariants of `World.check` after every single fact. Method: a random world with random delivery.

    When everything has been delivered, nothing is overstated either: risk believes exactly what is true.
    """
    world = World(risk(TIGHT), Random(seed))
    world.run(60)
    while world.cascades:
        world.deliver()
    book = world.risk.books[0]
    book.settle(world.now + 1)
    assert (book.worst_long(), book.worst_short()) == (world.worst(1), world.worst(-1))
    assert len(book.holds) == len(world.open)
    assert not book.requests


def test_the_world_reaches_the_limits() -> None:
    """Without this the property above could hold because nothing ever happened."""
    worst, refused, fills = [], 0, 0
    for seed in range(20):
        world = World(risk(TIGHT), Random(seed))
        world.run(60)
        worst.append(world.worst(1))
        refused += sum(world.risk.refused.values())
        fills += world.fills
    assert fills > 100
    assert max(worst) >= 15
    assert refused > 20


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_restored_at_any_step_it_answers_the_rest_alike(seed: int) -> None:
    world = World(risk(TIGHT), Random(seed))
    world.run(25)
    actor = risk(TIGHT)
    for k in range(len(world.inputs)):
        saved = msgspec.msgpack.encode(actor.checkpoint())
        assert _rest(saved, world, k) == world.outputs[k:]
        message, now_ns = world.inputs[k]
        actor.receive(message, now_ns)


def _rest(saved: bytes, world: World, k: int) -> list[object]:
    fresh = Risk({0: TIGHT}, risk().account_limits)
    fresh.restore(msgspec.msgpack.decode(saved, type=RiskState))
    assert msgspec.msgpack.encode(fresh.checkpoint()) == saved
    return [fresh.receive(message, now_ns) for message, now_ns in world.inputs[k:]]


@pytest.mark.parametrize("seed", range(10))
def test_facts_folded_at_recovery_reserve_as_they_did_live(seed: int) -> None:
    """A fresh actor that folds the journal's facts believes what the one before it believed."""
    world = World(risk(TIGHT), Random(seed))
    world.run(80)
    again = Risk({0: TIGHT}, risk().account_limits)
    folds = again.recovers()
    for message, now_ns in world.inputs:
        if type(message) in folds:
            folds[type(message)](message, now_ns)
    again.receive(instrument(), world.now + 1)
    book, before = again.books[0], world.risk.books[0]
    before.settle(world.now + 1)
    book.settle(world.now + 1)
    assert (book.worst_long(), book.worst_short()) == (before.worst_long(), before.worst_short())
    assert again.account.open_orders == world.risk.account.open_orders == len(world.open)
    assert again.account.notional.get("BBB", 0) == world.risk.account.notional.get("BBB", 0)


# Single cases


def test_a_reservation_stands_from_approval_until_the_order_is_done() -> None:
    actor = risk()
    actor.receive(command(), NOW)
    unfinished = [status for status in OrderStatus if status < OrderStatus.FILLED]
    for number, status in enumerate(unfinished):
        actor.receive(update(number=number, status=status), NOW)
        assert actor.books[0].worst_long() == 10, status
    actor.receive(update(number=99, status=OrderStatus.CANCELED, leaves_lots=0), NOW)
    assert actor.books[0].worst_long() == 0


def test_a_late_fill_after_canceled_still_counts() -> None:
    actor = risk()
    actor.receive(command(), NOW)
    actor.receive(update(number=1, status=OrderStatus.CANCELED, leaves_lots=0), NOW)
    actor.receive(fill(number=1, quantity_lots=4, late=True), NOW + 1)
    assert actor.books[0].worst_long() == 4
    actor.receive(position(4), NOW + 1)
    assert actor.books[0].worst_long() == actor.books[0].worst_short() == 4


def test_executed_lots_without_a_fill_are_counted_until_the_fill_comes() -> None:
    """The shortfall of ORDERS.md: a cumulative quantity is proven, its executions are being queried."""
    actor = risk()
    actor.receive(command(), NOW)
    actor.receive(update(number=1, cumulative_lots=10, leaves_lots=0, status=OrderStatus.FILLED), NOW)
    assert actor.books[0].worst_long() == 10
    actor.receive(fill(number=1, quantity_lots=10), NOW + SETTLE_NS)
    actor.receive(position(10), NOW + SETTLE_NS)
    assert actor.books[0].worst_long() == actor.books[0].worst_short() == 10
    assert actor.books[0].holds == {}


def test_repeated_facts_are_ignored_and_counted() -> None:
    actor = risk()
    for _ in range(2):
        actor.receive(update(number=5), NOW)
        actor.receive(fill(number=5, quantity_lots=3), NOW)
    assert actor.view()["repeated"] == 2
    assert actor.books[0].worst_long() == 10  # 7 open, 3 executed


def test_an_order_of_an_earlier_life_reserves_its_remainder() -> None:
    actor = risk()
    actor.receive(update(client_order_id="old", command=-1, cumulative_lots=4, leaves_lots=6), NOW)
    assert actor.books[0].worst_long() == 6
    assert actor.account.open_orders == 1


def test_a_fill_whose_position_never_comes_is_let_go_by_the_next_one() -> None:
    actor = risk()
    actor.receive(fill(number=1, client_order_id="a", quantity_lots=4), NOW)
    later = NOW + SETTLE_NS + 1
    actor.receive(position(0), NOW + 1)  # settles the first
    actor.receive(fill(number=2, client_order_id="b", quantity_lots=4, side=Side.SELL), later)
    assert actor.books[0].worst_short() == -4
    actor.receive(position(-4), later)
    assert (actor.books[0].worst_long(), actor.books[0].worst_short()) == (-4, -4)


def test_an_adjustment_without_a_fill_is_the_position_from_the_next_input_on() -> None:
    actor = risk()
    actor.receive(position(30), NOW)
    assert (actor.books[0].worst_long(), actor.books[0].worst_short()) == (30, 0)
    actor.receive(command(side=Side.SELL, price_ticks=10_010), NOW + 1)
    assert (actor.books[0].worst_long(), actor.books[0].worst_short()) == (30, 20)


def test_a_new_lot_size_counts_orders_rounded_outward_and_the_position_in_whole_lots() -> None:
    actor = risk()
    actor.receive(position(25), NOW)
    actor.receive(command(quantity_lots=15), NOW + 1)
    actor.receive(instrument(version=2, lot=10, tick=10), NOW + 2)
    book = actor.books[0]
    assert (book.worst_long(), book.leaves_buy) == (4, 2)  # 25 units are two whole lots: the half cannot be sold
    actor.receive(update(number=1, quantity_lots=15, leaves_lots=15), NOW + 3)  # still of version 1
    assert book.leaves_buy == 2
    actor.receive(position(3, version=2), NOW + 4)
    assert actor.account.notional == {"BBB": 999 * 10 * 2 * 10}
    actor.receive(update(number=2, quantity_lots=15, leaves_lots=0, status=OrderStatus.CANCELED), NOW + 5)
    assert book.leaves_buy == 0
    assert actor.account.notional == {"BBB": 0}


def test_an_unknown_order_reserves_its_whole_risk_until_the_venues_word() -> None:
    """UNKNOWN at birth, UNKNOWN while being canceled, SUSPECT: none of it frees a lot, nor the room of another order."""
    actor = risk(limits(position_lots_max=10))
    actor.receive(command(), NOW)
    uncertain = (OrderStatus.UNKNOWN_NEW, OrderStatus.UNKNOWN_CANCEL, OrderStatus.SUSPECT)
    for number, status in enumerate(uncertain):
        actor.receive(update(number=number, status=status, venue_order_id=0), NOW + 3_600_000_000_000 * number)
        assert (actor.books[0].worst_long(), actor.account.open_orders) == (10, 1), status
        [answer] = actor.receive(command(command=1, quantity_lots=1, received_ns=0), NOW)
        assert isinstance(answer, OrderRefused)
        assert answer.reason is Refusal.POSITION
    actor.receive(update(number=9, status=OrderStatus.NEVER_SENT, leaves_lots=0), NOW)
    assert (actor.books[0].worst_long(), actor.account.open_orders) == (0, 0)


def test_an_unknown_order_with_a_shortfall_reserves_both_the_lots_that_are_executed_and_those_that_are_open() -> None:
    """Proven: 6 of 10 executed, of which one fill of 2 has come. 4 may fill yet, 4 are ours already and not booked."""
    actor = risk()
    actor.receive(command(), NOW)
    actor.receive(update(number=1, cumulative_lots=6, leaves_lots=4, status=OrderStatus.SUSPECT), NOW)
    actor.receive(fill(number=1, quantity_lots=2), NOW + 1)
    actor.receive(position(2), NOW + 1)
    book = actor.books[0]
    assert (book.worst_long(), book.worst_short()) == (10, 2)
    actor.receive(update(number=2, cumulative_lots=6, leaves_lots=0, status=OrderStatus.CANCELED), NOW + 2)
    assert (book.worst_long(), book.worst_short()) == (6, 2), "the missing fills outlive the order"
    actor.receive(fill(number=2, quantity_lots=4), NOW + 3)
    actor.receive(position(6), NOW + 3)
    assert (book.worst_long(), book.worst_short()) == (6, 6)
