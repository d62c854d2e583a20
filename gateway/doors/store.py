"""The index behind the order journal, in SQLite, for people and look-ups. One thread; the engine never waits for it.

The thread follows the journal on disk, so there is no queue that could fill: when it is slow it is behind, and catches
up. Everything in the store can be made again from the journal, and is, when the schema changes or the journal is not
the one that was indexed. Rows and the number of the last indexed record are written in one transaction: after a kill it
goes on exactly behind it. Besides it only coordination.local touches sqlite3.
"""

import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import LogError, Record
from bus.log.read import SegmentView, live_segments
from bus.messages import (
    HEADER_SIZE,
    CancelOrder,
    Fill,
    Instrument,
    Message,
    OrderUpdate,
    PositionUpdate,
    RequestKind,
    SubmitOrder,
)

SCHEMA_VERSION = 2
POLL_S = 0.25  # chosen: how far behind people see; a poll without news costs one directory listing
BATCH_MAX = 20  # records a transaction: about 0.2 ms of the interpreter, which the engine shares
PAUSE_S = 0.002  # between batches of a long catch-up, so that the engine's thread comes first
CLOSE_S_MAX = 5.0  # how long `close` waits for the last records; the next start indexes the rest

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE instruments (
    instrument INTEGER, version INTEGER, symbol TEXT, base_asset TEXT, quote_asset TEXT,
    price_scale INTEGER, quantity_scale INTEGER, base_scale INTEGER, quote_scale INTEGER, tick INTEGER, lot INTEGER,
    PRIMARY KEY (instrument, version)) WITHOUT ROWID;
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY, account INTEGER, venue INTEGER, instrument INTEGER, version INTEGER, owner TEXT,
    venue_order_id INTEGER, command INTEGER, side TEXT, price_ticks INTEGER, quantity_lots INTEGER,
    cumulative_lots INTEGER, leaves_lots INTEGER, status TEXT, reduce_only INTEGER, refusal TEXT,
    updated_ns INTEGER, update_number INTEGER) WITHOUT ROWID;
CREATE INDEX orders_by_venue ON orders (instrument, venue_order_id);
CREATE TABLE fills (
    account INTEGER, number INTEGER, venue INTEGER, instrument INTEGER, version INTEGER, owner TEXT,
    client_order_id TEXT, venue_order_id INTEGER, trade_id INTEGER, side TEXT, price INTEGER, quantity INTEGER,
    quantity_lots INTEGER, quote INTEGER, fee INTEGER, fee_asset TEXT, is_maker INTEGER, late INTEGER, venue_ns INTEGER,
    PRIMARY KEY (account, number)) WITHOUT ROWID;
CREATE INDEX fills_by_order ON fills (client_order_id);
CREATE TABLE requests (
    record INTEGER PRIMARY KEY, request TEXT, client_order_id TEXT, cancel_id TEXT, attempt INTEGER, epoch INTEGER,
    instrument INTEGER, side TEXT, price_ticks INTEGER, quantity_lots INTEGER, input_offset INTEGER, written_ns INTEGER);
CREATE INDEX requests_by_order ON requests (client_order_id);
CREATE TABLE positions (
    account INTEGER, instrument INTEGER, venue INTEGER, version INTEGER, number INTEGER, position INTEGER,
    position_lots INTEGER, cost INTEGER, realized INTEGER, average_price REAL,
    PRIMARY KEY (account, instrument)) WITHOUT ROWID;
