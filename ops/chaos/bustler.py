"""A strategy for `touchline chaos --kills`: several orders that always move, and fills on both sides. Not for trading.

Every `phase_ms` it wishes another pair of prices near the touch on each instrument, so that each phase places and cancels on
both sides; in one of `take_every` phases it takes a part of what stands on one side instead: such a fill leaves the venue
before its acknowledgement. It bounds nothing by itself: where risk refuses, the limits are what is tried.
"""

import msgspec

from actors.strategy import Context, Strategy, ticks_passive
from bus.messages import Side, Signals

BUY, SELL = Side
NS_PER_MS = 1_000_000
DEPTHS = (0, 2, 1)
"""Ticks behind the touch, one phase after the other: no two neighbors alike, so that every phase moves both orders. Chosen."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """lots: of each order, by symbol. taken: what it takes is the n-th part. reach_ticks: beyond the other side's best."""

    lots: dict[str, int]
    phase_ms: int
    take_every: int = 5
    taken: int = 4
    reach_ticks: int = 20

    def __post_init__(self) -> None:
        if self.phase_ms < 1 or self.take_every < 2 or self.taken < 1 or self.reach_ticks < 0:
            raise ValueError("phase_ms and taken must be at least 1, take_every at least 2, reach_ticks at least 0")
        if min(self.lots.values(), default=0) < self.taken:
            raise ValueError("lots must name a symbol or more, each with at least as many lots as `taken`")


class Bustler(Strategy):
    """phases: by instrument, the last one in which it wished something."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.phases: dict[int, int] = {}

    def on_signals(self, context: Context, signals: Signals) -> None:
        number = signals.instrument
        if signals.bid == 0 or signals.ask == 0:
            context.pull(number)
            return
        phase = context.now_ns // (self.parameters.phase_ms * NS_PER_MS)
        if self.phases.get(number) == phase:
            return
        self.phases[number] = phase
        tick = context.instrument(number).tick
        bid, ask = ticks_passive(BUY, signals.bid, tick), ticks_passive(SELL, signals.ask, tick)
        turn, rest = divmod(phase + number, self.parameters.take_every)
        lots = self.parameters.lots.get(context.instrument(number).venue_symbol, 0)
        if rest:
            behind = DEPTHS[phase % len(DEPTHS)]
            context.quote(number, max(bid - behind, 1), lots, ask + behind, lots)
            return
        reach, taken = self.parameters.reach_ticks, lots // self.parameters.taken
        if self._buys(context, number, turn):
            context.quote(number, ask + reach, taken, 0, 0, cross=True)
        else:
            context.quote(number, 0, 0, max(bid - reach, 1), taken, cross=True)

    def _buys(self, context: Context, number: int, turn: int) -> bool:
        """Against the position; without one by turns."""
        position = context.position_lots(number)
        return position < 0 if position else turn % 2 == 0
