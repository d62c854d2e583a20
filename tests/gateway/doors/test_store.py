"""The index can always be made again from the journal, and never says more or less than it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.codec import encode, tag_of
from bus.log import Record, RecordLog
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    CancelOrder,
    Fill,
    IdsReserved,
    Instrument,
    Message,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Side,
    SubmitOrder,
)
from gateway.doors.store import SCHEMA_VERSION, JournalIndex
from gateway.doors.store import index as store_index
from gateway.doors.store.database import Store
from gateway.doors.store.tail import JournalTail

INSTRUMENT = Instrument(7, 1, 1, 2, "BTCUSDT", "BTC", "USDT", 2, 6, 8, 8, 1, 100, 1, 10**9, 1, 10**9, 0, 0, 200)
TABLES = ("orders", "fills", "requests", "positions")


def submit(key: str) -> SubmitOrder:
    return SubmitOrder(1, 2, 7, 1, "maker", key, 1, 3, Side.BUY, 2_000_050, 12, True, False, 9, 8, 10**18)


def update(key: str, number: int, status: OrderStatus, done: int = 0) -> OrderUpdate:
    return OrderUpdate(number, 1, 2, 7, 1, "maker", key, 900, 3, Side.BUY, 2_000_050, 12, done, 12 - done, status, False, Refusal.NONE, 5_000_000_000)  # fmt: skip


def fill(key: str, number: int) -> Fill:
    return Fill(number, 1, 2, 7, 1, "maker", key, 900, 4_000 + number, Side.BUY, 2_000_050, 30_000, 3, 60, 1, "BNB", True, False, 5)  # fmt: skip


def cancel(key: str) -> CancelOrder:
    return CancelOrder(1, 2, 7, key, key + "01", 900, 1, 0)


def position(number: int, units: int) -> PositionUpdate:
    return PositionUpdate(number, 1, 2, 7, 1, units, units // 10_000, 60, 0, 0.5)


DAY: list[Message] = [
    IdsReserved(1, 1, 1_000),
    submit("a"),
    update("a", 1, OrderStatus.PENDING_NEW),
    update("a", 2, OrderStatus.ACCEPTED),
    fill("a", 1),
    update("a", 3, OrderStatus.PARTIALLY_FILLED, 3),
    position(1, 30_000),
    cancel("a"),
    update("a", 4, OrderStatus.CANCELED, 3),
    submit("b"),
]


class Journal:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = RecordLog(directory, segment_bytes=1 << 16)

    def append(self, *messages: Message) -> None:
        for message in messages:
            body = HEADER.pack(0, HEADER_VERSION, 0, 3, 4) + encode(message)
            self.log.append(tag_of(type(message)), 3, 5_000_000_000, body)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.log.close()


def index(journal: Journal, store: Path) -> JournalIndex:
    """Index everything there is, and end."""
    index = JournalIndex(store, journal.directory, [INSTRUMENT], poll_s=0.005)
    index.close()
    assert index.failed == ""
    return index


def rows(store: Path, query: str) -> list[Any]:
    database = sqlite3.connect(store)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def everything(store: Path) -> dict[str, list[Any]]:
    return {table: rows(store, f"SELECT * FROM {table}") for table in TABLES}


def test_a_day_is_indexed(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)
    assert index(journal, store).indexed == len(DAY)
    orders = "SELECT client_order_id, status, cumulative_lots, leaves_lots, update_number FROM orders ORDER BY 1"
    assert rows(store, orders) == [("a", "CANCELED", 3, 9, 4), ("b", "PENDING_NEW", 0, 12, 0)]
    assert rows(store, "SELECT number, trade_id, quantity, fee, fee_asset FROM fills") == [(1, 4_001, 30_000, 1, "BNB")]
    requests = "SELECT record, request, client_order_id, cancel_id FROM requests"
    assert rows(store, requests) == [(1, "SUBMIT", "a", ""), (7, "CANCEL", "a", "a01"), (9, "SUBMIT", "b", "")]
    assert rows(store, "SELECT instrument, position FROM positions") == [(7, 30_000)]


def test_a_person_can_read_an_order(journal: Journal, tmp_path: Path) -> None:
    journal.append(*DAY)
    index(journal, tmp_path / "store.sqlite")
    query = "SELECT symbol, side, price, quantity, executed, leaves, updated FROM orders_readable WHERE client_order_id = 'a'"
    expected = ("BTCUSDT", "BUY", "20000.50", "0.001200", "0.000300", "0.000900", "1970-01-01 00:00:05")
    assert rows(tmp_path / "store.sqlite", query) == [expected]


def test_an_order_is_read_by_its_own_version_and_by_none_where_that_is_not_known(
    journal: Journal, tmp_path: Path
) -> None:
    coarser = msgspec.structs.replace(INSTRUMENT, version=2, tick=10, lot=1_000)
    journal.append(
        *DAY, *[msgspec.structs.replace(submit(key), version=version) for key, version in (("c", 2), ("d", 3))]
    )
    follower = JournalIndex(tmp_path / "store.sqlite", journal.directory, [INSTRUMENT], poll_s=0.005)
    follower.describe(coarser)
    follower.close()
    query = "SELECT client_order_id, symbol, price, quantity FROM orders_readable WHERE client_order_id IN ('a', 'c', 'd') ORDER BY 1"
    assert rows(tmp_path / "store.sqlite", query) == [
        ("a", "BTCUSDT", "20000.50", "0.001200"),
        ("c", "BTCUSDT", "200005.00", "0.012000"),
        ("d", "BTCUSDT", None, None),
    ]


@pytest.mark.parametrize("stop", range(len(DAY) + 1))
def test_a_restart_anywhere_ends_in_the_same_rows(journal: Journal, tmp_path: Path, stop: int) -> None:
    journal.append(*DAY[:stop])
    index(journal, tmp_path / "two.sqlite")
    journal.append(*DAY[stop:])
    assert index(journal, tmp_path / "two.sqlite").indexed == len(DAY) - stop
    index(journal, tmp_path / "one.sqlite")
    assert everything(tmp_path / "two.sqlite") == everything(tmp_path / "one.sqlite")


def test_indexing_again_changes_nothing(journal: Journal, tmp_path: Path) -> None:
    """As after a lost meta row: all records once more, over the rows that they made."""
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)
    index(journal, store)
    before = everything(store)
    database = sqlite3.connect(store)
    database.execute("UPDATE meta SET value = -1 WHERE key = 'last_record'")
    database.commit()
    database.close()
    assert index(journal, store).indexed == len(DAY)
    assert everything(store) == before


def test_another_journal_makes_the_store_anew(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)
    index(journal, store)
    other = Journal(tmp_path / "other")
    other.append(*[submit(f"other{number}") for number in range(20)])
    index(other, store)
    other.log.close()
    assert rows(store, "SELECT count(*), min(client_order_id) FROM orders") == [(20, "other0")]
    assert rows(store, "SELECT count(*) FROM fills") == [(0,)]


def test_another_schema_makes_the_store_anew(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)
    index(journal, store)
    database = sqlite3.connect(store)
    database.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (SCHEMA_VERSION + 1,))
    database.execute("ALTER TABLE orders ADD COLUMN of_the_future TEXT")
    database.commit()
    database.close()
    assert index(journal, store).indexed == len(DAY)
    assert rows(store, "SELECT count(*) FROM orders") == [(2,)]
    assert rows(tmp_path / "store.before.sqlite", "SELECT count(*), max(of_the_future) FROM orders") == [(2, None)]


def test_an_older_schema_is_upgraded_and_loses_nothing(journal: Journal, tmp_path: Path) -> None:
    """Two columns and an index fewer, as version 2 had it; the journal has nothing that could make its rows again."""
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)
    index(journal, store)
    before = everything(store)
    database = sqlite3.connect(store)
    for statement in ("DROP VIEW orders_readable", "DROP INDEX orders_by_age",
                      "ALTER TABLE orders DROP COLUMN code", "ALTER TABLE orders DROP COLUMN unit",
                      "UPDATE meta SET value = 2 WHERE key = 'schema_version'"):  # fmt: skip
        database.execute(statement)
    database.commit()
    database.close()
    assert index(journal, store).indexed == 0
    assert everything(store) == before


def test_done_orders_are_forgotten_in_time_with_all_that_is_theirs(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    journal.append(*DAY)  # all at 5 s; "b" is open
    index(journal, store)
    body = HEADER.pack(0, HEADER_VERSION, 0, 3, 4) + encode(IdsReserved(1, 1, 2_000))
    journal.log.append(tag_of(IdsReserved), 3, 60_000_000_000, body)
    keeper = JournalIndex(store, journal.directory, poll_s=0.001, keep_ns=54_000_000_000)
    deadline = time.monotonic() + 20
    while not keeper.forgotten and time.monotonic() < deadline:
        time.sleep(0.001)
    keeper.close()
    assert keeper.forgotten == 1
    assert rows(store, "SELECT client_order_id FROM orders") == [("b",)]
    assert rows(store, "SELECT count(*) FROM fills") == [(0,)]
    assert rows(store, "SELECT client_order_id FROM requests") == [("b",)]


def test_it_follows_a_journal_that_is_being_written_over_many_segments(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    follower = JournalIndex(store, journal.directory, poll_s=0.001)
    for number in range(1, 2_001):
        journal.append(fill(f"o{number}", number))
    deadline = time.monotonic() + 20
    while follower.indexed < 2_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    follower.close()
    assert len(list(journal.directory.iterdir())) > 3
    assert (follower.indexed, follower.behind, follower.failed) == (2_000, 0, "")
    assert rows(store, "SELECT count(*), sum(number) FROM fills") == [(2_000, 2_001_000)]


def test_an_unreadable_record_is_passed_over_and_counted(journal: Journal, tmp_path: Path) -> None:
    journal.append(DAY[1])
    journal.log.append(tag_of(Fill), 3, 5, HEADER.pack(0, HEADER_VERSION, 0, 3, 4) + msgspec.msgpack.encode([61, "?"]))
    journal.append(DAY[2])
    follower = index(journal, tmp_path / "store.sqlite")
    assert (follower.indexed, follower.unreadable) == (3, 1)


def test_a_store_that_cannot_be_opened_is_said_and_does_not_raise(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    store.mkdir()
    follower = JournalIndex(store, journal.directory, poll_s=0.005)
    follower.close()
    assert "OperationalError" in follower.failed


def test_a_store_is_not_taken_for_complete_before_it_is_known_to_be_this_journals(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look-ups wait for `next_number`: a store that is gone, or of another journal, must not answer "unknown" by its number."""
    journal.append(*DAY)
    follower = index(journal, tmp_path / "store.sqlite")
    assert follower.next_number == len(DAY)
    with closing(Store(tmp_path / "new.sqlite")) as new:
        assert follower._start(new) == follower.next_number == 0

    class Watched(JournalTail):
        def take(self, limit: int) -> list[Record]:
            assert follower.next_number == 0  # what is read here tells whether they belong together
            return super().take(limit)

    monkeypatch.setattr(store_index, "JournalTail", Watched)
    with closing(Store(tmp_path / "store.sqlite")) as known:
        assert follower._start(known) == follower.next_number == len(DAY)
