"""The state directory: one engine at a time, an epoch a start, and nothing ever guessed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.state import EPOCH_MAX, EPOCH_ORIGIN_MINUTES, MINUTE_NS, StateDirectory, StateError, write_durably

ROOT = Path(__file__).parents[2]


def raise_epoch(state: StateDirectory, above: int, now_ns: int) -> int:
    """A start that wins at once: the first epoch above the floor."""
    epoch = state.epoch_floor(above, now_ns) + 1
    state.keep_epoch(epoch)
    return epoch


HOLDER = """
import sys, time
from pathlib import Path
from ops.state import StateDirectory
held = StateDirectory(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_it_is_made_private_and_names_its_parts(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "deep" / "state")
    assert state.path.stat().st_mode & 0o777 == 0o700
    assert (state.path / "lock").stat().st_mode & 0o777 == 0o600
    parts = [state.journal, state.input_log, state.checkpoints, state.store]
    assert [part.relative_to(state.path).name for part in parts] == [
        "journal",
        "input-log",
        "checkpoints",
        "store.sqlite",
    ]
    state.close()


def test_a_second_engine_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(
            StateError, match=rf"in use by another engine \(process {holder.pid}\); stop it, or give --state"
        ):
            StateDirectory(tmp_path)
        holder.kill()  # however it ends, the directory is free
        holder.wait()
    StateDirectory(tmp_path).close()


def test_the_lock_names_the_present_holder_only(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4242424242 of long ago\n")
    state = StateDirectory(tmp_path)
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    state.close()


@pytest.mark.parametrize("make", ["a file", "below a file", "below nowhere"])
def test_what_cannot_be_a_directory_is_refused_with_the_remedy(make: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    path = {"a file": file, "below a file": file / "state", "below nowhere": Path("/proc/nowhere/state")}[make]
    with pytest.raises(
        StateError, match=r"cannot be used as a state directory: .*; give --state a directory that you may write"
    ):
        StateDirectory(path)


def test_each_start_has_an_epoch_above_all_before(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    assert [raise_epoch(state, 0, 0), raise_epoch(state, 0, 0), raise_epoch(state, 0, 0)] == [1, 2, 3]
    assert raise_epoch(state, above=40, now_ns=0) == 41  # a journal that has seen more than the file
    assert raise_epoch(state, above=7, now_ns=0) == 42
    state.close()
    again = StateDirectory(tmp_path)
    assert raise_epoch(again, 0, 0) == 43
    assert (tmp_path / "epoch").read_text() == "43\n"
    again.close()


def test_a_fresh_directory_does_not_repeat_the_epochs_of_a_lost_one(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    minutes = 3_600_000  # since 2020: November 2026
    now_ns = (EPOCH_ORIGIN_MINUTES + minutes) * MINUTE_NS
    assert raise_epoch(state, 0, now_ns) == minutes
    assert raise_epoch(state, 0, now_ns) == minutes + 1  # a second start within the minute
    assert raise_epoch(state, 0, 0) == minutes + 2  # a clock that went back
    state.close()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"abc", b"-5", b"1.5", b"1_0", b"\xd9\xa3", b"\xff\xfe", b"9" * 5_000, b"7 8", b"0x10"]
)
def test_an_epoch_that_is_none_is_never_guessed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "epoch").write_bytes(content)
    state = StateDirectory(tmp_path)
    with pytest.raises(
        StateError, match="is not an epoch; write the highest epoch ever used there, or start a new"
    ) as failure:
        raise_epoch(state, 0, 0)
    state.close()
    assert "\n" not in str(failure.value)
    assert len(str(failure.value)) < 400
    assert (tmp_path / "epoch").read_bytes() == content


def test_epochs_end_where_client_order_ids_end(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text(f"{EPOCH_MAX - 1}")
    state = StateDirectory(tmp_path)
    assert raise_epoch(state, 0, 0) == EPOCH_MAX
    with pytest.raises(StateError, match="used up; start a new directory with a new prefix"):
        raise_epoch(state, 0, 0)
    state.close()


def test_an_epoch_that_cannot_be_written_is_told_and_not_used(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    (tmp_path / "epoch.new").mkdir()
    with pytest.raises(StateError, match="epoch: cannot be written: Is a directory; free disk space"):
        raise_epoch(state, 0, 0)
    state.close()
    assert not (tmp_path / "epoch").exists()


def test_a_durable_write_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    before = path.stat().st_ino
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != before  # another file took the name: the old one was never half written
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
