"""Faults on the futures face: the same engine, other words. What is common to both faces is tested on spot."""

import asyncio
from typing import Any

import pytest

FAR_BID = "59000.0"


async def set_fault(client: Any, kind: str, **keys: Any) -> None:
    body = {"fault": [{"kind": kind, "face": "usdm", **keys}]}
    async with client.http.post(f"{client.endpoints.futures_rest}/control/faults", json=body) as response:
        assert response.status == 200, await response.text()


async def query(client: Any, name: str) -> Any:
    return (await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=name))[1]


async def updates(socket: Any, count: int) -> list[Any]:
    """The `o` of the next ORDER_TRADE_UPDATEs."""
    found: list[Any] = []
    while len(found) < count:
        frames = await socket.receive_until(lambda frame: frame["e"] == "ORDER_TRADE_UPDATE")
        found.append(frames[-1]["o"])
    return found


async def test_a_lost_frame_breaks_the_chain_of_previous_ids(futures: Any) -> None:
    """`pu` is the `u` of the event before, so one lost frame shows as one break."""
    socket = await futures.connect("/public/ws/btcusdt@depth@100ms")
    await set_fault(futures, "market-drop", stream="depth", after=2, count=1)
    last, breaks = 0, 0
    for _ in range(6):
        event = (await socket.receive_until(lambda frame: frame["e"] == "depthUpdate"))[-1]
        breaks += last not in (0, event["pu"])
        last = event["u"]
    assert breaks == 1


async def test_a_fault_of_one_face_is_none_of_the_other(quiet_futures: Any) -> None:
    await set_fault(quiet_futures, "unknown", status=503, outcome="not-done", operation="time")
    async with quiet_futures.http.get(f"{quiet_futures.endpoints.futures_rest}/fapi/v1/time") as response:
        assert response.status == 503
    async with quiet_futures.http.get(f"{quiet_futures.endpoints.rest}/api/v3/time") as response:
        assert response.status == 200


@pytest.mark.parametrize("kind", ["user-drop", "user-double"])
async def test_order_updates_are_known_by_their_order(quiet_futures: Any, kind: str) -> None:
    client = quiet_futures
    _, socket = await client.user_stream()
    await set_fault(client, kind, symbol="BTCUSDT", side="BUY", client_order_id="hit*")
    for name in ("hit-1", "miss", "hit-2"):
        await client.place("BUY", "0.01", FAR_BID, newClientOrderId=name)
    names = [order["c"] for order in await updates(socket, 1 if kind == "user-drop" else 5)]
    assert names == (["miss"] if kind == "user-drop" else ["hit-1", "hit-1", "miss", "hit-2", "hit-2"])


async def test_an_unknown_status_and_a_late_fill(quiet_futures: Any) -> None:
    """Goal: both kinds that change what is told of an order, in this face's words; positions and money stay true."""
    client = quiet_futures
    _, socket = await client.user_stream()
    await set_fault(client, "unknown-status", status="FROZEN")
    await set_fault(client, "fill-after-cancel")
    placed = await client.place("BUY", "0.01", FAR_BID, newClientOrderId="odd")
    assert (placed["status"], (await query(client, "odd"))["status"]) == ("FROZEN", "FROZEN")
    _, canceled = await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="odd")
    assert (canceled["status"], float(canceled["executedQty"])) == ("CANCELED", 0.0)
    new, cancel, trade = await updates(socket, 3)
    assert [(o["x"], o["X"]) for o in (new, cancel)] == [("NEW", "FROZEN"), ("CANCELED", "CANCELED")]
    assert (trade["x"], float(cancel["z"])) == ("TRADE", 0.0)
    assert 0.0 < float(trade["l"]) < 0.01
    truth = await query(client, "odd")
    assert (truth["status"], float(truth["executedQty"])) == ("CANCELED", float(trade["l"]))
    assert (await client.control("ledger"))["adds_up"] is True


async def test_queries_and_fills_lag(quiet_futures: Any) -> None:
    client = quiet_futures
    await set_fault(client, "query-lag", lag_ms=400)
    await client.place("BUY", "0.01", newClientOrderId="young")
    assert (await query(client, "young"))["code"] == -2013
    assert (await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT"))[1] == []
    await asyncio.sleep(0.45)
    assert (await query(client, "young"))["status"] == "FILLED"
    assert len((await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT"))[1]) >= 1


async def test_balances_and_snapshots_are_wrong(quiet_futures: Any) -> None:
    client = quiet_futures
    _, socket = await client.user_stream()
    before = {row["asset"]: float(row["balance"]) for row in (await client.signed("GET", "/fapi/v3/balance"))[1]}
    await set_fault(client, "balance-wrong", asset="USDT", amount="1000")
    await set_fault(client, "snapshot-stale", age_s=30)
    _, depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    after = {row["asset"]: float(row["balance"]) for row in (await client.signed("GET", "/fapi/v3/balance"))[1]}
    assert after["USDT"] == pytest.approx(before["USDT"] + 1_000)
    await client.place("BUY", "0.01")
    told = (await socket.receive_until(lambda frame: frame["e"] == "ACCOUNT_UPDATE"))[-1]
    [row] = [row for row in told["a"]["B"] if row["a"] == "USDT"]
    assert float(row["wb"]) > before["USDT"] + 900
    _, stale = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    book = ("lastUpdateId", "bids", "asks")
    assert [stale[name] for name in book] == [depth[name] for name in book]
    assert (await client.control("ledger"))["adds_up"] is True


async def test_a_market_fault_is_none_of_the_private_stream(quiet_futures: Any) -> None:
    """Both go through one hub here. All of the market's frames are lost, none of the account's; nor is its key told."""
    client = quiet_futures
    market, (key, private) = await client.connect("/public/ws/btcusdt@trade"), await client.user_stream()
    await set_fault(client, "market-drop")
    await client.place("BUY", "0.01", newClientOrderId="heard")
    assert [order["c"] for order in await updates(private, 1)] == ["heard"]
    async with client.http.get(f"{client.endpoints.futures_rest}/control/fault-log") as response:
        rows = (await response.json())["rows"]
    assert {row["about"] for row in rows} == {"btcusdt@trade"}
    assert key not in str(rows)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(market.connection.recv(), 0.1)


async def test_a_fill_is_told_of_nowhere_if_its_order_is_what_a_fault_is_for(quiet_futures: Any) -> None:
    """TRADE_LITE tells of the fill too, though not of the order's status."""
    client = quiet_futures
    _, socket = await client.user_stream()
    await set_fault(client, "user-drop", client_order_id="hit")
    await client.place("BUY", "0.01", newClientOrderId="hit")
    frames = await socket.receive_until(lambda frame: frame["e"] == "ACCOUNT_UPDATE")
    assert [frame["e"] for frame in frames] == ["ACCOUNT_UPDATE"]
