"""One order's round trip to the venue and back over loopback, on REST and on the WebSocket API; and how many it can take.

A trip is from before the request is written to after the answer is read: placing, and canceling what was placed. Between
trips there is a pause, so that what the venue does after its answer (events, the crowd) is not in the next one's way more
than it would be. `pipelined` sends many at once and waits for all: what a client that never waits can ask of it. What the
venue's process itself spends is told beside it, for a machine that has other work to do.
"""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from ops.bench import venue_process
from ops.bench.tick import percentiles
from ops.bench.venue_client import LeanClient, receive
from ops.cores import keep_to_core

SYMBOL = "BTCUSDT"
PAUSE_S = 0.0005
WARM_UP = 100
AT_ONCE = 50
"""Requests under way when they are sent without waiting; the venue's socket buffers hold them."""
PIPELINED = 5
"""Of these for each single trip: they are so much faster."""
PRICES = 100
LOWEST = 50_000
NS_PER_MS = 1_000_000

Request = Callable[[bool, int], bytes]
"""(is a cancel, number) -> bytes to send"""


def run(count: int) -> dict[str, Any]:
    """`count` orders placed and canceled one by one through each door, then as many without waiting."""
    keep_to_core(1)
    with venue_process.running("ops.bench.venue_process") as (told, venue):
        client = LeanClient(told)
        result: dict[str, Any] = {}
        api = client.open_websocket("/ws-api/v3")
        result["websocket_api"] = _trips(api, _api(client), count, b'"status":200')
        before = _spent_us(venue.pid)
        result["pipelined_per_s"], sent = _pipelined(api, _api(client), count)
        result["pipelined_cpu_us"] = round((_spent_us(venue.pid) - before) / sent, 1)
        api.close()
        rest = client.connect()
        result["rest"] = _trips(rest, _rest(client), count, b"HTTP/1.1 200 ")
        rest.close()
    return result


def _params(is_cancel: bool, number: int) -> dict[str, str]:
    stamp = str(time.time_ns() // NS_PER_MS)
    if is_cancel:
        return {"symbol": SYMBOL, "origClientOrderId": f"bench-{number}", "timestamp": stamp}
    return {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.001",
        "price": str(LOWEST + number % PRICES),
        "newClientOrderId": f"bench-{number}",
        "timestamp": stamp,
    }


def _api(client: LeanClient) -> Request:
    def frame(is_cancel: bool, number: int) -> bytes:
        return client.api_frame("order.cancel" if is_cancel else "order.place", number, _params(is_cancel, number))

    return frame


def _rest(client: LeanClient) -> Request:
    def request(is_cancel: bool, number: int) -> bytes:
        return client.rest_request("DELETE" if is_cancel else "POST", "/api/v3/order", _params(is_cancel, number))

    return request


def _trips(opened: socket.socket, request: Request, count: int, taken: bytes) -> dict[str, Any]:
    """Raises RuntimeError for an answer that is a refusal: its time would be another one's."""
    times: dict[bool, list[int]] = {False: [], True: []}
    for number in range(WARM_UP + count):
        for is_cancel, into in times.items():
            sent = request(is_cancel, number)
            start = perf_counter_ns()
            opened.sendall(sent)
            answer = receive(opened)
            took = perf_counter_ns() - start
            if taken not in answer:
                raise RuntimeError(f"bench venue: refused: {answer.decode(errors='replace')}")
            if number >= WARM_UP:
                into.append(took)
            time.sleep(PAUSE_S)
    return {"place_us": percentiles(times[False]), "cancel_us": percentiles(times[True])}


def _spent_us(pid: int) -> int:
    """What a process has had of the processor; the kernel counts in hundredths of a second (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // os.sysconf("SC_CLK_TCK")


def _pipelined(opened: socket.socket, request: Request, count: int) -> tuple[int, int]:
    """Requests a second, AT_ONCE at a time, and how many there were; signing them is not timed."""
    first, spent, sent = 10**6, 0, 0
    for start in range(first, first + max(PIPELINED * count, AT_ONCE), AT_ONCE):
        numbers = range(start, start + AT_ONCE // 2)
        batch = b"".join(request(is_cancel, number) for number in numbers for is_cancel in (False, True))
        begin = perf_counter_ns()
        opened.sendall(batch)
        answers = b""
        while answers.count(b'"rateLimits"') < AT_ONCE:
            answers += receive(opened)
        spent += perf_counter_ns() - begin
        sent += AT_ONCE
    return round(sent * 1e9 / spent), sent
