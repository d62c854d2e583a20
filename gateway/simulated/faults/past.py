"""The world as it was: books and orders of a little while ago, kept only while a fault needs them. Pure.

Bounds: a snapshot a symbol every quarter second, for AGE_S_MAX (240 of about 60 kB each); CHANGES_MAX changes of orders.
"""

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from ..core.errors import VenueError
from ..core.orders import BACKGROUND, AccountId, AccountTrade, Execution, ExecutionKind, Order
from ..core.registry import OrderRegistry
from ..payload import Instant, Json, encode
from .active import Stage
from .face import FaultedFace
from .kinds import AGE_S_MAX

PERIOD_NS = 250_000_000  # chosen: how exact the age of a stale snapshot is
SNAPSHOTS_MAX = int(AGE_S_MAX * 1_000_000_000) // PERIOD_NS + 2  # two more, so that the oldest is old enough
CHANGES_MAX = 100_000  # chosen: a minute at 1,600 a second; what is older is taken for what was
BOOK_FIELDS = ("lastUpdateId", "bids", "asks")
"""What a snapshot says of the book; anything else in it is said of the moment."""


class PastBooks:
    """Snapshots of one face's books, taken while somebody wants them."""

    def __init__(self, face: FaultedFace, stage: Stage) -> None:
        self._face = face
        self._stage = stage
        self._wanted: Callable[[], list[str]] = list
        self._taking = False
        self._snapshots: dict[str, deque[tuple[int, bytes]]] = {}

    def keep(self, wanted: Callable[[], list[str]]) -> None:
        """Take them from now on of the symbols that `wanted` names ("": of all), until it names none."""
        self._wanted = wanted
        if not self._taking and wanted():
            self._taking = True
            self._take()

    def _take(self) -> None:
        wanted = self._wanted()
        if not wanted:
            self._taking = False
            self._snapshots.clear()
            return
        now_ns = self._stage.clock.base()
        symbols = [rules.symbol for rules in self._face.market.rules()] if "" in wanted else wanted
        for symbol in dict.fromkeys(symbols):
            with contextlib.suppress(VenueError):  # a replayed book that has not begun
                frame = encode(self._face.snapshot(symbol))
                self._snapshots.setdefault(symbol, deque(maxlen=SNAPSHOTS_MAX)).append((now_ns, frame))
        self._stage.call_later(PERIOD_NS, self._take)

    def as_of(self, symbol: str, age_s: float, answer: Json) -> Json:
        """Return `answer`, a snapshot, with the book of `age_s` ago, or of the oldest one kept."""
        kept = self._snapshots.get(symbol)
        if not kept or not isinstance(answer, dict):
            return answer
        then_ns = self._stage.clock.base() - int(age_s * 1e9)
        chosen = next((frame for at_ns, frame in reversed(kept) if at_ns <= then_ns), kept[0][1])
        past = msgspec.json.decode(chosen)
        levels = {side: len(answer[side]) for side in ("bids", "asks") if isinstance(answer.get(side), list)}
        limit = max(levels.values(), default=0)
        book = {name: past[name] for name in BOOK_FIELDS if name in past}
        return {**answer, **{name: value[:limit] if name in levels else value for name, value in book.items()}}


class PastOrders:
    """What became of one face's client orders lately, and from it what they were.

    Every change is kept with the order as it was before; None for one that did not exist.
    """

    def __init__(self, face: FaultedFace) -> None:
        self._face = face
        self._wanted: Callable[[], bool] = lambda: False
        self._listening = False
        self._last_id = 0
        self._known: dict[int, Order] = {}
        self._changes: deque[tuple[int, int, Order | None]] = deque(maxlen=CHANGES_MAX)

    def keep(self, wanted: Callable[[], bool]) -> None:
        """Remember from now on, until `wanted` says no."""
        self._wanted = wanted
        if not self._listening and wanted():
            self._listening = True
            engine = self._face.market.engine
            self._last_id = engine.executions[-1].execution_id if engine.executions else self._last_id
            self._known = {order.order_id: copy.copy(order) for order in engine.registry.client_orders()}
            self._face.users.on_execution = (*self._face.users.on_execution, self._hear)

    def _hear(self, execution: Execution, now_ns: int) -> None:
        if not self._wanted():
            self._listening = False
            self._face.users.on_execution = tuple(h for h in self._face.users.on_execution if h != self._hear)
            self._known.clear()
            self._changes.clear()
            return
        self._note(execution)

    def _note(self, execution: Execution) -> None:
        order = execution.order
        if order.account == BACKGROUND or execution.execution_id <= self._last_id:
            return
        self._last_id = execution.execution_id
        after = copy.copy(order)
        after.status, after.executed = execution.status, execution.executed
        after.quote_executed, after.updated_ns = execution.quote_executed, execution.time_ns
        after.quantity, after.prevented = execution.quantity, execution.prevented_total
        # A report after the one that closed the order, as of a late fill, changes nothing that was known before.
        unknown = None if execution.kind is ExecutionKind.NEW else after
        before = self._known.pop(order.order_id, unknown)
        self._changes.append((execution.time_ns, order.order_id, before))
        if after.is_open:
            self._known[order.order_id] = after

    @contextmanager
    def as_of(self, then_ns: int) -> Iterator[None]:
        """Within it the engine's registry shows the world of `then_ns`: for one operation, without an await."""
        engine = self._face.market.engine
        for execution in engine.executions:
            self._note(execution)
        changed: dict[int, Order | None] = {}
        for time_ns, order_id, before in reversed(self._changes):
            if time_ns <= then_ns:
                break
            changed[order_id] = before
        present = engine.registry
        engine.registry = PastRegistry(present, changed, then_ns)
        try:
            yield
        finally:
            engine.registry = present


def rows_until(answer: Json, then_ns: int) -> Json:
    """Return a history without what is younger than `then_ns`."""
    if not isinstance(answer, list):
        return answer
    return [row for row in answer if not isinstance(row, dict) or _time_ns(row) <= then_ns]


def _time_ns(row: dict[str, Json]) -> int:
    time_ns = row.get("time")
    return time_ns if isinstance(time_ns, Instant) else 0


class PastRegistry(OrderRegistry):
    """A registry that answers questions as of `then_ns`; `changed`: what differed then. Not to be written to."""

    def __init__(self, present: OrderRegistry, changed: dict[int, Order | None], then_ns: int) -> None:
        self.__dict__.update(present.__dict__)
        self._present = present
        self._changed = changed
        self._then_ns = then_ns

    def _was(self, order: Order | None) -> Order | None:
        return None if order is None else self._changed.get(order.order_id, order)

    def find(self, account: AccountId, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        return self._was(self._present.find(account, symbol, order_id, client_order_id))

    def open_orders(self, account: AccountId, symbol: str | None = None) -> list[Order]:
        present = self._present.open_orders(account, symbol)
        then = [order for order in present if order.order_id not in self._changed]
        then.extend(
            order
            for order in self._changed.values()
            if order is not None and order.is_open and order.account == account and symbol in (None, order.symbol)
        )
        return sorted(then, key=lambda order: order.order_id)

    def all_orders(self, account: AccountId, symbol: str) -> list[Order]:
        present = self._present.all_orders(account, symbol)
        return [was for order in present if (was := self._was(order)) is not None]

    def trades(self, account: AccountId, symbol: str) -> list[AccountTrade]:
        return [t for t in self._present.trades(account, symbol) if t.time_ns <= self._then_ns]
