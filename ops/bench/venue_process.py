"""The venue as a process of its own, for `bench venue`: it says where it is, and runs until its standard input ends.

Its limits are out of the way; all else is as `touchline venue` has it, the crowd of one symbol included.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from gateway.simulated.limits import LimitRules
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings
from ops.cores import keep_to_core

UNLIMITED = LimitRules(weight_per_minute=10**9, orders=((10, 10**9), (86_400, 10**9)), raw_per_5_minutes=0)


@contextmanager
def running(module: str, *words: str) -> Iterator[tuple[dict[str, str], Any]]:
    """Start `python -m module`, whose first line is one JSON object; give that and the process, and end it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"bench venue: {module} did not start; its words are above")
            yield json.loads(line), process
        finally:
            process.stdin.close()


async def until_input_ends() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def _serve() -> None:
    venue = SimulatedVenue(VenueSettings(symbols=("BTCUSDT",), limits=UNLIMITED))
    told = await venue.start()
    words = {"rest": told.rest, "api_key": told.api_key, "api_secret": told.api_secret}
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
    await until_input_ends()
    await venue.stop()


if __name__ == "__main__":
    keep_to_core(0)
    uvloop.run(_serve())
