"""The actor against an unkind venue and kills, by seed: nothing is lost, nothing booked twice, all of it ends."""

import pytest

from bus.messages import VenueState
from tests.actors.orders.build import UNIT
from tests.actors.orders.toy_venue import Toy

SEEDS = range(40)
STEPS = 1_500


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_storm_the_books_agree_with_the_venue(seed: int) -> None:
    toy = Toy(seed)
    toy.run(STEPS)
    toy.stop()
    assert toy.quiet == 0, toy.actor.view()
    assert all(order.state is not VenueState.WORKING for order in toy.orders.values())
    executed = {order.key: order.executed * UNIT for order in toy.orders.values() if order.executed}
    assert {key: units for key, units in toy.booked.items() if units} == executed
    assert toy.actor.view()["shortfalls"] == {}


def test_the_storms_are_storms() -> None:
    """Goal: the seeds above exercise what they are for. Method: count over a few of them."""
    toys = [Toy(seed) for seed in range(16)]  # what is counted since the last kill alone is little
    for toy in toys:
        toy.run(STEPS)
    counts: dict[str, int] = {}
    for toy in toys:
        for name, count in toy.actor.view()["counts"].items():
            counts[name] = counts.get(name, 0) + count
    assert sum(toy.kills for toy in toys) > 10
    assert sum(toy.fills for toy in toys) > 300
    assert sum(toy.suspected for toy in toys) > 0
    for name in ("submit_ambiguous", "cancel_ambiguous", "execution_repeated", "query_answer_disowned", "look_failed"):
        assert counts.get(name, 0) > 0, name


def test_the_same_seed_gives_the_same_storm() -> None:
    first, second = Toy(5), Toy(5)
    first.run(600)
    second.run(600)
    assert first.journal == second.journal
