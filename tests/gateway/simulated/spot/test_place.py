"""Every order type over both doors: what it asks for, what it answers, what it may not have."""

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
ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}


async def place(client: Any, **params: Any) -> tuple[int, Any]:
    status, answer = await client.signed("POST", "/api/v3/order", **params)
    return status, answer


@pytest.mark.parametrize(
    ("order_type", "extra", "default"),
    [
        ("LIMIT", {"timeInForce": "GTC", "price": "50000"}, RESULT | {"fills"}),
        ("LIMIT_MAKER", {"price": "50000"}, ACK),
        ("MARKET", {}, RESULT | {"fills"}),
        ("STOP_LOSS", {"stopPrice": "90000"}, ACK),
        ("STOP_LOSS_LIMIT", {"timeInForce": "GTC", "price": "91000", "stopPrice": "90000"}, ACK),
        ("TAKE_PROFIT", {"stopPrice": "50000"}, ACK),
        ("TAKE_PROFIT_LIMIT", {"timeInForce": "GTC", "price": "50000", "stopPrice": "50000"}, ACK),
    ],
)
async def test_each_type_answers_as_much_as_the_document_says(
    quiet: Any, order_type: str, extra: dict[str, str], default: set[str]
) -> None:
    """Goal: the default of newOrderRespType by type, and the fields of ACK, RESULT and FULL."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": order_type, "quantity": "0.01", **extra}
    stops = {"stopPrice"} if "stopPrice" in extra else set()
    status, answer = await place(quiet, **order)
    assert (status, set(answer)) == (200, default | (stops if default != ACK else set()))
    for response_type, fields in (("ACK", ACK), ("RESULT", RESULT | stops), ("FULL", RESULT | stops | {"fills"})):
        status, answer = await place(quiet, **order, newOrderRespType=response_type)
        assert (status, set(answer)) == (200, fields), response_type
    _, found = await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orderId"])
    assert (found["type"], found["isWorking"]) == (order_type, not stops)
    if stops:
        assert (found["stopPrice"], found["workingTime"]) == (f"{extra['stopPrice']}.00000000", -1)
    assert (await quiet.control("ledger"))["adds_up"] is True


async def test_a_market_order_by_quote_quantity(quiet: Any) -> None:
    status, answer = await place(quiet, symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="1000")
    assert (status, answer["status"], answer["origQuoteOrderQty"]) == (200, "FILLED", "1000.00000000")
    assert 990 < float(answer["cummulativeQuoteQty"]) <= 1_000
    assert answer["origQty"] == answer["executedQty"]


async def test_a_strategy_is_given_back_wherever_the_order_is_told(quiet: Any) -> None:
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    labels = {"strategyId": 37463720, "strategyType": 1000001}
    _, placed = await place(quiet, **LIMIT, **labels)
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    _, found = await quiet.signed("GET", "/api/v3/order", **named)
    _, canceled = await quiet.signed("DELETE", "/api/v3/order", **named)
    for answer in (placed, found, canceled):
        assert (answer["strategyId"], answer["strategyType"]) == (37463720, 1000001)
    report = (await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "NEW"))[-1]["event"]
    assert (report["j"], report["J"]) == (37463720, 1000001)


async def test_a_test_order_tells_its_rates_when_asked(quiet: Any) -> None:
    status, answer = await quiet.signed("POST", "/api/v3/order/test", **LIMIT, computeCommissionRates="true")
    assert status == 200
    assert answer["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert set(answer) == {
        "standardCommissionForOrder",
        "specialCommissionForOrder",
        "taxCommissionForOrder",
        "discount",
    }
    assert (await quiet.signed("GET", "/api/v3/openOrders"))[1] == []


async def test_a_stop_is_told_when_it_waits_and_when_it_works(quiet: Any) -> None:
    """Goal: `w`, `W` and `P` of a stop. Method: a buy above the market; the crowd lifts the asks up to it."""
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity=ticker["askQty"])
    _, ticker = await quiet.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    stop = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "STOP_LOSS",
        "quantity": "0.001",
        "stopPrice": ticker["askPrice"],
    }
    status, placed = await place(quiet, **stop, newClientOrderId="stop")
    assert status == 200
    new = (await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "NEW"))[-1]["event"]
    assert (new["c"], new["w"], new["P"], "W" in new) == ("stop", False, ticker["askPrice"], False)
    await quiet.control("market", symbol="BTCUSDT", side="BUY", quantity=ticker["askQty"])
    fill = (await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "TRADE"))[-1]["event"]
    while fill["X"] != "FILLED":  # it may take several makers
        fill = (await socket.receive_until(lambda frame: frame.get("event", {}).get("x") == "TRADE"))[-1]["event"]
    assert (fill["c"], fill["m"]) == ("stop", False)
    assert fill["W"] >= new["O"]
    _, found = await quiet.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (found["status"], found["workingTime"]) == ("FILLED", fill["W"])


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"symbol": None}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ({"symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        ({"symbol": "nope"}, -1121, "Invalid symbol."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"side": None}, -1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed."),
        ({"type": "GUESS"}, -1116, "Invalid orderType."),
        ({"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"timeInForce": "GTD"}, -1115, "Invalid timeInForce."),
        ({"quantity": None}, -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
        ({"quantity": "1e3"}, -1100, "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'."),
        ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quantity": "0"}, -1013, None),
        ({"price": "0"}, -1013, None),
        ({"price": "9" * 21}, -1100, None),
        ({"quantity": "9" * 20}, -1013, None),
        ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"icebergQty": "0.001"}, -1013, "Iceberg orders are not supported for this symbol."),
        ({"trailingDelta": "10"}, -1013, "Trailing stop orders are not supported for this symbol."),
        ({"pegPriceType": "PRIMARY_PEG"}, -1013, "Pegged orders are not supported for this symbol."),
        ({"newClientOrderId": "a.b"}, -1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
        ({"newClientOrderId": "a" * 37}, -1100, None),
        ({"newClientOrderId": ""}, -1105, "Parameter 'newClientOrderId' was empty."),
        ({"newClientOrderId": "\x00"}, -1100, None),
        ({"newOrderRespType": "LONG"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        ({"strategyType": "999999"}, -1134, "strategyType was less than 1000000."),
        ({"strategyId": "x"}, -1100, "Illegal characters found in parameter 'strategyId'; legal range is '^[0-9]{1,20}$'."),
        ({"strategyId": "9" * 20}, -1108, "Parameter 'strategyId' overflowed."),
        ({"selfTradePreventionMode": "TRANSFER"}, -1013, "This symbol does not allow the specified self-trade prevention mode."),
        ({"type": "MARKET", "price": None, "timeInForce": None, "quoteOrderQty": "10"}, -1106, "Parameter 'quantity' sent when not required."),
        ({"type": "MARKET", "price": None, "timeInForce": None, "quantity": None}, -1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
        ({"type": "MARKET", "price": None}, -1106, "Parameter 'timeInForce' sent when not required."),
        ({"type": "MARKET", "timeInForce": None}, -1106, "Parameter 'price' sent when not required."),
        ({"type": "STOP_LOSS", "price": None, "timeInForce": None}, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
        ({"type": "STOP_LOSS", "stopPrice": "90000", "timeInForce": None}, -1106, "Parameter 'price' sent when not required."),
        ({"type": "TAKE_PROFIT_LIMIT", "stopPrice": "50000", "timeInForce": None}, -1102, None),
        ({"timeInforce": "GTC"}, -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."),
        ({"recvWindow": "60001"}, -1131, "recvWindow must be less than 60000."),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_an_order_is_said_in_the_venues_words(
    quiet: Any, change: dict[str, Any], code: int, text: str | None
) -> None:
    """Goal: one code and text over REST and over the WebSocket API, and nothing done."""
    params = {name: value for name, value in (LIMIT | change).items() if value is not None}
    status, answer = await place(quiet, **params)
    assert (status, answer["code"]) == (400, code), answer
    assert text in (None, answer["msg"])
    socket = await quiet.api()
    over_socket = await quiet.call(socket, "order.place", **quiet.params(**params))
    if code != -1104:  # the count of what was sent has the API key in it there
        assert over_socket["error"] == answer
    assert over_socket["status"] == 400
    assert (await quiet.signed("GET", "/api/v3/openOrders"))[1] == []
