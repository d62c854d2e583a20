"""Halts in the state directory: written as a whole, read with care, one for each scope and level."""

import os
import time
from pathlib import Path

import pytest

from bus.messages import Control, OperatorCommand
from ops.halts import LEFT_MAX, UNFINISHED_S, TooManyHalts, folder_of, keys, leave, read, take_away


def test_a_halt_is_read_as_it_was_left(tmp_path: Path) -> None:
    halt = leave(tmp_path, Control.CANCEL_ONLY, 3, "look", symbol="BTCUSDT")
    assert read(tmp_path) == ([halt], [])
    assert halt.command("me") == OperatorCommand(Control.CANCEL_ONLY, 3, "look", "", "me", -1, 0, halt.key)
    assert keys(tmp_path) == [halt.key]
    take_away(tmp_path, halt.key)
    take_away(tmp_path, halt.key)
    assert read(tmp_path) == ([], [])


def test_nothing_was_left_is_nothing(tmp_path: Path) -> None:
    assert (read(tmp_path), keys(tmp_path)) == (([], []), [])


def test_the_same_command_twice_is_one_halt_under_its_newest_name(tmp_path: Path) -> None:
    """Of the newest, because a RESUME may have come between them."""
    first, other, second = (
        leave(tmp_path, Control.HALT, -1, "one"),
        leave(tmp_path, Control.HALT, 0, "another scope"),
        leave(tmp_path, Control.HALT, -1, "two"),
    )
    assert first.key != second.key
    assert read(tmp_path).halts == [other, second]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda raw: raw.replace(b'"look"', b'"lock"'), "checksum"),
        (lambda raw: raw[: len(raw) // 2], "truncated"),
        (lambda raw: b"", "truncated"),
        (lambda raw: raw.replace(b'"HALT"', b'"RESUME"'), "checksum"),
        (lambda raw: raw.replace(b'"halt"', b'"helt"'), "helt"),
        (lambda raw: b"\xff" * 10_000, "malformed"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_file_and_the_others_are_read(tmp_path: Path, damage, why: str) -> None:  # type: ignore[no-untyped-def]  # a table of lambdas
    leave(tmp_path, Control.HALT, -1, "look")
    [path] = folder_of(tmp_path).iterdir()
    path.write_bytes(damage(path.read_bytes()))
    good = leave(tmp_path, Control.REDUCE, 0, "good")
    left = read(tmp_path)
    assert left.halts == [good]
    [(unreadable, reason)] = left.unreadable
    assert unreadable == path
    assert why in reason


def test_the_files_are_bounded_and_the_whole_engine_can_always_be_halted_again(tmp_path: Path) -> None:
    leave(tmp_path, Control.HALT, -1, "whole")
    for number in range(LEFT_MAX - 1):
        leave(tmp_path, Control.HALT, number, "one by one")
    with pytest.raises(TooManyHalts, match="halt the whole engine"):
        leave(tmp_path, Control.HALT, LEFT_MAX, "one more")
    leave(tmp_path, Control.HALT, -1, "whole")
    assert len(keys(tmp_path)) == LEFT_MAX


def test_what_a_killed_command_left_unfinished_is_no_halt_and_goes(tmp_path: Path) -> None:
    leave(tmp_path, Control.HALT, -1, "look")
    old, young = folder_of(tmp_path) / "a.json.new", folder_of(tmp_path) / "b.json.new"
    for path in (old, young):
        path.write_bytes(b"half")
    past = time.time() - 2 * UNFINISHED_S
    os.utime(old, (past, past))
    leave(tmp_path, Control.HALT, 0, "another")
    assert (len(read(tmp_path).halts), old.exists(), young.exists()) == (2, False, True)
