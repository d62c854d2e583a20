"""What stands in for the world in the benchmark rig: an instrument, a socket that keeps counts, a venue's words."""

from collections.abc import Callable
from time import perf_counter_ns

import msgspec

from bus.actor import NOTHING, Handler
from bus.messages import (
    ExecutionReport,
    Instrument,
    Message,
    OrdersReady,
    Outcome,
    QueryAnswer,
    QueryKind,
    ReleaseConnection,
    ReportKind,
    ReportSource,
    Resubscribe,
    RollConnection,
    Side,
    SnapshotAnswer,
    SnapshotRequest,
    TradesAnswer,
    TradesRequest,
    VenueQuery,
    VenueState,
)
from ops.assembly import ACCOUNT, VENUE
from ops.bench.market import SYMBOL, TICK
from ops.supervisor import Supervisor

INSTRUMENT = Instrument(
    instrument=0,
    version=1,
    account=ACCOUNT,
    venue=VENUE,
    venue_symbol=SYMBOL,
    base_asset="BTC",
    quote_asset="USDT",
    price_scale=8,
    quantity_scale=8,
    base_scale=8,
    quote_scale=8,
    tick=TICK,
    lot=1_000,
    min_price_ticks=1,
    max_price_ticks=100_000_000,
    min_lots=1,
    max_lots=900_000_000,
    min_notional=500_000_000,
    max_notional=0,
    max_orders=200,
)


class Socket:
    """What the order door writes to: it notes when, and keeps nothing but counts."""

    open = True
    buffered = 0

    def __init__(self) -> None:
        self.order_ns = self.cancel_ns = 0
        self.orders = self.cancels = self.bytes = 0

    def write_all(self, payloads: list[bytes]) -> None:
        now = perf_counter_ns()
        for payload in payloads:
            self._count(payload, now)

    def _count(self, payload: bytes, now: int) -> None:
        self.bytes += len(payload)
        if payload.startswith(b'{"id":"s'):
            self.order_ns = self.order_ns or now
            self.orders += 1
        else:
            self.cancel_ns = self.cancel_ns or now
            self.cancels += 1


class NullSink:
    """A log that forgets: for the variants without one."""

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        return 0


class Answers:
    """The REST door's place: the market's snapshot, an empty account."""

    name = "rest_door"

    def __init__(self, snapshot: Callable[[], bytes], answer: Callable[[Message], None]) -> None:
        self.handlers: dict[type[Message], Handler] = {
            SnapshotRequest: self._snapshot,
            TradesRequest: self._trades,
            VenueQuery: self._query,
        }
        self._read_snapshot, self._answer = snapshot, answer

    def _snapshot(self, request: SnapshotRequest, now_ns: int) -> tuple[Message, ...]:
        head = (request.actor, request.counter, request.generation, Outcome.RESULT, request.instrument, now_ns, "")
        self._answer(SnapshotAnswer(*head, self._read_snapshot()))
        return NOTHING

    def _trades(self, request: TradesRequest, now_ns: int) -> tuple[Message, ...]:
        """It keeps none of them."""
        head = (request.actor, request.counter, request.generation, Outcome.REFUSED, request.instrument, now_ns)
        self._answer(TradesAnswer(*head, "no trades are kept", b""))
        return NOTHING

    def _query(self, query: VenueQuery, now_ns: int) -> tuple[Message, ...]:
        head = (query.actor, query.counter, query.generation, Outcome.RESULT, query.kind, query.instrument)
        found = query.kind is not QueryKind.ORDER
        self._answer(QueryAnswer(*head, query.client_order_id, now_ns, now_ns, "", found, True, (), ()))
        return NOTHING


class Frames:
    """The feed door's place: frames are handed in by the rig, and no connection is ever renewed."""

    name = "feed_door"

    def __init__(self) -> None:
        self.handlers: dict[type[Message], Handler] = {
            Resubscribe: self._ignore,
            RollConnection: self._ignore,
            ReleaseConnection: self._ignore,
        }

    def _ignore(self, _message: Message, _now_ns: int) -> tuple[Message, ...]:
        return NOTHING


class Ear(Supervisor):
    """The supervisor without its log: it only hears whether the engine became ready."""

    def __init__(self) -> None:
        super().__init__()
        self.heard_ready = False
        self.handlers = dict.fromkeys(self.handlers, self._hear)

    def _hear(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self.heard_ready = self.heard_ready or type(message) is OrdersReady
        return NOTHING


def fill_report(
    client_order_id: str, venue_id: int, side: Side, price: int, quantity: int, now_ns: int
) -> ExecutionReport:
    """The whole order, at its price, without a fee."""
    quote = price * quantity // 10**8
    return msgspec.structs.replace(
        order_report(client_order_id, venue_id, ReportKind.TRADE, side, price, quantity, now_ns),
        state=VenueState.DONE_FILLED,
        status="FILLED",
        cumulative=quantity,
        cumulative_quote=quote,
        trade_id=venue_id,
        last_quantity=quantity,
        last_price=price,
        last_quote=quote,
        fee_asset="USDT",
        is_maker=True,
        execution_id=2 * venue_id + 1,
    )


def order_report(
    client_order_id: str, venue_id: int, kind: ReportKind, side: Side, price: int, quantity: int, now_ns: int
) -> ExecutionReport:
    done = kind is ReportKind.CANCELED
    return ExecutionReport(
        account=ACCOUNT,
        venue=VENUE,
        instrument=0,
        source=ReportSource.STREAM,
        kind=kind,
        state=VenueState.DONE_CANCELED if done else VenueState.WORKING,
        status=kind.name,
        client_order_id=client_order_id,
        venue_order_id=venue_id,
        side=side,
        price=price,
        quantity=quantity,
        cumulative=0,
        cumulative_quote=0,
        trade_id=-1,
        last_quantity=0,
        last_price=0,
        last_quote=0,
        fee=0,
        fee_asset="",
        is_maker=False,
        execution_id=2 * venue_id + done,
        venue_ns=now_ns,
        received_ns=now_ns,
        reason="",
        venue_symbol=SYMBOL,
    )
