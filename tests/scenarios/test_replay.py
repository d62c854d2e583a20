"""An input log holds all that a run needs: fed to fresh actors it gives the same outputs, input by input.

So it does whatever carries the messages, and with the actors restarted between any two inputs: state through bytes into
fresh ones, and nobody can tell.
"""

from bus.codec import TYPE_OF_TAG, decode_any, tag_of
from bus.mailbox import ZmqMailboxes
from bus.messages import (
    HEADER_SIZE,
    CancelOrder,
    ExecutionReport,
    Fill,
    Frame,
    FrameBatch,
    Instrument,
    Message,
    QueryAnswer,
    RequestAnswered,
    SnapshotAnswer,
    SubmitOrder,
    TimerFired,
)
from ops.config import parse
from tests.scenarios.conftest import Recorded
from tests.support.replay import DIGEST_BYTES, Replay, Row
from tests.support.run_world import run_world, told
from tests.support.world import CONFIG, World

OF_THE_DOOR = (tag_of(SubmitOrder), tag_of(CancelOrder))
RESTARTS = 100


def instruments_in(rows: list[Row]) -> list[Instrument]:
    """They are inputs like any other, the first ones of a run."""
    kind = tag_of(Instrument)
    found = [decode_any(row[3][DIGEST_BYTES + HEADER_SIZE :]) for row in rows if row[0] == kind]
    return [row for row in found if isinstance(row, Instrument)]


def facts_in(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row[0] not in OF_THE_DOOR]


def test_a_log_from_memory_replays_step_by_step(rough: World) -> None:
    replay = Replay(parse(CONFIG), rough.house.instruments)
    assert replay.first_difference(rough.house.input_log.records) == -1
    assert replay.host.digest == rough.house.host.digest
    assert replay.journal.records == facts_in(rough.house.journal.records)


def test_a_log_of_real_processes_replays_step_by_step(real: Recorded) -> None:
    """Goal: what happened in an engine on real sockets can be run again. Method: its log, silent doors, its own times."""
    replay = Replay(real.config, instruments_in(real.inputs))
    assert replay.first_difference(real.inputs) == -1
    assert replay.host.failures == 0
    assert replay.journal.records == facts_in(real.journal)
    assert replay.host.offset == real.inputs[-1][1]


def test_that_log_is_of_a_run_that_traded(real: Recorded) -> None:
    kinds = [TYPE_OF_TAG[row[0]] for row in real.inputs]
    batches = [decode_any(row[3][DIGEST_BYTES + HEADER_SIZE :]) for row in real.inputs if row[0] == tag_of(FrameBatch)]
    batched = sum(len(batch.frames) for batch in batches if isinstance(batch, FrameBatch))
    # What came before a standstill of the process is not taken.
    assert kinds.count(Frame) + batched == real.report["frames"] or real.report["standstills"]
    assert real.report["orders_sent"] >= 2
    assert real.report["health"]["dropped_inputs"] == 0


def test_a_changed_input_is_found_at_its_place(real: Recorded) -> None:
    """The comparison can fail: one frame is taken out, and the first input whose outputs differ is named."""
    frames = [n for n, row in enumerate(real.inputs) if row[0] == tag_of(Frame)]
    gone = frames[len(frames) // 2]
    replay = Replay(real.config, instruments_in(real.inputs))
    difference = replay.first_difference(real.inputs[:gone] + real.inputs[gone + 1 :])
    assert real.inputs[gone][1] <= difference < real.inputs[gone][1] + 50


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


def test_sockets_and_memory_carry_the_same_run(rough: World) -> None:
    """A few thousand frames with their answers, fills and timers, once through ZeroMQ: digest, journal, input log."""
    mailboxes = ZmqMailboxes()
    try:
        on_sockets = run_world(5, 200.0, mailboxes=mailboxes)
    finally:
        mailboxes.close()
    assert told(on_sockets) == told(rough)


def test_that_run_has_everything_in_it(rough: World) -> None:
    kinds: list[type[Message]] = [TYPE_OF_TAG[row[0]] for row in rough.house.input_log.records]
    facts: list[type[Message]] = [TYPE_OF_TAG[row[0]] for row in rough.house.journal.records]
    assert kinds.count(Frame) > 3_000
    assert kinds.count(TimerFired) > 300
    assert min(map(kinds.count, (ExecutionReport, RequestAnswered, QueryAnswer))) > 100
    assert kinds.count(SnapshotAnswer) >= 4  # a start, and books that were lost
    assert facts.count(Fill) > 50
