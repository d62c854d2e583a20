"""Seeded days: the whole engine against the simulated venue's core, over lines that delay, lose, repeat and break.

Each seed is one run on a virtual clock: 15 s of trading under faults, then a stop. At the end the venue's word counts.
A seed that fails is a bug of today: `pytest tests/simulation -k 'seed_7'` runs it again, to the byte.
"""

import pytest

from tests.support.days import faults_of, trade_a_day, wrong
from tests.support.world import CLIENT, NONE, ROUGH, Faults, World

SEEDS = range(1, 17)


def run(seed: int, faults: Faults) -> World:
    world = World(seed, faults)
    trade_a_day(world)
    return world


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_whatever_happens_nothing_is_left_and_the_ledgers_agree(seed: int) -> None:
    faults = faults_of(seed)
    world = run(seed, faults)
    assert wrong(world) == [], f"seed {seed}: {faults}"


def test_the_seeds_trade_and_suffer() -> None:
    """A simulation in which nothing happens proves nothing: a rough world has fills, cuts, losses and repeats."""
    world = run(4, ROUGH)
    counts = world.house.actor("orders").view()["counts"]
    assert world.house.actor("portfolio").view()["fills"] > 0
    assert world.cuts > 0
    assert world.requests_failed > 0
    assert counts["execution_repeated"] > 0
    assert counts.get("submit_ambiguous", 0) + counts.get("cancel_ambiguous", 0) > 0


def test_a_seed_is_a_run_to_the_byte() -> None:
    first, second = run(3, ROUGH), run(3, ROUGH)
    assert first.digest() == second.digest()
    assert first.house.journal.records == second.house.journal.records


def test_a_venue_that_keeps_a_fill_to_itself_is_found_out() -> None:
    """The checks can fail: money moves at the venue behind our back, and the ledgers differ."""
    world = run(4, NONE)
    world.matching.ledger.deposit(CLIENT, "BTC", 1)
    assert len(wrong(world)) == 1
