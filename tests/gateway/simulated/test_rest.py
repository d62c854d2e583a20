"""The REST door over loopback with aiohttp."""

import time
from typing import Any

import pytest

from gateway.simulated.limits import SPOT_LIMITS

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}


async def test_public_answers(quiet: Any) -> None:
    assert await quiet.get("/api/v3/ping") == (200, {})
    status, answer = await quiet.get("/api/v3/time")
    assert status == 200
    assert abs(answer["serverTime"] - time.time() * 1_000) < 1_000
    status, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    _, depth = await quiet.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    assert [ticker["bidPrice"], ticker["bidQty"]] == depth["bids"][0]
    assert [ticker["askPrice"], ticker["askQty"]] == depth["asks"][0]
    assert len(depth["bids"]) == len(depth["asks"]) == 5
    _, both = await quiet.get("/api/v3/ticker/bookTicker")
    assert [t["symbol"] for t in both] == ["BTCUSDT", "ETHUSDT"]


async def test_exchange_info_tells_every_filter(quiet: Any) -> None:
    _, info = await quiet.get("/api/v3/exchangeInfo", symbols='["ETHUSDT"]')
    (symbol,) = info["symbols"]
    assert (symbol["symbol"], symbol["baseAsset"], symbol["quoteAsset"], symbol["status"]) == (
        "ETHUSDT",
        "ETH",
        "USDT",
        "TRADING",
    )
    told = {f["filterType"] for f in symbol["filters"]}
    assert told >= {
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
    }
    assert {r["rateLimitType"] for r in info["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"}
    assert len((await quiet.get("/api/v3/exchangeInfo"))[1]["symbols"]) == 2
    assert (await quiet.get("/api/v3/exchangeInfo", symbol="NOPE"))[1]["code"] == -1121


async def test_life_of_an_order(quiet: Any) -> None:
    status, placed = await quiet.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="mine")
    assert (status, placed["status"], placed["clientOrderId"], placed["fills"]) == (200, "NEW", "mine", [])
    _, found = await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (found["orderId"], found["origQty"], found["price"]) == (
        placed["orderId"],
        "0.01000000",
        "50000.00000000",
    )
    _, account = await quiet.signed("GET", "/api/v3/account")
    assert {b["asset"]: (b["free"], b["locked"]) for b in account["balances"]}["USDT"] == (
        "999500.00000000",
        "500.00000000",
    )
    assert [o["orderId"] for o in (await quiet.signed("GET", "/api/v3/openOrders"))[1]] == [placed["orderId"]]
    _, canceled = await quiet.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (canceled["origClientOrderId"], canceled["status"]) == ("mine", "CANCELED")
    assert canceled["clientOrderId"] not in ("", "mine")
    assert (await quiet.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT"))[1] == []
    _, history = await quiet.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")
    assert [(o["clientOrderId"], o["status"]) for o in history] == [("mine", "CANCELED")]


async def test_taking_the_book_and_the_trade_history(quiet: Any) -> None:
    _, depth = await quiet.get("/api/v3/depth", symbol="BTCUSDT", limit=1)
    best = depth["asks"][0][0]
    status, taken = await quiet.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001"
    )
    assert (status, taken["status"], taken["fills"][0]["price"]) == (200, "FILLED", best)
    assert (taken["fills"][0]["commission"], taken["fills"][0]["commissionAsset"]) == ("0.00000100", "BTC")
    _, trades = await quiet.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    (trade,) = trades
    assert (trade["id"], trade["orderId"], trade["isBuyer"], trade["isMaker"]) == (
        taken["fills"][0]["tradeId"],
        taken["orderId"],
        True,
        False,
    )
    assert (await quiet.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", fromId=trade["id"] + 1))[1] == []
    assert (await quiet.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", startTime=trade["time"] + 1))[1] == []
    assert (await quiet.control("ledger"))["adds_up"] is True


async def test_response_types_and_order_test(quiet: Any) -> None:
    _, acknowledged = await quiet.signed("POST", "/api/v3/order", **ORDER, newOrderRespType="ACK")
    assert sorted(acknowledged) == ["clientOrderId", "orderId", "orderListId", "symbol", "transactTime"]
    _, result = await quiet.signed("POST", "/api/v3/order", **ORDER, newOrderRespType="RESULT")
    assert "fills" not in result
    assert result["status"] == "NEW"
    assert (await quiet.signed("POST", "/api/v3/order/test", **ORDER)) == (200, {})
    assert len((await quiet.signed("GET", "/api/v3/openOrders"))[1]) == 2
    status, canceled = await quiet.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, len(canceled), len({c["clientOrderId"] for c in canceled})) == (200, 2, 1)
    assert (await quiet.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT"))[1]["code"] == -2011


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NOPE"}, -1121),
        ({"side": "HOLD"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"timeInForce": "GTX"}, -1115),
        ({"price": "50000.001"}, -1013),
        ({"price": "50000.123456789"}, -1111),
        ({"quantity": "-1"}, -1100),
        ({"quantity": ""}, -1105),
        ({"newClientOrderId": "ä"}, -1100),
        ({"newOrderRespType": "LONG"}, -1130),
        ({"selfTradePreventionMode": "TRANSFER"}, -1013),
        ({"quantity": "100"}, -2010),
        ({"type": "LIMIT_MAKER", "price": "70000", "timeInForce": None}, -2010),
        ({"timestamp": "1"}, -1021),
        ({"timestamp": str(2 * 10**12)}, -1021),
    ],
)
async def test_refusals(quiet: Any, change: dict[str, Any], code: int) -> None:
    params = {k: v for k, v in (ORDER | change).items() if v is not None}
    status, answer = await quiet.signed("POST", "/api/v3/order", **params)
    assert (status, answer["code"]) == (400, code)
    assert (await quiet.signed("GET", "/api/v3/openOrders"))[1] == []


