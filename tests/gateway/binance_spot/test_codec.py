"""Frames to values: the fast route against the slow one, and both against Decimal."""

import gzip
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    Closing,
    DepthBody,
    DepthDiff,
    Garbage,
    Notice,
    QuoteEvent,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.binance_spot import codec as codec_module
from gateway.binance_spot.codec import BinanceSpotCodec
from gateway.binance_spot.decimals import UNITS_MAX
from gateway.binance_spot.slow import slow_frame, slow_snapshot

CODEC = BinanceSpotCodec()
CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"
EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "payloads" / "binance-spot-doc-examples.jsonl"
FAST_MAX = 2**53

Levels = list[tuple[str, str]]


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def depth_frame(bids: Levels, asks: Levels, *, enveloped: bool = True, symbol: str = "BTCUSDT") -> bytes:
    data = {"e": "depthUpdate", "E": 1700000000123, "s": symbol, "U": 7, "u": 9, "b": bids, "a": asks}
    return compact({"stream": f"{symbol.lower()}@depth@100ms", "data": data} if enveloped else data)


def naive_diff(bids: Levels, asks: Levels, symbol: str = "BTCUSDT") -> DepthDiff:
    def column(levels: Levels, place: int) -> tuple[int, ...]:
        return tuple(int(Decimal(level[place]) * 10**8) for level in levels)

    sides = (column(bids, 0), column(bids, 1), column(asks, 0), column(asks, 1))
    return DepthDiff(symbol, 7, 9, 1700000000123 * 1_000_000, *sides, previous=6)


def fast_diff(frame: bytes) -> DepthDiff | None:
    start = frame.find(b'"data":{') + 8 if frame.startswith(b'{"stream"') else 1
    return codec_module._fast_depth(frame, start - 1)


eight_decimals = st.integers(0, 2**53).map(lambda amount: f"{amount // 10**8}.{amount % 10**8:08d}")
any_decimals = st.integers(0, 8).flatmap(
    lambda places: st.integers(0, min(2**53, UNITS_MAX // 10 ** (8 - places))).map(
        lambda amount: f"{Decimal(amount).scaleb(-places):f}"
    )
)
fast_decimals = st.integers(0, FAST_MAX - 1).map(lambda amount: f"{amount // 10**8}.{amount % 10**8:08d}")


def levels_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Levels]:
    return st.lists(st.tuples(texts, texts), max_size=6)


@given(levels_of(fast_decimals), levels_of(fast_decimals), st.booleans())
def test_the_venues_own_texts_take_the_fast_route_and_equal_decimal(bids: Levels, asks: Levels, raw: bool) -> None:
    frame = depth_frame(bids, asks, enveloped=not raw)
    assert fast_diff(frame) == naive_diff(bids, asks)
    assert CODEC.decode_frame(frame) == naive_diff(bids, asks)


@given(levels_of(st.one_of(eight_decimals, any_decimals)), levels_of(any_decimals))
def test_every_text_of_at_most_eight_decimals_equals_decimal(bids: Levels, asks: Levels) -> None:
    assert CODEC.decode_frame(depth_frame(bids, asks)) == naive_diff(bids, asks)


odd_text = st.text(alphabet="0123456789.-+eEnaif _\u0661\\", max_size=26) | st.sampled_from(
    ["nan", "inf", "1e400", "-1.00000000", "1.000000000", "1.00000000000000000000001", "0.1234567890", "1e5", "", "."]
)


@given(odd_text, st.integers(0, 3), fast_decimals)
def test_no_odd_text_is_ever_read_as_a_wrong_number(text: str, place: int, other: str) -> None:
    """A text that Decimal or our grammar refuses is Garbage; whatever is accepted equals Decimal."""
    texts = [other, other, other, other]
    texts[place] = text
    event = CODEC.decode_frame(depth_frame([(texts[0], texts[1])], [(texts[2], texts[3])]))
    if isinstance(event, Garbage):
        return
    assert isinstance(event, DepthDiff)
    read = (*event.bid_prices, *event.bid_quantities, *event.ask_prices, *event.ask_quantities)[place]
    assert Decimal(text) * 10**8 == read
    assert len(text.partition(".")[2].rstrip("0")) <= 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-inf",
        "-1.00000000",
        "-0.00000000",
        "1e5",
        "1e-7",
        "1e400",
        "1.123456789",
        "1.0000000001",
        "9" * 40,
        "1.00000000000000000000001",
        ".50000000",
        "1.",
        "+1.00000000",
        " 1.00000000",
        "1_0.00000000",
    ],
)
@pytest.mark.parametrize(
    ("place", "field"), [(0, "b[1].price"), (1, "b[1].quantity"), (2, "a[0].price"), (3, "a[0].quantity")]
)
def test_a_bad_text_is_garbage_that_names_the_field(text: str, place: int, field: str) -> None:
    texts = ["1.00000000", "2.00000000", "3.00000000", "4.00000000"]
    texts[place] = text
    event = CODEC.decode_frame(
        depth_frame([("9.00000000", "1.00000000"), (texts[0], texts[1])], [(texts[2], texts[3])])
    )
    assert isinstance(event, Garbage)
    assert field in event.detail
    assert event.venue_symbol == "BTCUSDT"


