"""What a venue's codec makes of one frame. Values between a codec and market data, never sent: so no tags.

A codec (gateway/VENUE, pure) and market data (an actor) never import each other; they meet in these types. Prices
and quantities are integers in the venue's text precision (`Instrument.price_scale`, `quantity_scale`), exact.
"""

from typing import Protocol

import msgspec

from bus.messages.enums import Side


class DepthDiff(msgspec.Struct, frozen=True, gc=False):
    """One diff event. first, last: the venue's first and last update id in it (Binance U and u). 0 quantity deletes."""

    venue_symbol: str
    first: int
    last: int
    venue_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class DepthBody(msgspec.Struct, frozen=True, gc=False):
    """A REST depth snapshot, best first. last: the update id it is at."""

    last: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class QuoteEvent(msgspec.Struct, frozen=True, gc=False):
    """The venue's own best bid and ask at update id `last`."""

    venue_symbol: str
    last: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class TradeEvent(msgspec.Struct, frozen=True, gc=False):
    """One public trade."""

    venue_symbol: str
    trade_id: int
    venue_ns: int
    price: int
    quantity: int
    aggressor: Side


class Notice(msgspec.Struct, frozen=True, gc=False):
    """A frame without market data: a subscription's acknowledgement, a shutdown warning, an event nobody asked for."""

    kind: str
    detail: str


class Garbage(msgspec.Struct, frozen=True, gc=False):
    """A frame or body that cannot be read, and why: names the field where one is known. Counted, shown, survived."""

    detail: str


FeedEvent = DepthDiff | QuoteEvent | TradeEvent | Notice | Garbage


class MarketCodec(Protocol):
    """Reads one venue's market data. Never raises on what a venue may send: that is Garbage."""

    def decode_frame(self, payload: bytes) -> FeedEvent: ...

    def decode_snapshot(self, payload: bytes) -> DepthBody | Garbage: ...
