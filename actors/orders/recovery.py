"""The actor's whole state as one value, and the journal's facts folded back into it. Decisions are not repeated here."""

import heapq
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from actors.orders.desk import Desk, Terms
from actors.orders.looks import Unsettled
from actors.orders.lookups import Parked
from actors.orders.order import Execution, Order, is_done
from actors.orders.phases import Phase
from actors.orders.private_stream import StreamState
from actors.orders.question import Question, Strange
from actors.orders.reports import Reports
from actors.orders.restored import FOUND_OWNERS, set_axes
from actors.orders.startup import Startup
from actors.orders.state import Certainty
from actors.orders.takeover import take_over
from bus.messages import (
    AccountHandedOver,
    BalancesReported,
    CancelOrder,
    ExecutionReport,
    Fill,
    IdsReserved,
    Instrument,
    Message,
    OrderStatus,
    OrderUpdate,
    SubmitOrder,
    VenuePosition,
)


class OrdersState(msgspec.Struct):
    """Dicts as lists of items, in order. Open orders are whole records, done ones each an Order in msgpack (see register).

    comparison: trigger, begin, rows and fills before, of Differences; verdicts: its compared and uncompared. held: of all orders, and
    of new ones, of Commands. unsettled: none or one.
    """

    ids: tuple[int, int, int]
    instruments: list[Instrument]
    open: list[Order]
    done: list[msgspec.Raw]
    trades: list[tuple[int, int]]
    floors: list[tuple[int, int]]
    asked: list[tuple[int, Question]]
    retries: list[tuple[int, Question]]
    heap: list[tuple[int, int, str]]
    armed_ns: int
    counter: int
    generation: int
    update_number: int
    fill_number: int
    offset_ns: int
    uncertainty_ns: int
    canceled: int
    ever_ready: bool
    quarantine: list[ExecutionReport]
    counts: list[tuple[str, int]]
    phase: Phase
    started: bool
    stream_up: bool
    differs: bool
    quiet_said: bool
    watching: bool
    outstanding: int
    rounds: int
    fills_before: int
    canceled_before: int
    accepting: bool
    stopping: bool
    stranded: list[Order]
    handed: list[int]
    handing: bool
    later_epoch: int
    looked: list[tuple[int, int]]
    stop_ns: int = 0
    closing: int = 0
    baseline: list[tuple[int, int]] = []
    inherited: list[tuple[str, tuple[int, ...]]] = []
    foreign: list[tuple[int, int]] = []
    readied: bool = False
    began_ns: int = 0
    balances_next: bool = False
    moved: int = 0
    positions: tuple[VenuePosition, ...] = ()
    comparison: tuple[str, int, int, int] = ("", 0, 0, 0)
    told: list[str] = []
    stream: StreamState = msgspec.field(default_factory=StreamState)
    strange: list[Strange] = []
    parked: list[Parked] = []
    forgotten: int = 0
    account_moves: int = 0
    foreign_number: int = 0
    foreign_trades: list[tuple[int, int, int]] = []
    askers: list[str] = []
    unasked: list[str] = []
    unjudged: bool = False
    keeping: bool = False
    held: tuple[int, int] = (0, 0)
    overdue: int = 0
    unsettled: list[Unsettled] = []
    verdicts: tuple[bool, int] = (True, 0)
    paced_ns: int = 0
    proving: list[tuple[int, list[str]]] = []
    looked_ns: list[tuple[int, int]] = []
    before: list[tuple[int, tuple[int, int, int]]] = []


DESK_INTEGERS = (
    "armed_ns",
    "counter",
    "generation",
    "update_number",
    "fill_number",
    "offset_ns",
    "uncertainty_ns",
    "canceled",
    "ever_ready",
    "readied",
    "handing",
    "later_epoch",
)
STARTUP_FIELDS = ("started", "stream_up", "watching", "rounds", "fills_before", "canceled_before")
STOP_FIELDS = ("keeping", "quiet_said", "stop_ns", "closing")
LOOKS_FIELDS = (
    "phase",
    "differs",
    "outstanding",
    "began_ns",
    "balances_next",
    "moved",
    "positions",
    "unjudged",
    "overdue",
)


