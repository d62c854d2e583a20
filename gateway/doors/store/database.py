"""The SQLite file: made, upgraded, written to and thinned out."""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from bus.log import Record
from bus.messages import Instrument
from gateway.doors.store.rows import Row
from gateway.doors.store.schema import DONE_NAMES, INSTRUMENT, OLD, SCHEMA, SCHEMA_VERSION, UPGRADES

FORGET_MAX = 500  # orders that one transaction forgets: some milliseconds of the thread


class Store:
    """The SQLite file, of the present schema: an older one is upgraded, any other is set aside."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connect()
        version = self._version()
        while version in UPGRADES:
            self._upgrade(version)
            version += 1
        if version == 0:
            self._create()
        elif version != SCHEMA_VERSION:
            self.set_aside()

    def _connect(self) -> None:
        self.database = sqlite3.connect(self.path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=NORMAL")  # a power loss may cost the last rows, which are made again

    def _version(self) -> int:
        known = self.database.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if known is None:
            return 0
        row = self.database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        return 0 if row is None else int(row[0])

    def _upgrade(self, version: int) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        for statement in UPGRADES[version]:
            self.database.execute(statement)
        self.database.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version + 1,))
        self.database.execute("COMMIT")

    def _create(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";"):
            self.database.execute(statement)
        self.database.execute("INSERT INTO meta VALUES ('schema_version', ?)", (SCHEMA_VERSION,))
        self.database.execute("INSERT INTO meta VALUES ('last_record', -1), ('last_check', 0)")
        self.database.execute("COMMIT")

    def set_aside(self) -> None:
        """Keep what is there, for people, as store.before.sqlite (the one before that is gone), and begin an empty one."""
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        self.path.rename(self.path.with_suffix(f".before{self.path.suffix}"))
        self._connect()
        self._create()

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

    def forget(self, before_ns: int) -> int:
        """Take out done orders that changed last before that, with their fills and requests; how many (at most FORGET_MAX)."""
        found = self.database.execute(OLD, (before_ns, *DONE_NAMES, FORGET_MAX)).fetchall()
        if found:
            self.database.execute("BEGIN IMMEDIATE")
            for table in ("requests", "fills", "orders"):
                self.database.executemany(f"DELETE FROM {table} WHERE client_order_id = ?", found)
            self.database.execute("COMMIT")
        return len(found)

    def describe(self, instruments: Sequence[Instrument]) -> None:
        """Scales for the readable view; the journal does not have them."""
        for i in instruments:
            names = (i.instrument, i.version, i.venue_symbol, i.base_asset, i.quote_asset)
            scales = (i.price_scale, i.quantity_scale, i.base_scale, i.quote_scale, i.tick, i.lot)
            self.database.execute(INSTRUMENT, names + scales)

    def close(self) -> None:
        self.database.close()
