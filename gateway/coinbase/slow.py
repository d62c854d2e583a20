"""Every frame but a plain book's: other channels, and what is wrong with a book frame that cannot be read. Pure.

Also the only place that makes Notice and most Garbage. A number is passed on only when all that the frame may have said
of a book is known or named: a book message nobody can name stays a hole in the numbers, which costs every book of the
connection a snapshot, and no book its truth.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from bus.messages import Side
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    FeedEvent,
    Garbage,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.coinbase.book import BookEvent, BookOutcome, Product, Sequence, book_event, finer, merged
from gateway.text import DETAIL_MAX, TooFine, excerpt, read_exactly, stamp_ns

_SCALES = Scales()
_TRADE_ID_MAX = 2**63 - 1
_ID_DIGITS_MAX = 19


class _Envelope(msgspec.Struct, gc=False):
    """Of every frame. An error has no channel: {"type": "error", "message": ...}."""

    channel: str = ""
    type: str = ""
    message: str = ""
    reason: str = ""
    timestamp: str = ""
    sequence_num: Sequence | Literal[-2] = UNNUMBERED
    events: msgspec.Raw = msgspec.Raw(b"[]")


class _Named(msgspec.Struct):
    product_id: Product


class _Ticker(msgspec.Struct, gc=False):
    product_id: str
    best_bid: str = ""
    best_bid_quantity: str = ""
    best_ask: str = ""
    best_ask_quantity: str = ""


class _Tickers(msgspec.Struct, gc=False):
    tickers: list[_Ticker]


class _Trade(msgspec.Struct, gc=False):
    """side: the maker's (docs/venues/coinbase.md)."""

    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: Literal["BUY", "SELL"]


class _Trades(msgspec.Struct, gc=False):
    trades: list[_Trade]


_envelope = msgspec.json.Decoder(_Envelope).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_named = msgspec.json.Decoder(_Named).decode
_book_event = msgspec.json.Decoder(BookEvent).decode
_tickers = msgspec.json.Decoder(list[_Tickers]).decode
_trades = msgspec.json.Decoder(list[_Trades]).decode
_past = msgspec.json.Decoder(_Trades).decode


def slow_frame(payload: bytes, scales: Mapping[str, Scales]) -> FeedEvent | Batch:
    """Return what the frame says, whatever it is. Never raises."""
    try:
        frame = _envelope(payload)
    except (ValueError, RecursionError) as error:
        return Garbage(f"frame: {error}"[:DETAIL_MAX])
    if frame.type == "error":
        refused = SubscriptionRefused("", f"{frame.message} {frame.reason}".strip()[:DETAIL_MAX])
        return refused if frame.sequence_num == UNNUMBERED else Batch((refused,), frame.sequence_num)
    if not frame.channel:
        return Notice(frame.type[:DETAIL_MAX] or "unknown", excerpt(payload))
    if frame.sequence_num == UNNUMBERED:
        return Garbage(f"{frame.channel[:DETAIL_MAX]}: sequence_num is missing")
    try:
        events = _READERS[frame.channel](frame, scales) if frame.channel in _READERS else (_notice(frame, payload),)
    except _NobodysBookError as error:
        return Garbage(f"l2_data: {error}"[:DETAIL_MAX])
    except (ValueError, RecursionError) as error:
        events = (Garbage(f"{frame.channel}: {error}"[:DETAIL_MAX]),)
    return Batch(tuple(events), frame.sequence_num)


def slow_trades(payload: bytes, venue_symbol: str, scales: Mapping[str, Scales]) -> tuple[TradeEvent, ...] | Garbage:
    """Return the trades of /market/products/{id}/ticker, oldest first, or what cannot be read. Never raises."""
    try:
        trades = _oldest_first(_past(payload).trades, scales)
    except (ValueError, RecursionError) as error:
        return Garbage(f"past trades: {error}"[:DETAIL_MAX])
    read = tuple([trade for trade in trades if isinstance(trade, TradeEvent) and trade.venue_symbol == venue_symbol])
    return read if len(read) == len(trades) else Garbage("past trades: of another product, or too fine")


