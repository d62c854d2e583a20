"""What the control door tells is true: queues, orders, balances, and what became of each answer."""

import asyncio
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


async def look(client: Any, name: str, **params: Any) -> Any:
    async with client.http.get(f"{client.endpoints.rest}/control/{name}", params=params) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def best_bid(client: Any) -> Any:
    return (await look(client, "book", symbol="BTCUSDT", levels=1))["bids"][0]


async def place(client: Any, price: str, name: str, **terms: str) -> Any:
    status, answer = await client.signed(
        "POST", "/api/v3/order", **ORDER | terms | {"price": price, "newClientOrderId": name}
    )
    assert status == 200, answer
    return answer


async def test_a_place_in_the_queue_is_what_stands_before_it(quiet: Any) -> None:
    """Goal: the true position, also as it moves. Method: two orders of ours behind the crowd's at the best bid; the crowd
    sells a part of its first order; then our own first one goes."""
    level = await best_bid(quiet)
    crowd = level["orders"]
    before = sum(Decimal(row["quantity"]) for row in crowd)
    await place(quiet, level["price"], "first", quantity="0.02")
    await place(quiet, level["price"], "second")

    async def places() -> dict[str, tuple[int, Decimal]]:
        rows = (await look(quiet, "queues"))["rows"]
        return {row["client_order_id"]: (row["orders_ahead"], Decimal(row["quantity_ahead"])) for row in rows}

    assert await places() == {"first": (len(crowd), before), "second": (len(crowd) + 1, before + Decimal("0.02"))}
    told = (await best_bid(quiet))["orders"]
    assert told[: len(crowd)] == crowd
    assert [(row["client_order_id"], row["account"]) for row in told[len(crowd) :]] == [
        ("first", "client"),
        ("second", "client"),
    ]
    for row in told[len(crowd) :]:
        assert (row["orders_ahead"], Decimal(row["quantity_ahead"])) == (await places())[row["client_order_id"]]

    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity="0.00001")
    before -= Decimal("0.00001")
    left = len(crowd) - (Decimal(crowd[0]["quantity"]) == Decimal("0.00001"))
    assert await places() == {"first": (left, before), "second": (left + 1, before + Decimal("0.02"))}
    await quiet.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="first")
    assert await places() == {"second": (left, before)}


async def test_the_book_is_the_depth_order_by_order(quiet: Any) -> None:
    _, depth = await quiet.get("/api/v3/depth", symbol="BTCUSDT", limit=10)
    book = await look(quiet, "book", symbol="BTCUSDT", levels=10)
    assert book["update_id"] == depth["lastUpdateId"]
    for side in ("bids", "asks"):
        assert [[row["price"], row["quantity"]] for row in book[side]] == depth[side]
        for row in book[side]:
            assert sum(Decimal(order["quantity"]) for order in row["orders"]) == Decimal(row["quantity"])


async def test_an_order_is_told_with_all_that_happened_to_it(quiet: Any) -> None:
    """Goal: open and closed, each with its executions. Method: one taken in part and canceled, one that rests."""
    level = await best_bid(quiet)
    ahead = sum(Decimal(row["quantity"]) for row in level["orders"])
    await place(quiet, level["price"], "taken")
    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity=str(ahead + Decimal("0.004")))
    await quiet.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="taken")
    await place(quiet, "40000", "rests")
    page = await look(quiet, "orders", account="client")
    taken, rests = page["rows"]
    assert (page["first"], page["next"], page["then"]) == (0, 2, 2)
    assert (taken["client_order_id"], taken["status"], taken["is_open"]) == ("taken", "CANCELED", False)
    assert taken["executed"] == "0.00400000"
    assert [row["kind"] for row in taken["executions"]] == ["NEW", "TRADE", "CANCELED"]
    fill = taken["executions"][1]
    assert (fill["quantity"], fill["price"], fill["is_maker"]) == ("0.00400000", level["price"], True)
    assert (rests["status"], rests["is_open"], [row["kind"] for row in rests["executions"]]) == ("NEW", True, ["NEW"])
    assert [row["client_order_id"] for row in (await look(quiet, "orders", client_order_id="rests"))["rows"]] == [
        "rests"
    ]
    assert (await look(quiet, "orders", account="fees"))["rows"] == []


