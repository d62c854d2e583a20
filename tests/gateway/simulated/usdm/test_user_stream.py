"""The futures face's user data stream: listen keys and their hour, and what is told of orders, positions and wallets."""

import json
import time
from typing import Any

import pytest

HOUR_NS = 3_600_000_000_000


class Clock:
    """The machine's clock, and whatever the test adds to it."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns

    @property
    def now_ms(self) -> int:
        return self() // 1_000_000


def events(frames: list[Any]) -> list[tuple[str, ...]]:
    """What each frame tells, in short."""
    return [(f["e"], f["o"]["x"], f["o"]["X"]) if f["e"] == "ORDER_TRADE_UPDATE" else (f["e"],) for f in frames]


async def test_an_order_s_life_as_it_is_told(quiet_futures: Any) -> None:
    client = quiet_futures
    _, stream = await client.user_stream()
    order = await client.place("BUY", "0.01", "59000.0", newClientOrderId="mine")
    modify = {"symbol": "BTCUSDT", "side": "BUY", "price": "58000.0", "quantity": "0.02"}
    await client.signed("PUT", "/fapi/v1/order", orderId=order["orderId"], **modify)
    await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    frames = await stream.receive_until(lambda f: f["e"] == "ORDER_TRADE_UPDATE" and f["o"]["x"] == "CANCELED")
    assert events(frames) == [
        ("ORDER_TRADE_UPDATE", "NEW", "NEW"),
        ("ORDER_TRADE_UPDATE", "AMENDMENT", "NEW"),
        ("ORDER_TRADE_UPDATE", "CANCELED", "CANCELED"),
    ]
    assert {frame["o"]["c"] for frame in frames} == {"mine"}
    assert [(frame["o"]["p"], frame["o"]["q"]) for frame in frames[1:]] == [("58000.00", "0.020")] * 2


async def test_a_fill_as_it_is_told(quiet_futures: Any) -> None:
    """TRADE_LITE and ORDER_TRADE_UPDATE of each fill, and one ACCOUNT_UPDATE that agrees with what is asked for."""
    client = quiet_futures
    _, stream = await client.user_stream()
    await client.place("SELL", "0.01")
    frames = await stream.receive_until(lambda frame: frame["e"] == "ACCOUNT_UPDATE")
    fills = [frame["o"] for frame in frames if frame["e"] == "ORDER_TRADE_UPDATE" and frame["o"]["x"] == "TRADE"]
    lites = [frame for frame in frames if frame["e"] == "TRADE_LITE"]
    assert [fill["t"] for fill in fills] == [lite["t"] for lite in lites]
    assert fills[-1]["X"] == "FILLED"
    assert (fills[-1]["N"], fills[-1]["rp"], fills[-1]["m"]) == ("USDT", "0.00000000", False)
    told = frames[-1]["a"]
    _, [risk] = await client.signed("GET", "/fapi/v3/positionRisk")
    _, [balance] = await client.signed("GET", "/fapi/v3/balance")
    [position] = told["P"]
    assert (told["m"], position["s"], position["ps"]) == ("ORDER", "BTCUSDT", "BOTH")
    assert (position["pa"], position["ep"]) == (risk["positionAmt"], risk["entryPrice"]) == ("-0.010", position["ep"])
    assert told["B"] == [{"a": "USDT", "wb": balance["balance"], "cw": balance["balance"], "bc": "0.00000000"}]
    await client.place("BUY", "0.01")
    frames = await stream.receive_until(lambda frame: frame["e"] == "ACCOUNT_UPDATE")
    closed = [frame["o"] for frame in frames if frame["e"] == "ORDER_TRADE_UPDATE" and frame["o"]["x"] == "TRADE"]
    assert sum(float(fill["rp"]) for fill in closed) == pytest.approx(float(frames[-1]["a"]["P"][0]["cr"]))
    assert frames[-1]["a"]["P"][0]["pa"] == "0.000"


EXPIRED = [
    # how an order ends by itself -> expiry reason
    ({"type": "LIMIT", "timeInForce": "IOC", "price": "59000.0"}, "EXPIRED", "2"),
    (
        {"type": "LIMIT", "timeInForce": "IOC", "price": "61000.0", "selfTradePreventionMode": "EXPIRE_TAKER"},
        "EXPIRED_IN_MATCH",
        "3",
    ),
]


@pytest.mark.parametrize(("order", "status", "reason"), EXPIRED)
async def test_why_an_order_expired(quiet_futures: Any, order: dict[str, str], status: str, reason: str) -> None:
    client = quiet_futures
    _, depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    own = await client.place("SELL", "5", depth["asks"][0][0])
    assert own["status"] == "NEW"
    total = float(depth["asks"][0][1])
    _, stream = await client.user_stream()
    await client.place("BUY", f"{total + 1:.3f}", **order)
    frames = await stream.receive_until(lambda f: f["e"] == "ORDER_TRADE_UPDATE" and f["o"]["x"] == "EXPIRED")
    assert (frames[-1]["o"]["X"], frames[-1]["o"]["er"]) == (status, reason)


async def test_a_listen_key_is_the_account_s_own(quiet_futures: Any) -> None:
    client = quiet_futures
    first, stream = await client.user_stream()
    assert (await client.keyed("POST", "/fapi/v1/listenKey"))[1] == {"listenKey": first}
    second, other_stream = await client.other(1).user_stream()
    assert first != second
    await client.place("BUY", "0.01", "59000.0")
    await stream.receive_until(lambda frame: frame["e"] == "ORDER_TRADE_UPDATE")
    await client.other(1).place("BUY", "0.02", "59000.0")
    frames = await other_stream.receive_until(lambda frame: True)
    assert frames[0]["o"]["q"] == "0.020"
    assert (await client.keyed("DELETE", "/fapi/v1/listenKey")) == (200, {})
    status, refused = await client.keyed("PUT", "/fapi/v1/listenKey")
    assert (status, refused["code"]) == (400, -1125)


@pytest.mark.parametrize(
    "path", ["/private/ws/{key}", "/private/ws?listenKey={key}", "/private/stream?streams={key}", "/private/stream"]
)
async def test_ways_to_listen(quiet_futures: Any, path: str) -> None:
    """By path, by query, as a combined stream, or by SUBSCRIBE (as the venue's own client does)."""
    client = quiet_futures
    _, answer = await client.keyed("POST", "/fapi/v1/listenKey")
    key = answer["listenKey"]
    stream = await client.connect(path.format(key=key))
    if path == "/private/stream":
        await stream.send({"method": "SUBSCRIBE", "params": [key], "id": 1})
        await stream.receive_until(lambda frame: frame.get("id") == 1)
    await client.place("BUY", "0.01", "59000.0")
    [frame] = await stream.receive_until(lambda frame: True)
    if path.startswith("/private/stream"):
        assert frame["stream"] == key
        frame = frame["data"]
    assert frame["e"] == "ORDER_TRADE_UPDATE"


async def test_a_listen_key_does_nothing_elsewhere(quiet_futures: Any) -> None:
    """On the old root and the other routes it is accepted and stays silent."""
    client = quiet_futures
    key, stream = await client.user_stream()
    elsewhere = [await client.connect(f"{path}/ws/{key}") for path in ("", "/public", "/market")]
    await client.place("BUY", "0.01", "59000.0")
    await stream.receive_until(lambda frame: True)
    for socket in elsewhere:
        await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await socket.receive_until(lambda frame: True) == [{"result": [key], "id": 1}]


async def test_a_listen_key_s_hour(start_futures: Any) -> None:
    """Kept alive at 40 minutes it lives at 80; then an hour passes, it is said to be over, and there is a new one."""
    clock = Clock()
    client = await start_futures(clock=clock)
    key, stream = await client.user_stream()
    clock.ahead_ns = 2 * HOUR_NS // 3
    assert (await client.keyed("PUT", "/fapi/v1/listenKey")) == (200, {"listenKey": key})
    clock.ahead_ns = 4 * HOUR_NS // 3
    await client.place("BUY", "0.01", "59000.0", timestamp=clock.now_ms)
    await stream.receive_until(lambda frame: frame["e"] == "ORDER_TRADE_UPDATE")
    clock.ahead_ns = 2 * HOUR_NS
    frames = await stream.receive_until(lambda frame: frame["e"] == "listenKeyExpired")
    assert frames[-1]["listenKey"] == key
    status, refused = await client.keyed("PUT", "/fapi/v1/listenKey")
    assert (status, refused["code"]) == (400, -1125)
    assert (await client.keyed("POST", "/fapi/v1/listenKey"))[1]["listenKey"] != key


async def test_a_leverage_that_changes_is_told(quiet_futures: Any) -> None:
    client = quiet_futures
    _, stream = await client.user_stream()
    await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    [frame] = await stream.receive_until(lambda frame: True)
    assert (frame["e"], frame["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})


async def test_a_deposit_is_told(quiet_futures: Any) -> None:
    client = quiet_futures
    _, stream = await client.user_stream()
    await client.control("deposit", account="client", asset="USDT", amount="5")
    [frame] = await stream.receive_until(lambda frame: True)
    assert (frame["a"]["m"], frame["a"]["B"][0]["bc"]) == ("DEPOSIT", "5.00000000")
    _, lines = await client.signed("GET", "/fapi/v1/income", incomeType="TRANSFER")
    assert [line["income"] for line in lines] == ["5.00000000"]


async def test_batches_are_told_order_by_order(quiet_futures: Any) -> None:
    client = quiet_futures
    _, stream = await client.user_stream()
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "59000",
    }
    await client.signed("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([order] * 3))
    await client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    frames = []
    for _ in range(6):
        frames += await stream.receive_until(lambda frame: True)
    assert [frame["o"]["x"] for frame in frames] == ["NEW"] * 3 + ["CANCELED"] * 3
