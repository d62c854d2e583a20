"""OKX frames to values: the fast route against the slow one, both against Decimal, and whatever may come."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    NO_CHECKSUM,
    UNNUMBERED,
    Batch,
    Closing,
    DepthDiff,
    DepthReset,
    Finer,
    FundingEvent,
    Garbage,
    MarkEvent,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
    Verdict,
)
from gateway.okx.checksum import book_checksum
from gateway.okx.codec import OkxCodec
from gateway.okx.rule import OKX
from gateway.okx.slow import slow_frame
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.okx import OkxWire

SYMBOL = "BTC-USDT"
TS = 1_787_612_486_107
Rows = list[tuple[str, str]]
NUMBERED = '"checksum":0,"seqId":80274874876,"prevSeqId":80274874800'


def codec() -> OkxCodec:
    return OkxCodec()


def books_frame(bids: Rows, asks: Rows, action: str = "update", tail: str = NUMBERED, symbol: str = SYMBOL) -> bytes:
    sides = [",".join(f'["{price}","{quantity}","0","3"]' for price, quantity in rows) for rows in (asks, bids)]
    data = f'{{"asks":[{sides[0]}],"bids":[{sides[1]}],"ts":"{TS}",{tail}}}'
    return f'{{"arg":{{"channel":"books","instId":"{symbol}"}},"action":"{action}","data":[{data}]}}'.encode()


def push(channel: str, *rows: dict[str, Any], symbol: str = SYMBOL) -> bytes:
    return json.dumps({"arg": {"channel": channel, "instId": symbol}, "data": rows}).encode()


def naive_diff(bids: Rows, asks: Rows, scales: Scales = Scales()) -> DepthDiff:  # noqa: B008  # a frozen tuple
    sides = [
        tuple(int(Decimal(row[place]) * 10 ** scales[place]) for row in rows)
        for rows in (bids, asks)
        for place in (0, 1)
    ]
    return DepthDiff(SYMBOL, 80274874876, 80274874876, TS * 1_000_000, *sides, 80274874800)


def shortest(scale: int, bits: int = 51) -> st.SearchStrategy[str]:
    """The venue's own texts: no trailing zeros."""
    return st.integers(0, 2**bits - 1).map(lambda amount: decimal(amount, scale))


def decimal(amount: int, scale: int) -> str:
    whole, part = divmod(amount, 10**scale)
    return f"{whole}.{part:0{scale}d}".rstrip("0") if part else str(whole)


def rows_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    return st.lists(st.tuples(texts, texts), max_size=6)


@given(rows_of(shortest(8)), rows_of(shortest(8)))
def test_the_venues_own_texts_take_the_fast_route_and_equal_decimal(bids: Rows, asks: Rows) -> None:
    frame = books_frame(bids, asks)
    assert codec()._fast_books(frame) == naive_diff(bids, asks) == slow_frame(frame, {})


@pytest.mark.parametrize("bits", [53, 62])
@given(st.data(), st.integers(0, 12), st.integers(0, 12))
def test_in_any_scales_every_text_equals_decimal(
    bits: int, data: st.DataObject, price_scale: int, quantity_scale: int
) -> None:
    """Also beyond eight decimals (PEPE); what has at most 53 bits is read fast."""
    scales = Scales(price_scale, quantity_scale)
    rows = st.lists(st.tuples(shortest(price_scale, bits), shortest(quantity_scale, bits)), max_size=6)
    bids, asks = data.draw(rows), data.draw(rows)
    made, frame, expected = codec(), books_frame(bids, asks), naive_diff(bids, asks, scales)
    made.set_scales(SYMBOL, scales)
    assert made.decode_frame(frame) == slow_frame(frame, {SYMBOL: scales}) == expected
    if bits == 53:
        assert made._fast_books(frame) == expected


odd = st.text(alphabet='0123456789.-+eE"[]:, ', max_size=12) | st.sampled_from(
    ["nan", "1e5", "-1", "1.123456789", "01", "1.0.0", ".5", "5.", "", '1","2', '"],["']
)


@given(odd, st.integers(0, 3), shortest(8), shortest(8))
def test_what_is_not_exactly_the_venues_own_reads_alike_on_both_routes(
    text: str, place: int, price: str, quantity: str
) -> None:
    cells = [price, quantity, price, quantity]
    cells[place] = text
    frame = books_frame([(cells[0], cells[1])], [(cells[2], cells[3])])
    assert codec().decode_frame(frame) == slow_frame(frame, {})


