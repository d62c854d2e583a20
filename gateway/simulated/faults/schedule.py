"""When a fault hits. Pure: the same seed and the same chances give the same hits, whatever other faults there are.

A chance is anything that the fault is for, within its window. Every chance draws once, whether it can hit or not, from a
Random of the fault's own; what a hit needs besides is drawn from a second one.
"""

from random import Random

from .spec import ScheduleSpec


class Schedule:
    """chances, hits: so far. `draws` is for whatever a hit needs drawn."""

    __slots__ = ("_random", "_spec", "chances", "draws", "hits")

    def __init__(self, spec: ScheduleSpec, seed: str) -> None:
        self.chances = 0
        self.hits = 0
        self.draws = Random(f"{seed}:draws")
        self._spec = spec
        self._random = Random(f"{seed}:chances")

    def is_open(self, elapsed_s: float) -> bool:
        until_s = self._spec.until_s
        return elapsed_s >= self._spec.from_s and (until_s is None or elapsed_s < until_s)

    def is_over(self, elapsed_s: float) -> bool:
        """Whether no further chance can hit."""
        spec = self._spec
        return (spec.until_s is not None and elapsed_s >= spec.until_s) or self.hits == spec.count

    def hit(self, elapsed_s: float) -> bool:
        """Take a chance, and return whether it hits. Outside of its window it is none."""
        if not self.is_open(elapsed_s):
            return False
        spec = self._spec
        self.chances += 1
        drawn = self._random.random() < spec.probability
        number = self.chances - spec.after
        if not drawn or number <= 0 or number % spec.every or self.hits == spec.count:
            return False
        self.hits += 1
        return True
