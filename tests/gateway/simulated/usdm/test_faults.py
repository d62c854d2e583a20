"""Faults and the control door work on the futures face as on spot's: one of each kind of place where they act."""

from typing import Any

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "59000.0",
}


async def set_faults(client: Any, *faults: dict[str, Any]) -> None:
    url = f"{client.endpoints.futures_rest}/control/faults"
    async with client.http.post(url, json={"fault": [{"face": "usdm", **fault} for fault in faults]}) as answer:
        assert answer.status == 200, await answer.text()


async def test_an_unknown_outcome_of_an_order_that_lives(quiet_futures: Any) -> None:
    """-1007, and yet it was done; spot's face is not touched."""
    client = quiet_futures
    await set_faults(
        client, {"kind": "unknown", "code": -1007, "outcome": "done", "operation": "order.place", "count": 1}
    )
    status, answer = await client.signed("POST", "/fapi/v1/order", newClientOrderId="mine", **LIMIT)
    assert (status >= 400, answer["code"]) == (True, -1007)
    _, found = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert found["status"] == "NEW"
    _, placed = await client.signed("POST", "/fapi/v1/order", **LIMIT)
    assert placed["status"] == "NEW"


async def test_private_events_are_lost(quiet_futures: Any) -> None:
    client = quiet_futures
    _, stream = await client.user_stream()
    await set_faults(client, {"kind": "user-drop", "count": 1})
    lost = await client.place("BUY", "0.01", "59000.0")
    heard = await client.place("BUY", "0.01", "59000.0")
    [frame] = await stream.receive_until(lambda frame: True)
    assert frame["o"]["i"] == heard["orderId"] != lost["orderId"]


async def test_a_user_stream_that_ends(quiet_futures: Any) -> None:
    """On this face a listen key that is over; keeping it alive is refused then."""
    client = quiet_futures
    key, stream = await client.user_stream()
    await set_faults(client, {"kind": "user-end", "count": 1})
    await client.place("BUY", "0.01", "59000.0")
    [frame] = await stream.receive_until(lambda frame: True)
    assert (frame["e"], frame["listenKey"]) == ("listenKeyExpired", key)
    assert (await client.keyed("PUT", "/fapi/v1/listenKey"))[1]["code"] == -1125


async def test_the_truth_of_this_face(quiet_futures: Any) -> None:
    """The ledger adds up, requests and trades bear the face's name."""
    client = quiet_futures
    await client.place("BUY", "0.01")
    assert (await client.control("ledger"))["adds_up"] is True
    requests = (await client.control("requests"))["rows"]
    assert ("usdm", "order.place") in {(row["face"], row["operation"]) for row in requests}
    trades = (await client.control("trades"))["rows"]
    assert {row["face"] for row in trades} == {"usdm"}
