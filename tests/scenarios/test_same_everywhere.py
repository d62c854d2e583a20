"""The same inputs give the same outputs, whatever carries them and in whatever process: to the byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bus.codec import TYPE_OF_TAG
from bus.mailbox import ZmqMailboxes
from bus.messages import (
    ExecutionReport,
    Fill,
    Frame,
    Message,
    QueryAnswer,
    RequestAnswered,
    SnapshotAnswer,
    TimerFired,
)
from tests.support.run_world import run_world, told
from tests.support.world import World

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


def test_sockets_and_memory_carry_the_same_run(rough: World) -> None:
    """A few thousand frames with their answers, fills and timers, once through ZeroMQ: digest, journal, input log."""
    mailboxes = ZmqMailboxes()
    try:
        on_sockets = run_world(5, 200.0, mailboxes=mailboxes)
    finally:
        mailboxes.close()
    assert told(on_sockets) == told(rough)


def test_that_run_has_everything_in_it(rough: World) -> None:
    kinds: list[type[Message]] = [TYPE_OF_TAG[row[0]] for row in rough.house.input_log.records]
    facts: list[type[Message]] = [TYPE_OF_TAG[row[0]] for row in rough.house.journal.records]
    assert kinds.count(Frame) > 3_000
    assert kinds.count(TimerFired) > 300
    assert min(map(kinds.count, (ExecutionReport, RequestAnswered, QueryAnswer))) > 100
    assert kinds.count(SnapshotAnswer) >= 4  # a start, and books that were lost
    assert facts.count(Fill) > 50


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
