"""A strategy for the self-trade scenario: always at the price where another one would trade with it. Not for trading.

It buys for `phase_ms`, then sells, and so on. With `reach_ticks` it takes whatever stands on the other side down to that
depth; without, it improves its own side's best by one tick where it can, to be the first that is taken. Two of these with phases of
different length want the same side for a while, which they may, and opposite sides for a while, which they must not.
"""

from typing import Literal

import msgspec

from actors.strategy import Context, Strategy, ticks_passive
from bus.messages import Side, Signals

BUY, SELL = Side
NS_PER_MS = 1_000_000


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """quantity_lots: of each order. position_lots_max: in either direction; beyond it only the reducing side is wished.

    reach_ticks: beyond the other side's best price; 0: never takes. only: the one side it wishes, instead of phases.
    """

    quantity_lots: int
    position_lots_max: int
    phase_ms: int
    reach_ticks: int = 0
    only: Literal["BUY", "SELL", ""] = ""

    def __post_init__(self) -> None:
        if self.quantity_lots < 1 or self.position_lots_max < self.quantity_lots:
            raise ValueError("quantity_lots must be at least 1, position_lots_max at least quantity_lots")
        if self.phase_ms < 1 or self.reach_ticks < 0:
            raise ValueError("phase_ms must be at least 1, reach_ticks at least 0")


class Prowler(Strategy):
    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def on_signals(self, context: Context, signals: Signals) -> None:
        number = signals.instrument
        if signals.bid == 0 or signals.ask == 0:
            context.pull(number)
            return
        wish, reach = self.parameters, self.parameters.reach_ticks
        tick = context.instrument(number).tick
        bid, ask = ticks_passive(BUY, signals.bid, tick), ticks_passive(SELL, signals.ask, tick)
        if self._side(context, number) is BUY:
            price = ask + reach if reach else min(bid + (not self._leads(context, number, BUY, bid)), ask - 1)
            context.quote(number, price, wish.quantity_lots, 0, 0, cross=reach > 0)
        else:
            price = bid - reach if reach else max(ask - (not self._leads(context, number, SELL, ask)), bid + 1)
            context.quote(number, 0, 0, price, wish.quantity_lots, cross=reach > 0)

    def _leads(self, context: Context, number: int, side: Side, ticks: int) -> bool:
        """Whether the best price is our own: nothing is to be improved then."""
        return any(order.side == side and order.price_ticks == ticks for order in context.orders(number))

    def _side(self, context: Context, number: int) -> Side:
        position = context.position_lots(number)
        if abs(position) >= self.parameters.position_lots_max:
            return SELL if position > 0 else BUY
        if self.parameters.only:
            return Side[self.parameters.only]
        return BUY if context.now_ns // (self.parameters.phase_ms * NS_PER_MS) % 2 == 0 else SELL
