"""Coming back over versions of the program, and from a journal that was thinned out. Real files; toy facts."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from bus.actor import Actor
from bus.checkpoint import FORMAT, ActorState, Checkpoint, newest, to_bytes
from bus.codec import encode, tag_of
from bus.log import RecordLog
from bus.messages import HEADER, HEADER_VERSION, IdsReserved, Message
from bus.retention import Retention
from ops.recovery import recover
from ops.state import StateDirectory, StateError

SEGMENT = 4096
RECORDS = 400


class Sum(msgspec.Struct):
    total: int
    names: list[str] = []


class Adder(Actor[Sum]):
    """Adds up the `below` of what was reserved; in version 1 the field was called `sum`, in version 2 it was a text."""

    name = "orders"
    State = Sum
    state_version = 3
    migrations: ClassVar[Mapping[int, Callable[[Any], Any]]] = {
        1: lambda plain: {"sum_text": str(plain["sum"])},
        2: lambda plain: {"total": int(plain["sum_text"])},
    }

    def __init__(self) -> None:
        self.state = Sum(0)
        self.handlers = {}

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {IdsReserved: self.add}

    def add(self, message: IdsReserved, now_ns: int) -> None:
        self.state.total += message.below

    def restore(self, state: Sum) -> None:
        self.state = state


@pytest.fixture
def state(tmp_path: Path) -> Any:
    directory = StateDirectory(tmp_path / "state")
    yield directory
    directory.close()


def write_journal(state: StateDirectory, first: int = 0, count: int = RECORDS) -> RecordLog:
    log = RecordLog(state.journal, segment_bytes=SEGMENT)
    for number in range(first, first + count):
        body = HEADER.pack(0, HEADER_VERSION, 0, number, 0) + encode(IdsReserved(0, 1, 1))
        log.append(tag_of(IdsReserved), number, 1_000, body)
    log.sync()
    return log


def put_checkpoint(state: StateDirectory, number: int, version: int, plain: object, name: str = "orders") -> Path:
    """A checkpoint that knows the first `number` records of the journal."""
    state.checkpoints.mkdir(exist_ok=True)
    actors = (ActorState(name, version, msgspec.msgpack.encode(plain)),)
    path = state.checkpoints / f"{number:020d}.checkpoint"
    path.write_bytes(to_bytes(Checkpoint(FORMAT, "of another vocabulary", 0, 1, number - 1, 1, 0, number, actors)))
    return path


@pytest.mark.parametrize(
    ("version", "plain"),
    [(1, {"sum": 300}), (2, {"sum_text": "300"}), (3, {"total": 300}), (3, {"total": 300, "names": []})],
)
def test_a_state_of_any_older_version_is_brought_up(state: StateDirectory, version: int, plain: object) -> None:
    """What the checkpoint knows is taken, what is behind it is folded: neither twice."""
    write_journal(state).close()
    put_checkpoint(state, 300, version, plain)
    actor = Adder()
    recovered = recover(state, [actor])
    assert (actor.state.total, recovered.records, recovered.problems) == (RECORDS, 100, [])


def test_a_newer_programs_state_is_refused_and_left_alone(state: StateDirectory) -> None:
    write_journal(state).close()
    path = put_checkpoint(state, 300, 4, {"total": 300})
    with pytest.raises(StateError, match="newer program"):
        recover(state, [Adder()])
    assert path.exists()


@pytest.mark.parametrize(
    ("version", "plain", "name"),
    [
        (0, {}, "orders"),
        (3, {"total": "many"}, "orders"),
        (1, {}, "orders"),
        (2, {"sum_text": "x"}, "orders"),
        (3, {"total": 1}, "risk"),
    ],
)
def test_a_checkpoint_of_no_use_gives_way_to_the_one_before(
    state: StateDirectory, version: int, plain: object, name: str
) -> None:
    write_journal(state).close()
    put_checkpoint(state, 200, 3, {"total": 200})
    bad = put_checkpoint(state, 300, version, plain, name)
    actor = Adder()
    recovered = recover(state, [actor])
    assert (actor.state.total, recovered.checkpoint_offset) == (RECORDS, 199)
    assert len(recovered.problems) == 1
    assert not bad.exists()


def test_with_no_checkpoint_of_use_a_whole_journal_is_folded(state: StateDirectory) -> None:
    write_journal(state).close()
    put_checkpoint(state, 300, 3, {"total": "many"})
    actor = Adder()
    assert recover(state, [actor]).records == RECORDS
    assert actor.state.total == RECORDS


def test_a_thinned_journal_without_a_checkpoint_of_use_is_refused(state: StateDirectory) -> None:
    """Only checkpoints know what was before; it would be a ledger with a hole. The unusable one is left where it is."""
    log = write_journal(state)
    assert log.drop_below(200) > 0
    log.close()
    bad = put_checkpoint(state, 300, 3, {"total": "many"})
    with pytest.raises(StateError, match="begins at record"):
        recover(state, [Adder()])
    assert bad.exists()


def retention(state: StateDirectory, log: RecordLog, indexed: int, keep_bytes: int, keep_s: float = 1e9) -> Retention:
    return Retention(log, state.journal, state.checkpoints, lambda: indexed, keep_s=keep_s, keep_bytes=keep_bytes)


@pytest.mark.parametrize(
    ("oldest", "indexed", "keep_bytes", "keep_s", "deletes"),
    [
        (300, RECORDS, 2 * SEGMENT, 1e9, True),  # too large
        (300, RECORDS, 1 << 30, -10.0, True),  # too old
        (300, RECORDS, 1 << 30, 1e9, False),  # neither
        (1, RECORDS, 0, 1e9, False),  # an older checkpoint would need it
        (300, 0, 0, 1e9, False),  # the index has not read it
        (0, RECORDS, 0, 1e9, False),  # there is no checkpoint
    ],
)
def test_what_goes_is_what_nobody_needs(
    state: StateDirectory, oldest: int, indexed: int, keep_bytes: int, keep_s: float, deletes: bool
) -> None:
    """Whatever goes, a start from each checkpoint that is left comes to the same."""
    log = write_journal(state)
    numbers = (oldest, 350, RECORDS) if oldest else ()
    for number in numbers:
        put_checkpoint(state, number, 3, {"total": number})
    assert (retention(state, log, indexed, keep_bytes, keep_s).apply() > 0) is deletes
    log.close()
    for number in reversed(numbers):
        actor = Adder()
        recover(state, [actor])
        assert actor.state.total == RECORDS
        found, _ = newest(state.checkpoints)
        assert found is not None
        assert found.journal_number == number
        (state.checkpoints / f"{number:020d}.checkpoint").unlink()


def test_a_journal_under_retention_stays_within_its_bound(state: StateDirectory) -> None:
    """Ten times its bound goes through it; a checkpoint each 100 records, three are kept."""
    log = write_journal(state, 0, 0)
    kept = retention(state, log, 1 << 60, 4 * SEGMENT)
    sizes, total = [], 0
    for round_ in range(60):
        log.close()
        log = write_journal(state, round_ * 100, 100)
        kept._log = log
        total += 100
        put_checkpoint(state, total, 3, {"total": total})
        for path in sorted(state.checkpoints.glob("*.checkpoint"))[:-3]:
            path.unlink()
        kept.apply()
        sizes.append(sum(path.stat().st_size for path in state.journal.iterdir()))
    log.close()
    assert kept.deleted > 40
    assert max(sizes[10:]) < 12 * SEGMENT
    actor = Adder()
    recover(state, [actor])
    assert actor.state.total == total
