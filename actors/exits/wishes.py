"""The one order that closes a position: where, how much, and whether it may take. Pure; integers."""

import msgspec

from actors.exits.phases import PROFIT_CROSSING, TAKING_PROFIT
from actors.exits.settings import BPS
from actors.exits.watch import Watch, Wish, unit_of
from bus.messages import Instrument, QuoteIntent, Signals

OWNER = "exits"


class OrderMax(msgspec.Struct, frozen=True):
    """The most that risk lets one order have. notional: quote units; 0: no bound but the venue's. unit: as in RiskLimits.

    collar_bps: how far from the mid.
    """

    lots: int
    notional: int = 0
    unit: int = 0
    collar_bps: int = BPS

    def counted(self, instrument: Instrument) -> "OrderMax":
        """The same in the instrument's present lots, never more."""
        unit = unit_of(instrument)
        return OrderMax(self.lots * (self.unit or unit) // unit, self.notional, unit, self.collar_bps)


def wish_of(
    watch: Watch, instrument: Instrument, signals: Signals, cross_ticks_max: int, most: OrderMax | None
) -> Wish:
    """Never more lots than are held, nor than one order may have: what is beyond follows when that much is filled."""
    cross = watch.phase >= PROFIT_CROSSING
    tick = instrument.tick
    ticks = _crossing(watch, signals, tick, cross_ticks_max) if cross else _passive(watch, signals, tick)
    return Wish(ticks, most_lots(abs(watch.lots), ticks, instrument, most), cross)


def most_lots(lots: int, ticks: int, instrument: Instrument, most: OrderMax | None) -> int:
    """So many of them as one order at this price may have."""
    for bound in (instrument.max_lots, most.lots if most is not None else 0):
        lots = min(lots, bound) if bound else lots
    for notional in (instrument.max_notional, most.notional if most is not None else 0):
        lots = min(lots, _lots_for(notional, ticks, instrument)) if notional and ticks > 0 else lots
    return lots


def _lots_for(notional: int, ticks: int, instrument: Instrument) -> int:
    """The most lots at this price that are worth no more."""
    scale: int = 10 ** (instrument.price_scale + instrument.quantity_scale)
    worth: int = ticks * instrument.tick * instrument.lot * 10**instrument.quote_scale
    return notional * scale // worth


def _passive(watch: Watch, signals: Signals, tick: int) -> int:
    """At the touch of our own side, off the grid one tick behind it; a profit never for less than its target."""
    if watch.thresholds.side > 0:
        floor = max(signals.ask, watch.thresholds.target if watch.phase is TAKING_PROFIT else 0)
        return -(-floor // tick)
    if watch.phase is TAKING_PROFIT:
        return min(signals.bid, watch.thresholds.target) // tick
    return signals.bid // tick


def _crossing(watch: Watch, signals: Signals, tick: int, ticks_max: int) -> int:
    """Through the opposite touch by ticks_max. An order on its way that still meets the touch is left as it is: moved, it
    would be canceled while it trades.
    """
    last = watch.wish
    if watch.thresholds.side > 0:
        best = signals.bid // tick
        return last.ticks if last is not None and last.cross and last.ticks <= best else max(best - ticks_max, 1)
    best = -(-signals.ask // tick)
    return last.ticks if last is not None and last.cross and last.ticks >= best else best + ticks_max


def too_small(wish: Wish, instrument: Instrument) -> bool:
    """Whether the venue would refuse it as a new order: fewer lots or less notional than it takes. Of a contract an order that
    only reduces needs no least notional (Binance's futures, -4164).
    """
    if wish.lots < max(instrument.min_lots, 1):
        return True
    if instrument.settle_asset:
        return False
    notional: int = wish.ticks * wish.lots * instrument.tick * instrument.lot * 10**instrument.quote_scale
    least: int = instrument.min_notional * 10 ** (instrument.price_scale + instrument.quantity_scale)
    return notional < least


def intent_of(
    wish: Wish | None,
    side: int,
    instrument: Instrument,
    update_id: int,
    received_ns: int,
    expires_ns: int,
    owner: str = OWNER,
) -> QuoteIntent:
    """side: of the position. None: nothing is wished any more, and strategies have the instrument again."""
    ticks, lots, cross = (wish.ticks, wish.lots, wish.cross) if wish is not None else (0, 0, False)
    bid, ask = ((0, 0), (ticks, lots)) if side > 0 else ((ticks, lots), (0, 0))
    return QuoteIntent(
        instrument.account, instrument.venue, instrument.instrument, instrument.version, owner, True, update_id,
        received_ns, expires_ns, *bid, *ask, cross,
    )  # fmt: skip
