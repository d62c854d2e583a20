"""Each kind of fault of requests, as a client sees it over a real socket; what is true is asked of the ledger and by query."""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp
import pytest
import websockets

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}


async def adds_up(play: Any) -> bool:
    return (await play.get("ledger"))["adds_up"] is True


async def deliveries(play: Any) -> list[tuple[str, bool, str]]:
    """What the venue says it did about each order that was sent: name, whether it was done, what became of the answer."""
    rows = (await play.get("requests"))["rows"]
    return [(r["client_order_id"], r["done"], r["delivery"]) for r in rows if r["kind"] in ("place", "cancel")]


async def test_a_request_is_held_and_its_window_looked_at_again(play: Any) -> None:
    socket = await play.client.api()
    await play.set("request-delay", operation="place", delay_ms=200)
    refused = await play.place(socket, "late", recvWindow=100)
    assert refused["error"]["code"] == -1021
    placed = await play.place(socket, "in-time", recvWindow=5_000)
    assert placed["result"]["status"] == "NEW"
    assert await deliveries(play) == [("late", False, "late"), ("in-time", True, "late")]


async def test_a_request_is_lost(play: Any) -> None:
    socket = await play.client.api()
    await play.set("request-lost", operation="order.place", count=1)
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="lost")
    assert await play.silent(socket)
    assert (await play.query("lost"))[1]["code"] == -2013
    assert (await play.place(socket, "next"))["result"]["status"] == "NEW"
    assert await deliveries(play) == [("lost", False, "swallowed"), ("next", True, "sent")]


async def test_an_answer_is_late_and_the_events_are_not(play: Any) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("answer-delay", operation="place", delay_ms=[300, 300])
    began = time.monotonic()
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="slow")
    assert (await events.receive())["event"]["c"] == "slow"
    assert time.monotonic() - began < 0.29
    assert (await socket.receive())["result"]["clientOrderId"] == "slow"
    assert time.monotonic() - began > 0.29


async def test_an_answer_is_lost_and_the_order_lives(play: Any) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("answer-lost", client_order_id="lost*", operation="place")
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="lost-1")
    assert (await events.receive())["event"]["X"] == "NEW"
    assert await play.silent(socket)
    assert (await play.place(socket, "kept"))["result"]["status"] == "NEW"
    assert (await play.query("lost-1"))[1]["status"] == "NEW"
    assert await deliveries(play) == [("lost-1", True, "lost"), ("kept", True, "sent")]


async def test_an_answer_by_rest_is_lost(play: Any) -> None:
    await play.set("answer-lost", door="rest", operation="place")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(play.client.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="lost"), 0.2)
    socket = await play.client.api()
    assert (await play.place(socket, "other-door"))["result"]["status"] == "NEW"
    assert (await play.query("lost"))[1]["status"] == "NEW"


async def test_an_answer_comes_twice(play: Any) -> None:
    socket = await play.client.api()
    await play.set("answer-double", operation="place")
    first = await play.place(socket, "twice")
    assert await socket.receive() == first
    assert len((await play.get("ledger"))["open_orders"]) == 1


async def test_a_connection_is_cut_instead_of_an_answer(play: Any) -> None:
    socket, witness = await play.client.api(), await play.client.api()
    await play.set("answer-cut", operation="place")
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="cut")
    with pytest.raises(websockets.ConnectionClosed):
        await socket.receive()
    with pytest.raises(aiohttp.ClientError):
        await play.client.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="cut-too")
    found = await play.client.call(witness, "openOrders.status", **play.client.params(symbol="BTCUSDT"))
    assert [order["clientOrderId"] for order in found["result"]] == ["cut", "cut-too"]


async def taken(play: Any, socket: Any, name: str) -> None:
    """Send an order that fills at once on the socket that hears the events."""
    terms = ORDER | {"price": await play.touch("SELL"), "quantity": "0.001"}
    await play.send(socket, 9, "order.place", **terms, newClientOrderId=name)


