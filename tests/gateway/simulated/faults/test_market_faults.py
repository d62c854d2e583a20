"""Each kind of fault of market streams, as a client sees it: trades that the test makes one by one, over real sockets."""

import asyncio
import json
import time
from typing import Any

import pytest

TOPIC = "btcusdt@trade"


async def ids(play: Any, socket: Any, count: int) -> list[int]:
    """The trade ids of the next frames."""
    return [(await socket.receive())["data"]["t"] for _ in range(count)]


async def trades(play: Any, count: int) -> None:
    for _ in range(count):
        await play.trade()


async def listen(play: Any) -> tuple[Any, int]:
    """A connection to the trades, and the id of the first one on it."""
    socket = await play.client.streams(TOPIC)
    await play.trade()
    [first] = await ids(play, socket, 1)
    return socket, first


@pytest.mark.parametrize(
    ("kind", "keys", "heard"),
    [
        ("market-drop", {"count": 1}, [1, 2, 3]),
        ("market-drop", {"after": 1, "every": 2}, [0, 1, 3]),
        ("market-double", {"after": 1, "count": 1}, [0, 1, 1, 2, 3]),
        ("market-reorder", {"after": 1, "count": 1}, [0, 2, 1, 3]),
        ("market-drop", {"symbol": "ETHUSDT"}, [0, 1, 2, 3]),
        ("market-drop", {"stream": "depth"}, [0, 1, 2, 3]),
    ],
)
async def test_frames_are_lost_doubled_and_swapped(
    play: Any, kind: str, keys: dict[str, Any], heard: list[int]
) -> None:
    """Four trades after the fault was set; `heard` counts from the first of them."""
    socket, first = await listen(play)
    await play.set(kind, **{"stream": "trade", **keys})
    await trades(play, 4)
    assert await ids(play, socket, len(heard)) == [first + 1 + number for number in heard]
    assert await play.silent(socket)


async def test_a_swapped_frame_waits_for_the_next_one(play: Any) -> None:
    socket, first = await listen(play)
    await play.set("market-reorder", count=1)
    await play.trade()
    assert await play.silent(socket)
    await play.trade()
    assert await ids(play, socket, 2) == [first + 2, first + 1]


async def test_a_frame_that_two_faults_corrupt_ends_nobody(play: Any) -> None:
    """What cannot be read any more cannot be corrupted in its content; the venue lives."""
    socket, first = await listen(play)
    for how in ("truncated", "price", "sequence", "json"):
        await play.set("market-corrupt", how=how, stream="trade", count=1)
    await play.trade()
    with pytest.raises(json.JSONDecodeError):
        json.loads(await asyncio.wait_for(socket.connection.recv(), 30))
    await play.trade()
    assert await ids(play, socket, 1) == [first + 2]
    done = [row["done"].partition(":")[0] for row in await play.log()]
    assert done == ["corrupted", "nothing there to corrupt", "nothing there to corrupt", "corrupted"]


async def test_a_late_frame_keeps_its_place(play: Any) -> None:
    """Goal: order within a stream is kept, other streams are not touched. Method: one late trade, three after it."""
    socket, first = await listen(play)
    other = await play.client.streams("btcusdt@aggTrade")
    await play.set("market-delay", stream="trade", delay_ms=250, count=1)
    began = time.monotonic()
    await trades(play, 4)
    assert (await other.receive())["data"]["e"] == "aggTrade"
    assert await ids(play, socket, 4) == [first + number for number in (1, 2, 3, 4)]
    assert time.monotonic() - began > 0.24
    [row] = await play.log()
    assert (row["kind"], row["about"], row["symbol"], row["done"]) == (
        "market-delay", TOPIC, "BTCUSDT", "late by 250 ms",
    )  # fmt: skip


async def test_a_silent_stream_ends_by_itself(play: Any) -> None:
    socket, first = await listen(play)
    await play.set("market-stall", stream="trade", seconds=0.4, count=1)
    await trades(play, 3)
    assert await play.silent(socket, 0.1)
    await asyncio.wait_for(await socket.connection.ping(), 30)
    assert (await play.get("streams"))["stalled"] == 3
    await asyncio.sleep(0.4)
    await play.trade()
    assert await ids(play, socket, 1) == [first + 4]
    assert len(await play.log()) == 1, "one row a stall, not one a frame"


