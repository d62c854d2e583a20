"""Bybit v5 public market data: frames to values. Pure; keeps nothing but the scales. HOT PATH: `decode_frame`.

A book message is cut in three: `b`'s rows, `a`'s rows, and what is left, which is JSON again, small, and read by type.
The rows are read by `gateway.text.read_levels`, in C. Sound: every byte is either in rows that are exactly rows or in a
head that has exactly the known fields (one more, and it is not this route's), so a `b` or `u` elsewhere cannot be taken
for the book's. Whatever is not exactly so goes to `slow`, which decides, and names the field at fault.
Frames of 1 / 10 / 30 / 100 levels, us, best of 20 interleaved rounds, Python 3.11:
this                                                          3.4 / 5.9 / 9.0 / 21
`slow`: read by type, texts joined; any layout, any scales    3.7 / 6.9 / 12 / 31
read by type, each text by `units`                            2.5 / 13 / 34 / 112
"""

import msgspec

from bus.messages.feed import Batch, DepthBody, FeedEvent, Garbage, Scales, TradeEvent
from gateway.bybit.book import MS_NS, Id, Kind, Millis, book_event
from gateway.bybit.slow import slow_frame, slow_trades
from gateway.text import read_levels

_BOOK = b'{"topic":"orderbook.'
_BIDS, _ASKS, _REST = b',"b":[', b'],"a":[', b'],"u":'
_FIRST = Scales()


class _Data(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    s: str
    u: Id
    seq: Id = 0


class _Head(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    topic: str
    type: Kind
    ts: Millis
    data: _Data
    cts: Millis = 0


_head = msgspec.json.Decoder(_Head).decode


class BybitCodec:
    """A MarketCodec. numbered: the category's trade ids are numbers, and one that is not is refused."""

    def __init__(self, numbered: bool) -> None:
        self._numbered = numbered
        self._scales: dict[str, Scales] = {}

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        if payload.startswith(_BOOK):
            event = self._fast_book(payload)
            if event is not None:
                return event
        return slow_frame(payload, self._scales, self._numbered)

    def _fast_book(self, payload: bytes) -> FeedEvent | None:
        bids_at = payload.find(_BIDS)
        asks_at = payload.find(_ASKS, bids_at + 5)
        end = payload.find(_REST, asks_at + 6)
        if not 0 < bids_at < asks_at < end:
            return None
        try:
            head = _head(payload[:bids_at] + payload[end + 1 :])
        except (ValueError, RecursionError):
            return None
        data = head.data
        scales = self._scales.get(data.s, _FIRST)
        bids = read_levels(payload[bids_at + 6 : asks_at], 2, scales)
        asks = read_levels(payload[asks_at + 7 : end], 2, scales)
        if bids is None or asks is None:
            return None
        return book_event(head.topic, head.type, data.s, data.u, (head.cts or head.ts) * MS_NS, bids, asks)

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        """Nobody asks for the REST depth: nothing documented joins its `u` to a topic's of another depth."""
        return Garbage("REST depth: books of this venue begin on the stream")

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        return slow_trades(payload, venue_symbol, self._scales, self._numbered)

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self._scales[venue_symbol] = scales
