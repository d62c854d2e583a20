"""Kill points: hooks that run where the venue stands. Signals go to real processes, which are clients of their own."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.simulated.faults.spec import parse
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings

TRADER = """
import hashlib, hmac, json, os, sys, time, urllib.request
from urllib.parse import urlencode
rest, key, secret, pid_file = sys.argv[1:]
with open(pid_file, "w") as file:
    file.write(str(os.getpid()))
for number in range(20):
    params = dict(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="50000",
                  newClientOrderId=f"order-{number}", timestamp=time.time_ns() // 1_000_000)
    query = urlencode(params)
    query += "&signature=" + hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request(f"{rest}/api/v3/order?{query}", method="POST", headers={"X-MBX-APIKEY": key})
    print(json.load(urllib.request.urlopen(request))["clientOrderId"], flush=True)
"""
"""Twenty orders, one after another, by REST; it prints the id of each that was answered."""


async def run_trader(play: Any, pid_file: Path) -> tuple[int, list[str]]:
    """Run it to its end, and return its exit code and what it printed."""
    endpoints = play.client.endpoints
    arguments = (endpoints.rest, endpoints.api_key, endpoints.api_secret, str(pid_file))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TRADER, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode().split()


async def known_orders(play: Any) -> list[str]:
    rows = (await play.get("requests"))["rows"]
    return [row["client_order_id"] for row in rows if row["kind"] == "place" and row["done"]]


@pytest.mark.parametrize(("at", "done", "read"), [("answer-sent", 4, (3, 4)), ("request-received", 3, (3, 3))])
async def test_a_client_is_killed_exactly_there(
    play: Any, tmp_path: Path, at: str, done: int, read: tuple[int, int]
) -> None:
    """Goal: the fourth answer, or request, is its last. Method: SIGKILL to the pid it wrote, then both sides' records.

    Of an answer that is sent it may have read the last one or not, and may have sent one more request in the moment before
    the signal came to it. A request that it is killed at is done, but nobody reads of it.
    """
    pid_file = tmp_path / "trader.pid"
    point = {"at": at, "operation": "place", "after": 3, "signal": "KILL", "pid_file": str(pid_file)}
    assert (await play.post({"point": [point]}))[0] == 200
    code, printed = await run_trader(play, pid_file)
    assert code == -signal.SIGKILL
    assert read[0] <= len(printed) <= read[1]
    orders = await known_orders(play)
    assert orders[:done] == [f"order-{number}" for number in range(done)]
    assert len(orders) <= 5
    [row] = await play.log()
    assert (row["kind"], row["client_order_id"]) == (at, "order-3")
    assert row["done"].startswith("SIGKILL to ")
    [listed] = (await play.get("faults"))["rows"]
    assert (listed["at"], listed["hits"], listed["is_over"]) == (at, 1, True)


async def test_a_client_is_killed_between_a_fill_and_its_acknowledgement(play: Any) -> None:
    """Goal: a point that waits for a fill makes the events go first, of the order that fills and of no other."""
    socket = await play.user_stream()
    seen: list[str] = []
    play.client.venue.faults.on_point("fill-sent", lambda reached: seen.append(reached.client_order_id))
    await play.place(socket, "resting")
    assert seen == []
    terms = {"quantity": "0.001", "price": await play.touch("SELL")}
    params = play.client.params(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", newClientOrderId="taker", **terms
    )
    await socket.send({"id": "t", "method": "order.place", "params": params})
    frames = await socket.receive_until(lambda frame: frame.get("id") == "t")
    assert [frame["event"]["x"] for frame in frames if frame.get("event", {}).get("c") == "taker"] == ["NEW", "TRADE"]
    assert seen == ["taker"]


async def test_points_of_a_cancel_and_of_a_page(play: Any) -> None:
    """In order, each at its place, by both doors; a page that is not full is none."""
    socket = await play.client.api()
    faults, seen = play.client.venue.faults, []
    for at in ("cancel-received", "request-received", "answer-sent", "query-page"):
        faults.on_point(at, lambda reached: seen.append((reached.point, reached.operation)), count=9)
    for name in ("one", "two"):
        await play.place(socket, name)
    await play.cancel(socket, "one")
    assert seen[-3:] == [
        ("request-received", "order.cancel"),
        ("cancel-received", "order.cancel"),
        ("answer-sent", "order.cancel"),
    ]
    for limit, pages in ((2, 1), (3, 0)):
        seen.clear()
        await play.client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=limit)
        await play.silent(socket, 0.02)  # REST's answer is here before the venue goes on
        assert [at for at, _ in seen].count("query-page") == pages


async def test_a_command_runs_to_its_end_with_the_request_in_its_environment(play: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f'echo "$TOUCHLINE_POINT $TOUCHLINE_SYMBOL $TOUCHLINE_CLIENT_ORDER_ID" > {out}'
    point = {"at": "request-received", "operation": "place", "run": ["sh", "-c", script]}
    await play.post({"point": [point]})
    socket = await play.client.api()
    await play.place(socket, "mine")
    assert out.read_text() == "request-received BTCUSDT mine\n"
    assert [row["done"] for row in await play.log()] == ["sh ended with 0"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"run": ["/no/such/command"]}, "not run"),
        ({"run": ["false"]}, "ended with 1"),
        ({"signal": "KILL", "pid_file": "/no/such/file"}, "not sent"),
        ({"signal": "CONT", "pid": 2**31 - 1}, "not sent"),
    ],
)
async def test_a_hook_that_fails_is_told_in_the_log_and_stops_nobody(play: Any, action: Any, words: str) -> None:
    await play.post({"point": [{"at": "request-received", "operation": "place", **action}]})
    socket = await play.client.api()
    assert (await play.place(socket, "on"))["result"]["status"] == "NEW"
    [row] = await play.log()
    assert words in row["done"]


@pytest.mark.parametrize("text", ["0", "-1", "1", "", "12 34", "x", "9" * 10, "9" * 11])
async def test_a_file_cannot_name_a_group_or_the_first_process(play: Any, tmp_path: Path, text: str) -> None:
    """Goal: kill(0) and kill(-1) would take the venue along. Method: such files, and the venue lives to log them."""
    path = tmp_path / "pid"
    path.write_text(text)
    await play.post({"point": [{"at": "request-received", "signal": "TERM", "pid_file": str(path)}]})
    assert (await play.client.get("/api/v3/ping"))[0] == 200
    [row] = await play.log()
    assert "says no process id" in row["done"]


async def test_words_that_cannot_stand_in_an_environment(play: Any) -> None:
    await play.post({"point": [{"at": "request-received", "operation": "time", "run": ["true"]}]})
    assert (await play.client.get("/api/v3/time", symbol="a\0b"))[0] in (200, 400)
    [row] = await play.log()
    assert "not run" in row["done"]


def test_a_point_counts_once_unless_told_otherwise() -> None:
    specs = parse(
        {"point": [{"at": "answer-sent", "run": ["true"]}, {"at": "answer-sent", "run": ["true"], "count": 5}]}
    )
    assert [point.schedule.count for point in specs.points] == [1, 5]


async def test_a_point_can_be_set_before_the_venue_starts() -> None:
    """As a test has it: the hook first, then the venue. What the filters name is not known yet, and is not asked about."""
    venue, seen = SimulatedVenue(VenueSettings()), []
    venue.faults.on_point("request-received", lambda reached: seen.append(reached.symbol), symbol="BTCUSDT")
    endpoints = await venue.start()
    try:
        async with aiohttp.ClientSession() as session:
            for symbol in ("ETHUSDT", "BTCUSDT", "BTCUSDT"):
                async with session.get(f"{endpoints.rest}/api/v3/depth", params={"symbol": symbol}) as response:
                    assert response.status == 200
    finally:
        await venue.stop()
    assert seen == ["BTCUSDT"]
    assert not venue.faults.armed


async def test_a_point_whose_window_is_shut_moves_nothing(play: Any) -> None:
    """`fill-sent` has events sent first; before its window it does not."""
    socket = await play.user_stream()
    seen: list[str] = []
    play.client.venue.faults.on_point("fill-sent", lambda reached: seen.append(reached.client_order_id), from_s=60)
    price = await play.touch("SELL")
    await play.send(
        socket, 9, "order.place", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
        quantity="0.001", price=price, newClientOrderId="taker",
    )  # fmt: skip
    assert (await socket.receive())["id"] == 9
    assert seen == []


async def test_a_pid_file_that_is_a_pipe_keeps_nobody_waiting(play: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "engine.pid"
    os.mkfifo(pipe)
    point = {"at": "request-received", "signal": "USR1", "pid_file": str(pipe)}
    assert (await play.post({"point": [point]}))[0] == 200
    assert (await play.client.get("/api/v3/time"))[0] == 200
    assert "is no file" in (await play.log())[0]["done"]
