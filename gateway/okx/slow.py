"""OKX v5 on the slow route: any JSON, exact text, a named field when it cannot be read. Pure.

Also the only place that makes Notice, Garbage, Finer, Closing and SubscriptionRefused, and that reads everything but books.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

import msgspec

from bus.messages import Side
from bus.messages.feed import (
    NO_CHECKSUM,
    UNNUMBERED,
    Batch,
    Closing,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Finer,
    FundingEvent,
    Garbage,
    MarkEvent,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.text import DETAIL_MAX, BadDecimal, TooFine, excerpt, units

SCALE_MAX = 18  # decimals that a scale grows to: 10^18 still fits 64 bits. A text with more is no price.
MS_NS = 1_000_000
RATE_SCALE = 12  # of FundingEvent.rate
RATE_MAX = 100  # per cent of the position's value, either way; a rate beyond it is garbage (chosen)
CLOSING_SOON = "64008"  # "the connection will soon be closed for a service upgrade" (docs, "Notification")
SIDES = {"buy": Side.BUY, "sell": Side.SELL}

Millis = Annotated[int, msgspec.Meta(ge=0, le=(2**63 - 1) // MS_NS)]
"""A time in ms since 1970 that still fits 64 bits in ns."""
SeqId = Annotated[int, msgspec.Meta(ge=UNNUMBERED, le=2**63 - 1)]
"""-1 before a snapshot."""
Checksum = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 32)]
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Rows = list[list[object]]
"""Levels: price, quantity, and what stands behind them."""

_named = re.compile(rb'"instId"\s*:\s*"([^"\\]{1,64})"').search
"""The first symbol of bytes that are no JSON (a message cut in the middle): its book has lost an update."""
_is_books = re.compile(rb'"channel"\s*:\s*"books"').search
_refused = re.compile(r"instId:([A-Z0-9-]{1,64})").search
"""What an error's text says of the instrument: "channel:books,instId:BTC-XXX doesn't exist" (docs, code 60018)."""


class _Arg(msgspec.Struct):
    channel: str = ""
    instId: str = ""


class _Frame(msgspec.Struct):
    arg: _Arg = msgspec.field(default_factory=_Arg)
    action: str = ""
    event: str = ""
    code: str = ""
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Books(msgspec.Struct):
    asks: _Rows
    bids: _Rows
    ts: Millis
    checksum: Checksum | None = 0
    seqId: SeqId = UNNUMBERED
    prevSeqId: SeqId = UNNUMBERED


class _Quote(msgspec.Struct):
    asks: _Rows
    bids: _Rows
    ts: Millis


class _Trade(msgspec.Struct):
    instId: str
    tradeId: _Id
    px: str
    sz: str
    side: str
    ts: Millis


class _Mark(msgspec.Struct):
    instId: str
    markPx: str
    ts: Millis


class _Funding(msgspec.Struct):
    instId: str
    fundingRate: str
    fundingTime: Millis
    ts: Millis = 0


_frame = msgspec.json.Decoder(_Frame).decode
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_RowT = TypeVar("_RowT", _Books, _Quote, _Trade, _Mark, _Funding)
_Sides = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def slow_frame(payload: bytes, scales: Mapping[str, Scales]) -> FeedEvent | Batch:
    """Return what the frame says, whatever it is. Never raises. scales: by symbol, where they are not Scales()."""
    if payload == b"pong":
        return Notice("pong", "")
    try:
        frame = _frame(payload)
    except (ValueError, RecursionError) as error:
        return Garbage(f"frame: {error}", _lost_book(payload))
    if frame.event:
        return _event(frame, payload)
    reader = _READERS.get(frame.arg.channel)
    if reader is None:
        return Notice(frame.arg.channel[:DETAIL_MAX] or "unknown", excerpt(payload))
    try:
        rows = _rows(frame.data)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{frame.arg.channel}: data: {error}", _lost_book(payload))
    if not rows:
        return Notice(frame.arg.channel, excerpt(payload))
    events = tuple([_read(reader, bytes(row), frame, scales) for row in rows])
    if len(events) == 1:
        return events[0]
    return next((event for event in events if isinstance(event, Finer)), None) or Batch(events)


def checksum_of(told: int | None) -> int:
    """Unsigned; 0 and null are none (docs: the field remains, its value is fixed to 0)."""
    return told & 0xFFFFFFFF if told else NO_CHECKSUM


_Reader = Callable[[bytes, _Frame, Mapping[str, Scales]], FeedEvent]


