"""Writes the capture format. What a second brought is one gzip member: a crash leaves whole members, which is a readable file.

So does a full disk: the member that did not fit is cut off.
"""

import gzip
import os
from pathlib import Path

import msgspec

from ops.capture.reader import FORMAT_VERSION

LEVEL = 6  # zlib's own default
PENDING_BYTES_MAX = 4 << 20
"""Flushed sooner than the second is over: a whole book of Coinbase's has several MB; chosen."""


class CaptureWriter:
    """One file, which must not exist yet. `flush` once a second; every method may raise OSError.

    records: handed over; of a file that could not be written on, those in it. bytes_written: of whole members.
    """

    def __init__(self, path: Path, venue: str, source: str) -> None:
        self.path = path
        self.records = 0
        self.bytes_written = 0
        self._lines: list[bytes] = []
        self._pending = self._in_file = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._add(msgspec.json.encode({"capture": FORMAT_VERSION, "venue": venue, "source": source}))
        try:
            self.flush()
        except OSError:
            self.close()
            path.unlink()
            raise

    def append(self, received_ns: int, kind: str, address: str, payload: bytes) -> None:
        """A frame that is no UTF-8 (no venue sends one as text) is written with its bad bytes replaced."""
        self._add(msgspec.json.encode((received_ns, kind, address, payload.decode(errors="replace"))))
        self.records += 1
        if self._pending >= PENDING_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        if not self._lines:
            return
        member = memoryview(gzip.compress(b"\n".join(self._lines) + b"\n", LEVEL, mtime=0))
        self._lines.clear()
        self._pending = 0
        size = len(member)
        try:
            while member:
                member = member[os.write(self._file, member) :]
        except OSError:
            self.records = self._in_file
            os.ftruncate(self._file, self.bytes_written)
            os.lseek(self._file, self.bytes_written, os.SEEK_SET)
            raise
        self.bytes_written += size
        self._in_file = self.records

    def close(self) -> None:
        """Flushed and closed; closed even when the disk is full."""
        if self._file < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._file)
            self._file = -1

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._pending += len(line)
