"""Every frame but a plain book's: trades, tickers, answers, and any JSON at all, exactly, or a named field. Pure.

Also the only place that makes Notice and most Garbage.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from itertools import chain
from typing import Literal

import msgspec

from bus.messages import Side
from bus.messages.feed import (
    Batch,
    FeedEvent,
    Finer,
    FundingEvent,
    Garbage,
    MarkEvent,
    Notice,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.bybit.book import MS_NS, QUOTE_DEPTH, Id, Kind, Millis, book_event
from gateway.text import DETAIL_MAX, BadDecimal, TooFine, count_ns, excerpt, finer_scales, read_side, units

RATE_SCALE = 12  # of FundingEvent
ID_MAX = 2**63 - 1
_ID_DIGITS_MAX = 19
_SCALES = Scales()
_TOPIC_WITHIN = 400  # bytes from the beginning; the venue writes it first
_book_topic = re.compile(rb'"topic"\s*:\s*"orderbook\.([0-9]{1,4})\.([0-9A-Za-z_/-]{1,40})"').search


class _Envelope(msgspec.Struct, gc=False):
    topic: str = ""
    op: str = ""
    success: bool = True
    ret_msg: str = ""
    req_id: str = ""


class _BookData(msgspec.Struct, gc=False):
    s: str
    u: Id
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Book(msgspec.Struct, gc=False):
    type: Kind
    ts: Millis
    data: _BookData
    cts: Millis = 0


class _Trade(msgspec.Struct, gc=False):
    """S: the taker's side. BT: a block trade, agreed elsewhere and only reported."""

    T: Millis
    s: str
    S: Literal["Buy", "Sell"]
    v: str
    p: str
    i: str
    BT: bool = False


class _Trades(msgspec.Struct, gc=False):
    data: list[_Trade]


class _TickerData(msgspec.Struct, gc=False):
    """A delta omits what did not change; a dated contract has empty texts for its funding."""

    symbol: str
    markPrice: str = ""
    indexPrice: str = ""
    fundingRate: str = ""
    nextFundingTime: str = ""


class _Ticker(msgspec.Struct, gc=False):
    ts: Millis
    data: _TickerData


class _PastTrade(msgspec.Struct, gc=False):
    """As _Trade, in the words of REST; time: ms as text."""

    execId: str
    symbol: str
    price: str
    size: str
    side: Literal["Buy", "Sell"]
    time: str
    isBlockTrade: bool = False


class _PastPage(msgspec.Struct):
    list: list[_PastTrade]


class _Past(msgspec.Struct):
    retCode: int
    retMsg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


_envelope = msgspec.json.Decoder(_Envelope).decode
_book = msgspec.json.Decoder(_Book).decode
_trades = msgspec.json.Decoder(_Trades).decode
_ticker = msgspec.json.Decoder(_Ticker).decode
_past = msgspec.json.Decoder(_Past).decode
_past_page = msgspec.json.Decoder(_PastPage).decode


def slow_frame(payload: bytes, scales: Mapping[str, Scales], numbered: bool) -> FeedEvent | Batch:
    """Return what the frame says, whatever it is. Never raises."""
    try:
        frame = _envelope(payload)
        if not frame.topic:
            return _answer(frame, payload)
        kind = frame.topic.partition(".")[0]
        if kind == "orderbook":
            return _read_book(frame.topic, payload, scales)
        if kind == "publicTrade":
            return _together([_trade(trade, scales, numbered) for trade in _trades(payload).data], kind)
        if kind == "tickers":
            return _read_ticker(payload, scales)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{type(error).__name__}: {error}"[:DETAIL_MAX], _whose_book(payload))
    return Notice(frame.topic[:DETAIL_MAX], excerpt(payload))


def slow_trades(
    payload: bytes, venue_symbol: str, scales: Mapping[str, Scales], numbered: bool
) -> tuple[TradeEvent, ...] | Garbage:
    """Return the trades of recent-trade, oldest first (it has the newest first), or what cannot be read. Never raises."""
    try:
        answer = _past(payload)
        if answer.retCode:
            return Garbage(f"recent-trade: {answer.retCode} {answer.retMsg}"[:DETAIL_MAX])
        events = [_past_trade(row, scales, numbered) for row in reversed(_past_page(answer.result).list)]
    except (ValueError, RecursionError) as error:
        return Garbage(f"recent-trade: {type(error).__name__}: {error}"[:DETAIL_MAX])
    trades = [event for event in events if isinstance(event, TradeEvent) and event.venue_symbol == venue_symbol]
    if len(trades) < sum(not isinstance(event, Notice) for event in events):
        return Garbage("recent-trade: of another symbol, or too fine")
    return tuple(sorted(trades, key=_trade_number if numbered else _trade_time))