class _NobodysBookError(ValueError):
    """A book message was lost and nobody knows whose."""


def _read_book(frame: _Envelope, scales: Mapping[str, Scales]) -> tuple[FeedEvent, ...]:
    outcomes: list[BookOutcome] = []
    try:
        raws = _raws(frame.events)
    except ValueError as error:
        raise _NobodysBookError(str(error)) from None
    for raw in raws:
        try:
            event = _book_event(raw)
        except (ValueError, RecursionError) as error:
            outcomes.append(Garbage(f"l2_data: {error}"[:DETAIL_MAX], _whose(raw)))
        else:
            outcomes.append(
                book_event(event, frame.sequence_num, frame.timestamp, scales.get(event.product_id, _SCALES))
            )
    return merged(outcomes)


def _whose(raw: msgspec.Raw) -> str:
    try:
        return _named(raw).product_id
    except (ValueError, RecursionError) as error:
        raise _NobodysBookError(str(error)) from None


def _read_tickers(frame: _Envelope, scales: Mapping[str, Scales]) -> list[FeedEvent]:
    """The best prices at the last trade, so old when nobody trades; at no number of the book's."""
    venue_ns = stamp_ns(frame.timestamp)
    found: list[FeedEvent] = []
    for event in _tickers(frame.events):
        for ticker in event.tickers:
            texts = [ticker.best_bid, ticker.best_bid_quantity, ticker.best_ask, ticker.best_ask_quantity]
            if not all(texts):
                found.append(Notice("ticker", f"{ticker.product_id} without best prices"[:DETAIL_MAX]))
                continue
            own = scales.get(ticker.product_id, _SCALES)
            try:
                (bid, ask), (bid_quantity, ask_quantity) = read_exactly(texts, own)
            except TooFine:
                found.append(finer("ticker", ticker.product_id, texts, own))
            else:
                quote = (bid, bid_quantity, ask, ask_quantity)
                found.append(QuoteEvent(ticker.product_id, UNNUMBERED, *quote, venue_ns))
    return found


def _read_trades(frame: _Envelope, scales: Mapping[str, Scales]) -> list[FeedEvent]:
    """After subscribing also past ones (`snapshot`): whoever knows the last id sees which are news."""
    return _oldest_first([trade for event in _trades(frame.events) for trade in event.trades], scales)


def _oldest_first(trades: Iterable[_Trade], scales: Mapping[str, Scales]) -> list[FeedEvent]:
    """The venue sends the newest first. Raises ValueError."""
    return [_trade(trade, number, scales) for number, trade in sorted(_numbered(trades), key=lambda item: item[0])]


def _numbered(trades: Iterable[_Trade]) -> Iterable[tuple[int, _Trade]]:
    for trade in trades:
        text = trade.trade_id
        if not (text.isdigit() and text.isascii() and len(text) <= _ID_DIGITS_MAX and int(text) <= _TRADE_ID_MAX):
            raise ValueError(f"trade_id is {text[:40]!r}")
        yield int(text), trade


def _trade(trade: _Trade, number: int, scales: Mapping[str, Scales]) -> FeedEvent:
    own = scales.get(trade.product_id, _SCALES)
    texts = [trade.price, trade.size]
    try:
        (price,), (quantity,) = read_exactly(texts, own)
    except TooFine:
        return finer("market_trades", trade.product_id, texts, own)
    aggressor = Side.SELL if trade.side == "BUY" else Side.BUY
    return TradeEvent(trade.product_id, number, stamp_ns(trade.time), price, quantity, aggressor)


def _notice(frame: _Envelope, payload: bytes) -> FeedEvent:
    return Notice(frame.channel[:DETAIL_MAX], excerpt(payload))


_READERS = {
    "l2_data": _read_book,
    "market_trades": _read_trades,
    "ticker": _read_tickers,
    "ticker_batch": _read_tickers,
}