def saved(desk: Desk, startup: Startup, reports: Reports) -> OrdersState:
    ids = desk.ids
    plain: dict[str, Any] = {name: getattr(desk, name) for name in DESK_INTEGERS}  # values are typed by OrdersState
    plain.update({name: getattr(startup, name) for name in STARTUP_FIELDS})
    plain.update({name: getattr(startup.stop, name) for name in STOP_FIELDS})
    plain.update({name: getattr(startup.looks, name) for name in LOOKS_FIELDS})
    rows = startup.differences
    return OrdersState(
        ids=(ids.epoch, ids.next_counter, ids.reserved_below),
        instruments=[terms.instrument for terms in desk.terms.values()],
        done=desk.register.pack(),
        open=list(desk.register.open.values()),
        stranded=list(desk.register.stranded.values()),
        handed=list(desk.handed),
        looked=list(desk.looked.items()),
        looked_ns=list(desk.looked_ns.items()),
        before=list(desk.before.items()),
        trades=list(desk.trades.items()),
        floors=list(desk.floors.items()),
        asked=list(desk.asked.items()),
        retries=list(desk.retries.items()),
        paced_ns=desk.pace.until_ns,
        proving=[(instrument, list(keys)) for instrument, keys in desk.proofs.waiting.items()],
        heap=sorted(desk.heap),
        quarantine=list(desk.quarantine),
        counts=list(desk.counts.items()),
        baseline=list(desk.baseline.items()),
        inherited=list(desk.inherited.items()),
        foreign=list(desk.foreign),
        accepting=startup.commands.accepting,
        stopping=startup.commands.stopping,
        held=(startup.commands.held_ns, startup.commands.held_new_ns),
        comparison=(rows.trigger, rows.began_ns, rows.rows, rows.fills_before),
        told=list(rows.told),
        verdicts=(rows.compared, rows.uncompared),
        unsettled=[] if startup.looks.unsettled is None else [startup.looks.unsettled],
        askers=list(rows.askers),
        unasked=list(startup.looks.unasked),
        stream=reports.stream.checkpoint(),
        strange=list(desk.strange),
        parked=list(reports.lookups.parked.values()),
        forgotten=desk.register.forgotten,
        account_moves=desk.account_moves,
        foreign_number=reports.strangers.foreign.number,
        foreign_trades=list(reports.strangers.foreign.booked),
        **plain,
    )


def put_back(desk: Desk, startup: Startup, reports: Reports, state: OrdersState) -> None:
    desk.ids.set(*state.ids)
    desk.terms = {instrument.instrument: terms_of(instrument) for instrument in state.instruments}
    desk.register.unpack(state.open, state.stranded, state.done)
    desk.handed = dict.fromkeys(state.handed)
    desk.looked = dict(state.looked)
    desk.looked_ns = dict(state.looked_ns)
    desk.before = dict(state.before)
    desk.restored = True
    desk.trades = dict(state.trades)
    desk.floors = dict(state.floors)
    desk.asked = dict(state.asked)
    desk.retries = dict(state.retries)
    desk.pace.until_ns = state.paced_ns
    desk.proofs.waiting = {instrument: list(keys) for instrument, keys in state.proving}
    desk.heap = list(state.heap)
    heapq.heapify(desk.heap)
    desk.baseline = dict(state.baseline)
    desk.inherited = dict(state.inherited)
    desk.foreign = dict.fromkeys(state.foreign)
    desk.quarantine = list(state.quarantine)
    desk.counts = dict(state.counts)
    desk.strange = list(state.strange)
    desk.register.forgotten = state.forgotten
    desk.account_moves = state.account_moves
    reports.strangers.foreign.number = state.foreign_number
    reports.strangers.foreign.booked = dict.fromkeys(state.foreign_trades)
    reports.stream.restore(state.stream)
    reports.lookups.parked = {parked.client_order_id: parked for parked in state.parked}
    for name in DESK_INTEGERS:
        setattr(desk, name, getattr(state, name))
    desk.set_clock(desk.offset_ns, desk.uncertainty_ns)
    for name in STARTUP_FIELDS:
        setattr(startup, name, getattr(state, name))
    for name in STOP_FIELDS:
        setattr(startup.stop, name, getattr(state, name))
    for name in LOOKS_FIELDS:
        setattr(startup.looks, name, getattr(state, name))
    rows = startup.differences
    rows.trigger, rows.began_ns, rows.rows, rows.fills_before = state.comparison
    rows.told = dict.fromkeys(state.told)
    rows.compared, rows.uncompared = state.verdicts
    startup.looks.unsettled = next(iter(state.unsettled), None)
    rows.askers = list(state.askers)
    startup.looks.unasked = list(state.unasked)
    startup.commands.accepting = state.accepting
    startup.commands.stopping = state.stopping
    startup.commands.held_ns, startup.commands.held_new_ns = state.held


def terms_of(instrument: Instrument) -> Terms:
    """Base units must be at least as fine as the venue's quantity text, or quantities could not be exact."""
    assert instrument.base_scale >= instrument.quantity_scale, instrument
    factor = 10 ** (instrument.base_scale - instrument.quantity_scale)
    return Terms(instrument, factor, instrument.lot * factor)


