"""What every venue's codec promises: it reads all that its venue writes, and raises on nothing."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bus.messages.feed import (
    Batch,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Garbage,
    Notice,
    Numbering,
    QuoteEvent,
    Scales,
    SnapshotSource,
    TradeEvent,
)
from tests.conformance.rows import PRICE_DECIMALS, QUANTITY_DECIMALS, ROWS, Row
from tests.support.traffic import START_NS, Symbol

by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SCALES = Scales(PRICE_DECIMALS, QUANTITY_DECIMALS)


def codec_of(row: Row):
    codec = row.market().codec()
    for symbol in row.symbols:
        codec.set_scales(symbol, SCALES)
    return codec


def events(event: FeedEvent | Batch) -> tuple[FeedEvent, ...]:
    return event.events if isinstance(event, Batch) else (event,)


def only(event: FeedEvent | Batch, kind: type) -> FeedEvent:
    (found,) = [each for each in events(event) if isinstance(each, kind)]
    return found


def frames_of(row: Row, seed: int = 3) -> tuple[Symbol, list[bytes]]:
    """One of each kind, but a REST body."""
    symbol = row.symbol(0, seed)
    wire, book = symbol.wire, symbol.book
    frames = [*wire.accepted()]
    whole = wire.snapshot(book, START_NS)
    if row.market().rule.snapshot == SnapshotSource.STREAM:
        frames.append(whole)
    for _ in range(4):
        book.change()
    frames.append(wire.diff(book, START_NS))
    beside = (wire.quote(book, START_NS), wire.trade(41, 1_000_123, 77, True, START_NS), wire.heartbeat(START_NS))
    return symbol, frames + [frame for frame in beside if frame is not None]


@by_row
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 30))
def test_levels_come_out_as_they_went_in(row: Row, seed: int, changes: int) -> None:
    symbol = row.symbol(0, seed)
    codec, wire, book = codec_of(row), symbol.wire, symbol.book
    whole = wire.snapshot(book, START_NS)
    if row.market().rule.snapshot == SnapshotSource.REST:
        body = codec.decode_snapshot(whole, symbol.name)
    else:
        reset = only(codec.decode_frame(whole), DepthReset)
        assert isinstance(reset, DepthReset)
        assert reset.venue_symbol == symbol.name
        body = reset.body
    assert isinstance(body, DepthBody)
    scale = figures_scale(row)
    before = symbol.truth()
    assert sides(body) == scaled((before.bids, before.asks), scale)
    for _ in range(changes):
        book.change()
    diff = only(codec.decode_frame(wire.diff(book, START_NS)), DepthDiff)
    assert isinstance(diff, DepthDiff)
    now = symbol.truth()
    for prices, quantities, was, true in (
        (diff.bid_prices, diff.bid_quantities, before.bids, now.bids),
        (diff.ask_prices, diff.ask_quantities, before.asks, now.asks),
    ):
        told = dict(zip(prices, quantities, strict=True))  # the last word on a level counts
        changed = {price for price in was.keys() | true.keys() if was.get(price) != true.get(price)}
        wanted = scaled(({price: true.get(price, 0) for price in changed}, {}), scale)[0]
        gone = {price for price in wanted if price not in told}
        assert {price: told[price] for price in wanted.keys() - gone} == {p: wanted[p] for p in wanted.keys() - gone}
        assert all(wanted[price] == 0 for price in gone), "only what falls out of view may go unsaid"


def figures_scale(row: Row) -> Scales:
    """In which a codec reads, told SCALES: Binance's texts have eight decimals of price whatever one says."""
    codec = codec_of(row)
    symbol = row.symbol(0, 1)
    whole = symbol.wire.snapshot(symbol.book, START_NS)
    rest = row.market().rule.snapshot == SnapshotSource.REST
    body = codec.decode_snapshot(whole, symbol.name) if rest else only(codec.decode_frame(whole), DepthReset).body
    bid, quantity, _, _ = symbol.book.top
    price_scale = (Decimal(body.bid_prices[0]) / bid).log10() + PRICE_DECIMALS
    quantity_scale = (Decimal(body.bid_quantities[0]) / quantity).log10() + QUANTITY_DECIMALS
    return Scales(int(price_scale), int(quantity_scale))


