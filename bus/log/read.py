"""Reading a log: every record in order, checked; the torn tail is where it ends. Changes nothing on disk.

A tail may be torn: the process or the machine died while the last records were on their way. Damage anywhere else is
not a tail and raises LogCorrupt. "Anywhere else" is decided by what was promised: damage below the segment's synced
mark, or with valid records in a later segment. What lies behind a torn tail in the same segment and was never synced
may have reached the disk out of order at a power loss; it was not promised, and ends with the tail.
"""

import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from bus.log.format import (
    RECORD_FIELDS,
    RECORD_HEADER,
    RECORD_HEADER_BYTES,
    RECORD_MAGIC,
    RECORD_MAGIC_AT,
    SEGMENT_HEADER_BYTES,
    LogCorrupt,
    Record,
    segment_paths,
    unpack_segment_header,
)


def read(directory: Path, start_number: int = 0) -> Iterator[Record]:
    """Records from `start_number` (or the oldest retained) to the end as it is now, in order of number.

    Safe beside a live writer; segments it makes after the call are not seen. Raises LogCorrupt for damage that is not
    the tail, or if retention deleted a segment before it was reached, and LogFormat for a foreign file.
    """
    paths = live_segments(directory)
    while len(paths) > 1 and paths[1][0] <= start_number:
        del paths[0]
    for index, (first, path) in enumerate(paths):
        try:
            view = SegmentView(path)
        except FileNotFoundError:
            raise LogCorrupt(path, 0, first, "deleted while reading: the reader is slower than retention") from None
        with view:
            for record in view:
                if record.number >= start_number:
                    yield record
            if not check_end(view, paths[index + 1 :]):
                return


def check_end(view: "SegmentView", later: list[tuple[int, Path]]) -> bool:
    """Whether the log goes on behind this walked segment; False at the tail. Raises LogCorrupt if it is no tail."""
    if view.position < view.header.synced_bytes:
        raise LogCorrupt(view.path, view.position, view.number, "damaged below the synced mark")
    if not later:
        return False
    if not view.torn and later[0][0] == view.number:
        return True
    for _, path in later:
        with SegmentView(path) as behind:
            if behind.find_record(SEGMENT_HEADER_BYTES, 0):
                raise LogCorrupt(view.path, view.position, view.number, f"damaged or missing, yet {path.name} follows")
    return False


def walk(view: "SegmentView") -> None:
    """Go through all records for what the view knows at their end."""
    for _ in view:
        pass


def live_segments(directory: Path) -> list[tuple[int, Path]]:
    """Segments in order, without last ones whose header a power loss kept from the disk: nothing there was promised."""
    paths = segment_paths(directory)
    while paths and _is_blank(paths[-1][1]):
        del paths[-1]
    return paths


def _is_blank(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(file.read(SEGMENT_HEADER_BYTES))


SEARCH_BYTES = 1 << 20


class SegmentView:
    """One segment, mapped for reading. Iterate once; then `position`, `number`, `last_offset` and `torn` say where
    the valid records end, and whether something that is no record stands there."""

    __slots__ = ("_map", "header", "last_offset", "number", "path", "position", "torn")

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.header = unpack_segment_header(path, file.read(SEGMENT_HEADER_BYTES))
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.path = path
        self.position = SEGMENT_HEADER_BYTES
        self.number = self.header.first
        self.last_offset = self.header.last_offset
        self.torn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()

    def __iter__(self) -> Iterator[Record]:
        while (record := self._record_at(self.position)) is not None and record.number == self.number:
            self.position += RECORD_HEADER_BYTES + len(record.body)
            self.number += 1
            self.last_offset = record.offset
            yield record
        self.torn = any(self._map[self.position : self.position + 4])

    def _record_at(self, position: int) -> Record | None:
        data = self._map
        body_at = position + RECORD_HEADER_BYTES
        if body_at > len(data):
            return None
        crc, length, kind, magic, offset, now_ns, number = RECORD_HEADER.unpack_from(data, position)
        if crc == 0 or magic != RECORD_MAGIC or body_at + length > len(data):
            return None
        body = data[body_at : body_at + length]
        fields = RECORD_FIELDS.pack(length, kind, magic, offset, now_ns, number)
        if crc != (zlib.crc32(body, zlib.crc32(fields)) or 1):
            return None
        return Record(number, offset, now_ns, kind, body)

    def find_record(self, start: int, number_min: int) -> bool:
        """Whether a valid record numbered `number_min` or above stands anywhere from byte `start`.

        A search byte by byte, about 0.1 s for 64 MiB. It reads the file instead of the mapping: faulting in 16,000 pages
        of a hole crashed one start in fifteen on a nested virtual machine (SIGSEGV in mmap.find).
        """
        for at in self._magics(start):
            record = self._record_at(at - RECORD_MAGIC_AT) if at >= start + RECORD_MAGIC_AT else None
            if record is not None and record.number >= number_min:
                return True
        return False

    def _magics(self, start: int) -> Iterator[int]:
        """Every position from `start` on at which RECORD_MAGIC stands."""
        overlap = len(RECORD_MAGIC) - 1
        with self.path.open("rb") as file:
            file.seek(start)
            base, kept = start, b""
            while chunk := file.read(SEARCH_BYTES):
                data = kept + chunk
                at = data.find(RECORD_MAGIC)
                while at >= 0:
                    yield base + at
                    at = data.find(RECORD_MAGIC, at + 1)
                kept = data[-overlap:]
                base += len(data) - len(kept)
