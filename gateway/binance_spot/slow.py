"""Market data on the slow route: any JSON, exact text, a named field when it cannot be read. Pure.

Also the only place that makes Notice and Garbage. Of 80,513 recorded frames (2021, 2024, 2026) it gets 20, all of
them Notices: every depth frame, quote and trade is read on the fast route.
"""

from typing import Any

import msgspec

from bus.messages import Side
from bus.messages.feed import DepthBody, DepthDiff, FeedEvent, Garbage, Notice, QuoteEvent, TradeEvent
from gateway.binance_spot.decimals import MS_NS, BadDecimal, Id, Millis, units

DETAIL_MAX = 200  # characters of a frame kept in a Notice or Garbage; the input log has all of it

_Levels = list[tuple[str, str]]


class _Depth(msgspec.Struct):
    E: Millis
    s: str
    U: Id
    u: Id
    b: _Levels
    a: _Levels


class Quote(msgspec.Struct, gc=False):
    u: Id
    s: str
    b: str
    B: str
    a: str
    A: str


class Trade(msgspec.Struct, gc=False):
    s: str
    t: Id
    p: str
    q: str
    T: Millis
    m: bool


class _PastTrade(msgspec.Struct):
    id: Id
    price: str
    qty: str
    time: Millis
    isBuyerMaker: bool


class _Snapshot(msgspec.Struct):
    lastUpdateId: Id
    bids: _Levels
    asks: _Levels


_QUOTE_FIELDS = frozenset(("u", "s", "b", "B", "a", "A"))


def slow_frame(payload: bytes) -> FeedEvent:
    """Return what the frame says, whatever it is. Never raises."""
    try:
        frame = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return Garbage(f"not JSON: {error}")
    if not isinstance(frame, dict):
        return Notice(type(frame).__name__, _excerpt(payload))
    data = frame["data"] if "stream" in frame and "data" in frame else frame
    if not isinstance(data, dict):
        return Notice(str(frame["stream"])[:DETAIL_MAX] if data is not frame else "unknown", _excerpt(payload))
    name = data.get("e")
    try:
        if name == "depthUpdate":
            return _depth(msgspec.convert(data, _Depth, strict=False))  # lax as the fast route: 7e9 is an id
        if name == "trade":
            return _trade(msgspec.convert(data, Trade))
        if name is None and data.keys() >= _QUOTE_FIELDS:
            return _quote(msgspec.convert(data, Quote))
    except (msgspec.ValidationError, BadDecimal) as error:
        return Garbage(f"{name or 'bookTicker'}: {error}")
    return Notice(_notice_kind(name, data), _excerpt(payload))


def slow_snapshot(payload: bytes) -> DepthBody | Garbage:
    """Return the depth snapshot, or which field of it cannot be read. Never raises."""
    try:
        body = msgspec.json.decode(payload, type=_Snapshot, strict=False)
        bid_prices, bid_quantities = _levels("bids", body.bids)
        ask_prices, ask_quantities = _levels("asks", body.asks)
    except (ValueError, BadDecimal, RecursionError) as error:
        return Garbage(f"depth snapshot: {error}")
    return DepthBody(body.lastUpdateId, bid_prices, bid_quantities, ask_prices, ask_quantities)


def slow_trades(payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
    """Return the trades of historicalTrades, oldest first, or which field cannot be read. Never raises."""
    try:
        rows = msgspec.json.decode(payload, type=list[_PastTrade], strict=False)
        return tuple(
            TradeEvent(
                venue_symbol,
                row.id,
                row.time * MS_NS,
                _named("price", row.price),
                _named("qty", row.qty),
                Side.SELL if row.isBuyerMaker else Side.BUY,
            )
            for row in rows
        )
    except (ValueError, BadDecimal, RecursionError) as error:
        return Garbage(f"historicalTrades: {error}")


def _depth(depth: _Depth) -> DepthDiff:
    bid_prices, bid_quantities = _levels("b", depth.b)
    ask_prices, ask_quantities = _levels("a", depth.a)
    levels = (bid_prices, bid_quantities, ask_prices, ask_quantities)
    return DepthDiff(depth.s, depth.U, depth.u, depth.E * MS_NS, *levels, depth.U - 1)


def _quote(quote: Quote) -> QuoteEvent:
    return QuoteEvent(
        quote.s,
        quote.u,
        _named("b", quote.b),
        _named("B", quote.B),
        _named("a", quote.a),
        _named("A", quote.A),
    )


def _trade(trade: Trade) -> TradeEvent:
    side = Side.SELL if trade.m else Side.BUY  # m: the buyer was the maker, so the seller took
    return TradeEvent(trade.s, trade.t, trade.T * MS_NS, _named("p", trade.p), _named("q", trade.q), side)


def _levels(side: str, levels: _Levels) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return prices and quantities. Raises BadDecimal naming side, level and which of the two."""
    try:
        return tuple([units(price) for price, _ in levels]), tuple([units(quantity) for _, quantity in levels])
    except BadDecimal:
        for rank, (price, quantity) in enumerate(levels):
            _named(f"{side}[{rank}].price", price)
            _named(f"{side}[{rank}].quantity", quantity)
        raise


def _named(field: str, text: str) -> int:
    try:
        return units(text)
    except BadDecimal:
        raise BadDecimal(f"{field}: {text[:64]!r} is no decimal of at most eight places") from None


def _notice_kind(name: Any, data: dict[str, Any]) -> str:
    """The event's name; a frame without one is the answer to a request of ours or something new."""
    if isinstance(name, str):
        return name[:DETAIL_MAX]
    if "error" in data or "code" in data:
        return "error"
    return "answer" if "id" in data else "unknown"


def _excerpt(payload: bytes) -> str:
    return payload[:DETAIL_MAX].decode("utf-8", "replace")