def _read(reader: _Reader, row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    channel = frame.arg.channel
    try:
        return reader(row, frame, scales)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{channel}: {error}", frame.arg.instId if channel == "books" else "")


def _books(row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    books, symbol = _convert(row, _Books), frame.arg.instId
    if frame.action not in ("snapshot", "update"):
        raise BadDecimal(f"action: {frame.action[:64]!r} is none that is known")
    if books.seqId < 0 <= books.prevSeqId:
        raise BadDecimal(f"seqId: is missing behind prevSeqId {books.prevSeqId}")
    sides = _sides(symbol, books.bids, books.asks, scales)
    if isinstance(sides, Finer):
        return sides
    checksum, venue_ns = checksum_of(books.checksum), books.ts * MS_NS
    if frame.action == "snapshot":
        return DepthReset(symbol, venue_ns, DepthBody(books.seqId, *sides), checksum)
    return DepthDiff(symbol, books.seqId, books.seqId, venue_ns, *sides, books.prevSeqId, checksum)


def _quote(row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    """last: that a seqId of this channel means the book's is nowhere said. An empty side is 0 and 0."""
    quote, symbol = _convert(row, _Quote), frame.arg.instId
    sides = _sides(symbol, quote.bids[:1], quote.asks[:1], scales)
    if isinstance(sides, Finer):
        return sides
    bid, bid_quantity, ask, ask_quantity = (side[0] if side else 0 for side in sides)
    return QuoteEvent(symbol, UNNUMBERED, bid, bid_quantity, ask, ask_quantity, quote.ts * MS_NS)


def _trade(row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    trade = _convert(row, _Trade)
    if trade.side not in SIDES:
        raise BadDecimal(f"side: {trade.side[:64]!r} is none that is known")
    sides = _sides(trade.instId, [[trade.px, trade.sz]], [], scales)
    if isinstance(sides, Finer):
        return sides
    return TradeEvent(trade.instId, trade.tradeId, trade.ts * MS_NS, sides[0][0], sides[1][0], SIDES[trade.side])


def _mark(row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    mark = _convert(row, _Mark)
    sides = _sides(mark.instId, [[mark.markPx, "0"]], [], scales)
    if isinstance(sides, Finer):
        return sides
    return MarkEvent(mark.instId, mark.ts * MS_NS, sides[0][0])


def _funding(row: bytes, frame: _Frame, scales: Mapping[str, Scales]) -> FeedEvent:
    """The rate that is paid at fundingTime. It has 16 decimals, of which 12 are kept, rounded to the nearest."""
    funding = _convert(row, _Funding)
    try:
        rate = Decimal(funding.fundingRate[:DETAIL_MAX])
    except InvalidOperation:
        raise BadDecimal(f"fundingRate: {funding.fundingRate[:64]!r} is no decimal") from None
    if not rate.is_finite() or rate.copy_abs() > RATE_MAX:  # abs() rounds, and overflows
        raise BadDecimal(f"fundingRate: {funding.fundingRate[:64]!r} is no rate")
    venue_ns, next_ns = funding.ts * MS_NS, funding.fundingTime * MS_NS
    return FundingEvent(funding.instId, venue_ns, round(rate.scaleb(RATE_SCALE)), next_ns)


_READERS: dict[str, _Reader] = {
    "books": _books,
    "bbo-tbt": _quote,
    "trades": _trade,
    "mark-price": _mark,
    "funding-rate": _funding,
}


def _sides(symbol: str, bids: _Rows, asks: _Rows, scales: Mapping[str, Scales]) -> _Sides | Finer:
    """Prices and quantities of both sides, or what scales would hold them. Raises BadDecimal naming one."""
    known = scales.get(symbol, Scales())
    columns = [_column(side, rows, place) for side, rows in (("bids", bids), ("asks", asks)) for place in (0, 1)]
    try:
        bid_prices, bid_quantities, ask_prices, ask_quantities = [
            tuple([units(text, known[number % 2]) for text in texts]) for number, texts in enumerate(columns)
        ]
    except TooFine:
        shown = Scales(_needed(columns[::2], known.price), _needed(columns[1::2], known.quantity))
        if max(shown) > SCALE_MAX:
            raise BadDecimal(f"{symbol}: a figure of {max(shown)} decimals") from None
        return Finer(symbol, shown)
    except BadDecimal as error:
        raise BadDecimal(f"{symbol}: {str(error)[:64]!r} does not fit") from None
    return bid_prices, bid_quantities, ask_prices, ask_quantities


def _column(side: str, rows: _Rows, place: int) -> list[str]:
    """What stands behind price and quantity may change its type: nobody reads it."""
    texts = []
    for row in rows:
        text = row[place] if place < len(row) else None
        if not isinstance(text, str):
            raise BadDecimal(f"{side}: {str(row)[:64]} is no row of texts")
        texts.append(text)
    return texts


def _needed(columns: Sequence[list[str]], scale: int) -> int:
    """The scale that holds all of them, at least `scale`. Raises BadDecimal where one is no decimal at all."""
    for text in [text for texts in columns for text in texts]:
        try:
            units(text, scale)
        except TooFine as error:
            scale = error.decimals
    return scale


def _convert(row: bytes, kind: type[_RowT]) -> _RowT:
    return msgspec.json.decode(row, type=kind, strict=False)


def _event(frame: _Frame, payload: bytes) -> FeedEvent:
    """The answer to a request of ours, or the venue's word on the connection."""
    if frame.event == "notice" and frame.code == CLOSING_SOON:
        return Closing(frame.msg[:DETAIL_MAX])
    if frame.event == "error":
        named = _refused(frame.msg)
        symbol = frame.arg.instId or (named[1] if named else "")
        return SubscriptionRefused(symbol, f"{frame.code[:16]} {frame.msg[:DETAIL_MAX]}")
    return Notice(frame.event[:DETAIL_MAX], excerpt(payload))


def _lost_book(payload: bytes) -> str:
    found = _named(payload) if _is_books(payload) else None
    return found[1].decode("utf-8", "replace") if found else ""
