"""Seeded days on which the venue changes its filters, over bad lines, with an engine that is killed now and then.

Each seed is one run on a virtual clock, as in test_seeds: at the end the venue's word counts, and a grid that changed on the
way, before a crash or behind it, has not cost a unit.
"""

from pathlib import Path
from random import Random

import pytest

from gateway.simulated.core.decimals import SCALE
from tests.support.days import faults_of, wrong
from tests.support.mortal import MortalWorld
from tests.support.relisting import Relisting
from tests.support.world import SYMBOLS

SEEDS = range(1, 13)
CHANGES, EVERY_S = 5, 4.0
LOTS = tuple(SCALE // 10**decimals for decimals in (3, 4, 5, 6))
TICKS = tuple(SCALE // 10**decimals for decimals in (0, 1, 2, 3))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_whatever_the_venue_changes_the_ledger_is_right_and_nothing_is_left(seed: int, tmp_path: Path) -> None:
    draw = Random(f"relisting:{seed}")
    world = MortalWorld(seed, faults_of(seed), tmp_path, kills_max=seed % 4)
    try:
        relisting = Relisting(world)
        world.start()
        for _ in range(CHANGES):
            world.run(EVERY_S)
            change(relisting, draw)
            world.later(0, relisting.read)  # within the run, which knows what to do with a kill
        for symbol in SYMBOLS:
            relisting.change(symbol, status="TRADING")
        world.later(0, relisting.read)
        world.run(EVERY_S)
        world.finish()
        assert wrong(world) == [], f"seed {seed}: {relisting.posted}"
        assert relisting.posted, "without a version the rules above hold for nothing"
    finally:
        world.close()


def change(relisting: Relisting, draw: Random) -> None:
    symbol = draw.choice(SYMBOLS)
    kind = draw.choice(("grid", "grid", "limits", "status"))
    if kind == "grid":
        tick, lot = draw.choice(TICKS), draw.choice(LOTS)
        relisting.change(symbol, tick_size=tick, price_min=tick, step_size=lot, quantity_min=lot)
    elif kind == "limits":
        relisting.change(symbol, notional_min=draw.randint(1, 70) * SCALE, orders_max=draw.randint(2, 200))
    else:
        status = "BREAK" if relisting.rules(symbol).status == "TRADING" else "TRADING"
        relisting.change(symbol, status=status)
