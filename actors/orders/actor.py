"""The orders actor: the only writer of order state. Pure: no clock, no I/O. One account at one venue.

Facts are numbered from 1, OrderUpdate and Fill each in a sequence of its own, and go on after a recovery: a folder of
either sees a repeat (not above the last) and a gap (above the next).
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from actors.orders import forgotten
from actors.orders.commands import Commands
from actors.orders.desk import (
    AGAIN_TIMER,
    ANSWER_TIMER,
    JUDGED_TIMER,
    LOOKUP_TIMER,
    NAME,
    RECONCILE_TIMER,
    STOP_TIMER,
    STREAM_TIMER,
    WAKE_TIMER,
    Desk,
)
from actors.orders.order import Order, shortfall
from actors.orders.phases import Phase, Step
from actors.orders.private_stream import PrivateStream
from actors.orders.quarantine import rows
from actors.orders.queries import Queries
from actors.orders.recovery import OrdersState, Recovery, put_back, saved, terms_of
from actors.orders.reports import Reports
from actors.orders.requests import Requests
from actors.orders.settings import External, OrdersSettings
from actors.orders.startup import Startup
from actors.orders.state import CANCELING, PENDING, Asked, Trust
from actors.orders.takeover import inherit, take_over
from bus.actor import Actor
from bus.messages import (
    AccountHandedOver,
    AlertLevel,
    ApprovedOrder,
    BalancesJudged,
    CancelCommand,
    ClockEstimate,
    CommandDropped,
    Control,
    EngineStarted,
    ExecutionReport,
    ForeignTraded,
    Instrument,
    Message,
    OperatorCommand,
    PrivateStreamDown,
    PrivateStreamUp,
    QueryAnswer,
    QueryKind,
    RequestAnswered,
    RequestSent,
    StopRequested,
    StoreAnswer,
    TimerFired,
)


class Orders(Actor[OrdersState]):
    """Assembles the rules over one desk. `startup.watching` is true when an order's end may finish a phase or a stop."""

    name: ClassVar[str] = NAME
    State: ClassVar[type[msgspec.Struct]] = OrdersState

    def __init__(self, settings: OrdersSettings) -> None:
        self.settings = settings
        self.desk = Desk(settings)
        self.commands = Commands(self.desk)
        self.stream = PrivateStream(self.desk)
        self.requests = Requests(self.desk, self.stream, self.commands)
        self.reports = Reports(self.desk, self.stream)
        self.queries = Queries(self.desk, self.reports)
        self.startup = Startup(self.desk, self.commands, self.queries)
        self.recovery = Recovery(self.desk)
        self.handlers = {
            ApprovedOrder: self.commands.on_approved,
            CancelCommand: self.commands.on_cancel,
            AccountHandedOver: self.on_handed_over,
            RequestSent: self.requests.on_sent,
            RequestAnswered: self.on_answered,
            ExecutionReport: self.on_report,
            CommandDropped: self.on_dropped,
            OperatorCommand: self.on_operator,
            BalancesJudged: self.on_judged,
            QueryAnswer: self.on_query_answer,
            StoreAnswer: self.on_store_answer,
            TimerFired: self.on_timer,
            Instrument: self.on_instrument,
            EngineStarted: self.on_started,
            PrivateStreamUp: self.on_up,
            PrivateStreamDown: self.on_down,
            StopRequested: self.on_stop,
            ClockEstimate: self.on_clock,
        }

    def on_report(self, message: ExecutionReport, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.reports.on_report(message, now_ns, out)
        if self.startup.watching or self.desk.later_epoch:
            self.startup.advance(now_ns, out)
        return tuple(out)

    def on_answered(self, message: RequestAnswered, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.requests.on_answered(message, now_ns, out)
        if self.startup.watching:
            self.startup.advance(now_ns, out)
        return tuple(out)

    def on_dropped(self, message: CommandDropped, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.commands.on_dropped(message, now_ns, out)
        if self.startup.watching:
            self.startup.advance(now_ns, out)
        return tuple(out)

    def on_query_answer(self, message: QueryAnswer, now_ns: int) -> tuple[Message, ...]:
        """Each question has one answer; those of an older generation are dropped and counted."""
        desk = self.desk
        question = desk.asked.pop(message.counter, None) if message.generation == desk.generation else None
        if question is None:
            desk.count("query_answer_disowned")
            return ()
        out: list[Message] = []
        if question.look:
            self.startup.answered(question, message, now_ns, out)
        elif question.kind is QueryKind.BALANCES:
            self.startup.stop.closed(question, message, now_ns, out)
        else:
            self.queries.answered(question, message, now_ns, out)
            self.startup.differences.learned(tuple(out), out)
        if self.startup.watching or desk.later_epoch:
            self.startup.advance(now_ns, out)
        self.judge_stream(now_ns, out, looked=question.periodic and self.startup.looks.outstanding == 0)
        return tuple(out)

    def judge_stream(self, now_ns: int, out: list[Message], *, looked: bool = False) -> None:
        """A suspicion is judged as soon as the look that it caused is answered; any other look proves something, too.

        Nothing new goes out between a stream that is given up and the next one (`Desk.blind`). A stop does not wait for one.
        """
        if self.startup.phase in (Phase.DOWN, Phase.LOOK) or self.commands.stopping:
            return
        if looked or self.stream.state.trust is Trust.SUSPECT:
            self.stream.looked(now_ns, out)

    def on_store_answer(self, message: StoreAnswer, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.reports.on_store(message, now_ns, out)
        if self.startup.watching:
            self.startup.advance(now_ns, out)
        return tuple(out)

    def on_operator(self, message: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        if message.control is not Control.RECONCILE:
            return self.commands.on_operator(message, now_ns)
        out: list[Message] = []
        self.startup.on_reconcile_wanted(message.asker, now_ns, out)
        return tuple(out)

    def on_judged(self, message: BalancesJudged, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.startup.on_judged(message, now_ns, out)
        return tuple(out)

    def on_timer(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        if message.counter == WAKE_TIMER:
            self.queries.on_wake(now_ns, out)
        elif message.counter == RECONCILE_TIMER:
            self.startup.on_reconcile(now_ns, out)
        elif message.counter == AGAIN_TIMER:
            self.startup.on_again(now_ns, out)
        elif message.counter == STOP_TIMER:
            self.startup.stop.on_deadline(out)
        elif message.counter == LOOKUP_TIMER:
            self.reports.lookups.on_timer(now_ns, out)
        elif message.counter == ANSWER_TIMER:
            self.commands.people.on_timer(now_ns, out)
        elif message.counter == JUDGED_TIMER:
            self.startup.looks.on_unjudged(now_ns, out)
        elif message.counter == STREAM_TIMER:
            self.on_stream_timer(message, now_ns, out)
        if self.startup.watching:
            self.startup.advance(now_ns, out)
        return tuple(out)

    def on_stream_timer(self, message: TimerFired, now_ns: int, out: list[Message]) -> None:
        if not self.commands.stopping and self.stream.on_timer(message.fires_ns, now_ns, out):
            self.startup.suspect(now_ns, out)
            self.judge_stream(now_ns, out)

    def on_handed_over(self, message: AccountHandedOver, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        take_over(self.desk, message, out)
        return tuple(out)

    def on_started(self, message: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A run begins: nothing asked or armed before it exists any more, and every open order is unproven."""
        desk = self.desk
        out: list[Message] = []
        stream_up = self.startup.stream_up
        if not desk.ids.start(message.epoch):
            detail = f"epoch={message.epoch} highest={desk.ids.epoch}"
            desk.alert(AlertLevel.CRITICAL, "epoch_went_back", -1, detail, out)
            self.startup.begin_run(started=False)
            return tuple(out)
        desk.heap.clear()
        desk.armed_ns = desk.pace.until_ns = 0
        desk.floors = {number: min(desk.looked.get(number, last), last) for number, last in desk.trades.items()}
        desk.later_epoch = 0
        self.commands.release()
        desk.disown()
        for order in desk.register.open.values():
            self.reset(order, now_ns)
        self.startup.begin_run(started=True)
        out.append(self.commands.reserve())
        self.startup.doubt_all(now_ns, out)
        self.startup.configure(out)
        if self.settings.external is not External.LEAVE:
            desk.foreign.clear()  # Under another configuration they were nobody's of ours.
        self.stream.begin_run(stream_up)
        self.reports.lookups.begin_run(now_ns, out)
        if stream_up:
            self.startup.on_up(now_ns, out)
        return tuple(out)

    def reset(self, order: Order, now_ns: int) -> None:
        """What only lived in the last run: timers, and requests whose answers cannot come any more.

        Nothing of it lies in the future, whatever the wall clock did between the two runs.
        """
        order.sent_ns = min(order.sent_ns, now_ns)
        order.cancel_sent_ns = min(order.cancel_sent_ns, now_ns)
        order.updated_ns = min(order.updated_ns, now_ns)
        order.missing_ns = min(order.missing_ns, now_ns)
        order.wake_ns = 0
        order.backoff_ns = 0
        order.not_found = 0
        forgotten.recall(order)
        order.cancel_wanted = False
        order.cancel_retry_ns = 0
        if order.pending in CANCELING:
            order.pending = PENDING[order.pending, Asked.CANCEL_SETTLED]

    def on_instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        """Terms of new orders. An order keeps its own lot; one from a journal that names none gets it here, or is asked for."""
        desk = self.desk
        out: list[Message] = []
        if message.account != self.settings.account:
            return ()  # looked at, not traded: the venue is not asked about it
        if message.base_scale < message.quantity_scale:
            desk.alert(AlertLevel.CRITICAL, "instrument_refused", message.instrument, "reason=base_scale", out)
            return tuple(out)
        added = message.instrument not in desk.terms
        terms = terms_of(message)
        if desk.restored and not desk.handing:
            # Another process: the stream that a checkpoint speaks of died with the last one.
            self.startup.stream_up = False
        desk.hand(terms)
        inherit(desk, terms)
        if self.startup.started and desk.register.stranded:
            desk.register.strand(desk.terms)
        for order in desk.register.open.values():
            if order.instrument == message.instrument and order.unit == 0 and not self.reports.complete(order, terms):
                detail = f"client_order_id={order.client_order_id} version={order.version} now={message.version}"
                desk.alert(AlertLevel.WARNING, "order_of_another_version", order.instrument, detail, out)
        if added and self.startup.phase not in (Phase.DOWN, Phase.PAUSE):
            self.startup.begin_look(Step.STREAM_UP, "instrument_added", now_ns, out)
        return tuple(out)

    def on_up(self, message: PrivateStreamUp, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.stream.opened(message.generation, now_ns)
        self.startup.on_up(now_ns, out)
        return tuple(out)

    def on_down(self, message: PrivateStreamDown, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.stream.closed()
        self.startup.on_down(message.reason, now_ns, out)
        return tuple(out)

    def on_stop(self, message: StopRequested, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        self.startup.on_stop(message, now_ns, out)
        return tuple(out)

    def on_clock(self, message: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        """Of the venue we trade at; another's says nothing about our orders."""
        if message.venue == self.settings.venue:
            self.desk.set_clock(message.offset_ns, message.uncertainty_ns)
        return ()

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {**self.recovery.handlers(), ForeignTraded: self.reports.strangers.foreign.recover}

    def checkpoint(self) -> OrdersState:
        return saved(self.desk, self.startup, self.reports)

    def restore(self, state: OrdersState) -> None:
        put_back(self.desk, self.startup, self.reports, state)

    def view(self) -> dict[str, Any]:
        """Open orders by status and by instrument, shortfalls in base units (never zero), counters of everything odd, and the phase.

        strange: contradictions and what was kept aside, youngest first, each with its reason. private_stream: see StreamState.
        """
        desk = self.desk
        statuses: dict[str, int] = {}
        shortfalls: dict[str, int] = {}
        working_on: dict[int, int] = {}
        for order in desk.register.open.values():
            working_on[order.instrument] = working_on.get(order.instrument, 0) + 1
            statuses[order.status.name] = statuses.get(order.status.name, 0) + 1
            if missing := shortfall(order):
                shortfalls[order.client_order_id] = missing
        return {
            "phase": self.startup.phase.name,
            "epoch": desk.ids.epoch,
            "working": len(desk.register.open),
            "working_on": working_on,
            "stranded": len(desk.register.stranded),
            "open": statuses,
            "shortfalls": shortfalls,
            "done": len(desk.register.done) + len(desk.register.archive),
            "updates": desk.update_number,
            "fills": desk.fill_number,
            "questions": len(desk.asked),
            "quarantined": len(desk.quarantine),
            "strange": rows(desk),
            "private_stream": self.stream.view(),
            "parked": len(self.reports.lookups.parked),
            "counts": dict(desk.counts),
        }
