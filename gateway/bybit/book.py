"""What an order book message means, once its numbers are read. Pure."""

from typing import Annotated, Literal

import msgspec

from bus.messages.feed import (
    UNNUMBERED,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Garbage,
    Levels,
    Notice,
    QuoteEvent,
)
from gateway.text import best_first

MS_NS = 1_000_000
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=(2**63 - 1) // MS_NS)]
Kind = Literal["delta", "snapshot"]
QUOTE_DEPTH = "1"


def book_event(
    topic: str, kind: Kind, venue_symbol: str, update_id: int, venue_ns: int, bids: Levels, asks: Levels
) -> FeedEvent:
    """topic: `orderbook.{depth}.{symbol}`; depth 1 is the best quote, which is numbered apart from the book."""
    depth, _, symbol = topic.partition(".")[2].partition(".")
    if symbol != venue_symbol:
        return Garbage(f"{topic[:80]}: data.s is {venue_symbol[:40]!r}", symbol)
    if depth == QUOTE_DEPTH:
        return _quote(kind, venue_symbol, venue_ns, bids, asks)
    if kind == "delta":
        return DepthDiff(venue_symbol, update_id, update_id, venue_ns, *bids, *asks, update_id - 1)
    body = DepthBody(update_id, *best_first(bids, descending=True), *best_first(asks, descending=False))
    return DepthReset(venue_symbol, venue_ns, body)


def _quote(kind: Kind, venue_symbol: str, venue_ns: int, bids: Levels, asks: Levels) -> FeedEvent:
    """A snapshot's missing side is empty; a delta's (documented for no symbol) is one that nobody remembers here."""
    bid, ask = _best(bids), _best(asks)
    if kind == "delta" and not (bid and ask):
        return Notice("orderbook.1", f"{venue_symbol}: one side alone")
    return QuoteEvent(venue_symbol, UNNUMBERED, *(bid or (0, 0)), *(ask or (0, 0)), venue_ns)


def _best(levels: Levels) -> tuple[int, int] | None:
    return next((level for level in zip(*levels, strict=True) if level[1]), None)
