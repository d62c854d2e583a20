"""RecordLog: appending. One thread appends (the host's); `sync` and `close` may come from another.

Measured (Python 3.11, shared 2-core machine in its slow speed state, ext4, process pinned, `reserve`, pages touched ahead,
no sync; one run; 10,000 appends each; p50/p99/p99.9 us, 0.1 of it the clock): 120 B back to back 0.76/1.2/1.7, 20 us apart
0.84/1.7/4.0; 1,000 B 1.1/2.2/4.4 and 1.2/2.4/8.7, of which the crc 0.3. Mean of 20,000 in a row 0.67 and 0.96. Untouched,
each new page adds 1.5-1.8 us at its first byte: sparse 120 B 0.78/4.7/8.1. A roll takes 0.11 ms, half of it the rename.
"""

import itertools
import mmap
import shutil
import threading
from collections import deque
from pathlib import Path
from typing import Final, NamedTuple, Self
from zlib import crc32

from bus.log.format import (
    BODY_BYTES_MAX,
    INPUT_SEGMENT_BYTES,
    RECORD_FIELDS,
    RECORD_HEADER,
    RECORD_HEADER_BYTES,
    RECORD_MAGIC,
    SEGMENT_HEADER_BYTES,
    LogClosed,
    LogFull,
    LogSyncFailed,
    OffsetWentBack,
    RecordTooLarge,
    segment_paths,
)
from bus.log.read import SegmentView, check_end, live_segments, walk
from bus.log.segment import Preparer, Segment, remove_spares

TOUCH_BYTES: Final = 256 << 10  # chosen: 64 pages, about 0.1 ms of an idle slot
_MADV_POPULATE_WRITE: Final = 23  # Linux 5.14, <asm-generic/mman-common.h>; mmap has no name for it in 3.11

_pack_fields = RECORD_FIELDS.pack
_pack_header_into = RECORD_HEADER.pack_into


class Torn(NamedTuple):
    """What opening cut: the tail of `segment` from byte `position`, where record `number` would have stood.

    `copy` is the segment as it was, kept when valid records stood behind the cut (a power loss wrote pages out of
    order); they were never synced, so never promised, and are not part of the log.
    """

    segment: Path
    position: int
    number: int
    copy: Path | None


