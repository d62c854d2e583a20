"""An input log holds all that a run needs: fed to fresh actors it gives the same outputs, input by input."""

from bus.codec import TYPE_OF_TAG, decode_any, tag_of
from bus.messages import HEADER_SIZE, CancelOrder, Frame, FrameBatch, Instrument, SubmitOrder
from ops.config import parse
from tests.scenarios.conftest import Recorded
from tests.support.replay import DIGEST_BYTES, Replay, Row
from tests.support.world import CONFIG, World

OF_THE_DOOR = (tag_of(SubmitOrder), tag_of(CancelOrder))


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
    assert kinds.count(Frame) + batched == real.report["frames"]
    assert real.report["orders_sent"] >= 2
    assert real.report["health"]["dropped_inputs"] == 0


def test_a_changed_input_is_found_at_its_place(real: Recorded) -> None:
    """The comparison can fail: one frame is taken out, and the first input whose outputs differ is named."""
    frames = [n for n, row in enumerate(real.inputs) if row[0] == tag_of(Frame)]
    gone = frames[len(frames) // 2]
    replay = Replay(real.config, instruments_in(real.inputs))
    difference = replay.first_difference(real.inputs[:gone] + real.inputs[gone + 1 :])
    assert real.inputs[gone][1] <= difference < real.inputs[gone][1] + 50
