"""Following a log that is being written, by another thread or process."""

from contextlib import ExitStack
from pathlib import Path

from bus.log import Record
from bus.log.read import SegmentView, live_segments


class JournalTail:
    """Follows a log that is being written: `take` returns what is new since the last time, in order."""

    def __init__(self, directory: Path, start: int) -> None:
        self.directory = directory
        self.next_number = start
        self._view: SegmentView | None = None
        self._open = ExitStack()

    def take(self, limit: int) -> list[Record]:
        """At most `limit` records; fewer means the end is reached. Raises LogError."""
        records: list[Record] = []
        while len(records) < limit:
            if self._view is None and not self._enter():
                return records
            assert self._view is not None
            for record in self._view:
                if record.number >= self.next_number:
                    records.append(record)
                    self.next_number = record.number + 1
                    if len(records) == limit:
                        return records
            if not self._enter():
                return records
        return records

    def _enter(self) -> bool:
        """Open the segment that holds `next_number` (or the oldest behind it), if it is another than the open one."""
        segments = live_segments(self.directory)
        while len(segments) > 1 and segments[1][0] <= self.next_number:
            del segments[0]
        if not segments or (self._view is not None and self._view.path == segments[0][1]):
            return False
        self.close()
        self._view = self._open.enter_context(SegmentView(segments[0][1]))
        return True

    def close(self) -> None:
        self._open.close()
        self._view = None
