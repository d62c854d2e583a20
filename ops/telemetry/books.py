"""What a frame says of books: ladders where books are, the touch where they are elsewhere, queues that fit their level."""

from typing import Any

import msgspec

from actors.orderbook import live
from bus.messages import BookState, BookStateChanged, Instrument, Touch
from ops.telemetry.frame import LADDER_LEVELS, Ladder, OwnOrder


def ladder(number: int, entry: Any) -> Ladder:
    """entry: of the orderbook."""
    book = live(entry)
    if book is None:
        return Ladder(number, entry.state, entry.sequence, entry.received_ns)
    bids, asks = book.levels(LADDER_LEVELS)
    return Ladder(number, entry.state, entry.sequence, entry.received_ns, *bids, *asks)


def touch_alone(number: int, change: BookStateChanged, touch: Touch | None) -> Ladder:
    """Of a host that has no books. change: the last word on the book; touch: what risk judges prices by."""
    if change.state != BookState.LIVE or touch is None:
        return Ladder(number, change.state, change.sequence, 0)
    bids = ((touch.bid,), (touch.bid_quantity,)) if touch.bid else ((), ())
    asks = ((touch.ask,), (touch.ask_quantity,)) if touch.ask else ((), ())
    return Ladder(number, change.state, touch.update_id, touch.received_ns, *bids, *asks)


def within_level(order: OwnOrder, entry: Any, instrument: Instrument) -> OwnOrder:
    """Nobody waits before an order whom its level does not show: execution's bound may be of an older book."""
    if order.ahead <= 0 or entry.state != BookState.LIVE:
        return order
    book, price = entry.book, order.price_ticks * instrument.tick
    if order.side > 0:
        key, levels, horizon = price, book.bids, book.bid_horizon
    else:
        key, levels, horizon = -price, book.asks, book.ask_horizon
    if key not in levels and key < horizon:
        return order  # nobody told what stands there
    most = levels.get(key, 0) // instrument.lot
    return order if order.ahead <= most else msgspec.structs.replace(order, ahead=most)
