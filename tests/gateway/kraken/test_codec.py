"""Kraken frames to values: the fast route against the slow one, both against Decimal, and whatever may come."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    DepthDiff,
    DepthReset,
    Finer,
    Garbage,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.kraken.checksum import book_checksum
from gateway.kraken.codec import KrakenCodec
from gateway.kraken.slow import slow_frame
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.kraken import KrakenWire

SYMBOL = "BTC/USD"
SCALES = Scales(1, 8)
STAMP = "2026-08-24T22:21:58.343688Z"
STAMP_US = 1_787_610_118_343_688
Rows = list[tuple[str, str]]


def codec(scales: Scales = SCALES, symbol: str = SYMBOL) -> KrakenCodec:
    made = KrakenCodec()
    made.set_scales(symbol, scales)
    return made


def rows_text(rows: Rows) -> str:
    return ",".join(f'{{"price":{price},"qty":{quantity}}}' for price, quantity in rows)


def book_frame(bids: Rows, asks: Rows, kind: str = "update", checksum: object = 7, stamp: str = STAMP) -> bytes:
    data = f'{{"symbol":"{SYMBOL}","bids":[{rows_text(bids)}],"asks":[{rows_text(asks)}],'
    data += f'"checksum":{checksum},"timestamp":"{stamp}"}}'
    return f'{{"channel":"book","type":"{kind}","data":[{data}]}}'.encode()


def naive_diff(bids: Rows, asks: Rows, scales: Scales) -> DepthDiff:
    sides = [
        tuple(int(Decimal(row[place]) * 10 ** scales[place]) for row in rows)
        for rows in (bids, asks)
        for place in (0, 1)
    ]
    return DepthDiff(SYMBOL, STAMP_US, STAMP_US, STAMP_US * 1_000, *sides, checksum=7)


def is_fast(made: KrakenCodec, frame: bytes) -> bool:
    start = frame.find(SYMBOL.encode())
    return made._fast_book(frame, start, b'"snapshot"' in frame[:40]) is not None


def full(scale: int) -> st.SearchStrategy[str]:
    """The venue's own texts: all the decimals there are."""
    return st.integers(0, 2**51 - 1).map(lambda amount: f"{amount // 10**scale}.{amount % 10**scale:0{scale}d}")


def any_number(scale: int) -> st.SearchStrategy[str]:
    plain = st.integers(0, 2**62).map(lambda amount: f"{Decimal(amount).scaleb(-scale):f}")
    short = st.integers(0, 10**6).map(lambda amount: f"{Decimal(amount).scaleb(-min(scale, 3)).normalize():f}")
    exponent = st.integers(0, scale).map(lambda places: f"1e-{places:02d}")
    return st.one_of(plain, short, exponent)


@given(st.data(), st.integers(1, 10), st.integers(1, 10))
def test_the_venues_own_numbers_take_the_fast_route_and_equal_decimal(
    data: st.DataObject, price_scale: int, quantity_scale: int
) -> None:
    scales = Scales(price_scale, quantity_scale)
    rows = st.lists(st.tuples(full(price_scale), full(quantity_scale)), max_size=6)
    bids, asks = data.draw(rows), data.draw(rows)
    made, frame = codec(scales), book_frame(bids, asks)
    assert is_fast(made, frame)
    assert made.decode_frame(frame) == naive_diff(bids, asks, scales) == slow_frame(frame, {SYMBOL: scales})


@given(st.data(), st.integers(0, 10), st.integers(0, 10))
def test_every_number_of_no_more_decimals_equals_decimal(
    data: st.DataObject, price_scale: int, quantity_scale: int
) -> None:
    scales = Scales(price_scale, quantity_scale)
    rows = st.lists(st.tuples(any_number(price_scale), any_number(quantity_scale)), max_size=6)
    bids, asks = data.draw(rows), data.draw(rows)
    frame = book_frame(bids, asks)
    assert codec(scales).decode_frame(frame) == naive_diff(bids, asks, scales)