@pytest.mark.parametrize("how", ["json", "truncated"])
async def test_a_frame_that_is_no_json(play: Any, how: str) -> None:
    socket = await play.client.connect(f"{play.client.endpoints.streams}/ws/{TOPIC}")
    await play.set("market-corrupt", how=how, count=1)
    await trades(play, 2)
    with pytest.raises(ValueError, match=r"."):
        json.loads(await socket.connection.recv())
    assert (await socket.receive())["e"] == "trade"


async def test_a_frame_with_a_price_ten_times_too_high_or_ids_moved_on(play: Any) -> None:
    socket = await play.client.streams(TOPIC)
    await play.trade()
    true = (await socket.receive())["data"]
    await play.set("market-corrupt", how="price", count=1)
    await play.set("market-corrupt", how="sequence", after=1, count=1)
    await trades(play, 2)
    priced, numbered = [(await socket.receive())["data"] for _ in range(2)]
    assert float(priced["p"]) > 9 * float(true["p"])
    assert priced["t"] == true["t"] + 1
    assert numbered["t"] > true["t"] + 2
    assert float(numbered["p"]) < 2 * float(true["p"])


async def test_a_book_with_moved_ids_shows_as_a_gap(client: Any) -> None:
    socket = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@depth@100ms")
    event = await socket.receive()
    client.venue.faults.set(specs("market-corrupt", how="sequence", stream="depth", count=1))
    moved, after = await socket.receive(), await socket.receive()
    assert moved["U"] > event["u"] + 1
    assert after["U"] < moved["u"]


def specs(kind: str, **keys: Any) -> Any:
    from gateway.simulated.faults.spec import Specs, fault

    return Specs((fault(kind=kind, **keys),))


async def test_every_speed_is_meant_by_a_stream_and_one_by_its_whole_name(client: Any) -> None:
    """Two cadences of the book: `depth` loses both, `depth@100ms` the one."""
    fast = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@depth@100ms")
    slow = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@depth")
    await asyncio.gather(fast.receive(), slow.receive())
    client.venue.faults.set(specs("market-drop", stream="depth@100ms"))
    assert (await slow.receive())["e"] == "depthUpdate"
    rows = client.venue.faults.log.rows.rows(0, 1_000)
    assert {row.about for row in rows} == {"btcusdt@depth@100ms"}


async def test_microseconds_are_spoilt_alike(play: Any) -> None:
    """One frame, two encodings: a fault of the frame is the same for both listeners."""
    fine = await play.client.connect(f"{play.client.endpoints.streams}/ws/{TOPIC}?timeUnit=MICROSECOND")
    socket, _ = await listen(play)
    await fine.receive()
    await play.set("market-corrupt", how="sequence", count=1)
    await play.trade()
    coarse, exact = (await socket.receive())["data"], await fine.receive()
    assert coarse["t"] == exact["t"]
    assert exact["T"] // 1_000 == coarse["T"]


async def test_the_same_seed_loses_the_same_frames(start_play: Any, tmp_path: Any) -> None:
    """Goal: a run can be had again. Method: two venues with one file, thirty trades each, and a third of another seed."""
    heard = []
    for seed in (5, 5, 6):
        path = tmp_path / f"{seed}.toml"
        path.write_text(f'seed = {seed}\n[[fault]]\nkind = "market-drop"\nstream = "trade"\nprobability = 0.5\n')
        play = await start_play(faults=path)
        socket = await play.client.streams(TOPIC)
        await trades(play, 30)
        await play.remove(all="true")
        await play.trade()
        last = await play.client.get("/api/v3/historicalTrades", symbol="BTCUSDT", limit=1)
        frames = await socket.receive_until(lambda frame, last=last: frame["data"]["t"] == last[1][0]["id"])  # type: ignore[misc]  # a default binds it
        # By how long before the last: the crowd may have traded until it stood still.
        heard.append([frame["data"]["t"] - last[1][0]["id"] for frame in frames])
    assert heard[0] == heard[1]
    assert heard[0] != heard[2]
    assert 5 < len(heard[0]) < 26
