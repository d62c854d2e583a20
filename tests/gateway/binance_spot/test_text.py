"""Text that is no UTF-8, wherever a venue's bytes may hold it: garbage like any other, never an exception."""

import json
from collections.abc import Callable

import pytest

from bus.messages import Instrument, QueryKind, VenueQuery
from gateway.binance_spot.codec import BinanceSpotCodec
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.past_orders import decode_client_order_ids
from gateway.binance_spot.queries import decode_query, decode_time
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_spot.symbols import SymbolError, read_instruments

BTCUSDT = Instrument(5, 1, 3, 4, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 10**6, 1000, 1, 0, 1, 0, 0, 0, 0)
REPORT = {
    "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": "t1000001abcx", "S": "BUY", "o": "LIMIT", "q": "1", "p": "1",
    "C": "", "x": "NEW", "X": "NEW", "r": "NONE", "i": 1, "l": "0", "z": "0", "L": "0", "n": "0", "N": "BNB", "T": 1,
    "t": -1, "I": 8, "m": False, "Z": "0", "Y": "0",
}  # fmt: skip
DEPTH = {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": 1, "u": 2, "b": [["1.0", "2.0"]], "a": [["3.0", "1.0"]]}
TRADE = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 1, "p": "1.0", "q": "1.0", "T": 1, "m": True}
QUOTE = {"u": 1, "s": "BTCUSDT", "b": "1.0", "B": "1.0", "a": "2.0", "A": "1.0"}
ORDER = {"symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "x", "price": "1", "origQty": "1", "status": "NEW"}


def order_codec() -> OrderCodec:
    signer = HmacSigner("thekey", "thesecret")
    return OrderCodec(signer, False, 5000, account=3, venue=4, instruments=[BTCUSDT], self_trade_prevention="NONE")


def queried(body: bytes) -> object:
    query = VenueQuery("orders", 1, 2, 99, 3, 4, QueryKind.OPEN_ORDERS, 5)
    return decode_query(query, 200, body, 10, 11, [BTCUSDT])


def symbols(body: bytes) -> object:
    try:
        return read_instruments(body, ["BTCUSDT"], account=0, venue=0)
    except SymbolError as error:
        return error


READERS: list[tuple[str, Callable[[bytes], object], object]] = [
    ("frame", lambda body: BinanceSpotCodec().decode_frame(body), {"stream": "btcusdt@depth@100ms", "data": DEPTH}),
    ("frame", lambda body: BinanceSpotCodec().decode_frame(body), {"stream": "btcusdt@trade", "data": TRADE}),
    ("frame", lambda body: BinanceSpotCodec().decode_frame(body), {"stream": "btcusdt@bookTicker", "data": QUOTE}),
    ("snapshot", lambda body: BinanceSpotCodec().decode_snapshot(body), {"lastUpdateId": 1, "bids": [["1", "2"]], "asks": []}),
    ("report", lambda body: order_codec().decode(body, 11), {"subscriptionId": 0, "event": REPORT}),
    ("answer", lambda body: order_codec().decode(body, 11), {"id": "s.t1000001abcx", "status": 200, "result": ORDER}),
    ("refusal", lambda body: order_codec().decode(body, 11), {"id": "s.x", "status": 400, "error": {"code": -1, "msg": "no"}}),
    ("query", queried, [ORDER]),
    ("past orders", decode_client_order_ids, [ORDER]),
    ("time", decode_time, {"serverTime": "1"}),
    ("symbols", symbols, {"symbols": [{"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "read", "value"), READERS, ids=[f"{row[0]} {n}" for n, row in enumerate(READERS)])
def test_a_byte_that_is_no_text_raises_nothing_wherever_it_stands(
    name: str, read: Callable[[bytes], object], value: object
) -> None:
    whole = json.dumps(value).encode()
    quotes = [n for n, byte in enumerate(whole) if byte == ord('"')]
    assert len(quotes) >= 4, name
    for at in quotes:
        read(whole[: at + 1] + b"\xff" + whole[at + 1 :])