odd = st.text(alphabet='0123456789.-+eE"{}[]:,prqtyic ', max_size=12) | st.sampled_from(
    ["nan", "1e400", "-1.0", "1.00", "01.0", "1.0.0", ".5", "5.", "1e99999999999", "0.1234567890", '"1.0"', "null"]
)


@given(odd, st.integers(0, 3), full(1), full(8))
def test_what_is_not_exactly_the_venues_own_reads_alike_on_both_routes(
    text: str, place: int, price: str, quantity: str
) -> None:
    """The fast route either reads what the slow one reads, or nothing."""
    cells = [price, quantity, price, quantity]
    cells[place] = text
    frame = book_frame([(cells[0], cells[1])], [(cells[2], cells[3])])
    made = codec()
    assert made.decode_frame(frame) == slow_frame(frame, {SYMBOL: SCALES})


@given(st.integers(0, 400), st.binary(min_size=0, max_size=2), st.booleans())
def test_one_damaged_byte_reads_alike_on_both_routes(at: int, put: bytes, whole: bool) -> None:
    frame = book_frame([("1.5", "0.00000001"), ("1.4", "2.00000000")], [], "snapshot" if whole else "update")
    broken = frame[:at] + put + frame[at + 1 :]
    assert codec().decode_frame(broken) == slow_frame(broken, {SYMBOL: SCALES})


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_never_raise(payload: bytes) -> None:
    assert isinstance(codec().decode_frame(payload), Notice | Garbage)
    prefixed = b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[' + payload
    assert isinstance(codec().decode_frame(prefixed), Garbage | DepthDiff)


def test_a_digit_outside_its_number_is_never_read_over() -> None:
    """Between any two bytes of a frame, one digit: what the two routes make of it is the same."""
    frame = book_frame([("1.5", "0.00000001")], [("1.6", "2.00000000")])
    for at in range(len(frame)):
        broken = frame[:at] + b"7" + frame[at:]
        assert codec().decode_frame(broken) == slow_frame(broken, {SYMBOL: SCALES}), broken


def test_a_message_cut_anywhere_names_the_book_that_lost_it() -> None:
    frame = book_frame([("1.5", "0.00000001")], [])
    symbol_ends = frame.index(SYMBOL.encode()) + len(SYMBOL) + 1
    for end in range(symbol_ends, len(frame)):
        event = codec().decode_frame(frame[:end])
        assert event == Garbage(event.detail, SYMBOL), frame[:end]  # type: ignore[union-attr]


def test_a_snapshot_shows_the_precision_that_the_checksum_is_made_of() -> None:
    """Trailing zeros count: the venue hashes them."""
    frame = book_frame([("1877.00", "1.00000000")], [], "snapshot")
    made = KrakenCodec()
    assert made.decode_frame(frame) == Finer(SYMBOL, Scales(2, 8))
    made.set_scales(SYMBOL, Scales(2, 8))
    reset = made.decode_frame(frame)
    assert isinstance(reset, DepthReset)
    assert is_fast(made, frame)
    assert reset.body.bid_prices == (187_700,)
    assert reset.body.last == STAMP_US
    assert reset.checksum == 7


def test_scales_grow_and_never_shrink() -> None:
    frame = book_frame([("1.50", "1.0")], [])
    assert codec(Scales(1, 8)).decode_frame(frame) == Finer(SYMBOL, Scales(2, 8))
    assert codec(Scales(4, 8)).decode_frame(frame) == naive_diff([("1.50", "1.0")], [], Scales(4, 8))


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (book_frame([("1.5", "-1.00000000")], []), ["bids.qty", "-1.0"]),
        (book_frame([], [('"1.5"', "1.00000000")]), ["asks.price", '"1.5"']),
        (book_frame([], [], checksum=-1), ["checksum"]),
        (book_frame([], [], checksum=2**32), ["checksum"]),
        (book_frame([], [], stamp="2026-08-24T22:21:58.343688"), ["timestamp"]),
        (book_frame([], [], stamp="9999-01-01T00:00:00.000000Z"), ["timestamp", "9999"]),
        (book_frame([], [], stamp="yesterday"), ["timestamp"]),
        (book_frame([], []).replace(b'"checksum":7,', b""), ["checksum"]),
        (book_frame([], []).replace(b',"timestamp":"' + STAMP.encode() + b'"', b""), ["timestamp"]),
        (book_frame([], [], "partial"), ["type", "partial"]),
        (book_frame([("0." + "1" * 19, "1.0")], []), ["19 decimals"]),
    ],
)
def test_an_unreadable_book_message_names_field_and_book(frame: bytes, names: list[str]) -> None:
    event = codec().decode_frame(frame)
    assert isinstance(event, Garbage)
    assert event.venue_symbol == SYMBOL
    assert [name for name in names if name not in event.detail] == []


