"""AssetPairs to Instruments, and errors that name pair, field and remedy."""

import json
from typing import Any

import pytest

from bus.messages.feed import Scales
from gateway.kraken.codec import KrakenCodec
from gateway.kraken.symbols import read_instruments, v2_name
from gateway.text import SymbolError

PAIR: dict[str, Any] = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "quote": "ZUSD",
    "lot": "unit",
    "cost_decimals": 5,
    "pair_decimals": 1,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "leverage_buy": [2, 3],
    "fees": [[0, 0.26]],
    "ordermin": "0.0001",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}
"""As the venue answered in 2023, shortened."""


def body(**changes: Any) -> bytes:
    return json.dumps({"error": [], "result": {"XXBTZUSD": {**PAIR, **changes}}}).encode()


def test_a_pair_becomes_an_instrument_in_the_precision_of_its_book() -> None:
    (pair,) = read_instruments(body(), ["BTC/USD"], account=3, venue=2)
    assert (pair.venue_symbol, pair.base_asset, pair.quote_asset) == ("BTC/USD", "BTC", "USD")
    assert (pair.instrument, pair.account, pair.venue, pair.version, pair.trading) == (0, 3, 2, 1, True)
    assert (pair.price_scale, pair.quantity_scale, pair.base_scale, pair.quote_scale) == (1, 8, 8, 8)
    assert (pair.tick, pair.lot, pair.min_lots, pair.min_notional) == (1, 1, 10_000, 50_000_000)
    assert (pair.max_lots, pair.max_price_ticks, pair.max_notional) == (0, 0, 0)


def test_the_scales_of_metadata_read_what_the_book_writes() -> None:
    (pair,) = read_instruments(body(), ["BTC/USD"], 0, 0)
    codec = KrakenCodec()
    codec.set_scales(pair.venue_symbol, Scales(pair.price_scale, pair.quantity_scale))
    rows = '"bids":[{"price":63004.9,"qty":0.01876947}],"asks":[],"checksum":1'
    frame = f'{{"channel":"book","type":"snapshot","data":[{{"symbol":"BTC/USD",{rows}}}]}}'
    event = codec.decode_frame(frame.encode())
    assert event.body.bid_prices == (630_049,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wsname", "name"),
    [("XBT/USD", "BTC/USD"), ("ETH/XBT", "ETH/BTC"), ("XDG/XBT", "DOGE/BTC"), ("SOL/EUR", "SOL/EUR")],
)
def test_names_are_those_of_websocket_v2(wsname: str, name: str) -> None:
    assert v2_name(wsname) == name


def test_a_tick_coarser_than_the_precision_is_kept() -> None:
    (pair,) = read_instruments(body(pair_decimals=2, tick_size="0.05", lot_multiplier=10), ["BTC/USD"], 0, 0)
    assert (pair.tick, pair.lot, pair.min_lots) == (5, 10, 1_000)


@pytest.mark.parametrize(
    "status", ["cancel_only", "post_only", "limit_only", "reduce_only", "maintenance", "of_tomorrow"]
)
def test_a_pair_that_is_not_online_does_not_trade(status: str) -> None:
    assert not read_instruments(body(status=status), ["BTC/USD"], 0, 0)[0].trading


@pytest.mark.parametrize(
    ("answer", "wanted", "names"),
    [
        (body(), "XBT/USD", ["XBT/USD", "not listed", "BTC/USD"]),
        (body(), "BTC-USD", ["BTC-USD", "not listed", "BTC/USD"]),
        (body(), "Q", ["not listed", "AssetPairs"]),
        (body(tick_size="-1"), "BTC/USD", ["BTC/USD", "tick_size", "-1"]),
        (body(tick_size="0.01"), "BTC/USD", ["tick_size", "0.01", "at most 1"]),
        (body(ordermin="many"), "BTC/USD", ["ordermin", "many"]),
        (body(pair_decimals=40), "BTC/USD", ["pair_decimals", "40"]),
        (body(lot_multiplier=2**63), "BTC/USD", ["BTC/USD", "lot_multiplier"]),
        (body(lot_decimals="x"), "BTC/USD", ["BTC/USD", "lot_decimals"]),
        (b"<html>", "BTC/USD", ["no JSON", "AssetPairs"]),
        (b'{"error":["EService:Unavailable"]}', "BTC/USD", ["EService:Unavailable"]),
        (b"[]", "BTC/USD", ["result"]),
    ],
)
def test_an_error_names_pair_field_and_remedy(answer: bytes, wanted: str, names: list[str]) -> None:
    with pytest.raises(SymbolError) as raised:
        read_instruments(answer, [wanted], 0, 0)
    assert [name for name in names if name not in str(raised.value)] == []
