"""When a checkpoint is asked for, and what happens when it fails."""

import msgspec
import pytest

from actors.persistence import Persistence, PersistenceSettings
from actors.persistence.actor import OVERDUE_MAX, PersistenceState
from bus.messages import (
    Alert,
    AlertLevel,
    CheckpointTaken,
    EngineStarted,
    IdsReserved,
    Message,
    SetTimer,
    StopRequested,
    TakeCheckpoint,
    TimerFired,
    WallAdjusted,
)

SETTINGS = PersistenceSettings(facts_max=4)
SECOND = 1_000_000_000
FACT = IdsReserved(1, 1, 1_000)
FIRED = TimerFired("persistence", 1, 0, 0)
NEXT = SetTimer("persistence", 1, 0, 5 * SECOND)
GOOD = CheckpointTaken(7, 4_096, 900, "")
BAD = CheckpointTaken(7, 0, 0, "disk full")


def after(*messages: Message) -> Persistence:
    actor = Persistence(SETTINGS)
    for message in messages:
        actor.receive(message, 0)
    return actor


def test_the_clock_is_armed_at_the_start_and_again_at_each_ring() -> None:
    assert after().receive(EngineStarted(1, 1), 0) == (NEXT,)
    assert after().receive(FIRED, 0) == (NEXT,)


def test_new_facts_make_a_checkpoint_at_the_next_ring() -> None:
    assert after(FACT).receive(FIRED, 0) == (NEXT, TakeCheckpoint("interval"))


def test_without_new_facts_there_is_none() -> None:
    assert after(FACT, FIRED, GOOD).receive(FIRED, 0) == (NEXT,)


def test_many_facts_do_not_wait_for_the_clock() -> None:
    actor = after(FACT, FACT, FACT)
    assert actor.receive(FACT, 0) == (TakeCheckpoint("facts"),)
    assert [actor.receive(FACT, 0) for _ in range(9)] == [()] * 9, "one is in flight"


def test_a_failure_is_said_and_tried_again_sooner_and_a_third_is_critical() -> None:
    actor = after(FACT, FIRED)
    levels = []
    for _ in range(3):
        alert, retry = actor.receive(BAD, 0)
        assert retry == SetTimer("persistence", 1, 0, SECOND)
        assert isinstance(alert, Alert)
        levels.append(alert.level)
        assert actor.receive(FIRED, 0)[1] == TakeCheckpoint("interval"), "the facts still count"
    assert levels == [AlertLevel.WARNING, AlertLevel.WARNING, AlertLevel.CRITICAL]


def test_an_answer_that_never_comes_is_said() -> None:
    actor = after(FACT, FIRED)
    said = [actor.receive(FIRED, 0) for _ in range(OVERDUE_MAX)]
    assert [len(out) for out in said] == [1] * (OVERDUE_MAX - 1) + [2]
    assert isinstance(said[-1][1], Alert)


def test_a_stop_takes_a_last_one_even_beside_one_in_flight() -> None:
    assert after(FACT, FIRED).receive(StopRequested("operator", 9), 0) == (TakeCheckpoint("stop"),)


def test_what_was_in_flight_when_a_run_ended_is_not_waited_for() -> None:
    actor = after(FACT, FIRED, EngineStarted(1, 2))
    assert actor.receive(FIRED, 0) == (NEXT, TakeCheckpoint("interval"))


def test_recovery_counts_facts_and_asks_for_nothing() -> None:
    actor = after()
    for _ in range(9):
        actor.recovers()[IdsReserved](FACT, 0)
    assert actor.view()["facts"] == 9
    assert actor.receive(FIRED, 0)[1] == TakeCheckpoint("interval")


DAY = [EngineStarted(1, 1), FACT, FIRED, GOOD, FACT, FACT, WallAdjusted(5), FACT, FACT, BAD, FIRED, GOOD, StopRequested("x", 9), GOOD]  # fmt: skip


@pytest.mark.parametrize("stop", range(len(DAY)))
def test_a_restart_at_every_step_changes_nothing_that_follows(stop: int) -> None:
    live, restored = after(*DAY[:stop]), after()
    restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(live.checkpoint()), type=PersistenceState))
    for message in DAY[stop:]:
        assert restored.receive(message, 0) == live.receive(message, 0)
    assert restored.view() == live.view()
