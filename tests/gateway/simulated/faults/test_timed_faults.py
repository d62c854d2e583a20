"""Faults that come by the clock: disconnects, shutdowns, expiries, a clock gone wrong, halts, other filters."""

import asyncio
import time
from typing import Any

import pytest

from gateway.simulated.faults.spec import Specs, fault


async def test_connections_are_cut_every_so_often(play: Any) -> None:
    """Two chances, so that one who comes back at once is cut once more; the other kind of connection is left alone."""
    market, api = await play.client.streams("btcusdt@trade"), await play.client.api()
    await play.set("disconnect", connections="market", period_s=0.15, count=2)
    await asyncio.wait_for(market.connection.wait_closed(), 30)
    again = await play.client.streams("btcusdt@trade")
    await asyncio.wait_for(again.connection.wait_closed(), 30)
    await asyncio.wait_for(await api.connection.ping(), 30)
    assert [row["done"] for row in await play.log()] == ["cut 1 connections"] * 2


@pytest.mark.parametrize(("kind", "left"), [("api", "market"), ("all", "")])
async def test_which_connections_are_cut(play: Any, kind: str, left: str) -> None:
    sockets = {"market": await play.client.streams("btcusdt@trade"), "api": await play.client.api()}
    await play.set("disconnect", connections=kind, count=1)
    for name, socket in sockets.items():
        if name == left:
            await asyncio.wait_for(await socket.connection.ping(), 30)
        else:
            await asyncio.wait_for(socket.connection.wait_closed(), 30)


async def test_a_shutdown_is_announced_and_comes(play: Any) -> None:
    socket = await play.client.streams("btcusdt@trade")
    await play.set("server-shutdown", seconds=0.2, count=1, from_s=0.1)
    told = await socket.receive()
    assert (told["stream"], told["data"]["e"]) == ("!serverShutdown", "serverShutdown")
    again = await play.client.streams("btcusdt@trade")
    await asyncio.wait_for(socket.connection.wait_closed(), 30)
    await asyncio.wait_for(await again.connection.ping(), 30)


async def test_an_open_order_expires_as_if_by_self_trade_prevention(play: Any) -> None:
    socket = await play.user_stream()
    for name in ("keep", "take-1", "take-2"):
        await play.place(socket, name)
    await play.set("expired-in-match", client_order_id="take-*", period_s=0.05)
    frames = await socket.receive_until(lambda f: len([1 for _ in expired(f)]) > 0)
    first = frames[-1]["event"]
    second = (await socket.receive_until(lambda f: len([1 for _ in expired(f)]) > 0))[-1]["event"]
    assert {first["c"], second["c"]} == {"take-1", "take-2"}
    ledger = await play.get("ledger")
    assert [order["clientOrderId"] for order in ledger["open_orders"]] == ["keep"]
    assert ledger["adds_up"] is True
    assert (await play.query(first["c"]))[1]["status"] == "EXPIRED_IN_MATCH"
    await asyncio.sleep(0.12)
    assert (await play.get("faults"))["rows"][0]["chances"] == 2, "without such an order there is no chance"


def expired(frame: Any) -> list[Any]:
    event = frame.get("event", {})
    return [event] if event.get("X") == "EXPIRED_IN_MATCH" else []


