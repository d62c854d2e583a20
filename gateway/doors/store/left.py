"""What a run that is over left open, by the index and the journal behind it. Read only; for commands with no engine alive."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import read
from bus.messages import DONE, HEADER_SIZE, OrderStatus, OrderUpdate, PositionUpdate, SubmitOrder
from gateway.doors.store.schema import SCHEMA_VERSION

OWNERS_OF = 10_000
"""Orders that are asked whose they are; chosen: some ms."""


class Left(NamedTuple):
    """One order that was not done, or may not have been. status: an OrderStatus's name."""

    client_order_id: str
    instrument: int
    side: str
    status: str
    leaves_lots: int


class Remains(NamedTuple):
    """orders: in the order of the journal. positions: base units by instrument. last_ns: engine time of the last record, 0:
    there is none.
    """

    orders: tuple[Left, ...]
    positions: dict[int, int]
    last_ns: int


def remains(store: Path, journal: Path) -> Remains:
    """The index as far as it goes, then the journal. Raises LogError, sqlite3.Error, OSError, ValueError (a record that no
    version of ours wrote).
    """
    orders, positions, next_record = _indexed(store)
    last_ns = 0
    for record in read(journal, next_record - 1 if next_record else 0) if journal.exists() else ():
        last_ns = record.now_ns
        kind = TYPE_OF_TAG.get(record.kind)
        if record.number < next_record or kind not in (OrderUpdate, SubmitOrder, PositionUpdate):
            continue
        message = decode_any(record.body[HEADER_SIZE:])
        if isinstance(message, SubmitOrder):
            key = message.client_order_id
            orders[key] = Left(
                key, message.instrument, message.side.name, OrderStatus.PENDING_NEW.name, message.quantity_lots
            )
        elif isinstance(message, PositionUpdate):
            positions[message.instrument] = message.position
        elif isinstance(message, OrderUpdate):
            orders.pop(message.client_order_id, None)
            if message.status not in DONE:
                key, status = message.client_order_id, message.status.name
                orders[key] = Left(key, message.instrument, message.side.name, status, message.leaves_lots)
    return Remains(tuple(orders.values()), positions, last_ns)


def owners(store: Path) -> list[str]:
    """Whose orders the index has, of the last OWNERS_OF. Raises sqlite3.Error."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as database:
        recent = "SELECT owner FROM orders ORDER BY updated_ns DESC LIMIT ?"
        return [
            row[0] for row in database.execute(f"SELECT DISTINCT owner FROM ({recent}) ORDER BY owner", [OWNERS_OF])
        ]


def _indexed(store: Path) -> tuple[dict[str, Left], dict[int, int], int]:
    """Of the index, and the number of the first record behind it. One of another schema is not asked: the journal is read."""
    if not store.exists():
        return {}, {}, 0
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as database:
        version = database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        if version is None or int(version[0]) != SCHEMA_VERSION:
            return {}, {}, 0
        done = ",".join(f"'{status.name}'" for status in sorted(DONE))
        rows = database.execute(
            f"SELECT client_order_id, instrument, side, status, leaves_lots FROM orders WHERE status NOT IN ({done})"
        ).fetchall()
        held = database.execute("SELECT instrument, position FROM positions").fetchall()
        (last,) = database.execute("SELECT value FROM meta WHERE key = 'last_record'").fetchone()
    return {row[0]: Left(*row) for row in rows}, dict(held), int(last) + 1
