"""The term's table, and the actor's whole state through a checkpoint."""

from random import Random

import pytest

from actors.coordination import PHASES, Event, Phase
from bus.messages import (
    BandWanted,
    CooldownObserved,
    CooldownRequested,
    LeadershipLost,
    LeadershipWon,
    Message,
    OrdersReady,
    OrderStatus,
    PeersObserved,
    Side,
    StopRequested,
)
from tests.actors.coordination.build import MS, START, Bench, update
from tests.actors.coordination.test_account import STATE


def test_every_event_has_a_row_in_every_phase() -> None:
    assert set(PHASES) == {(phase, event) for phase in Phase for event in Event}


def test_bands_are_ours_only_after_orders_were_proven_in_a_term_of_ours() -> None:
    assert [row for row, phase in PHASES.items() if phase is Phase.HOLDING] == [
        (Phase.SETTLING, Event.ORDERS_READY), (Phase.HOLDING, Event.ORDERS_READY)
    ]  # fmt: skip


def test_nothing_but_a_new_term_ends_a_lost_one() -> None:
    assert {event for (phase, event), after in PHASES.items() if phase is Phase.DEPOSED and after is not phase} == {
        Event.WON
    }


def events(random: Random) -> list[Message]:
    kinds: list[Message] = [
        LeadershipWon(0, random.randint(1, 9), "we", random.randint(0, 9), STATE),
        OrdersReady(0, 5, 0, 0, 0), PeersObserved(7, random.randint(0, 1), 0, random.choice([0, 1_000])),
        BandWanted(7, 1, 990), update("a", Side.BUY, 99), update("a", Side.BUY, 99, OrderStatus.CANCELED),
        CooldownRequested(0, 0, 7, START + 5_000 * MS, "x"), CooldownObserved(7, START + 6_000 * MS, "y"),
        STATE, LeadershipLost(0, 5, "x"), StopRequested("x", 0),
    ]  # fmt: skip
    return [random.choice(kinds) for _ in range(60)]


@pytest.mark.parametrize("seed", range(10))
def test_a_restart_at_any_step_changes_nothing_that_follows(seed: int) -> None:
    stop = Random(seed).randint(1, 59)
    one, other = Bench(), Bench()
    one.begin()
    other.begin()
    for number, message in enumerate(events(Random(seed))):
        if number == stop:
            timers = dict(other.timers)
            other.restart()
            other.timers = timers
        assert one.feed(message) == other.feed(message)
        assert one.wait(100 * MS) == other.wait(100 * MS)
    assert one.actor.view() == other.actor.view()
