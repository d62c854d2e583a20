"""Frames to values: the fast route against the slow one, and both against Decimal."""

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    Batch,
    Closing,
    DepthBody,
    DepthDiff,
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
from gateway.binance_usdm import codec as codec_module
from gateway.binance_usdm.codec import BinanceUsdmCodec
from gateway.binance_usdm.slow import slow_frame, slow_snapshot
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.binance_usdm import BinanceUsdmWire
from tests.gateway.wire.replay import CAPTURES, lines

CODEC = BinanceUsdmCodec()
NAMES = ("binance-usdm-many-30s", "binance-usdm-ethusdt-20240808")
AT_NS = 1_700_000_000_123_000_000
UNITS_MAX = 2**63 - 1

Levels = list[tuple[str, str]]


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def depth_frame(bids: Levels, asks: Levels, *, enveloped: bool = True, stream: str = "depth@100ms") -> bytes:
    data = {"e": "depthUpdate", "E": AT_NS // 1_000_000, "T": 1_700_000_000_120, "s": "BTCUSDT", "U": 70, "u": 90}
    data |= {"pu": 63, "b": bids, "a": asks}
    return compact({"stream": f"btcusdt@{stream}", "data": data} if enveloped else data)


def naive_diff(bids: Levels, asks: Levels, scales: Scales = Scales()) -> DepthDiff:  # noqa: B008  # a frozen tuple
    def column(levels: Levels, place: int) -> tuple[int, ...]:
        return tuple(int(Decimal(level[place]).scaleb(scales[place])) for level in levels)

    sides = (column(bids, 0), column(bids, 1), column(asks, 0), column(asks, 1))
    return DepthDiff("BTCUSDT", 70, 90, AT_NS, *sides, previous=63)


def fast_diff(frame: bytes) -> DepthDiff | None:
    return codec_module._fast_depth(frame, {})


texts = st.integers(0, 8).flatmap(
    lambda places: st.integers(0, UNITS_MAX // 10 ** (8 - places)).map(
        lambda amount: f"{Decimal(amount).scaleb(-places):f}"
    )
)
usual_texts = st.integers(0, 4).flatmap(
    lambda places: st.integers(0, 2 * 10**7).map(lambda amount: f"{Decimal(amount).scaleb(-places):f}")
)


def levels_of(one: st.SearchStrategy[str]) -> st.SearchStrategy[Levels]:
    return st.lists(st.tuples(one, one), max_size=6)


@given(levels_of(usual_texts), levels_of(usual_texts), st.booleans())
def test_the_venues_own_texts_take_the_fast_route_and_equal_decimal(bids: Levels, asks: Levels, raw: bool) -> None:
    frame = depth_frame(bids, asks, enveloped=not raw)
    assert fast_diff(frame) == naive_diff(bids, asks)
    assert CODEC.decode_frame(frame) == slow_frame(frame) == naive_diff(bids, asks)


@given(st.data(), st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_in_any_scales_both_routes_equal_decimal(data: st.DataObject, price: int, quantity: int, other: bool) -> None:
    """Beside a symbol in other scales, too, and in its snapshot."""
    scales = Scales(price, quantity)
    prices, quantities = (
        st.integers(0, 2**53 - 1).map(lambda amount, scale=scale: f"{Decimal(amount).scaleb(-scale):f}")
        for scale in scales
    )
    bids, asks = (data.draw(st.lists(st.tuples(prices, quantities), max_size=6)) for _ in "ba")
    frame, known, naive = depth_frame(bids, asks), {"BTCUSDT": scales}, naive_diff(bids, asks, scales)
    codec = BinanceUsdmCodec()
    codec.set_scales("BTCUSDT", scales)
    codec.set_scales("BTCUSDT_261225" if other else "ETHUSDT", Scales(1, 1))
    assert codec_module._fast_depth(frame, known) == codec.decode_frame(frame) == slow_frame(frame, known) == naive
    body = compact({"lastUpdateId": 5, "bids": bids, "asks": asks})
    sides = (naive.bid_prices, naive.bid_quantities, naive.ask_prices, naive.ask_quantities)
    assert codec_module._fast_snapshot(body, scales) == codec.decode_snapshot(body, "BTCUSDT") == DepthBody(5, *sides)


@given(levels_of(texts), levels_of(texts))
def test_every_text_of_at_most_eight_decimals_equals_decimal(bids: Levels, asks: Levels) -> None:
    assert CODEC.decode_frame(depth_frame(bids, asks)) == naive_diff(bids, asks)
    body = compact({"lastUpdateId": 5, "E": 1, "T": 1, "bids": bids, "asks": asks})
    naive = naive_diff(bids, asks)
    sides = (naive.bid_prices, naive.bid_quantities, naive.ask_prices, naive.ask_quantities)
    assert CODEC.decode_snapshot(body) == slow_snapshot(body) == DepthBody(5, *sides)


odd_text = st.text(alphabet="0123456789.-+eEnaif _\u0661\\", max_size=26) | st.sampled_from(
    ["nan", "inf", "1e400", "-1.00", "1.000000001", "0.1234567890", "1e5", "", ".", "1.", ".5", "9" * 40]
)


@given(odd_text, st.integers(0, 3), usual_texts)
def test_no_odd_text_is_ever_read_as_a_wrong_number(text: str, place: int, other: str) -> None:
    four = [other] * 4
    four[place] = text
    event = CODEC.decode_frame(depth_frame([(four[0], four[1])], [(four[2], four[3])]))
    if isinstance(event, Garbage):
        assert event.venue_symbol == "BTCUSDT"
        return
    assert isinstance(event, DepthDiff)
    read = (*event.bid_prices, *event.bid_quantities, *event.ask_prices, *event.ask_quantities)[place]
    assert Decimal(text) * 10**8 == read


MARKS = [b'"', b",", b"[", b"]", b".", b'","', b"],[", b'"],["', b"}", b":", b"0", b"a", b"b", b"-", b"e9", b"\\"]
patches = (
    st.sampled_from(MARKS)
    | st.from_regex(r"[0-9]{1,2}", fullmatch=True).map(str.encode)
    | st.text(st.characters(max_codepoint=127), min_size=1, max_size=3).map(str.encode)
)
"""ASCII: the socket refuses a frame that is no UTF-8 before a codec sees it."""


def assert_alike(frame: bytes) -> None:
    """Left out: numbers beyond a double in fields that nobody reads, over which only the slow route stumbles."""
    event, slow = CODEC.decode_frame(frame), slow_frame(frame)
    if not (isinstance(slow, Garbage) and "out of range" in slow.detail):
        assert event == slow


@given(st.integers(0, 10_000), patches, st.integers(0, 4), st.booleans())
def test_a_damaged_diff_reads_alike_on_both_routes(place: int, patch: bytes, cut: int, enveloped: bool) -> None:
    frame = depth_frame([("2683.8", "3.0292"), ("2", "0")], [("2.81", "1.5")], enveloped=enveloped)
    place %= len(frame)
    for damaged in (frame[:place] + patch + frame[place + cut :], frame[:place] + frame[place + len(patch) :]):
        assert_alike(damaged)


@pytest.mark.parametrize("enveloped", [True, False])
@pytest.mark.parametrize("blank", [b"", b" "])
def test_an_event_that_ends_before_it_begins_is_garbage(blank: bytes, enveloped: bool) -> None:
    frame = depth_frame([("1.5", "1")], [], enveloped=enveloped)
    first = re.search(rb'"U":([0-9]+)', frame)
    assert first is not None
    event = CODEC.decode_frame(frame.replace(first[0], b'"U":' + blank + b"9" + first[1]))
    assert isinstance(event, Garbage)
    assert (event.venue_symbol, "ends before it begins" in event.detail) == ("BTCUSDT", True)


def wire_frames() -> list[bytes]:
    wire, book = BinanceUsdmWire("BTCUSDT", 2, 3), TrueBook(7, levels=8)
    wire.snapshot(book, AT_NS)
    for _ in range(12):
        book.change()
    marked = wire.mark(1_000_000, 1_000_001, "-0.00010000", AT_NS)
    return [wire.diff(book, AT_NS), wire.quote(book, AT_NS), wire.trade(9, 1_000_000, 5, True, AT_NS), marked]


WIRE = wire_frames()


@given(st.sampled_from(WIRE), st.integers(0, 10_000), patches, st.integers(0, 4))
def test_a_damaged_frame_of_any_kind_is_read_as_decimal_reads_it_or_not_at_all(
    frame: bytes, place: int, patch: bytes, cut: int
) -> None:
    place %= len(frame)
    damaged = frame[:place] + patch + frame[place + cut :]
    event = CODEC.decode_frame(damaged)
    if isinstance(event, DepthDiff | QuoteEvent | TradeEvent):
        assert event == naive_event(json.loads(damaged, parse_constant=str))


def naive_event(frame: dict[str, Any]) -> DepthDiff | QuoteEvent | TradeEvent:
    data = frame["data"] if "stream" in frame and "data" in frame else frame

    def units(text: str) -> int:
        return int(Decimal(text).scaleb(8))

    if data["e"] == "depthUpdate":
        sides = [tuple(units(row[place]) for row in data[side]) for side in "ba" for place in (0, 1)]
        return DepthDiff(data["s"], data["U"], data["u"], data["E"] * 1_000_000, *sides, previous=data["pu"])
    if data["e"] == "bookTicker":
        figures = [units(data[name]) for name in "bBaA"]
        return QuoteEvent(data["s"], data["u"], *figures, data.get("E", 0) * 1_000_000)
    number = max(data.get("a", -1), data.get("t", -1))
    side = Side.SELL if data["m"] else Side.BUY
    return TradeEvent(data["s"], number, data["T"] * 1_000_000, units(data["p"]), units(data["q"]), side)


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda leaf: st.lists(leaf) | st.dictionaries(st.sampled_from(["stream", "data", "e", "u", "b"]), leaf),
    ).map(compact)
)
def test_nothing_that_a_venue_may_send_raises(payload: bytes) -> None:
    assert CODEC.decode_frame(payload) is not None
    assert isinstance(CODEC.decode_snapshot(payload), Garbage)
    assert CODEC.decode_trades(payload, "X") == () or isinstance(CODEC.decode_trades(payload, "X"), Garbage)


