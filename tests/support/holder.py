"""A process that campaigns and then does as it is told, for tests that kill or stop it:

python -m tests.support.holder BACKEND ADDRESS SCOPE HOLDER TTL_NS

It writes a line of JSON when it has won, and one for each word it reads: `left` (what is left of its term, and why it is
over), `band` and `account` (whether a fenced write went through).
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import Coordinator, TermOver
from gateway.doors.coordination.etcd import EtcdCoordinator
from gateway.doors.coordination.local import LocalCoordinator
from gateway.doors.coordination.term import Term

EPOCH = 7
"""The highest epoch that a test's instances know before they campaign."""


def coordinator(backend: str, address: str, holder: str, ttl_ns: int) -> Coordinator:
    """address: of etcd, its endpoints with commas between them; of the local backend, its file."""
    if backend == "etcd":
        return EtcdCoordinator(tuple(address.split(",")), holder, ttl_ns)
    return LocalCoordinator(Path(address), holder, ttl_ns)


async def obey(mine: Coordinator, term: Term, word: str) -> dict[str, Any]:
    try:
        if word == "account":
            await mine.put_account(term, b"from the old term")
        elif word == "band":
            await mine.put_band(term, term.scope, "BTCUSDT", 1, 0)
    except TermOver as error:
        return {word: "TermOver", "reason": error.reason}
    return {word: "written", "left_ns": term.left_ns(boottime_ns()), "reason": term.reason}


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main(backend: str, address: str, scope: str, holder: str, ttl_ns: str) -> None:
    mine = coordinator(backend, address, holder, int(ttl_ns))
    await mine.open()
    term = await mine.campaign(scope, lambda: EPOCH)
    say({"epoch": term.epoch})
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        say(await obey(mine, term, word))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
