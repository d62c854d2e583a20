"""Limits that a test can reach: weight, raw requests, connections, orders, and the ban of who does not stop."""

from typing import Any

import aiohttp
import pytest
import websockets

from gateway.simulated.core.errors import Banned, LimitReached
from gateway.simulated.limits import BAN_MS_MAX, REFUSALS_TO_BAN, LimitRules, RequestLimits
from gateway.simulated.spot.market_data import ROUTES as MARKET_ROUTES
from gateway.simulated.spot.table import OPERATIONS, ROUTES

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "50000",
}
MINUTE_MS = 60_000

# rest-api.md, "Weight" of each endpoint: (parameters, weight).
WEIGHTS: dict[str, list[tuple[dict[str, str], int]]] = {
    "order.place": [({}, 1)],
    "order.test": [({}, 1), ({"computeCommissionRates": "true"}, 20)],
    "order.cancel": [({}, 1)],
    "openOrders.cancelAll": [({}, 1)],
    "order.cancelReplace": [({}, 1)],
    "order.amend.keepPriority": [({}, 4)],
    "order.status": [({}, 4)],
    "openOrders.status": [({}, 80), ({"symbol": "BTCUSDT"}, 6)],
    "allOrders": [({}, 20)],
    "order.amendments": [({}, 4)],
    "myTrades": [({}, 20), ({"orderId": "1"}, 5)],
    "myPreventedMatches": [({"preventedMatchId": "1"}, 2), ({"orderId": "1"}, 20)],
    "myAllocations": [({}, 20)],
    "account.status": [({}, 20)],
    "account.commission": [({}, 20)],
    "account.rateLimits.orders": [({}, 40)],
    "myFilters": [({}, 40)],
    "orderList.status": [({}, 4)],
    "openOrderLists.status": [({}, 6)],
    "allOrderLists": [({}, 20)],
    "orderList.cancel": [({}, 1)],
}


def test_weights_are_the_documents() -> None:
    for name, cases in WEIGHTS.items():
        for params, weight in cases:
            assert OPERATIONS[name].weight(params) == weight, (name, params)
    private = {name for route, name in ROUTES.items() if route[1].startswith("/api/") and route not in MARKET_ROUTES}
    unnamed = {
        name for name in private - WEIGHTS.keys() if name in OPERATIONS and OPERATIONS[name].proof.value == "signature"
    }
    assert all(name.startswith(("orderList.place", "sor.")) for name in unnamed), unnamed


def test_who_does_not_stop_is_banned_and_each_ban_is_longer() -> None:
    limits = RequestLimits(LimitRules(weight_per_minute=10))
    now_ms, lengths = 0, []
    for _ in range(14):
        limits.spend("a", 10, now_ms)
        for number in range(REFUSALS_TO_BAN):
            with pytest.raises(LimitReached) as caught:
                limits.spend("a", 1, now_ms)
            assert isinstance(caught.value, Banned) == (number == REFUSALS_TO_BAN - 1)
        lengths.append(caught.value.retry_at_ms - now_ms)
        with pytest.raises(Banned):
            limits.enter("a", now_ms + 1)
        limits.enter("b", now_ms + 1)
        now_ms = caught.value.retry_at_ms + MINUTE_MS - caught.value.retry_at_ms % MINUTE_MS
    assert lengths[:3] == [120_000, 240_000, 480_000]
    assert lengths[-1] == BAN_MS_MAX


async def test_raw_requests_are_limited(start_client: Any) -> None:
    client = await start_client(limits=LimitRules(raw_per_5_minutes=3))
    statuses = [(await client.get("/api/v3/ping"))[0] for _ in range(3)]
    async with client.http.get(client.endpoints.rest + "/api/v3/ping") as response:
        statuses.append(response.status)
        assert (await response.json())["code"] == -1003
        assert 1 <= int(response.headers["Retry-After"]) <= 300
    assert statuses in ([200, 200, 200, 429], [200, 200, 200, 200])  # five minutes may end in between


