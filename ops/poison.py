"""Poison: the message that a handler raised on, and the input behind it, kept in DIR/poison/N.json for a person.

A recovery never meets it again, so this is the only place where it can be looked at. Bounded in number and in size. No
credential is in a message; an exception's text is somebody else's, so what is written is searched for them all the same.
"""

import base64
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bus.codec import decode_any
from bus.failure import Failure, printable
from bus.messages import HEADER_SIZE, Message, read_header
from ops import events

FILES_MAX = 20
"""Kept; the oldest go. Chosen: the restarts of an hour at their highest rate are ten."""
BYTES_MAX = 262_144
"""Of one file: a whole book's snapshot is larger, and its beginning says what it is. Chosen."""
CUT = BYTES_MAX // 40
"""Characters kept of each part of a file that would be larger: six parts, and JSON makes at most six of one."""
HIDDEN = "(hidden)"
SECRET_MIN = 8
"""Characters; a shorter text would be found everywhere, and no venue's key is so short."""


class Kept(NamedTuple):
    """One file, as `status` and `doctor` list it."""

    path: Path
    receiver: str
    error: str


class PoisonBox:
    """hidden: credentials of this process, which no file may hold."""

    def __init__(self, folder: Path, hidden: Sequence[str] = ()) -> None:
        self.folder = folder
        self._hidden = [secret for secret in hidden if len(secret) >= SECRET_MIN]

    def keep(self, failure: Failure) -> Path:
        """Write it down; an old one goes if there are too many. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        numbers = _numbers(self.folder)
        path = self.folder / f"{(numbers[-1] if numbers else 0) + 1}.json"
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(self._searched(_told(failure)))
        unfinished.rename(path)
        for number in numbers[: max(len(numbers) + 1 - FILES_MAX, 0)]:
            (self.folder / f"{number}.json").unlink(missing_ok=True)
        return path

    def _searched(self, text: bytes) -> bytes:
        for secret in self._hidden:
            text = text.replace(secret.encode(), HIDDEN.encode())
        return text


def kept(folder: Path) -> list[Kept]:
    """What lies there, oldest first; a file that cannot be read says so in `error`."""
    rows = []
    for number in _numbers(folder):
        path = folder / f"{number}.json"
        try:
            told = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
            rows.append(Kept(path, str(told.get("receiver", "")), str(told.get("error", ""))))
        except (OSError, ValueError) as error:
            rows.append(Kept(path, "", f"cannot be read: {error}"))
    return rows


def _numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())


def _told(failure: Failure) -> bytes:
    parts = {
        "receiver": failure.receiver,
        "at_ns": failure.now_ns,
        "error": failure.text,
        "message": _message(failure.raw, failure.message),
        "input": _message(failure.cause, None),
        "traceback": printable("".join(traceback.format_exception(failure.error))),
    }
    whole = msgspec.json.format(msgspec.json.encode(parts))
    if len(whole) <= BYTES_MAX:
        return whole
    return msgspec.json.format(msgspec.json.encode({name: _short(name, value) for name, value in parts.items()}))


def _short(name: str, value: Any) -> Any:
    """The beginning; of a traceback its end, which says where it raised."""
    if isinstance(value, int):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[-CUT:] if name == "traceback" else text[:CUT]


def _message(raw: bytes, message: Message | None) -> dict[str, Any]:
    """Header, type and fields by name; bytes in base64. What cannot be read is there as it came."""
    told: dict[str, Any] = {"header": read_header(raw)._asdict(), "raw": base64.b64encode(raw[HEADER_SIZE:]).decode()}
    try:
        message = message or decode_any(raw[HEADER_SIZE:])
        fields = {name: getattr(message, name) for name in message.__struct_fields__}
        return {"header": told["header"], "type": type(message).__name__, "fields": _plain(fields)}
    except (ValueError, KeyError) as error:
        return {**told, "unreadable": str(error)}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Each value as JSON has it; one that JSON cannot hold as its text."""
    plain = {}
    for name, value in fields.items():
        try:
            plain[name] = msgspec.json.decode(msgspec.json.encode(value))
        except (TypeError, ValueError, OverflowError):
            plain[name] = repr(value)
    return plain


def tell(folder: Path) -> None:
    """One line of the log, if there is any."""
    if rows := kept(folder):
        newest = rows[-1]
        remedy = "what a handler raised on: look at it, then remove it"
        events.warning("poison", files=len(rows), newest=newest.path, error=newest.error, remedy=remedy)
