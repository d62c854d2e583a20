"""A private stream that falls silent in a seeded world is given up; a healthy one, however rough the lines, never is."""

import pytest

from bus.messages import PrivateStreamSuspected
from tests.faults.test_virtual import trading
from tests.support.days import wrong
from tests.support.world import CONFIG, NONE, ROUGH, Faults, World

SELDOM = CONFIG + "\n[orders]\nreconcile_interval_ms = 600_000\n"


def suspicions(world: World) -> list[tuple[str, bool]]:
    asked = world.house.asked
    return [(message.reason, message.renew) for message in asked if isinstance(message, PrivateStreamSuspected)]


@pytest.mark.parametrize(("faults", "seed"), [(NONE, 1), (ROUGH, 2)])
def test_no_healthy_stream_is_suspected(faults: Faults, seed: int) -> None:
    """Answers and requests are lost, words come twice and late, connections are cut; the stream itself loses nothing."""
    world = World(seed, faults)
    world.start()
    world.run(60.0)
    assert suspicions(world) == []


def test_a_stream_that_is_silent_for_good_is_replaced_and_nothing_is_lost() -> None:
    with trading({"kind": "user-stall", "seconds": 3_600, "count": 1}, config=SELDOM) as world:
        generation = world.house.door.generation
        assert world.run(30.0, lambda: any(renew for _, renew in suspicions(world)))
        world.set_faults()
        assert world.run(30.0, lambda: world.house.door.generation > generation and world.is_ready())
        trades = world.house.actor("orders").view()["fills"]
        world.run(20.0)
        assert world.house.actor("orders").view()["fills"] > trades
        world.stop()
        world.run(60.0, world.is_quiet)
        assert wrong(world) == []