@given(st.integers(0, 260), st.binary(min_size=0, max_size=2), st.booleans())
def test_one_damaged_byte_reads_alike_on_both_routes(at: int, put: bytes, whole: bool) -> None:
    frame = books_frame([("1.5", "0.00000001"), ("1.4", "2")], [("1.6", "0")], "snapshot" if whole else "update")
    broken = frame[:at] + put + frame[at + 1 :]
    assert codec().decode_frame(broken) == slow_frame(broken, {})


def test_a_digit_outside_its_text_is_never_read_over() -> None:
    """Between any two bytes of a frame, one digit: what the two routes make of it is the same."""
    frame = books_frame([("1.5", "0.00000001")], [("1.6", "2")])
    for at in range(len(frame)):
        broken = frame[:at] + b"7" + frame[at:]
        assert codec().decode_frame(broken) == slow_frame(broken, {}), broken


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_never_raise(payload: bytes) -> None:
    assert isinstance(codec().decode_frame(payload), Notice | Garbage)
    prefixed = b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[' + payload
    assert isinstance(codec().decode_frame(prefixed), Garbage | DepthDiff)


def test_a_message_cut_anywhere_names_the_book_that_lost_it() -> None:
    frame = books_frame([("1.5", "0.00000001")], [])
    symbol_ends = frame.index(SYMBOL.encode()) + len(SYMBOL) + 1
    for end in range(symbol_ends, len(frame)):
        event = codec().decode_frame(frame[:end])
        assert event == Garbage(event.detail, SYMBOL), frame[:end]  # type: ignore[union-attr]


def test_a_snapshot_and_its_updates_bear_the_venues_ids() -> None:
    reset = codec().decode_frame(books_frame([("2", "1")], [], "snapshot", '"checksum":0,"seqId":10,"prevSeqId":-1'))
    assert isinstance(reset, DepthReset)
    assert (reset.body.last, reset.checksum, reset.venue_ns) == (10, NO_CHECKSUM, TS * 1_000_000)
    diff = codec().decode_frame(books_frame([], [], "update", '"checksum":0,"seqId":15,"prevSeqId":10'))
    assert isinstance(diff, DepthDiff)
    assert (diff.first, diff.last, diff.previous, diff.checksum) == (15, 15, 10, NO_CHECKSUM)


def test_the_form_of_2022_has_a_signed_checksum_and_no_ids() -> None:
    diff = codec().decode_frame(books_frame([], [], "update", '"checksum":-914047754'))
    assert isinstance(diff, DepthDiff)
    assert (diff.first, diff.last, diff.previous) == (UNNUMBERED, UNNUMBERED, UNNUMBERED)
    assert diff.checksum == -914_047_754 + 2**32
    assert OKX.follow(diff, UNNUMBERED) is OKX.follow(diff, 7) is Verdict.NEXT


def test_finer_than_the_scales_tells_which_would_do_and_they_then_do() -> None:
    frame = books_frame([("0.0000123456", "1")], [("1", "0.000000000010")])
    made = codec()
    assert made.decode_frame(frame) == Finer(SYMBOL, Scales(10, 11))
    made.set_scales(SYMBOL, Scales(10, 11))
    diff = made.decode_frame(frame)
    assert isinstance(diff, DepthDiff)
    assert (diff.bid_prices, diff.ask_quantities) == ((123_456,), (1,))
    made.set_scales(SYMBOL, Scales())
    assert made.decode_frame(frame) == Finer(SYMBOL, Scales(10, 11))


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (books_frame([("-1", "1")], []), ["-1"]),
        (books_frame([], [("1", "")]), ["''"]),
        (books_frame([("1." + "1" * 19, "1")], []), ["19 decimals"]),
        (books_frame([("1.123456789", "1"), ("1.x23456789012", "1")], []), ["1.x23456789012"]),
        (books_frame([("99999999999999999999", "1")], []), ["9999"]),
        (books_frame([], []).replace(b'"bids":[]', b'"bids":[["1"]]'), ["bids", "['1']"]),
        (books_frame([], []).replace(b'"bids":[]', b'"bids":[[1.5,"1"]]'), ["bids", "1.5"]),
        (books_frame([], []).replace(b'"bids":[],', b""), ["bids"]),
        (books_frame([], [], "partial"), ["action", "partial"]),
        (books_frame([], [], tail='"checksum":"x"'), ["checksum"]),
        (books_frame([], [], tail='"seqId":-9'), ["seqId"]),
        (books_frame([], [], tail='"checksum":0,"prevSeqId":5'), ["seqId", "missing"]),
        (books_frame([], [], tail='"checksum":0,"seqId":-1,"prevSeqId":5'), ["seqId", "missing"]),
    ],
)
def test_an_unreadable_book_message_names_what_is_wrong_and_the_book(frame: bytes, names: list[str]) -> None:
    event = codec().decode_frame(frame)
    assert isinstance(event, Garbage)
    assert event.venue_symbol == SYMBOL
    assert [name for name in names if name not in event.detail] == []


