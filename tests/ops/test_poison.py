"""What a handler raised on, on disk: readable, without credentials, bounded in number and size."""

import json
from pathlib import Path
from typing import Any

import pytest

from bus.codec import encode
from bus.failure import Failure
from bus.messages import HEADER, HEADER_VERSION, Frame, Mark, Message
from ops.poison import BYTES_MAX, FILES_MAX, PoisonBox, kept

SECRET = "0123456789abcdef-the-secret"


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def raw(message: Message) -> bytes:
    return HEADER.pack(1, HEADER_VERSION, 0, 77, 5) + encode(message)


MARK = Mark(0, 1, 2, 3, 4)


def failure(cause: Message = MARK, error: Exception | None = None, message: Message | None = MARK) -> Failure:
    bad = raw(MARK) if message is not None else raw(MARK)[:-1]
    return Failure("orderbook", message, bad, raw(cause), 99, raised(error or ZeroDivisionError("by zero")))


def told(path: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(path.read_bytes())
    return whole


def test_a_file_names_the_receiver_the_message_the_input_and_the_line(tmp_path: Path) -> None:
    path = PoisonBox(tmp_path / "poison").keep(failure(Frame(3, 1, b"payload")))
    whole = told(path)
    assert (path.name, whole["receiver"], whole["at_ns"]) == ("1.json", "orderbook", 99)
    assert whole["message"]["type"] == "Mark"
    assert whole["message"]["fields"]["instrument"] == 0
    assert (whole["input"]["type"], whole["input"]["header"]["offset"]) == ("Frame", 77)
    assert "test_poison.py" in whole["traceback"]
    assert whole["error"].startswith("ZeroDivisionError: by zero (test_poison.py:")
    [row] = kept(tmp_path / "poison")
    assert (row.path, row.receiver, row.error) == (path, "orderbook", whole["error"])


def test_a_message_that_could_not_be_read_is_kept_as_it_came(tmp_path: Path) -> None:
    whole = told(PoisonBox(tmp_path).keep(failure(message=None)))
    assert {"raw", "unreadable"} < whole["message"].keys()


def test_the_oldest_go(tmp_path: Path) -> None:
    box = PoisonBox(tmp_path)
    for _ in range(FILES_MAX + 3):
        box.keep(failure())
    assert [row.path.name for row in kept(tmp_path)] == [f"{n}.json" for n in range(4, FILES_MAX + 4)]


@pytest.mark.parametrize("payload", [b"x" * BYTES_MAX, b"\x01" * 2 * BYTES_MAX])
def test_a_large_input_is_cut_and_the_file_still_json(payload: bytes, tmp_path: Path) -> None:
    path = PoisonBox(tmp_path).keep(failure(Frame(0, 0, payload), ValueError("\x01" * BYTES_MAX)))
    assert path.stat().st_size <= BYTES_MAX
    assert told(path)["message"].startswith('{"header"')


def test_a_credential_in_an_errors_text_is_hidden(tmp_path: Path) -> None:
    """No message holds one; what a library or a strategy writes into an exception is somebody else's."""
    box = PoisonBox(tmp_path, [SECRET, ""])
    path = box.keep(failure(error=ValueError(f"signed with {SECRET}")))
    assert SECRET not in path.read_text()
    assert "signed with (hidden)" in told(path)["error"]


def test_an_error_that_no_text_can_hold_is_kept_all_the_same(tmp_path: Path) -> None:
    whole = told(PoisonBox(tmp_path).keep(failure(error=ValueError("half a \ud800 character"))))
    assert "half a \\ud800 character" in whole["error"]


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text("{")
    [row] = kept(tmp_path)
    assert row.error.startswith("cannot be read")
    assert kept(tmp_path / "none") == []
