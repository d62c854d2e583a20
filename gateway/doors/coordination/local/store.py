"""What instances of one machine agree on, in one SQLite file. Synchronous: one thread of its own calls it.

A term is a row with its deadline in boottime. It is over when it was resigned or at its deadline, and not before: what a
killed process had sent may still be on its way, and each of its orders is good until the deadline. A private file, which
lies in the state directory of the one engine that uses it, is the exception: there a lock file that its holder keeps
locked ends the term with the process, because the next one on that directory knows from its journal what was sent.
Every write is one transaction that has the whole file to itself; `synchronous=FULL`, because an epoch that a power loss
took back would be given out twice. Renewals and the account are not synced: after a power loss a deadline means nothing,
and a successor reads the rest of the account off the venue's trades.
"""

import errno
import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    Band,
    BandAnswer,
    Cooldown,
    Leader,
    Misconfigured,
    Picture,
    TermOver,
    Unreachable,
    judge_band,
    next_epoch,
)
from gateway.doors.coordination.term import Term

SCHEMA_VERSION = 1
BUSY_S_MAX = 2.0
"""How long a transaction waits for another's; each holds the file for under a millisecond. Chosen."""
OPEN_TRIES_MAX, OPEN_PAUSE_S = 50, 0.02
"""A second for two processes that make the same file at once; each takes some milliseconds. Chosen."""
FORGOTTEN_NS = 3_600_000_000_000
"""How long a cooldown stays after its end, by our wall clock, which engine times of instances differ from. Chosen."""
REMOTE = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "fuse.sshfs", "fuse.glusterfs", "afs", "lustre"))
"""File systems that several machines may mount: neither SQLite's WAL nor boottime is shared between machines."""

SCHEMA = """
CREATE TABLE terms (scope TEXT PRIMARY KEY, epoch INTEGER, holder TEXT, boot_id TEXT, deadline_ns INTEGER) WITHOUT ROWID;
CREATE TABLE accounts (scope TEXT PRIMARY KEY, state BLOB) WITHOUT ROWID;
CREATE TABLE cooldowns (
    in_group TEXT, symbol TEXT, until_ns INTEGER, reason TEXT, PRIMARY KEY (in_group, symbol)) WITHOUT ROWID;
CREATE TABLE bands (
    in_group TEXT, symbol TEXT, scope TEXT, bid_max INTEGER, ask_min INTEGER,
    PRIMARY KEY (in_group, symbol, scope)) WITHOUT ROWID
"""


class Row(NamedTuple):
    """The last term of a scope. deadline_ns: boottime; 0: resigned."""

    epoch: int
    holder: str
    boot_id: str
    deadline_ns: int


class Claimed(NamedTuple):
    """A term that is ours. asked_ns: the boottime at which the claim began."""

    epoch: int
    asked_ns: int


