"""How much of the order journal is kept: what a start may need, what the index has not read, and then by age and size.

It runs on a thread that may wait (the checkpoints' writer), never on the host's.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from bus.checkpoint import journal_numbers
from bus.log import RecordLog
from bus.log.format import segment_paths

INTERVAL_S = 30.0  # chosen: a segment lasts minutes, even of a busy day


class Retention:
    """Deletes whole segments, oldest first, that are below every checkpoint kept and in the index, once they are older than
    keep_s or the journal is larger than keep_bytes.

    indexed: number of the first record that the index does not have. An index that stands still keeps the journal growing:
    facts that nobody has read yet are not thrown away; a full disk stops new orders.
    """

    def __init__(
        self,
        log: RecordLog,
        journal: Path,
        checkpoints: Path,
        indexed: Callable[[], int],
        *,
        keep_s: float,
        keep_bytes: int,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self.deleted = self.failures = 0
        self._log, self._journal, self._checkpoints, self._indexed = log, journal, checkpoints, indexed
        self._keep_s, self._keep_bytes, self._wall_s = keep_s, keep_bytes, wall_s
        self._due_s = 0.0

    def apply_sometimes(self) -> None:
        """`apply`, at most once in INTERVAL_S. A disk that cannot be asked is counted; it is asked again."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + INTERVAL_S
        try:
            self.apply()
        except OSError:
            self.failures += 1

    def apply(self) -> int:
        """How many segments were deleted. Raises OSError."""
        wanted = self._past_their_time()
        if not wanted:
            return 0
        numbers = journal_numbers(self._checkpoints)
        if not numbers:
            return 0
        # A start looks at the record before a checkpoint's first, to know that this is its journal.
        needed = min(min(numbers) - 1, self._indexed())
        deleted = self._log.drop_below(min(needed, wanted))
        self.deleted += deleted
        return deleted

    def _past_their_time(self) -> int:
        """Number below which age or size would have it gone; 0: nothing."""
        segments = [(first, path.stat()) for first, path in segment_paths(self._journal)]
        total = sum(stat.st_size for _, stat in segments)
        oldest_s = self._wall_s() - self._keep_s
        below = 0
        for (_, stat), (later, _) in itertools.pairwise(segments):
            # Written last before it was left: its time is that of its last record, roughly.
            if total <= self._keep_bytes and stat.st_mtime >= oldest_s:
                break
            total -= stat.st_size
            below = later
        return below