CREATE VIEW orders_readable AS SELECT
    o.client_order_id, coalesce(
        (SELECT n.symbol FROM instruments n WHERE n.instrument = o.instrument), o.instrument) AS symbol,
    o.owner, o.side, o.status, o.refusal,
    printf('%.' || i.price_scale || 'f', o.price_ticks * i.tick / CAST('1e' || i.price_scale AS REAL)) AS price,
    printf('%.' || i.quantity_scale || 'f', o.quantity_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS quantity,
    printf('%.' || i.quantity_scale || 'f', o.cumulative_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS executed,
    printf('%.' || i.quantity_scale || 'f', o.leaves_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS leaves,
    o.venue_order_id, datetime(o.updated_ns / 1000000000, 'unixepoch') AS updated
FROM orders o LEFT JOIN instruments i USING (instrument, version);
"""
"""Integers as in the messages; names of enums as text. The view is for people: decimal text by the scales of the order's own
version of the instrument, and none where that is not known any more (the index was made anew).
"""

ORDER = """INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (client_order_id) DO UPDATE SET
    venue_order_id = excluded.venue_order_id, quantity_lots = excluded.quantity_lots,
    cumulative_lots = excluded.cumulative_lots, leaves_lots = excluded.leaves_lots, status = excluded.status,
    refusal = excluded.refusal, updated_ns = excluded.updated_ns, update_number = excluded.update_number
WHERE excluded.update_number > orders.update_number"""
FILL = "INSERT OR IGNORE INTO fills VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
REQUEST = "INSERT OR IGNORE INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
POSITION = """INSERT INTO positions VALUES (?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (account, instrument) DO UPDATE SET
    version = excluded.version, number = excluded.number, position = excluded.position,
    position_lots = excluded.position_lots, cost = excluded.cost, realized = excluded.realized,
    average_price = excluded.average_price
WHERE excluded.number > positions.number"""
INSTRUMENT = "INSERT OR REPLACE INTO instruments VALUES (?,?,?,?,?,?,?,?,?,?,?)"

Row = tuple[str, tuple[Any, ...]]  # Any: what sqlite3 takes; each row function below has exact types


def order_row(update: OrderUpdate, record: Record) -> list[Row]:
    u = update
    return [
        (
            ORDER,
            (
                *(u.client_order_id, u.account, u.venue, u.instrument, u.version, u.owner, u.venue_order_id, u.command),
                *(u.side.name, u.price_ticks, u.quantity_lots, u.cumulative_lots, u.leaves_lots, u.status.name),
                *(u.reduce_only, u.refusal.name, u.updated_ns, u.number),
            ),
        )
    ]


def fill_row(fill: Fill, record: Record) -> list[Row]:
    f = fill
    return [
        (
            FILL,
            (
                *(f.account, f.number, f.venue, f.instrument, f.version, f.owner, f.client_order_id, f.venue_order_id),
                *(f.trade_id, f.side.name, f.price, f.quantity, f.quantity_lots, f.quote, f.fee, f.fee_asset),
                *(f.is_maker, f.late, f.venue_ns),
            ),
        )
    ]


def submit_rows(submit: SubmitOrder, record: Record) -> list[Row]:
    """The request; and the order too, in case the engine died before it said anything else of it."""
    s = submit
    request = (
        *(record.number, RequestKind.SUBMIT.name, s.client_order_id, "", 0, s.epoch, s.instrument, s.side.name),
        *(s.price_ticks, s.quantity_lots, record.offset, record.now_ns),
    )
    order = (
        *(s.client_order_id, s.account, s.venue, s.instrument, s.version, s.owner, 0, s.command, s.side.name),
        *(s.price_ticks, s.quantity_lots, 0, s.quantity_lots, "PENDING_NEW", s.reduce_only, "NONE", record.now_ns, 0),
    )
    return [(REQUEST, request), (ORDER, order)]


def cancel_row(cancel: CancelOrder, record: Record) -> list[Row]:
    c = cancel
    request = (
        *(record.number, RequestKind.CANCEL.name, c.client_order_id, c.cancel_id, c.attempt, None, c.instrument),
        *(None, None, None, record.offset, record.now_ns),
    )
    return [(REQUEST, request)]


def position_row(update: PositionUpdate, record: Record) -> list[Row]:
    p = update
    row = (
        *(p.account, p.instrument, p.venue, p.version, p.number, p.position, p.position_lots, p.cost, p.realized),
        p.average_price,
    )
    return [(POSITION, row)]


ROWS: dict[type[Message], Callable[[Any, Record], list[Row]]] = {
    OrderUpdate: order_row,
    Fill: fill_row,
    SubmitOrder: submit_rows,
    CancelOrder: cancel_row,
    PositionUpdate: position_row,
}
"""What is indexed; other facts stay in the journal alone."""


def rows_of(record: Record) -> list[Row]:
    """The rows of one journal record. Raises msgspec.DecodeError when its body is not what its kind says."""
    row = ROWS.get(TYPE_OF_TAG.get(record.kind, Message))
    return [] if row is None else row(decode_any(record.body[HEADER_SIZE:]), record)


class JournalTail:
    """Follows a log that is being written: `take` returns what is new since the last time, in order."""

    def __init__(self, directory: Path, start: int) -> None:
        self.directory = directory
        self.next_number = start
        self._view: SegmentView | None = None
        self._open = ExitStack()

    def take(self, limit: int) -> list[Record]:
        """At most `limit` records; fewer means the end is reached. Raises LogError."""
        records: list[Record] = []
        while len(records) < limit:
            if self._view is None and not self._enter():
                return records
            assert self._view is not None
            for record in self._view:
                if record.number >= self.next_number:
                    records.append(record)
                    self.next_number = record.number + 1
                    if len(records) == limit:
                        return records
            if not self._enter():
                return records
        return records

    def _enter(self) -> bool:
        """Open the segment that holds `next_number` (or the oldest behind it), if it is another than the open one."""
        segments = live_segments(self.directory)
        while len(segments) > 1 and segments[1][0] <= self.next_number:
            del segments[0]
        if not segments or (self._view is not None and self._view.path == segments[0][1]):
            return False
        self.close()
        self._view = self._open.enter_context(SegmentView(segments[0][1]))
        return True

    def close(self) -> None:
        self._open.close()
        self._view = None


class Store:
    """The SQLite file. Made anew when its schema is another."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=NORMAL")  # a power loss may cost the last rows, which are made again
        if self._version() != SCHEMA_VERSION:
            self.clear()

    def _version(self) -> int:
        known = self.database.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if known is None:
            return 0
        row = self.database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        return 0 if row is None else int(row[0])

    def clear(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        for kind in ("view", "table"):
            names = self.database.execute("SELECT name FROM sqlite_master WHERE type = ?", (kind,)).fetchall()
            for (name,) in names:
                self.database.execute(f'DROP {kind} "{name}"')
        for statement in SCHEMA.split(";"):
            self.database.execute(statement)
        self.database.execute("INSERT INTO meta VALUES ('schema_version', ?)", (SCHEMA_VERSION,))
        self.database.execute("INSERT INTO meta VALUES ('last_record', -1), ('last_check', 0)")
        self.database.execute("COMMIT")

    def last_record(self) -> tuple[int, int]:
        """Number and checksum of the last indexed record; (-1, 0) when there is none."""
        query = "SELECT value FROM meta WHERE key IN ('last_record', 'last_check') ORDER BY key DESC"
        (number,), (check,) = self.database.execute(query).fetchall()
        return int(number), int(check)

    def write(self, rows: Iterable[Row], last: Record) -> None:
        """All or nothing, together with the number up to which the journal is indexed."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in rows:
                self.database.execute(statement, values)
            self.database.execute("UPDATE meta SET value = ? WHERE key = 'last_record'", (last.number,))
            self.database.execute("UPDATE meta SET value = ? WHERE key = 'last_check'", (zlib.crc32(last.body),))
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def describe(self, instruments: Sequence[Instrument]) -> None:
        """Scales for the readable view; the journal does not have them."""
        for i in instruments:
            names = (i.instrument, i.version, i.venue_symbol, i.base_asset, i.quote_asset)
            scales = (i.price_scale, i.quantity_scale, i.base_scale, i.quote_scale, i.tick, i.lot)
            self.database.execute(INSTRUMENT, names + scales)

    def close(self) -> None:
        self.database.close()


class JournalIndex:
    """The thread. `behind`: records read and not yet written. `failed`: why it stands still, or "" (it tries again).

    `unreadable` counts records whose body could not be decoded; they are passed over, the journal keeps them.
    """

    def __init__(
        self, store: Path, journal: Path, instruments: Sequence[Instrument] = (), poll_s: float = POLL_S
    ) -> None:
        self.behind = 0
        self.indexed = 0
        self.unreadable = 0
        self.failed = ""
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
                self._stop.wait(self._poll_s)

    def _start(self, store: Store) -> int:
        """Behind the last indexed record; from the beginning when the journal has another one there, or none."""
        last, check = store.last_record()
        if last < 0:
            return 0
        with closing(JournalTail(self._paths[1], last)) as tail:
            found = tail.take(1)
        if found and (found[0].number > last or zlib.crc32(found[0].body) == check):
            return last + 1
        store.clear()
        store.describe(self._instruments)
        return 0

    def _catch_up(self, store: Store, tail: JournalTail) -> None:
        while records := tail.take(BATCH_MAX):
            self.behind = len(records)
            store.write(self._rows(records), records[-1])
            self.indexed += len(records)
            self.behind = 0
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
