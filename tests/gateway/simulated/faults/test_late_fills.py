"""Fills that come as the cancel does, and are told after it: over a real socket; what is true is asked of the ledger."""

from typing import Any

import pytest

from tests.gateway.simulated.faults.conftest import ORDER


async def adds_up(play: Any) -> bool:
    return (await play.get("ledger"))["adds_up"] is True


@pytest.mark.parametrize(
    ("keys", "acknowledged", "traded"),
    [
        ({}, "0.00000000", (1, 999)),
        ({"stale": False}, "the truth", (1, 999)),
        ({"all": True}, "0.00000000", (1_000, 1_000)),
    ],
)
async def test_an_order_fills_after_its_cancel_was_acknowledged(
    play: Any, keys: dict[str, Any], acknowledged: str, traded: tuple[int, int]
) -> None:
    """Goal: the cancel's words are of before, the fill is told after them, the money is true. Lots are of 0.00001."""
    socket = await play.user_stream()
    await play.place(socket, "resting")
    await play.set("fill-after-cancel", **keys)
    answer = await play.cancel(socket, "resting")
    frames = await socket.receive_until(lambda f: f["event"].get("e") == "outboundAccountPosition")
    canceled, trade = [frame["event"] for frame in frames if frame["event"]["e"] == "executionReport"]
    lots = round(float(trade["l"]) * 100_000)
    truth = trade["z"] if acknowledged == "the truth" else acknowledged
    assert (answer["result"]["status"], answer["result"]["executedQty"]) == ("CANCELED", truth)
    assert (canceled["x"], canceled["X"], canceled["z"], canceled["C"]) == ("CANCELED", "CANCELED", truth, "resting")
    assert (trade["x"], trade["c"], trade["i"]) == ("TRADE", "resting", canceled["i"])
    assert traded[0] <= lots <= traded[1]
    status = "FILLED" if keys.get("all") else "CANCELED"
    query = (await play.query("resting"))[1]
    assert (query["status"], query["executedQty"]) == (status, trade["z"])
    ledger = await play.get("ledger")
    assert ledger["open_orders"] == []
    assert ledger["adds_up"] is True
    assert ledger["accounts"]["client"]["USDT"]["locked"] == "0.00000000"
    assert float(ledger["accounts"]["client"]["BTC"]["free"]) == pytest.approx(10 + float(trade["l"]) * 0.999)


async def test_a_cancel_of_what_is_not_open_is_no_chance(play: Any) -> None:
    socket = await play.client.api()
    number = await play.set("fill-after-cancel")
    assert (await play.cancel(socket, "nobody"))["error"]["code"] == -2011
    [row] = (await play.get("faults"))["rows"]
    assert (row["id"], row["chances"], row["hits"]) == (number, 0, 0)


async def test_canceling_all_fills_each_of_them_late(play: Any) -> None:
    socket = await play.client.api()
    for name in ("one", "two"):
        await play.place(socket, name)
    await play.set("fill-after-cancel", count=1)
    answer = await play.client.call(socket, "openOrders.cancelAll", **play.client.params(symbol="BTCUSDT"))
    assert [order["executedQty"] for order in answer["result"]] == ["0.00000000"] * 2
    trades = (await play.get("trades"))["rows"]
    assert {row["maker_client_order_id"] for row in trades} == {"one", "two"}
    assert await adds_up(play)


async def test_a_stop_that_waits_cannot_fill_late(play: Any) -> None:
    """It is in no queue: its cancel is no chance alone, and among others it is canceled as it should be."""
    socket = await play.client.api()
    price = str(round(float(await play.touch("SELL")) + 1_000))
    stop = {"type": "STOP_LOSS_LIMIT", "stopPrice": price, "price": price}
    await play.place(socket, "stop", **stop)
    await play.set("fill-after-cancel", all=True)
    assert (await play.cancel(socket, "stop"))["result"]["status"] == "CANCELED"
    assert (await play.get("faults"))["rows"][0]["chances"] == 0
    await play.place(socket, "stop", **stop)
    await play.place(socket, "resting")
    answer = await play.client.call(socket, "openOrders.cancelAll", **play.client.params(symbol="BTCUSDT"))
    assert len(answer["result"]) == 2
    assert {row["maker_client_order_id"] for row in (await play.get("trades"))["rows"]} == {"resting"}
    assert await adds_up(play)


async def test_a_stop_that_a_late_fill_triggers_is_told(play: Any) -> None:
    """Goal: what others do because of the late fill is not lost. Method: a stop that this trade's price triggers."""
    events, socket = await play.user_stream(), await play.client.api()
    stop = {"type": "STOP_LOSS", "side": "SELL", "stopPrice": "50000", "quantity": "0.001"}
    terms = dict.fromkeys(("price", "timeInForce")) | stop
    await play.trade()
    params = {name: value for name, value in (ORDER | terms).items() if value is not None}
    placed = await play.client.call(socket, "order.place", **play.client.params(**params, newClientOrderId="stop"))
    assert "result" in placed, placed
    await play.place(socket, "resting")
    await play.set("fill-after-cancel")
    await play.cancel(socket, "resting")

    def is_stopped(frame: Any) -> bool:
        return frame["event"].get("c") == "stop" and frame["event"].get("x") == "TRADE"

    frames = await events.receive_until(is_stopped)
    reports = [(f["event"]["c"], f["event"]["x"]) for f in frames if f["event"]["e"] == "executionReport"]
    assert reports[-1] == ("stop", "TRADE")
    assert ("resting", "TRADE") in reports
    assert await adds_up(play)


async def test_a_replaced_order_fills_late_too(play: Any) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.place(socket, "old")
    await play.set("fill-after-cancel", all=True)
    terms = ORDER | {
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrigClientOrderId": "old",
        "newClientOrderId": "new",
    }
    answer = await play.client.call(socket, "order.cancelReplace", **play.client.params(**terms))
    assert (answer["result"]["cancelResponse"]["status"], answer["result"]["newOrderResponse"]["status"]) == (
        "CANCELED",
        "NEW",
    )
    frames = await events.receive_until(lambda frame: frame["event"].get("c") == "new")
    kinds = [frame["event"]["x"] for frame in frames[-3:] if frame["event"]["e"] == "executionReport"]
    assert kinds[-3:] == ["CANCELED", "TRADE", "NEW"]
    assert (await play.query("old"))[1]["status"] == "FILLED"
    assert await adds_up(play)


async def test_two_faults_fill_one_canceled_order_once(play: Any) -> None:
    """And the cancel after it, which no fault is for, is a cancel."""
    socket = await play.client.api()
    for _ in range(2):
        await play.set("fill-after-cancel", count=1)
    for name in ("first", "second"):
        await play.place(socket, name)
        assert (await play.cancel(socket, name))["result"]["status"] == "CANCELED"
    assert 0.0 < float((await play.query("first"))[1]["executedQty"]) < 0.01
    assert float((await play.query("second"))[1]["executedQty"]) == 0.0
    assert await adds_up(play)
