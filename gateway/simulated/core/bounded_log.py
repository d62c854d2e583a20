"""A log that keeps its last rows and numbers all of them, so that a reader sees what was dropped. Pure."""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

Row = TypeVar("Row")


class BoundedLog(Generic[Row]):
    """The last `rows_max` rows; numbers begin at 0."""

    __slots__ = ("_rows", "next_number")

    def __init__(self, rows_max: int) -> None:
        self.next_number = 0
        self._rows: deque[Row] = deque(maxlen=rows_max)

    @property
    def first_number(self) -> int:
        """The number of the oldest row that is kept; `next_number` when none is."""
        return self.next_number - len(self._rows)

    def append(self, row: Row) -> None:
        self._rows.append(row)
        self.next_number += 1

    def rows(self, from_number: int, limit: int) -> list[Row]:
        """Return at most `limit` rows from that number on, or from the oldest one that is kept."""
        start = min(max(from_number - self.first_number, 0), len(self._rows))
        return list(islice(self._rows, start, start + limit))