def test_unknown_fields_are_read_past() -> None:
    frame = book_frame([("1.5", "1.00000000")], [])
    more = frame.replace(b'"checksum"', b'"new":[{}],"checksum"').replace(b'"qty"', b'"orders":3,"qty"')
    assert codec().decode_frame(more) == codec().decode_frame(frame)


def test_several_books_in_one_message_are_a_batch_and_the_bad_one_is_named() -> None:
    good, bad = book_frame([("1.5", "1.00000000")], []), book_frame([("1.5", "-1.00000000")], [])
    both = good[:-2] + b"," + bad[bad.index(b'{"symbol"') :]
    event = codec().decode_frame(both)
    assert isinstance(event, Batch)
    assert event.events[0] == codec().decode_frame(good)
    assert isinstance(event.events[1], Garbage)


def test_nothing_of_a_frame_is_read_when_one_of_its_books_is_too_fine() -> None:
    good, fine = book_frame([("1.5", "1.00000000")], []), book_frame([("1.55", "1.00000000")], [])
    both = good[:-2] + b"," + fine[fine.index(b'{"symbol"') :]
    assert codec().decode_frame(both) == Finer(SYMBOL, Scales(2, 8))


def test_stamps_are_read_to_the_microsecond_and_nanoseconds_survive() -> None:
    for stamp, told in (("2026-08-24T22:21:58Z", 0), ("2026-08-24T22:21:58.343688400Z", 343_688)):
        event = codec().decode_frame(book_frame([], [], stamp=stamp))
        assert isinstance(event, DepthDiff)
        assert event.last % 1_000_000 == told


TRADE = (
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":%s,"qty":%s,'
    f'"ord_type":"market","trade_id":4665906,"timestamp":"{STAMP}"}}]}}'
)


def test_a_trade_is_read_with_shorter_texts_than_the_book_has() -> None:
    """docs, "Trade": 40.0 of a pair with eight decimals."""
    event = codec().decode_frame((TRADE % ("0.5", "40.0")).encode())
    assert event == TradeEvent(SYMBOL, 4_665_906, STAMP_US * 1_000, 5, 4_000_000_000, Side.SELL)


def test_a_trade_never_changes_the_precision_of_a_book() -> None:
    frame = (TRADE % ("0.55", "1e-08")).encode()
    assert KrakenCodec().decode_frame(frame) == Finer(SYMBOL, Scales(2, 8))
    event = codec().decode_frame(frame)
    assert isinstance(event, Garbage)
    assert "0.55" in event.detail
    assert SYMBOL in event.detail


def test_several_trades_of_one_message_keep_their_order() -> None:
    one = json.loads(TRADE % ("0.5", "1.0"))
    one["data"].append({**one["data"][0], "trade_id": 4_665_907, "side": "buy"})
    event = codec().decode_frame(json.dumps(one).encode())
    assert isinstance(event, Batch)
    assert [(trade.trade_id, trade.aggressor) for trade in event.events if isinstance(trade, TradeEvent)] == [
        (4_665_906, Side.SELL),
        (4_665_907, Side.BUY),
    ]


