"""The last n integers, their sum and the sum of their squares: O(1) an update, exact for ever. HOT PATH."""

from math import sqrt

import msgspec


class Window(msgspec.Struct, dict=True):
    """A ring of `size` values. Python's integers do not overflow, so neither sum can drift. Own checkpoint.

    The sums are no fields: a checkpoint's integers end at 64 bits, so they are taken again from the values.
    """

    size: int
    values: list[int] = []
    at: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.values)
        self.squares = sum(value * value for value in self.values)

    def push(self, value: int) -> None:
        values = self.values
        if len(values) < self.size:
            values.append(value)
            self.total += value
            self.squares += value * value
            return
        at = self.at
        old = values[at]
        values[at] = value
        self.at = at + 1 if at + 1 < self.size else 0
        self.total += value - old
        self.squares += value * value - old * old

    def clear(self) -> None:
        self.values.clear()
        self.at = self.total = self.squares = 0

    @property
    def full(self) -> bool:
        return len(self.values) == self.size

    def mean(self) -> float:
        """0.0 while empty."""
        count = len(self.values)
        return self.total / count if count else 0.0

    def deviation(self) -> float:
        """Standard deviation of the window itself (divisor n). The difference of squares is taken in integers."""
        count = len(self.values)
        return sqrt(count * self.squares - self.total * self.total) / count if count else 0.0
