"""Builders of messages for the tests of the orders actor, and a bench that feeds one actor and keeps what it said."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from actors.orders import Orders, OrdersSettings
from bus.messages import (
    ApprovedOrder,
    BalancesJudged,
    BalancesReported,
    EngineStarted,
    ExecutionReport,
    Instrument,
    Message,
    Outcome,
    PrivateStreamUp,
    QueryAnswer,
    QueryKind,
    Refusal,
    ReportKind,
    ReportSource,
    RequestAnswered,
    RequestKind,
    RequestSent,
    SetTimer,
    Side,
    TimerFired,
    VenueQuery,
    VenueState,
)

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
LOT = 100  # quantity units
UNIT = 10_000  # base units a lot: base_scale is two decimals finer than quantity_scale
START = 1_000 * SECOND

INSTRUMENT = Instrument(7, 1, 1, 2, "BTCUSDT", "BTC", "USDT", 2, 6, 8, 8, 1, LOT, 1, 10**9, 1, 10**9, 0, 0, 200)
SETTINGS = OrdersSettings(account=1, venue=2)

M = TypeVar("M", bound=Message)


def approved(command: int = 1, side: Side = Side.BUY, lots: int = 10, **changes: Any) -> ApprovedOrder:
    order = ApprovedOrder(1, 2, 7, 1, "maker", False, 50, 40, 10**18, command, side, 2_000_000, lots, True, command)
    return msgspec.structs.replace(order, **changes)


def report(key: str, kind: ReportKind, state: VenueState, **changes: Any) -> ExecutionReport:
    """A word on a buy of 10 lots, nothing executed unless said."""
    base = ExecutionReport(
        account=1,
        venue=2,
        instrument=7,
        source=ReportSource.STREAM,
        kind=kind,
        state=state,
        status=state.name,
        client_order_id=key,
        venue_order_id=900,
        side=Side.BUY,
        price=2_000_000,
        quantity=10 * LOT,
        cumulative=0,
        cumulative_quote=0,
        trade_id=-1,
        last_quantity=0,
        last_price=0,
        last_quote=0,
        fee=0,
        fee_asset="",
        is_maker=True,
        execution_id=0,
        venue_ns=0,
        received_ns=0,
        reason="",
        venue_symbol="BTCUSDT",
    )
    return msgspec.structs.replace(base, **changes)


def new(key: str, **changes: Any) -> ExecutionReport:
    return report(key, ReportKind.NEW, VenueState.WORKING, **changes)


def canceled(key: str, lots: int = 0, **changes: Any) -> ExecutionReport:
    return report(key, ReportKind.CANCELED, VenueState.DONE_CANCELED, cumulative=lots * LOT, **changes)


def traded(key: str, trade_id: int, lots: int, total: int, **changes: Any) -> ExecutionReport:
    """An execution of `lots`, after which `total` lots are executed of 10."""
    state = VenueState.DONE_FILLED if total >= 10 else VenueState.WORKING
    detail: dict[str, Any] = {
        "cumulative": total * LOT,
        "trade_id": trade_id,
        "last_quantity": lots * LOT,
        "last_price": 2_000_000,
        "last_quote": lots * 1000,
    }
    return report(key, ReportKind.TRADE, state, **{**detail, **changes})


def history(trade_id: int, lots: int, **changes: Any) -> ExecutionReport:
    """A row of the trade history as Binance has it: no client order id, no state, nothing of the order's own amounts."""
    row = traded("", trade_id, lots, 0)
    return msgspec.structs.replace(
        row, **{"state": VenueState.NONE, "source": ReportSource.QUERY, "quantity": 0, "price": 0, **changes}
    )


def snapshot(key: str, state: VenueState, total: int = 0, **changes: Any) -> ExecutionReport:
    changes = {"source": ReportSource.QUERY, "cumulative": total * LOT, **changes}
    return report(key, ReportKind.SNAPSHOT, state, **changes)


def sent(key: str, now_ns: int, request: RequestKind = RequestKind.SUBMIT) -> RequestSent:
    return RequestSent(request, 7, key, now_ns)


def reply(
    key: str,
    outcome: Outcome,
    code: int = 0,
    request: RequestKind = RequestKind.SUBMIT,
    venue_order_id: int = 0,
    reason: str = "",
    refusal: Refusal = Refusal.NONE,
) -> RequestAnswered:
    return RequestAnswered(request, 7, key, outcome, refusal, code, venue_order_id, 0, reason)