@pytest.mark.parametrize("name", ["depthUpdate", "bookTicker", "aggTrade"])
def test_deep_nesting_is_garbage(name: str) -> None:
    """Also in a field that nobody reads, in a frame that the fast route would take."""
    assert isinstance(CODEC.decode_frame(b"[" * 100_000), Garbage)
    deep = b"[" * 100_000 + b"]" * 100_000
    frame = depth_frame([("1", "2")], [], enveloped=False).replace(b"depthUpdate", name.encode())
    assert isinstance(CODEC.decode_frame(frame.replace(b'"E":', b'"x":' + deep + b',"E":')), Garbage)
    body = b'{"lastUpdateId":5,"x":' + deep + b',"bids":[],"asks":[]}'
    assert isinstance(CODEC.decode_snapshot(body), Garbage)


@pytest.mark.parametrize("enveloped", [True, False])
def test_quotes_trades_and_aggregates_are_read(enveloped: bool) -> None:
    quote = {
        "e": "bookTicker",
        "u": 40,
        "s": "BNBUSDT",
        "b": "25.35",
        "B": "31",
        "a": "25.3652",
        "A": "40",
        "T": 2,
        "E": 3,
    }
    aggregate = {"e": "aggTrade", "E": 5, "a": 12, "s": "BNBUSDT", "p": "0.001", "q": "100", "f": 7, "l": 9, "T": 4}
    trade = {"e": "trade", "E": 5, "T": 4, "s": "BNBUSDT", "t": 9, "p": "0.001", "q": "100", "X": "MARKET", "m": False}
    frames = [
        compact({"stream": "x@y", "data": data} if enveloped else data)
        for data in (quote, aggregate | {"m": True, "nq": "100"}, trade)
    ]
    assert [CODEC.decode_frame(frame) for frame in frames] == [
        QuoteEvent("BNBUSDT", 40, 2_535_000_000, 3_100_000_000, 2_536_520_000, 4_000_000_000, 3_000_000),
        TradeEvent("BNBUSDT", 12, 4_000_000, 100_000, 10_000_000_000, Side.SELL),
        TradeEvent("BNBUSDT", 9, 4_000_000, 100_000, 10_000_000_000, Side.BUY),
    ]
    assert [slow_frame(frame) for frame in frames] == [CODEC.decode_frame(frame) for frame in frames]


