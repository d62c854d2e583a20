"""The last n integers, their sum and, for moments, the sum of their squares: O(1) an update, exact for ever. HOT PATH."""

from math import sqrt

import msgspec


class Window(msgspec.Struct, dict=True):
    """A ring of `size` values. Python's integers do not overflow, so the sum cannot drift. Own checkpoint.

    Sums and `full` are no fields: a checkpoint's integers end at 64 bits, so they are taken again from the values.
    """

    size: int
    values: list[int] = []
    at: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.values)
        self.full = len(self.values) == self.size

    def push(self, value: int) -> None:
        values = self.values
        if self.full:
            at = self.at
            self.total += value - values[at]
            values[at] = value
            self.at = at + 1 if at + 1 < self.size else 0
            return
        values.append(value)
        self.total += value
        self.full = len(values) == self.size

    def clear(self) -> None:
        self.values.clear()
        self.at = self.total = 0
        self.full = False

    @property
    def newest(self) -> int | None:
        """The last value pushed; None while empty."""
        return self.values[self.at - 1] if self.values else None

    def mean(self) -> float:
        """0.0 while empty."""
        count = len(self.values)
        return self.total / count if count else 0.0


class MomentWindow(Window, dict=True):
    """With the deviation. Moments are kept while no value differs from the one it replaces: most spreads are one tick at
    most times (`push` and `moments` 0.2 us then, 0.7 otherwise; notes/0003)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.squares = sum(value * value for value in self.values)
        self._moments: tuple[float, float] | None = None

    def push(self, value: int) -> None:
        if self.full:
            values, at = self.values, self.at
            old = values[at]
            self.at = at + 1 if at + 1 < self.size else 0
            if value == old:
                return
            values[at] = value
            self.total += value - old
            self.squares += value * value - old * old
        else:
            super().push(value)
            self.squares += value * value
        self._moments = None

    def clear(self) -> None:
        super().clear()
        self.squares = 0
        self._moments = None

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the window itself (divisor n); 0.0 while empty. Squares are integers' own."""
        moments = self._moments
        if moments is None:
            count, total = len(self.values), self.total
            if not count:
                return 0.0, 0.0
            moments = self._moments = total / count, sqrt(count * self.squares - total * total) / count
        return moments
