"""The futures face's WebSocket API over loopback."""

from typing import Any

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "59000.0",
}


async def api(client: Any) -> Any:
    return await client.connect("/ws-fapi/v1")


async def test_an_order_s_life(quiet_futures: Any) -> None:
    client = quiet_futures
    socket = await api(client)
    placed = await client.call(socket, "order.place", **client.params(**ORDER))
    assert (placed["status"], placed["result"]["status"]) == (200, "NEW")
    limits = [(rule["rateLimitType"], rule["interval"], rule["limit"]) for rule in placed["rateLimits"]]
    assert limits == [("ORDERS", "SECOND", 300), ("ORDERS", "MINUTE", 1_200), ("REQUEST_WEIGHT", "MINUTE", 2_400)]
    about = {"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
    modified = await client.call(
        socket, "order.modify", **client.params(**about, side="BUY", price="58000.0", quantity="0.02")
    )
    assert (modified["result"]["price"], modified["result"]["origQty"]) == ("58000.00", "0.020")
    status = await client.call(socket, "order.status", **client.params(**about))
    assert status["result"]["price"] == "58000.00"
    canceled = await client.call(socket, "order.cancel", **client.params(**about))
    assert canceled["result"]["status"] == "CANCELED"
    again = await client.call(socket, "order.cancel", **client.params(**about))
    assert (again["status"], again["error"]["code"]) == (400, -2011)


async def test_account_and_positions(quiet_futures: Any) -> None:
    client = quiet_futures
    socket = await api(client)
    await client.place("BUY", "0.01")
    [balance] = (await client.call(socket, "v2/account.balance", **client.params()))["result"]
    [position] = (await client.call(socket, "v2/account.position", **client.params()))["result"]
    account = (await client.call(socket, "v2/account.status", **client.params()))["result"]
    everything = (await client.call(socket, "account.position", **client.params()))["result"]
    assert balance["balance"] == account["totalWalletBalance"]
    assert (position["symbol"], position["positionAmt"]) == ("BTCUSDT", "0.010")
    assert [row["symbol"] for row in everything] == ["BTCUSDT", "ETHUSDT"]


async def test_a_session(quiet_futures: Any) -> None:
    """Ed25519 only; then requests need no key and no signature."""
    client = quiet_futures
    socket = await api(client)
    refused = await client.call(socket, "session.logon", **client.params())
    assert (refused["status"], refused["error"]) == (
        400,
        {"code": -4056, "msg": "HMAC_SHA256 API key is not supported."},
    )
    wrong = client.params() | {"signature": "0" * 64}
    assert (await client.call(socket, "session.logon", **wrong))["error"]["code"] == -1022
    assert (await client.call(socket, "session.status"))["result"]["apiKey"] is None
    logged_on = await client.call(socket, "session.logon", **client.params(ed25519=True))
    assert logged_on["result"]["apiKey"] == client.credentials.api_key
    timestamp = client.params()["timestamp"]
    placed = await client.call(socket, "order.place", **ORDER, timestamp=timestamp)
    assert placed["result"]["status"] == "NEW"
    await client.call(socket, "session.logout")
    refused = await client.call(socket, "order.place", **ORDER, timestamp=timestamp)
    assert refused["error"]["code"] == -1102


async def test_limits_are_told_unless_they_are_not_wanted(quiet_futures: Any) -> None:
    """The URL says what is usual, a request what it wants ("WebSocket API Rate limits")."""
    client = quiet_futures
    socket = await client.connect("/ws-fapi/v1?returnRateLimits=false")
    assert "rateLimits" not in await client.call(socket, "ticker.book", symbol="BTCUSDT")
    assert "rateLimits" in await client.call(socket, "ticker.book", symbol="BTCUSDT", returnRateLimits=True)
    assert (await client.call(socket, "session.status"))["result"]["returnRateLimits"] is False
    other = await api(client)
    assert "rateLimits" in await client.call(other, "ticker.book", symbol="BTCUSDT")
    assert (await client.call(other, "session.status"))["result"]["returnRateLimits"] is True


async def test_user_data_streams(quiet_futures: Any) -> None:
    """Started, kept and stopped by the key alone; the stream itself is on /private."""
    client = quiet_futures
    socket = await api(client)
    key = {"apiKey": client.credentials.api_key}
    listen_key = (await client.call(socket, "userDataStream.start", **key))["result"]["listenKey"]
    assert (await client.call(socket, "userDataStream.ping", **key))["result"] == {"listenKey": listen_key}
    stream = await client.connect(f"/private/ws/{listen_key}")
    await client.call(socket, "order.place", **client.params(**ORDER))
    assert (await stream.receive_until(lambda frame: True))[0]["o"]["x"] == "NEW"
    assert (await client.call(socket, "userDataStream.stop", **key))["result"] == {}
    assert (await client.call(socket, "userDataStream.ping", **key))["error"]["code"] == -1125


async def test_what_is_refused(quiet_futures: Any) -> None:
    client = quiet_futures
    socket = await api(client)

    async def code(method: str, **params: Any) -> Any:
        return (await client.call(socket, method, **params))["error"]["code"]

    assert await code("openOrders", **client.params()) == -1000, "REST's alone"
    assert await code("order.place", **client.params(**{**ORDER, "type": "STOP"})) == -4120
    assert await code("algoOrder.place", **client.params(symbol="BTCUSDT")) == -4084
    assert await code("order.place", **{**client.params(**ORDER), "signature": "00"}) == -1022
    assert await code("userDataStream.start", apiKey="0" * 64) == -2015
    await socket.connection.send("{")
    assert (await socket.receive_until(lambda frame: True))[0]["error"]["code"] == -1135


async def test_market_data(quiet_futures: Any) -> None:
    client = quiet_futures
    socket = await api(client)
    depth = (await client.call(socket, "depth", symbol="BTCUSDT", limit=5))["result"]
    ticker = (await client.call(socket, "ticker.book", symbol="BTCUSDT"))["result"]
    assert [ticker["bidPrice"], ticker["bidQty"]] == depth["bids"][0]