@pytest.mark.parametrize(("rate", "read"), [("0.00038167", 381_670_000), ("-0.00010000", -100_000_000), ("0", 0)])
def test_a_mark_comes_with_its_funding(rate: str, read: int) -> None:
    data = {"e": "markPriceUpdate", "E": 7, "s": "BTCUSDT", "p": "11794.15", "i": "11784.62659091", "r": rate, "T": 8}
    assert CODEC.decode_frame(compact({"stream": "btcusdt@markPrice@1s", "data": data})) == Batch(
        (
            MarkEvent("BTCUSDT", 7_000_000, 1_179_415_000_000, 1_178_462_659_091),
            FundingEvent("BTCUSDT", 7_000_000, read, 8_000_000),
        )
    )


def test_a_contract_that_ends_pays_no_funding() -> None:
    data = {"e": "markPriceUpdate", "E": 7, "s": "BTCUSDT_261225", "p": "1", "i": "2", "P": "1", "r": "", "T": 0}
    mark = MarkEvent("BTCUSDT_261225", 7_000_000, 100_000_000, 200_000_000)
    assert CODEC.decode_frame(compact(data)) == Batch((mark,))


@pytest.mark.parametrize("rate", ["x", "--1", "+1", "1e-4", "0.0000000000001"])
def test_a_rate_that_is_no_decimal_is_garbage(rate: str) -> None:
    data = {"e": "markPriceUpdate", "E": 7, "s": "BTCUSDT", "p": "1", "i": "2", "r": rate, "T": 8}
    event = CODEC.decode_frame(compact(data))
    assert isinstance(event, Garbage)
    assert (event.venue_symbol, "r:" in event.detail) == ("BTCUSDT", True)