class Recovery:
    """Folds the journal's tail. An order that is journaled and nothing more may be on the venue: UNKNOWN_NEW."""

    __slots__ = ("desk",)

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def handlers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {
            IdsReserved: self.on_ids,
            SubmitOrder: self.on_submit,
            CancelOrder: self.on_cancel,
            OrderUpdate: self.on_update,
            Fill: self.on_fill,
            BalancesReported: self.on_balances,
            AccountHandedOver: self.on_handed_over,
        }

    def on_ids(self, message: IdsReserved, now_ns: int) -> None:
        self.desk.ids.recover(message.epoch, message.below)

    def on_submit(self, message: SubmitOrder, now_ns: int) -> None:
        self.desk.ever_ready = True
        order = self.order_of(message, now_ns)
        order.sent_ns = max(order.sent_ns, now_ns)

    def on_balances(self, message: BalancesReported, now_ns: int) -> None:
        """The first of a life names where the baseline ends; what later ones name was booked, and stands in fills."""
        for instrument, trade_id in message.trades:
            self.desk.trades.setdefault(instrument, trade_id)
            self.desk.baseline.setdefault(instrument, trade_id)

    def on_handed_over(self, message: AccountHandedOver, now_ns: int) -> None:
        take_over(self.desk, message, [])

    def on_cancel(self, message: CancelOrder, now_ns: int) -> None:
        order = self.desk.register.find(message.client_order_id)
        if order is not None:
            order.attempt = max(order.attempt, message.attempt)
            order.cancel_sent_ns = max(order.cancel_sent_ns, now_ns)

    def on_update(self, message: OrderUpdate, now_ns: int) -> None:
        desk = self.desk
        if message.number <= desk.update_number:
            return
        desk.update_number = message.number
        order = self.order_of(message, now_ns)
        if message.venue_order_id:
            desk.register.link(order, message.venue_order_id)
            order.venue_order_id_published = message.venue_order_id
        order.status = message.status
        order.quantity_lots = message.quantity_lots
        order.cumulative_lots = message.cumulative_lots
        order.leaves_lots = message.leaves_lots
        order.refusal, order.code = message.refusal, message.code
        order.updated_ns = message.updated_ns
        if order.unit:
            order.covered = max(order.cumulative_lots * order.unit - order.booked, 0)
            order.cumulative = max(order.cumulative, order.booked + order.covered)
        set_axes(order)
        desk.register.place(order, is_done(order))

    def on_fill(self, message: Fill, now_ns: int) -> None:
        desk = self.desk
        if message.trade_id > desk.trades.get(message.instrument, -1):
            desk.trades[message.instrument] = message.trade_id
        desk.ever_ready = desk.ever_ready or message.owner not in FOUND_OWNERS
        if message.number <= desk.fill_number:
            return
        desk.fill_number = message.number
        order = desk.register.find(message.client_order_id)
        if order is None:
            desk.count("recovered_fill_of_forgotten_order")
            return
        order.executions.append(Execution(message.trade_id, message.venue_order_id, message.quantity, message.quote))
        order.trade_max = max(order.trade_max, message.trade_id)
        order.booked += message.quantity
        order.cumulative = max(order.cumulative, order.booked + order.covered)
        if message.venue_order_id and not order.venue_order_id:
            desk.register.link(order, message.venue_order_id)
        if not is_done(order):
            set_axes(order)

    def order_of(self, message: SubmitOrder | OrderUpdate, now_ns: int) -> Order:
        """The record named by the fact; made from it when unknown, because the journal may begin with either fact."""
        desk = self.desk
        order = desk.register.find(message.client_order_id)
        if order is not None:
            order.unit = order.unit or message.unit
            return order
        order = Order(
            message.client_order_id,
            message.instrument,
            message.version,
            message.owner,
            message.command,
            message.side,
            message.price_ticks,
            message.quantity_lots,
            message.reduce_only,
            message.unit,
        )
        order.sent_ns = now_ns
        order.trade_floor = desk.trades.get(message.instrument, -1)
        order.leaves_lots = message.quantity_lots
        order.orphan = message.owner in FOUND_OWNERS
        order.status = OrderStatus.INTENT  # nobody was told of it: the run's start will say UNKNOWN_NEW
        order.certainty = Certainty.UNKNOWN
        terms = desk.terms.get(message.instrument)
        if not order.unit and terms is not None and terms.instrument.version == message.version:
            order.unit = terms.unit
        desk.register.open[order.client_order_id] = order
        return order
