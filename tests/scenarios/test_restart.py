"""All actors, restarted between any two inputs: state through bytes into fresh actors, and nobody can tell."""

from ops.config import parse
from tests.scenarios.conftest import Recorded
from tests.scenarios.test_replay import instruments_in
from tests.support.replay import Replay, Row
from tests.support.run_world import run_world
from tests.support.world import CONFIG, World

RESTARTS = 100


def difference_after_restarts(replay: Replay, rows: list[Row], count: int) -> str:
    """Run all, with that many restarts spread over it; where it differs from the log, or "" if nowhere."""
    restarts = {(part + 1) * len(rows) // (count + 1) + part for part in range(count)}
    for number, row in enumerate(rows):
        if number in restarts:
            replay = replay.restarted()
        if replay.differs(row):
            return f"differs after {row[1] - 1}, restarted before {sorted(restarts)}"
        replay.take(row)
    return ""


def test_a_restart_before_every_single_input_changes_nothing() -> None:
    """A short rough run, start and stop included: the engine is replaced before each of 750 inputs and never says another byte."""
    world = run_world(11, 6.0)
    replay = Replay(parse(CONFIG), world.house.instruments)
    for row in world.house.input_log.records:
        assert not replay.differs(row), f"the outputs of input {row[1] - 1} differ"
        replay.take(row)
        replay = replay.restarted()
    assert replay.host.digest == world.house.host.digest


def test_restarts_all_over_a_long_run_change_nothing(rough: World) -> None:
    """What a restart loses shows in some later input: each is compared, to the end."""
    replay = Replay(parse(CONFIG), rough.house.instruments)
    assert difference_after_restarts(replay, rough.house.input_log.records, RESTARTS) == ""


def test_restarts_in_a_run_of_real_processes_change_nothing(real: Recorded) -> None:
    replay = Replay(real.config, instruments_in(real.inputs))
    assert difference_after_restarts(replay, real.inputs, RESTARTS) == ""
