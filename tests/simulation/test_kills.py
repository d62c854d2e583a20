"""Seeded kills: the engine dies at any record of its journal, again and again, while lines break; nothing may be lost.

Each life recovers from the checkpoint files and the journal on disk, as a new process does. At the end the venue's word
counts, as in test_seeds.
"""

from pathlib import Path

import pytest

from bus.messages import IdsReserved
from tests.support.days import faults_of, trade_a_day, wrong
from tests.support.mortal import MortalWorld
from tests.support.world import CONFIG, Faults

SEEDS = range(1, 13)
KILLS_MAX = 5
ADOPT = CONFIG + '\n[orders]\nleftovers = "adopt"\n'


def run(seed: int, faults: Faults, folder: Path, config: str = CONFIG) -> MortalWorld:
    world = MortalWorld(seed, faults, folder, KILLS_MAX, config)
    trade_a_day(world)
    world.close()
    return world


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_an_engine_killed_again_and_again_loses_nothing(seed: int, tmp_path: Path) -> None:
    faults, config = faults_of(seed), ADOPT if seed % 3 == 0 else CONFIG
    world = run(seed, faults, tmp_path, config)
    assert wrong(world) == [], f"seed {seed}: {faults}, {world.kills} kills"
    assert world.kills > 0
    assert world.failures == 0
    epochs = [fact.epoch for fact in world.journal.messages() if isinstance(fact, IdsReserved)]
    assert epochs == sorted(epochs)