async def test_the_entries_make_the_balances(quiet: Any) -> None:
    """Goal: every change is there. Method: trade, rest and cancel; the entries' sums are what the ledger says."""
    level = await best_bid(quiet)
    await place(quiet, level["price"], "rests")
    await quiet.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5", newClientOrderId="takes"
    )
    await quiet.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="rests")
    before_ns = time.time_ns()
    await quiet.control("deposit", account="client", asset="USDT", amount="5")
    deposited = (await look(quiet, "ledger-entries", account="client", limit=1_000))["rows"][-1]
    assert (deposited["reason"], deposited["time_ns"] > before_ns) == ("deposit", True)
    await place(quiet, "40000", "rests-on")
    free: defaultdict[str, Decimal] = defaultdict(Decimal)
    locked: defaultdict[str, Decimal] = defaultdict(Decimal)
    rows: list[Any] = []
    while True:
        page = await look(quiet, "ledger-entries", account="client", limit=3, **{"from": rows[-1] if rows else 0})
        for row in page["rows"]:
            free[row["asset"]] += Decimal(row["free"])
            locked[row["asset"]] += Decimal(row["locked"])
        rows.append(page["then"])
        if page["then"] == page["next"]:
            break
    assert page["first"] == 0
    assert len(rows) > 3
    balances = (await look(quiet, "ledger"))["accounts"]["client"]
    assert {a: (free[a], locked[a]) for a in balances} == {
        asset: (Decimal(row["free"]), Decimal(row["locked"])) for asset, row in balances.items()
    }


async def test_pages_with_a_filter_go_on_where_they_looked_last(quiet: Any) -> None:
    for number in range(6):
        kind = "GET" if number % 2 else "POST"
        name = f"n{number}"
        if kind == "GET":
            await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=name)
        else:
            await place(quiet, "40000", name)
    first = await look(quiet, "requests", kind="place", limit=2)
    assert [row["client_order_id"] for row in first["rows"]] == ["n0", "n2"]
    assert (first["then"], first["next"]) == (3, 6)
    second = await look(quiet, "requests", kind="place", limit=2, **{"from": first["then"]})
    assert [row["client_order_id"] for row in second["rows"]] == ["n4"]
    assert second["then"] == second["next"] == 6
    beyond = await look(quiet, "requests", **{"from": 99})
    assert (beyond["rows"], beyond["next"]) == ([], 6)


@pytest.mark.parametrize(
    ("fault", "delivery", "done", "code"),
    [
        ({"kind": "answer-delay", "delay_ms": 20}, "late", True, 0),
        ({"kind": "request-delay", "delay_ms": 20}, "late", True, 0),
        ({"kind": "answer-double"}, "twice", True, 0),
        ({"kind": "answer-lost"}, "lost", True, 0),
        ({"kind": "answer-cut"}, "cut", True, 0),
        ({"kind": "request-lost"}, "swallowed", False, 0),
        ({"kind": "unknown", "code": -1007, "outcome": "done"}, "sent", True, -1007),
        ({"kind": "unknown", "code": -1007, "outcome": "not-done"}, "sent", False, -1007),
    ],
)
async def test_what_became_of_an_answer_is_told(
    quiet: Any, fault: dict[str, Any], delivery: str, done: bool, code: int
) -> None:
    """Goal: what was done, what was said and whether it arrived, apart. Method: one order with one fault, then the log."""
    body = {"fault": [fault | {"operation": "order.place", "name": "the-fault"}]}
    async with quiet.http.post(f"{quiet.endpoints.rest}/control/faults", json=body) as response:
        assert response.status == 200, await response.text()
    socket = await quiet.api()
    params = quiet.params(**ORDER, price="40000", newClientOrderId="hit")
    await socket.send({"id": "hit", "method": "order.place", "params": params})
    [row] = await until_noted(quiet)
    assert (row["delivery"], row["done"], row["code"]) == (delivery, done, code)
    assert row["faults"] == ["the-fault"]
    orders = (await look(quiet, "orders", client_order_id="hit"))["rows"]
    assert [order["order_id"] for order in orders] == ([row["order_id"]] if done else [])
    assert (row["order_id"] > 0) is done


