"""Join the touch on both sides, and lean against the inventory. A strategy to read first: all it keeps is how many lots of
today its parameters are.

Every time the book changes it wishes one order at the best bid and one at the best ask:
- what it holds moves both prices: long means bid lower and offer lower, so that the next fill is likelier to reduce;
- near the position bounds the side that would grow the position shrinks, and at the bound it is not quoted;
- when one side of the touch outweighs the other by more than `imbalance_max`, the price is likely to move through the
  lighter side, so the lighter side is not quoted (Gould and Bonart 2016: the imbalance at the touch predicts the
  direction of the next move of the mid).

Execution places, moves and cancels the orders; risk has the last word on each. Neither is the strategy's concern.
"""

from typing import NamedTuple

import msgspec

from actors.strategy.context import Context
from actors.strategy.prices import recounted, ticks_passive
from actors.strategy.strategy import Strategy
from bus.messages import Instrument, Side, Signals

BUY, SELL = Side


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read from the configuration's `[strategy.parameters]`. Quantities are lots, prices ticks, as the venue has them at the
    start; if it changes its lot while we run, they stay the amounts they were.

    quantity_lots: wished on each side. max_position_lots, min_position_lots: bounds of the position (on a spot account
    without inventory the lower one is 0). skew_ticks: how far prices move for each `quantity_lots` held.
    imbalance_max: in [0, 1]; 1 never withholds a side. warm_only: wait until every signal's window is filled.
    """

    quantity_lots: int
    max_position_lots: int
    min_position_lots: int = 0
    skew_ticks: float = 0.0
    imbalance_max: float = 1.0
    warm_only: bool = False

    def __post_init__(self) -> None:
        if self.quantity_lots < 1:
            raise ValueError("quantity_lots must be at least 1")
        if self.min_position_lots > self.max_position_lots:
            raise ValueError("min_position_lots must not exceed max_position_lots")
        if self.skew_ticks < 0:
            raise ValueError("skew_ticks must not be negative: it would chase the inventory")
        if not 0.0 <= self.imbalance_max <= 1.0:
            raise ValueError("imbalance_max must be in [0, 1]")


class Lots(NamedTuple):
    """The quantities of Parameters, of one instrument."""

    quantity: int
    most: int
    least: int


class JoinTouch(Strategy):
    """One pair of orders an instrument. lots: of those whose lot has changed since the start."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.configured = Lots(parameters.quantity_lots, parameters.max_position_lots, parameters.min_position_lots)
        self.lots: dict[int, Lots] = {}

    def on_instrument(self, context: Context, instrument: Instrument, before: Instrument) -> None:
        if instrument.instrument not in context.instruments:
            return
        lots = self.lots.get(instrument.instrument, self.configured)
        self.lots[instrument.instrument] = Lots(*(recounted(count, before, instrument) for count in lots))

    def on_signals(self, context: Context, signals: Signals) -> None:
        wish = self.parameters
        number = signals.instrument
        if number not in context.instruments:
            return  # of a venue that is only looked at
        if signals.bid == 0 or signals.ask == 0 or (wish.warm_only and not signals.warm):
            context.pull(number)  # a touch with one side says nothing about the price
            return
        lots = self.lots.get(number, self.configured)
        if not lots.quantity:
            context.pull(number)  # less than one of the venue's new lots
            return
        instrument = context.instrument(number)
        position = context.position_lots(number)
        tick = instrument.tick
        touch_bid = ticks_passive(BUY, signals.bid, tick)
        touch_ask = ticks_passive(SELL, signals.ask, tick)
        skew = round(wish.skew_ticks * position / lots.quantity)
        # Inside the spread is as far as the skew may lead: never to the other side's price.
        bid = max(min(touch_bid - skew, touch_ask - 1), 1)
        ask = max(touch_ask - skew, touch_bid + 1)

        bid_lots = min(lots.quantity, lots.most - position)
        ask_lots = min(lots.quantity, position - lots.least)
        if signals.imbalance < -wish.imbalance_max or bid_lots < instrument.min_lots:
            bid_lots = 0
        if signals.imbalance > wish.imbalance_max or ask_lots < instrument.min_lots:
            ask_lots = 0
        context.quote(number, bid, max(bid_lots, 0), ask, max(ask_lots, 0))
