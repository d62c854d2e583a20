"""The integers of the last `span_ns`, oldest first: who uses them keeps sums, and is told what left. Amortized O(1)."""

from bisect import bisect_right

import msgspec

NEVER_NS = 1 << 62
"""When an empty window next has something to let go: later than any time."""


class TimeWindow(msgspec.Struct, dict=True):
    """Values by time, at most `size_max`: at that limit the oldest leave early, so the window spans less. Own checkpoint.

    After `expire(now_ns)` it holds what came later than `span_ns` before; until then, older ones as well. Time does not go
    back: a value that claims an earlier time than the one before it counts as of that one.
    `expires_ns` is no field: from then on `expire` has something to do, and a view asks no more than that.
    """

    span_ns: int
    size_max: int
    times: list[int] = []
    values: list[int] = []

    def __post_init__(self) -> None:
        self.expires_ns = self.times[0] + self.span_ns if self.times else NEVER_NS

    def push(self, at_ns: int, value: int) -> list[int]:
        """Take a value; return what left for it: the oldest sixteenth, when the window is full."""
        times, values = self.times, self.values
        if not times:
            self.expires_ns = at_ns + self.span_ns
        elif at_ns < times[-1]:
            at_ns = times[-1]
        times.append(at_ns)
        values.append(value)
        return self._drop(max(1, self.size_max >> 4)) if len(values) > self.size_max else []

    def expire(self, now_ns: int) -> list[int]:
        """Let go of all that is `span_ns` old; return it, oldest first."""
        return self._drop(bisect_right(self.times, now_ns - self.span_ns))

    def _drop(self, count: int) -> list[int]:
        times, values = self.times, self.values
        left = values[:count]
        del times[:count], values[:count]
        self.expires_ns = times[0] + self.span_ns if times else NEVER_NS
        return left

    def clear(self) -> None:
        self.times.clear()
        self.values.clear()
        self.expires_ns = NEVER_NS
