"""Coming back: the newest checkpoint, then the tail of the order journal, folded. Decisions are never run again.

Orders, risk, portfolio, execution, exits and persistence come back together, from facts; the strategy gets its own memory
and its orders back. Market data, book and microstructure start afresh: they resynchronize with the venue.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bus.actor import Actor
from bus.checkpoint import Checkpoint, NewerProgram, migrated, newest, state_of
from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import LogError, Record, read
from bus.log.format import segment_paths
from bus.messages import HEADER_SIZE, IdsReserved, Message, SubmitOrder
from ops import events
from ops.state import StateDirectory, StateError

RECOVERED = ("orders", "risk", "portfolio", "execution", "persistence", "exits", "coordination", "strategy")


class Recovered(NamedTuple):
    """What was found. epoch: the highest ever seen; offset: of the last input; records: folded from the journal."""

    epoch: int
    offset: int
    records: int
    checkpoint_offset: int
    problems: list[str]

    def tell(self, epoch: int) -> None:
        """For the log of the run of that epoch."""
        for problem in self.problems:
            events.warning("recovery_problem", detail=problem)
        events.info(
            "recovered",
            checkpoint=self.checkpoint_offset,
            journal_records=self.records,
            last_epoch=self.epoch,
            epoch=epoch,
        )


def recover(state: StateDirectory, actors: Sequence[Actor[Any]]) -> Recovered:
    """Bring the actors in RECOVERED back to what they knew. Raises StateError when the journal cannot be trusted.

    Without a usable checkpoint all of the journal is folded, if it still begins at its beginning. A journal that is shorter
    than its checkpoint was replaced or lost: refused, because what is missing would be skipped again at every later start.
    """
    recovered = [actor for actor in actors if actor.name in RECOVERED]
    states: dict[str, Any] = {}

    def use(checkpoint: Checkpoint) -> None:
        try:
            states.update(_states(checkpoint, recovered))
        except NewerProgram as error:
            raise StateError(
                f"{state.checkpoints}: written by a newer program ({error}); start that one, or a new --state directory"
            ) from error

    checkpoint, unusable = newest(state.checkpoints, use)
    problems = [str(problem) for problem in unusable]
    if checkpoint is None:
        _check_whole(state, problems)
    if checkpoint is None and problems:
        problems.append("no checkpoint can be used: the whole journal is folded")
    for problem in unusable:
        problem.path.rename(problem.path.with_suffix(".unusable"))
    epoch = offset = start = 0
    if checkpoint is not None:
        for actor in recovered:
            actor.restore(states[actor.name])
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


def _states(checkpoint: Checkpoint, actors: Sequence[Actor[Any]]) -> dict[str, Any]:
    """By name, migrated to this program's versions. Raises NewerProgram, ValueError."""
    saved = {state.name: state for state in checkpoint.actors}
    states = {}
    for actor in actors:
        if actor.name not in saved:
            raise ValueError(f"it has no state of {actor.name}")
        try:
            states[actor.name] = state_of(
                migrated(saved[actor.name], actor.state_version, actor.migrations), actor.State
            )
        except (msgspec.MsgspecError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{actor.name}: its state cannot be read: {type(error).__name__}: {error}") from error
    return states


def _check_whole(state: StateDirectory, problems: Sequence[str]) -> None:
    """Raises StateError when the journal does not begin at its beginning: only a checkpoint knows what was before."""
    first = next(iter(segment_paths(state.journal)), (0, state.journal))[0] if state.journal.exists() else 0
    if first:
        why = "; ".join(problems) or "there is none"
        raise StateError(
            f"{state.checkpoints}: no checkpoint can be used ({why}), and the journal begins at record {first}: what was "
            "before is in checkpoints alone. Start the program version that wrote them and stop it cleanly, or restore "
            "them; or cancel at the venue by hand and start on a new --state directory"
        )


def _message(journal: Path, kind: int, body: bytes) -> Message:
    if kind not in TYPE_OF_TAG:
        raise StateError(f"{journal}: a record of kind {kind} is unknown; a newer version wrote it: start that one")
    try:
        return decode_any(body[HEADER_SIZE:])
    except ValueError as error:
        raise StateError(f"{journal}: a {TYPE_OF_TAG[kind].__name__} cannot be read: {error}") from error
