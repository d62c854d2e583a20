"""Where an order may stand, and whether the one that stands there will do. Pure functions, integers. HOT PATH."""

from enum import IntEnum

from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Market, Order
from bus.messages import Instrument, Touch

PPM = 1_000_000


class Verdict(IntEnum):
    KEEP = 0
    MOVE = 1
    """Better elsewhere, but not dangerous here: when its time has come."""
    URGENT = 2
    """The owner wishes to stand farther from the touch, or with less: now."""


KEEP, MOVE, URGENT = Verdict  # read by name: see phases.py


def passive_price(side: int, ticks: int, touch: Touch, tick: int) -> int:
    """`ticks`, or the best tick that does not meet the other side. An empty other side bounds nothing."""
    if side > 0:
        if touch.ask:
            best = (touch.ask - 1) // tick  # an ask off the tick grid: the grid's last price below it
            return ticks if ticks < best else best
        return ticks
    best = touch.bid // tick + 1
    return ticks if ticks > best else best


def widened(side: int, ticks: int, widen_ticks: int, widen_ppm: int) -> int:
    """So much further from the other side: the larger of both widths."""
    share = ticks * widen_ppm // PPM
    return ticks - side * (share if share > widen_ticks else widen_ticks)


def within_band(side: int, ticks: int, market: Market) -> int:
    """`ticks`, or the nearest that our self-trade band covers; without a band on that side it stays refused."""
    tick = market.instrument.tick if market.instrument is not None else 1
    if side > 0:
        return min(ticks, market.bid_max // tick) if market.bid_max else ticks
    return max(ticks, -(-market.ask_min // tick)) if market.ask_min else ticks


def judge(order: Order, ticks: int, lots: int, settings: ExecutionSettings) -> Verdict:
    """The order against the wish. toward: ticks by which the wish is nearer the touch than the order.

    Fewer lots are compared with what is open, more lots with what the order was sent with: a partial fill alone does
    not give up a place in the queue. Differences are relative to the smaller of the two.
    """
    toward = (ticks - order.price_ticks) * order.side
    if toward < 0:
        return URGENT
    change = settings.quantity_change_ppm
    if (order.leaves_lots - lots) * PPM > change * lots:
        return URGENT
    if toward >= settings.reprice_ticks or (lots - order.quantity_lots) * PPM > change * order.quantity_lots:
        return MOVE
    return KEEP


def keeps_place(order: Order, ticks: int, touch: Touch, instrument: Instrument, keep_ahead_ppm: int) -> bool:
    """Whether the order's place in the queue is worth more than the one tick by which the wish is nearer the other side.

    Moved, it would stand last at the new price; a fill there is a tick worse, and the likelier adverse the later in the
    queue it comes. What a place is worth grows with how far in front it is and can reach the order of the spread where
    the tick is large (Moallemi and Yuan 2017). The rule is the plain form of that: kept while the wish is exactly one
    tick nearer; the order still stands at its side's touch or one tick behind it, so that its turn can come; somebody
    stands behind it (else there is no place to lose); and of the others at its price at most the setting's share is
    ahead, by the proportional estimate. Unknown or unsettled queues are no reason to stay.
    """
    queue, side, tick = order.queue, order.side, instrument.tick
    if queue is None or not queue.settled or (ticks - order.price_ticks) * side != 1:
        return False
    best, price = (touch.bid if side > 0 else touch.ask), order.price_ticks * tick
    if best != price and best != price + side * tick:
        return False
    others = queue.displayed - order.leaves_lots * instrument.lot
    return others > queue.proportional and queue.proportional * PPM <= keep_ahead_ppm * others


def left_alone(order: Order, touch: Touch, reference_opposite: int, tick: int, lot: int, stale_ticks: int) -> bool:
    """Whether the market came at this order since its owner last spoke, and nobody else stands with it.

    The opposite touch is more than stale_ticks nearer than it was at the owner's wish, and on the own side there is
    no better or equal price but this order itself (the book we see contains it). Then the order is canceled without
    waiting for the owner: the next trade through it is the informed one.
    """
    price = order.price_ticks * tick
    if order.side > 0:
        best, shown, came = touch.bid, touch.bid_quantity, reference_opposite - touch.ask
        alone = best < price
    else:
        best, shown, came = touch.ask, touch.ask_quantity, touch.bid - reference_opposite
        alone = best > price or best == 0
    if came <= stale_ticks * tick or not reference_opposite or not touch.bid or not touch.ask:
        return False
    return alone or (best == price and shown <= order.leaves_lots * lot)


def too_small(ticks: int, lots: int, instrument: Instrument | None) -> bool:
    """Whether the venue takes no order of so few lots, or of so little notional."""
    if instrument is None or lots < instrument.min_lots:
        return True
    notional: int = ticks * lots * instrument.tick * instrument.lot * 10**instrument.quote_scale
    least: int = instrument.min_notional * 10 ** (instrument.price_scale + instrument.quantity_scale)
    return notional < least


def backoff_ns(refusals: int, settings: ExecutionSettings) -> int:
    """After the n-th refusal in a row: backoff_ns_min, doubled each time, up to backoff_ns_max."""
    doubled = settings.backoff_ns_min << min(refusals - 1, 20)
    return min(doubled, settings.backoff_ns_max)
