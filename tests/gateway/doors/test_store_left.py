"""What a run left open, read from its index and the journal behind it."""

from pathlib import Path

from bus.codec import encode, tag_of
from bus.log import RecordLog
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    Message,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Side,
    SubmitOrder,
)
from gateway.doors.store.database import Store
from gateway.doors.store.index import JournalIndex
from gateway.doors.store.left import remains


def update(number: int, key: str, status: OrderStatus) -> OrderUpdate:
    return OrderUpdate(
        number, 0, 0, 3, 1, "main", key, 0, number, Side.BUY, 10, 5, 0, 5, status, False, Refusal.NONE, number
    )


def submit(key: str) -> SubmitOrder:
    return SubmitOrder(0, 0, 3, 1, "main", key, 1, 1, Side.SELL, 10, 5, True, False, 0, 0, 0)


def write(folder: Path, *messages: Message, since: int = 0) -> None:
    log = RecordLog(folder)
    for offset, message in enumerate(messages, since):
        head = HEADER.pack(0, HEADER_VERSION, 0, offset, offset)
        log.append(tag_of(type(message)), offset, 1_000 + offset, head + encode(message))
    log.close()


def left(folder: Path) -> list[tuple[str, str, str]]:
    return [(row.client_order_id, row.side, row.status) for row in remains(folder / "s", folder / "j").orders]


FIRST = (
    submit("a"), update(1, "a", OrderStatus.ACCEPTED), submit("b"), update(2, "b", OrderStatus.FILLED), submit("c"),
    PositionUpdate(1, 0, 0, 3, 1, 700, 7, 0, 0, 0.0),
)  # fmt: skip
LATER = (update(3, "a", OrderStatus.CANCELED), submit("d"), update(4, "c", OrderStatus.UNKNOWN_NEW))


def test_a_request_without_a_fact_counts_as_open(tmp_path: Path) -> None:
    """Killed between the request's record and its first fact: it may be at the venue."""
    write(tmp_path / "j", *FIRST)
    assert left(tmp_path) == [("a", "BUY", "ACCEPTED"), ("c", "SELL", "PENDING_NEW")]
    found = remains(tmp_path / "s", tmp_path / "j")
    assert (found.positions, found.last_ns) == ({3: 700}, 1_005)


def test_the_journal_goes_on_where_the_index_ends(tmp_path: Path) -> None:
    """The index thread is behind when a process is killed."""
    write(tmp_path / "j", *FIRST)
    JournalIndex(tmp_path / "s", tmp_path / "j").close()
    write(tmp_path / "j", *LATER, since=len(FIRST))
    assert left(tmp_path) == [("d", "SELL", "PENDING_NEW"), ("c", "BUY", "UNKNOWN_NEW")]


def test_an_index_of_another_schema_is_not_asked(tmp_path: Path) -> None:
    write(tmp_path / "j", *FIRST)
    store = Store(tmp_path / "s")
    store.database.execute("UPDATE meta SET value = 999 WHERE key = 'schema_version'")
    store.close()
    assert [key for key, *_ in left(tmp_path)] == ["a", "c"]


def test_nothing_was_ever_written(tmp_path: Path) -> None:
    assert remains(tmp_path / "s", tmp_path / "j") == ((), {}, 0)
