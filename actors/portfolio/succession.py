"""What a successor is told of the account, and what a predecessor told us. Pure.

A position is known by venue symbol, because instances number instruments by themselves. Trades are known by their ids:
the last RECENT_MAX that are folded, so that a successor can tell one that came out of order from one that is missing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

import msgspec

from actors.portfolio.ledger import Ledger
from actors.portfolio.position import Position
from bus.messages import AccountState, Instrument

RECENT_MAX = 32
"""Trades of one instrument by which a later one can come before an earlier: a venue sends them in order, and only a
stream that broke leaves some to be asked for; chosen."""
DAY_NS = 86_400_000_000_000


class Day(msgspec.Struct, array_like=True):
    """The UTC day (since 1970) of an instrument's last change, and what was realized when it began."""

    instrument: int
    day: int = 0
    start: int = 0


class Inherited(msgspec.Struct, array_like=True):
    """One instrument of a predecessor's, until we know it by number."""

    position: int
    cost: int
    realized: int
    recent: list[int]
    day: int
    day_start: int


class Succession:
    """recent: by instrument, ascending; the first stands for all before it, -1 when there was none. states: counts."""

    __slots__ = ("days", "inherited", "recent", "states")

    def __init__(self) -> None:
        self.days: dict[int, Day] = {}
        self.recent: dict[int, list[int]] = {}
        self.inherited: dict[str, Inherited] = {}
        self.states = 0

    def seed(self, trades: Iterable[tuple[int, int]]) -> None:
        """Where the account's trades ended when the venue was first asked: all of them lie in the baseline."""
        for instrument, trade_id in trades:
            self.recent.setdefault(instrument, [trade_id])

    def folded(self, position: Position, trade_id: int, now_ns: int) -> None:
        """A trade is about to be folded into `position`."""
        recent = self.recent.setdefault(position.instrument, [])
        place = bisect_left(recent, trade_id)
        if place == len(recent) or recent[place] != trade_id:
            recent.insert(place, trade_id)
            if len(recent) > RECENT_MAX:
                del recent[0]
        day = self.days.get(position.instrument)
        if day is None:
            day = self.days[position.instrument] = Day(position.instrument)
        today = now_ns // DAY_NS
        if today > day.day:
            day.day, day.start = today, position.realized

    def state(
        self, account: int, ledger: Ledger, positions: Iterable[Position], instruments: Mapping[int, Instrument]
    ) -> AccountState:
        self.states += 1
        held = list(positions)
        recent = [tuple(self.recent.get(row.instrument, ())) for row in held]
        days = [self.days.get(row.instrument) or Day(row.instrument) for row in held]
        return AccountState(
            account,
            self.states,
            tuple(ledger.entries),
            tuple(ledger.total(asset) for asset in ledger.entries),
            tuple(instruments[row.instrument].venue_symbol for row in held),
            tuple(row.quantity for row in held),
            tuple(row.cost for row in held),
            tuple(row.realized for row in held),
            tuple(trades[-1] if trades else -1 for trades in recent),
            tuple(recent),
            tuple(day.day for day in days),
            tuple(day.start for day in days),
        )

    def take(self, state: AccountState) -> None:
        """Everything of ours is replaced by what was left; instruments come to it as they are known (`claim`)."""
        self.days, self.recent = {}, {}
        self.states = max(self.states, state.number)
        rows = zip(
            state.symbols, state.positions, state.costs, state.realized, state.recent, state.days, state.day_starts,
            strict=True,
        )  # fmt: skip
        self.inherited = {symbol: Inherited(q, cost, won, list(ids), d, s) for symbol, q, cost, won, ids, d, s in rows}

    def claim(self, instrument: Instrument, position: Position, now_ns: int) -> int | None:
        """Make `position` what the predecessor held. Returns what was realized when today began; None: he left nothing."""
        left = self.inherited.pop(instrument.venue_symbol, None)
        if left is None:
            return None
        position.quantity, position.cost, position.realized = left.position, left.cost, left.realized
        self.recent[instrument.instrument] = list(left.recent)
        self.days[instrument.instrument] = Day(instrument.instrument, left.day, left.day_start)
        return left.day_start if left.day == now_ns // DAY_NS else left.realized