async def until_noted(client: Any) -> list[Any]:
    """The request's row, which is there once it was looked at."""
    async with asyncio.timeout(60):
        while True:
            rows: list[Any] = (await look(client, "requests", client_order_id="hit"))["rows"]
            if rows:
                return rows


async def test_the_state_of_things(quiet: Any) -> None:
    socket = await quiet.streams("btcusdt@depth@100ms")
    api = await quiet.api()
    state = await look(quiet, "state")
    assert state["connections"] == 2
    assert state["faces"]["spot"]["market_connections"] == 1
    assert state["faces"]["spot"]["flowing"] is False
    assert state["faces"]["spot"]["symbols"]["BTCUSDT"]["status"] == "TRADING"
    assert state["logs"]["requests"]["first"] == 0
    await socket.connection.close()
    await api.connection.close()


async def test_what_is_no_operation_is_noted_too(quiet: Any) -> None:
    """Goal: every request is there. Method: a session's method, one that does not exist, frames and a query that are none."""
    socket = await quiet.api()
    await quiet.call(socket, "session.status")
    await quiet.call(socket, "no.such.method")
    await socket.send('{"id": 1, "method"')
    await socket.receive()
    await quiet.get("/api/v3/order?a=1&a=2")
    rows = (await look(quiet, "requests"))["rows"]
    assert [(row["kind"], row["operation"], row["done"]) for row in rows] == [
        ("session", "session.status", True),
        ("session", "no.such.method", False),
        ("unread", "", False),
        ("unread", "order.status", False),
    ]
    assert [row["code"] < 0 for row in rows] == [False, True, True, True]


async def test_the_futures_face_tells_its_positions(start_client: Any) -> None:
    """Goal: both faces in one record. Method: an order on futures; positions, log rows and entries name that face."""
    client = await start_client(futures_port=0)
    await client.control("pause-flow", face="usdm")
    url = client.signed_url(
        "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01", newClientOrderId="short"
    ).replace(client.endpoints.rest, client.endpoints.futures_rest)
    async with client.http.post(url, headers={"X-MBX-APIKEY": client.endpoints.api_key}) as response:
        assert response.status == 200, await response.text()
    ledger = await look(client, "ledger", face="usdm")
    [position] = ledger["positions"]["client"]
    assert (position["symbol"], position["quantity"]) == ("BTCUSDT", "-0.01000000")
    assert Decimal(position["cost"]) < 0
    assert ledger["adds_up"] is True
    [order] = (await look(client, "orders", client_order_id="short"))["rows"]
    assert (order["face"], order["status"]) == ("usdm", "FILLED")
    [request] = (await look(client, "requests", face="usdm"))["rows"]
    assert (request["kind"], request["done"], request["order_id"]) == ("place", True, order["order_id"])
    trades = (await look(client, "trades", face="usdm"))["rows"]
    assert {row["taker_client_order_id"] for row in trades} == {"short"}
    entries = (await look(client, "ledger-entries", face="usdm", account="client"))["rows"]
    assert entries[0]["reason"] == "deposit"
    assert "fee" in {row["reason"] for row in entries}
    assert (await look(client, "orders", face="spot"))["rows"] == []
    assert "positions" not in await look(client, "ledger")
