"""What was lost: the day's result and the fall from its peak, by quote asset. Pure; off the hot path.

An instrument's result is realized + unrealized, the latter at the mid of the last Mark. What the account held before the
engine traded is not in it: a market that falls stops nobody for what it does to idle inventory (hummingbot#1145).

- The day's loss is what realized PnL has fallen by since the UTC day began, or what realized and unrealized have fallen
  by together, whichever is more: an open gain does not pay for a loss that is made.
- The drawdown is the distance from the highest result since the UTC day began.

A RESUME begins both anew.
"""

from collections.abc import Callable

import msgspec

from actors.risk.limits import AccountLimits
from actors.risk.people import alert
from actors.risk.states import ENGINE, Reasons
from bus.actor import NOTHING
from bus.messages import AlertLevel, Instrument, Mark, Message, PositionUpdate, TradingState

DAY_NS = 86_400_000_000_000


class Day(msgspec.Struct):
    """Result of one instrument, quote units. start: realized at the day's beginning, or at the last RESUME.

    position: base units. bid, ask: of the last Mark, price units; 0: there was none. open: unrealized by them. open_start:
    at the day's beginning; None: not known yet (what another instance left), the next Mark says.
    """

    instrument: int
    asset: str
    day: int
    start: int
    realized: int
    position: int = 0
    cost: int = 0
    bid: int = 0
    ask: int = 0
    open: int = 0
    open_start: int | None = 0


class Losses:
    """peaks: highest result by asset, of those that have a bound; none yet: it begins where the day did."""

    def __init__(self, limits: AccountLimits, reasons: Reasons) -> None:
        self.limits, self.reasons = limits, reasons
        self.days: dict[int, Day] = {}
        self.peaks: dict[str, int] = {}
        self.day = 0
        self.amount: Callable[[int, str], str] = lambda units, asset: str(units)
        """An asset's units as people write them."""

    def on_position(self, position: PositionUpdate, instrument: Instrument | None, now_ns: int) -> tuple[Message, ...]:
        """instrument: None while nothing but facts is known of it (a start)."""
        self.fold(position, instrument, now_ns)
        return self._judge(self.days[position.instrument].asset)

    def fold(self, position: PositionUpdate, instrument: Instrument | None, now_ns: int) -> None:
        """Kept and not judged: what is recovered was traded at prices that no Mark is kept of."""
        self._roll(now_ns)
        asset = instrument.quote_asset if instrument is not None else ""
        day = self.days.get(position.instrument)
        if day is None:
            day = self.days[position.instrument] = Day(position.instrument, asset, self.day, 0, 0)
        if position.taken_over:
            day.start, day.open_start = position.day_start, None
        day.realized, day.position, day.cost = position.realized, position.position, position.cost
        _value(day, instrument)

    def begin(self) -> None:
        """A new run: a Mark of an earlier one is no price for what is traded since, and would make gains or losses of it."""
        for day in self.days.values():
            day.bid = day.ask = 0

    def on_mark(self, mark: Mark, instrument: Instrument | None, now_ns: int) -> tuple[Message, ...]:
        day = self.days.get(mark.instrument)
        if day is None or instrument is None or instrument.version != mark.version or not (mark.bid and mark.ask):
            return NOTHING
        self._roll(now_ns)
        day.bid, day.ask = mark.bid, mark.ask
        _value(day, instrument)
        if day.open_start is None:
            day.open_start = day.open
        return self._judge(day.asset)

    def name_asset(self, instrument: int, asset: str) -> None:
        day = self.days.get(instrument)
        if day is not None:
            day.asset = asset

    def begin_anew(self) -> None:
        """The day, or a person's word, starts here."""
        for day in self.days.values():
            day.day, day.start = self.day, day.realized
            day.open_start = None if day.open_start is None or _unmarked(day) else day.open
        self.peaks.clear()

    def _roll(self, now_ns: int) -> None:
        """A wall clock that went back between two runs does not bring a day back: its loss would count anew."""
        if now_ns // DAY_NS > self.day:
            self.day = now_ns // DAY_NS
            self.begin_anew()

    def _result(self, asset: str) -> int:
        return sum(day.realized + day.open for day in self.days.values() if day.asset == asset)

    def _any_unmarked(self, asset: str) -> bool:
        return any(_unmarked(day) for day in self.days.values() if day.asset == asset)

    def _judge(self, asset: str) -> tuple[Message, ...]:
        most, deepest = self.limits.daily_loss_max.get(asset), self.limits.drawdown_max.get(asset)
        changes: tuple[Message, ...] = ()
        if most is not None:
            changes = self._judge_loss(asset, most)
        return (*changes, *self._judge_drawdown(asset, deepest)) if deepest is not None else changes

    def _judge_loss(self, asset: str, most: int) -> tuple[Message, ...]:
        realized = together = 0
        for day in self.days.values():
            if day.asset == asset:
                realized += day.start - day.realized
                together += 0 if day.open_start is None else day.open_start - day.open
        loss = realized if self._any_unmarked(asset) else max(realized, realized + together)
        name = f"loss:{asset}"
        if loss <= most or self.reasons.holds(ENGINE, name):
            return NOTHING
        lost, closed, bound = (self.amount(units, asset) for units in (loss, realized, most))
        text = f"asset={asset} loss={lost} realized={closed} max={bound}"
        changes = self.reasons.hold(ENGINE, name, TradingState.REDUCING, text)
        return (*changes, alert(AlertLevel.CRITICAL, "daily_loss", text))

    def _judge_drawdown(self, asset: str, deepest: int) -> tuple[Message, ...]:
        """What is held without a Mark has no result yet: it would be a peak that never was."""
        if self._any_unmarked(asset):
            return NOTHING
        result = self._result(asset)
        peak = self.peaks.get(asset)
        if peak is None:
            peak = sum(day.start + (day.open_start or 0) for day in self.days.values() if day.asset == asset)
        self.peaks[asset] = peak = max(peak, result)
        fallen = peak - result
        if fallen <= deepest:
            return NOTHING
        state = self.limits.drawdown_twice if fallen > 2 * deepest else TradingState.REDUCING
        name = f"drawdown:{asset}"
        held = self.reasons.held.get((ENGINE, name))
        if held is not None and held.state >= state:
            return NOTHING
        down, top, bound = (self.amount(units, asset) for units in (fallen, peak, deepest))
        text = f"asset={asset} drawdown={down} from={top} max={bound}"
        changes = self.reasons.hold(ENGINE, name, state, text)
        return (*changes, alert(AlertLevel.CRITICAL, "drawdown", text))

    # Checkpoint

    def restore(self, days: list[Day], peaks: list[tuple[str, int]]) -> None:
        self.days = {day.instrument: day for day in days}
        self.day = max((day.day for day in days), default=0)
        self.peaks = dict(peaks)
        for row in days:
            if row.day < self.day:  # of a program that let each row's day begin with its own next fact
                row.day, row.start, row.open_start = self.day, row.realized, row.open


def _unmarked(day: Day) -> bool:
    """It is held, and what for is not known in this run."""
    return day.position != 0 and not day.bid


def _value(day: Day, instrument: Instrument | None) -> None:
    """Unrealized at the mid, quote units, toward zero. Without a Mark what is held counts as it cost."""
    if not day.position or not day.bid or instrument is None:
        day.open = 0
        return
    twice = day.position * (day.bid + day.ask) * int(10**instrument.quote_scale)
    unit = 2 * 10 ** (instrument.price_scale + instrument.base_scale)
    day.open = (twice // unit if twice >= 0 else -(-twice // unit)) - day.cost
