"""One limit of a venue: at most so much of a kind in each window of time, shared out by what a request is for. Pure.

A window is a count that starts over at each multiple of its length by the venue's clock. Times are engine time, ns.
"""

from collections.abc import Iterable
from enum import IntEnum

import msgspec

from gateway.market import CONNECTIONS, ORDERS, RAW, WEIGHT, RateLimit


class Purpose(IntEnum):
    """What a request is for: the lower, the further it may fill a window."""

    CANCEL = 0
    REDUCE = 1
    QUERY = 2
    NEW = 3


CANCEL, REDUCE, QUERY, NEW = Purpose  # by name: an enum's look-up costs 75-117 ns on Python 3.11

SHARES_PCT: dict[str, tuple[int, int, int, int]] = {
    WEIGHT: (100, 95, 90, 80),
    RAW: (100, 95, 90, 80),
    ORDERS: (100, 100, 100, 90),
    CONNECTIONS: (100, 100, 100, 90),
}
"""Of a limit, by purpose. Chosen: of Spot's 6,000 a minute 300 are the cancels' alone, 300 more the reducing orders', 600 more
the questions' (12 looks at a venue of ten instruments); of 100 orders in 10 s ten are those that reduce. Openings: the order
connection's before those of market data.
"""


class Window:
    """One limit. guess: of `count`, what nobody counted: a run that was killed may have spent it unwritten. saved: `count` as last
    written; due: what a start wrote beforehand and has not spent yet; pace: what may be spent beyond it until the next time.
    """

    __slots__ = (
        "ceilings", "count", "due", "end_ns", "guess", "interval_ns", "kind", "limit", "pace", "saved", "start_ns",
    )  # fmt: skip

    def __init__(self, limit: RateLimit) -> None:
        self.kind, self.interval_ns = limit.kind, limit.interval_ns
        self.count = self.guess = self.start_ns = self.end_ns = self.saved = self.pace = self.due = 0
        self.bound(limit.limit)

    def bound(self, limit: int) -> None:
        self.limit = limit
        self.ceilings = tuple([max(limit * share // 100, 1) for share in SHARES_PCT[self.kind]])

    def begin(self, now_ns: int, offset_ns: int) -> None:
        """The window that holds `now_ns`, with nothing in it."""
        venue_ns = now_ns + offset_ns
        self.start_ns = now_ns - venue_ns % self.interval_ns
        self.end_ns = self.start_ns + self.interval_ns
        self.count = self.guess = self.saved = 0

    # -- over a restart -------------------------------------------------------------------------------------------

    def kept(self, *, last: bool) -> "Kept":
        """To be written about once a second. last: nothing is spent any more."""
        spent = max(self.count - self.saved, 0)
        self.pace, left = max(spent - self.due, self.pace // 2), max(self.due - spent, 0)
        self.saved = self.count
        self.due = left if spent else left // 2  # who needs less than was thought shall not owe the rest for ever
        return self._kept(self.guess if last else self.guess + self.pace + self.due)

    def reserve(self, due: int) -> "Kept":
        """To be written before a start that is about to spend so much."""
        self.saved, self.due = self.count, due
        return self._kept(self.guess + due)

    def _kept(self, ahead: int) -> "Kept":
        return Kept(self.kind, self.interval_ns, self.start_ns, self.count - self.guess, ahead)

    def restore(self, kept: "Kept") -> None:
        """What an earlier run left, if its window is still the present one."""
        # Of one clock's two readings: the window it began in is ours if it holds the middle of that one.
        if not self.start_ns <= kept.start_ns + kept.interval_ns // 2 < self.end_ns:
            return
        count, ahead = max(kept.count, 0), max(kept.ahead, 0)
        self.count, self.guess = self.count + count + ahead, ahead
        self.saved = self.count


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A window as it outlives its process. ahead: what may be spent after this was written and before the next time."""

    kind: str
    interval_ns: int
    start_ns: int
    count: int
    ahead: int


def ends(windows: Iterable[Window], purpose: Purpose, amount: int) -> list[int]:
    """Of the windows that have no room for it. What never fits has room in one that is empty: it must go some time."""
    return [window.end_ns for window in windows if window.count and window.count + amount > window.ceilings[purpose]]
