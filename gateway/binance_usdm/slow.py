"""Market data on the slow route: any JSON, exact text in any scales, a named field when it cannot be read. Pure.

Also the only place that makes anything but diffs, quotes and trades: marks and funding come once a second.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from bus.messages import Side
from bus.messages.feed import (
    Batch,
    Closing,
    DepthBody,
    DepthDiff,
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
from gateway.text import DETAIL_MAX, FAST_SCALE, BadDecimal, Figures, excerpt, units

DECIMALS_MAX = 8  # exchangeInfo: baseAssetPrecision and quotePrecision are 8 for all 122 symbols (recording of 2021)
RATE_SCALE = 12  # of FundingEvent.rate; the venue writes eight
FIRST = Scales(FAST_SCALE, FAST_SCALE)
MS_NS = 1_000_000

Id = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=(2**63 - 1) // MS_NS)]
Known = Mapping[str, Scales]
"""By venue symbol, where they are not FIRST."""
NONE: Known = {}

_symbol_field = re.compile(rb'"s":"([0-9A-Za-z_.-]{1,40})"').search
_stream_field = re.compile(rb'"stream":"([0-9A-Za-z_.-]{1,40})@').search


class Header(msgspec.Struct, gc=False):
    """A diff without its levels. E: when it was sent; T, when the matching engine made it, is not read."""

    E: Millis
    s: str
    U: Id
    u: Id
    pu: Id


class _Depth(Header):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class Quote(msgspec.Struct, gc=False):
    u: Id
    s: str
    b: str
    B: str
    a: str
    A: str
    E: Millis = 0


class Trade(msgspec.Struct, gc=False):
    """Of `aggTrade` the number is `a`, of `trade` it is `t`. m: the buyer was the maker."""

    s: str
    p: str
    q: str
    T: Millis
    m: bool
    a: Id = -1
    t: Id = -1


class _Mark(msgspec.Struct):
    """r: "" of a contract that pays no funding."""

    E: Millis
    s: str
    p: str
    i: str = ""
    r: str = ""
    T: Millis = 0


class _PastTrade(msgspec.Struct):
    a: Id
    p: str
    q: str
    T: Millis
    m: bool


class Snapshot(msgspec.Struct, gc=False):
    lastUpdateId: Id


class _Snapshot(Snapshot):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


def slow_frame(payload: bytes, known: Known = NONE) -> FeedEvent | Batch:
    """Return what the frame says, whatever it is. Never raises."""
    try:
        frame = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return Garbage(f"not JSON: {error}", _symbol_in(payload))
    if not isinstance(frame, dict):
        return Notice(type(frame).__name__, excerpt(payload))
    data = frame["data"] if "stream" in frame and "data" in frame else frame
    if not isinstance(data, dict):
        return Notice(str(frame["stream"])[:DETAIL_MAX] if data is not frame else "unknown", excerpt(payload))
    name = data.get("e")
    try:
        if name == "depthUpdate":
            if data is not frame and not _is_diff_stream(str(frame["stream"])):
                return Notice("partial depth", excerpt(payload))
            return _depth(msgspec.convert(data, _Depth), known)
        if name == "bookTicker":
            return quote_event(msgspec.convert(data, Quote), known)
        if name in ("aggTrade", "trade"):
            return trade_event(msgspec.convert(data, Trade), known)
        if name == "markPriceUpdate":
            return _mark(msgspec.convert(data, _Mark), known)
    except (msgspec.ValidationError, BadDecimal) as error:
        return Garbage(f"{name}: {error}", _symbol_in(payload))
    return _other(name, data, payload)


def _is_diff_stream(name: str) -> bool:
    """Whether a depthUpdate of this stream is a diff: books of 5, 10 or 20 levels and RPI books bear that name too."""
    channel = name.partition("@")[2]
    return channel == "depth" or channel.startswith("depth@")


def slow_snapshot(payload: bytes, scales: Scales = FIRST) -> DepthBody | Garbage:
    """Return the depth snapshot, or which field of it cannot be read. Never raises."""
    figures = Figures(scales, DECIMALS_MAX)
    try:
        body = msgspec.json.decode(payload, type=_Snapshot)
        sides = (*figures.levels("bids", body.bids), *figures.levels("asks", body.asks))
    except (ValueError, RecursionError) as error:  # a BadDecimal is a ValueError
        return Garbage(f"depth snapshot: {error}")
    return Garbage(f"depth snapshot: {figures.too_fine}") if figures.too_fine else DepthBody(body.lastUpdateId, *sides)


def slow_trades(payload: bytes, venue_symbol: str, scales: Scales) -> tuple[TradeEvent, ...] | Garbage:
    """Return the trades of aggTrades, oldest first, or which field cannot be read. Never raises."""
    figures = Figures(scales, DECIMALS_MAX)
    try:
        rows = msgspec.json.decode(payload, type=list[_PastTrade])
        trades = tuple(
            TradeEvent(
                venue_symbol,
                row.a,
                row.T * MS_NS,
                figures.price("p", row.p),
                figures.quantity("q", row.q),
                Side.SELL if row.m else Side.BUY,
            )
            for row in rows
        )
    except (ValueError, RecursionError) as error:
        return Garbage(f"aggTrades: {error}", venue_symbol)
    return Garbage(f"aggTrades: {figures.too_fine}", venue_symbol) if figures.too_fine else trades


def quote_event(quote: Quote, known: Known) -> QuoteEvent | Finer:
    """Return the quote. Raises BadDecimal."""
    figures = Figures(known.get(quote.s, FIRST), DECIMALS_MAX)
    bid, ask = figures.price("b", quote.b), figures.price("a", quote.a)
    sizes = figures.quantity("B", quote.B), figures.quantity("A", quote.A)
    event = QuoteEvent(quote.s, quote.u, bid, sizes[0], ask, sizes[1], quote.E * MS_NS)
    return figures.finer(quote.s) or event


def trade_event(trade: Trade, known: Known) -> TradeEvent | Finer | Garbage:
    """Return the trade; Garbage when it bears no number. Raises BadDecimal."""
    number = max(trade.a, trade.t)
    if number < 0:
        return Garbage("trade: neither a nor t", trade.s)
    figures = Figures(known.get(trade.s, FIRST), DECIMALS_MAX)
    price, quantity = figures.price("p", trade.p), figures.quantity("q", trade.q)
    side = Side.SELL if trade.m else Side.BUY
    return figures.finer(trade.s) or TradeEvent(trade.s, number, trade.T * MS_NS, price, quantity, side)


def _depth(depth: _Depth, known: Known) -> DepthDiff | Finer:
    """Raises BadDecimal."""
    if depth.u < depth.U:
        raise BadDecimal(f"U: {depth.U} is above u, {depth.u}: it ends before it begins")
    figures = Figures(known.get(depth.s, FIRST), DECIMALS_MAX)
    sides = (*figures.levels("b", depth.b), *figures.levels("a", depth.a))
    return figures.finer(depth.s) or DepthDiff(depth.s, depth.U, depth.u, depth.E * MS_NS, *sides, depth.pu)


def _mark(mark: _Mark, known: Known) -> Batch | Finer:
    figures = Figures(known.get(mark.s, FIRST), DECIMALS_MAX)
    at, price = mark.E * MS_NS, figures.price("p", mark.p)
    marked = MarkEvent(mark.s, at, price, figures.price("i", mark.i) if mark.i else 0)
    finer = figures.finer(mark.s)
    if finer:
        return finer
    if not mark.r:
        return Batch((marked,))
    return Batch((marked, FundingEvent(mark.s, at, _rate(mark.r), mark.T * MS_NS)))


def _rate(text: str) -> int:
    """Raises BadDecimal naming the field."""
    try:
        return -units(text[1:], RATE_SCALE) if text.startswith("-") else units(text, RATE_SCALE)
    except BadDecimal:
        raise BadDecimal(f"r: {text[:64]!r} is no decimal of at most {RATE_SCALE} places") from None


def _other(name: Any, data: dict[str, Any], payload: bytes) -> FeedEvent:
    """A frame without market data of ours."""
    if name == "serverShutdown":
        return Closing(excerpt(payload))
    if isinstance(name, str):
        return Notice(name[:DETAIL_MAX], excerpt(payload))
    if "error" in data or "code" in data:
        return SubscriptionRefused("", excerpt(payload))  # all that we ever ask for on this socket are streams
    return Notice("answer" if "id" in data else "unknown", excerpt(payload))


def _symbol_in(payload: bytes) -> str:
    """Whose frame it is, as far as its bytes tell; "" where they do not. Only of frames that cannot be read."""
    found = _symbol_field(payload) or _stream_field(payload)
    return found[1].decode().upper() if found else ""
