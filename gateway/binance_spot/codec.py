"""Binance Spot market data: frames and depth snapshots to values. Pure. The hot path of the engine.

A depth diff is read on one of two routes with equal results. The fast one accepts exactly the bytes the venue writes:
fields in its order, one dot in every number, at most eight decimals, no blank, sign or exponent. That is proven, not
assumed: with all digits deleted the levels must equal a known text (`_BIDS`, `_ASKS`), every digit must stand inside
its quotes, and no dot may be followed by a ninth one. Whatever is not exactly so goes to `slow`, which reads any JSON, decides, and names the field at fault.

Fast: the levels become one flat JSON array `[2683.80000000e8,...]`, which msgspec reads to integers in C. Exact: at
most eight decimals times 10^8 is an integer, and an integer below 2^53 is a double; `_Unit` refuses 2^53 and more.
Frames of 10 / 30 / 100 levels, us, best of 60 interleaved rounds on a quiet 2-core x86 machine, Python 3.11 (medians
wander with the machine, the order does not):
this, sound, with its DepthDiff                               5.1 /  9.1 / 23
floats, then int(x * 1e8 + .5): takes nine decimals and "nan"  4.2 /  9.5 / 29
the same made sound (digits to zero, count `.00000000"`)       5.8 / 12.4 / 35
texts, then int(text.replace(".", "")): as unsound             5.5 / 12.9 / 40
the slow route                                                12.7 / 32.6 / 100
this, with quantities in five decimals (another day: 5.1 / 8.9 / 22 for the first row)  6.8 / 12.3 / 31
"""

import re
from typing import Annotated

import msgspec

from bus.messages import Side
from bus.messages.feed import DepthBody, DepthDiff, FeedEvent, Garbage, QuoteEvent, Scales, TradeEvent
from gateway.binance_spot.decimals import MS_NS, SCALE, Id, Millis, units
from gateway.binance_spot.slow import (
    FIRST,
    Quote,
    Trade,
    quote_event,
    slow_frame,
    slow_snapshot,
    slow_trades,
    trade_event,
)

FAST_LEVELS_MAX = 5000  # a side; the deepest snapshot the venue gives. More: the slow route reads it.

_Unit = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
_DIGITS = b"0123456789"
_NOISE = b"[]{}:abiksd"  # what is neither text nor comma after `,"b":[` of a diff and after `,"bids":[` of a snapshot
_BLANKS = bytes(0x20 if byte == 0x22 else byte for byte in range(256))
_BIDS = b',"b":[' + b'[".","."],' * FAST_LEVELS_MAX
_ASKS = b'],"a":[' + b'[".","."],' * FAST_LEVELS_MAX
_SNAPSHOT_BIDS = b',"bids":[' + b'[".","."],' * FAST_LEVELS_MAX
_SNAPSHOT_ASKS = b'],"asks":[' + b'[".","."],' * FAST_LEVELS_MAX
_ninth_decimal = re.compile(rb"(?s)\.........[^e]").search
"""Finds every dot followed by nine digits (and some shorter numbers, which the slow route then reads). 1.1 us in 60
numbers; `[0-9]` for `[^e]` takes 1.4, `[0-9]{9}` 1.6, mapping digits to zero and counting `.00000000"` 1.9."""
_ENVELOPE = b'{"stream":"'
_DATA = b'","data":{'
_STREAM_NAME_MAX = 100  # the envelope's length; a longer one is read slowly


class _Depth(msgspec.Struct, gc=False):
    E: Millis
    s: str
    U: Id
    u: Id
    v: tuple[_Unit, ...] = ()


class _Snapshot(msgspec.Struct, gc=False):
    lastUpdateId: Id
    v: tuple[_Unit, ...] = ()


class _QuoteIn(msgspec.Struct, gc=False):
    data: Quote


class _TradeIn(msgspec.Struct, gc=False):
    data: Trade


