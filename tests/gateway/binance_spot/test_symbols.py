"""exchangeInfo to Instruments: every filter, and errors that name symbol, field and remedy."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Instrument
from gateway.binance_spot.symbols import price_text, quantity_text, rate_limits, read_exchange, read_instruments
from gateway.market import RateLimit
from gateway.text import SymbolError

CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"
FILTERS: list[dict[str, Any]] = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
    {"filterType": "ICEBERG_PARTS", "limit": 10},
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    {"filterType": "MAX_POSITION", "maxPosition": "10.00000000"},
]
NOTIONAL = {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"}
BY_SIDE = {
    "filterType": "PERCENT_PRICE_BY_SIDE",
    "bidMultiplierUp": "5",
    "bidMultiplierDown": "0.2",
    "askMultiplierUp": "1.5",
    "askMultiplierDown": "0.80000001",
    "avgPriceMins": 5,
}


def symbol(name: str = "BTCUSDT", filters: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    known = {"symbol": name, "status": "TRADING", "baseAsset": name[:3], "quoteAsset": name[3:]}
    return {**known, "filters": [*FILTERS, NOTIONAL, BY_SIDE] if filters is None else filters, **fields}


def info(*symbols: dict[str, Any], **fields: Any) -> bytes:
    limits = [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50}]
    return json.dumps({"rateLimits": limits, "symbols": list(symbols), **fields}).encode()


def test_every_filter_lands_in_the_instrument() -> None:
    assert read_instruments(info(symbol("ETHUSDT"), symbol()), ["BTCUSDT"], 3, 4, 7, {"BTCUSDT": 2}) == [
        Instrument(
            instrument=7,
            version=2,
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
            lot=1_000,
            min_price_ticks=1,
            max_price_ticks=100_000_000,
            min_lots=1,
            max_lots=900_000_000,
            min_notional=500_000_000,
            max_notional=900_000_000_000_000,
            max_orders=200,
            bid_up_ppm=5_000_000,
            bid_down_ppm=200_000,
            ask_up_ppm=1_500_000,
            ask_down_ppm=800_001,
            trading=True,
            max_position_lots=1_000_000,
        )
    ]


def test_the_older_filters_are_read_where_the_newer_are_not() -> None:
    older = [
        *FILTERS,
        {"filterType": "MIN_NOTIONAL", "minNotional": "0.00010000", "applyToMarket": True, "avgPriceMins": 5},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "5", "multiplierDown": "0.2", "avgPriceMins": 5},
    ]
    one = read_instruments(info(symbol(filters=older)), ["BTCUSDT"], 0, 0)[0]
    assert (one.min_notional, one.max_notional) == (10_000, 0)
    assert (one.bid_up_ppm, one.bid_down_ppm, one.ask_up_ppm, one.ask_down_ppm) == (5_000_000, 200_000) * 2


def test_filters_of_zero_are_none() -> None:
    off = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.00000000", "maxPrice": "0.00000000", "tickSize": "0.00000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00000000", "maxQty": "0.00000000", "stepSize": "0.00000000"},
    ]
    one = read_instruments(info(symbol(filters=off)), ["BTCUSDT"], 0, 0)[0]
    assert (one.tick, one.lot, one.min_price_ticks, one.max_price_ticks, one.min_lots, one.max_lots) == (
        1,
        1,
        0,
        0,
        0,
        0,
    )
    assert (one.min_notional, one.max_orders, one.bid_up_ppm, one.max_position_lots) == (0, 0, 0, 0)


def test_a_bound_off_the_grid_is_rounded_to_its_inside() -> None:
    odd = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.015", "maxPrice": "0.99", "tickSize": "0.02"},
        {"filterType": "LOT_SIZE", "minQty": "0.5", "maxQty": "9.5", "stepSize": "1"},
    ]
    one = read_instruments(info(symbol(filters=odd)), ["BTCUSDT"], 0, 0)[0]
    assert (one.min_price_ticks, one.max_price_ticks, one.min_lots, one.max_lots) == (1, 49, 1, 9)


def test_numbers_follow_the_configuration_not_the_venue() -> None:
    instruments = read_instruments(info(symbol("AAAUSDT"), symbol("BBBUSDT")), ["BBBUSDT", "AAAUSDT"], 0, 0)
    assert [(one.instrument, one.venue_symbol) for one in instruments] == [(0, "BBBUSDT"), (1, "AAAUSDT")]


def test_what_is_not_understood_is_noted_and_trades_on() -> None:
    new = {"filterType": "FULL_MOON", "phase": 7}
    one = symbol(
        filters=[*FILTERS, new], orderTypes=["LIMIT"], allowedSelfTradePreventionModes=["NONE", "EXPIRE_TAKER"]
    )
    odd_limits = [{"rateLimitType": "ORDERS", "interval": "FORTNIGHT", "intervalNum": 1, "limit": 1}, {}]
    assert read_exchange(info(one, rateLimits=odd_limits), ["BTCUSDT"], 0, 0).notes == (
        "BTCUSDT: filter FULL_MOON is not understood; orders may be refused with -1013",
        "BTCUSDT: no LIMIT_MAKER orders",
        "BTCUSDT: self-trade prevention EXPIRE_MAKER is not allowed, only NONE, EXPIRE_TAKER",
        "rateLimits: unknown interval FORTNIGHT",
        "rateLimits: cannot be read: Object missing required field `rateLimitType`",
        "rateLimits: none could be read",
    )


def test_rate_limits_are_read() -> None:
    limits = (RateLimit("ORDERS", 10_000_000_000, 50),)
    assert read_exchange(info(), [], 0, 0).rate_limits == limits
    assert rate_limits(info()) == limits
    assert rate_limits(b"[") == ()


@pytest.mark.parametrize(
    ("body", "wanted", "parts"),
    [
        (info(symbol()), ["BTCUSD"], ["BTCUSD", "not listed", "did you mean BTCUSDT?"]),
        (info(symbol()), ["btc-usdt"], ["btc-usdt", "did you mean BTCUSDT?"]),
        (info(symbol()), ["XQZ"], ["XQZ", "not listed", "/api/v3/exchangeInfo"]),
        (info(symbol(status="BREAK")), ["BTCUSDT"], ["BTCUSDT", "status", "BREAK", "remove it"]),
        (info(symbol(filters=FILTERS[1:])), ["BTCUSDT"], ["PRICE_FILTER", "missing"]),
        (info(symbol(filters=FILTERS[:1])), ["BTCUSDT"], ["LOT_SIZE", "missing"]),
        (
            info(symbol(filters=[{**FILTERS[0], "tickSize": "1e-2"}, FILTERS[1]])),
            ["BTCUSDT"],
            ["PRICE_FILTER.tickSize", "'1e-2'"],
        ),
        (info(symbol(filters=[{**FILTERS[0], "tickSize": 0.01}])), ["BTCUSDT"], ["cannot be read", "tickSize"]),
        (info({"symbol": "BTCUSDT"}), ["BTCUSDT"], ["BTCUSDT", "status"]),
        (info(symbol(baseAssetPrecision=18)), ["BTCUSDT"], ["baseAssetPrecision", "18"]),
        (info(symbol()), ["BTCUSDT", "BTCUSDT"], ["BTCUSDT", "configured twice"]),
        (b"<html>", ["BTCUSDT"], ["exchangeInfo", "no JSON"]),
        (b"[]", ["BTCUSDT"], ["symbols", "missing"]),
        (b'{"code":-1121,"msg":"Invalid symbol."}', ["BTCUSDT"], ["-1121 Invalid symbol.", "check the configured"]),
    ],
)
def test_an_error_names_symbol_field_and_remedy(body: bytes, wanted: list[str], parts: list[str]) -> None:
    with pytest.raises(SymbolError) as error:
        read_exchange(body, wanted, 0, 0)
    assert [part for part in parts if part not in str(error.value)] == []
    assert error.value.remedy


grid = st.integers(0, 8).flatmap(lambda places: st.sampled_from([1, 2, 5, 25]).map(lambda n: n * 10**places))


@given(grid, grid, st.integers(0, 10**7), st.integers(0, 10**7))
def test_ticks_and_lots_become_exact_text(tick: int, lot: int, ticks: int, lots: int) -> None:
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": f"{Decimal(tick).scaleb(-8):f}"},
        {"filterType": "LOT_SIZE", "stepSize": f"{Decimal(lot).scaleb(-8):f}"},
    ]
    one = read_instruments(info(symbol(filters=filters)), ["BTCUSDT"], 0, 0)[0]
    assert (one.tick, one.lot) == (tick, lot)
    assert Decimal(price_text(one, ticks)) == ticks * Decimal(tick).scaleb(-8)
    assert Decimal(quantity_text(one, lots)) == lots * Decimal(lot).scaleb(-8)


@pytest.mark.skipif(not CAPTURES.exists(), reason="no recorded data beside the repository")
@pytest.mark.parametrize("name", ["binance-spot-many-30s", "binance-us-many-30s"])
def test_every_trading_symbol_of_a_recorded_body_is_read(name: str) -> None:
    with gzip.open(CAPTURES / f"{name}.jsonl.gz", "rt") as lines:
        body = next(text for _, kind, address, text in map(json.loads, list(lines)[1:]) if "exchangeInfo" in address)
    wanted = [one["symbol"] for one in json.loads(body)["symbols"] if one["status"] == "TRADING"]
    exchange = read_exchange(body.encode(), wanted[:200], 0, 0)
    assert [one.venue_symbol for one in exchange.instruments] == wanted[:200]
    assert all(one.tick > 0 and one.lot > 0 and one.max_lots > one.min_lots for one in exchange.instruments)
    assert {limit.kind for limit in exchange.rate_limits} >= {"REQUEST_WEIGHT", "ORDERS"}
    assert exchange.notes == ()
