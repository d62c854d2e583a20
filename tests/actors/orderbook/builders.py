"""Short builders of what comes to an orderbook, and orderbooks that something came to."""

from typing import Any

import msgspec

from actors.orderbook import Orderbook
from bus.actor import Actor
from bus.messages import (
    BestQuote,
    BookReason,
    BookState,
    BookStateChanged,
    DepthSnapshot,
    DepthUpdate,
    Instrument,
    Message,
    Side,
    TradePrint,
)

VENUE = 3
NUMBER = 7
LIVE = BookStateChanged(NUMBER, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 10)


def instrument(version: int = 1, price_scale: int = 8) -> Instrument:
    bounds = (0,) * 7
    return Instrument(NUMBER, version, 1, VENUE, "BTCUSDT", "BTC", "USDT", price_scale, 8, 8, 8, 1, 1, *bounds)


def snapshot(sequence: int = 10, bids=((100, 5), (99, 6)), asks=((101, 7), (102, 8))) -> DepthSnapshot:
    return DepthSnapshot(NUMBER, 1, sequence, 1, *columns(bids), *columns(asks))


def update(previous: int, last: int, bids=(), asks=()) -> DepthUpdate:
    return DepthUpdate(NUMBER, 1, previous, last, last, *columns(bids), *columns(asks))


def columns(levels) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(price for price, _ in levels), tuple(quantity for _, quantity in levels)


def quote(update_id: int, bid=(100, 5), ask=(101, 7)) -> BestQuote:
    return BestQuote(NUMBER, 1, update_id, 1, *bid, *ask)


def trade(price: int, received_ns: int = 1, trade_id: int = 1) -> TradePrint:
    return TradePrint(NUMBER, 1, trade_id, received_ns, 0, price, 1, Side.BUY)


def invalid(reason: BookReason, sequence: int) -> BookStateChanged:
    return BookStateChanged(NUMBER, BookState.INVALID, reason, sequence)


def orderbook(*messages: Message) -> Orderbook:
    actor = Orderbook()
    for message in (instrument(), *messages):
        actor.receive(message, 0)
    return actor


def live_book(now_ns: int = 0) -> Orderbook:
    actor = orderbook(snapshot())
    actor.receive(LIVE, now_ns)
    return actor


def copy_of(actor: Actor[Any], fresh: Actor[Any]) -> Actor[Any]:
    """`fresh`, restored from the encoded checkpoint of `actor`: nothing can be shared."""
    encoded = msgspec.msgpack.encode(actor.checkpoint())
    fresh.restore(msgspec.msgpack.decode(encoded, type=actor.State))
    return fresh


def names(messages: tuple[Message, ...]) -> list[str]:
    return [type(message).__name__ for message in messages]