@pytest.mark.parametrize("stream", ["depth5", "depth20@100ms", "rpiDepth@500ms"])
def test_a_partial_book_is_no_diff_though_it_is_called_one(stream: str) -> None:
    frame = depth_frame([("1", "2")], [], stream=stream)
    event = CODEC.decode_frame(frame)
    assert isinstance(event, Notice)
    assert (event.kind, slow_frame(frame)) == ("partial depth", event)


@pytest.mark.parametrize("stream", ["depth", "depth@0ms", "depth@100ms", "depth@500ms"])
def test_a_diff_of_any_speed_is_one(stream: str) -> None:
    frame = depth_frame([("1", "2")], [], stream=stream)
    assert fast_diff(frame) == slow_frame(frame) == naive_diff([("1", "2")], [])


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"result": None, "id": 1}, "answer"),
        ({"stream": "x@forceOrder", "data": {"e": "forceOrder", "E": 1, "o": {"s": "X"}}}, "forceOrder"),
        ({"stream": "!contractInfo", "data": {"e": "contractInfo", "s": "X"}}, "contractInfo"),
        ({"stream": "!markPrice@arr", "data": []}, "!markPrice@arr"),
        ({"e": "somethingNew"}, "somethingNew"),
        ({}, "unknown"),
        ([{}], "list"),
    ],
)
def test_a_frame_without_our_market_data_is_a_notice_of_its_kind(frame: Any, kind: str) -> None:
    event = CODEC.decode_frame(compact(frame))
    assert isinstance(event, Notice)
    assert event.kind == kind


def test_a_shutdown_and_a_refusal_are_told_apart_from_notices() -> None:
    assert isinstance(CODEC.decode_frame(compact({"e": "serverShutdown", "E": 1})), Closing)
    refused = compact({"error": {"code": 2, "msg": "Invalid request"}, "id": 1})
    assert CODEC.decode_frame(refused) == SubscriptionRefused("", refused.decode())


def test_unknown_fields_are_read_past() -> None:
    frame = depth_frame([("1", "2")], [("3", "4")])
    for place in (b'"E":', b'"b":'):
        assert fast_diff(frame.replace(place, b'"new":{"b":[1]},' + place, 1)) in (
            None,
            naive_diff([("1", "2")], [("3", "4")]),
        )
        assert CODEC.decode_frame(frame.replace(place, b'"new":{"b":[1]},' + place, 1)) == CODEC.decode_frame(frame)


