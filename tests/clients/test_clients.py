"""Clients of the venue that others wrote, pointed at ours by nothing but base URLs.

Each script of scripts/ runs in the clients' own environment against a venue of its own, as anybody would run it, and says step
by step what its client could do; docs/howto/other-clients.md shows the commands.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings

SCRIPTS = Path(__file__).parent / "scripts"
PYTHON = Path(sys.prefix) / "clients" / "bin" / "python"
NAMES = ("ccxt_spot", "ccxt_streams", "sdk_spot", "python_binance", "ccxt_usdm", "sdk_usdm")
SCRIPT_S_MAX = 120.0  # what a script may take on a machine that is busy; an idle one needs a tenth of it


@pytest.fixture(autouse=True)
def clients_are_installed() -> None:
    if os.environ.get("TOUCHLINE_NO_CLIENTS"):
        pytest.skip("TOUCHLINE_NO_CLIENTS is set")
    if not PYTHON.exists():
        pytest.fail(f"no clients at {PYTHON}: run `make .venv/.clients`, or leave them out with TOUCHLINE_NO_CLIENTS=1")


async def test_every_client_works_against_the_venue() -> None:
    """All at once, since they mostly wait: each its own venue, its own process."""
    ran = await asyncio.gather(*(run(name) for name in NAMES))
    failed = [said for returncode, said in ran if returncode != 0 or said.count("\nok ") <= 10]
    assert not failed, "\n".join(failed)


async def run(name: str) -> tuple[int | None, str]:
    """Return how the client's script ended, and what it said."""
    venue = SimulatedVenue(VenueSettings(futures_port=0))
    endpoints = await venue.start()
    is_futures = name.endswith("_usdm")
    told = {
        "--rest": endpoints.futures_rest if is_futures else endpoints.rest,
        "--streams": endpoints.futures_streams if is_futures else endpoints.streams,
        "--api": endpoints.futures_websocket_api if is_futures else endpoints.websocket_api,
        "--key": endpoints.api_key,
        "--secret": endpoints.api_secret,
    }
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        SCRIPTS / f"{name}.py",
        *(word for option in told.items() for word in option),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    ending = asyncio.get_running_loop().call_later(SCRIPT_S_MAX, process.kill)
    try:
        output, _ = await process.communicate()
    finally:
        ending.cancel()
        await venue.stop()
    return process.returncode, f"--- {name}\n{output.decode(errors='replace')}"
