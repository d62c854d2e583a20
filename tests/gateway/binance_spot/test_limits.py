"""What requests cost, and what answers say of it."""

import json
from typing import Any

import pytest

from gateway.binance_spot.limits import (
    LIMITS,
    BinanceSpotLimits,
    limited_in_answer,
    used_in_answer,
)
from gateway.market import Limited, RateLimit, Used
from gateway.simulated.spot.table import OPERATIONS, ROUTES

S = 1_000_000_000
COSTS = BinanceSpotLimits()


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("/api/v3/time", 1),
        ("/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D", 20),
        ("/api/v3/depth?symbol=BTCUSDT&limit=100", 5),
        ("/api/v3/depth?symbol=BTCUSDT", 5),
        ("/api/v3/depth?symbol=BTCUSDT&limit=1000", 50),
        ("/api/v3/depth?symbol=BTCUSDT&limit=5000", 250),
        ("/api/v3/openOrders?symbol=BTCUSDT&recvWindow=1000", 6),
        ("/api/v3/openOrders?recvWindow=1000", 80),
        ("/api/v3/myTrades?symbol=BTCUSDT&fromId=7&limit=1000", 20),
        ("/api/v3/myTrades?symbol=BTCUSDT&orderId=7&fromId=7", 5),
        ("/api/v3/order?symbol=BTCUSDT&origClientOrderId=tl1", 4),
        ("/api/v3/unheard-of", 20),
    ],
)
def test_a_path_weighs_what_the_docs_and_the_simulated_venue_say(path: str, weight: int) -> None:
    assert COSTS.weight(path) == weight
    endpoint, _, query = path.partition("?")
    if ("GET", endpoint) in ROUTES:
        params = dict(part.partition("=")[::2] for part in query.split("&"))
        assert OPERATIONS[ROUTES["GET", endpoint]].weight(params) == weight


def test_headers_tell_what_is_used() -> None:
    headers = {"X-MBX-USED-WEIGHT-1M": "1200", "x-mbx-order-count-10s": "7", "X-Mbx-Order-Count-1D": "x", "Date": "5"}
    assert COSTS.used(headers) == (Used("REQUEST_WEIGHT", 60 * S, 0, 1200), Used("ORDERS", 10 * S, 0, 7))


def test_an_answer_tells_what_is_used() -> None:
    row = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 12}
    answer = {"id": "st1", "status": 200, "rateLimits": [row, {**row, "interval": "FORTNIGHT"}]}
    assert used_in_answer(json.dumps(answer).encode()) == (Used("ORDERS", 10 * S, 50, 12),)
    assert used_in_answer(b"nonsense") == ()


@pytest.mark.parametrize(
    ("status", "error", "limited"),
    [
        (429, {"code": -1003, "msg": "", "data": {"serverTime": 1, "retryAfter": 17}}, Limited(False, False, 17)),
        (418, {"code": -1003, "msg": "", "data": {"retryAfter": 17}}, Limited(True, False, 17)),
        (429, {"code": -1015, "msg": "", "data": {"retryAfter": 17}}, Limited(False, True, 17)),
        (400, {"code": -1003, "msg": ""}, Limited(False, False, 0)),
        (429, {"code": -1003, "msg": "", "data": {"retryAfter": -5}}, Limited(False, False, 0)),
        (429, {"code": -1003, "msg": "", "data": ["odd"]}, Limited(False, False, 0)),
        (429, None, Limited(False, False, 0)),
        (400, {"code": -2010, "msg": ""}, None),
        (503, {"code": -1008, "msg": ""}, None),
    ],
)
def test_an_error_says_what_is_too_much(status: int, error: Any, limited: Limited | None) -> None:
    answer = {"id": "stl1", "status": status} | ({} if error is None else {"error": error})
    assert limited_in_answer(json.dumps(answer).encode()) == limited


def test_what_cannot_be_read_says_nothing_of_limits() -> None:
    assert limited_in_answer(b"<html>") is None


@pytest.mark.parametrize("error", ["null", "[]", '{"code":"-1003"}', '{"code":-1003,"data":null}', '{"code":1e99}'])
def test_the_status_counts_though_nothing_else_can_be_read(error: str) -> None:
    for status, banned in ((429, False), (418, True)):
        told = limited_in_answer(f'{{"status":{status},"error":{error}}}'.encode())
        assert told is not None
        assert (told.banned, told.until_ms) == (banned, 0)


def test_the_metadata_name_limits() -> None:
    row = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1200}
    assert COSTS.stated([json.dumps({"rateLimits": [row]}).encode()]) == (RateLimit("REQUEST_WEIGHT", 60 * S, 1200),)
    assert COSTS.stated([]) == ()
    assert len(LIMITS) == 5
