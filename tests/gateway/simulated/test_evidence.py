"""What the venue tells whoever judges a run: each order request with its verdict, each trade of a client."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from websockets.frames import Frame, Opcode

from gateway.simulated.core.bounded_log import BoundedLog
from gateway.simulated.settings import Credentials

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}
SHOWN = ("kind", "account", "client_order_id", "side", "price", "quantity", "code")


async def requests(client: Any, **params: Any) -> list[dict[str, Any]]:
    return (await client.control("requests", **params))["rows"]


def as_account(client: Any, credentials: Credentials, **params: Any) -> dict[str, Any]:
    """WebSocket API parameters, signed by another account than the client's own."""
    params |= {"apiKey": credentials.api_key, "timestamp": time.time_ns() // 1_000_000}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()
    return params | {"signature": hmac.new(credentials.api_secret.encode(), payload, hashlib.sha256).hexdigest()}


async def test_every_request_is_noted_with_its_verdict(quiet: Any) -> None:
    """Goal: place, query, cancel, both kinds of no and what is no order, both doors. Method: one of each, then the log."""
    before_ns = time.time_ns()
    socket = await quiet.api()
    placed = await quiet.call(socket, "order.place", **quiet.params(**ORDER, newClientOrderId="mine"))
    await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    await quiet.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    await quiet.call(socket, "order.cancel", **quiet.params(symbol="BTCUSDT", origClientOrderId="mine"))
    await quiet.call(socket, "order.place", **quiet.params(**ORDER | {"price": "1.001"}, newClientOrderId="bad"))
    await quiet.get("/api/v3/depth", symbol="BTCUSDT")
    await quiet.signed("GET", "/api/v3/account")
    rows = await requests(quiet)
    assert [tuple(row[name] for name in SHOWN) for row in rows] == [
        ("place", "client", "mine", "BUY", "50000", "0.01", 0),
        ("query", "client", "mine", "", "", "", 0),
        ("cancel", "client", "mine", "", "", "", 0),
        ("cancel", "client", "mine", "", "", "", -2011),
        ("place", "client", "bad", "BUY", "1.001", "0.01", -1013),
        ("market", "", "", "", "", "", 0),
        ("account", "client", "", "", "", "", 0),
    ]
    assert [row["order_id"] for row in rows] == [placed["result"]["orderId"]] * 3 + [0] * 4
    assert [row["door"] for row in rows] == ["api", "rest", "rest", "api", "api", "rest", "rest"]
    assert [row["done"] for row in rows] == [True, True, True, False, False, True, True]
    assert [row["status"] for row in rows] == [200, 200, 200, 400, 400, 200, 200]
    assert {(row["delivery"], row["face"]) for row in rows} == {("sent", "spot")}
    assert [row["number"] for row in rows] == list(range(7))
    times = [before_ns, *(row["received_ns"] for row in rows), time.time_ns()]
    assert times == sorted(times)


async def test_a_request_that_proves_nobody_is_noted_without_an_account(quiet: Any) -> None:
    socket = await quiet.api()
    forged = quiet.params(**ORDER, newClientOrderId="forged") | {"signature": "00"}
    assert (await quiet.call(socket, "order.place", **forged))["error"]["code"] == -1022
    [row] = await requests(quiet)
    assert (row["account"], row["client_order_id"], row["code"]) == ("", "forged", -1022)


async def test_pages_go_on_where_the_last_one_ended(quiet: Any) -> None:
    socket = await quiet.api()
    for number in range(5):
        await quiet.call(socket, "order.status", **quiet.params(symbol="BTCUSDT", origClientOrderId=f"q{number}"))
    first = await quiet.control("requests", limit=2)
    assert (first["first"], first["next"], [row["client_order_id"] for row in first["rows"]]) == (0, 5, ["q0", "q1"])
    rest = await requests(quiet, **{"from": 2})
    assert [row["client_order_id"] for row in rest] == ["q2", "q3", "q4"]
    assert await requests(quiet, **{"from": 5}) == []
    assert await requests(quiet, **{"from": 2**63 - 1}) == []
    assert (await quiet.control("requests", **{"from": "x"}))["code"] == -1100


def test_a_log_keeps_its_last_rows_and_says_what_it_dropped() -> None:
    log: BoundedLog[int] = BoundedLog(3)
    for value in range(10):
        log.append(value)
    assert (log.first_number, log.next_number) == (7, 10)
    assert log.rows(0, 10) == [7, 8, 9]
    assert log.rows(8, 1) == [8]
    assert log.rows(10, 5) == []
    assert log.rows(2**63 - 1, 10) == []


def test_a_log_that_nobody_can_ask_keeps_nothing() -> None:
    log: BoundedLog[int] = BoundedLog(0)
    log.append(1)
    assert (log.first_number, log.next_number, log.rows(0, 10)) == (1, 1, [])


async def empty_touch(client: Any) -> str:
    """Take the crowd's best bid away until ours alone would stand there; return its price."""
    _, ticker = await client.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    await client.control("market", symbol="BTCUSDT", side="SELL", quantity=ticker["bidQty"])
    price: str = ticker["bidPrice"]
    return price


@pytest.mark.parametrize("seller", [0, 1])
async def test_without_prevention_two_orders_of_ours_trade_with_each_other(start_client: Any, seller: int) -> None:
    """One account with itself, and two accounts: only who sells differs."""
    client = await start_client(accounts=("client", "client-2"))
    await client.control("pause-flow")
    price = await empty_touch(client)
    socket = await client.api()
    terms = ORDER | {"price": price, "selfTradePreventionMode": "NONE"}
    first, other = client.endpoints.credentials[0], client.endpoints.credentials[seller]
    bought = await client.call(socket, "order.place", **as_account(client, first, **terms, newClientOrderId="bid"))
    sold = await client.call(
        socket, "order.place", **as_account(client, other, **terms | {"side": "SELL"}, newClientOrderId="ask")
    )
    assert sold["result"]["status"] == "FILLED"
    [trade] = (await client.control("trades"))["rows"]
    assert (trade["maker_account"], trade["maker_client_order_id"]) == ("client", "bid")
    assert (trade["taker_account"], trade["taker_client_order_id"]) == (other.account, "ask")
    assert (trade["taker_side"], float(trade["price"]), trade["quantity"]) == ("SELL", float(price), "0.01000000")
    assert (trade["taker_order_id"], trade["maker_order_id"]) == (
        sold["result"]["orderId"],
        bought["result"]["orderId"],
    )
    [fill] = sold["result"]["fills"]
    paid = (trade["taker_commission"], trade["taker_commission_asset"])
    assert paid == (fill["commission"], fill["commissionAsset"])
    assert (trade["maker_commission"], trade["maker_commission_asset"]) == ("0.00001000", "BTC")
    assert (await client.control("ledger"))["adds_up"] is True


async def test_a_trade_with_the_crowd_names_the_crowd(quiet: Any) -> None:
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    taken = ORDER | {"price": ticker["askPrice"], "timeInForce": "IOC", "quantity": "0.001"}
    _, answer = await quiet.signed("POST", "/api/v3/order", **taken, newClientOrderId="take")
    await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity="0.001")  # the crowd among itself
    [trade] = (await quiet.control("trades"))["rows"]
    assert (trade["maker_account"], trade["maker_client_order_id"]) == ("background", "")
    assert (trade["taker_account"], trade["taker_client_order_id"], trade["taker_side"]) == ("client", "take", "BUY")
    assert (trade["taker_order_id"], trade["taker_commission"]) == (answer["orderId"], "0.00000100")
    assert (trade["maker_order_id"], trade["maker_commission"], trade["maker_commission_asset"]) == (0, "", "")


