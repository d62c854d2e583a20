"""Aggressive pressure: who takes, and whether one taker took more than the touch. HOT PATH: `at`.

What leaves the window is let go of with each trade, whose cascade no order waits for; a view has the rest to do.

Pressure is the trade-flow imbalance over time, (V_buy - V_sell) / (V_buy + V_sell) by the venue's aggressor flag
(Silantyev, Digital Finance 1, 2019). A sweep is ours, so its definition stands here: trades of one aggressor side
within `burst_ns` of the first by the venue's clock, at prices that only get worse for the taker, are a burst; a burst
that trades at `sweep_levels` prices, or more than the touch it hit displayed, is one sweep. A burst is not proven to be
one order: a venue's public trades do not name the taker.
"""

import msgspec

from actors.microstructure.timewindow import TimeWindow
from bus.messages import Side, TradePrint

TRADES_MAX = 10_000  # in one window; chosen: the busiest recorded 5 s have 600. Beyond it the window spans less time


class Burst(msgspec.Struct, gc=False):
    """The trades that may be one taker's. price: the last. levels: different prices. displayed: at the touch, 0 unknown."""

    aggressor: Side
    first_ns: int
    price: int
    levels: int
    quantity: int
    displayed: int
    counted: bool = False

    def takes(self, trade: TradePrint, burst_ns: int) -> bool:
        """Does this trade go on with the burst?"""
        aggressor = trade.aggressor
        return (
            aggressor == self.aggressor
            and 0 <= trade.venue_ns - self.first_ns <= burst_ns
            and (trade.price - self.price) * aggressor >= 0
        )


class Pressure(msgspec.Struct, dict=True):
    """Signed quantities of the last trades, and +1 or -1 for each sweep, in one span of time (`received_ns`). Own checkpoint.

    Sums are no fields, as in `Window`: they are taken again from the values.
    """

    burst_ns: int
    sweep_levels: int
    trades: TimeWindow
    swept: TimeWindow
    burst: Burst | None = None

    @staticmethod
    def over(span_ns: int, burst_ns: int, sweep_levels: int) -> "Pressure":
        return Pressure(burst_ns, sweep_levels, TimeWindow(span_ns, TRADES_MAX), TimeWindow(span_ns, TRADES_MAX))

    def __post_init__(self) -> None:
        self.signed = sum(self.trades.values)
        self.volume = sum(map(abs, self.trades.values))
        self.sweeps = sum(self.swept.values)

    def update(self, trade: TradePrint, displayed: int) -> None:
        """displayed: quantity of the touch on the side that is taken from, in the last view; 0 when there is none."""
        quantity, aggressor, received_ns = trade.quantity, trade.aggressor, trade.received_ns
        self._expire(received_ns)
        left = self.trades.push(received_ns, quantity * aggressor)
        if left:
            self._left(left)
        self.signed += quantity * aggressor
        self.volume += quantity
        burst = self.burst
        if burst is None or not burst.takes(trade, self.burst_ns):
            burst = self.burst = Burst(aggressor, trade.venue_ns, trade.price, 1, 0, displayed)
        elif trade.price != burst.price:
            burst.levels += 1
            burst.price = trade.price
        burst.quantity += quantity
        if not burst.counted and (burst.levels >= self.sweep_levels or burst.quantity > burst.displayed > 0):
            burst.counted = True
            self.sweeps += aggressor - sum(self.swept.push(received_ns, aggressor))

    def at(self, received_ns: int) -> float:
        """Pressure of the span that ends at this view, -1 to 1; 0.0 when nobody traded. `sweeps` is of that span too."""
        if received_ns >= self.trades.expires_ns or received_ns >= self.swept.expires_ns:
            self._expire(received_ns)
        volume = self.volume
        return self.signed / volume if volume else 0.0

    def share(self) -> float:
        """As of the last trade or view."""
        return self.signed / self.volume if self.volume else 0.0

    def _expire(self, received_ns: int) -> None:
        if received_ns >= self.trades.expires_ns:
            self._left(self.trades.expire(received_ns))
        if received_ns >= self.swept.expires_ns:
            self.sweeps -= sum(self.swept.expire(received_ns))

    def _left(self, quantities: list[int]) -> None:
        """A loop: mostly there are one or two, and between two ticks `sum` and `map` go cold (1 us of a tick)."""
        signed, volume = self.signed, self.volume
        for quantity in quantities:
            signed -= quantity
            volume -= quantity if quantity > 0 else -quantity
        self.signed, self.volume = signed, volume

    def clear(self) -> None:
        self.trades.clear()
        self.swept.clear()
        self.burst = None
        self.signed = self.volume = self.sweeps = 0
