"""The same inputs give the same outputs in whatever process: to the byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.run_world import run_world, told

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


def start(transport: str, hash_seed: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.support.run_world", "7", "15", transport]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("transport", ["loopback", "sockets"])
def test_no_hash_seed_changes_a_run(transport: str) -> None:
    """Set and dict order of strings depends on the process; nothing of it may reach an output."""
    processes = [start(transport, seed) for seed in ("0", "1", "random")]
    lines = [process.communicate(timeout=TIMEOUT_S)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert lines == [told(run_world(7, 15.0)) + "\n"] * 3