@pytest.mark.parametrize("blank", ["", " "])
def test_a_checksum_that_is_null_is_none(blank: str) -> None:
    """The field is on its way out: 0 since 2026-06, absent from other channels."""
    tail = NUMBERED.replace('"checksum":0', f'"checksum":{blank}null')
    assert codec().decode_frame(books_frame([("2", "1")], [], tail=tail)) == naive_diff([("2", "1")], [])


def test_unknown_fields_are_read_past() -> None:
    frame = books_frame([("1.5", "1")], [])
    more = frame.replace(b'"checksum"', b'"new":[{}],"checksum"').replace(b'"0","3"', b'"0",3,"x"')
    assert codec().decode_frame(more) == codec().decode_frame(frame)


def test_a_trade_is_read_with_its_takers_side() -> None:
    row = {"instId": SYMBOL, "tradeId": "130639474", "px": "42219.9", "sz": "0.12060306", "side": "sell", "ts": str(TS)}
    trade = TradeEvent(SYMBOL, 130_639_474, TS * 1_000_000, 4_221_990_000_000, 12_060_306, Side.SELL)
    assert codec().decode_frame(push("trades", row)) == trade
    both = codec().decode_frame(push("trades", row, {**row, "count": "3", "source": "1", "seqId": 5, "side": "buy"}))
    assert isinstance(both, Batch)
    assert [event.aggressor for event in both.events if isinstance(event, TradeEvent)] == [Side.SELL, Side.BUY]


def test_nothing_of_a_frame_is_read_when_one_of_its_trades_is_too_fine() -> None:
    row = {"instId": SYMBOL, "tradeId": "1", "px": "1", "sz": "1", "side": "buy", "ts": "1"}
    assert codec().decode_frame(push("trades", row, {**row, "px": "0.000000001"})) == Finer(SYMBOL, Scales(9, 8))


def test_the_best_quote_is_at_no_id_of_the_books() -> None:
    row = {"asks": [["111.06", "55154", "0", "2"]], "bids": [["111.05", "57745", "0", "2"]], "ts": str(TS), "seqId": 36}
    quote = codec().decode_frame(push("bbo-tbt", row))
    assert quote == QuoteEvent(
        SYMBOL, UNNUMBERED, 11_105_000_000, 5_774_500_000_000, 11_106_000_000, 5_515_400_000_000, TS * 1_000_000
    )
    empty = codec().decode_frame(push("bbo-tbt", {**row, "asks": []}))
    assert isinstance(empty, QuoteEvent)
    assert (empty.ask, empty.ask_quantity, empty.bid) == (0, 0, 11_105_000_000)


def test_mark_price_and_funding_of_a_swap() -> None:
    name = "BTC-USD-SWAP"
    mark = {"instType": "SWAP", "instId": name, "markPx": "42310.6", "ts": str(TS)}
    assert codec().decode_frame(push("mark-price", mark)) == MarkEvent(name, TS * 1_000_000, 4_231_060_000_000)
    funding = {
        "instId": name,
        "fundingRate": "0.0001875391284828",
        "fundingTime": "1700726400000",
        "nextFundingTime": "1700755200000",
        "nextFundingRate": "",
        "ts": "1700724675402",
    }
    told = FundingEvent(name, 1_700_724_675_402_000_000, 187_539_128, 1_700_726_400_000_000_000)
    assert codec().decode_frame(push("funding-rate", funding)) == told
    negative = codec().decode_frame(push("funding-rate", {**funding, "fundingRate": "-0.0000000000015"}))
    assert isinstance(negative, FundingEvent)
    assert negative.rate == -2
    for text in ("", "nan", "1e9", "1e9999999", "x"):
        assert isinstance(codec().decode_frame(push("funding-rate", {**funding, "fundingRate": text})), Garbage)