def answer(
    query: VenueQuery,
    now_ns: int,
    *reports: ExecutionReport,
    outcome: Outcome = Outcome.RESULT,
    found: bool = True,
    complete: bool = True,
) -> QueryAnswer:
    return QueryAnswer(
        query.actor,
        query.counter,
        query.generation,
        outcome,
        query.kind,
        query.instrument,
        query.client_order_id,
        now_ns,
        now_ns,
        "",
        found,
        complete,
        reports,
        (),
    )


def only(messages: tuple[Message, ...] | list[Message], kind: type[M]) -> M:
    found = [message for message in messages if type(message) is kind]
    assert len(found) == 1, (kind, messages)
    return found[0]


def every(messages: tuple[Message, ...] | list[Message], kind: type[M]) -> list[M]:
    return [message for message in messages if type(message) is kind]


def listing(messages: tuple[Message, ...] | list[Message]) -> VenueQuery:
    """The one question for open orders; a look asks for trades as well."""
    [query] = [query for query in every(messages, VenueQuery) if query.kind is QueryKind.OPEN_ORDERS]
    return query


@dataclass
class Bench:
    """One actor, its time, and every message it said. Timers fire when `wait` passes them.

    judges: the ledger agrees with the balances of a start; what it makes of those while ready the test says.
    """

    settings: OrdersSettings = SETTINGS
    now_ns: int = START
    said: list[Message] = field(default_factory=list)
    timers: dict[int, SetTimer] = field(default_factory=dict)
    judges: bool = True

    def __post_init__(self) -> None:
        self.orders = Orders(self.settings)

    def feed(self, message: Message) -> tuple[Message, ...]:
        if isinstance(message, ExecutionReport) and not message.received_ns:
            message = msgspec.structs.replace(message, received_ns=self.now_ns)
        out = self.orders.receive(message, self.now_ns)
        self.said.extend(out)
        for timer in every(out, SetTimer):
            self.timers[timer.counter] = timer
        if self.judges and every(out, BalancesReported) and self.orders.view()["phase"] != "READY":
            out += self.feed(BalancesJudged(1, 0, again=False))
        return out

    def wait(self, wait_ns: int) -> list[Message]:
        """Let time pass; timers fire in order. Returns what was said."""
        end_ns = self.now_ns + wait_ns
        said: list[Message] = []
        while due := [timer for timer in self.timers.values() if timer.fires_ns <= end_ns]:
            timer = min(due, key=lambda timer: (timer.fires_ns, timer.counter))
            del self.timers[timer.counter]
            self.now_ns = max(self.now_ns, timer.fires_ns)
            said.extend(self.feed(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns)))
        self.now_ns = end_ns
        return said

    def start(self, epoch: int = 1) -> tuple[Message, ...]:
        self.feed(INSTRUMENT)
        self.feed(EngineStarted(1, epoch))
        return self.untraded(self.feed(PrivateStreamUp(1, 1, self.now_ns)))

    def untraded(self, said: tuple[Message, ...]) -> tuple[Message, ...]:
        """The first start asks where the account's trades end: it never had one. Returns what else was said."""
        first = [query for query in every(said, VenueQuery) if query.kind is QueryKind.TRADES and query.from_id < 0]
        for query in first:
            assert self.feed(answer(query, self.now_ns)) == ()
        return tuple(message for message in said if message not in first)

    def empty(self, said: tuple[Message, ...]) -> list[Message]:
        """Answer every look among `said`, and what follows from it, as a venue that has nothing of ours would."""
        answers: list[Message] = []
        queue = list(every(said, VenueQuery))
        while queue:
            query = queue.pop(0)
            self.now_ns += MILLISECOND
            out = self.feed(answer(query, self.now_ns, found=query.kind is not QueryKind.ORDER))
            answers.extend(out)
            queue.extend(every(out, VenueQuery))
        return answers

    def ready(self, epoch: int = 1) -> "Bench":
        self.empty(self.start(epoch))
        return self

    def order(self, **changes: Any) -> str:
        """Send one order, and return its client order id."""
        before = set(self.orders.desk.register.open)
        self.feed(approved(**changes))
        return next(key for key in self.orders.desk.register.open if key not in before)

    def working(self, **changes: Any) -> str:
        key = self.order(**changes)
        self.feed(sent(key, self.now_ns))
        self.feed(new(key))
        return key

    def status(self, key: str) -> str:
        order = self.orders.desk.register.find(key)
        assert order is not None
        return order.status.name