@pytest.mark.parametrize("enveloped", [True, False])
@pytest.mark.parametrize("blank", [b"", b" "])
def test_an_event_that_ends_before_it_begins_is_garbage(blank: bytes, enveloped: bool) -> None:
    """As a diff it would lie behind a snapshot and ahead of it at once, and every later snapshot would seem too old."""
    frame = depth_frame([("1.00000000", "1.00000000")], [], enveloped=enveloped)
    first = re.search(rb'"U":([0-9]+)', frame)
    assert first is not None
    damaged = frame.replace(first[0], b'"U":' + blank + b"9" + first[1])
    event = CODEC.decode_frame(damaged)
    assert isinstance(event, Garbage)
    assert (event.venue_symbol, "ends before it begins" in event.detail) == ("BTCUSDT", True)


@pytest.mark.parametrize("number", ["1.5", "1", "null", "true", '["1.00000000"]', "{}"])
def test_a_level_that_is_no_pair_of_texts_is_garbage(number: str) -> None:
    frame = depth_frame([("1.00000000", "PLACE")], []).replace(b'"PLACE"', number.encode())
    event = CODEC.decode_frame(frame)
    assert isinstance(event, Garbage)
    assert "b[0][1]" in event.detail


MARKS = [b'"', b",", b"[", b"]", b".", b'","', b"],[", b'"],["', b"}", b":", b"0", b"a", b"b", b"-", b"e9", b"\\"]
ascii_patch = (
    st.sampled_from(MARKS)
    | st.from_regex(r"[0-9]{1,2}", fullmatch=True).map(str.encode)
    | st.text(st.characters(max_codepoint=127), min_size=1, max_size=3).map(str.encode)
)


@given(st.integers(0, 10_000), ascii_patch, st.integers(0, 4), st.booleans())
def test_a_damaged_frame_reads_alike_on_both_routes(place: int, patch: bytes, cut: int, enveloped: bool) -> None:
    """Insert, overwrite or delete anywhere in the data. Left out: bytes that are no UTF-8 in fields nobody reads."""
    frame = depth_frame([("2683.8", "3.02920000"), ("2.00000000", "0.0")], [("2.81000000", "1.5")], enveloped=enveloped)
    start = frame.find(b'"e":')
    place = start + place % (len(frame) - start)
    for damaged in (frame[:place] + patch + frame[place + cut :], frame[:place] + frame[place + len(patch) :]):
        assert CODEC.decode_frame(damaged) == slow_frame(damaged)


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


@pytest.mark.parametrize("kind", [b'"e":"depthUpdate"', b'"u":1', b'"e":"trade"'])
def test_deep_nesting_is_garbage(kind: bytes) -> None:
    """Also in a field that nobody reads, in a frame that the fast route would take."""
    assert isinstance(CODEC.decode_frame(b"[" * 100_000), Garbage)
    deep = b'"x":' + b"[" * 100_000 + b"]" * 100_000
    frame = depth_frame([("1.00000000", "2.00000000")], [], enveloped=False).replace(b'"e":"depthUpdate"', kind)
    assert isinstance(CODEC.decode_frame(frame.replace(b'"E":', deep + b',"E":')), Garbage)
    assert isinstance(CODEC.decode_snapshot(b'{"lastUpdateId":5,' + deep + b',"bids":[],"asks":[]}'), Garbage)


def test_other_field_order_and_blanks_are_read_slowly_but_alike() -> None:
    data = {
        "a": [["3.0", "4.0"]],
        "u": 9,
        "U": 7,
        "s": "BTCUSDT",
        "b": [["1.0", "2.0"]],
        "E": 1700000000123,
        "e": "depthUpdate",
    }
    frame = json.dumps({"data": data, "stream": "btcusdt@depth"}, indent=1).encode()
    assert CODEC.decode_frame(frame) == naive_diff([("1.0", "2.0")], [("3.0", "4.0")])


