"""Cancel-replace: each mode, each outcome of both halves, over both doors (rest-api.md, "Cancel an Existing Order ...")."""

from typing import Any

import pytest

from gateway.simulated.limits import LimitRules

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}
POOR = {"quantity": "50"}
"""More than the account can pay for: what the matching engine refuses."""


async def replace(client: Any, **params: Any) -> tuple[int, Any]:
    status, answer = await client.signed("POST", "/api/v3/order/cancelReplace", **params)
    return status, answer


@pytest.mark.parametrize(
    ("mode", "cancels", "places", "status", "code", "results"),
    [
        ("STOP_ON_FAILURE", True, True, 200, None, ("SUCCESS", "SUCCESS")),
        ("STOP_ON_FAILURE", True, False, 409, -2021, ("SUCCESS", "FAILURE")),
        ("STOP_ON_FAILURE", False, True, 400, -2022, ("FAILURE", "NOT_ATTEMPTED")),
        ("ALLOW_FAILURE", True, True, 200, None, ("SUCCESS", "SUCCESS")),
        ("ALLOW_FAILURE", True, False, 409, -2021, ("SUCCESS", "FAILURE")),
        ("ALLOW_FAILURE", False, True, 409, -2021, ("FAILURE", "SUCCESS")),
        ("ALLOW_FAILURE", False, False, 400, -2022, ("FAILURE", "FAILURE")),
    ],
)
@pytest.mark.parametrize("door", ["rest", "api"])
async def test_outcomes(
    quiet: Any,
    door: str,
    mode: str,
    cancels: bool,
    places: bool,
    status: int,
    code: int | None,
    results: tuple[str, str],
) -> None:
    """Goal: the table of the document. Method: a missing order fails the cancel, a missing balance the new order."""
    _, old = await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | ({} if places else POOR)
    params |= {"cancelReplaceMode": mode, "newClientOrderId": "new", "cancelNewClientOrderId": "c1"}
    params |= {"cancelOrigClientOrderId": "old" if cancels else "nobody"}
    if door == "rest":
        got, answer = await replace(quiet, **params)
        said = None if code is None else (answer["code"], answer["msg"])
        data = answer if code is None else answer["data"]
    else:
        answer = await quiet.call(await quiet.api(), "order.cancelReplace", **quiet.params(**params))
        got = answer["status"]
        said = None if code is None else (answer["error"]["code"], answer["error"]["msg"])
        data = answer["result"] if code is None else answer["error"]["data"]
        assert [limit["rateLimitType"] for limit in answer["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    texts = {-2021: "Order cancel-replace partially failed.", -2022: "Order cancel-replace failed."}
    assert (got, said) == (status, None if code is None else (code, texts[code]))
    assert (data["cancelResult"], data["newOrderResult"]) == results
    if cancels:
        canceled = data["cancelResponse"]
        assert (canceled["origClientOrderId"], canceled["clientOrderId"]) == ("old", "c1")
        assert (canceled["orderId"], canceled["status"]) == (old["orderId"], "CANCELED")
    else:
        assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    if results[1] == "SUCCESS":
        assert (data["newOrderResponse"]["clientOrderId"], data["newOrderResponse"]["status"]) == ("new", "NEW")
    elif results[1] == "FAILURE":
        text = "Account has insufficient balance for requested action."
        assert data["newOrderResponse"] == {"code": -2010, "msg": text}
    else:
        assert data["newOrderResponse"] is None
    _, opened = await quiet.signed("GET", "/api/v3/openOrders")
    still = ([] if cancels else ["old"]) + (["new"] if results[1] == "SUCCESS" else [])
    assert [order["clientOrderId"] for order in opened] == still
    assert [c["count"] for c in (await quiet.signed("GET", "/api/v3/rateLimit/order"))[1]] == [2, 2]


async def test_a_filter_is_looked_at_before_anything_is_done(quiet: Any) -> None:
    await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | {"price": "50000.001", "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": "old"}
    status, answer = await replace(quiet, **params)
    assert (status, answer) == (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    assert [o["clientOrderId"] for o in (await quiet.signed("GET", "/api/v3/openOrders"))[1]] == ["old"]


async def test_the_new_order_that_failed_behind_its_cancel_is_reported_as_rejected(quiet: Any) -> None:
    socket = await quiet.api()
    await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    params = LIMIT | POOR | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "old"}
    await replace(quiet, **params, newClientOrderId="new")
    reports = await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "REJECTED")
    told = [
        (r["event"]["x"], r["event"]["X"], r["event"]["r"]) for r in reports if r["event"]["e"] == "executionReport"
    ]
    assert told == [("CANCELED", "CANCELED", "NONE"), ("REJECTED", "REJECTED", "INSUFFICIENT_BALANCES")]
    assert reports[-1]["event"]["c"] == "new"


@pytest.mark.parametrize(
    ("mode", "exceeded", "found", "status", "code"),
    [
        ("STOP_ON_FAILURE", "DO_NOTHING", True, 429, -1015),
        ("ALLOW_FAILURE", "DO_NOTHING", True, 429, -1015),
        ("STOP_ON_FAILURE", "CANCEL_ONLY", True, 409, -2021),
        ("ALLOW_FAILURE", "CANCEL_ONLY", True, 409, -2021),
        ("STOP_ON_FAILURE", "CANCEL_ONLY", False, 429, -2022),
        ("ALLOW_FAILURE", "CANCEL_ONLY", False, 400, -2022),
    ],
)
async def test_past_the_order_limit(
    start_client: Any, mode: str, exceeded: str, found: bool, status: int, code: int
) -> None:
    """Goal: orderRateLimitExceededMode. Method: a venue that takes one order a day."""
    client = await start_client(limits=LimitRules(orders=((86_400, 1),)))
    await client.control("pause-flow")
    await client.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | {"cancelReplaceMode": mode, "orderRateLimitExceededMode": exceeded}
    got, answer = await replace(client, **params, cancelOrigClientOrderId="old" if found else "nobody")
    assert (got, answer["code"]) == (status, code)
    text = "Too many new orders; current limit is 1 orders per 1 DAY."
    if code == -1015:
        assert answer == {"code": -1015, "msg": text}
    else:
        data = answer["data"]
        assert data["cancelResult"] == ("SUCCESS" if found else "FAILURE")
        if found or mode == "ALLOW_FAILURE":
            assert data["newOrderResponse"] == {"code": -1015, "msg": text}
        else:
            assert (data["newOrderResult"], data["newOrderResponse"]) == ("NOT_ATTEMPTED", None)
    canceled = exceeded == "CANCEL_ONLY" and found
    assert len((await client.signed("GET", "/api/v3/openOrders"))[1]) == (0 if canceled else 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cancelReplaceMode": None}, -1102),
        ({"cancelReplaceMode": "MAYBE"}, -1130),
        ({"cancelOrigClientOrderId": None}, -1102),
        ({"cancelOrderId": "x"}, -1100),
        ({"cancelRestrictions": "ONLY_OLD"}, -1145),
        ({"orderRateLimitExceededMode": "PANIC"}, -1130),
    ],
)
async def test_refusals(quiet: Any, change: dict[str, Any], code: int) -> None:
    await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "old"} | change
    status, answer = await replace(quiet, **{k: v for k, v in params.items() if v is not None})
    assert (status, answer["code"]) == (400, code)
    assert len((await quiet.signed("GET", "/api/v3/openOrders"))[1]) == 1


async def test_cancel_restrictions_are_a_failure_of_the_cancel(quiet: Any) -> None:
    await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "old"}
    status, answer = await replace(quiet, **params, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    text = "Order was not canceled due to cancel restrictions."
    assert (status, answer["data"]["cancelResponse"]) == (400, {"code": -2011, "msg": text})


async def test_the_record_knows_what_was_half_done(quiet: Any) -> None:
    await quiet.signed("POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
    params = LIMIT | POOR | {"cancelReplaceMode": "STOP_ON_FAILURE"}
    await replace(quiet, **params, cancelOrigClientOrderId="old")
    await replace(quiet, **params, cancelOrigClientOrderId="old")
    rows = [row for row in (await quiet.control("requests"))["rows"] if row["operation"] == "order.cancelReplace"]
    assert [(row["code"], row["done"]) for row in rows] == [(-2021, True), (-2022, False)]
