"""Runs that several scenarios read: one of a rough world in memory, one of real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bus.log import read
from ops.config import load
from ops.sections import Config
from tests.support.processes import until
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


class KilledDemo(NamedTuple):
    """`touchline demo` whose engine gets a SIGKILL as soon as it trades."""

    process: subprocess.Popen[str]
    killer: threading.Thread


@pytest.fixture(scope="session")
def killed_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledDemo]:
    """Runs beside the tests of a file: it lasts 20 s and mostly waits. Whoever wants its end reads `process`."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "ops.cli", "demo", "--headless", "--seconds", "20", "--json"]
    with subprocess.Popen(
        [*command, "--state", str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        killer = threading.Thread(target=kill_engine, args=(folder,))
        killer.start()
        try:
            yield KilledDemo(process, killer)
        finally:
            process.terminate()
            killer.join()


def kill_engine(folder: Path) -> None:
    log = folder / "engine.log"
    until(lambda: log.exists() and "orders_ready" in log.read_text(errors="replace"), "the engine is ready")
    os.kill(int((folder / "engine" / "lock").read_text()), signal.SIGKILL)


def log_rows(folder: Path) -> list[Row]:
    return [(record.kind, record.offset, record.now_ns, record.body) for record in read(folder)]
