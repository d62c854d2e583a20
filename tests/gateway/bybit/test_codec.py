"""Bybit's frames as values: the two routes agree on any bytes, odd frames are named, and nothing raises."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    DepthBody,
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
)
from gateway.bybit.codec import BybitCodec
from gateway.bybit.slow import slow_frame
from gateway.simulated.wire.bybit import BybitWire
from gateway.simulated.wire.true_book import TrueBook

SPOT = BybitCodec(numbered=True)
LINEAR = BybitCodec(numbered=False)
AT = 1_787_612_486_108
AT_NS = AT * 1_000_000
DELTA = (
    b'{"topic":"orderbook.50.BTCUSDT","ts":1787612486116,"type":"delta","data":{"s":"BTCUSDT","b":[["78715","1.278364"]],'
    b'"a":[["78716.8","0.027559"],["78748.5","0"]],"u":217107085,"seq":113099229629},"cts":1787612486108}'
)
DIFF = DepthDiff(
    "BTCUSDT", 217107085, 217107085, AT_NS,
    (7871500000000,), (127836400,), (7871680000000, 7874850000000), (2755900, 0), 217107084,
)  # fmt: skip


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def book(**changes: Any) -> bytes:
    """DELTA with other values by key, wherever they stand."""
    frame = json.loads(DELTA)
    for key, value in changes.items():
        (frame["data"] if key in frame["data"] else frame)[key] = value
    return dumped(frame)


def trades(*rows: dict[str, Any]) -> bytes:
    row = {"i": "2290000000036455162", "T": AT, "p": "78715.1", "v": "0.03", "S": "Buy", "s": "BTCUSDT", "BT": False}
    data = [row | changes for changes in rows]
    return dumped({"topic": "publicTrade.BTCUSDT", "ts": AT + 2, "type": "snapshot", "data": data})


def ticker(**data: str) -> bytes:
    return dumped(
        {"topic": "tickers.BTCUSDT", "type": "delta", "data": {"symbol": "BTCUSDT"} | data, "cs": 1, "ts": AT}
    )


def test_a_delta_as_the_venue_writes_it() -> None:
    assert SPOT.decode_frame(DELTA) == DIFF


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(json.loads(DELTA)).encode(),  # with blanks
        dumped(dict(reversed(json.loads(DELTA).items()))),  # in another order
        dumped(json.loads(DELTA) | {"id": "new"}),  # with a field nobody knows
        book(b=[["78715.000000000", "1.2783640000"]]),  # zeros past the scale
    ],
)
def test_a_delta_written_otherwise_says_the_same(payload: bytes) -> None:
    assert SPOT.decode_frame(payload) == DIFF


@pytest.mark.parametrize("scales", [Scales(8, 8), Scales(2, 6), Scales(8, 6), Scales(10, 10)])
def test_in_any_scales_a_delta_as_the_venue_writes_it_is_read_fast(scales: Scales) -> None:
    codec = BybitCodec(numbered=True)
    codec.set_scales("BTCUSDT", scales)
    event = codec._fast_book(DELTA)
    assert isinstance(event, DepthDiff)
    assert event == slow_frame(DELTA, {"BTCUSDT": scales}, True)
    assert event.bid_prices == (78715 * 10**scales.price,)


def test_a_frame_without_the_engines_time_bears_its_senders() -> None:
    frame = json.loads(DELTA)
    del frame["cts"]
    event = SPOT.decode_frame(dumped(frame))
    assert isinstance(event, DepthDiff)
    assert event.venue_ns == 1_787_612_486_116_000_000


def test_a_book_hidden_in_an_unknown_field_is_not_the_book() -> None:
    """The fast route cuts the bytes at `,"b":[`; here that stands inside something new, before the real one."""
    inner = {"k": 0, "b": [["1", "2"]], "a": [], "u": 5}
    frame = json.loads(DELTA)
    frame["data"] = {"s": "BTCUSDT", "z": inner, **frame["data"]}
    assert SPOT.decode_frame(dumped(frame)) == DIFF


def test_a_snapshot_replaces_whatever_its_number() -> None:
    frame = book(type="snapshot", u=1, b=[["10", "1"], ["9", "2"]], a=[["11", "3"]])
    body = DepthBody(1, (10_0000_0000, 9_0000_0000), (1_0000_0000, 2_0000_0000), (11_0000_0000,), (3_0000_0000,))
    assert SPOT.decode_frame(frame) == DepthReset("BTCUSDT", AT_NS, body)


def test_a_snapshot_out_of_order_is_put_in_order() -> None:
    frame = book(type="snapshot", b=[["9", "2"], ["10", "1"], ["8", "0"]], a=[["12", "3"], ["11", "3"], ["12", "4"]])
    event = SPOT.decode_frame(frame)
    assert isinstance(event, DepthReset)
    assert event.body.bid_prices == (10_0000_0000, 9_0000_0000)
    assert (event.body.ask_prices, event.body.ask_quantities) == (
        (11_0000_0000, 12_0000_0000),
        (3_0000_0000, 4_0000_0000),
    )


def test_the_best_quote_is_no_book() -> None:
    top = {"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "b": [["10", "1"]], "a": [["11", "2"]]}
    quote = QuoteEvent("BTCUSDT", UNNUMBERED, 10_0000_0000, 1_0000_0000, 11_0000_0000, 2_0000_0000, AT_NS)
    assert SPOT.decode_frame(book(**top)) == quote
    assert SPOT.decode_frame(book(**top | {"b": []})) == QuoteEvent(
        "BTCUSDT", UNNUMBERED, 0, 0, 11_0000_0000, 2_0000_0000, AT_NS
    )
    assert isinstance(SPOT.decode_frame(book(**top | {"type": "delta", "b": []})), Notice)


UNREADABLE = {
    "a sign": book(b=[["78715", "-1"]]),
    "an exponent": book(b=[["78715", "1e5"]]),
    "not a number": book(a=[["nan", "1"]]),
    "a number, not a text": book(a=[[78715, "1"]]),
    "no quantity": book(a=[["78715"]]),
    "one column more": book(a=[["78715", "1", "7"]]),
    "a new kind": book(type="update"),
    "no number": book(u=None),
    "a negative number": book(u=-5),
    "a time past 64 bits": book(cts=10**17),
    "past 64 bits": book(b=[["78715", "92233720369"]]),
    "finer than 64 bits hold": book(b=[["1.0000000000000000001", "1"]]),
    "another symbol inside": book(s="ETHUSDT"),
    "cut in the middle": DELTA[:130],
    "no UTF-8": DELTA.replace(b'"BTCUSDT","b"', b'"BTC\xff","b"'),
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_book_message_says_whose_it_was(payload: bytes) -> None:
    event = SPOT.decode_frame(payload)
    assert isinstance(event, Garbage)
    assert event.venue_symbol == "BTCUSDT"
    assert event.detail


def test_an_unreadable_best_quote_lost_no_book() -> None:
    event = SPOT.decode_frame(book(topic="orderbook.1.BTCUSDT", b=[["78715", "-1"]]))
    assert isinstance(event, Garbage)
    assert event.venue_symbol == ""


def test_trades_of_one_frame_in_the_order_of_matching() -> None:
    first = TradeEvent("BTCUSDT", 2290000000036455162, AT_NS, 78715_1000_0000, 300_0000, Side.BUY)
    second = TradeEvent("BTCUSDT", 2290000000036455163, AT_NS, 78715_1000_0000, 300_0000, Side.SELL)
    assert SPOT.decode_frame(trades({})) == first
    assert SPOT.decode_frame(trades({}, {"i": "2290000000036455163", "S": "Sell"})) == Batch((first, second))


def test_a_uuid_is_a_stable_number_of_63_bits_on_linear_and_refused_on_spot() -> None:
    frame = trades({"i": "20f43950-d8dd-5b31-9112-a178eb6023af"})
    event = LINEAR.decode_frame(frame)
    assert isinstance(event, TradeEvent)
    assert event.trade_id == 8_048_523_045_598_429_434 == LINEAR.decode_frame(frame).trade_id
    assert isinstance(SPOT.decode_frame(frame), Garbage)


@pytest.mark.parametrize("change", [{"S": "Maybe"}, {"p": "x"}, {"v": None}, {"T": -1}, {"i": ""}, {"i": "9" * 20}])
def test_an_unreadable_trade_is_garbage_of_no_book(change: dict[str, Any]) -> None:
    event = SPOT.decode_frame(trades(change))
    assert isinstance(event, Garbage)
    assert event.venue_symbol == ""


def test_a_block_trade_is_no_print() -> None:
    assert SPOT.decode_frame(trades({"BT": True})) == Notice("block trade", "BTCUSDT 0.03 at 78715.1")


def test_a_ticker_tells_what_changed() -> None:
    mark = MarkEvent("BTCUSDT", AT_NS, 17217_3300_0000, 17227_3600_0000)
    funding = FundingEvent("BTCUSDT", AT_NS, -212_000_000, 1_673_280_000_000_000_000)
    both = ticker(markPrice="17217.33", indexPrice="17227.36", fundingRate="-0.000212", nextFundingTime="1673280000000")
    assert LINEAR.decode_frame(both) == Batch((mark, funding))
    assert LINEAR.decode_frame(ticker(markPrice="17217.33")) == MarkEvent("BTCUSDT", AT_NS, 17217_3300_0000)
    assert LINEAR.decode_frame(ticker(indexPrice="17227.36")) == MarkEvent("BTCUSDT", AT_NS, 0, 17227_3600_0000)
    assert LINEAR.decode_frame(ticker(fundingRate="0.0001")) == FundingEvent("BTCUSDT", AT_NS, 100_000_000)
    assert LINEAR.decode_frame(ticker(lastPrice="5", fundingRate="", nextFundingTime="")) == Notice(
        "tickers", "nothing new"
    )


@pytest.mark.parametrize("data", [{"markPrice": "x"}, {"fundingRate": "--1"}, {"fundingRate": "1", "nextFundingTime": "9" * 18}])  # fmt: skip
def test_an_unreadable_ticker_is_garbage(data: dict[str, str]) -> None:
    assert isinstance(LINEAR.decode_frame(ticker(**data)), Garbage)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"success": True, "ret_msg": "subscribe", "conn_id": "c", "op": "subscribe"}, "subscribe"),
        ({"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "", "op": "ping"}, "pong"),
        ({"op": "pong", "args": ["1675418560633"], "conn_id": "c"}, "pong"),
        (
            {"success": False, "ret_msg": "error:already subscribed,topic:orderbook.50.X", "op": "subscribe"},
            "subscribe",
        ),
        ({"success": False, "ret_msg": "error:no such topic", "op": "unsubscribe"}, "unsubscribe"),
        ({"topic": "kline.5.BTCUSDT", "data": []}, "kline.5.BTCUSDT"),
        ({"hello": 1}, "unknown"),
    ],
)
def test_frames_without_market_data_are_noticed(frame: dict[str, Any], expected: str) -> None:
    event = SPOT.decode_frame(dumped(frame))
    assert isinstance(event, Notice)
    assert event.kind == expected


@pytest.mark.parametrize(
    ("req_id", "ret_msg", "symbol"),
    [
        ("XUSDT", "args size >10", "XUSDT"),
        ("XUSDT:7", "error:handler not found,topic:orderbook.50.XUSDT", "XUSDT"),
        ("", "error:handler not found,topic:orderbook.50.XUSDT", "XUSDT"),
        ("", "too many requests", ""),
    ],
)
def test_a_refusal_says_whose_streams_will_not_come(req_id: str, ret_msg: str, symbol: str) -> None:
    frame = {"success": False, "ret_msg": ret_msg, "conn_id": "c", "req_id": req_id, "op": "subscribe"}
    assert SPOT.decode_frame(dumped(frame)) == SubscriptionRefused(symbol, ret_msg)


def test_a_finer_price_asks_for_scales_that_read_it() -> None:
    codec = BybitCodec(numbered=True)
    frame = book(b=[["0.0000098765", "123456789012"]], a=[])
    assert codec.decode_frame(book(b=[["0.0000098765", "12"]], a=[])) == Finer("BTCUSDT", Scales(10, 8))
    codec.set_scales("BTCUSDT", Scales(10, 0))
    event = codec.decode_frame(frame)
    assert isinstance(event, DepthDiff)
    assert (event.bid_prices, event.bid_quantities) == ((98_765,), (123_456_789_012,))
    assert codec.decode_frame(trades({"p": "0.0000098765", "v": "0.5"})) == Finer("BTCUSDT", Scales(10, 1))
    assert codec.decode_frame(ticker(markPrice="0.00000987651")) == Finer("BTCUSDT", Scales(11, 0))


def test_a_plain_figure_is_read_in_its_symbols_own_scales() -> None:
    codec = BybitCodec(numbered=True)
    codec.set_scales("BTCUSDT", Scales(10, 1))
    for kind, expected in (("delta", DepthDiff), ("snapshot", DepthReset)):
        event = codec.decode_frame(book(b=[["1.5", "3"]], a=[], type=kind))
        assert isinstance(event, expected)
        levels = event.body if isinstance(event, DepthReset) else event
        assert (levels.bid_prices, levels.bid_quantities) == ((15 * 10**9,), (30,))
    assert codec.decode_frame(DELTA.replace(b"BTC", b"ETH")) == msgspec.structs.replace(DIFF, venue_symbol="ETHUSDT")
    codec.set_scales("BTCUSDT", Scales())
    assert codec.decode_frame(DELTA) == DIFF


def recent(*rows: dict[str, Any], code: int = 0) -> bytes:
    row = {"execId": "2100000000007764263", "symbol": "BTCUSDT", "price": "16618.49", "size": "0.00012", "side": "Buy"}
    listed = [row | {"time": "1672052955758", "isBlockTrade": False} | changes for changes in rows]
    return dumped({"retCode": code, "retMsg": "OK", "result": {"category": "spot", "list": listed}, "time": 1})


def test_past_trades_of_spot_by_number_and_of_linear_by_time() -> None:
    """The venue lists the newest first; of one millisecond, too."""
    first = TradeEvent("BTCUSDT", 2100000000007764263, 1_672_052_955_758_000_000, 16618_4900_0000, 12_000, Side.BUY)
    body = recent({"execId": "2100000000007764264"}, {}, {"isBlockTrade": True})
    spot = SPOT.decode_trades(body, "BTCUSDT")
    assert isinstance(spot, tuple)
    assert spot[0] == first
    assert [trade.trade_id - first.trade_id for trade in spot] == [0, 1]
    rows = [{"execId": name, "time": time} for name, time in (("d", "9"), ("c", "8"), ("b", "8"), ("a", "7"))]
    linear = LINEAR.decode_trades(recent(*rows), "BTCUSDT")
    assert isinstance(linear, tuple)
    assert [trade.venue_ns for trade in linear] == [7_000_000, 8_000_000, 8_000_000, 9_000_000]
    named = [LINEAR.decode_frame(trades({"i": name})) for name in "abcd"]
    assert [trade.trade_id for trade in linear] == [one.trade_id for one in named if isinstance(one, TradeEvent)]
    assert SPOT.decode_trades(recent(), "BTCUSDT") == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        recent({}, code=10001),
        recent({"price": "x"}),
        recent({"time": "9" * 18}),
        recent({"symbol": "ETHUSDT"}),
        recent({"price": "0.0000000001"}),
        recent({"execId": "20f43950-d8dd-5b31-9112-a178eb6023af"}),
    ],
)
def test_past_trades_that_cannot_be_read_are_garbage(body: bytes) -> None:
    assert isinstance(SPOT.decode_trades(body, "BTCUSDT"), Garbage)


def test_a_depth_body_is_never_asked_for() -> None:
    assert isinstance(SPOT.decode_snapshot(b"{}"), Garbage)


digits = st.text(st.sampled_from("0123456789"), min_size=1, max_size=8)
decimal_texts = st.one_of(
    digits,
    st.builds(lambda whole, part: f"{whole}.{part}", digits, st.text(st.sampled_from("0123456789"), max_size=12)),
    st.sampled_from(("", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e5", "nan", " 1", "1 ", "0x1", "٣", "00.10", "1,2")),
)
levels = st.lists(st.tuples(decimal_texts, decimal_texts), max_size=6)


@given(levels, levels, st.sampled_from(("delta", "snapshot")), st.sampled_from((1, 50)))
def test_both_routes_read_the_same(bids: list[Any], asks: list[Any], kind: str, depth: int) -> None:
    frame = book(b=bids, a=asks, type=kind, topic=f"orderbook.{depth}.BTCUSDT")
    assert SPOT.decode_frame(frame) == slow_frame(frame, {}, numbered=True)


@given(st.data())
def test_both_routes_agree_on_damaged_bytes(data: st.DataObject) -> None:
    """Any byte may be another, be missing, or come twice: the fast route declines, or says what the slow one says."""
    frame = bytearray(DELTA)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(frame) - 1))
        with_what = data.draw(
            st.sampled_from([b"", bytes(frame[at : at + 1]) * 2, b'"', b",", b"[", b"0", b".", b"\xff"])
        )
        frame[at : at + 1] = with_what
    assert SPOT.decode_frame(bytes(frame)) == slow_frame(bytes(frame), {}, numbered=True)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda tail: DELTA[:60] + tail)))
def test_no_bytes_raise(payload: bytes) -> None:
    SPOT.decode_frame(payload)
    LINEAR.decode_frame(b'{"topic":"publicTrade.' + payload)
    LINEAR.decode_frame(b'{"topic":"tickers.X","ts":1,"data":' + payload)


@pytest.mark.parametrize("payload", [b"[" * 100_000, b'{"topic":"orderbook.50.X","z":' + b"[" * 100_000])
def test_deep_nesting_does_not_raise(payload: bytes) -> None:
    assert isinstance(SPOT.decode_frame(payload), Garbage)


@given(st.integers(0, 2**32), st.sampled_from((50, 200)))
def test_the_view_of_a_generated_book_is_kept_to_the_level(seed: int, depth: int) -> None:
    """Exactly `depth` levels a side at every step, without truncating anything: the venue deletes what falls out."""
    true = TrueBook(seed, levels=depth + 20)
    wire = BybitWire("BTCUSDT", 2, 6, depth)
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    last = 0
    for step in range(12):
        if step in (0, 6):
            frame = wire.snapshot(true, AT_NS) if step == 0 else wire.restart(true, AT_NS)
            event = SPOT.decode_frame(frame)
            assert isinstance(event, DepthReset)
            body = event.body
            sides = (
                dict(zip(body.bid_prices, body.bid_quantities, strict=True)),
                dict(zip(body.ask_prices, body.ask_quantities, strict=True)),
            )
            last = body.last
            assert last == (1 if step == 6 else true.update_id)
        else:
            event = SPOT.decode_frame(wire.diff(true, AT_NS))
            assert isinstance(event, DepthDiff)
            assert event.previous == last
            last = event.last
            changes = (event.bid_prices, event.bid_quantities), (event.ask_prices, event.ask_quantities)
            for side, change in zip(sides, changes, strict=True):
                for price, quantity in zip(*change, strict=True):
                    side.update({price: quantity}) if quantity else side.pop(price)
        assert last == wire.update_id(true)
        for side, whole, best in zip(sides, (true.bids, true.asks), (max, min), strict=True):
            view = sorted(whole, reverse=best is max)[:depth]
            assert side == {price * 10**6: whole[price] * 100 for price in view}
        for _ in range(5):
            true.change()
