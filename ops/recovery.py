"""Coming back: the newest checkpoint, then the tail of the order journal, folded. Decisions are never run again.

Orders, risk, portfolio, execution, exits and persistence come back together, from facts; the strategy gets its own memory
and its orders back. Market data, book and microstructure start afresh: they resynchronize with the venue.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bus.actor import Actor
from bus.checkpoint import Checkpoint, newest, state_of
from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import LogError, Record, read
from bus.messages import HEADER_SIZE, IdsReserved, Message, SubmitOrder
from bus.vocabulary_lock import vocabulary_hash
from ops.state import StateDirectory, StateError

RECOVERED = ("orders", "risk", "portfolio", "execution", "persistence", "exits", "coordination", "strategy")


class Recovered(NamedTuple):
    """What was found. epoch: the highest ever seen; offset: of the last input; records: folded from the journal."""

    epoch: int
    offset: int
    records: int
    checkpoint_offset: int
    problems: list[str]


def recover(state: StateDirectory, actors: Sequence[Actor[Any]]) -> Recovered:
    """Bring the actors in RECOVERED back to what they knew. Raises StateError when the journal cannot be trusted.

    The journal is complete, so without a usable checkpoint all of it is folded. A journal that is shorter than its
    checkpoint was replaced or lost: refused, because what is missing would be skipped again at every later start.
    """
    checkpoint, unusable = newest(state.checkpoints)
    problems = [str(problem) for problem in unusable]
    for problem in unusable:
        problem.path.rename(problem.path.with_suffix(".unusable"))
    if checkpoint is not None and checkpoint.vocabulary != vocabulary_hash():
        problems.append(f"the checkpoint at offset {checkpoint.offset} is of another version's messages")
        checkpoint = None
    if checkpoint is None and problems:
        problems.append("no checkpoint is readable: the whole journal is folded")
    recovered = [actor for actor in actors if actor.name in RECOVERED]
    epoch = offset = start = 0
    if checkpoint is not None:
        _restore(checkpoint, recovered)
        epoch, offset, start = checkpoint.epoch, checkpoint.offset, checkpoint.journal_number
    folders = [fold for actor in recovered for fold in actor.recovers().items()]
    records = 0
    try:
        for record in _tail(state, checkpoint, start):
            message = _message(state.journal, record.kind, record.body)
            for message_type, fold in folders:
                if type(message) is message_type:
                    fold(message, record.now_ns)
            if isinstance(message, SubmitOrder | IdsReserved):
                epoch = max(epoch, message.epoch)
            offset = max(offset, record.offset)
            records += 1
    except LogError as error:
        raise StateError(
            f"the order journal cannot be read: {error}. Without it nobody knows what still works at the venue: "
            "cancel there by hand before you start on a new --state directory"
        ) from error
    return Recovered(epoch, offset, records, checkpoint.offset if checkpoint else -1, problems)


def _tail(state: StateDirectory, checkpoint: Checkpoint | None, start: int) -> Iterator[Record]:
    """Journal records from `start` on. Raises StateError when the one before it, which the checkpoint knew, is not there."""
    records = read(state.journal, max(start - 1, 0)) if state.journal.exists() else iter(())
    if checkpoint is not None and start > 0:
        known = next(records, None)
        if known is None or known.number != start - 1:
            raise StateError(
                f"{state.journal}: the checkpoint at offset {checkpoint.offset} knew {start} records, the journal has fewer: "
                f"it was replaced or lost. Restore it; or remove {state.checkpoints} to fold what is there, and let the "
                "venue's open orders and trades say the rest"
            )
    yield from records


def _restore(checkpoint: Checkpoint, actors: Sequence[Actor[Any]]) -> None:
    states = {state.name: state for state in checkpoint.actors}
    for actor in actors:
        saved = states.get(actor.name)
        if saved is None:
            raise StateError(
                f"the checkpoint at offset {checkpoint.offset} has no state of {actor.name}; remove the file to fold the whole journal"
            )
        if saved.version != actor.state_version:
            raise StateError(
                f"the checkpoint's state of {actor.name} has version {saved.version}, this program has {actor.state_version}; "
                "start the version that wrote it and stop it cleanly, or remove the checkpoints to fold the whole journal"
            )
        actor.restore(state_of(saved, actor.State))


def _message(journal: Path, kind: int, body: bytes) -> Message:
    if kind not in TYPE_OF_TAG:
        raise StateError(f"{journal}: a record of kind {kind} is unknown; a newer version wrote it: start that one")
    try:
        return decode_any(body[HEADER_SIZE:])
    except ValueError as error:
        raise StateError(f"{journal}: a {TYPE_OF_TAG[kind].__name__} cannot be read: {error}") from error
