"""Kraken v2 market data: frames to values. Pure; keeps the instruments' scales, nothing of a frame. HOT PATH.

A book message is read on one of two routes with equal results. The fast one accepts exactly the bytes the venue writes:
fields in its order, every number at the instrument's full precision. Whatever is not exactly so goes to `slow`, which
reads any JSON, decides, and names the field at fault.

Fast: the rows `{"price":78858.8,"qty":0.34775324},...` become one flat JSON array `[78858.8e1,0.34775324e8,...]`, which
msgspec reads to integers in C. Exact: a text of as many decimals as its power of ten is an integer, a decimal literal is
read to the nearest double, and an integer below 2^53 is a double; values of 2^51 and more are refused. Sound: without
digits and dots the rows must be exactly rows; with all digits zero, every price must end in a dot and its scale's
zeros, every quantity too. A digit outside a number leaves a key where the array must have none, which is no JSON, or a
key that the tail must have and has not.
"""

from typing import Annotated, NamedTuple

import msgspec

from bus.messages.feed import Batch, DepthBody, DepthDiff, DepthReset, FeedEvent, Garbage, Scales, TradeEvent
from gateway.kraken.slow import US_NS, slow_frame
from gateway.text import stamp_ns

FIRST_SCALES = Scales(0, 0)
"""Until told: any book then shows its own precision, as Finer. Its text's precision is what the checksum is made of."""
FAST_ROWS_MAX = 1_000  # a side; the deepest book there is

_Unit = Annotated[int, msgspec.Meta(ge=0, lt=1 << 51)]
_Checksum = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]

_UPDATE = b'{"channel":"book","type":"update","data":[{"symbol":"'
_SNAPSHOT = b'{"channel":"book","type":"snapshot","data":[{"symbol":"'
_BIDS = b'","bids":['
_ASKS = b'],"asks":['
_CHECKSUM = b'],"checksum":'
_TAIL = b',"checksum":,"timestamp":"--T::.Z"}]}'
_SYMBOL_MAX = 64  # bytes; a longer name is read slowly
_DIGITS = b"0123456789"
_NOISE = b"0123456789."
_ZEROS = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_ROW = b'{"price":,"qty":},'
_ROWS = _ROW * FAST_ROWS_MAX


class _Book(msgspec.Struct, gc=False):
    v: tuple[_Unit, ...]
    checksum: _Checksum
    timestamp: str


_book = msgspec.json.Decoder(_Book, strict=False).decode


class _Precision(NamedTuple):
    """How one instrument's numbers are written. *_end: a row's price and quantity when every digit is zero."""

    venue_symbol: str
    price_end: bytes
    quantity_end: bytes
    price_power: bytes
    quantity_power: bytes
    last_power: bytes


class KrakenCodec:
    """A MarketCodec."""

    def __init__(self) -> None:
        self._scales: dict[str, Scales] = {}
        self._precisions: dict[bytes, _Precision] = {}

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        """Return what one frame says; Notice for what nobody trades on, Garbage for what cannot be read."""
        if payload.startswith(_UPDATE):
            return self._fast_book(payload, len(_UPDATE), False) or slow_frame(payload, self._scales)
        if payload.startswith(_SNAPSHOT):
            return self._fast_book(payload, len(_SNAPSHOT), True) or slow_frame(payload, self._scales)
        return slow_frame(payload, self._scales)

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        """Never asked: books begin on the stream, and a REST one bears no stamp to join it at."""
        return Garbage("this venue's books come on the stream", venue_symbol)

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        """Never asked: past trades are found by time, not by id."""
        return Garbage("this venue's past trades are not asked for", venue_symbol)

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self._scales[venue_symbol] = scales
        price, quantity = scales
        self._precisions[venue_symbol.encode()] = _Precision(
            venue_symbol,
            b"." + b"0" * price + b',"qty"',
            b"." + b"0" * quantity + b"}",
            b"e%d," % price,
            b"e%d," % quantity,
            b"e%d" % quantity,
        )

    def _fast_book(self, payload: bytes, start: int, whole: bool) -> DepthDiff | DepthReset | None:
        """Return the book message, or None when the bytes are not exactly the venue's usual ones."""
        cut = payload.find(_BIDS, start, start + _SYMBOL_MAX)
        precision = self._precisions.get(payload[start:cut])
        if cut < 0 or precision is None:
            return None
        middle = payload.find(_ASKS, cut + 10)
        end = payload.find(_CHECKSUM, middle + 10)
        tail = payload[end + 1 :]
        if middle < 0 or end < 0 or tail.translate(None, _DIGITS) != _TAIL:
            return None
        bids = _flat(payload[cut + 10 : middle], precision)
        asks = _flat(payload[middle + 10 : end], precision)
        if bids is None or asks is None:
            return None
        numbers = bids + b"," + asks if bids and asks else bids + asks
        try:
            book = _book(b'{"v":[' + numbers + b"]" + tail[:-2])
            last = stamp_ns(book.timestamp) // US_NS
        except ValueError:
            return None
        values = book.v
        split = bids.count(b",") + 1 if bids else 0
        sides = (values[:split:2], values[1:split:2], values[split::2], values[split + 1 :: 2])
        if whole:
            return DepthReset(precision.venue_symbol, last * US_NS, DepthBody(last, *sides), book.checksum)
        return DepthDiff(precision.venue_symbol, last, last, last * US_NS, *sides, checksum=book.checksum)


def _flat(rows: bytes, precision: _Precision) -> bytes | None:
    """Return the rows' numbers, each with its power of ten, parted by commas; None: not exactly rows of that precision."""
    if not rows:
        return b""
    shape = rows.translate(None, _NOISE)
    count = (len(shape) + 1) // len(_ROW)
    zeros = rows.translate(_ZEROS)
    if (
        (len(shape) + 1) % len(_ROW)
        or not _ROWS.startswith(shape)
        or zeros.count(precision.price_end) != count
        or zeros.count(precision.quantity_end) != count
        or not rows.startswith(b'{"price":')
        or rows[-1:] != b"}"
    ):
        return None
    flat = rows[9:-1].replace(b',"qty":', precision.price_power)
    return flat.replace(b'},{"price":', precision.quantity_power) + precision.last_power
