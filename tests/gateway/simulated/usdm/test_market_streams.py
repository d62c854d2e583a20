"""Market streams of the futures face: which route has what, and that diffs chain and rebuild the book."""

import asyncio
from typing import Any

import pytest

Json = Any


def rebuilt(snapshot: Json, events: list[Json]) -> tuple[int, dict[str, dict[str, str]]]:
    """Follow "How to manage a local order book correctly" of the futures documents; return the last id and the levels."""
    book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
    last = snapshot["lastUpdateId"]
    events = [event for event in events if event["u"] >= last]
    for index, event in enumerate(events):
        if index == 0:
            assert event["U"] <= last <= event["u"] or event["pu"] == last
        else:
            assert event["pu"] == last
        for side, rows in (("bids", event["b"]), ("asks", event["a"])):
            for price, quantity in rows:
                if float(quantity):
                    book[side][price] = quantity
                else:
                    book[side].pop(price, None)
        last = event["u"]
    return last, book


@pytest.mark.parametrize("speed", ["@100ms", "", "@250ms", "@500ms"])
async def test_diffs_of_every_speed_rebuild_the_book(futures: Any, speed: str) -> None:
    """Goal: the documented procedure gives the true book at every event, at each speed. Method: follow it while the crowd
    trades, then stop the crowd and compare all 1,000 levels with a snapshot of the same id.
    """
    client = futures
    socket = await client.connect(f"/public/ws/btcusdt@depth{speed}")
    events = await socket.receive_until(lambda frame: True)
    _, snapshot = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1_000)
    events += await socket.receive_until(lambda frame: frame["u"] > snapshot["lastUpdateId"])
    await client.control("pause-flow")
    _, truth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1_000)
    if events[-1]["u"] < truth["lastUpdateId"]:
        events += await socket.receive_until(lambda frame: frame["u"] == truth["lastUpdateId"])
    last, book = rebuilt(snapshot, events)
    assert last == truth["lastUpdateId"]
    for side, best in (("bids", max), ("asks", min)):
        expected = dict(truth[side])
        worst = (min if best is max else max)(map(float, expected))
        near = {price: q for price, q in book[side].items() if (float(price) - worst) * (1 if best is max else -1) >= 0}
        assert near == expected
    assert all(event["U"] != event["pu"] + 1 for event in events), "ids are shared by all symbols"


async def test_a_best_quote_is_the_book_at_its_id(futures: Any) -> None:
    client = futures
    socket = await client.connect("/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
    frames = await socket.receive_until(lambda frame: frame["stream"].endswith("100ms"))
    _, snapshot = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1_000)
    for _ in range(8):
        frames += await socket.receive_until(lambda frame: frame["stream"].endswith("100ms"))
    diffs = [frame["data"] for frame in frames if frame["stream"].endswith("100ms")]
    quotes = {frame["data"]["u"]: frame["data"] for frame in frames if frame["stream"].endswith("bookTicker")}
    equal = 0
    for count in range(1, len(diffs) + 1):
        last = diffs[count - 1]["u"]
        if last in quotes and last > snapshot["lastUpdateId"]:
            _, book = rebuilt(snapshot, diffs[:count])
            assert float(quotes[last]["b"]) == max(map(float, book["bids"]))
            assert float(quotes[last]["a"]) == min(map(float, book["asks"]))
            equal += 1
    assert equal > 0


ROUTED = [
    # path, what it has, what is silent there
    ("/public", ["depth@100ms", "depth5@100ms", "bookTicker", "trade"], ["aggTrade", "markPrice@1s"]),
    ("/market", ["aggTrade", "markPrice@1s"], ["depth@100ms", "bookTicker", "trade"]),
    ("", ["depth@100ms", "bookTicker", "trade"], ["aggTrade", "markPrice@1s"]),
    ("/private", [], ["depth@100ms", "bookTicker", "aggTrade", "markPrice@1s"]),
]


