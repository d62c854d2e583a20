"""What an engine writes about its orders: the journal, its group commit, the index behind it, checkpoints, and how long
each is kept. The threads are these four's own; the host only ever appends.
"""

from collections.abc import Callable
from contextlib import ExitStack

from bus.checkpoint import Checkpoint, CheckpointWriter
from bus.log import JOURNAL_SEGMENT_BYTES, RecordLog, Syncer
from bus.messages import CheckpointTaken, StoreAnswer
from bus.retention import Retention
from gateway.doors.store import JournalIndex, StoreDoor
from ops.sections import PersistenceSection
from ops.state import StateDirectory

HOUR_S = 3_600.0
DAY_NS = 86_400_000_000_000
MB = 1 << 20


class Records:
    """Open from the start of a run to its end. `close` frees all of it, whatever was opened."""

    def __init__(self, state: StateDirectory, section: PersistenceSection) -> None:
        """Raises LogError: the journal cannot be opened."""
        self._closers = ExitStack()
        self._state = state
        self.journal = RecordLog(state.journal, segment_bytes=JOURNAL_SEGMENT_BYTES, reserve=True)
        self._closers.callback(self.journal.close)
        self.syncer = Syncer(self.journal, section.sync_interval_ms)
        self._closers.callback(self.syncer.stop)
        self.index = JournalIndex(state.store, state.journal, keep_ns=section.index_keep_days * DAY_NS)
        self._closers.callback(self.index.close)
        self.retention = Retention(
            self.journal,
            state.journal,
            state.checkpoints,
            lambda: self.index.next_number,
            keep_s=section.journal_keep_hours * HOUR_S,
            keep_bytes=section.journal_keep_mb * MB,
        )

    @property
    def failed(self) -> bool:
        """The disk takes no more, or lost something: new orders must stop."""
        return self.syncer.failed or self.journal.full

    def checkpoint_writer(self, done: Callable[[CheckpointTaken], None]) -> CheckpointWriter:
        """`done` gets each answer, on the writer's thread; the journal is thinned out there as well."""

        def written(taken: CheckpointTaken) -> None:
            done(taken)
            if taken.bytes_written:
                self.retention.apply_sometimes()

        return CheckpointWriter(self._state.checkpoints, written, self._secure)

    def _secure(self, checkpoint: Checkpoint) -> None:
        """A checkpoint that outlives a power loss must not know more than the journal."""
        self.journal.sync()

    def door(self, post: Callable[[StoreAnswer], object], now_ns: Callable[[], int]) -> StoreDoor:
        """Look-ups of orders that memory no longer holds. `post` gets each answer, on whatever thread."""
        journal, index = self.journal, self.index
        door = StoreDoor(self._state.store, lambda: journal.next_number, lambda: index.next_number, now_ns)
        door.attach(post)
        self._closers.callback(door.close)
        return door

    def close(self) -> None:
        self._closers.close()
