"""The thread that indexes the journal."""

import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from bus.log import LogError, Record
from bus.messages import Instrument
from gateway.doors.store.database import FORGET_MAX, Store
from gateway.doors.store.rows import Row, rows_of
from gateway.doors.store.tail import JournalTail

POLL_S = 0.25  # chosen: how far behind people see; a poll without news costs one directory listing
BATCH_MAX = 20  # records a transaction: about 0.2 ms of the interpreter, which the engine shares
PAUSE_S = 0.002  # between batches of a long catch-up, so that the engine's thread comes first
FORGET_S = 60.0  # chosen: between two looks for what is too old
CLOSE_S_MAX = 5.0  # how long `close` waits for the last records; the next start indexes the rest


class JournalIndex:
    """The thread. `behind`: records read and not yet written. `failed`: why it stands still, or "" (it tries again).

    `unreadable` counts records whose body could not be decoded; they are passed over, the journal keeps them. next_number:
    of the first record that is not in the store. keep_ns: how long a done order stays, by the journal's time; 0: for ever.
    """

    def __init__(
        self,
        store: Path,
        journal: Path,
        instruments: Sequence[Instrument] = (),
        poll_s: float = POLL_S,
        *,
        keep_ns: int = 0,
    ) -> None:
        self.next_number = self.last_ns = self.forgotten = 0
        self._keep_ns = keep_ns
        self.behind = 0
        self.indexed = 0
        self.unreadable = 0
        self.failed = ""
        self._forget_due_s = 0.0
        self._paths = (store, journal)
        self._instruments = tuple(instruments)
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-index", daemon=True)
        self._thread.start()

    def describe(self, instrument: Instrument) -> None:
        """Another version: orders of both can be read from now on."""
        self._instruments = (*self._instruments, instrument)

    def close(self) -> None:
        """Index what is there, at most for CLOSE_S_MAX, and end the thread."""
        self._stop.set()
        self._thread.join(CLOSE_S_MAX)

    def _run(self) -> None:
        while True:
            stopping = self._stop.is_set()
            try:
                with closing(Store(self._paths[0])) as store:
                    self._follow(store)
                return
            except (sqlite3.Error, LogError, OSError) as error:
                # Not the engine's trouble: it is shown, and tried again with a fresh connection.
                self.failed = f"{type(error).__name__}: {error}"
            if stopping:
                return
            self._stop.wait(self._poll_s * 4)

    def _follow(self, store: Store) -> None:
        """Until stopped; the last round begins after the stop was asked for, so nothing written before it is missed."""
        described = self._instruments
        store.describe(described)
        with closing(JournalTail(self._paths[1], self._start(store))) as tail:
            while True:
                stopping = self._stop.is_set()
                if self._instruments is not described:
                    described = self._instruments
                    store.describe(described)
                self._catch_up(store, tail)
                self.failed = ""
                if stopping:
                    return
                self._forget(store)
                self._stop.wait(self._poll_s)

    def _forget(self, store: Store) -> None:
        """What is older than it has to be, a little at a time and not often."""
        if self._keep_ns and time.monotonic() >= self._forget_due_s:
            found = store.forget(self.last_ns - self._keep_ns)
            self.forgotten += found
            self._forget_due_s = time.monotonic() + (self._poll_s if found == FORGET_MAX else FORGET_S)

    def _start(self, store: Store) -> int:
        """Behind the last indexed record; from the beginning when the journal has another one there, or none."""
        self.next_number = (
            0  # until it is known: a store that was left behind, or is another journal's, is not complete
        )
        last, check = store.last_record()
        if last < 0:
            return 0
        with closing(JournalTail(self._paths[1], last)) as tail:
            found = tail.take(1)
        if found and (found[0].number > last or zlib.crc32(found[0].body) == check):
            self.next_number = last + 1
            return last + 1
        store.set_aside()
        store.describe(self._instruments)
        return 0

    def _catch_up(self, store: Store, tail: JournalTail) -> None:
        while records := tail.take(BATCH_MAX):
            self.behind = len(records)
            store.write(self._rows(records), records[-1])
            self.indexed += len(records)
            self.behind = 0
            self.next_number, self.last_ns = records[-1].number + 1, records[-1].now_ns
            if len(records) < BATCH_MAX:
                return
            time.sleep(PAUSE_S)

    def _rows(self, records: Iterable[Record]) -> list[Row]:
        rows: list[Row] = []
        for record in records:
            try:
                rows.extend(rows_of(record))
            except ValueError:
                self.unreadable += 1
        return rows
