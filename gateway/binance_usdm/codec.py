"""Binance USD-M market data: frames and depth snapshots to values. Pure. HOT PATH: `_fast_depth`.

A diff is read on one of two routes with equal results. The fast one takes the bytes as the venue writes them: the
header up to `"b":[` as JSON, both sides' rows by `read_levels`, which is exact in any scales or declines. Whatever is not
exactly so goes to `slow`, which reads any JSON, decides, and names the field at fault.
Frames of 10 / 30 / 100 levels, us, best of 60 interleaved rounds on a shared 2-core x86 machine, Python 3.11:
fast 6.2 / 9.7 / 22, slow 16 / 39 / 121.
"""

import re

import msgspec

from bus.messages import Side
from bus.messages.feed import Batch, DepthBody, DepthDiff, FeedEvent, Garbage, QuoteEvent, Scales, TradeEvent
from gateway.binance_usdm.slow import (
    FIRST,
    MS_NS,
    Header,
    Known,
    Quote,
    Snapshot,
    Trade,
    slow_frame,
    slow_snapshot,
    slow_trades,
)
from gateway.text import read_levels, units

_ENVELOPE = b'{"stream":"'
_DATA = b'","data":{'
_STREAM_NAME_MAX = 100  # the envelope's length; a longer one is read slowly
_diff = re.compile(rb'(?:\{"stream":"[0-9a-z_]{1,40}@depth(?:@[0-9]{1,4}ms)?","data":)?(?=\{"e":"depthUpdate",)').match
"""Whatever stands before a diff's object: books of 5, 10 or 20 levels are called depthUpdate too, on other streams."""
_MIDDLE = b'],"a":['
_SNAPSHOT_MIDDLE = b'],"asks":['

Sides = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


class _QuoteIn(msgspec.Struct, gc=False):
    data: Quote


class _TradeIn(msgspec.Struct, gc=False):
    data: Trade


_header = msgspec.json.Decoder(Header).decode
_snapshot = msgspec.json.Decoder(Snapshot).decode
_quote = msgspec.json.Decoder(Quote).decode
_quote_in = msgspec.json.Decoder(_QuoteIn).decode
_trade = msgspec.json.Decoder(Trade).decode
_trade_in = msgspec.json.Decoder(_TradeIn).decode


class BinanceUsdmCodec:
    """A MarketCodec. Reads `/stream` (enveloped) and `/ws` (raw) frames alike; keeps nothing between frames but scales."""

    def __init__(self) -> None:
        self._known: dict[str, Scales] = {}  # those that are not FIRST

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self._known.pop(venue_symbol, None)
        if scales != FIRST:
            self._known[venue_symbol] = scales

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        """Return what one frame says; Notice for an event nobody trades on, Garbage for what cannot be read."""
        start = 1
        if payload.startswith(_ENVELOPE):
            start = payload.find(_DATA, 11, _STREAM_NAME_MAX) + 10
        try:
            if payload.startswith(b'"e":"depthUpdate",', start):
                return _fast_depth(payload, self._known) or slow_frame(payload, self._known)
            if payload.startswith(b'"e":"bookTicker",', start):
                quote = _quote(payload) if start == 1 else _quote_in(payload).data
                return _fast_quote(quote, self._known)
            if payload.startswith((b'"e":"aggTrade",', b'"e":"trade",'), start):
                trade = _trade(payload) if start == 1 else _trade_in(payload).data
                return _fast_trade(trade, self._known) or slow_frame(payload, self._known)
        except (ValueError, RecursionError):  # a DecodeError and a BadDecimal are ValueErrors
            return slow_frame(payload, self._known)
        return slow_frame(payload, self._known)

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        scales = self._known.get(venue_symbol, FIRST)
        return _fast_snapshot(payload, scales) or slow_snapshot(payload, scales)

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        return slow_trades(payload, venue_symbol, self._known.get(venue_symbol, FIRST))


def _fast_depth(payload: bytes, known: Known) -> DepthDiff | None:
    """Return the diff, or None when the bytes are not exactly the venue's usual ones."""
    found = _diff(payload)
    if found is None:
        return None
    start = found.end()
    cut = payload.find(b',"b":[', start)
    end = len(payload) - (3 if start else 2)
    if cut < 0 or payload[end:] != (b"]}}" if start else b"]}"):
        return None
    header = _header(payload[start:cut] + b"}")
    sides = _sides(payload, cut + 6, _MIDDLE, end, known.get(header.s, FIRST))
    if sides is None or header.u < header.U:
        return None
    return DepthDiff(header.s, header.U, header.u, header.E * MS_NS, *sides, header.pu)


def _fast_quote(quote: Quote, known: Known) -> QuoteEvent:
    """Raises BadDecimal."""
    price, quantity = known.get(quote.s, FIRST)
    bid, ask = units(quote.b, price), units(quote.a, price)
    sizes = units(quote.B, quantity), units(quote.A, quantity)
    return QuoteEvent(quote.s, quote.u, bid, sizes[0], ask, sizes[1], quote.E * MS_NS)


def _fast_trade(trade: Trade, known: Known) -> TradeEvent | None:
    """None when it bears no number. Raises BadDecimal."""
    number = max(trade.a, trade.t)
    if number < 0:
        return None
    price_scale, quantity_scale = known.get(trade.s, FIRST)
    price, quantity = units(trade.p, price_scale), units(trade.q, quantity_scale)
    return TradeEvent(trade.s, number, trade.T * MS_NS, price, quantity, Side.SELL if trade.m else Side.BUY)


def _fast_snapshot(payload: bytes, scales: Scales) -> DepthBody | None:
    cut = payload.find(b',"bids":[')
    if cut < 0 or payload[-2:] != b"]}":
        return None
    sides = _sides(payload, cut + 9, _SNAPSHOT_MIDDLE, len(payload) - 2, scales)
    if sides is None:
        return None
    try:
        return DepthBody(_snapshot(payload[:cut] + b"}").lastUpdateId, *sides)
    except (ValueError, RecursionError):
        return None


def _sides(payload: bytes, begin: int, middle: bytes, end: int, scales: Scales) -> Sides | None:
    """Return both sides' prices and quantities; None when what stands from `begin` to `end` is not exactly their rows."""
    at = payload.find(middle, begin)
    if at < 0:
        return None
    bids, asks = read_levels(payload[begin:at], 2, scales), read_levels(payload[at + len(middle) : end], 2, scales)
    return None if bids is None or asks is None else (*bids, *asks)
