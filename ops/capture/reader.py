"""The capture format: gzip'd JSON lines, a header and then `[received_ns, kind, address, text]`.

kind: `recv` or `send` is a WebSocket frame (address: URL or name of the connection), `rest` a response body (address:
path and query). Records keep the file's order, which received_ns may not follow exactly.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

FORMAT_VERSION = 1


class BadCapture(Exception):
    """The file is no capture, or not to its end. `reason` names the line where there is one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Header(msgspec.Struct):
    """The first line."""

    capture: int
    venue: str
    source: str


class Record(NamedTuple):
    """One line. line: its number in the file, from 1."""

    line: int
    received_ns: int
    kind: str
    address: str
    text: str


class Capture(NamedTuple):
    """The header's word and the records, read as they are asked for (raises BadCapture on the way)."""

    venue: str
    source: str
    records: Iterator[Record]


_header = msgspec.json.Decoder(Header).decode
_line = msgspec.json.Decoder(tuple[int, Literal["recv", "send", "rest"], str, str]).decode


def read_capture(path: Path) -> Capture:
    """Open a capture. Raises BadCapture when it is not gzip or the first line is not a capture's."""
    lines = _lines(path)
    _, first = next(lines, (1, b""))
    try:
        header = _header(first)
    except ValueError as error:
        raise BadCapture(f"line 1: not a capture's header: {error}") from error
    if header.capture != FORMAT_VERSION:
        raise BadCapture(f"line 1: capture format {header.capture} is not known, only {FORMAT_VERSION}")
    return Capture(header.venue, header.source, _records(lines))


def _records(lines: Iterator[tuple[int, bytes]]) -> Iterator[Record]:
    for number, line in lines:
        try:
            yield Record(number, *_line(line))
        except ValueError as error:
            raise BadCapture(f"line {number}: not a record: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                number += 1
                yield number, line
    except gzip.BadGzipFile as error:
        raise BadCapture(f"after line {number}: not gzip: {error}" if number else "not a gzip file") from error
    except (EOFError, zlib.error) as error:
        raise BadCapture(f"after line {number}: the gzip stream is cut or damaged: {error}") from error
    except OSError as error:
        raise BadCapture(f"cannot be read: {error}") from error