@pytest.mark.parametrize("first", [True, False])
async def test_fills_come_before_the_acknowledgement_when_told_so(play: Any, first: bool) -> None:
    socket = await play.user_stream()
    if first:
        await play.set("events-first", operation="place")
    await taken(play, socket, "taker")
    frames = await socket.receive_until(lambda f: f.get("id") == 9 if first else f.get("event", {}).get("x") == "TRADE")
    kinds = ["answer" if "id" in frame else frame["event"].get("x", "balance") for frame in frames]
    if first:
        assert kinds == ["NEW", "TRADE", "balance", "answer"]
    else:
        assert kinds == ["answer", "NEW", "TRADE"]


@pytest.mark.parametrize("outcome", ["done", "not-done"])
@pytest.mark.parametrize(
    ("keys", "status", "code"),
    [({}, 504, -1007), ({"code": -1006}, 500, -1006), ({"status": 503}, 503, -1000)],
)
async def test_an_answer_that_does_not_say_whether_it_was_done(
    play: Any, outcome: str, keys: dict[str, Any], status: int, code: int
) -> None:
    socket = await play.client.api()
    await play.set("unknown", operation="place", outcome=outcome, **keys)
    answer = await play.place(socket, "unclear")
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    assert ("orderId" in (await play.query("unclear"))[1]) is (outcome == "done")
    assert await deliveries(play) == [("unclear", outcome == "done", "sent")]


async def test_a_bare_status_by_rest_has_no_word_of_the_venue(play: Any) -> None:
    await play.set("unknown", status=502, outcome="done", count=1, operation="depth")
    async with play.client.http.get(f"{play.rest}/api/v3/depth", params={"symbol": "BTCUSDT"}) as response:
        body = await response.read()
        assert (response.status, response.content_type) == (502, "text/html")
        assert b"code" not in body
    assert (await play.client.get("/api/v3/depth", symbol="BTCUSDT"))[0] == 200


async def test_either_outcome_is_drawn(play: Any) -> None:
    socket = await play.client.api()
    await play.set("unknown", operation="place")
    for number in range(16):
        await play.place(socket, f"u{number}")
    done = [row[1] for row in await deliveries(play)]
    assert {True, False} == set(done)


async def test_a_client_is_told_to_slow_down(play: Any) -> None:
    socket = await play.client.api()
    await play.set("rate-limited", operation="order.place", retry_s=30, count=2)
    limited = await play.place(socket, "too-much")
    assert (limited["status"], limited["error"]["code"]) == (429, -1003)
    assert 0 < limited["error"]["data"]["retryAfter"] - limited["error"]["data"]["serverTime"] <= 30_000
    async with play.client.http.post(f"{play.rest}/api/v3/order", headers={"X-MBX-APIKEY": "x"}) as response:
        assert response.status == 400, "a request that is refused anyway is refused for that"
    assert (await play.place(socket, "next"))["result"]["status"] == "NEW"


async def test_a_client_is_banned_and_comes_back(play: Any) -> None:
    socket = await play.client.api()
    await play.set("banned", operation="order.place", seconds=0.5, count=1)
    assert (await play.place(socket, "banned"))["status"] == 418
    status, answer = await play.client.get("/api/v3/time")
    assert (status, answer["code"]) == (418, -1003)
    await asyncio.sleep(0.55)
    assert (await play.client.get("/api/v3/time"))[0] == 200
    assert (await play.query("banned"))[1]["code"] == -2013


async def test_a_stale_snapshot_is_the_book_of_then(play: Any) -> None:
    """Goal: the answer is the book as it was, cut to what was asked for. Method: a trade moves the book in between."""
    await play.set("snapshot-stale", age_s=0.6)
    await asyncio.sleep(0.3)
    _, before = await play.client.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    await play.trade("0.00001")
    _, stale = await play.client.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    assert stale == before
    assert len(stale["asks"]) == 5
    await asyncio.sleep(1.0)
    _, caught_up = await play.client.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    assert caught_up["lastUpdateId"] > before["lastUpdateId"]


