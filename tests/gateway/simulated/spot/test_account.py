"""What an account may ask about itself: lists, windows, pages, fees, counts (rest-api.md, "Account Endpoints")."""

from typing import Any

import pytest

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "50000",
}
TAKE = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
DAY_MS = 86_400_000
ME = {"symbol": "BTCUSDT"}


async def test_all_orders_in_pages_and_windows(quiet: Any) -> None:
    ids = [(await quiet.signed("POST", "/api/v3/order", **LIMIT))[1]["orderId"] for _ in range(4)]

    async def listed(**params: Any) -> list[int]:
        status, rows = await quiet.signed("GET", "/api/v3/allOrders", **ME, **params)
        assert status == 200, rows
        return [row["orderId"] for row in rows]

    assert await listed() == ids
    assert await listed(limit=2) == ids[2:]
    assert await listed(orderId=ids[1], limit=2) == ids[1:3]
    _, rows = await quiet.signed("GET", "/api/v3/allOrders", **ME)
    first_ms, last_ms = rows[0]["time"], rows[-1]["time"]
    assert await listed(startTime=first_ms, endTime=last_ms) == ids
    assert await listed(startTime=first_ms * 1_000, endTime=(last_ms + 1) * 1_000) == ids  # in microseconds
    assert await listed(startTime=last_ms + 1) == []
    assert await listed(endTime=first_ms - 1) == []
    assert await listed(startTime=last_ms - DAY_MS, endTime=last_ms) == ids


@pytest.mark.parametrize(
    "path", ["/api/v3/allOrders", "/api/v3/myTrades", "/api/v3/allOrderList", "/api/v3/myAllocations"]
)
async def test_a_window_has_a_day_at_most(quiet: Any, path: str) -> None:
    named = {} if path.endswith("List") else ME
    for window, code, text in (
        ({"startTime": 0, "endTime": DAY_MS + 2}, -1127, "More than 24 hours between startTime and endTime."),
        ({"startTime": 5, "endTime": 4}, -1102, None),
        ({"startTime": "soon"}, -1100, None),
    ):
        status, answer = await quiet.signed("GET", path, **named, **window)
        assert (status, answer["code"]) == (400, code)
        assert text in (None, answer["msg"])
    assert await quiet.signed("GET", path, **named, startTime=0, endTime=DAY_MS) == (200, [])
    assert await quiet.signed("GET", path, **named, startTime=7, endTime=7) == (200, [])


async def test_my_trades_in_pages(quiet: Any) -> None:
    """Goal: each combination the document lists, and the refusal of all others."""
    orders = [(await quiet.signed("POST", "/api/v3/order", **TAKE))[1] for _ in range(3)]
    ids = [order["fills"][0]["tradeId"] for order in orders]

    async def listed(**params: Any) -> list[int]:
        status, rows = await quiet.signed("GET", "/api/v3/myTrades", **ME, **params)
        assert status == 200, rows
        return [row["id"] for row in rows]

    order_id, now_ms = orders[1]["orderId"], orders[-1]["transactTime"]
    assert await listed() == ids
    assert await listed(limit=1) == ids[2:]
    assert await listed(fromId=ids[1], limit=1) == ids[1:2]
    assert await listed(orderId=order_id) == ids[1:2]
    assert await listed(orderId=order_id, fromId=ids[2]) == []
    assert await listed(startTime=now_ms - 60_000, limit=2) == ids[:2]
    assert await listed(endTime=now_ms + 60_000, limit=2) == ids[1:]
    assert await listed(startTime=now_ms - 60_000, endTime=now_ms) == ids
    for wrong in (
        {"fromId": 1, "startTime": 1},
        {"fromId": 1, "endTime": 1},
        {"orderId": 1, "startTime": 1},
        {"orderId": 1, "fromId": 1, "endTime": 1},
    ):
        status, answer = await quiet.signed("GET", "/api/v3/myTrades", **ME, **wrong)
        assert (status, answer) == (400, {"code": -1128, "msg": "Combination of optional parameters invalid."})