def test_a_figure_finer_than_its_scales_says_what_would_hold_the_frame() -> None:
    codec = BinanceUsdmCodec()
    codec.set_scales("BTCUSDT", Scales(2, 0))
    assert codec.decode_frame(depth_frame([("1.25", "3.0")], [("2.50", "4")])) == DepthDiff(
        "BTCUSDT", 70, 90, AT_NS, (125,), (3,), (250,), (4,), previous=63
    )
    assert codec.decode_frame(depth_frame([("1.125", "3")], [("2", "0.25")])) == Finer("BTCUSDT", Scales(3, 2))
    assert codec.decode_frame(WIRE[1]) == Finer("BTCUSDT", Scales(2, 3))
    body = compact({"lastUpdateId": 5, "bids": [("1.5", "3.5")], "asks": []})
    assert codec.decode_snapshot(body, "ETHUSDT") == DepthBody(5, (150_000_000,), (350_000_000,), (), ())
    assert codec.decode_snapshot(body, "BTCUSDT") == Garbage("depth snapshot: bids[0].quantity: 3.5 needs 1 decimals")
    codec.set_scales("BTCUSDT", Scales())
    assert fast_diff(WIRE[0]) == codec.decode_frame(WIRE[0])


def test_past_trades_are_the_streams_aggregates() -> None:
    body = compact([{"a": 26129, "p": "0.01633102", "q": "4.7", "f": 1, "l": 1, "T": 1498793709153, "m": True}])
    assert CODEC.decode_trades(body, "X") == (
        TradeEvent("X", 26129, 1498793709153000000, 1_633_102, 470_000_000, Side.SELL),
    )
    bad = compact([{"a": 1, "p": "nan", "q": "1", "T": 1, "m": True}])
    event = CODEC.decode_trades(bad, "X")
    assert isinstance(event, Garbage)
    assert ("p:" in event.detail, event.venue_symbol) == (True, "X")


@pytest.mark.skipif(not CAPTURES.exists(), reason="recorded captures are not beside the repository")
@pytest.mark.parametrize("name", NAMES)
def test_recorded_traffic_reads_alike_on_both_routes_and_never_needs_the_slow_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[bytes] = []
    monkeypatch.setattr(codec_module, "slow_frame", lambda payload, _: slow.append(payload) or slow_frame(payload))
    kinds: Counter[str] = Counter()
    for number, (kind, address, payload) in enumerate(lines(CAPTURES / f"{name}.jsonl.gz")):
        if kind == "recv":
            event = CODEC.decode_frame(payload)
            kinds[type(event).__name__] += 1
            if number < 2_000 or number % 10 == 0:  # all are read; of the most, every tenth twice
                assert event == slow_frame(payload)
        elif "/depth" in address:
            assert CODEC.decode_snapshot(payload) == slow_snapshot(payload)
    assert kinds.keys() <= {"DepthDiff", "QuoteEvent", "TradeEvent", "Notice"}
    assert {type(slow_frame(payload)) for payload in slow} <= {Notice}


@pytest.mark.skipif(not CAPTURES.exists(), reason="recorded captures are not beside the repository")
@given(place=st.integers(0, 100_000), patch=patches, cut=st.integers(0, 4), number=st.integers(0, 400))
def test_a_damaged_recording_never_raises_or_gives_another_value(
    place: int, patch: bytes, cut: int, number: int
) -> None:
    frame = RECORDED[number % len(RECORDED)]
    place %= len(frame)
    damaged = frame[:place] + patch + frame[place + cut :]
    event = CODEC.decode_frame(damaged)
    assert_alike(damaged)
    if isinstance(event, DepthDiff | QuoteEvent | TradeEvent):
        assert event == naive_event(json.loads(damaged, parse_constant=str))


def recorded() -> list[bytes]:
    if not CAPTURES.exists():
        return []
    every = lines(CAPTURES / "binance-usdm-many-30s.jsonl.gz")
    return [payload for kind, _, payload in every if kind == "recv"][:400]


RECORDED = recorded()