@pytest.mark.parametrize(("path", "told", "silent"), ROUTED)
async def test_each_route_has_its_streams_and_is_silent_for_the_others(
    futures: Any, path: str, told: list[str], silent: list[str]
) -> None:
    """Nothing is refused: what is asked for under the wrong path never comes."""
    client = futures
    names = [f"btcusdt@{channel}" for channel in (*told, *silent)]
    socket = await client.connect(f"{path}/stream")
    await socket.send({"method": "SUBSCRIBE", "params": names, "id": 1})
    assert (await socket.receive_until(lambda frame: "id" in frame))[-1] == {"result": None, "id": 1}
    witness = await client.connect("/market/ws/btcusdt@markPrice@1s")
    await client.control("market", symbol="BTCUSDT", side="BUY", quantity="0.1")
    await witness.receive_until(lambda frame: True)
    await witness.receive_until(lambda frame: True)
    await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
    frames = await socket.receive_until(lambda frame: frame.get("id") == 2)
    assert sorted(frames[-1]["result"]) == sorted(names)
    assert {frame["stream"] for frame in frames if "stream" in frame} == {f"btcusdt@{channel}" for channel in told}


async def test_ten_requests_a_second_are_served_and_more_are_cut_off(quiet_futures: Any) -> None:
    """Twice spot's limit ("Websocket Market Streams"), however the seconds fall."""
    socket = await quiet_futures.connect("/public/ws")
    for number in range(10):
        await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
    await socket.receive_until(lambda frame: frame["id"] == 9)
    for number in range(21):
        await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
    await asyncio.wait_for(socket.connection.wait_closed(), 30)
    assert socket.connection.close_code == 1008


async def test_mark_prices(futures: Any) -> None:
    socket = await futures.connect("/market/stream?streams=ethusdt@markPrice@1s/!markPrice@arr@1s")
    frames = await socket.receive_until(lambda frame: frame["stream"].startswith("!"))
    [one, all_of_them] = [frame["data"] for frame in frames][-2:]
    assert one in all_of_them
    assert [row["s"] for row in all_of_them] == ["BTCUSDT", "ETHUSDT"]
    assert (one["e"], one["r"]) == ("markPriceUpdate", "0.00010000")
    assert float(one["p"]) == pytest.approx(3_000, rel=0.01)


async def test_partial_books_are_the_top_of_the_book(futures: Any) -> None:
    client = futures
    socket = await client.connect("/public/ws/btcusdt@depth5@100ms")
    await socket.receive_until(lambda frame: True)
    await client.control("pause-flow")
    _, truth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    await client.place("BUY", "0.01", "59000.0")
    frame = (await socket.receive_until(lambda frame: frame["u"] > truth["lastUpdateId"]))[-1]
    assert (frame["e"], len(frame["b"]), len(frame["a"])) == ("depthUpdate", 5, 5)
    assert (frame["b"], frame["a"]) == (truth["bids"], truth["asks"])


async def test_aggregates_and_trades_agree(quiet_futures: Any) -> None:
    client = quiet_futures
    aggregates = await client.connect("/market/ws/btcusdt@aggTrade")
    trades = await client.connect("/public/ws/btcusdt@trade")
    await client.place("BUY", "2")
    _, told = await client.get("/fapi/v1/trades", symbol="BTCUSDT")
    events = await trades.receive_until(lambda frame: frame["t"] == told[-1]["id"])
    sums = await aggregates.receive_until(lambda frame: frame["l"] == told[-1]["id"])
    assert [(event["t"], event["p"], event["q"]) for event in events] == [(t["id"], t["price"], t["qty"]) for t in told]
    assert sum(float(event["q"]) for event in sums) == pytest.approx(2)
    assert all(not event["m"] for event in events)


async def test_a_crowd_of_its_own(futures: Any) -> None:
    """Spot and the contract of its name are two markets: other rules, other seeds, other books."""
    client = futures
    async with client.http.get(f"{client.endpoints.rest}/api/v3/depth?symbol=BTCUSDT&limit=20") as answer:
        spot = await answer.json()
    _, contract = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=20)
    as_floats = [[(float(p), float(q)) for p, q in book["bids"]] for book in (spot, contract)]
    assert as_floats[0] != as_floats[1]
    assert all(round(price * 10) == pytest.approx(price * 10) for price, _ in as_floats[1])
