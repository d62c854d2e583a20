"""What is dialed and asked, within the venue's limits; and exchangeInfo to Instruments."""

import json
from typing import Any

import msgspec
import pytest

from bus.messages import Instrument, Stream
from bus.messages.feed import Garbage
from gateway.binance_usdm.market import BinanceUsdm
from gateway.binance_usdm.symbols import quantity_scale
from gateway.text import SymbolError
from tests.gateway.wire.replay import CAPTURES, lines

MARKET = BinanceUsdm()
ALL = (Stream.DEPTH, Stream.QUOTE, Stream.TRADE, Stream.MARK)


def test_books_and_trades_lie_on_routes_of_their_own() -> None:
    public, market = MARKET.plan(["BTCUSDT", "ETHUSDT"], ALL, 1_000)
    assert public.path == (
        "/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/ethusdt@depth@100ms/ethusdt@bookTicker"
    )
    assert market.path == (
        "/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice@1s/ethusdt@aggTrade/ethusdt@markPrice@1s"
    )
    assert (public.streams, market.streams) == (ALL[:2], ALL[2:])
    assert public.opening == market.opening == ()


def test_a_route_without_wishes_is_not_dialed() -> None:
    assert [plan.streams for plan in MARKET.plan(["BTCUSDT"], (Stream.DEPTH,), 5)] == [(Stream.DEPTH,)]
    assert MARKET.plan([], ALL, 5) == ()
    assert MARKET.plan(["BTCUSDT"], (), 5) == ()


def test_many_symbols_are_sharded_and_subscribed_to_within_the_limits() -> None:
    symbols = [f"COIN{number}USDT" for number in range(600)]
    plans = MARKET.plan(symbols, ALL, 1_000)
    assert [(plan.path, len(plan.venue_symbols)) for plan in plans] == [
        ("/public/stream", 512),
        ("/public/stream", 88),
        ("/market/stream", 512),
        ("/market/stream", 88),
    ]
    for plan in plans:
        asked = [msgspec.json.decode(frame) for frame in plan.opening]
        names = [name for request in asked for name in request["params"]]
        assert len(names) == len(set(names)) == 2 * len(plan.venue_symbols) <= MARKET.limits.streams_max
        assert {request["method"] for request in asked} == {"SUBSCRIBE"}
        assert [request["id"] for request in asked] == list(range(1, len(asked) + 1))
        assert len(asked) <= MARKET.limits.frames_per_s
        assert max(map(len, plan.opening)) < 8_000


def test_a_stream_is_renewed_by_its_own_name() -> None:
    assert [msgspec.json.decode(frame) for frame in MARKET.renew("BTCUSDT", Stream.MARK, 5, 77)] == [
        {"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice@1s"], "id": 77},
        {"method": "SUBSCRIBE", "params": ["btcusdt@markPrice@1s"], "id": 77},
    ]


@pytest.mark.parametrize(
    ("levels", "asked", "weight"),
    [(1, 5, 2), (20, 20, 2), (50, 50, 2), (51, 100, 5), (200, 500, 10), (1_000, 1_000, 20), (5_000, 1_000, 20)],
)
def test_a_depth_that_the_venue_knows_is_asked_for(levels: int, asked: int, weight: int) -> None:
    assert MARKET.snapshot_path("BTCUSDT", levels) == f"/fapi/v1/depth?symbol=BTCUSDT&limit={asked}"
    assert MARKET.snapshot_weight(levels) == weight


def test_paths_of_trades_and_time() -> None:
    assert MARKET.trades_path("BTCUSDT", 7, 5_000) == "/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=7&limit=1000"
    assert MARKET.read_time(b'{"serverTime":1499827319559}') == 1_499_827_319_559_000_000
    assert isinstance(MARKET.read_time(b'{"serverTime":-1}'), Garbage)


