"""Which engine is meant, when nobody says it: whoever holds the lock of a directory, by the kernel's own word."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.engines import Undecided, choose, running
from ops.state import StateDirectory


class Machine:
    """A /proc with one process, this one, and the engines that it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.proc = folder, folder / "proc"
        (self.proc / "17" / "fd").mkdir(parents=True)
        (self.proc / "self").mkdir()
        self.engines: dict[str, StateDirectory] = {}

    def engine(self, name: str, *, shows: bool = True) -> Path:
        path = self.folder / name
        self.engines[name] = StateDirectory(path)
        (self.proc / "17" / "fd" / str(len(self.engines))).symlink_to(path / "lock")
        if shows:
            with socket.socket(socket.AF_UNIX) as show:
                os.chdir(path)
                show.bind("telemetry.ipc")
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    here = Path.cwd()
    machine = Machine(tmp_path)
    yield machine
    os.chdir(here)
    for engine in machine.engines.values():
        engine.close()


def test_the_one_engine_that_runs_is_meant(machine: Machine) -> None:
    path = machine.engine("a")
    machine.engine("a program that has a file of that name", shows=False)
    assert running(machine.proc) == [path]
    assert choose(None, machine.proc) == path


def test_a_named_directory_is_taken_at_its_word(machine: Machine, tmp_path: Path) -> None:
    machine.engine("a")
    assert choose(tmp_path / "b", machine.proc) == tmp_path / "b"


def test_several_have_to_be_told_apart(machine: Machine) -> None:
    first, second = machine.engine("a"), machine.engine("b")
    with pytest.raises(Undecided, match="2 engines run here") as told:
        choose(None, machine.proc)
    assert f"{first}, {second}" in str(told.value)


def test_an_engine_that_ended_is_none(machine: Machine) -> None:
    machine.engine("a")
    machine.engines["a"].close()
    with pytest.raises(Undecided, match="no engine runs here"):
        choose(None, machine.proc)
    machine.engines.clear()
