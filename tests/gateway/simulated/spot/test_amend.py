"""Less quantity, same place: the answer, the report, the history (rest-api.md, "Order Amend Keep Priority")."""

from typing import Any

import pytest

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}
PATH = "/api/v3/order/amend/keepPriority"


async def test_an_amendment_is_answered_reported_and_remembered(quiet: Any) -> None:
    socket = await quiet.api()
    _, placed = await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="first")
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    status, answer = await quiet.signed("PUT", PATH, **named, newQty="0.006", newClientOrderId="second")
    amended = answer["amendedOrder"]
    assert (status, set(answer)) == (200, {"transactTime", "executionId", "amendedOrder"})
    assert (amended["origClientOrderId"], amended["clientOrderId"]) == ("first", "second")
    assert (amended["qty"], amended["status"], amended["orderId"]) == ("0.00600000", "NEW", placed["orderId"])
    report = (await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "REPLACED"))[-1]["event"]
    assert (report["c"], report["C"], report["q"], report["X"]) == ("second", "first", "0.00600000", "NEW")
    assert report["I"] == answer["executionId"]
    over_socket = await quiet.call(socket, "order.amend.keepPriority", **quiet.params(**named, newQty="0.005"))
    generated = over_socket["result"]["amendedOrder"]["clientOrderId"]
    assert generated not in ("first", "second")
    _, rows = await quiet.signed("GET", "/api/v3/order/amendments", **named)
    assert [(r["origClientOrderId"], r["newClientOrderId"], r["origQty"], r["newQty"]) for r in rows] == [
        ("first", "second", "0.01000000", "0.00600000"),
        ("second", generated, "0.00600000", "0.00500000"),
    ]
    _, later = await quiet.signed("GET", "/api/v3/order/amendments", **named, fromExecutionId=rows[1]["executionId"])
    assert later == rows[1:]
    assert (await quiet.call(socket, "order.amendments", **quiet.params(**named, limit=1)))["result"] == rows[:1]
    _, found = await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=generated)
    assert found["origQty"] == "0.00500000"
    assert [c["count"] for c in (await quiet.signed("GET", "/api/v3/rateLimit/order"))[1]] == [1, 1]
    assert (await quiet.control("ledger"))["adds_up"] is True


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"newQty": None}, -1102),
        ({"newQty": "0"}, None),
        ({"newQty": "0.01"}, -2038),
        ({"newQty": "0.02"}, -2038),
        ({"newQty": "0.00500001"}, -1013),
        ({"newQty": "x"}, -1100),
        ({"orderId": None}, -1102),
        ({"orderId": "99"}, -2038),
        ({"origClientOrderId": "other"}, -2039),
        ({"newClientOrderId": "ä"}, -1100),
    ],
)
async def test_refusals(quiet: Any, change: dict[str, Any], code: int | None) -> None:
    _, placed = await quiet.signed("POST", "/api/v3/order", **LIMIT)
    params = {"symbol": "BTCUSDT", "orderId": placed["orderId"], "newQty": "0.005"} | change
    status, answer = await quiet.signed("PUT", PATH, **{k: v for k, v in params.items() if v is not None})
    assert status == 400
    assert code in (None, answer["code"])
    _, found = await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (found["origQty"], found["status"]) == ("0.01000000", "NEW")