def test_the_venues_word_that_it_will_hang_up_is_told_as_such() -> None:
    text = "The connection will soon be closed for a service upgrade. Please reconnect."
    notice = {"event": "notice", "code": "64008", "msg": text, "connId": "a4d3ae55"}
    assert codec().decode_frame(json.dumps(notice).encode()) == Closing(text)
    other = codec().decode_frame(json.dumps({**notice, "code": "64009"}).encode())
    assert isinstance(other, Notice)


@pytest.mark.parametrize(
    ("fields", "symbol"),
    [
        ({"msg": "Wrong URL or channel:books,instId:BTC-XXX doesn't exist. Please use the correct URL."}, "BTC-XXX"),
        ({"msg": "no", "arg": {"channel": "books", "instId": "ETH-USDT"}}, "ETH-USDT"),
        ({"msg": "Requests too frequent"}, ""),
    ],
)
def test_an_error_is_a_refused_subscription_with_its_symbol_where_it_says_one(
    fields: dict[str, Any], symbol: str
) -> None:
    event = codec().decode_frame(json.dumps({"event": "error", "code": "60018", **fields}).encode())
    assert event == SubscriptionRefused(symbol, f"60018 {fields['msg']}")


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"pong", "pong"),
        (b'{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},"connId":"32f4414f"}', "subscribe"),
        (b'{"event":"of-tomorrow"}', "of-tomorrow"),
        (push("tickers", {"instId": SYMBOL, "bidPx": "1"}), "tickers"),
        (push("of-tomorrow", {"x": 1}), "of-tomorrow"),
        (push("trades"), "trades"),
        (b"{}", "unknown"),
    ],
)
def test_frames_without_market_data_are_notices(payload: bytes, kind: str) -> None:
    event = codec().decode_frame(payload)
    assert isinstance(event, Notice)
    assert event.kind == kind


@pytest.mark.parametrize(("ids", "checksum"), [(True, False), (False, True), (True, True)])
def test_generated_traffic_is_read_on_the_fast_route_and_is_true(ids: bool, checksum: bool) -> None:
    """A book kept with the venue's rule equals the true one, and its checksum the venue's, after each message."""
    book, wire, made = TrueBook(4), OkxWire(ids=ids, checksum=checksum, depth=40), codec()
    reset = made.decode_frame(wire.snapshot(book, 10**18))
    assert isinstance(reset, DepthReset)
    bids = dict(zip(reset.body.bid_prices, reset.body.bid_quantities, strict=True))
    asks = dict(zip(reset.body.ask_prices, reset.body.ask_quantities, strict=True))
    last = reset.body.last
    for step in range(200):
        for _ in range(book.random.randrange(4)):
            book.change()
        frame = wire.renumbered(10**18) if ids and step == 100 else wire.diff(book, 10**18 + step)
        diff = made._fast_books(frame)
        assert isinstance(diff, DepthDiff)
        assert OKX.follow(diff, last) is Verdict.NEXT
        last = diff.last
        bids = kept(bids, diff.bid_prices, diff.bid_quantities)
        asks = kept(asks, diff.ask_prices, diff.ask_quantities)
        if step == 100 and ids:
            continue  # the renumbering tells no level; the next diff does
        assert {price // 10**7: quantity for price, quantity in bids.items()} == wire.bids
        assert {price // 10**7: quantity for price, quantity in asks.items()} == wire.asks
        if checksum:
            sides = [
                (prices := tuple(sorted(side, reverse=side is bids)), tuple(side[price] for price in prices))
                for side in (bids, asks)
            ]
            assert diff.checksum == book_checksum(sides[0], sides[1], Scales())


def kept(side: dict[int, int], prices: tuple[int, ...], quantities: tuple[int, ...]) -> dict[int, int]:
    after = {**side, **dict(zip(prices, quantities, strict=True))}
    return {price: quantity for price, quantity in after.items() if quantity}