async def server_ahead_ms(play: Any) -> float:
    _, answer = await play.client.get("/api/v3/time")
    return float(answer["serverTime"] - time.time_ns() // 1_000_000)


async def test_the_clock_is_wrong_for_a_while(play: Any) -> None:
    """Everything that shows it: server time, the check of timestamps, and back at the window's end."""
    await play.set("clock-skew", offset_ms=-30_000, from_s=0.1, until_s=0.6)
    assert abs(await server_ahead_ms(play)) < 5_000
    await asyncio.sleep(0.2)
    assert -31_000 < await server_ahead_ms(play) < -25_000
    socket = await play.client.api()
    assert (await play.place(socket, "ahead"))["error"]["code"] == -1021
    await asyncio.sleep(0.5)
    assert abs(await server_ahead_ms(play)) < 5_000
    assert [row["done"] for row in await play.log()] == ["-30000 ms", "over"]


async def test_two_skews_add_up_and_go_with_their_faults(play: Any) -> None:
    first = await play.set("clock-skew", offset_ms=60_000)
    await play.set("clock-skew", offset_ms=30_000)
    assert 85_000 < await server_ahead_ms(play) < 95_000
    await play.remove(id=first)
    assert 25_000 < await server_ahead_ms(play) < 35_000
    await play.remove(all="true")
    assert abs(await server_ahead_ms(play)) < 5_000


async def test_a_clock_that_is_set_back_stops_no_stream(client: Any) -> None:
    """Goal: crowd, depth streams and connections live on. Method: an hour back, and then more depth events of either speed."""
    socket = await client.streams("btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@bookTicker")
    before = (await socket.receive_until(lambda frame: frame["stream"] == "btcusdt@depth@100ms"))[-1]["data"]
    client.venue.faults.set(Specs((fault(kind="clock-skew", offset_ms=-3_600_000),)))

    def is_later(frame: Any) -> bool:
        return (
            "depth" in frame["stream"]
            and frame["data"]["E"] < before["E"] - 3_000_000
            and frame["data"]["u"] > before["u"]
        )

    assert await socket.receive_until(is_later)
    for stream in ("btcusdt@bookTicker", "btcusdt@depth"):
        assert await socket.receive_until(lambda frame, stream=stream: frame["stream"] == stream)  # type: ignore[misc]  # bound now


async def test_the_crowd_of_a_halted_symbol_waits_and_that_of_another_does_not(client: Any) -> None:
    faults = client.venue.faults
    faults.set(Specs((fault(kind="halt", symbol="BTCUSDT", until_s=0.4),)))
    _, before = await client.get("/api/v3/depth", symbol="BTCUSDT", limit=1)
    socket = await client.streams("ethusdt@depth@100ms")
    for _ in range(2):
        await socket.receive()
    _, halted = await client.get("/api/v3/depth", symbol="BTCUSDT", limit=1)
    assert halted == before
    lively = await client.streams("btcusdt@depth@100ms")
    assert (await lively.receive())["data"]["u"] > before["lastUpdateId"]


async def rules(play: Any, symbol: str = "BTCUSDT") -> dict[str, Any]:
    _, info = await play.client.get("/api/v3/exchangeInfo", symbol=symbol)
    [listed] = info["symbols"]
    return listed | {"by_type": {row["filterType"]: row for row in listed["filters"]}}


async def test_a_symbol_is_halted_for_a_while(play: Any) -> None:
    """New orders are refused, cancels are not, another symbol trades on, and then it is as before."""
    socket = await play.client.api()
    await play.place(socket, "resting")
    await play.set("halt", symbol="BTCUSDT", status="HALT", seconds=0.5)
    assert (await rules(play))["status"] == "HALT"
    assert (await rules(play, "ETHUSDT"))["status"] == "TRADING"
    refused = await play.place(socket, "closed")
    assert refused["error"]["msg"] == "Market is closed."
    assert (await play.cancel(socket, "resting"))["result"]["status"] == "CANCELED"
    await asyncio.sleep(0.55)
    assert (await rules(play))["status"] == "TRADING"
    assert (await play.place(socket, "open"))["result"]["status"] == "NEW"


async def test_filters_change_while_orders_rest(play: Any) -> None:
    socket = await play.client.api()
    await play.place(socket, "resting", price="50000.01")
    number = await play.set("filters", symbol="BTCUSDT", tick_size="0.5", step_size="0.001")
    by_type = (await rules(play))["by_type"]
    assert (by_type["PRICE_FILTER"]["tickSize"], by_type["LOT_SIZE"]["stepSize"]) == ("0.50000000", "0.00100000")
    assert (await play.place(socket, "between", price="50000.01"))["error"]["code"] == -1013
    assert (await play.query("resting"))[1]["status"] == "NEW"
    await play.remove(id=number)
    assert (await rules(play))["by_type"]["PRICE_FILTER"]["tickSize"] == "0.01000000"


async def test_a_rule_that_somebody_else_changed_stays_so(play: Any) -> None:
    number = await play.set("filters", symbol="BTCUSDT", tick_size="0.5", notional_min="50")
    await play.client.control("filters", symbol="BTCUSDT", tickSize="0.1")
    await play.remove(id=number)
    by_type = (await rules(play))["by_type"]
    assert (by_type["PRICE_FILTER"]["tickSize"], by_type["NOTIONAL"]["minNotional"]) == ("0.10000000", "5.00000000")


async def test_a_chance_that_does_not_hit_does_nothing(play: Any) -> None:
    await play.set("halt", symbol="BTCUSDT", probability=0.0)
    assert (await rules(play))["status"] == "TRADING"
    [row] = (await play.get("faults"))["rows"]
    assert (row["chances"], row["hits"]) == (1, 0)
