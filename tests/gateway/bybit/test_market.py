"""What is said to Bybit stays within its limits, and its instruments are read with every filter."""

import json
from typing import Any

import pytest

from bus.messages import Stream
from bus.messages.feed import Garbage, SubscriptionRefused
from gateway.bybit.market import STREAMS_MAX, Bybit
from gateway.doors.line import CONTROL_FRAMES
from gateway.market import VenueMarket
from gateway.text import SymbolError

SPOT_BTC: dict[str, Any] = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading",
    "lotSizeFilter": {
        "basePrecision": "0.000001", "quotePrecision": "0.0000001", "minOrderQty": "0.000011", "maxOrderQty": "83",
        "minOrderAmt": "5", "maxOrderAmt": "8000000", "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5",
    },
    "priceFilter": {"tickSize": "0.1"},
    "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
}  # fmt: skip
"""From the documents ("Get Instruments Info", example of spot)."""
LINEAR_BTC: dict[str, Any] = {
    "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT",
    "priceFilter": {"minPrice": "0.10", "maxPrice": "199999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "100.000", "maxMktOrderQty": "100.000", "minOrderQty": "0.001", "qtyStep": "0.001",
        "postOnlyMaxOrderQty": "1000.000", "minNotionalValue": "5",
    },
}  # fmt: skip
"""From the documents (example of linear)."""


def body(*symbols: dict[str, Any], cursor: str = "", code: int = 0) -> bytes:
    result = {"category": "spot", "list": list(symbols), "nextPageCursor": cursor}
    return json.dumps({"retCode": code, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}).encode()


def read(one: dict[str, Any]) -> Any:
    return Bybit().read_instruments([body(one)], [one["symbol"]], account=3, venue=4)[0]


def test_both_categories_have_the_shape_of_a_venue() -> None:
    venues: list[VenueMarket] = [Bybit(), Bybit("linear")]
    assert [venue.name for venue in venues] == ["bybit", "bybit-linear"]
    assert [Stream.MARK in venue.streams for venue in venues] == [False, True]
    assert [venue.snapshot_path("BTCUSDT", 50) for venue in venues] == ["", ""]