async def test_prevented_matches(quiet: Any) -> None:
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", **ME)
    order = {**ME, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    _, maker = await quiet.signed("POST", "/api/v3/order", **order, price=ticker["bidPrice"])
    await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity=ticker["bidQty"])
    sell = order | {"side": "SELL", "quantity": "0.03", "selfTradePreventionMode": "EXPIRE_BOTH"}
    status, taker = await quiet.signed("POST", "/api/v3/order", **sell, price=ticker["bidPrice"])
    assert (status, taker["status"]) == (200, "EXPIRED_IN_MATCH")
    (told,) = taker["preventedMatches"]
    assert told == {
        "preventedMatchId": 0,
        "makerSymbol": "BTCUSDT",
        "makerOrderId": maker["orderId"],
        "price": ticker["bidPrice"],
        "takerPreventedQuantity": "0.03000000",
        "makerPreventedQuantity": "0.01000000",
    }
    for asked in (
        {"preventedMatchId": 0},
        {"orderId": taker["orderId"]},
        {"orderId": maker["orderId"], "fromPreventedMatchId": 0},
    ):
        status, (row,) = await quiet.signed("GET", "/api/v3/myPreventedMatches", **ME, **asked)
        assert status == 200
        assert {name: row[name] for name in told} == told
        assert (row["takerOrderId"], row["selfTradePreventionMode"]) == (taker["orderId"], "EXPIRE_BOTH")
    assert (await quiet.signed("GET", "/api/v3/myPreventedMatches", **ME, preventedMatchId=1))[1] == []
    for wrong in ({}, {"fromPreventedMatchId": 0}, {"preventedMatchId": 0, "orderId": 1}):
        assert (await quiet.signed("GET", "/api/v3/myPreventedMatches", **ME, **wrong))[1]["code"] == -1128


async def test_fees_filters_and_balances(quiet: Any) -> None:
    _, fees = await quiet.signed("GET", "/api/v3/account/commission", **ME)
    assert fees["standardCommission"] == {
        "maker": "0.00100000",
        "taker": "0.00100000",
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }
    _, filters = await quiet.signed("GET", "/api/v3/myFilters", **ME)
    _, info = await quiet.get("/api/v3/exchangeInfo", **ME)
    assert filters["symbolFilters"] == info["symbols"][0]["filters"]
    _, balances = await quiet.signed("GET", "/api/v3/account")
    _, held = await quiet.signed("GET", "/api/v3/account", omitZeroBalances="true")
    assert [b for b in balances["balances"] if float(b["free"]) or float(b["locked"])] == held["balances"]
    assert (await quiet.signed("GET", "/api/v3/account", omitZeroBalances="yes"))[1]["code"] == -1100


@pytest.mark.parametrize(
    ("method", "path", "params", "status", "answer"),
    [
        ("GET", "/api/v3/openOrderList", {}, 200, []),
        ("GET", "/api/v3/allOrderList", {}, 200, []),
        ("GET", "/api/v3/myAllocations", ME, 200, []),
        ("GET", "/api/v3/orderList", {"orderListId": 1}, 400, -2013),
        ("GET", "/api/v3/orderList", {}, 400, -1102),
        ("DELETE", "/api/v3/orderList", {**ME, "orderListId": 1}, 400, -2011),
        ("POST", "/api/v3/order/oco", ME, 400, "OCO orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/oco", ME, 400, "OCO orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/oto", ME, 400, "OTO orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/otoco", ME, 400, "OTOCO orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/opo", ME, 400, "OPO orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/opoco", ME, 400, "OPOCO orders are not supported for this symbol."),
        ("POST", "/api/v3/sor/order", ME, 400, "SOR orders are not supported for this symbol."),
        ("POST", "/api/v3/orderList/oco", {"symbol": "NOPE"}, 400, -1121),
    ],
)
async def test_order_lists_are_empty_and_refused(
    quiet: Any, method: str, path: str, params: dict[str, Any], status: int, answer: Any
) -> None:
    got, said = await quiet.signed(method, path, **params)
    assert got == status
    if isinstance(answer, list):
        assert said == answer
    else:
        assert answer in (said["code"], said["msg"])


async def test_two_names_of_one_order_must_agree(quiet: Any) -> None:
    _, placed = await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="mine")
    named = {**ME, "orderId": placed["orderId"]}
    for method in ("GET", "DELETE"):
        status, answer = await quiet.signed(method, "/api/v3/order", **named, origClientOrderId="yours")
        assert (status, answer["code"]) == (400, -2039)
    assert (await quiet.signed("GET", "/api/v3/order", **named, origClientOrderId="mine"))[0] == 200


@pytest.mark.parametrize(
    ("restriction", "filled", "code"),
    [
        ("ONLY_NEW", False, None),
        ("ONLY_PARTIALLY_FILLED", False, -2011),
        ("ONLY_NEW", True, -2011),
        ("ONLY_PARTIALLY_FILLED", True, None),
        ("EITHER", False, -1145),
        ("", False, -1145),
    ],
)
async def test_cancel_restrictions(quiet: Any, restriction: str, filled: bool, code: int | None) -> None:
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", **ME)
    order = LIMIT | {"price": ticker["bidPrice"], "quantity": "0.01"}
    _, placed = await quiet.signed("POST", "/api/v3/order", **order)
    if filled:
        quantity = f"{float(ticker['bidQty']) + 0.004:.5f}"
        await quiet.control("market", symbol="BTCUSDT", side="SELL", quantity=quantity)
    status, answer = await quiet.signed(
        "DELETE", "/api/v3/order", **ME, orderId=placed["orderId"], cancelRestrictions=restriction
    )
    assert (status, answer.get("code")) == ((200, None) if code is None else (400, code))
