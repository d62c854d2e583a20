"""What a log looks like on disk, and what can be wrong with it. Little-endian throughout; no I/O but one header read.

Segment, `<first record number, 20 digits>.log`, zero-filled to its full size when made:

    0   magic 8s · version u32 · crc u32 · first u64 · created_wall_ns u64 · segment_bytes u64 · last_offset i64
    48  synced u64: bytes of this segment known to have reached the disk (0 = never synced); outside the crc
    64  records, back to back, no padding

Record: `crc u32 · length u32 · kind u8 · magic 3s · offset i64 · now_ns i64 · number u64`, then the body. The crc covers
the other 32 header bytes and the body, and is never 0, so that untouched space reads as "no record here". The body is
written first and the header last. The number inside the record keeps bytes left behind by a cut tail, or a record that
is somebody's body, from being taken for the next one.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple


class LogError(Exception):
    """Everything a record log raises. Each kind names its remedy and carries its fields."""


class LogFull(LogError):
    """No room for the next segment. Nothing was appended; stop new orders, free space, append again."""

    def __init__(self, path: Path, wanted_bytes: int, errno: int) -> None:
        super().__init__(f"{path}: cannot reserve {wanted_bytes} bytes: {os.strerror(errno)}; free disk space")
        self.path, self.wanted_bytes, self.errno = path, wanted_bytes, errno


class LogCorrupt(LogError):
    """Records are damaged or missing where they must not be: not a torn tail. Nothing was changed on disk."""

    def __init__(self, segment: Path, position: int, number: int, reason: str) -> None:
        super().__init__(f"{segment}: record {number} at byte {position}: {reason}; keep a copy, then restore the file")
        self.segment, self.position, self.number, self.reason = segment, position, number, reason


class LogFormat(LogError):
    """A file in a log directory that this version cannot read."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(f"{path}: {found}; {remedy}")
        self.path, self.found, self.remedy = path, found, remedy


class LogSyncFailed(LogError):
    """The disk refused a sync. What it had not yet taken may be lost, and a second try would lie: never retried."""

    def __init__(self, segment: Path, errno: int) -> None:
        super().__init__(f"{segment}: sync failed: {os.strerror(errno)}; stop new orders, restart on a sound disk")
        self.segment, self.errno = segment, errno


class LogClosed(LogError):
    """Used after close: our own mistake."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory}: the log is closed")
        self.directory = directory


class RecordTooLarge(LogError):
    """A body above the log's bound. Nothing was appended."""

    def __init__(self, length: int, length_max: int) -> None:
        super().__init__(f"a body of {length} bytes; this log takes at most {length_max}")
        self.length, self.length_max = length, length_max


class OffsetWentBack(LogError):
    """An offset below the last one appended (or below 0). Nothing was appended."""

    def __init__(self, offset: int, last_offset: int) -> None:
        super().__init__(f"offset {offset} after {last_offset}")
        self.offset, self.last_offset = offset, last_offset


class Record(NamedTuple):
    """`number` counts records from 0 in the log; `offset` is the caller's; `now_ns` engine time, as given."""

    number: int
    offset: int
    now_ns: int
    kind: int
    body: bytes


class SegmentHeader(NamedTuple):
    first: int  # number of the segment's first record
    created_wall_ns: int
    segment_bytes: int
    last_offset: int  # of the record before the first; -1 if there was none
    synced_bytes: int


INPUT_SEGMENT_BYTES: Final = 64 << 20  # chosen: about 10 s of a very busy feed, and a cheap unit to delete
JOURNAL_SEGMENT_BYTES: Final = 16 << 20  # chosen: about 80,000 order facts
BODY_BYTES_MAX: Final = 4 << 20  # chosen: a REST depth snapshot of 5,000 levels is below 0.5 MB

MAGIC: Final = b"TLNLOG\r\n"  # the line end shows a file mangled by a text-mode copy
VERSION: Final = 1
RECORD_MAGIC: Final = b"\xa7Lr"  # lets a damaged segment be searched for what lies behind the damage
RECORD_MAGIC_AT: Final = 9

SEGMENT_HEADER_BYTES: Final = 64
SYNCED_AT: Final = 48
RECORD_HEADER_BYTES: Final = 36

_SEGMENT = struct.Struct("<8sIIQQQqQ8x")
SYNCED = struct.Struct("<Q")
RECORD_HEADER = struct.Struct("<IIB3sqqQ")
RECORD_FIELDS = struct.Struct("<IB3sqqQ")  # the header without its crc: what the crc is taken over first


def pack_segment_header(first: int, created_wall_ns: int, segment_bytes: int, last_offset: int) -> bytes:
    bare = _SEGMENT.pack(MAGIC, VERSION, 0, first, created_wall_ns, segment_bytes, last_offset, 0)
    crc = zlib.crc32(bare[:SYNCED_AT])
    return _SEGMENT.pack(MAGIC, VERSION, crc, first, created_wall_ns, segment_bytes, last_offset, 0)


def unpack_segment_header(path: Path, head: bytes) -> SegmentHeader:
    """Raises LogFormat if these are not the first bytes of a segment of this version."""
    if len(head) < _SEGMENT.size or not head.startswith(MAGIC):
        raise LogFormat(path, f"not a log segment (starts with {head[:8]!r})", "move it out of the log directory")
    _, version, crc, first, created_wall_ns, segment_bytes, last_offset, synced = _SEGMENT.unpack_from(head)
    if version != VERSION:
        remedy = f"open it with a release that writes version {version}, or start on an empty state directory"
        raise LogFormat(path, f"segment format version {version}, this release reads {VERSION}", remedy)
    bare = _SEGMENT.pack(MAGIC, VERSION, 0, first, created_wall_ns, segment_bytes, last_offset, 0)
    if crc != zlib.crc32(bare[:SYNCED_AT]) or path.name != segment_name(first):
        raise LogFormat(path, "the segment header is damaged, or the file renamed", "restore the file from a copy")
    return SegmentHeader(first, created_wall_ns, segment_bytes, last_offset, synced)


def segment_name(first: int) -> str:
    return f"{first:020d}.log"


def segment_paths(directory: Path) -> list[tuple[int, Path]]:
    """(first record number, path), in order of number. A `.log` file of another name raises LogFormat."""
    found = []
    for path in directory.glob("*.log"):
        if len(path.stem) != 20 or not path.stem.isdecimal():
            raise LogFormat(path, "not named as a log segment", "move it out of the log directory")
        found.append((int(path.stem), path))
    return sorted(found)
