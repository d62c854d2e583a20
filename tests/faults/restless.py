"""A strategy for these tests: it quotes both touches and steps away by a tick and back, so that orders flow in any market."""

import msgspec

from actors.strategy import Context, Strategy, ticks_passive
from bus.messages import Side, Signals

BUY, SELL = Side
MS_NS = 1_000_000


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """quantity_lots: of each quote. position_lots_max: in either direction; beyond it only the reducing side. step_ms: of a step."""

    quantity_lots: int
    position_lots_max: int
    step_ms: int = 250

    def __post_init__(self) -> None:
        if not 0 < self.quantity_lots <= self.position_lots_max or self.step_ms < 1:
            raise ValueError("quantity_lots must be 1 to position_lots_max, step_ms at least 1")


class Restless(Strategy):
    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def on_signals(self, context: Context, signals: Signals) -> None:
        number, wish = signals.instrument, self.parameters
        if signals.bid == 0 or signals.ask == 0:
            context.pull(number)
            return
        tick = context.instrument(number).tick
        away = context.now_ns // (wish.step_ms * MS_NS) % 2
        position = context.position_lots(number)
        buys = wish.quantity_lots if position < wish.position_lots_max else 0
        sells = wish.quantity_lots if position > -wish.position_lots_max else 0
        bid, ask = ticks_passive(BUY, signals.bid, tick) - away, ticks_passive(SELL, signals.ask, tick) + away
        context.quote(number, max(bid, 1), buys, ask, sells)
