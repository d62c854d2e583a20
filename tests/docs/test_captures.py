"""What the page about recordings tells a reader to write is taken as written."""

import re
import shlex
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings
from ops.capture import capture_name
from ops.cli.capture import record, verify
from ops.cli.chaos import chaos
from ops.cli.venue import venue
from ops.venues import MARKETS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "captures.md").read_text(encoding="utf-8")
COMMANDS = {"capture record": record, "capture verify": verify, "venue": venue}


@pytest.mark.parametrize("line", re.findall(r"^\.venv/bin/touchline (.*)$", PAGE, re.MULTILINE))
def test_every_command_is_one(line: str) -> None:
    [name] = [name for name in COMMANDS if line.startswith(name)]
    assert COMMANDS[name].make_context(name, shlex.split(line.removeprefix(name)))


def test_it_names_every_venue_every_option_and_every_fault_of_a_feed() -> None:
    [named] = re.findall(r"^Venues: (.*?)\. ", PAGE, re.MULTILINE)
    assert re.findall("`(.+?)`", named) == [capture_name(name) for name in MARKETS]
    options = [
        option for parameter in (*record.params, *verify.params) for option in parameter.opts if option[0] == "-"
    ]
    assert [option for option in options if f"{option} " not in PAGE and f"`{option}`" not in PAGE] == []
    [scenarios] = [option.type.choices for option in chaos.params if option.name == "scenario"]  # type: ignore[attr-defined]
    assert [name for name in scenarios if name.startswith("feed-") and name not in PAGE] == []


@pytest.fixture
async def rest() -> Any:
    simulated = SimulatedVenue(VenueSettings(symbols=("BTCUSDT",), control=True))
    yield (await simulated.start()).rest
    await simulated.stop()


async def test_every_fault_is_one_that_the_venue_takes(rest: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in re.findall(r"^curl -X POST 'http://127.0.0.1:8080(.*)'$", PAGE, re.MULTILINE):
            async with session.post(rest + path) as answer:
                assert (path, answer.status) == (path, 200)