async def test_a_ban_is_told_over_both_doors_and_ends_the_connection(start_client: Any) -> None:
    """Goal: 429 with retryAfter, then 418, then no connection. Method: a venue of 50 weight a minute."""
    client = await start_client(limits=LimitRules(weight_per_minute=50))
    socket = await client.api()
    answers = [await client.call(socket, "exchangeInfo") for _ in range(3)]
    while answers[-1]["status"] != 418:
        assert len(answers) < 60
        answers.append(await client.call(socket, "exchangeInfo"))
    refused = next(answer for answer in answers if answer["status"] == 429)
    assert refused["error"]["code"] == -1003
    assert refused["error"]["data"]["retryAfter"] % MINUTE_MS == 0
    banned = answers[-1]["error"]
    assert banned["data"]["retryAfter"] - banned["data"]["serverTime"] == 120_000
    with pytest.raises(websockets.ConnectionClosed):
        await socket.receive()
    async with client.http.get(client.endpoints.rest + "/api/v3/ping") as response:
        assert (response.status, (await response.json())["msg"]) == (418, banned["msg"])
        assert 100 <= int(response.headers["Retry-After"]) <= 120
    with pytest.raises(websockets.InvalidStatus) as caught:
        await client.api()
    assert caught.value.response.status_code == 418
    assert 100 <= int(caught.value.response.headers["Retry-After"]) <= 120


async def test_market_streams_cost_no_weight(start_client: Any) -> None:
    """Goal: who has used up the minute's weight may still listen, as often as it likes; it is no step to a ban."""
    client = await start_client(limits=LimitRules(weight_per_minute=50))
    for _ in range(3):
        status, _ = await client.get("/api/v3/exchangeInfo")
    assert status in (429, 200)  # the minute may end in between
    for _ in range(REFUSALS_TO_BAN + 1):
        socket = await client.streams("btcusdt@bookTicker")
    assert (await socket.receive())["stream"] == "btcusdt@bookTicker"


async def test_connections_are_limited_and_cost_two(start_client: Any) -> None:
    client = await start_client(limits=LimitRules(connections_per_5_minutes=2))
    socket = await client.api()
    used = (await client.call(socket, "ping"))["rateLimits"][0]["count"]
    assert used in (1, 2, 3)  # 2 and 1, unless the minute ended in between
    await client.streams("btcusdt@trade")
    async with client.http.get(client.endpoints.rest + "/ws-api/v3") as response:
        assert (response.status, (await response.json())["code"]) in ((429, -1034), (400, None))


async def test_order_counts_in_headers_answers_and_refusals(start_client: Any) -> None:
    client = await start_client(limits=LimitRules(orders=((86_400, 2),)))
    await client.control("pause-flow")
    headers = {"X-MBX-APIKEY": client.endpoints.api_key}

    async def place() -> tuple[aiohttp.ClientResponse, Any]:
        url = client.signed_url("/api/v3/order", **LIMIT)
        async with client.http.post(url, headers=headers) as response:
            return response, await response.json()

    for count in ("1", "2"):
        response, _ = await place()
        assert (response.status, response.headers["X-MBX-ORDER-COUNT-1D"]) == (200, count)
    response, answer = await place()
    text = "Too many new orders; current limit is 2 orders per 1 DAY."
    assert (response.status, answer) == (429, {"code": -1015, "msg": text})
    assert int(response.headers["Retry-After"]) >= 1
    answer = await client.call(await client.api(), "order.place", **client.params(**LIMIT))
    assert (answer["status"], answer["error"]["msg"]) == (429, text)
    assert answer["error"]["data"]["retryAfter"] % 86_400_000 == 0
    counted = answer["rateLimits"][0]
    assert (counted["rateLimitType"], counted["count"]) == ("ORDERS", 2)


async def test_what_cannot_be_read_counts_too(start_client: Any) -> None:
    client = await start_client(limits=LimitRules(weight_per_minute=8))
    socket = await client.api()
    statuses = []
    for _ in range(20):
        await socket.send("nonsense")
        statuses.append((await socket.receive())["status"])
        if statuses[-1] == 429:
            break
    assert set(statuses[:-1]) == {400}
    assert statuses[-1] == 429
    async with client.http.get(client.endpoints.rest + "/api/v3/depth?a=1&a=2") as response:
        assert response.status in (400, 429)  # the minute may end in between
