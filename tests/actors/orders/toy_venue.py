"""A venue, a door and a host in one seeded toy, as unkind as the real ones: the orders actor lives between them.

Requests may be lost, late, or unanswered; queries fail or come in pages; the private stream breaks and what it would
have said is gone; the process is killed between two messages of a step and comes back from its journal (or from a
checkpoint and the tail). `truth` checks after every step what may never break.
"""

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from actors.orders import Orders, OrdersSettings
from actors.orders.recovery import OrdersState
from bus.messages import (
    BalancesJudged,
    BalancesReported,
    CancelCommand,
    CancelOrder,
    EngineStarted,
    ExecutionReport,
    Fill,
    IdsReserved,
    Message,
    OrdersQuiet,
    OrdersReady,
    OrderStatus,
    OrdersUnready,
    OrderUpdate,
    Outcome,
    PrivateStreamDown,
    PrivateStreamSuspected,
    PrivateStreamUp,
    QueryAnswer,
    QueryKind,
    RequestAnswered,
    RequestKind,
    RequestSent,
    SetTimer,
    Side,
    StopRequested,
    SubmitOrder,
    TimerFired,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    MILLISECOND,
    SECOND,
    SETTINGS,
    START,
    UNIT,
    approved,
    canceled,
    history,
    new,
    reply,
    snapshot,
    traded,
)

JOURNALED = (OrderUpdate, Fill, IdsReserved, BalancesReported)
PAGE = 3
HASTY = msgspec.structs.replace(SETTINGS, stream_lag_first_ns=200 * MILLISECOND, stream_lag_min_ns=100 * MILLISECOND)
"""A storm lasts seconds; an event lags at most 15 ms behind anything."""


@dataclass
class Resting:
    """One order as the venue has it."""

    key: str
    number: int
    executed: int = 0
    state: VenueState = VenueState.WORKING