@pytest.mark.parametrize("symbol", ["1000SATSUSDT", "1INCHUSDT", "\uff11\uff12\uff13", "AABB"])
def test_a_symbol_with_digits_or_beyond_ascii_takes_the_fast_route(symbol: str) -> None:
    levels = [("1.00000000", "2.00000000")]
    frame = depth_frame(levels, [], symbol=symbol)
    assert fast_diff(frame) == naive_diff(levels, [], symbol)


@pytest.mark.parametrize("sides", [(1, 1), (2, 1), (1, 0), (0, 1), (0, 0)])
def test_a_digit_outside_its_quotes_is_garbage_wherever_it_stands(sides: tuple[int, int]) -> None:
    """Every place in the levels, in diff and snapshot; a first version took `,1"0.5"` for 10.5."""
    bids, asks = ([("7.5", "8.25")] * count for count in sides)
    diff = depth_frame(bids, asks)
    snapshot = compact({"lastUpdateId": 1, "bids": bids, "asks": asks})
    for frame, key, decode in ((diff, b'"b":', CODEC.decode_frame), (snapshot, b'"bids":', CODEC.decode_snapshot)):
        slow = slow_frame if frame is diff else slow_snapshot
        for place in range(frame.find(key), len(frame)):
            damaged = frame[:place] + b"1" + frame[place:]
            assert decode(damaged) == slow(damaged)


@pytest.mark.parametrize(
    "sides", [([], []), ([("1.00000000", "2.00000000")], []), ([], [("1.00000000", "2.00000000")])]
)
@pytest.mark.parametrize("enveloped", [True, False])
def test_an_empty_side_is_read(sides: tuple[Levels, Levels], enveloped: bool) -> None:
    assert fast_diff(depth_frame(*sides, enveloped=enveloped)) == naive_diff(*sides)


def test_a_quantity_past_the_fast_range_is_read_exactly() -> None:
    levels = [("0.00000001", "46116860414.00000001"), ("0.00000002", f"{FAST_MAX // 10**8}.{FAST_MAX % 10**8:08d}")]
    frame = depth_frame(levels, [])
    assert fast_diff(frame) is None
    assert CODEC.decode_frame(frame) == naive_diff(levels, [])


@pytest.mark.parametrize("enveloped", [True, False])
def test_a_quote_and_a_trade_are_read(enveloped: bool) -> None:
    quote = {"u": 400900217, "s": "BNBUSDT", "b": "25.35190000", "B": "31.21000000", "a": "25.3652", "A": "40"}
    trade = {
        "e": "trade",
        "E": 1,
        "s": "BNBBTC",
        "t": 12345,
        "p": "0.001",
        "q": "100",
        "T": 1672515782136,
        "m": True,
        "M": True,
    }
    frames = [
        compact({"stream": "x@y", "data": data} if enveloped else data)
        for data in (quote, trade, {**trade, "m": False})
    ]
    assert [CODEC.decode_frame(frame) for frame in frames] == [
        QuoteEvent("BNBUSDT", 400900217, 2535190000, 3121000000, 2536520000, 4000000000),
        TradeEvent("BNBBTC", 12345, 1672515782136000000, 100000, 10000000000, Side.SELL),
        TradeEvent("BNBBTC", 12345, 1672515782136000000, 100000, 10000000000, Side.BUY),
    ]


@pytest.mark.parametrize("enveloped", [True, False])
@pytest.mark.parametrize(("name", "field"), [("quote", "b"), ("quote", "A"), ("trade", "p"), ("trade", "q")])
@pytest.mark.parametrize("text", ["nan", "-1.00000000", "1.123456789", "", "1e5"])
def test_a_bad_number_in_a_quote_or_trade_is_garbage_that_names_it(
    enveloped: bool, name: str, field: str, text: str
) -> None:
    quote: dict[str, Any] = {"u": 1, "s": "BNBUSDT", "b": "1", "B": "1", "a": "1", "A": "1"}
    trade = {"e": "trade", "E": 1, "s": "BNBBTC", "t": 1, "p": "1", "q": "1", "T": 1, "m": True}
    data = {**(quote if name == "quote" else trade), field: text}
    event = CODEC.decode_frame(compact({"stream": "x@y", "data": data} if enveloped else data))
    assert isinstance(event, Garbage)
    assert f"{field}:" in event.detail


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"result": None, "id": 1}, "answer"),
        (
            {"stream": "x@aggTrade", "data": {"e": "aggTrade", "s": "X", "p": "1", "q": "1", "T": 1, "m": True}},
            "aggTrade",
        ),
        ({"e": "24hrTicker"}, "24hrTicker"),
        ({"e": "depthUpdate2"}, "depthUpdate2"),
        ({"lastUpdateId": 160, "bids": [], "asks": []}, "unknown"),
        ([{}], "list"),
        ({"stream": "!ticker@arr", "data": []}, "!ticker@arr"),
    ],
)
def test_a_frame_without_our_market_data_is_a_notice_of_its_kind(frame: Any, kind: str) -> None:
    event = CODEC.decode_frame(compact(frame))
    assert isinstance(event, Notice)
    assert event.kind == kind