class RecordLog:
    """An open log. Offsets never go down: equal ones are several records of one input; the first is 0 or more.

    retain: segments kept, the open one included; the oldest is deleted at a roll. None keeps all until `drop_below` (the
    order journal).
    reserve: take the disk blocks when a segment is made, so that a full disk is LogFull; without it, it is a SIGBUS.
    """

    __slots__ = (
        "_directory", "_end", "_last_offset", "_length_max", "_lock", "_map", "_number", "_position", "_preparer",
        "_reserve", "_retain", "_retired", "_segment", "_segment_bytes", "_touched",
        "delete_failures", "failed", "rolls_waited", "sync_failures", "synced", "torn",
    )  # fmt: skip
    _segment: Segment
    _map: mmap.mmap  # the segment's own, bound once
    _end: int  # size of the open segment; -1 when closed
    _position: int  # where the next record starts
    _touched: int  # pages below are faulted in
    _number: int
    _last_offset: int

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int = INPUT_SEGMENT_BYTES,
        retain: int | None = None,
        reserve: bool = False,
        body_bytes_max: int = BODY_BYTES_MAX,
        prepare_ahead: bool = True,
    ) -> None:
        """Open for append: cut the torn tail, go on behind it. Raises LogCorrupt, LogFormat, LogFull.

        With `prepare_ahead` a thread makes the next segment; without, the append that needs it does.
        """
        room = segment_bytes - SEGMENT_HEADER_BYTES - RECORD_HEADER_BYTES
        assert room > 0
        assert retain is None or retain >= 1
        self._directory, self._segment_bytes, self._retain, self._reserve = directory, segment_bytes, retain, reserve
        self._length_max = min(body_bytes_max, room)
        self._lock = threading.Lock()  # over sync, retire and close; never taken by append
        self._retired: deque[Segment] = deque()
        self.torn: Torn | None = None
        self.failed: LogSyncFailed | None = None  # set once: what is not yet synced may be lost; never synced again
        self.sync_failures = 0
        self.delete_failures = 0  # segments that retention could not delete
        self.rolls_waited = 0  # rolls that found no segment ready and made one on the append's time
        directory.mkdir(parents=True, exist_ok=True)
        remove_spares(directory)
        self._open()
        self.synced = 0  # records known to be durable: what the last sync returned
        self._preparer: Preparer | None = None
        if prepare_ahead:
            self._preparer = Preparer(directory, segment_bytes, reserve=reserve, retire=self._retire)

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        """Append one record, return its number. Survives SIGKILL from here on; a power loss only after `sync`.

        kind 0..255 and offset, now_ns in 64 bits, else struct.error. Raises RecordTooLarge, OffsetWentBack, LogFull,
        LogClosed. Whatever it raises, nothing was appended and the log can be used on.
        """
        length = len(body)
        position = self._position
        end = position + RECORD_HEADER_BYTES + length
        if end > self._end or length > self._length_max or offset < self._last_offset:
            self._make_room(offset, length)
            position = self._position
            end = position + RECORD_HEADER_BYTES + length
        number = self._number
        data = self._map
        data[position + RECORD_HEADER_BYTES : end] = body
        crc = crc32(body, crc32(_pack_fields(length, kind, RECORD_MAGIC, offset, now_ns, number))) or 1
        _pack_header_into(data, position, crc, length, kind, RECORD_MAGIC, offset, now_ns, number)
        self._position = end
        self._last_offset = offset
        self._number = number + 1
        return number

    @property
    def next_number(self) -> int:
        """The number the next record gets: how many records the log has ever held."""
        return self._number

    @property
    def last_offset(self) -> int:
        """Offset of the last record; below 0 if there is none."""
        return self._last_offset

    @property
    def free_bytes(self) -> int:
        """Room left in the open segment, record headers included."""
        return self._end - self._position

    @property
    def full(self) -> bool:
        """The next segment could not be made ahead; `free_bytes` is all there is. Tried again every second."""
        return self._preparer is not None and self._preparer.full

    def drop_below(self, number: int) -> int:
        """Delete segments all of whose records are below `number`, the open one never; how many. From any thread."""
        paths = segment_paths(self._directory)
        doomed = [path for path, later in itertools.pairwise(paths) if later[0] <= number]
        with self._lock:  # what is still to be synced is none of them: its caller asks for what a checkpoint covers
            retired = {segment.path for segment in self._retired}
            return self._delete([path for path in doomed if path[1] not in retired])

    def touch_ahead(self, length: int = TOUCH_BYTES) -> None:
        """Fault in the pages the next `length` bytes go to. For idle slots: 1.5-1.8 us a new page, nothing if done."""
        if self._touched >= self._position + length // 2:
            return
        start = max(self._touched, self._position) // mmap.PAGESIZE * mmap.PAGESIZE
        stop = min(self._position + length, self._end)
        if start < stop:
            try:
                self._map.madvise(_MADV_POPULATE_WRITE, start, stop - start)
            except OSError:  # an older kernel, or no block left: the append finds out, as it would have without us
                stop = self._end
        self._touched = stop

    def sync(self) -> int:
        """Make every record appended before the call durable; return how many that is. Blocks: for a writer thread.

        Raises LogSyncFailed, and then at every later call: the kernel forgets pages it failed to write.
        """
        with self._lock:
            if self.failed is not None:
                raise LogSyncFailed(self.failed.segment, self.failed.errno)
            number = self._number  # before the segments are looked at: a roll in between only syncs more
            try:
                self._sync_segments()
            except LogSyncFailed as error:
                self._fail(error)
                raise
            self.synced = number
            return number

    def close(self) -> None:
        """Sync and let go. Raises LogSyncFailed after letting go. A second call does nothing."""
        if self._end < 0:
            return
        if self._preparer is not None:
            self._preparer.stop()
        try:
            if self.failed is None:
                self.sync()
        finally:
            self._end = -1
            with self._lock:
                self._let_go_retired()
                self._segment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Rolling: off the usual path of append, on its thread.

    def _make_room(self, offset: int, length: int) -> None:
        if self._end < 0:
            raise LogClosed(self._directory)
        if length > self._length_max:
            raise RecordTooLarge(length, self._length_max)
        if offset < self._last_offset:
            raise OffsetWentBack(offset, self._last_offset)
        self._roll()

    def _roll(self) -> None:
        segment = self._preparer.take() if self._preparer is not None else None
        if segment is None:
            self.rolls_waited += 1
            segment = Segment.make(self._directory / "now.spare", self._segment_bytes, reserve=self._reserve)
        try:
            segment.name(self._directory, self._number, self._last_offset)
        except OSError as error:  # a directory may need a block to hold the name
            segment.close()
            segment.path.unlink()
            raise LogFull(segment.path, segment.size, error.errno or 0) from error
        old = self._segment
        old.end = self._position
        self._retired.append(old)
        self._enter(segment, SEGMENT_HEADER_BYTES)
        if self._preparer is not None:
            self._preparer.wake()
        else:
            self._retire()

    def _enter(self, segment: Segment, position: int) -> None:
        self._position = position  # before the segment: see _sync_segments
        self._end = segment.size
        self._map = segment.map
        self._touched = 0
        self._segment = segment

    # Syncing and letting go: on the preparer's, the syncer's or the owner's thread, under the lock.

    def _sync_segments(self) -> None:
        """Retired segments first, and again until none came while the open one was synced."""
        while True:
            while self._retired:
                self._retired[0].sync(self._retired[0].end)
                self._retired.popleft().close()
            segment = self._segment
            position = self._position
            if segment is self._segment:  # else position is the next one's: a roll sets position first, segment last
                segment.sync(position)
            if not self._retired:
                return

    def _retire(self) -> None:
        with self._lock:
            try:
                while self._retired and self.failed is None:
                    self._retired[0].sync(self._retired[0].end)
                    self._retired.popleft().close()
            except LogSyncFailed as error:
                self._fail(error)
            self._let_go_retired()
        if self._retain is not None:
            self._delete(segment_paths(self._directory)[: -self._retain])

    def _delete(self, paths: list[tuple[int, Path]]) -> int:
        deleted = 0
        for _, path in paths:
            try:
                path.unlink()
                deleted += 1
            except OSError:  # the log can be used on, it only grows: the owner sees the count
                self.delete_failures += 1
        return deleted

    def _let_go_retired(self) -> None:
        while self._retired:
            self._retired.popleft().close()

    def _fail(self, error: LogSyncFailed) -> None:
        self.failed = error
        self.sync_failures += 1

    # Opening.

    def _open(self) -> None:
        """Go on in the last segment that holds a record, or in the empty one that rightly follows it."""
        paths = live_segments(self._directory)
        blank = segment_paths(self._directory)[len(paths) :]
        for _, path in blank:
            path.unlink()
        if not paths:
            self._number, self._last_offset = (blank[0][0] if blank else 0), -1
            segment = Segment.make(self._directory / "now.spare", self._segment_bytes, reserve=self._reserve)
            segment.name(self._directory, self._number, self._last_offset)
            self._enter(segment, SEGMENT_HEADER_BYTES)
            return
        while len(paths) > 1 and not _holds_record(paths[-1][1]):
            with SegmentView(paths[-2][1]) as before:
                walk(before)
                if check_end(before, paths[-1:]):
                    break
            paths.pop()[1].unlink()
        self._resume(paths[-1][1])

    def _resume(self, path: Path) -> None:
        with SegmentView(path) as view:
            walk(view)
            check_end(view, [])
            self._note_torn(view)
            size = view.header.segment_bytes
        segment = Segment.reopen(path, size, view.position, reserve=self._reserve)
        self._number, self._last_offset = view.number, view.last_offset
        self._enter(segment, view.position)

    def _note_torn(self, view: SegmentView) -> None:
        behind = view.find_record(view.position, view.number)
        if not behind and not view.torn:
            return
        copy = None
        if behind:
            copy = view.path.with_suffix(f".torn-{view.position}")
            shutil.copyfile(view.path, copy)
        self.torn = Torn(view.path, view.position, view.number, copy)


def _holds_record(path: Path) -> bool:
    with SegmentView(path) as view:
        return next(iter(view), None) is not None
