"""The store door: what the journal's index knows of one order. Look-ups run on a thread; the engine never waits for one.

Each question is answered exactly once. An index is behind the journal by as much as its thread needs, so it is not asked before
it holds everything that the journal held when the question came: "unknown" is said by a complete index, or not at all.
"""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bus.actor import NOTHING, Handler
from bus.messages import Fill, Message, OrderStatus, OrderUpdate, Refusal, Side, StoreAnswer, StoreQuery

QUEUE_MAX = 256  # chosen: as many as may wait in the orders actor; one more is answered at once, as not read
POLL_S = 0.02  # while the index catches up; chosen: it looks for news four times a second itself
CLOSE_S_MAX = 5.0

ORDER_OF = """SELECT update_number, account, venue, instrument, version, owner, client_order_id, venue_order_id, command, side,
price_ticks, quantity_lots, cumulative_lots, leaves_lots, status, reduce_only, refusal, updated_ns, unit, code
FROM orders WHERE client_order_id = ?"""
FILLS_OF = """SELECT number, account, venue, instrument, version, owner, client_order_id, venue_order_id, trade_id, side, price,
quantity, quantity_lots, quote, fee, fee_asset, is_maker, late, venue_ns FROM fills WHERE client_order_id = ? ORDER BY number"""


class StoreDoor:
    """journal_end: number of the next record of the journal. indexed: of the first one that the index does not have yet.

    asked, answered, failed: questions so far; `failed` were answered with a reason.
    """

    name = "store_door"

    def __init__(
        self, store: Path, journal_end: Callable[[], int], indexed: Callable[[], int], now_ns: Callable[[], int]
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {StoreQuery: self._ask}
        self.asked = self.answered = self.failed = 0
        self._store, self._journal_end, self._indexed, self._now_ns = store, journal_end, indexed, now_ns
        self._post: Callable[[StoreAnswer], object] = lambda answer: None
        self._waiting: queue.SimpleQueue[tuple[StoreQuery, int] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def attach(self, post: Callable[[StoreAnswer], object]) -> None:
        """Where answers go: called on the door's own thread, or on the engine's when a question cannot be taken."""
        self._post = post

    def _ask(self, query: StoreQuery, now_ns: int) -> tuple[Message, ...]:
        self.asked += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="store-lookup", daemon=True)
            self._thread.start()
        if self._waiting.qsize() >= QUEUE_MAX:
            self._answer(query, f"{QUEUE_MAX} questions wait already")
        else:
            self._waiting.put((query, self._journal_end()))
        return NOTHING

    def close(self) -> None:
        """Questions that wait are answered as not read; nobody listens any more when the engine ends."""
        self._stop.set()
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(CLOSE_S_MAX)

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            query, wanted = waiting
            try:
                reason = self._until_indexed(query, wanted)
                found: tuple[tuple[OrderUpdate, ...], tuple[Fill, ...]] = ((), ())
                if not reason:
                    found = read(self._store, query.client_order_id)
            except (sqlite3.Error, OSError, KeyError, ValueError) as error:
                reason, found = f"{type(error).__name__}: {error}", ((), ())
            self._answer(query, reason, *found)

    def _until_indexed(self, query: StoreQuery, wanted: int) -> str:
        """Wait for the index; why it cannot be waited for, or ""."""
        while (has := self._indexed()) < wanted:
            if self._stop.is_set():
                return "the engine stops"
            if self._now_ns() >= query.deadline_ns:
                return f"the index has {has} of the journal's {wanted} records"
            time.sleep(POLL_S)
        return ""

    def _answer(
        self, query: StoreQuery, reason: str, updates: tuple[OrderUpdate, ...] = (), fills: tuple[Fill, ...] = ()
    ) -> None:
        self.answered += 1
        self.failed += bool(reason)
        head = (query.actor, query.counter, query.generation, query.client_order_id)
        self._post(StoreAnswer(*head, reason, updates, fills, self._indexed() - 1))


def read(store: Path, client_order_id: str) -> tuple[tuple[OrderUpdate, ...], tuple[Fill, ...]]:
    """The order's last public state and all its fills, of which there are no more than it has lots; both empty: not known.

    Raises sqlite3.Error; KeyError or ValueError when a row is none of this program's.
    """
    uri = f"{store.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
        database.execute("BEGIN")  # both reads see one state of the store
        updates = tuple(update_of(row) for row in database.execute(ORDER_OF, (client_order_id,)))
        fills = tuple(fill_of(row) for row in database.execute(FILLS_OF, (client_order_id,)))
    return updates, fills


def update_of(row: tuple[Any, ...]) -> OrderUpdate:
    """Columns as ORDER_OF names them: the message's fields in order, enums by name."""
    fields = list(row)
    fields[9], fields[14], fields[16] = Side[row[9]], OrderStatus[row[14]], Refusal[row[16]]
    fields[15] = bool(row[15])
    return OrderUpdate(*fields)


def fill_of(row: tuple[Any, ...]) -> Fill:
    """Columns as FILLS_OF names them."""
    fields = list(row)
    fields[9], fields[16], fields[17] = Side[row[9]], bool(row[16]), bool(row[17])
    return Fill(*fields)
