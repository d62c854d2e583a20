"""Runs that several scenarios read: one of a rough world in memory, one of real processes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bus.log import read
from ops.config import Config, load
from tests.support.replay import Row
from tests.support.run_world import run_world
from tests.support.world import World

ROOT = Path(__file__).parents[2]
DEMO_S = 6.0


class Recorded(NamedTuple):
    """A real run: its configuration, its report, and every record of its input log and order journal."""

    config: Config
    report: dict[str, Any]
    inputs: list[Row]
    journal: list[Row]


@pytest.fixture(scope="session")
def rough() -> World:
    """200 s of trading over bad lines, about 16,000 inputs: frames, answers, fills, timers, cuts."""
    return run_world(5, 200.0)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """`touchline demo`: an engine on ZeroMQ and real connections, the simulated venue in a process of its own."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "ops.cli", "demo", "--headless", "--json", "--seconds", str(DEMO_S)]
    done = subprocess.run(
        [*command, "--state", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return Recorded(
        load(folder / "config.toml"),
        json.loads(done.stdout),
        log_rows(folder / "engine" / "input-log"),
        log_rows(folder / "engine" / "journal"),
    )


def log_rows(folder: Path) -> list[Row]:
    return [(record.kind, record.offset, record.now_ns, record.body) for record in read(folder)]