async def test_who_may_ask(quiet: Any) -> None:
    url = f"{quiet.endpoints.rest}/api/v3/account?timestamp=1&signature=00"
    for headers, status, code in (
        ({}, 401, -2014),
        ({"X-MBX-APIKEY": "nobody"}, 401, -2014),
        ({"X-MBX-APIKEY": "0" * 64}, 401, -2015),
        ({"X-MBX-APIKEY": quiet.endpoints.api_key}, 400, -1022),
    ):
        async with quiet.http.get(url, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (status, code)
    url = f"{quiet.endpoints.rest}/api/v3/account?timestamp=1"
    async with quiet.http.get(url, headers={"X-MBX-APIKEY": quiet.endpoints.api_key}) as response:
        assert (await response.json())["code"] == -1102


async def test_unknown_orders(quiet: Any) -> None:
    for method, code in (("GET", -2013), ("DELETE", -2011)):
        assert (await quiet.signed(method, "/api/v3/order", symbol="BTCUSDT", orderId=1))[1]["code"] == code
    assert (await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT"))[1]["code"] == -1102


async def test_weight_is_counted_and_limited(quiet: Any) -> None:
    rest = quiet.endpoints.rest
    used = []
    for path in ("/api/v3/ping", "/api/v3/depth?symbol=BTCUSDT&limit=5000", "/api/v3/ping"):
        async with quiet.http.get(rest + path) as response:
            used.append(int(response.headers["X-MBX-USED-WEIGHT-1M"]))
    assert used in ([1, 251, 252], [1, 251, 1], [1, 250, 251])  # the minute may end in between
    statuses = []
    for _ in range(2 * SPOT_LIMITS.weight_per_minute // 250):
        async with quiet.http.get(f"{rest}/api/v3/depth?symbol=BTCUSDT&limit=1001") as response:
            statuses.append(response.status)
            if response.status == 429:
                assert 1 <= int(response.headers["Retry-After"]) <= 60
                assert (await response.json())["code"] == -1003
                return
    pytest.fail(f"no 429 in {len(statuses)} requests of weight 250")


async def test_order_count_is_limited_and_given_back(quiet: Any) -> None:
    """100 orders in 10 s; a fill as a taker gives its own count back, so takers are not stopped."""
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    for _ in range(3):
        assert (await quiet.signed("POST", "/api/v3/order", **params))[0] == 200
    _, counts = await quiet.signed("GET", "/api/v3/rateLimit/order")
    assert [c["count"] for c in counts] == [0, 0]
    status, answer = 200, {}
    for _ in range(250):  # enough to cross one window's end
        status, answer = await quiet.signed("POST", "/api/v3/order", **ORDER)
        if status != 200:
            break
        await quiet.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, answer["code"]) == (429, -1015)


async def test_too_large_a_body_is_refused(quiet: Any) -> None:
    async with quiet.http.post(f"{quiet.endpoints.rest}/api/v3/order", data=b"a" * 200_000) as response:
        assert response.status == 413
    assert (await quiet.get("/api/v3/ping"))[0] == 200


async def test_missed_trades_can_be_asked_for_by_id(client: Any) -> None:
    """What the stream printed is what the history has, from any id on, oldest first."""
    socket = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@trade")
    printed = [await socket.receive() for _ in range(5)]
    status, rows = await client.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=printed[1]["t"], limit=3)
    assert status == 200
    assert [(row["id"], row["price"], row["qty"], row["time"], row["isBuyerMaker"]) for row in rows] == [
        (one["t"], one["p"], one["q"], one["T"], one["m"]) for one in printed[1:4]
    ]
    _, latest = await client.get("/api/v3/historicalTrades", symbol="BTCUSDT", limit=1)
    assert latest[0]["id"] >= printed[-1]["t"]
    assert (await client.get("/api/v3/historicalTrades", symbol="NOPEUSDT"))[0] == 400


async def test_other_rules_are_said_and_checked_from_then_on(quiet: Any) -> None:
    await quiet.control("filters", symbol="BTCUSDT", tickSize="0.5", stepSize="0.001", minNotional="70", status="BREAK")
    [told] = (await quiet.get("/api/v3/exchangeInfo", symbol="BTCUSDT"))[1]["symbols"]
    filters = {row["filterType"]: row for row in told["filters"]}
    assert told["status"] == "BREAK"
    assert filters["PRICE_FILTER"]["tickSize"] == "0.50000000"
    assert (filters["LOT_SIZE"]["stepSize"], filters["LOT_SIZE"]["minQty"]) == ("0.00100000", "0.00100000")
    assert filters["NOTIONAL"]["minNotional"] == "70.00000000"
    assert (await quiet.control("filters", symbol="NOSUCH", tickSize="1"))["code"] == -1121
