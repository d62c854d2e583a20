"""Seeded failures: any actor raises at any message, again and again, while lines break; at the end the venue's word counts."""

from pathlib import Path

import pytest

from tests.support.days import faults_of, trade_a_day, wrong
from tests.support.failing import FAILING, FailingWorld
from tests.support.world import NONE, Faults

SEEDS = range(1, 9)
FAILURES_MAX = 6
ALLOWED = ("an actor failed",)


def run(seed: int, faults: Faults, folder: Path, actor: str = "") -> FailingWorld:
    world = FailingWorld(seed, faults, folder, FAILURES_MAX, actor)
    trade_a_day(world)
    world.close()
    return world


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_whoever_raises_and_whenever_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    faults = faults_of(seed)
    world = run(seed, faults, tmp_path)
    assert [text for text in wrong(world) if text not in ALLOWED] == [], f"seed {seed}: {faults}, {world.went_off}"
    assert world.went_off


@pytest.mark.parametrize("actor", FAILING)
def test_an_actor_that_raises_is_made_anew_and_trading_goes_on(actor: str, tmp_path: Path) -> None:
    """Without faults on the lines: whatever is wrong at the end came from the failures."""
    world = run(4, NONE, tmp_path, actor)
    assert [text for text in wrong(world) if text not in ALLOWED] == [], world.went_off
    assert {name for name, _ in world.went_off} == {actor}
    assert len(world.went_off) > 1, "it never worked again after the first time"
