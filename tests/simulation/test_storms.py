"""Storms: most of the venue's faults at once, broken lines, kills and people, and the judge of the chaos command at the end.

Two orders of one side at a time, an order twice, a fill lost or a limit broken: whatever happened, there is none of it. A seed that
fails is a bug of today, and is the same again: `pytest tests/simulation/test_storms.py -k seed_7`.
"""

from pathlib import Path

import pytest

from tests.support.days import wrong
from tests.support.storm import Storm, drawn

SEEDS = range(1, 7)
TRADING_S = 8.0
ADOPT = 'leftovers = "adopt"\n'


def run(seed: int, folder: Path) -> Storm:
    """Up to three kills; every third one adopts what it finds."""
    storm = Storm(seed, folder, seed % 4, ADOPT if seed % 3 == 0 else "")
    storm.start()
    storm.run(20.0, storm.is_ready)
    storm.set_faults(*drawn(seed))
    storm.live(TRADING_S)
    assert storm.end(), "it never came to its end"
    return storm


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_no_order_lives_twice_and_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    storm = run(seed, tmp_path)
    try:
        verdict = storm.verdict()
        assert verdict.found == (), f"{drawn(seed)}, {storm.kills} kills"
        assert wrong(storm) == []
        assert verdict.orders > 0
    finally:
        storm.close()