def _past_trade(row: _PastTrade, scales: Mapping[str, Scales], numbered: bool) -> FeedEvent:
    trade = _Trade(
        count_ns(row.time, MS_NS) // MS_NS, row.symbol, row.side, row.size, row.price, row.execId, row.isBlockTrade
    )
    return _trade(trade, scales, numbered)


def _trade_number(trade: TradeEvent) -> int:
    return trade.trade_id


def _trade_time(trade: TradeEvent) -> int:
    return trade.venue_ns


def _whose_book(payload: bytes) -> str:
    """Whose book update was in a frame that cannot be read; "" when no book's, or nobody can tell."""
    found = _book_topic(payload, 0, _TOPIC_WITHIN)
    return found[2].decode() if found and found[1] != QUOTE_DEPTH.encode() else ""


def _read_book(topic: str, payload: bytes, scales: Mapping[str, Scales]) -> FeedEvent:
    frame = _book(payload)
    data = frame.data
    own = scales.get(data.s, _SCALES)
    bids, asks = list(chain.from_iterable(data.b)), list(chain.from_iterable(data.a))
    try:
        levels = read_side(bids, own), read_side(asks, own)
    except TooFine:
        return Finer(data.s, finer_scales(bids + asks, own))
    return book_event(topic, frame.type, data.s, data.u, (frame.cts or frame.ts) * MS_NS, *levels)


def _trade(trade: _Trade, scales: Mapping[str, Scales], numbered: bool) -> FeedEvent:
    if trade.BT:
        return Notice("block trade", f"{trade.s[:40]} {trade.v[:40]} at {trade.p[:40]}")
    own = scales.get(trade.s, _SCALES)
    try:
        price, quantity = units(trade.p, own.price), units(trade.v, own.quantity)
    except TooFine:
        return Finer(trade.s, finer_scales([trade.p, trade.v], own))
    side = Side.BUY if trade.S == "Buy" else Side.SELL
    return TradeEvent(trade.s, _trade_id(trade.i, numbered), trade.T * MS_NS, price, quantity, side)


def _trade_id(text: str, numbered: bool) -> int:
    """Return the number that the text is, else (a UUID) one of 63 bits that is always the same. Raises BadDecimal."""
    if text.isdigit() and text.isascii() and len(text) <= _ID_DIGITS_MAX and int(text) <= ID_MAX:
        return int(text)
    if numbered or not text:
        raise BadDecimal(f"publicTrade i: {text[:48]!r}")
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


def _read_ticker(payload: bytes, scales: Mapping[str, Scales]) -> FeedEvent | Batch:
    frame = _ticker(payload)
    data, venue_ns = frame.data, frame.ts * MS_NS
    own = scales.get(data.symbol, _SCALES)
    events: list[FeedEvent] = []
    if data.markPrice or data.indexPrice:
        mark, index = data.markPrice or "0", data.indexPrice or "0"
        try:
            events.append(MarkEvent(data.symbol, venue_ns, units(mark, own.price), units(index, own.price)))
        except TooFine:
            events.append(Finer(data.symbol, finer_scales([mark, "0", index, "0"], own)))
    if data.fundingRate:
        next_ns = count_ns(data.nextFundingTime, MS_NS) if data.nextFundingTime else 0
        events.append(FundingEvent(data.symbol, venue_ns, _signed(data.fundingRate), next_ns))
    return _together(events, "tickers")


def _signed(text: str) -> int:
    """A rate finer than RATE_SCALE is a BadDecimal too."""
    return -units(text[1:], RATE_SCALE) if text.startswith("-") else units(text, RATE_SCALE)


def _together(events: list[FeedEvent], kind: str) -> FeedEvent | Batch:
    if len(events) == 1:
        return events[0]
    return Batch(tuple(events)) if events else Notice(kind, "nothing new")


def _answer(frame: _Envelope, payload: bytes) -> FeedEvent:
    """To an operation of ours. A request is refused as a whole, so each is of one symbol, which is its req_id."""
    if frame.success or frame.op != "subscribe" or _REPEATED in frame.ret_msg:
        kind = "pong" if frame.ret_msg == "pong" or frame.op == "pong" else frame.op
        return Notice(kind[:DETAIL_MAX] or "unknown", excerpt(payload))
    symbol = frame.req_id.partition(":")[0] or frame.ret_msg.rpartition("topic:")[2].rpartition(".")[2]
    return SubscriptionRefused(symbol[:40] if " " not in symbol else "", frame.ret_msg[:DETAIL_MAX])


_REPEATED = "already subscribed"
"""Refused, but what was asked for is there."""