@pytest.mark.parametrize("category", ["spot", "linear"])
@pytest.mark.parametrize("count", [0, 1, 10, 126, 1_000])
def test_a_plan_asks_for_every_stream_once_within_the_limits(category: Any, count: int) -> None:
    venue = Bybit(category)
    symbols = [f"1000000COIN{number:04d}USDT" for number in range(count)]
    plans = venue.plan(symbols, venue.streams, 50)
    asked: list[str] = []
    for plan in plans:
        assert plan.path == f"/v5/public/{category}"
        args = [json.loads(frame)["args"] for frame in plan.opening]
        topics = [topic for frame in args for topic in frame]
        assert all(len(frame) <= 10 for frame in args)
        assert len(json.dumps(topics, separators=(",", ":"))) <= 21_000
        assert len(topics) <= STREAMS_MAX
        assert [json.loads(frame)["req_id"] for frame in plan.opening] == list(plan.venue_symbols)
        asked += topics
    assert [symbol for plan in plans for symbol in plan.venue_symbols] == symbols
    assert len(asked) == len(set(asked)) == count * len(venue.streams)
    assert len(plans) == -(-count // (STREAMS_MAX // len(venue.streams)))


@pytest.mark.parametrize("category", ["spot", "linear"])
def test_a_connection_has_asked_for_all_its_books_before_one_seems_late(category: Any) -> None:
    """A book that is not here ten seconds after the connection opened is asked for again, while its turn has not come yet."""
    venue = Bybit(category)
    plan = venue.plan([f"COIN{number:04d}USDT" for number in range(1_000)], venue.streams, 50)[0]
    assert len(plan.opening) / (venue.limits.frames_per_s - CONTROL_FRAMES) < 8.0


@pytest.mark.parametrize(("levels", "depth"), [(1, 50), (50, 50), (51, 200), (200, 200), (201, 1_000), (5_000, 1_000)])
def test_the_smallest_topic_that_has_the_levels(levels: int, depth: int) -> None:
    (plan,) = Bybit().plan(["BTCUSDT"], [Stream.DEPTH], levels)
    assert json.loads(plan.opening[0])["args"] == [f"orderbook.{depth}.BTCUSDT"]


def test_a_stream_of_another_category_is_not_asked_for() -> None:
    (plan,) = Bybit().plan(["BTCUSDT"], [Stream.TRADE, Stream.MARK], 50)
    assert plan.streams == (Stream.TRADE,)


def test_a_renewed_subscription_that_is_refused_says_whose_it_was() -> None:
    venue = Bybit()
    first, second = map(json.loads, venue.renew("BTCUSDT", Stream.DEPTH, 50, 7))
    assert (first["op"], second["op"]) == ("unsubscribe", "subscribe")
    assert first["args"] == second["args"] == ["orderbook.50.BTCUSDT"]
    answer = {"success": False, "ret_msg": "busy", "conn_id": "c", "req_id": second["req_id"], "op": "subscribe"}
    assert venue.codec().decode_frame(json.dumps(answer).encode()) == SubscriptionRefused("BTCUSDT", "busy")


@pytest.mark.parametrize(
    ("category", "limit", "asked"), [("spot", 1_000, 60), ("linear", 5_000, 1_000), ("spot", 7, 7)]
)
def test_the_latest_trades_are_asked_for_a_page_at_most(category: Any, limit: int, asked: int) -> None:
    path = Bybit(category).trades_path("BTCUSDT", 5, limit)
    assert path == f"/v5/market/recent-trade?category={category}&symbol=BTCUSDT&limit={asked}"


def test_the_venues_clock() -> None:
    time = b'{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1688639403","timeNano":"1688639403423213947"},"time":1}'
    assert Bybit().read_time(time) == 1_688_639_403_423_213_947
    for wrong in (
        b"",
        b"{}",
        b'{"retCode":10006,"retMsg":"busy","result":{}}',
        time.replace(b'"16886394034', b'"x'),
        time.replace(b'"16', b'"-16'),
    ):
        assert isinstance(Bybit().read_time(wrong), Garbage)
    assert isinstance(Bybit().read_time(time.replace(b"1688639403423213947", b"9" * 19)), Garbage)  # over 64 bits


def test_a_spot_symbol_with_every_filter() -> None:
    found = read(SPOT_BTC)
    assert (found.venue_symbol, found.base_asset, found.quote_asset) == ("BTCUSDT", "BTC", "USDT")
    assert (found.account, found.venue, found.instrument, found.version) == (3, 4, 0, 1)
    assert (found.price_scale, found.quantity_scale, found.base_scale, found.quote_scale) == (8, 8, 8, 8)
    assert (found.tick, found.lot) == (1000_0000, 100)
    assert (found.min_price_ticks, found.max_price_ticks, found.min_lots, found.max_lots) == (0, 0, 11, 83_000_000)
    assert (found.min_notional, found.max_notional) == (5_0000_0000, 8_000_000_0000_0000)


def test_a_linear_contract_with_every_filter() -> None:
    found = read(LINEAR_BTC)
    assert (found.tick, found.lot) == (1000_0000, 10_0000)
    assert (found.min_price_ticks, found.max_price_ticks) == (1, 1_999_998)
    assert (found.min_lots, found.max_lots, found.min_notional, found.max_notional) == (1, 100_000, 5_0000_0000, 0)


def test_a_coin_of_tiny_prices_and_huge_quantities_gets_scales_that_hold_it() -> None:
    lots = SPOT_BTC["lotSizeFilter"] | {"basePrecision": "0.1", "minOrderQty": "100", "maxLimitOrderQty": "99999999999"}
    found = read(SPOT_BTC | {"symbol": "PEPEUSDT", "priceFilter": {"tickSize": "0.0000000001"}, "lotSizeFilter": lots})
    assert (found.price_scale, found.quantity_scale, found.tick, found.lot) == (10, 1, 1, 1)
    assert (found.min_lots, found.max_lots) == (1_000, 999_999_999_990)


@pytest.mark.parametrize(
    ("answer", "wanted", "field"),
    [
        (b"no JSON", ["BTCUSDT"], "result"),
        (b"{}", ["BTCUSDT"], "result"),
        (body(code=10001), ["BTCUSDT"], "result"),
        (body(SPOT_BTC), ["BTC-USDT"], "symbol"),
        (body(SPOT_BTC, cursor="next"), ["ZZZ"], "symbol"),
        (body(SPOT_BTC), ["BTCUSDT", "BTCUSDT"], "symbol"),
        (body(SPOT_BTC | {"status": "PreLaunch"}), ["BTCUSDT"], "status"),
        (body(SPOT_BTC | {"priceFilter": {}}), ["BTCUSDT"], "symbol"),
        (body(SPOT_BTC | {"priceFilter": {"tickSize": "0"}}), ["BTCUSDT"], "priceFilter.tickSize"),
        (body(SPOT_BTC | {"priceFilter": {"tickSize": "-1"}}), ["BTCUSDT"], "priceFilter.tickSize"),
        (body(SPOT_BTC | {"lotSizeFilter": {}}), ["BTCUSDT"], "lotSizeFilter.qtyStep"),
    ],
)
def test_metadata_that_do_not_give_what_is_asked_name_field_and_remedy(
    answer: bytes, wanted: list[str], field: str
) -> None:
    with pytest.raises(SymbolError) as error:
        Bybit().read_instruments([answer], wanted, account=0, venue=0)
    assert error.value.field == field
    assert error.value.remedy


def test_a_misspelled_symbol_is_recognized() -> None:
    with pytest.raises(SymbolError, match="did you mean BTCUSDT"):
        Bybit().read_instruments([body(SPOT_BTC)], ["BTC-USDT"], account=0, venue=0)


def test_a_paged_list_says_that_it_may_be_on_the_next_page() -> None:
    with pytest.raises(SymbolError, match="first 1000"):
        Bybit().read_instruments([body(SPOT_BTC, cursor="next")], ["ZZZ"], account=0, venue=0)
