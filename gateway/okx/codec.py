"""OKX v5 market data: frames to values. Pure; keeps the instruments' scales, nothing of a frame. HOT PATH.

A `books` message is read on one of two routes with equal results. The fast one accepts exactly the bytes the venue writes
(fields in its order, rows of four texts: `gateway.text.read_levels`); whatever is not exactly so goes to `slow`, which reads
any JSON, decides, and names the field at fault.
"""

import msgspec

from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Garbage,
    Scales,
    TradeEvent,
)
from gateway.okx.slow import MS_NS, Checksum, Millis, SeqId, checksum_of, slow_frame
from gateway.text import read_levels

_HEAD = b'{"arg":{"channel":"books","instId":"'
_UPDATE = b'"},"action":"update","data":[{"asks":['
_SNAPSHOT = b'"},"action":"snapshot","data":[{"asks":['
_BIDS = b'],"bids":['
_END = b'],"ts":"'
_SYMBOL_MAX = 64  # bytes; a longer name is read slowly
_ROW = 4  # texts: price, quantity, a zero, number of orders
_FIRST = Scales()


class _Rest(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What is left of a message without its levels."""

    instId: str
    ts: Millis
    checksum: Checksum | None = 0
    seqId: SeqId = UNNUMBERED
    prevSeqId: SeqId = UNNUMBERED


_rest = msgspec.json.Decoder(_Rest, strict=False).decode


class OkxCodec:
    """A MarketCodec."""

    def __init__(self) -> None:
        self._scales: dict[str, Scales] = {}

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        """Return what one frame says; Notice for what nobody trades on, Garbage for what cannot be read."""
        if payload.startswith(_HEAD):
            return self._fast_books(payload) or slow_frame(payload, self._scales)
        return slow_frame(payload, self._scales)

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        """Never asked: books begin on the stream."""
        return Garbage("this venue's books come on the stream", venue_symbol)

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        """Never asked: past trades are single fills, those of the stream are sums of fills."""
        return Garbage("this venue's past trades are not asked for", venue_symbol)

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self._scales[venue_symbol] = scales

    def _fast_books(self, payload: bytes) -> DepthDiff | DepthReset | None:
        """Return the book message, or None when the bytes are not exactly the venue's usual ones."""
        start = len(_HEAD)
        cut = payload.find(b'"', start, start + _SYMBOL_MAX)
        name = payload[start:cut]
        if payload.startswith(_UPDATE, cut):
            rows, whole = cut + len(_UPDATE), False
        elif payload.startswith(_SNAPSHOT, cut):
            rows, whole = cut + len(_SNAPSHOT), True
        else:
            return None
        middle = payload.find(_BIDS, rows)
        end = payload.find(_END, middle)
        if cut < 0 or middle < 0 or end < 0 or b"\\" in name or payload[-3:] != b"}]}":
            return None
        try:
            rest = _rest(b'{"instId":"' + name + b'",' + payload[end + 2 : -2])
        except ValueError:
            return None
        scales = self._scales.get(rest.instId, _FIRST)
        asks = read_levels(payload[rows:middle], _ROW, scales)
        bids = read_levels(payload[middle + len(_BIDS) : end], _ROW, scales)
        if asks is None or bids is None or rest.seqId < 0 <= rest.prevSeqId:
            return None
        checksum, last, venue_ns = checksum_of(rest.checksum), rest.seqId, rest.ts * MS_NS
        if whole:
            return DepthReset(rest.instId, venue_ns, DepthBody(last, *bids, *asks), checksum)
        return DepthDiff(rest.instId, last, last, venue_ns, *bids, *asks, rest.prevSeqId, checksum)
