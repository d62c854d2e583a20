"""Kraken v2 on the slow route: any JSON, exact text, a named field when it cannot be read. Pure.

Also the only place that makes Notice, Garbage, Finer and SubscriptionRefused, and that reads trades and best quotes.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from bus.messages import Side
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Finer,
    Garbage,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.kraken.numbers import plain_text
from gateway.text import DETAIL_MAX, BadDecimal, BadStamp, TooFine, decimals_of, excerpt, stamp_ns, units

US_NS = 1_000
SCALE_MAX = 18  # decimals that a scale grows to: 10^18 still fits 64 bits. A number with more is no price.
SIDES = {"buy": Side.BUY, "sell": Side.SELL}

_Checksum = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_named = re.compile(rb'"symbol"\s*:\s*"([^"\\]{1,64})"').search
"""The first symbol of bytes that are no JSON (a message cut in the middle): its book has lost an update."""
_is_book = re.compile(rb'"channel"\s*:\s*"book"').search


class _Frame(msgspec.Struct):
    channel: str = ""
    type: str = ""
    method: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Level(msgspec.Struct):
    price: msgspec.Raw
    qty: msgspec.Raw


class _Book(msgspec.Struct):
    symbol: str
    checksum: _Checksum
    bids: list[_Level] = []
    asks: list[_Level] = []
    timestamp: str | None = None


class _Trade(msgspec.Struct):
    symbol: str
    side: str
    price: msgspec.Raw
    qty: msgspec.Raw
    trade_id: _Id
    timestamp: str


class _Ticker(msgspec.Struct):
    symbol: str
    bid: msgspec.Raw
    bid_qty: msgspec.Raw
    ask: msgspec.Raw
    ask_qty: msgspec.Raw
    timestamp: str | None = None


_frame = msgspec.json.Decoder(_Frame).decode
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_RowT = TypeVar("_RowT", _Book, _Trade, _Ticker)
_SCALES = Scales(0, 0)


def slow_frame(payload: bytes, scales: Mapping[str, Scales]) -> FeedEvent | Batch:
    """Return what the frame says, whatever it is. Never raises. scales: by symbol, as far as they were told."""
    try:
        frame = _frame(payload)
    except (ValueError, RecursionError) as error:
        return Garbage(f"frame: {error}", _lost_book(payload))
    reader = _READERS.get(frame.channel)
    if reader is None:
        return _other(frame, payload)
    try:
        rows = _rows(frame.data)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{frame.channel}: data: {error}", _lost_book(payload))
    if not rows:
        return Notice(frame.channel, excerpt(payload))
    events = tuple([reader(bytes(row), frame.type, scales) for row in rows])
    if len(events) == 1:
        return events[0]
    return next((event for event in events if isinstance(event, Finer)), None) or Batch(events)


def _book(row: bytes, kind: str, scales: Mapping[str, Scales]) -> FeedEvent:
    try:
        book = _convert(row, _Book)
        if kind not in ("snapshot", "update"):
            return Garbage(f"book: type: {kind[:64]!r} is none that is known", book.symbol)
        last = _stamp_us(book.timestamp)
        if kind == "update" and book.timestamp is None:
            return Garbage("book: timestamp: an update without one", book.symbol)
        bid_prices, bid_quantities = _texts("bids", book.bids)
        ask_prices, ask_quantities = _texts("asks", book.asks)
        known = scales.get(book.symbol, _SCALES)
        shown = Scales(_decimals(bid_prices, ask_prices), _decimals(bid_quantities, ask_quantities))
        if shown.price > known.price or shown.quantity > known.quantity:
            return _finer(book.symbol, known, shown)
        sides = (
            _units("bids.price", bid_prices, known.price),
            _units("bids.qty", bid_quantities, known.quantity),
            _units("asks.price", ask_prices, known.price),
            _units("asks.qty", ask_quantities, known.quantity),
        )
    except (ValueError, RecursionError) as error:
        return Garbage(f"book: {error}", _symbol_of(row))
    if kind == "snapshot":
        return DepthReset(book.symbol, last * US_NS, DepthBody(last, *sides), book.checksum)
    return DepthDiff(book.symbol, last, last, last * US_NS, *sides, checksum=book.checksum)


def _trade(row: bytes, kind: str, scales: Mapping[str, Scales]) -> FeedEvent:
    try:
        trade = _convert(row, _Trade)
        if trade.side not in SIDES:
            return Garbage(f"trade: side: {trade.side[:64]!r} is none that is known")
        venue_ns = _stamp_us(trade.timestamp) * US_NS
        figures = _figures(trade.symbol, scales, price=trade.price, qty=trade.qty)
    except (ValueError, RecursionError) as error:
        return Garbage(f"trade: {error}")
    if isinstance(figures, Finer):
        return figures
    price, quantity = figures
    return TradeEvent(trade.symbol, trade.trade_id, venue_ns, price, quantity, SIDES[trade.side])


def _quote(row: bytes, kind: str, scales: Mapping[str, Scales]) -> FeedEvent:
    """The ticker's best bid and ask. last: the venue numbers neither book nor ticker."""
    try:
        tick = _convert(row, _Ticker)
        venue_ns = _stamp_us(tick.timestamp) * US_NS
        told = {"bid": tick.bid, "bid_qty": tick.bid_qty, "ask": tick.ask, "ask_qty": tick.ask_qty}
        figures = _figures(tick.symbol, scales, **told)
    except (ValueError, RecursionError) as error:
        return Garbage(f"ticker: {error}")
    if isinstance(figures, Finer):
        return figures
    bid, bid_quantity, ask, ask_quantity = figures
    return QuoteEvent(tick.symbol, UNNUMBERED, bid, bid_quantity, ask, ask_quantity, venue_ns)