class LocalStore:
    """One connection, and the locks of the terms that this process holds."""

    def __init__(self, path: Path, *, private: bool = False) -> None:
        """private: no other state directory's engine uses the file."""
        self._private = private
        self._path, self._locks = path, path.with_name(path.name + ".locks")
        self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        self._held: dict[str, int] = {}  # scope -> descriptor of our lock
        self._database: sqlite3.Connection | None = None
        self._inode = 0  # of the file that we opened

    def open(self) -> None:
        """Raises Misconfigured: the file cannot be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._locks.mkdir(exist_ok=True, mode=0o700)
            kind = file_system(self._locks.resolve())
            if kind in REMOTE:
                raise Misconfigured(
                    "[coordination] path",
                    f'{self._path} lies on {kind}, which other machines may share; use a local disk, or backend = "etcd"',
                )
            self._database = connect(self._path)
            self._inode = inode(self._path)
            version = self._prepare()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise Misconfigured("[coordination] path", f"{self._path}: cannot be used: {error}") from error
        if version != SCHEMA_VERSION:
            self.close()
            raise Misconfigured(
                "[coordination] path",
                f"{self._path} was made by another version (its schema: {version}, ours: {SCHEMA_VERSION});"
                " run one version on it, or name a new file while nothing runs",
            )

    def _prepare(self) -> int:
        """The file's schema version, after making the tables if it has none."""
        with self._transaction() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in SCHEMA.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
                return SCHEMA_VERSION
            return int(version)

    def close(self) -> None:
        """Frees all locks. What was not resigned runs out by itself; where the file is private, it is over."""
        for scope in list(self._held):
            self._unlock(scope)
        if self._database is not None:
            self._database.close()
            self._database = None

    @contextmanager
    def _transaction(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing, alone: a transaction that finds the file busy waits for BUSY_S_MAX.

        synced False: a power loss may take it back. So is what is written often: who is stopped in a write keeps the file.
        Raises OSError when the path names another file by now: what is written to ours, nobody else would see.
        """
        assert self._database is not None
        if inode(self._path) != self._inode:
            raise OSError(errno.ESTALE, "was replaced or removed while in use; stop all engines on it, then start them")
        self._database.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # SQLite has rolled back by itself when, say, the disk is full
                self._database.execute("ROLLBACK")
            raise

    # leadership

    def leader(self, scope: str) -> Leader | None:
        """Who leads; it may have died since."""
        assert self._database is not None
        row = term_row(self._database, scope)
        if row is None or not self._holds(scope, row):
            return None
        return Leader(scope, row.epoch, row.holder)

    def _holds(self, scope: str, row: Row) -> bool:
        in_time = row.boot_id == self._boot_id and boottime_ns() < row.deadline_ns
        return in_time and (not self._private or is_locked(self._lock_path(scope, row.epoch)))

    def _lock_path(self, scope: str, epoch: int) -> Path:
        return self._locks / f"{scope}.{epoch}"

    def claim(self, scope: str, above: int, holder: str, ttl_ns: int) -> Claimed | None:
        """None: another was quicker. Raises EpochsExhausted; Unreachable while a term of another file may be in force."""
        asked_ns = boottime_ns()
        with ExitStack() as undo:
            with self._transaction() as database:
                row = term_row(database, scope)
                if row is not None and self._holds(scope, row):
                    return None
                if row is None and (leading := self._leading_elsewhere(scope)):
                    raise Unreachable(
                        str(self._path), "campaign", f"{leading} is locked: an engine leads by an older file"
                    )
                epoch = next_epoch(scope, 0 if row is None else row.epoch, above)
                descriptor = lock(self._lock_path(scope, epoch))
                undo.callback(os.close, descriptor)
                values = (scope, epoch, holder, self._boot_id, asked_ns + ttl_ns)
                database.execute("INSERT OR REPLACE INTO terms VALUES (?, ?, ?, ?, ?)", values)
            undo.pop_all()  # committed: the lock is kept
        self._unlock(scope)  # a term of ours that ran out
        self._held[scope] = descriptor
        if row is not None:
            self._lock_path(scope, row.epoch).unlink(missing_ok=True)
        return Claimed(epoch, asked_ns)

    def _leading_elsewhere(self, scope: str) -> str:
        """A lock of the scope that a living process holds, though the file knows of no term: someone replaced the file."""
        for path in sorted(self._locks.iterdir()):
            if path.name.rpartition(".")[0] == scope and is_locked(path):
                return path.name
        return ""

    def renew(self, term: Term, ttl_ns: int) -> int:
        """The boottime that the renewal began at. Raises TermOver."""
        asked_ns = boottime_ns()
        with self._transaction(synced=False) as database:
            self._fence(database, term)
            database.execute("UPDATE terms SET deadline_ns = ? WHERE scope = ?", (asked_ns + ttl_ns, term.scope))
        return asked_ns

    def release(self, scope: str, epoch: int) -> None:
        """The term is over, for whoever asks from now on."""
        with self._transaction() as database:
            database.execute("UPDATE terms SET deadline_ns = 0 WHERE scope = ? AND epoch = ?", (scope, epoch))
        self._unlock(scope)

    def _unlock(self, scope: str) -> None:
        descriptor = self._held.pop(scope, None)
        if descriptor is not None:
            os.close(descriptor)

    def _fence(self, database: sqlite3.Connection, term: Term) -> None:
        """Raises TermOver unless the term is in force at this moment of the file."""
        row = term_row(database, term.scope)
        if row is None or row.epoch != term.epoch:
            whose = "the store has no leader" if row is None else f"{row.holder} leads with epoch {row.epoch}"
            raise TermOver(term.scope, term.epoch, whose)
        if row.boot_id != self._boot_id or boottime_ns() >= row.deadline_ns:
            raise TermOver(term.scope, term.epoch, "its time to live has run out at the store")

    # cooldowns

    def hold_cooldown(self, group: str, wanted: Cooldown) -> Cooldown:
        with self._transaction() as database:
            database.execute("DELETE FROM cooldowns WHERE until_ns < ?", (time.time_ns() - FORGOTTEN_NS,))
            database.execute(
                "INSERT INTO cooldowns VALUES (?, ?, ?, ?) ON CONFLICT (in_group, symbol) DO UPDATE SET"
                " until_ns = excluded.until_ns, reason = excluded.reason WHERE excluded.until_ns > until_ns",
                (group, *wanted),
            )
            return next(row for row in read_cooldowns(database, group) if row.symbol == wanted.symbol)

    def cooldowns(self, group: str) -> tuple[Cooldown, ...]:
        assert self._database is not None
        return read_cooldowns(self._database, group)

    # bands

    def put_band(self, term: Term, group: str, mine: Band) -> BandAnswer:
        with self._transaction() as database:
            self._fence(database, term)
            answer = judge_band(mine, read_bands(database, group))
            if answer.granted:
                database.execute("INSERT OR REPLACE INTO bands VALUES (?, ?, ?, ?, ?)", (group, *mine))
            return answer

    def drop_band(self, term: Term, group: str, symbol: str) -> None:
        with self._transaction() as database:
            self._fence(database, term)
            where = (group, symbol, term.scope)
            database.execute("DELETE FROM bands WHERE in_group = ? AND symbol = ? AND scope = ?", where)

    def bands(self, group: str) -> tuple[Band, ...]:
        assert self._database is not None
        return read_bands(self._database, group)

    # the account

    def put_account(self, term: Term, state: bytes) -> None:
        with self._transaction(synced=False) as database:
            self._fence(database, term)
            database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?)", (term.scope, state))

    def get_account(self, scope: str) -> bytes | None:
        assert self._database is not None
        row = self._database.execute("SELECT state FROM accounts WHERE scope = ?", (scope,)).fetchone()
        return None if row is None else bytes(row[0])

    # all of it

    def version(self) -> int:
        """Another number whenever another connection has written; reads shared memory only."""
        assert self._database is not None
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        return int(version)

    def picture(self, group: str, scope: str) -> Picture:
        """One moment of the file."""
        assert self._database is not None
        self._database.execute("BEGIN")
        try:
            return Picture(self.leader(scope), self.cooldowns(group), self.bands(group))
        finally:
            self._database.execute("COMMIT")


def connect(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error."""
    database = sqlite3.connect(path, timeout=BUSY_S_MAX, isolation_level=None)
    try:
        change_to_wal(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def change_to_wal(database: sqlite3.Connection) -> None:
    """Waits for another that makes the same file now: for this change SQLite itself does not."""
    for tries_left in reversed(range(OPEN_TRIES_MAX)):
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if tries_left == 0 or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        time.sleep(OPEN_PAUSE_S)


def term_row(database: sqlite3.Connection, scope: str) -> Row | None:
    query = "SELECT epoch, holder, boot_id, deadline_ns FROM terms WHERE scope = ?"
    row = database.execute(query, (scope,)).fetchone()
    return None if row is None else Row(*row)


def read_cooldowns(database: sqlite3.Connection, group: str) -> tuple[Cooldown, ...]:
    query = "SELECT symbol, until_ns, reason FROM cooldowns WHERE in_group = ? ORDER BY symbol"
    return tuple(Cooldown(*row) for row in database.execute(query, (group,)))


def read_bands(database: sqlite3.Connection, group: str) -> tuple[Band, ...]:
    query = "SELECT symbol, scope, bid_max, ask_min FROM bands WHERE in_group = ? ORDER BY symbol, scope"
    return tuple(Band(*row) for row in database.execute(query, (group,)))


def lock(path: Path) -> int:
    """A new file, locked; the descriptor is the lock. A file of that name is a claim that was never committed."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a living process holds it; without the file, none does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def inode(path: Path) -> int:
    """Which file the path names; 0: none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def file_system(path: Path) -> str:
    """The kind of file system that an existing path lies on, as the kernel calls it; "" when it does not say."""
    best = (-1, "")
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        place, _, rest = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), place.split()[4])
        if path.is_relative_to(point):
            best = max(best, (len(point), rest.split()[0]))
    return best[1]