_depth = msgspec.json.Decoder(_Depth, strict=False).decode
_quote = msgspec.json.Decoder(Quote).decode
_quote_in = msgspec.json.Decoder(_QuoteIn).decode
_trade = msgspec.json.Decoder(Trade).decode
_trade_in = msgspec.json.Decoder(_TradeIn).decode
_snapshot = msgspec.json.Decoder(_Snapshot, strict=False).decode


class BinanceSpotCodec:
    """A MarketCodec. Reads `/stream` (enveloped) and `/ws` (raw) frames alike; keeps nothing between frames but scales."""

    def __init__(self) -> None:
        self._known: dict[str, Scales] = {}  # those that are not FIRST

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        """Prices in eight decimals and quantities in at most eight are read on the fast route, others on the slow one."""
        self._known.pop(venue_symbol, None)
        if scales != FIRST:
            self._known[venue_symbol] = scales

    def decode_frame(self, payload: bytes) -> FeedEvent:
        """Return what one frame says; Notice for an event nobody trades on, Garbage for what cannot be read."""
        start = 1
        if payload.startswith(_ENVELOPE):
            start = payload.find(_DATA, 11, _STREAM_NAME_MAX) + 10
        try:
            if payload.startswith(b'"e":"depthUpdate",', start):
                if self._known:
                    return self._scaled_depth(payload, start)
                return _fast_depth(payload, start - 1) or slow_frame(payload, self._known)
            if payload.startswith(b'"u":', start):
                quote = _quote(payload) if start == 1 else _quote_in(payload).data
                if quote.s in self._known:
                    return quote_event(quote, self._known)
                return QuoteEvent(quote.s, quote.u, units(quote.b), units(quote.B), units(quote.a), units(quote.A))
            if payload.startswith(b'"e":"trade",', start):
                trade = _trade(payload) if start == 1 else _trade_in(payload).data
                if trade.s in self._known:
                    return trade_event(trade, self._known)
                return TradeEvent(
                    trade.s,
                    trade.t,
                    trade.T * MS_NS,
                    units(trade.p),
                    units(trade.q),
                    Side.SELL if trade.m else Side.BUY,
                )
        except (ValueError, RecursionError):  # a DecodeError is a ValueError
            return slow_frame(payload, self._known)
        return slow_frame(payload, self._known)

    def _scaled_depth(self, payload: bytes, start: int) -> FeedEvent:
        """A diff while not all symbols are in FIRST. The symbol is guessed before it is read, and compared after."""
        at = payload.find(b'"s":"', start) + 5
        scales = self._known.get(payload[at : payload.find(b'"', at)].decode("utf-8", "replace"), FIRST)
        if scales.price == SCALE and 0 <= scales.quantity <= SCALE:
            diff = _fast_depth(payload, start - 1, scales.quantity)
            if diff is not None and self._known.get(diff.venue_symbol, FIRST) == scales:
                return diff
        return slow_frame(payload, self._known)

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        scales = self._known.get(venue_symbol, FIRST)
        if scales.price == SCALE and 0 <= scales.quantity <= SCALE:
            return _fast_snapshot(payload, scales.quantity) or slow_snapshot(payload, scales)
        return slow_snapshot(payload, scales)

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        return slow_trades(payload, venue_symbol, self._known.get(venue_symbol, FIRST))


