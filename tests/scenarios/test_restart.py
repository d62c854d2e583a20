"""All actors, restarted between any two inputs: state through bytes into fresh actors, and nobody can tell."""

import pytest

from ops.config import parse
from tests.scenarios.conftest import Recorded
from tests.scenarios.test_replay import instruments_in
from tests.support.replay import Replay, Row
from tests.support.run_world import run_world
from tests.support.world import CONFIG, World

SAMPLES = 12


def resume(replay: Replay, rows: list[Row]) -> str:
    """Restart once, run the rest; where it differs from the log, or "" if nowhere."""
    difference = replay.restarted().first_difference(rows)
    return "" if difference < 0 else f"restarted at {replay.host.offset}, differs after {difference}"


def test_a_restart_before_every_single_input_changes_nothing() -> None:
    """A short rough run, start and stop included: the engine is replaced 1,500 times and never says another byte."""
    world = run_world(11, 8.0)
    replay = Replay(parse(CONFIG), world.house.instruments)
    for row in world.house.input_log.records:
        assert not replay.differs(row), f"the outputs of input {row[1] - 1} differ"
        replay.take(row)
        replay = replay.restarted()
    assert replay.host.digest == world.house.host.digest


@pytest.mark.parametrize("part", range(SAMPLES))
def test_one_restart_anywhere_in_a_long_run_changes_nothing(rough: World, part: int) -> None:
    rows = rough.house.input_log.records
    at = (part + 1) * len(rows) // (SAMPLES + 1) + part
    replay = Replay(parse(CONFIG), rough.house.instruments)
    for row in rows[:at]:
        replay.take(row)
    assert resume(replay, rows[at:]) == ""


@pytest.mark.parametrize("part", range(1, 6))
def test_one_restart_in_a_run_of_real_processes_changes_nothing(real: Recorded, part: int) -> None:
    at = part * len(real.inputs) // 6
    replay = Replay(real.config, instruments_in(real.inputs))
    for row in real.inputs[:at]:
        replay.take(row)
    assert resume(replay, real.inputs[at:]) == ""
