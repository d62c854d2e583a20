"""Sizes of orders: a table of quantiles with a Pareto tail above it. Pure.

A table keeps what a power law alone cannot: that a quarter of all orders are dust and most of the rest are the two or
three sizes that market makers show.
"""

from itertools import pairwise

import msgspec

CELLS = 200  # chosen: 0.5 % of the draws each; between two of them the size is interpolated


class SizeQuantiles(msgspec.Struct, frozen=True):
    """`points`: (share of orders that are at most this large, size in usual sizes), rising; between them log-linear.

    Above the last point the sizes are Pareto with exponent `tail`, cut at `cap`.
    """

    points: tuple[tuple[float, float], ...]
    tail: float
    cap: float


class SizeTable:
    """Draws from `quantiles` in 10^-8 of the base asset: whole steps of `step`, and at least `least`."""

    def __init__(self, quantiles: SizeQuantiles, unit: int, step: int, least: int) -> None:
        self._tail_from, largest = quantiles.points[-1]
        self._tail_size = largest * unit
        self._tail_power = -1.0 / quantiles.tail
        self._cap = quantiles.cap * unit
        self._step = step
        self._least = least
        self._edges = [_quantile(quantiles, cell / CELLS) * unit for cell in range(CELLS + 1)]

    def draw(self, uniform: float) -> int:
        """Return the size at quantile `uniform`, from 0 up to and without 1."""
        if uniform >= self._tail_from:
            beyond = (1.0 - uniform) / (1.0 - self._tail_from)
            size = min(self._cap, self._tail_size * beyond**self._tail_power)
        else:
            place = uniform * CELLS
            cell = int(place)
            low = self._edges[cell]
            size = low + (place - cell) * (self._edges[cell + 1] - low)
        return max(self._least, int(size) // self._step * self._step)


def _quantile(quantiles: SizeQuantiles, share: float) -> float:
    points = quantiles.points
    if share <= points[0][0]:
        return points[0][1]
    for (low, small), (high, large) in pairwise(points):
        if share <= high:
            return float(small * (large / small) ** ((share - low) / (high - low)))
    return points[-1][1]