@pytest.mark.parametrize("stamp", [f',"timestamp":"{STAMP}"', ""])
def test_a_ticker_is_a_quote_at_no_id(stamp: str) -> None:
    """The stamp came to the ticker later than the rest (docs of 2023 have none)."""
    data = (
        f'{{"symbol":"BTC/USD","bid":0.1,"bid_qty":740.0,"ask":0.2,"ask_qty":1e-08,"last":0.1,"change":-0.17{stamp}}}'
    )
    event = codec().decode_frame(f'{{"channel":"ticker","type":"update","data":[{data}]}}'.encode())
    assert event == QuoteEvent(SYMBOL, UNNUMBERED, 1, 74_000_000_000, 2, 1, STAMP_US * 1_000 if stamp else 0)


def test_a_refused_subscription_is_told_with_its_symbol_and_reason() -> None:
    told = '"success":false,"time_in":"2026-08-01T02:53:53.184174Z","time_out":"2026-08-01T02:53:53.184216Z"'
    for text, symbol in (
        ('{"error":"Currency pair not supported X/Y","method":"subscribe","symbol":"X/Y",%s}', "X/Y"),
        ('{"error":"Depth not supported","method":"subscribe","result":{"symbol":"BTC/USD"},%s}', SYMBOL),
        ('{"error":"Malformed","method":"subscribe","result":null,"symbol":null,%s}', ""),
    ):
        event = codec().decode_frame((text % told).encode())
        assert isinstance(event, SubscriptionRefused)
        assert event.venue_symbol == symbol
        assert event.detail


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"channel":"heartbeat"}', "heartbeat"),
        (
            '{"channel":"status","type":"update","data":[{"system":"online","connection_id":15413894943188002760}]}',
            "status",
        ),
        (
            '{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"qty_increment":1e-08}]}}',
            "instrument",
        ),
        ('{"channel":"tomorrow","type":"x","data":5}', "tomorrow"),
        ('{"method":"pong","time_in":"x"}', "pong"),
        ('{"method":"subscribe","result":{},"success":true}', "subscribe"),
        ('{"method":"unsubscribe","error":"Subscription Not Found","success":false}', "unsubscribe"),
        ('{"error":"Exceeded msg rate"}', "unknown"),
        ('{"channel":"book","type":"update","data":[]}', "book"),
    ],
)
def test_frames_without_market_data_are_notices(text: str, kind: str) -> None:
    event = codec().decode_frame(text.encode())
    assert isinstance(event, Notice)
    assert event.kind == kind


@pytest.mark.parametrize("depth", [10, 25])
def test_generated_traffic_is_read_on_the_fast_route_and_is_true(depth: int) -> None:
    """A book kept with the venue's rule equals the true one, and its checksum the venue's, after each message."""
    book, wire, market = TrueBook(depth), KrakenWire(depth=depth), codec()
    shown = apply({}, {}, market.decode_frame(wire.snapshot(book, 10**18)), depth)
    for step in range(300):
        for _ in range(book.random.randrange(1, 5)):
            book.change()
        frame = wire.diff(book, 10**18 + step * 1_000_000)
        assert is_fast(market, frame)
        shown = apply(*shown, market.decode_frame(frame), depth)
        assert shown == (wire.bids, wire.asks)


def apply(
    bids: dict[int, int], asks: dict[int, int], event: object, depth: int
) -> tuple[dict[int, int], dict[int, int]]:
    assert isinstance(event, DepthDiff | DepthReset)
    told = event.body if isinstance(event, DepthReset) else event
    kept = []
    for side, prices, quantities, sign in (
        (bids, told.bid_prices, told.bid_quantities, -1),
        (asks, told.ask_prices, told.ask_quantities, 1),
    ):
        kept_before = {} if isinstance(event, DepthReset) else side
        after = {**kept_before, **dict(zip(prices, quantities, strict=True))}
        best = sorted((price for price, quantity in after.items() if quantity), key=lambda price: sign * price)[:depth]
        kept.append({price: after[price] for price in best})
    levels = [(tuple(side), tuple(side.values())) for side in kept]
    assert book_checksum(levels[0], levels[1], SCALES) == event.checksum
    return kept[0], kept[1]
