"""Keeping away from liquidity that will not stay. Pure; strategies' quotes alone: who reduces has no time for it.

Two rules, each with its switch. Neither ever moves a price toward the touch.

- Flicker: a quote does not join a level that comes and goes faster than anyone means it (Liquidity.*_flickering); it
  stands one tick behind, and again, at most FLICKER_STEPS_MAX times. A level where an order of ours stands already is
  joined and kept: the flicker may be ours, and a place in a queue is not given up for it.
- Thin ice: when a side is found to stand on thin ice, quotes of that side stand at least one tick behind the touch of
  that moment: that is where the fall would begin. The limit stays as it was set while the ice is thin and `hold` after,
  so it neither chases a touch that our own order makes, nor moves orders at each change of the finding.
"""

from actors.execution.slots import Market, Retreat, resting
from bus.messages import Instrument, Liquidity, Touch

FLICKER_STEPS_MAX = 3  # chosen: behind three flickering levels in a row the fourth is as good as any
NO_END = 1 << 62  # of a retreat: the ice is thin now


def see_liquidity(market: Market, found: Liquidity, thin_ice: bool, hold_ns: int, now_ns: int) -> tuple[bool, bool]:
    """Keep what was found; whether the bid and the ask side have just been found on thin ice. thin_ice: the switch."""
    market.liquidity = found
    bid_broke = ask_broke = False
    touch, instrument = market.touch, market.instrument
    if thin_ice and touch is not None and instrument is not None:
        bid_broke = _retreat(market.bid_retreat, found.bid_thin, _behind(1, touch, instrument), hold_ns, now_ns)
        ask_broke = _retreat(market.ask_retreat, found.ask_thin, _behind(-1, touch, instrument), hold_ns, now_ns)
    market.unsteady = bool(
        found.bid_flickering
        or found.ask_flickering
        or now_ns < market.bid_retreat.until_ns
        or now_ns < market.ask_retreat.until_ns
    )
    return bid_broke, ask_broke


def forget_liquidity(market: Market) -> None:
    """The book is not LIVE: nothing of it is known."""
    market.liquidity = None
    market.unsteady = False
    market.bid_retreat, market.ask_retreat = Retreat(), Retreat()


def steady_ticks(market: Market, side: int, ticks: int, instrument: Instrument, flicker: bool, now_ns: int) -> int:
    """`ticks`, or the nearest price behind it that both rules allow. flicker: the switch of the first rule."""
    retreat = market.bid_retreat if side > 0 else market.ask_retreat
    if now_ns < retreat.until_ns and retreat.limit_ticks and (ticks - retreat.limit_ticks) * side > 0:
        ticks = retreat.limit_ticks
    found = market.liquidity
    if not flicker or found is None:
        return ticks
    prices = found.bid_flickering if side > 0 else found.ask_flickering
    for _ in range(FLICKER_STEPS_MAX):
        if ticks * instrument.tick not in prices or _ours(market, side, ticks):
            break
        ticks -= side
    return ticks


def _retreat(retreat: Retreat, thin: bool, limit_ticks: int, hold_ns: int, now_ns: int) -> bool:
    if not thin:
        if retreat.until_ns == NO_END:
            retreat.until_ns = now_ns + hold_ns
        return False
    fresh = now_ns >= retreat.until_ns
    if fresh:
        retreat.limit_ticks = limit_ticks
    retreat.until_ns = NO_END
    return fresh


def _behind(side: int, touch: Touch, instrument: Instrument) -> int:
    """The first tick strictly behind the side's touch; 0: that side is empty."""
    if side > 0:
        return (touch.bid - 1) // instrument.tick if touch.bid else 0
    return touch.ask // instrument.tick + 1 if touch.ask else 0


def _ours(market: Market, side: int, ticks: int) -> bool:
    for desk in market.desks:
        order = resting(desk.buy if side > 0 else desk.sell)
        if order is not None and order.price_ticks == ticks:
            return True
    return False