async def test_queries_lag(play: Any) -> None:
    """Goal: as the world was: no such order, then open though canceled, then what is true."""
    socket = await play.client.api()
    await play.place(socket, "old")
    number = await play.set("query-lag", lag_ms=400)
    await play.cancel(socket, "old")
    await play.place(socket, "young")
    assert (await play.query("young"))[1]["code"] == -2013
    assert (await play.query("old"))[1]["status"] == "NEW"
    for path in ("/api/v3/openOrders", "/api/v3/allOrders"):
        _, orders = await play.client.signed("GET", path, symbol="BTCUSDT")
        assert [(order["clientOrderId"], order["status"]) for order in orders] == [("old", "NEW")]
    assert (await play.cancel(socket, "young"))["result"]["status"] == "CANCELED", "the engine knows the present"
    await asyncio.sleep(0.45)
    assert [(await play.query(name))[1]["status"] for name in ("young", "old")] == ["CANCELED", "CANCELED"]
    await play.remove(id=number)
    await play.place(socket, "present")
    assert (await play.query("present"))[1]["status"] == "NEW"


async def test_fills_lag_with_the_queries(play: Any) -> None:
    socket = await play.client.api()
    await play.set("query-lag", lag_ms=300)
    await taken(play, socket, "taker")
    await socket.receive()
    _, trades = await play.client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert trades == []
    await asyncio.sleep(0.35)
    _, trades = await play.client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert len(trades) == 1


async def test_an_order_shows_a_status_nobody_knows_until_it_is_closed(play: Any) -> None:
    socket = await play.user_stream()
    await play.set("unknown-status", client_order_id="odd*")
    assert (await play.place(socket, "odd"))["result"]["status"] == "FROZEN"
    assert (await socket.receive())["event"]["X"] == "FROZEN"
    assert (await play.query("odd"))[1]["status"] == "FROZEN"
    _, orders = await play.client.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    assert [order["status"] for order in orders] == ["FROZEN"]
    assert (await play.place(socket, "even"))["result"]["status"] == "NEW"
    assert (await play.get("ledger"))["open_orders"][0]["status"] == "NEW", "the control door tells the truth"
    assert (await play.cancel(socket, "odd"))["result"]["status"] == "CANCELED"
    assert (await play.query("odd"))[1]["status"] == "CANCELED"


async def test_balances_are_told_wrong_and_are_right(play: Any) -> None:
    socket = await play.user_stream()
    await play.set("balance-wrong", asset="USDT", amount="-100000.5")
    _, account = await play.client.signed("GET", "/api/v3/account")
    told = {row["asset"]: row["free"] for row in account["balances"]}
    assert (told["USDT"], told["BTC"]) == ("899999.50000000", "10.00000000")
    await play.place(socket, "order")
    frames = await socket.receive_until(lambda f: f.get("event", {}).get("e") == "outboundAccountPosition")
    assert {row["a"]: row["f"] for row in frames[-1]["event"]["B"]} == {"USDT": "899499.50000000"}
    ledger = await play.get("ledger")
    assert ledger["accounts"]["client"]["USDT"]["free"] == "999500.00000000"
    assert ledger["adds_up"] is True


