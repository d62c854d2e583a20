"""Each kind of fault of user data streams, as a client sees it over a real socket."""

import time
from typing import Any

import pytest


async def reports(socket: Any, count: int) -> list[str]:
    """Client order ids of the next execution reports; balances are skipped."""
    found: list[str] = []
    while len(found) < count:
        event = (await socket.receive())["event"]
        if event["e"] == "executionReport":
            found.append(event["c"])
    return found


async def place(play: Any, socket: Any, *names: str) -> None:
    for name in names:
        await play.place(socket, name)


@pytest.mark.parametrize(
    ("kind", "keys", "heard"),
    [
        ("user-drop", {"client_order_id": "b"}, ["a", "c", "d"]),
        ("user-drop", {"side": "SELL"}, ["a", "b", "c", "d"]),
        ("user-drop", {"symbol": "BTCUSDT", "account": "client", "count": 2}, ["c", "d"]),
        ("user-double", {"client_order_id": "b"}, ["a", "b", "b", "c", "d"]),
    ],
)
async def test_events_are_lost_and_doubled(play: Any, kind: str, keys: dict[str, Any], heard: list[str]) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.set(kind, **keys)
    await place(play, socket, "a", "b", "c", "d")
    assert await reports(events, len(heard)) == heard
    assert len((await play.get("ledger"))["open_orders"]) == 4


async def test_an_event_changes_places_with_the_next_one(play: Any) -> None:
    """The next event after a report is the balance it moved."""
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("user-reorder", client_order_id="a")
    await place(play, socket, "a")
    kinds = [(await events.receive())["event"]["e"] for _ in range(2)]
    assert kinds == ["outboundAccountPosition", "executionReport"]


async def test_a_late_event_keeps_its_place(play: Any) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("user-delay", client_order_id="a", delay_ms=250)
    began = time.monotonic()
    await place(play, socket, "a", "b")
    assert await reports(events, 2) == ["a", "b"]
    assert time.monotonic() - began > 0.24


async def test_a_silent_user_stream_ends_by_itself(play: Any) -> None:
    """Goal: silence for so long, then the events of now. Method: orders during it and after it."""
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("user-stall", seconds=0.4, count=1)
    await place(play, socket, "a", "b")
    assert await play.silent(events, 0.5)
    await place(play, socket, "c")
    assert await reports(events, 1) == ["c"]
    assert [row["done"] for row in await play.log()] == ["silent for 0.4 s"]


async def test_a_stream_is_ended_and_says_so(play: Any) -> None:
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("user-end", count=1)
    await place(play, socket, "a")
    last = await events.receive()
    assert (last["subscriptionId"], last["event"]["e"]) == (0, "eventStreamTerminated")
    await place(play, socket, "b")
    assert await play.silent(events)
    await play.client.call(events, "userDataStream.subscribe.signature", **play.client.params())
    await place(play, socket, "c")
    assert await reports(events, 1) == ["c"]


async def test_nobody_who_listens_is_no_chance(play: Any) -> None:
    socket = await play.client.api()
    await play.set("user-drop")
    await place(play, socket, "a")
    [row] = (await play.get("faults"))["rows"]
    assert (row["chances"], row["hits"]) == (0, 0)


async def test_another_account_is_another_stream(start_play: Any) -> None:
    play = await start_play(accounts=("client", "client-2"))
    events, socket = await play.user_stream(), await play.client.api()
    await play.set("user-drop", account="client-2")
    await place(play, socket, "a")
    assert await reports(events, 1) == ["a"]
