"""A strategy for the self-trade scenario: always at the price where another one would trade with it. Not for trading.

It buys for `phase_ms`, then sells, and so on. With `cross` it wishes to take the other side's best price; without, it
improves its own side's best by one tick, where it stands alone and is the first to be taken. Two of these with phases of
different length want the same side for a while, which they may, and opposite sides for a while, which they must not.
"""

import msgspec

from actors.strategy import Context, Strategy, ticks_passive
from bus.messages import Side, Signals

BUY, SELL = Side
NS_PER_MS = 1_000_000


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """quantity_lots: of each order. position_lots_max: in either direction; beyond it only the reducing side is wished."""

    quantity_lots: int
    position_lots_max: int
    phase_ms: int
    cross: bool = False

    def __post_init__(self) -> None:
        if self.quantity_lots < 1 or self.position_lots_max < self.quantity_lots or self.phase_ms < 1:
            raise ValueError("quantity_lots and phase_ms must be at least 1, position_lots_max at least quantity_lots")


class Prowler(Strategy):
    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def on_signals(self, context: Context, signals: Signals) -> None:
        number = signals.instrument
        if signals.bid == 0 or signals.ask == 0:
            context.pull(number)
            return
        wish = self.parameters
        tick = context.instrument(number).tick
        bid, ask = ticks_passive(BUY, signals.bid, tick), ticks_passive(SELL, signals.ask, tick)
        if self._side(context, number) is BUY:
            price = ask if wish.cross else min(bid + 1, ask - 1)
            context.quote(number, price, wish.quantity_lots, 0, 0, cross=wish.cross)
        else:
            price = bid if wish.cross else max(ask - 1, bid + 1)
            context.quote(number, 0, 0, price, wish.quantity_lots, cross=wish.cross)

    def _side(self, context: Context, number: int) -> Side:
        position = context.position_lots(number)
        if abs(position) >= self.parameters.position_lots_max:
            return SELL if position > 0 else BUY
        return BUY if context.now_ns // (self.parameters.phase_ms * NS_PER_MS) % 2 == 0 else SELL
