"""What ends leaves nothing behind: removed, over, or overtaken by another fault of its kind; over real sockets."""

import asyncio
from typing import Any

import pytest

from tests.gateway.simulated.faults.conftest import ORDER


async def trade_id(socket: Any) -> int:
    """Of the next frame."""
    number: int = (await socket.receive())["data"]["t"]
    return number


@pytest.mark.parametrize(("kind", "keys"), [("market-reorder", {}), ("market-delay", {"delay_ms": 60_000})])
async def test_what_a_removed_fault_held_goes_out(play: Any, kind: str, keys: dict[str, Any]) -> None:
    """At once, in order, and nothing waits for it any more; a fault of another kind lets nothing go."""
    socket = await play.client.streams("btcusdt@trade")
    await play.trade()
    first = await trade_id(socket)
    other = await play.set("market-double", probability=0.0)
    number = await play.set(kind, count=1, stream="trade", **keys)
    await play.trade()
    await play.remove(id=other)
    assert await play.silent(socket)
    await play.remove(id=number)
    assert await trade_id(socket) == first + 1
    for later in (first + 2, first + 3):
        await play.trade()
        assert await trade_id(socket) == later


async def test_a_removed_ban_bans_nobody(play: Any) -> None:
    number = await play.set("banned", seconds=3_600, count=1)
    assert (await play.client.get("/api/v3/time"))[0] == 418
    assert (await play.client.get("/api/v3/time"))[0] == 418
    await play.remove(id=number)
    assert (await play.client.get("/api/v3/time"))[0] == 200


@pytest.mark.parametrize("ends", ["canceled", "removed"])
async def test_an_unknown_status_leaves_nothing_behind(play: Any, ends: str) -> None:
    """Nobody listens to the account: the order's end is heard all the same. A removed fault has marked nothing."""
    socket = await play.client.api()
    number = await play.set("unknown-status", count=1)
    assert (await play.place(socket, "odd"))["result"]["status"] == "FROZEN"
    assert (await play.query("odd"))[1]["status"] == "FROZEN"
    if ends == "canceled":
        await play.cancel(socket, "odd")
        await play.query("odd")
    else:
        await play.remove(id=number)
        assert (await play.query("odd"))[1]["status"] == "NEW"
    assert play.client.venue.faults.armed is False


async def status(play: Any) -> str:
    _, info = await play.client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    told: str = info["symbols"][0]["status"]
    return told


@pytest.mark.parametrize("first", [0, 1])
async def test_halts_that_overlap_end_with_the_last_of_them(play: Any, first: int) -> None:
    """Whichever ends first, and whether the words are the same or not: what is left shows, and in the end trading."""
    for words in (("BREAK", "HALT"), ("BREAK", "BREAK")):
        numbers = [await play.set("halt", symbol="BTCUSDT", status=word) for word in words]
        assert await status(play) == words[1]
        await play.remove(id=numbers[first])
        assert await status(play) == words[1 - first]
        await play.remove(id=numbers[1 - first])
        assert await status(play) == "TRADING"


async def test_rules_changed_by_hand_meanwhile_stay(play: Any) -> None:
    lower = await play.set("filters", symbol="BTCUSDT", tick_size="0.5")
    await play.client.control("filters", symbol="BTCUSDT", tickSize="0.2")
    upper = await play.set("filters", symbol="BTCUSDT", tick_size="0.1")
    for number, tick in ((lower, "0.10000000"), (upper, "0.20000000")):
        await play.remove(id=number)
        _, info = await play.client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
        assert info["symbols"][0]["filters"][0]["tickSize"] == tick


async def test_a_mark_that_comes_after_its_fault_is_removed_is_none(play: Any) -> None:
    socket = await play.client.api()
    await play.set("request-delay", operation="place", delay_ms=500, count=1)
    number = await play.set("unknown-status")
    await play.send(socket, 1, "order.place", **ORDER, newClientOrderId="held")
    while len(await play.log()) < 2:  # both have hit
        await asyncio.sleep(0.01)
    await play.remove(id=number)
    assert (await socket.receive())["result"]["status"] == "NEW"
    assert (await play.query("held"))[1]["status"] == "NEW"
