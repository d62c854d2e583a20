"""Mark prices and funding: what positions are valued at, and what their holders pay each other every eight hours. Pure.

There is no index here: the mark price is the middle of the book, taken once a second; the last one while a side is empty.
"""

from collections import deque

import msgspec

PERIOD_NS = 8 * 3_600 * 1_000_000_000  # docs, "Get Funding Rate Info": fundingIntervalHours 8; at 0, 8 and 16 h UTC
MARK_NS = 1_000_000_000  # docs, "Mark Price Stream": every second, or every three
HISTORY_MAX = 1_000  # of one symbol: docs, "Get Funding Rate History", the longest answer


class Settled(msgspec.Struct, frozen=True, gc=False):
    """One funding. `rate` in units of 10^-8 of the notional at `mark`; above 0 the long side pays."""

    symbol: str
    time_ns: int
    rate: int
    mark: int


class FundingBook:
    """`rate`: of the next funding, the same for every symbol and until it is changed."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._history: dict[str, deque[Settled]] = {}

    def settle(self, symbol: str, mark: int, time_ns: int) -> None:
        settled = Settled(symbol, time_ns, self.rate, mark)
        self._history.setdefault(symbol, deque(maxlen=HISTORY_MAX)).append(settled)

    def history(self, symbol: str | None) -> list[Settled]:
        """Return what was settled, oldest first; of all symbols if None."""
        wanted = list(self._history) if symbol is None else [symbol]
        rows = [row for name in wanted for row in self._history.get(name, ())]
        return sorted(rows, key=lambda row: row.time_ns)


def next_funding_ns(now_ns: int) -> int:
    return (now_ns // PERIOD_NS + 1) * PERIOD_NS
