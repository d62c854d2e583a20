"""What a frame says of books: ladders where books are, the touch where they are elsewhere, queues that fit their level."""

from typing import Any

import msgspec

from actors.orderbook import live
from bus.messages import BookState, BookStateChanged, FeedAge, Instrument, Touch
from ops.telemetry.frame import LADDER_LEVELS, Ladder, OwnOrder

UNKNOWN_LAG = (-1, 0)
NO_SIDE: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


def ladder(number: int, entry: Any, lag: tuple[int, int]) -> Ladder:
    """entry: of the orderbook. lag: with its uncertainty, as market data told it last."""
    book = live(entry)
    if book is None:
        return Ladder(number, entry.state, entry.sequence, entry.received_ns)
    bids, asks = book.levels(LADDER_LEVELS)
    return Ladder(
        number, entry.state, entry.sequence, entry.received_ns, *bids, *asks, lag_ns=lag[0], uncertainty_ns=lag[1]
    )


def touch_alone(number: int, change: BookStateChanged, touch: Touch | None, age: FeedAge | None) -> Ladder:
    """Of a host that has no books. change: the last word on the book; touch, age: what risk judges prices by."""
    if change.state != BookState.LIVE or touch is None:
        return Ladder(number, change.state, change.sequence, 0)
    bids = ((touch.bid,), (touch.bid_quantity,)) if touch.bid else NO_SIDE
    asks = ((touch.ask,), (touch.ask_quantity,)) if touch.ask else NO_SIDE
    lag = (age.lag_ns, age.uncertainty_ns) if age is not None else UNKNOWN_LAG
    return Ladder(number, change.state, touch.update_id, touch.received_ns, *bids, *asks, *lag)


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
