"""How each message crosses to another host. Pure; the page of the link, as ops/topology.py is the page of the routes.

Order-path and control messages are facts: numbered, acknowledged when taken, sent again. Market data is latest-wins:
when the receiver is slow only the newest of a kind and key waits. A public trade that finds no room is dropped.
"""

from collections.abc import Callable, Hashable
from typing import Any, cast

import msgspec

from bus.codec import decode_any, encode
from bus.messages import (
    DONE,
    HEADER_SIZE,
    ActorFailed,
    ActorsRestarted,
    BookStateChanged,
    EngineStarted,
    FeedAge,
    Instrument,
    LevelQuantities,
    Liquidity,
    Mark,
    MarkPrice,
    Message,
    OrderUpdate,
    PositionUpdate,
    Signals,
    Touch,
    TradePrint,
    TradingStateChanged,
    WatchLevels,
)

Key = Callable[[Any], Hashable]


def _instrument(message: Any) -> int:
    return int(message.instrument)


LATEST: dict[type[Message], Key] = {
    Touch: _instrument,
    Signals: _instrument,
    Liquidity: _instrument,
    Mark: _instrument,
    FeedAge: _instrument,
    MarkPrice: _instrument,
    LevelQuantities: lambda message: (message.instrument, message.known),
}
"""Data of a LIVE book: the newest by key replaces what waits (LevelQuantities is merged into it). A mark price is the
venue's own, but comes again each second or so."""

PRINTS: tuple[type[Message], ...] = (TradePrint,)
"""Data that is dropped, and counted, when there is no room."""

RETOLD: tuple[type[Message], ...] = (Touch, Signals, Liquidity, Mark)
"""Of the data, what a session begins with. LevelQuantities belong to orders, which a lost host's books have ended."""

BOOKS = BookStateChanged
"""The state of every book is told at the begin of every session, ahead of any data."""

KEPT: dict[type[Message], Key] = {
    Instrument: _instrument,
    EngineStarted: lambda message: message.account,
    BookStateChanged: _instrument,
    TradingStateChanged: lambda message: message.scope,
    PositionUpdate: lambda message: (message.account, message.instrument),
    OrderUpdate: lambda message: message.client_order_id,
    WatchLevels: _instrument,
    ActorFailed: lambda message: message.actor,
    ActorsRestarted: lambda message: message.actors,
}
"""Facts of which a new run of the peer is told the last by key, in the order in which each key was first heard of."""


def is_over(message: Message) -> bool:
    """An order that is done: nobody who starts anew needs to hear of it."""
    return isinstance(message, OrderUpdate) and message.status in DONE


def expires_ns(message: Message) -> int:
    """Engine time after which an order-path message must not be sent again; 0: never."""
    return int(getattr(message, "expires_ns", 0))


def merged(waiting: bytes, raw: bytes) -> bytes:
    """Two LevelQuantities of one book as one, under the newer's header: a level that the newer does not name stays."""
    older = cast(LevelQuantities, decode_any(waiting[HEADER_SIZE:]))
    newer = cast(LevelQuantities, decode_any(raw[HEADER_SIZE:]))
    if older.version != newer.version:
        return raw
    bids = dict(zip(older.bid_prices, older.bid_quantities, strict=True))
    asks = dict(zip(older.ask_prices, older.ask_quantities, strict=True))
    bids.update(zip(newer.bid_prices, newer.bid_quantities, strict=True))
    asks.update(zip(newer.ask_prices, newer.ask_quantities, strict=True))
    both = msgspec.structs.replace(
        newer,
        bid_prices=tuple(bids),
        bid_quantities=tuple(bids.values()),
        ask_prices=tuple(asks),
        ask_quantities=tuple(asks.values()),
    )
    return raw[:HEADER_SIZE] + encode(both)
