"""Append-only record log on a mapped file: the order journal and the input log are both one of these.

    log = RecordLog(state / "journal", segment_bytes=JOURNAL_SEGMENT_BYTES, reserve=True)
    syncer = Syncer(log, interval_ms=10)
    number = log.append(kind=1, offset=input_offset, now_ns=now_ns, body=payload)
    for record in read(state / "journal"): ...

A directory is a log; a file in it is a segment, named by the number of its first record. What `append` returned
survives SIGKILL; what `sync` covered survives a power loss. One writer a directory: the owner holds the lock.

format  errors, layout of a segment and of a record      segment  one mapped segment, making the next one ahead
read    all records in order, checked                     write    RecordLog                sync    Syncer
"""

from bus.log.format import (
    INPUT_SEGMENT_BYTES,
    JOURNAL_SEGMENT_BYTES,
    LogClosed,
    LogCorrupt,
    LogError,
    LogFormat,
    LogFull,
    LogSyncFailed,
    OffsetWentBack,
    Record,
    RecordTooLarge,
)
from bus.log.read import read
from bus.log.sync import Syncer
from bus.log.write import RecordLog, Torn

__all__ = [
    "INPUT_SEGMENT_BYTES",
    "JOURNAL_SEGMENT_BYTES",
    "LogClosed",
    "LogCorrupt",
    "LogError",
    "LogFormat",
    "LogFull",
    "LogSyncFailed",
    "OffsetWentBack",
    "Record",
    "RecordLog",
    "RecordTooLarge",
    "Syncer",
    "Torn",
    "read",
]