@pytest.mark.parametrize(
    "frame",
    [
        {"e": "serverShutdown", "E": 1770123456789},
        {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1770123456789}},
    ],
)
def test_a_server_that_will_shut_down_says_so(frame: Any) -> None:
    event = CODEC.decode_frame(compact(frame))
    assert isinstance(event, Closing)
    assert "1770123456789" in event.detail


@pytest.mark.parametrize(
    "frame",
    [
        {"code": 2, "msg": "Invalid request: more than 1024 streams", "id": 1},
        {"error": {"code": 2, "msg": "Invalid request: more than 1024 streams"}, "id": 1},
    ],
)
def test_a_request_that_is_refused_names_no_symbol_and_keeps_the_venues_words(frame: Any) -> None:
    assert CODEC.decode_frame(compact(frame)) == SubscriptionRefused("", compact(frame).decode())


def test_a_diff_that_is_cut_anywhere_names_its_symbol_as_soon_as_it_stands_there() -> None:
    frame = depth_frame([("1.00000000", "2.00000000")], [("3.00000000", "4.00000000")])
    named = len(b'{"stream":"btcusdt@')
    for cut in range(1, len(frame)):
        event = CODEC.decode_frame(frame[:cut])
        assert isinstance(event, Garbage)
        assert event.venue_symbol == ("BTCUSDT" if cut >= named else "")


@given(levels_of(any_decimals), levels_of(fast_decimals))
def test_a_snapshot_equals_decimal(bids: Levels, asks: Levels) -> None:
    body = compact({"lastUpdateId": 1027024, "bids": bids, "asks": asks})
    diff = naive_diff(bids, asks)
    expected = DepthBody(1027024, diff.bid_prices, diff.bid_quantities, diff.ask_prices, diff.ask_quantities)
    assert CODEC.decode_snapshot(body) == expected
    assert slow_snapshot(body) == expected


def test_a_bad_snapshot_is_garbage_that_names_the_field() -> None:
    body = compact({"lastUpdateId": 1, "bids": [["1", "nan"]], "asks": []})
    assert CODEC.decode_snapshot(body) == Garbage(
        "depth snapshot: bids[0].quantity: 'nan' is no decimal of at most 8 places below 2^63"
    )


@pytest.mark.skipif(not CAPTURES.exists(), reason="no recorded data beside the repository")
@pytest.mark.parametrize(
    "name", ["binance-spot-ethusdt-20240808", "binance-spot-many-30s", "binance-us-btcusdt-2026", "binance-us-many-30s"]
)
def test_recorded_traffic_reads_alike_on_both_routes_and_never_needs_the_slow_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[bytes] = []
    monkeypatch.setattr(codec_module, "slow_frame", lambda payload, _: slow.append(payload) or slow_frame(payload))
    seen = 0
    with gzip.open(CAPTURES / f"{name}.jsonl.gz", "rt") as lines:
        next(lines)
        for number, line in enumerate(lines):
            _, kind, address, text = json.loads(line)
            if kind == "recv" and (
                number < 2000 or number % 20 == 0
            ):  # two thousand, then a sample: seconds, not a minute
                assert CODEC.decode_frame(text.encode()) == slow_frame(text.encode())
                seen += 1
            elif kind == "rest" and "depth" in address:
                assert codec_module._fast_snapshot(text.encode()) == slow_snapshot(text.encode())
    assert seen > 20
    assert {type(slow_frame(payload)) for payload in slow} <= {Notice}


@pytest.mark.skipif(not EXAMPLES.exists(), reason="no example payloads beside the repository")
def test_every_market_data_example_of_the_docs_is_read() -> None:
    kinds = set()
    with EXAMPLES.open() as lines:
        for line in lines:
            example = json.loads(line)
            if example["doc"] == "web-socket-streams.md":
                event = CODEC.decode_frame(compact(example["json"]))
                assert not isinstance(event, Garbage), example
                kinds.add(type(event))
            if example["section"] == "Order book" and "lastUpdateId" in example["json"]:
                assert isinstance(CODEC.decode_snapshot(compact(example["json"])), DepthBody)
    assert kinds == {DepthDiff, QuoteEvent, TradeEvent, Notice, Closing}