FILTERS: list[dict[str, Any]] = [
    {"filterType": "PRICE_FILTER", "minPrice": "556.72", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
    {"filterType": "MAX_NUM_ORDERS", "limit": 200},
    {"filterType": "MIN_NOTIONAL", "notional": "5"},
    {"filterType": "PERCENT_PRICE", "multiplierUp": "1.15", "multiplierDown": "0.8500005", "multiplierDecimal": "4"},
    {"filterType": "FULL_MOON", "phase": 7},
]


def symbol(name: str = "BTCUSDT", **fields: Any) -> dict[str, Any]:
    row = {"symbol": name, "status": "TRADING", "contractType": "PERPETUAL", "baseAsset": "BTC", "quoteAsset": "USDT"}
    return row | {"marginAsset": "USDT", "pricePrecision": 2, "filters": FILTERS} | fields


def body(*symbols: Any) -> list[bytes]:
    return [json.dumps({"symbols": symbols}).encode()]


def test_an_instrument_has_every_filter_that_binds_a_limit_order() -> None:
    assert MARKET.read_instruments(body(symbol()), ["BTCUSDT"], 3, 4) == [
        Instrument(
            instrument=0,
            version=1,
            account=3,
            venue=4,
            venue_symbol="BTCUSDT",
            base_asset="BTC",
            quote_asset="USDT",
            price_scale=8,
            quantity_scale=8,
            base_scale=8,
            quote_scale=8,
            tick=1_000_000,
            lot=100_000,
            min_price_ticks=55_672,
            max_price_ticks=100_000_000,
            min_lots=1,
            max_lots=1_000_000,
            min_notional=500_000_000,
            max_notional=0,
            max_orders=200,
            bid_up_ppm=1_150_000,
            ask_down_ppm=850_001,
            settle_asset="USDT",
        )
    ]


@pytest.mark.parametrize(
    ("step", "most", "scale"),
    [("0.001", 1_000, 8), ("1", 10_000_000, 8), ("1", 100_000_000, 7), ("0.001", 10**12, 3), ("1", 10**15, 0)],
)
def test_quantities_of_cheap_contracts_have_fewer_decimals_but_all_of_their_step(
    step: str, most: int, scale: int
) -> None:
    units = int(float(step) * 1_000) * 10**5
    assert quantity_scale(units, most * 10**8) == scale


@pytest.mark.parametrize(
    ("rows", "wanted", "words"),
    [
        ([symbol()], ["BTCUSD"], "did you mean BTCUSDT"),
        ([symbol()], ["BTCUSDT", "BTCUSDT"], "twice"),
        ([symbol(status="SETTLING")], ["BTCUSDT"], "is SETTLING"),
        ([symbol(marginAsset="BTC")], ["BTCUSDT"], "linear"),
        ([symbol(filters=[])], ["BTCUSDT"], "PRICE_FILTER.tickSize: is missing"),
        ([symbol(filters=[*FILTERS, FILTERS[0] | {"tickSize": "nan"}])], ["BTCUSDT"], "'nan'"),
        ([symbol(filters=7)], ["BTCUSDT"], "cannot be read"),
        ([7], ["BTCUSDT"], "is not listed"),
    ],
)
def test_what_metadata_do_not_give_is_named_with_a_remedy(rows: list[Any], wanted: list[str], words: str) -> None:
    with pytest.raises(SymbolError, match=words):
        MARKET.read_instruments(body(*rows), wanted, 0, 0)


@pytest.mark.parametrize(
    ("text", "words"), [(b"", "no JSON"), (b"{}", "missing"), (b'{"code":-1003,"msg":"Too many"}', "-1003 Too many")]
)
def test_an_answer_without_symbols_is_named(text: bytes, words: str) -> None:
    with pytest.raises(SymbolError, match=words):
        MARKET.read_instruments([text], ["BTCUSDT"], 0, 0)


@pytest.mark.skipif(not CAPTURES.exists(), reason="recorded captures are not beside the repository")
def test_every_recorded_contract_that_trades_is_an_instrument() -> None:
    every = lines(CAPTURES / "binance-usdm-many-30s.jsonl.gz")
    info = next(payload for kind, address, payload in every if address == "/fapi/v1/exchangeInfo")
    wanted = [one["symbol"] for one in json.loads(info)["symbols"] if one["status"] == "TRADING"]
    instruments = MARKET.read_instruments([info], wanted, 0, 0)
    assert len(instruments) == 121
    assert all(one.tick and one.lot and one.max_lots * one.lot * 1_000 < 2**63 for one in instruments)
