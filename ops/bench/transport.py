"""`bench transport`: one hop, one way, on each transport that a topology may choose.

inproc is a host's own mailbox: put, and take what was counted. The others are two processes on this machine, each kept
to a core: a paced sender, and a receiver on a loop as bus.links has it, drained in its reader's callback. Both read
CLOCK_MONOTONIC, which is one for the whole machine, so the time under way is the difference of two readings.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from struct import Struct as Packer
from typing import Any

import uvloop

from bus.mailbox import KeyPair, PeerListener, PeerSender, ZmqMailboxes
from bus.mailbox.keys import create, load_pair, load_public
from ops.bench.tick import percentiles
from ops.cores import keep_to_core

PACE_S = 0.001
"""Between two messages: caches go cold as on a feed of 1,000 messages a second; chosen."""
FRAME_BYTES = 164
"""A link's frame with one Touch."""
WARM_UP = 100
LIMIT_S = 30.0
"""How long a side waits for the other before it gives up; chosen."""
_STAMP = Packer("<Q")


def run(count: int) -> dict[str, Any]:
    """`count` messages over each transport. Figures are microseconds from before the send to after the receive."""
    result: dict[str, Any] = {"messages": count, "inproc": percentiles(_inproc(count))}
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        for name in ("send", "receive"):
            create(Path(folder), name)
        for transport, endpoint, keys in (
            ("ipc", f"ipc://{folder}/hop.ipc", ""),
            ("tcp", _free_port(), ""),
            ("tcp_curve", _free_port(), folder),
        ):
            result[transport] = percentiles(uvloop.run(_between_processes(endpoint, keys, count)))
    return result


def _inproc(count: int) -> list[int]:
    mailboxes = ZmqMailboxes()
    send, receive = mailboxes.open("hop")
    padding = bytes(FRAME_BYTES - _STAMP.size)
    taken = []
    for number in range(WARM_UP + count):
        send(_STAMP.pack(time.monotonic_ns()) + padding)
        (sent_ns,) = _STAMP.unpack_from(receive())
        if number >= WARM_UP:
            taken.append(time.monotonic_ns() - sent_ns)
        time.sleep(PACE_S / 10)  # cold, but no message waits for a loop here: ten times the pace, to be done in time
    mailboxes.close()
    return taken


async def _between_processes(endpoint: str, keys: str, count: int) -> list[int]:
    """The receiving side; the sender is a process of its own."""
    mailboxes = ZmqMailboxes()
    pair = load_pair(Path(keys), "receive") if keys else None
    listener = PeerListener(mailboxes, endpoint, pair, [load_public(Path(keys), "send")] if keys else [])
    taken: list[int] = []
    complete = asyncio.Event()

    def drain() -> None:
        now_ns = time.monotonic_ns()
        frames, empty = listener.drain(64)
        now_ns = time.monotonic_ns() if len(frames) == 1 else now_ns  # of a burst: when it was found
        taken.extend(now_ns - _STAMP.unpack_from(frame)[0] for frame in frames)
        if len(taken) >= WARM_UP + count:
            complete.set()
        elif not empty:
            loop.call_soon(drain)

    loop = asyncio.get_running_loop()
    loop.add_reader(listener.descriptor, drain)
    drain()
    cores = os.sched_getaffinity(0)
    keep_to_core(0)
    command = [sys.executable, "-m", "ops.bench.transport", endpoint, str(WARM_UP + count), keys]
    sender = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(LIMIT_S + (WARM_UP + count) * PACE_S * 3):
            await complete.wait()
    finally:
        sender.terminate()
        await sender.wait()
        os.sched_setaffinity(0, cores)
        loop.remove_reader(listener.descriptor)
        listener.close()
        mailboxes.close()
    return taken[WARM_UP : WARM_UP + count]


def _send(endpoint: str, count: int, keys: str) -> None:
    """The sending side."""
    keep_to_core(1)
    mailboxes = ZmqMailboxes()
    pair: KeyPair | None = load_pair(Path(keys), "send") if keys else None
    sender = PeerSender(mailboxes, endpoint, pair, load_public(Path(keys), "receive") if keys else None)
    padding = bytes(FRAME_BYTES - _STAMP.size)
    end = time.monotonic() + LIMIT_S
    sent = 0
    while sent < count and time.monotonic() < end:
        time.sleep(PACE_S)
        if sender.send(_STAMP.pack(time.monotonic_ns()) + padding):
            sent += 1
            end = time.monotonic() + LIMIT_S
    time.sleep(LIMIT_S)  # until the receiver has it all and ends this process


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


if __name__ == "__main__":
    _send(sys.argv[1], int(sys.argv[2]), sys.argv[3])