async def test_the_crowd_cannot_be_asked_to_trade_nothing(quiet: Any) -> None:
    assert (await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity="0"))["code"] == -1013


WINDOW_MS = 100
LATE_S = 0.25
"""Two and a half windows: whoever is slow makes it later still."""


async def test_a_frame_whose_end_came_after_its_window_is_refused(quiet: Any) -> None:
    """Goal: what waited in a buffer under way is judged when it is handled. Method: half a frame, a pause, the rest."""
    socket = await quiet.api()
    params = quiet.params(**ORDER, newClientOrderId="late", recvWindow=WINDOW_MS)
    text = json.dumps({"id": 1, "method": "order.place", "params": params}).encode()
    frame = Frame(Opcode.TEXT, text).serialize(mask=True)
    transport = socket.connection.transport
    transport.write(frame[:-10])
    await asyncio.sleep(LATE_S)
    transport.write(frame[-10:])
    answer = await socket.receive()
    assert answer["error"]["code"] == -1021
    [row] = await requests(quiet)
    assert (row["account"], row["client_order_id"], row["code"]) == ("client", "late", -1021)


async def test_a_body_whose_end_came_after_its_window_is_refused(quiet: Any) -> None:
    address = urlsplit(quiet.endpoints.rest)
    params = ORDER | {"newClientOrderId": "late", "recvWindow": WINDOW_MS, "timestamp": time.time_ns() // 1_000_000}
    query = urlencode(params)
    signature = hmac.new(quiet.endpoints.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    body = f"{query}&signature={signature}"
    head = (
        f"POST /api/v3/order HTTP/1.1\r\nHost: {address.netloc}\r\nX-MBX-APIKEY: {quiet.endpoints.api_key}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write((head + body[:-10]).encode())
    await asyncio.sleep(LATE_S)
    writer.write(body[-10:].encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    assert "-1021" in answer
    assert [row["code"] for row in await requests(quiet)] == [-1021]