@dataclass
class Toy:
    seed: int
    faults: bool = True
    settings: OrdersSettings = HASTY
    now_ns: int = START
    orders: dict[str, Resting] = field(default_factory=dict)
    trades: list[ExecutionReport] = field(default_factory=list)
    journal: list[tuple[Message, int]] = field(default_factory=list)
    queue: list[tuple[int, int, str, Any]] = field(default_factory=list)
    booked: dict[str, int] = field(default_factory=dict)
    leaves: dict[str, int] = field(default_factory=dict)
    keys: set[tuple[int, int]] = field(default_factory=set)
    updates: int = 0
    fills: int = 0
    epoch: int = 0
    sequence: int = 0
    stream: int = 0
    ready: bool = False
    quiet: int | None = None
    command: int = 0
    kills: int = 0
    suspected: int = 0
    mute: bool = False

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.timers: dict[int, int] = {}
        self.saved: tuple[bytes, int] | None = None
        self.boot()

    # -- host -----------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """A new process: from the journal, or from the last checkpoint and the journal behind it."""
        self.actor = Orders(self.settings)
        tail = 0
        if self.saved is not None and self.random.random() < 0.5:
            raw, tail = self.saved
            self.actor.restore(msgspec.msgpack.decode(raw, type=OrdersState))
        folders = self.actor.recovers()
        for message, at_ns in self.journal[tail:]:
            folders[type(message)](message, at_ns)
        self.queue = [entry for entry in self.queue if entry[2] == "arrive"]
        heapq.heapify(self.queue)
        self.timers = {}
        self.ready = False
        self.epoch += 1
        self.give(INSTRUMENT)
        self.give(EngineStarted(1, self.epoch))
        self.stream_up()

    def later(self, wait_ns: int, kind: str, what: Any) -> None:
        self.sequence += 1
        heapq.heappush(self.queue, (self.now_ns + wait_ns, self.sequence, kind, what))

    def chance(self, share: float) -> bool:
        return self.faults and self.random.random() < share

    def give(self, message: Message) -> None:
        """One input, its outputs in order; perhaps the process dies among them."""
        out = self.actor.receive(message, self.now_ns)
        killed_at = self.random.randrange(len(out) + 1) if self.chance(0.004) else None
        for index, said in enumerate(out):
            if index == killed_at:
                break
            if isinstance(said, JOURNALED):
                self.journal.append((said, self.now_ns))
                self.fold(said)
            self.carry_out(said)
        self.truth()
        if killed_at is not None:
            self.kills += 1
            self.boot()
        elif self.random.random() < 0.02:
            self.saved = (msgspec.msgpack.encode(self.actor.checkpoint()), len(self.journal))

    def fold(self, said: Message) -> None:
        """What everybody else knows: folded from facts alone."""
        if isinstance(said, OrderUpdate):
            assert said.number == self.updates + 1, "updates are numbered without repeat or gap, across kills"
            self.updates = said.number
            self.leaves[said.client_order_id] = said.leaves_lots
        elif isinstance(said, Fill):
            assert said.number == self.fills + 1
            self.fills = said.number
            key = (said.trade_id, said.venue_order_id)
            assert key not in self.keys, "booked twice"
            self.keys.add(key)
            self.booked[said.client_order_id] = self.booked.get(said.client_order_id, 0) + said.quantity

    def truth(self) -> None:
        """Whatever was executed is either booked or still reserved for."""
        for key, order in self.orders.items():
            assert order.executed * UNIT <= self.booked.get(key, 0) + self.leaves[key] * UNIT, (self.seed, key)

    def carry_out(self, said: Message) -> None:
        if isinstance(said, SubmitOrder):
            self.submit(said)
        elif isinstance(said, CancelOrder):
            self.cancel(said)
        elif isinstance(said, VenueQuery):
            self.later(self.random.randrange(1, 30) * MILLISECOND, "ask", (said, self.now_ns))
        elif isinstance(said, SetTimer):
            self.timers[said.counter] = said.fires_ns
            self.later(max(said.fires_ns - self.now_ns, 0), "timer", said)
        elif isinstance(said, OrdersReady):
            self.ready = True
            known = self.actor.desk.register.open
            for (
                order
            ) in self.orders.values():  # what arrived after the venue had denied it is reserved for, and looked for
                denied = order.key in known and known[order.key].status is OrderStatus.UNKNOWN_NEW
                assert denied or order.state is not VenueState.WORKING
        elif isinstance(said, BalancesReported):
            self.later(0, "input", BalancesJudged(1, 0, self.chance(0.2)))
        elif isinstance(said, OrdersUnready):
            self.ready = False
        elif isinstance(said, OrdersQuiet):
            self.quiet = said.unresolved
        elif isinstance(said, PrivateStreamSuspected):
            self.suspected += 1
            if said.renew:
                self.later(0, "renew", None)

    # -- door and venue -------------------------------------------------------------------------------------------

    def submit(self, said: SubmitOrder) -> None:
        key = said.client_order_id
        if self.stream == 0:
            self.later(0, "input", reply(key, Outcome.REFUSED))
            return
        self.journal.append((said, self.now_ns))
        assert all(known != key for known in self.orders), "an id was used twice"
        if self.chance(0.02):
            return  # journaled, and the socket swallowed it: no RequestSent, no answer
        self.later(0, "input", RequestSent(RequestKind.SUBMIT, 7, key, self.now_ns))
        if self.chance(0.05):
            self.later(self.random.randrange(100) * MILLISECOND, "input", reply(key, Outcome.AMBIGUOUS))
            if self.random.random() < 0.5:
                self.later(self.random.randrange(4_900) * MILLISECOND, "arrive", key)
            return
        if self.chance(0.03):
            self.later(5 * MILLISECOND, "input", reply(key, Outcome.REFUSED, -2010))
            return
        self.later(self.random.randrange(1, 9) * MILLISECOND, "arrive", key)
        if not self.chance(0.05):
            self.later(self.random.randrange(9, 20) * MILLISECOND, "input", reply(key, Outcome.RESULT))

    def cancel(self, said: CancelOrder) -> None:
        key = said.client_order_id
        if self.stream == 0:
            self.later(0, "input", reply(key, Outcome.REFUSED, request=RequestKind.CANCEL))
            return
        self.journal.append((said, self.now_ns))
        self.later(0, "input", RequestSent(RequestKind.CANCEL, 7, key, self.now_ns))
        if self.chance(0.1):
            self.later(20 * MILLISECOND, "input", reply(key, Outcome.AMBIGUOUS, request=RequestKind.CANCEL))
            return
        self.later(self.random.randrange(1, 9) * MILLISECOND, "end", key)

    def end(self, key: str) -> None:
        order = self.orders.get(key)
        if order is None or order.state is not VenueState.WORKING:
            self.later(MILLISECOND, "input", reply(key, Outcome.REFUSED, -2011, RequestKind.CANCEL))
            return
        order.state = VenueState.DONE_CANCELED
        self.say(canceled(key, order.executed, venue_order_id=order.number))
        if not self.chance(0.1):
            self.later(MILLISECOND, "input", reply(key, Outcome.RESULT, request=RequestKind.CANCEL))

    def arrive(self, key: str) -> None:
        self.orders[key] = Resting(key, 1_000 + len(self.orders))
        self.say(new(key, venue_order_id=self.orders[key].number))

    def execute(self) -> None:
        working = [order for order in self.orders.values() if order.state is VenueState.WORKING]
        if not working:
            return
        order = self.random.choice(working)
        lots = self.random.randrange(1, 11 - order.executed)
        order.executed += lots
        number = len(self.trades) + 1
        if order.executed == 10:
            order.state = VenueState.DONE_FILLED
        row = history(number, lots, venue_order_id=order.number, venue_ns=self.now_ns, side=Side.BUY)
        self.trades.append(row)
        self.say(traded(order.key, number, lots, order.executed, venue_order_id=order.number, venue_ns=self.now_ns))

    def say(self, report: ExecutionReport) -> None:
        """On the private stream, out of order now and then, sometimes twice; into the void while it is down."""
        if self.stream == 0 or self.mute:
            return
        for _ in range(2 if self.chance(0.05) else 1):
            self.later(self.random.randrange(1, 15) * MILLISECOND, "stream", (self.stream, report))

    def ask(self, query: VenueQuery, asked_ns: int) -> None:
        reports: tuple[ExecutionReport, ...] = ()
        found = complete = True
        if query.kind is QueryKind.OPEN_ORDERS:
            reports = tuple(self.seen(order) for order in self.orders.values() if order.state is VenueState.WORKING)
        elif query.kind is QueryKind.ORDER:
            found = query.client_order_id in self.orders
            reports = (self.seen(self.orders[query.client_order_id]),) if found else ()
        elif query.kind is QueryKind.TRADES:
            wanted = query.venue_order_id
            rows = [r for r in self.trades if r.trade_id >= query.from_id and wanted in (0, r.venue_order_id)]
            rows = rows[-1:] if query.from_id < 0 else rows
            reports, complete = tuple(rows[:PAGE]), len(rows) <= PAGE
        outcome = Outcome.RESULT
        if self.chance(0.1):
            outcome, reports = self.random.choice([Outcome.AMBIGUOUS, Outcome.REFUSED]), ()
        answer = QueryAnswer(
            query.actor, query.counter, query.generation, outcome, query.kind, query.instrument,
            query.client_order_id, asked_ns, self.now_ns, "", found, complete, reports, (),
        )  # fmt: skip
        self.later(self.random.randrange(1, 30) * MILLISECOND, "input", answer)

    def seen(self, order: Resting) -> ExecutionReport:
        return snapshot(order.key, order.state, order.executed, venue_order_id=order.number)

    # -- time -----------------------------------------------------------------------------------------------------

    def stream_up(self) -> None:
        self.sequence += 1
        self.stream = self.sequence
        self.mute = False
        self.give(PrivateStreamUp(1, self.stream, self.now_ns))

    def trouble(self) -> None:
        """A trader's life between two events."""
        if self.ready and self.random.random() < 0.5:
            self.command += 1
            self.give(approved(command=self.command))
        if self.random.random() < 0.3:
            self.execute()
        if self.random.random() < 0.3 and self.actor.desk.register.open:
            key = self.random.choice(list(self.actor.desk.register.open))
            self.give(CancelCommand(1, 2, 7, "maker", key, 0))
        if self.chance(0.003) and self.stream:
            self.mute = True  # up, and silent until somebody notices
        if self.chance(0.004) and self.stream:
            self.stream = 0
            self.give(PrivateStreamDown(1, 1, "cut"))
            self.later(self.random.randrange(2_000) * MILLISECOND, "up", None)

    def step(self) -> bool:
        """The next event; False when there is none."""
        if not self.queue:
            return False
        at_ns, _, kind, what = heapq.heappop(self.queue)
        self.now_ns = max(self.now_ns, at_ns)
        if kind == "input":
            if not isinstance(what, RequestAnswered | RequestSent) or self.stream or what.request is RequestKind.CANCEL:
                self.give(what)
        elif kind == "stream" and what[0] == self.stream:
            self.give(what[1])
        elif kind == "arrive":
            self.arrive(what)
        elif kind == "end":
            self.end(what)
        elif kind == "ask":
            self.ask(*what)
        elif kind == "renew" and self.stream:
            self.stream = 0
            self.give(PrivateStreamDown(1, 1, "given up"))
            self.later(100 * MILLISECOND, "up", None)
        elif kind == "up" and self.stream == 0:
            self.stream_up()
        elif kind == "timer" and self.timers.get(what.counter) == what.fires_ns:
            del self.timers[what.counter]
            self.give(TimerFired(what.actor, what.counter, what.generation, what.fires_ns))
        return True

    def run(self, steps: int) -> None:
        for _ in range(steps):
            if self.random.random() < 0.5:
                self.trouble()
            self.step()
            self.now_ns += self.random.randrange(3) * MILLISECOND

    def stop(self) -> None:
        """No more faults: whatever happened before must now come to an end by itself."""
        self.faults = self.mute = False
        if self.stream == 0:
            self.stream_up()
        self.give(StopRequested("end", self.now_ns + 300 * SECOND))
        while self.quiet is None and self.step():
            pass