@pytest.mark.parametrize(
    ("whom", "hit"),
    [
        ({}, ["a-buy", "b-sell", "a-rest"]),
        ({"door": "api"}, ["a-buy", "b-sell"]),
        ({"door": "rest"}, ["a-rest"]),
        ({"side": "SELL"}, ["b-sell"]),
        ({"client_order_id": "a-*"}, ["a-buy", "a-rest"]),
        ({"client_order_id": "a-buy"}, ["a-buy"]),
        ({"symbol": "ETHUSDT"}, []),
        ({"account": "client"}, ["a-buy", "b-sell", "a-rest"]),
        ({"account": "client-2"}, []),
        ({"operation": "order.place"}, ["a-buy", "b-sell", "a-rest"]),
        ({"operation": "place", "face": "spot"}, ["a-buy", "b-sell", "a-rest"]),
        ({"operation": "cancel"}, []),
    ],
)
async def test_whom_a_fault_hits(start_play: Any, whom: dict[str, str], hit: list[str]) -> None:
    """Three orders by two doors; a delay of nothing leaves a row in the log and changes no answer."""
    play = await start_play(accounts=("client", "client-2"))
    await play.set("answer-delay", delay_ms=0, **whom)
    socket = await play.client.api()
    await play.place(socket, "a-buy")
    await play.place(socket, "b-sell", side="SELL", price=str(float(await play.touch("SELL")) + 1_000))
    await play.client.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="a-rest")
    assert [row["client_order_id"] for row in await play.log() if row["about"] == "order.place"] == hit


async def test_a_cancel_by_number_has_the_side_and_id_of_its_order(play: Any) -> None:
    socket = await play.client.api()
    placed = await play.place(socket, "mine")
    await play.set("answer-delay", delay_ms=0, operation="cancel", side="BUY", client_order_id="mi*")
    await play.set("answer-delay", name="never", delay_ms=0, operation="cancel", side="SELL")
    number = placed["result"]["orderId"]
    await play.client.call(socket, "order.cancel", **play.client.params(symbol="BTCUSDT", orderId=number))
    assert [row["fault"] for row in await play.log()] == ["answer-delay"]


async def test_two_faults_meet_in_one_request(play: Any) -> None:
    """A late answer that comes twice; the venue's own record names both."""
    socket = await play.client.api()
    await play.set("answer-delay", name="slow", delay_ms=100, operation="place")
    await play.set("answer-double", name="twice", operation="place")
    began = time.monotonic()
    first = await play.place(socket, "both")
    assert time.monotonic() - began > 0.09
    assert await socket.receive() == first
    [row] = [r for r in (await play.get("requests"))["rows"] if r["kind"] == "place"]
    assert row["faults"] == ["slow", "twice"]


async def test_a_client_that_left_leaves_nothing_behind(play: Any) -> None:
    """Goal: a connection that is gone before its late answer costs nobody anything. Method: it goes; another trades on."""
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("answer-delay", operation="place", delay_ms=100, count=2)
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="gone")
    socket.connection.transport.abort()
    with contextlib.suppress(TimeoutError):
        request = play.client.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="gone-too")
        await asyncio.wait_for(request, 0.05)
    names = [(await events.receive_until(lambda f: f["event"].get("x") == "NEW"))[-1]["event"]["c"] for _ in range(2)]
    assert names == ["gone", "gone-too"]
    await asyncio.sleep(0.15)
    other = await play.client.api()
    assert (await play.place(other, "on"))["result"]["status"] == "NEW"


async def test_nobody_overtakes_a_request_with_a_plan(play: Any) -> None:
    """Goal: what is done to an answer moves nothing but the answer. Method: cancels sent in one go with their orders."""
    socket = await play.client.api()
    await play.set("answer-lost", operation="place", count=1)
    await play.set("answer-delay", operation="place", delay_ms=100, after=1, count=1)
    await play.set("answer-double", operation="place", after=2, count=1)
    frames = []
    for name in ("lost", "late", "twice"):
        params = play.client.params(**ORDER, newClientOrderId=name)
        frames.append({"id": f"place-{name}", "method": "order.place", "params": params})
        params = play.client.params(symbol="BTCUSDT", origClientOrderId=name)
        frames.append({"id": f"cancel-{name}", "method": "order.cancel", "params": params})
    await asyncio.gather(*(socket.send(frame) for frame in frames))
    answers = [await socket.receive() for _ in range(6)]
    statuses = {answer["id"]: answer["status"] for answer in answers}
    assert statuses == {
        **{f"cancel-{name}": 200 for name in ("lost", "late", "twice")},
        **{f"place-{name}": 200 for name in ("late", "twice")},
    }
    assert [answer["id"] for answer in answers][-1] == "place-late"