def scaled(book: tuple[dict[int, int], dict[int, int]], scale: Scales) -> tuple[dict[int, int], dict[int, int]]:
    price, quantity = 10 ** (scale.price - PRICE_DECIMALS), 10 ** (scale.quantity - QUANTITY_DECIMALS)
    bids, asks = ({p * price: q * quantity for p, q in side.items()} for side in book)
    return bids, asks


def sides(body: DepthBody) -> tuple[dict[int, int], dict[int, int]]:
    bids = dict(zip(body.bid_prices, body.bid_quantities, strict=True))
    assert list(bids) == sorted(bids, reverse=True), "best first"
    asks = dict(zip(body.ask_prices, body.ask_quantities, strict=True))
    assert list(asks) == sorted(asks)
    return bids, asks


@by_row
def test_trades_quotes_and_words_without_news(row: Row) -> None:
    symbol = row.symbol(0, 5)
    codec, scale = codec_of(row), figures_scale(row)
    price, quantity = 10 ** (scale.price - PRICE_DECIMALS), 10 ** (scale.quantity - QUANTITY_DECIMALS)
    for buyer_took in (True, False):
        trade = only(codec.decode_frame(symbol.wire.trade(41, 1_000_123, 77, buyer_took, START_NS)), TradeEvent)
        assert isinstance(trade, TradeEvent)
        assert (trade.venue_symbol, trade.price, trade.quantity) == (symbol.name, 1_000_123 * price, 77 * quantity)
        assert trade.aggressor == (1 if buyer_took else -1)
        assert abs(trade.venue_ns - START_NS) < 1_000_000
    frame = symbol.wire.quote(symbol.book, START_NS)
    if frame is not None:
        quote = only(codec.decode_frame(frame), QuoteEvent)
        assert isinstance(quote, QuoteEvent)
        bid, bid_quantity, ask, ask_quantity = symbol.book.top
        assert (quote.bid, quote.bid_quantity) == (bid * price, bid_quantity * quantity)
        assert (quote.ask, quote.ask_quantity) == (ask * price, ask_quantity * quantity)
    for accepted in symbol.wire.accepted():
        assert all(isinstance(each, Notice) for each in events(codec.decode_frame(accepted)))


@by_row
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_frames_are_values_too(row: Row, data: st.DataObject) -> None:
    """Every frame with bytes cut out, put in or changed: never an exception, and never a book from what is no JSON."""
    _, frames = frames_of(row)
    frame = data.draw(st.sampled_from(frames))
    at = data.draw(st.integers(0, len(frame)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(
        st.one_of(st.binary(max_size=6), st.sampled_from([b"null", b"-1", b'"', b"{}", b"[]", b"1e400", b"NaN"]))
    )
    read(row, frame[:at] + put + frame[at + cut :])


@by_row
@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=60))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"data":' * 50_000)
@example(b"null")
@example(b'"pong"')
@example(b"\xef\xbb\xbf{}")
def test_any_bytes_are_values(row: Row, payload: bytes) -> None:
    read(row, payload)


def read(row: Row, payload: bytes) -> None:
    codec = codec_of(row)
    assert isinstance(codec.decode_frame(payload), Batch | FeedEvent)
    assert isinstance(codec.decode_snapshot(payload, row.symbols[0]), DepthBody | Garbage)
    assert isinstance(codec.decode_trades(payload, row.symbols[0]), tuple | Garbage)


@by_row
def test_text_that_is_none_is_a_value_wherever_it_stands(row: Row) -> None:
    """A decoder by type passes over fields that it does not know; what looks again may stumble."""
    for frame in frames_of(row)[1]:
        for at in range(0, len(frame), 3):
            read(row, frame[:at] + b"\x80" + frame[at:])


@by_row
def test_a_cut_book_update_is_garbage_and_names_its_book(row: Row) -> None:
    symbol, frames = frames_of(row)
    diff = next(
        frame for frame in frames if any(isinstance(e, DepthDiff) for e in events(codec_of(row).decode_frame(frame)))
    )
    garbage = codec_of(row).decode_frame(diff[: len(diff) * 2 // 3])
    assert isinstance(garbage, Garbage)
    numbered = row.market().rule.numbering == Numbering.CONNECTION  # then the next frame shows that this one is missing
    assert garbage.venue_symbol == ("" if numbered else symbol.name)