_READERS = {"book": _book, "trade": _trade, "ticker": _quote}


def _figures(symbol: str, scales: Mapping[str, Scales], **tokens: msgspec.Raw) -> tuple[int, ...] | Finer:
    """Return the figures in order, those named `*qty` in the quantity's scale. Raises BadDecimal naming one.

    Too fine is Finer only until scales are told: after that they are the book's own precision, which its checksum is made
    of, and no trade may spoil it.
    """
    known = scales.get(symbol, _SCALES)
    texts = {name: _plain(name, token) for name, token in tokens.items()}
    try:
        return tuple([units(text, known[name.endswith("qty")]) for name, text in texts.items()])
    except TooFine as error:
        if symbol in scales:
            raise BadDecimal(f"{error} is finer than the book of {symbol}") from None
        shown = [
            _decimals([text for name, text in texts.items() if name.endswith("qty") == wanted])
            for wanted in (False, True)
        ]
        return _finer(symbol, known, Scales(*shown))
    except BadDecimal as error:
        raise BadDecimal(f"{error} of {symbol} does not fit") from None


def _stamp_us(text: str | None) -> int:
    """Return us since 1970; 0 for none, as snapshots and tickers came in 2023. Raises BadStamp naming the field."""
    if text is None:
        return 0
    try:
        return stamp_ns(text) // US_NS
    except BadStamp:
        raise BadStamp(f"timestamp: {text[:64]!r} is none in UTC") from None


def _finer(symbol: str, known: Scales, shown: Scales) -> Finer:
    grown = Scales(max(known.price, shown.price), max(known.quantity, shown.quantity))
    if max(grown) > SCALE_MAX:
        raise BadDecimal(f"a number of {max(grown)} decimals")
    return Finer(symbol, grown)


def _texts(side: str, levels: list[_Level]) -> tuple[list[str], list[str]]:
    prices = [_plain(f"{side}.price", level.price) for level in levels]
    return prices, [_plain(f"{side}.qty", level.qty) for level in levels]


def _plain(field: str, token: msgspec.Raw) -> str:
    try:
        return plain_text(bytes(token))
    except BadDecimal as error:
        raise BadDecimal(f"{field}: {str(error)[:64]!r} is no plain number") from None


def _units(field: str, texts: list[str], scale: int) -> tuple[int, ...]:
    try:
        return tuple([units(text, scale) for text in texts])
    except BadDecimal as error:
        raise BadDecimal(f"{field}: {str(error)[:64]!r} does not fit") from None


def _decimals(*columns: list[str]) -> int:
    return max([decimals_of(text) for column in columns for text in column], default=0)


def _convert(row: bytes, kind: type[_RowT]) -> _RowT:
    return msgspec.json.decode(row, type=kind)


def _other(frame: _Frame, payload: bytes) -> FeedEvent:
    """The answer to a request of ours, a heartbeat, the venue's status, or a channel nobody asked for."""
    if frame.channel or not frame.method:
        return Notice(frame.channel[:DETAIL_MAX] or "unknown", excerpt(payload))
    try:
        answer: dict[str, Any] = msgspec.json.decode(payload)  # Any: JSON, of which three fields are looked at
    except (ValueError, RecursionError) as error:  # in a field that `_Frame` passes over unread
        return Garbage(f"{frame.method[:64]}: {error}")
    if answer.get("success") is not False or frame.method != "subscribe":
        return Notice(frame.method[:DETAIL_MAX], excerpt(payload))
    result = answer.get("result")
    symbol = answer.get("symbol") or (result.get("symbol") if isinstance(result, dict) else "")
    return SubscriptionRefused(symbol if isinstance(symbol, str) else "", str(answer.get("error", ""))[:DETAIL_MAX])


def _lost_book(payload: bytes) -> str:
    return _symbol_of(payload) if _is_book(payload) else ""


def _symbol_of(payload: bytes) -> str:
    found = _named(payload)
    return found[1].decode("utf-8", "replace") if found else ""
