"""Diffs a second to 100 subscribers, and how long after its making a diff is read by the first and by the last of them.

The other end is ops/bench/venue_fanout_process.py. Here one thread reads all sockets; it looks into a frame only at the
paced part, where the lag is told, and otherwise counts: all subscribers must have got the same bytes, and the last one's
frames are the diffs that were published.
"""

import json
import selectors
import socket
from time import monotonic_ns
from typing import Any

from ops.bench import venue_process
from ops.bench.tick import percentiles
from ops.bench.venue_client import RECEIVE_BYTES, LeanClient
from ops.cores import keep_to_core

SUBSCRIBERS = 100
QUIET_S = 0.5
"""After the last diff was taken: what is on its way is here."""
STAMP = b'"E":'


class Reader:
    """One subscriber's socket. `stamps` are of the frames that came by `take_stamps`."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.bytes = 0
        self._rest = b""

    def read(self) -> bytes:
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise RuntimeError("bench venue: a subscriber was cut off")
        self.bytes += len(piece)
        return piece

    def frames(self, piece: bytes) -> list[bytes]:
        """Whole payloads that `piece` completes."""
        data, whole = self._rest + piece, []
        start = 0
        while len(data) - start >= 4:
            size, head = data[start + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[start + 2 : start + 4], "big"), 4
            end = start + head + size
            if end > len(data):
                break
            whole.append(data[start + head : end])
            start = end
        self._rest = data[start:]
        return whole


def run(diffs: int, seconds: float, subscribers: int = SUBSCRIBERS) -> dict[str, Any]:
    """`diffs` at a pace for the lag, then `seconds` flat out for the rate."""
    keep_to_core(1)
    words = (str(subscribers), str(diffs), str(seconds))
    with venue_process.running("ops.bench.venue_fanout_process", *words) as (told, process):
        client = LeanClient(told)
        readers = [Reader(client.open_websocket("/ws")) for _ in range(subscribers)]
        with selectors.DefaultSelector() as selector:
            for reader in readers:
                selector.register(reader.socket, selectors.EVENT_READ, reader)
            lags = _paced(selector, diffs, subscribers)
            selector.register(process.stdout, selectors.EVENT_READ)
            published, counted = _flat_out(selector, process, readers[-1])
        for reader in readers:
            reader.socket.close()
    if len({reader.bytes for reader in readers}) != 1 or counted != published["diffs"]:
        raise RuntimeError("bench venue: subscribers did not all get every diff")
    return {
        "subscribers": subscribers,
        "diffs_per_s": round(published["diffs"] / published["seconds"]),
        "frames_per_s": round(subscribers * published["diffs"] / published["seconds"]),
        "venue_cpu_us_a_frame": round(published["cpu_s"] * 1e6 / (subscribers * published["diffs"]), 2),
        "lag_first_us": percentiles([row[0] for row in lags]),
        "lag_last_us": percentiles([row[-1] for row in lags]),
    }


def _paced(selector: selectors.BaseSelector, diffs: int, subscribers: int) -> list[list[int]]:
    """Nanoseconds under way of each diff, in the order of arrival at the subscribers."""
    lags: dict[int, list[int]] = {}
    left = diffs * subscribers
    while left:
        for key, _ in selector.select():
            reader: Reader = key.data
            for payload in reader.frames(reader.read()):
                at = payload.index(STAMP) + len(STAMP)
                stamp_us = int(payload[at : payload.index(b",", at)])
                lags.setdefault(stamp_us, []).append(monotonic_ns() - stamp_us * 1_000)
                left -= 1
    return list(lags.values())


def _flat_out(selector: selectors.BaseSelector, process: Any, last: Reader) -> tuple[dict[str, Any], int]:
    """What the publisher says when it has done, and how many frames the last subscriber got."""
    published: dict[str, Any] = {}
    counted = 0
    while events := selector.select(QUIET_S if published else None):
        for key, _ in events:
            if key.data is None:
                published = json.loads(process.stdout.readline())
                selector.unregister(process.stdout)
                continue
            reader: Reader = key.data
            piece = reader.read()
            if reader is last:
                counted += len(reader.frames(piece))
    return published, counted
