"""Latency histograms in constant memory, log-linear: 16 buckets an octave, so a bucket is at most 1/16 of its value wide.

The counts list is public. The host inlines the increment of `record` on it (v in ns, not negative):

    e = v.bit_length() - 5
    if e > 0: counts[(e << 4) + (v >> e)] += 1
    else:     counts[v] += 1

171 ns a hop inlined, with the clock read and the loop; 227 with two clock reads and a method (ten-mailbox
throw-away engine, Python 3.11, shared 2-core machine).
"""

import math
from collections.abc import Sequence
from itertools import islice
from typing import Final, Protocol

VALUE_NS_MAX: Final = (1 << 36) - 1  # 68.7 s, chosen: a longer wait is an outage, not a latency
BUCKETS: Final = 960  # every value below 2**63, so that the inlined increment needs no bound check
RELATIVE_ERROR_MAX: Final = 1 / 16  # of a quantile, upward only: quantiles are upper bounds of buckets

_US: Final = 1_000.0


def bucket_index(value_ns: int) -> int:
    """Bucket of a value in 0 .. 2**63 - 1. Values below 32 have a bucket each."""
    e = value_ns.bit_length() - 5
    return (e << 4) + (value_ns >> e) if e > 0 else value_ns


def bucket_lower_ns(index: int) -> int:
    """Smallest value in the bucket."""
    e = (index >> 4) - 1
    return (index - (e << 4)) << e if e > 0 else index


def bucket_upper_ns(index: int) -> int:
    """Largest value in the bucket (inclusive)."""
    e = (index >> 4) - 1
    return ((index - (e << 4) + 1) << e) - 1 if e > 0 else index


class Histogram:
    """Counts by bucket. Figures come out as the upper bound of a bucket: never below the true value, at most 1/16 above.

    `max_ns` too is a bucket's upper bound, not the exact maximum: an inlined increment keeps none. Figures above
    VALUE_NS_MAX read as VALUE_NS_MAX.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Sequence[int] = ()) -> None:
        """`counts` as another histogram had them, for instance out of a checkpoint."""
        assert len(counts) in (0, BUCKETS)
        self.counts: list[int] = list(counts) or [0] * BUCKETS

    def record(self, value_ns: int) -> None:
        """Count one value, clamped to 0 .. VALUE_NS_MAX. Off the hot path; there, inline it."""
        self.counts[bucket_index(min(max(value_ns, 0), VALUE_NS_MAX))] += 1

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def max_ns(self) -> int:
        """Upper bound of the highest bucket in use; 0 if empty."""
        counts = self.counts
        for index in range(BUCKETS - 1, -1, -1):
            if counts[index]:
                return min(bucket_upper_ns(index), VALUE_NS_MAX)
        return 0

    def quantile(self, p: float) -> int:
        """Value in ns that at least the share `p` (0..1) of all values does not exceed (nearest rank); 0 if empty."""
        assert 0.0 <= p <= 1.0
        rank = max(1, math.ceil(p * self.count))
        seen = 0
        for index, count in enumerate(self.counts):
            seen += count
            if seen >= rank:
                return min(bucket_upper_ns(index), VALUE_NS_MAX)
        return 0

    def clear(self) -> None:
        """Back to empty, in place."""
        self.counts[:] = [0] * BUCKETS

    def to_summary(self) -> dict[str, float]:
        """p50, p90, p99, p999 and max in microseconds, and count; all 0 if empty."""
        return {
            "p50": self.quantile(0.50) / _US,
            "p90": self.quantile(0.90) / _US,
            "p99": self.quantile(0.99) / _US,
            "p999": self.quantile(0.999) / _US,
            "max": self.max_ns / _US,
            "count": self.count,
        }


class Counted(Protocol):
    """Whose hops are counted."""

    @property
    def counts(self) -> list[int]: ...


def count_hops(takers: Sequence[Counted], stamps: Sequence[int]) -> None:
    """One hop each: from the stamp before to its own, `Histogram.record` inlined. stamps: ns, the start's first."""
    start = stamps[0]
    for taker, end in zip(takers, islice(stamps, 1, None), strict=True):
        value, start = end - start, end
        exponent = value.bit_length() - 5
        if exponent > 0:
            taker.counts[(exponent << 4) + (value >> exponent)] += 1
        else:
            taker.counts[value] += 1
