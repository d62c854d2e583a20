"""The WebSocket API over loopback: signed and session requests, user data stream, order of answers and events."""

import json
from typing import Any

import pytest

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


def is_report(kind: str) -> Any:
    return lambda frame: frame.get("event", {}).get("x") == kind


async def test_public_methods(quiet: Any) -> None:
    socket = await quiet.api()
    answer = await quiet.call(socket, "ping")
    assert (answer["status"], answer["result"]) == (200, {})
    assert answer["rateLimits"][0]["count"] >= 3  # 2 for the connection
    assert "serverTime" in (await quiet.call(socket, "time"))["result"]
    assert "rateLimits" not in await quiet.call(socket, "time", returnRateLimits=False)
    info = (await quiet.call(socket, "exchangeInfo", symbols=["BTCUSDT"]))["result"]
    assert [s["symbol"] for s in info["symbols"]] == ["BTCUSDT"]
    depth = (await quiet.call(socket, "depth", symbol="BTCUSDT", limit=5))["result"]
    assert len(depth["bids"]) == 5


async def test_session_place_fill_cancel_with_events(quiet: Any) -> None:
    """Goal: an order's whole life by session. Method: the answer comes first, then NEW, the fill, the cancel."""
    socket = await quiet.api()
    logon = await quiet.call(socket, "session.logon", **quiet.params(ed25519=True))
    assert (logon["status"], logon["result"]["apiKey"]) == (200, quiet.endpoints.api_key)
    assert (await quiet.call(socket, "userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    price = f"{float(ticker['bidPrice']) + 0.01:.2f}"
    if float(price) >= float(ticker["askPrice"]):
        price = ticker["bidPrice"]
    stamp = {"timestamp": quiet.params()["timestamp"]}
    await socket.send(
        {"id": "p", "method": "order.place", "params": LIMIT | stamp | {"price": price, "newClientOrderId": "mine"}}
    )
    answer = await socket.receive()
    assert (answer["id"], answer["status"], answer["result"]["status"]) == ("p", 200, "NEW")
    new, position = await socket.receive(), await socket.receive()
    assert new["subscriptionId"] == 0
    assert (new["event"]["x"], new["event"]["c"], new["event"]["i"]) == ("NEW", "mine", answer["result"]["orderId"])
    assert position["event"]["B"][0]["a"] == "USDT"

    ahead = float(ticker["bidQty"]) if price == ticker["bidPrice"] else 0.0
    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity=f"{ahead + 0.004:.5f}")
    fill = (await socket.receive_until(is_report("TRADE")))[-1]["event"]
    assert (fill["X"], fill["l"], fill["m"], fill["N"]) == ("PARTIALLY_FILLED", "0.00400000", True, "BTC")
    assert fill["n"] == "0.00000400"
    await socket.receive()  # the balances

    await quiet.call(socket, "order.cancel", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="c1", **stamp)
    report = (await socket.receive_until(is_report("CANCELED")))[-1]["event"]
    assert (report["X"], report["c"], report["C"], report["z"]) == ("CANCELED", "c1", "mine", "0.00400000")
    assert (await quiet.control("ledger"))["adds_up"] is True


async def test_signed_requests_without_a_session(quiet: Any) -> None:
    socket, listener = await quiet.api(), await quiet.api()
    answer = await quiet.call(listener, "userDataStream.subscribe.signature", **quiet.params())
    assert answer["result"] == {"subscriptionId": 0}
    order = LIMIT | {"price": "50000", "recvWindow": 4000}
    placed = await quiet.call(socket, "order.place", **quiet.params(**order))
    assert placed["status"] == 200
    assert [r["rateLimitType"] for r in placed["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    assert (await listener.receive())["event"]["x"] == "NEW"
    order_id = placed["result"]["orderId"]
    found = await quiet.call(socket, "order.status", **quiet.params(symbol="BTCUSDT", orderId=order_id))
    assert found["result"]["status"] == "NEW"
    open_orders = await quiet.call(socket, "openOrders.status", **quiet.params(symbol="BTCUSDT"))
    assert [o["orderId"] for o in open_orders["result"]] == [order_id]
    assert (await quiet.call(socket, "order.test", **quiet.params(**order)))["result"] == {}
    canceled = await quiet.call(socket, "openOrders.cancelAll", **quiet.params(symbol="BTCUSDT"))
    assert [c["orderId"] for c in canceled["result"]] == [order_id]
    account = await quiet.call(socket, "account.status", **quiet.params(ed25519=True))
    assert account["result"]["accountType"] == "SPOT"
    assert (await quiet.call(socket, "myTrades", **quiet.params(symbol="BTCUSDT")))["result"] == []
    assert (await quiet.call(listener, "userDataStream.unsubscribe"))["result"] == {}
    await quiet.call(socket, "order.place", **quiet.params(**order))
    assert (await quiet.call(listener, "session.status"))["result"]["userDataStream"] is False


async def test_prevention_reaches_the_user_stream(quiet: Any) -> None:
    """A bid inside the spread would be ours alone; at the touch we take the queue ahead away first."""
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    order = LIMIT | {"price": ticker["bidPrice"]}
    await quiet.call(socket, "order.place", **quiet.params(**order))
    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity=ticker["bidQty"])
    sell = order | {"side": "SELL", "selfTradePreventionMode": "EXPIRE_BOTH"}
    answer = await quiet.call(socket, "order.place", **quiet.params(**sell))
    assert (answer["result"]["status"], answer["result"]["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "0.01000000")
    reports = [f["event"] for f in await socket.receive_until(is_report("TRADE_PREVENTION"))]
    reports.append((await socket.receive())["event"])
    prevented = [r for r in reports if r.get("x") == "TRADE_PREVENTION"]
    assert [(r["S"], r["X"], r["v"]) for r in prevented] == [
        ("BUY", "EXPIRED_IN_MATCH", 0),
        ("SELL", "EXPIRED_IN_MATCH", 0),
    ]


async def test_a_deposit_is_a_balance_update_and_a_new_balance(quiet: Any) -> None:
    """Goal: as user-data-stream.md says of outboundAccountPosition, "sent any time an account balance has changed"."""
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    await quiet.control("deposit", account="client", asset="USDT", amount="5")
    event = (await socket.receive())["event"]
    assert (event["e"], event["a"], event["d"]) == ("balanceUpdate", "USDT", "5.00000000")
    event = (await socket.receive())["event"]
    assert (event["e"], event["B"]) == (
        "outboundAccountPosition",
        [{"a": "USDT", "f": "1000005.00000000", "l": "0.00000000"}],
    )


@pytest.mark.parametrize(
    ("method", "params", "status", "code"),
    [
        ("dance", {}, 400, -1000),
        ("order.place", {"timestamp": 1}, 400, -1102),
        ("userDataStream.subscribe", {}, 401, -2015),
        ("depth", {}, 400, -1102),
        ("depth", {"symbol": "NOPE"}, 400, -1121),
        ("depth", {"symbol": {"a": 1}}, 400, -1121),
        ("userDataStream.unsubscribe", {"subscriptionId": "x"}, 400, -1100),
        ("account.status", {"apiKey": "x", "timestamp": 1, "signature": "y"}, 401, -2014),
        ("account.status", {"apiKey": "x" * 64, "timestamp": 1, "signature": "y"}, 401, -2015),
    ],
)
async def test_errors(quiet: Any, method: str, params: dict[str, Any], status: int, code: int) -> None:
    socket = await quiet.api()
    answer = await quiet.call(socket, method, **params)
    assert (answer["status"], answer["error"]["code"]) == (status, code)


async def test_a_refused_order_still_tells_the_order_counts(quiet: Any) -> None:
    socket = await quiet.api()
    answer = await quiet.call(socket, "order.place", **quiet.params(**(LIMIT | {"price": "1.001"})))
    assert (answer["status"], answer["error"]) == (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    assert [r.get("count") for r in answer["rateLimits"]][:2] == [0, 0]


async def test_logon_wants_ed25519(quiet: Any) -> None:
    socket = await quiet.api()
    answer = await quiet.call(socket, "session.logon", **quiet.params())
    assert (answer["status"], answer["error"]["code"]) == (400, -1022)
    await quiet.call(socket, "session.logon", **quiet.params(ed25519=True))
    assert (await quiet.call(socket, "session.logout"))["result"]["apiKey"] is None
    assert (await quiet.call(socket, "userDataStream.subscribe"))["error"]["code"] == -2015


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"id": 1}', '{"id": {}, "method": "ping"}', '"\\ud800"', "\x00"])
async def test_malformed_frames_get_a_400(quiet: Any, text: str) -> None:
    socket = await quiet.api()
    await socket.send(text)
    answer = await socket.receive()
    assert (answer["status"], answer["id"]) == (400, None)
    assert (await quiet.call(socket, "ping"))["status"] == 200


async def test_a_number_is_signed_in_the_clients_own_digits(quiet: Any) -> None:
    """`1.50` as a JSON number must be signed as `1.50`, not as 1.5."""
    socket = await quiet.api()
    params = quiet.params(symbol="BTCUSDT", recvWindow="4000.50")
    text = json.dumps({"id": 1, "method": "openOrders.status", "params": params})
    await socket.send(text.replace('"4000.50"', "4000.50"))
    assert (await socket.receive())["status"] == 200