def _fast_depth(payload: bytes, start: int, quantity_scale: int = SCALE) -> DepthDiff | None:
    """Return the diff whose object opens at `start`, or None when the bytes are not exactly the venue's usual ones."""
    cut = payload.find(b',"b":[', start)
    shape = payload[cut:].translate(None, _DIGITS)
    middle = shape.find(b'],"a":[')
    end = len(shape) - (3 if start else 2)
    bids, asks = middle - 5, end - middle - 6  # 1 for no level, else 10 a level
    if not (
        cut > 0
        and middle > 0
        and (bids == 1 or bids % 10 == 0)
        and (asks == 1 or asks % 10 == 0)
        and _BIDS.startswith(shape[:middle])
        and _ASKS.startswith(shape[middle:end])
        and shape[end:] == (b"]}}" if start else b"]}")
    ):
        return None
    tail = payload[cut + 6 :]
    flat = _flat(tail, bids > 1, asks > 1) if quantity_scale == SCALE else _scaled(tail, bids, asks, quantity_scale)
    if flat is None:
        return None
    try:
        depth = _depth(payload[start:cut] + flat)
    except ValueError:
        return None
    if depth.u < depth.U:
        return None
    values = depth.v
    split = bids // 10 * 2
    return DepthDiff(
        depth.s,
        depth.U,
        depth.u,
        depth.E * MS_NS,
        values[:split:2],
        values[1:split:2],
        values[split::2],
        values[split + 1 :: 2],
        depth.U - 1,
    )


def _flat(tail: bytes, has_bids: bool, has_asks: bool, quantity_exponent: bytes = b"e8") -> bytes | None:
    """Return `,"v":[...]}` of all numbers in `tail`, bids first; None if one has over eight decimals.

    Without the noise, and with blanks for quotes, `tail` is ` 1.0 , 2.0 ,   3.0 , 4.0 `; the longer blank is left of the
    key `a`. So a digit outside a text (which the shape cannot see) makes two numbers with only a blank between them:
    msgspec refuses that, and the ends are looked at here.
    """
    flat = tail.translate(_BLANKS, _NOISE)
    if has_bids:
        last = -1 if has_asks else -4
        if flat[last:] != (b" " if has_asks else b" ,  "):
            return None
        flat = flat[:last]
    elif has_asks:
        if not (flat.startswith(b",") and flat.endswith(b" ")):
            return None
        flat = flat[1:-1]
    else:
        return b"}" if flat == b",  " else None
    flat = flat.replace(b" , ", quantity_exponent + b",")  # of equal length: 0.9 us in 60 numbers; `b" ,"` takes 2.1
    if _ninth_decimal(flat):
        return None
    return b',"v":[' + flat + quantity_exponent + b"]}"


def _scaled(tail: bytes, bids: int, asks: int, quantity_scale: int) -> bytes | None:
    """As `_flat`, with quantities in a smaller scale; None if one of them does not end in the zeros that it leaves out.

    bids, asks: lengths of the sides' shapes, as their callers have them.
    """
    if tail.count(b"0" * (SCALE - quantity_scale) + b'"]') != bids // 10 + asks // 10:
        return None
    exponent = b"e%d" % quantity_scale
    marked = tail.replace(b'","', b"e8,").replace(b'"],["', exponent + b",")
    return _flat(marked, bids > 1, asks > 1, exponent)


def _fast_snapshot(payload: bytes, quantity_scale: int = SCALE) -> DepthBody | None:
    """As `_fast_depth`; the book's five thousand levels a side are read off the hot path, but in one go."""
    cut = payload.find(b',"bids":[')
    shape = payload[cut:].translate(None, _DIGITS)
    middle = shape.find(b'],"asks":[')
    end = len(shape) - 2
    bids, asks = middle - 8, end - middle - 9
    if not (
        cut > 0
        and middle > 0
        and (bids == 1 or bids % 10 == 0)
        and (asks == 1 or asks % 10 == 0)
        and _SNAPSHOT_BIDS.startswith(shape[:middle])
        and _SNAPSHOT_ASKS.startswith(shape[middle:end])
        and shape[end:] == b"]}"
    ):
        return None
    tail = payload[cut + 9 :]
    flat = _flat(tail, bids > 1, asks > 1) if quantity_scale == SCALE else _scaled(tail, bids, asks, quantity_scale)
    if flat is None:
        return None
    try:
        body = _snapshot(payload[:cut] + flat)
    except (ValueError, RecursionError):
        return None
    values = body.v
    split = bids // 10 * 2
    return DepthBody(body.lastUpdateId, values[:split:2], values[1:split:2], values[split::2], values[split + 1 :: 2])
