"""What all rules of the orders actor share: the orders, numbers, open questions, deadlines, and the few effects.

It holds no rule about a venue's answer. Every effect appends to `out`, the messages of the step in their order.
"""

import heapq

import msgspec

from actors.orders import forgotten
from actors.orders.absent import Proofs
from actors.orders.ids import CLAIMED, IdMaker
from actors.orders.order import Order, is_done, lots, public_status, shortfall, venue_ended
from actors.orders.pace import Pace
from actors.orders.question import Question, Strange
from actors.orders.register import Register
from actors.orders.settings import OrdersSettings
from actors.orders.state import CERTAINTY, Certainty, Proof
from bus.messages import (
    Alert,
    AlertLevel,
    ExecutionReport,
    Instrument,
    Message,
    OrderStatus,
    OrderUpdate,
    QueryKind,
    SetTimer,
    VenueQuery,
    VenueState,
)

NAME = "orders"
WAKE_TIMER = 1
RECONCILE_TIMER = 2
STOP_TIMER = 3
AGAIN_TIMER = 4
STREAM_TIMER = 5
LOOKUP_TIMER = 6
ANSWER_TIMER = 7
JUDGED_TIMER = 8
FOREIGN_MAX = 10_000
"""Orders known to be nobody's of ours, so that they are not asked for again; the oldest is forgotten first; chosen."""
QUARANTINE_MAX = 256  # chosen: reports kept for people; beyond it the oldest goes, counted
STRANGE_MAX = 64  # chosen: contradictions shown to people, in each view; beyond it the oldest goes
TRADES_OVERLAP_NS = 3_600_000_000_000
"""How much earlier than that look trades are asked for by time: a replica may lag. Chosen; what is known is known by its id."""
TRADES_AGE_NS = 180 * 86_400_000_000_000
"""Older ones are not asked for by time: the venue has half a year (Binance USDⓈ-M, docs, "Account Trade List", 2026-11)."""
CANCELED = OrderStatus.CANCELED
ONE_ENGINE = "remedy=one engine an account, or another [orders] prefix for each"
NOT_FOUND_MIN = 2
"""Agreeing "does not exist" answers before the trade history is asked (a replica may lag)."""
ALERT_EVERY = 10  # chosen: one alert in ten failures of the same question (at 5 s back-off: one in 50 s)


class Terms(msgspec.Struct, frozen=True):
    """What the rules need of an Instrument. factor: base units of one quantity unit; unit: base units of one lot."""

    instrument: Instrument
    factor: int
    unit: int


class Desk:
    """Single owner of the actor's state; `recovery.OrdersState` has the whole list of it.

    terms: of the instruments that were handed in this run, and no others once it has started. handed, handing: those
    handed in so far for a run that is about to start. restored: the next Instrument is the first of another run; not
    state, because only a process can know it.
    trades: highest booked trade id by instrument. floors: the same as it was when the run began. looked: trades below it
    were read by a look, which was asked at looked_ns. before: by instrument, (what looked was SPREAD_NS ago or more, what it was
    since then, when it was that). baseline: the account's last trade before our first look, by instrument: it and all before lie in
    the ledger's baseline; -1: it had none. inherited: by venue symbol, the trades of a ledger that another instance left us (see takeover).
    account_moves: fills and other executions of this run: what a comparison of balances may not have in its middle.
    blind: the private stream was given up, and the next one is not open: what happens is not told us.
    foreign: (instrument, venue order id) of orders that are nobody's of ours. ever_ready: orders of ours were accepted at some time, so a baseline of the ledger exists.
    readied: READY was reached in this run.
    later_epoch: of an order with our prefix that another engine must have made, a newer one or one of our own epoch; 0:
    none was seen. skew_ns: added to the time an order was sent, no word of the venue on it can be older.
    """

    __slots__ = (
        "account_moves",
        "armed_ns",
        "asked",
        "baseline",
        "before",
        "blind",
        "canceled",
        "counter",
        "counts",
        "ever_ready",
        "fill_number",
        "floors",
        "foreign",
        "generation",
        "handed",
        "handing",
        "heap",
        "ids",
        "inherited",
        "later_epoch",
        "looked",
        "looked_ns",
        "offset_ns",
        "pace",
        "proofs",
        "quarantine",
        "readied",
        "register",
        "restored",
        "retries",
        "settings",
        "skew_ns",
        "strange",
        "terms",
        "trades",
        "uncertainty_ns",
        "update_number",
    )

    def __init__(self, settings: OrdersSettings) -> None:
        self.settings = settings
        self.ids = IdMaker(settings.prefix, settings.ids_block)
        self.register = Register(settings.done_orders_max)
        self.terms: dict[int, Terms] = {}
        self.handed: dict[int, None] = {}
        self.handing = True
        self.restored = False
        self.later_epoch = 0
        self.blind = False
        self.account_moves = 0
        self.looked: dict[int, int] = {}
        self.looked_ns: dict[int, int] = {}
        self.before: dict[int, tuple[int, int, int]] = {}
        self.trades: dict[int, int] = {}
        self.floors: dict[int, int] = {}
        self.baseline: dict[int, int] = {}
        self.inherited: dict[str, tuple[int, ...]] = {}
        self.foreign: dict[tuple[int, int], None] = {}
        self.asked: dict[int, Question] = {}
        self.retries: dict[int, Question] = {}
        self.proofs = Proofs(self.register, self.ask)
        self.pace = Pace()
        self.heap: list[tuple[int, int, str]] = []
        self.armed_ns = 0
        self.counter = 0
        self.generation = 0
        self.update_number = 0
        self.fill_number = 0
        self.set_clock(0, 0)
        self.canceled = 0
        self.ever_ready = self.readied = False
        self.quarantine: list[ExecutionReport] = []
        self.strange: list[Strange] = []
        self.counts: dict[str, int] = {}

    def set_clock(self, offset_ns: int, uncertainty_ns: int) -> None:
        """The venue's clock minus ours. Beyond the request's own window no venue would have taken the order at all."""
        self.offset_ns = offset_ns
        self.uncertainty_ns = uncertainty_ns
        self.skew_ns = offset_ns - uncertainty_ns - self.settings.recv_window_ns

    def hand(self, terms: Terms) -> None:
        """One instrument of this run, or of the one about to start."""
        if self.restored and not self.handing:
            self.handed = {}
            self.handing = True
        self.handed[terms.instrument.instrument] = None
        self.terms[terms.instrument.instrument] = terms

    def publish(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """Derive the public state; say it if it changed, and move the order between open and done."""
        status = public_status(order)
        cumulative_lots, leaves_lots = lots(order, status)
        if (
            status is order.status
            and cumulative_lots == order.cumulative_lots
            and leaves_lots == order.leaves_lots
            and order.venue_order_id == order.venue_order_id_published
        ):
            return
        order.status = status
        order.cumulative_lots = cumulative_lots
        order.leaves_lots = leaves_lots
        order.venue_order_id_published = order.venue_order_id
        order.updated_ns = now_ns
        self.update_number += 1
        if status is CANCELED:
            self.canceled += 1
        out.append(self.update_of(order))
        self.register.place(order, is_done(order))

    def update_of(self, order: Order) -> OrderUpdate:
        settings = self.settings
        return OrderUpdate(
            self.update_number,
            settings.account,
            settings.venue,
            order.instrument,
            order.version,
            order.owner,
            order.client_order_id,
            order.venue_order_id,
            order.command,
            order.side,
            order.price_ticks,
            order.quantity_lots,
            order.cumulative_lots,
            order.leaves_lots,
            order.status,
            order.reduce_only,
            order.refusal,
            order.updated_ns,
            order.unit,
            order.code,
        )

    def doubt(self, order: Order, now_ns: int) -> None:
        """What we knew of it no longer holds: only a proof asked from now on ends that. (An end is final.)"""
        if venue_ended(order):
            return
        order.certainty = CERTAINTY[order.certainty, Proof.DOUBTED]
        order.doubt_ns = now_ns

    def ask_soon(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """Query after the order's back-off, 50 ms doubling to 5 s; nothing if a question is in flight or due.

        Of an order that the venue never had a word on, one comes as soon as "does not exist" counts, however long the back-off:
        what may exist holds up its side of the market.
        """
        if order.query or order.query_due_ns:
            return
        settings = self.settings
        order.backoff_ns = min(order.backoff_ns * 2 or settings.backoff_min_ns, settings.backoff_max_ns)
        due_ns = now_ns + order.backoff_ns
        if order.venue_state is VenueState.NONE:
            provable_ns = self.provable_ns(order.sent_ns)
            if now_ns <= provable_ns < due_ns:
                due_ns = provable_ns + 1
        order.query_due_ns = due_ns = self.pace.turn_ns(due_ns, now_ns)
        self.wake_at(order, due_ns, out)

    def provable_ns(self, from_ns: int) -> int:
        """Until then the venue may still take a request of `from_ns`: its own deadline, its processing bound, our clock's error."""
        settings = self.settings
        return from_ns + settings.recv_window_ns + settings.processing_bound_ns + self.uncertainty_ns

    def ask_now(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """ORDER while it is unproven; TRADES when executions are missing, or when it was twice not found."""
        order.query_due_ns = 0
        if order.query:
            return
        if order.lost and forgotten.is_due(order):
            order.query = self.ask(forgotten.last_question(order), now_ns, out)
            return
        if order.not_found >= NOT_FOUND_MIN:
            self.proofs.want(order, now_ns, out)
            return
        question = Question(QueryKind.ORDER, order.instrument, order.client_order_id, 0, look=False)
        if order.certainty is not Certainty.UNKNOWN:
            if not shortfall(order):
                return
            question.kind = QueryKind.TRADES
            # An orphan may have traded before all that we know; what of it the ledger holds is then counted at once.
            question.from_id = 0 if order.orphan and order.venue_order_id else max(order.trade_floor, 0)
            question.venue_order_id = order.venue_order_id  # one order's trades, where the venue named it
        order.query = self.ask(question, now_ns, out)

    def ask(self, question: Question, now_ns: int, out: list[Message], until_ns: int = 0) -> int:
        """Return the question's counter. until_ns: engine time after which no answer is of use; 0: only its own timeout."""
        deadline_ns = now_ns + self.settings.query_timeout_ns
        if question.kind is QueryKind.TRADES and not question.since_ns:
            question.since_ns = self.since_ns(question, now_ns)
        self.counter += 1
        self.asked[self.counter] = question
        key, venue_order_id = question.client_order_id, question.venue_order_id
        if key.startswith(CLAIMED):
            order = self.register.find(key)
            key, venue_order_id = "", order.venue_order_id if order is not None else venue_order_id
        out.append(
            VenueQuery(
                NAME,
                self.counter,
                self.generation,
                min(deadline_ns, until_ns) if until_ns else deadline_ns,
                self.settings.account,
                self.settings.venue,
                question.kind,
                question.instrument,
                # A door may take the id for that of every row, so a list is never asked for in one order's name.
                "" if question.kind is QueryKind.OPEN_ORDERS else key,
                question.from_id,
                0 if question.kind is QueryKind.OPEN_ORDERS else venue_order_id,
                question.since_ns,
            )
        )
        return self.counter

    def since_ns(self, question: Question, now_ns: int) -> int:
        """Where trades are asked for by time, from when on, by the venue's clock; 0: by their ids."""
        window_ns, looked_ns = self.settings.trades_window_ns, self.looked_ns.get(question.instrument, 0)
        if question.from_id < 0 or not window_ns or not looked_ns or now_ns - looked_ns <= window_ns:
            return 0
        return max(looked_ns - TRADES_OVERLAP_NS, now_ns - TRADES_AGE_NS) + self.offset_ns

    def ask_again(self, question: Question, now_ns: int, out: list[Message]) -> None:
        """A look's question failed: ask it once more after a back-off, for as long as its generation lives."""
        question.attempt += 1
        wait_ns = min(self.settings.backoff_min_ns << min(question.attempt - 1, 20), self.settings.backoff_max_ns)
        self.counter += 1
        self.retries[self.counter] = question
        heapq.heappush(self.heap, (now_ns + wait_ns, self.counter, ""))
        self.arm(out)

    def wake_at(self, order: Order, due_ns: int, out: list[Message]) -> None:
        """Look at `order` again at `due_ns`. One live entry an order, the earliest; later ones follow from it."""
        if order.wake_ns == 0 or due_ns < order.wake_ns:
            order.wake_ns = due_ns
            heapq.heappush(self.heap, (due_ns, 0, order.client_order_id))
            if self.armed_ns == 0 or due_ns < self.armed_ns:
                self.arm(out)

    def wake_later(self, order: Order, due_ns: int) -> None:
        """`wake_at` for a new order when the timer is known to be armed for something earlier. Hot."""
        order.wake_ns = due_ns
        heapq.heappush(self.heap, (due_ns, 0, order.client_order_id))

    def arm(self, out: list[Message]) -> None:
        """One host timer, at the earliest deadline. While orders flow it is armed already: no message per order."""
        if self.heap and (self.armed_ns == 0 or self.heap[0][0] < self.armed_ns):
            self.armed_ns = self.heap[0][0]
            out.append(SetTimer(NAME, WAKE_TIMER, 0, self.armed_ns))

    def disown(self) -> None:
        """A new generation: answers to what was asked before are dropped when they come."""
        self.generation += 1
        self.asked.clear()
        self.retries.clear()
        self.proofs.waiting.clear()
        for order in self.register.open.values():
            order.query = 0
            order.query_due_ns = 0

    def is_news(self, instrument: int, venue_order_id: int) -> bool:
        """Remember that this order is nobody's of ours; False if that was known."""
        if (instrument, venue_order_id) in self.foreign:
            return False
        self.foreign[instrument, venue_order_id] = None
        if len(self.foreign) > FOREIGN_MAX:
            del self.foreign[next(iter(self.foreign))]
        return True

    def count(self, event: str) -> int:
        total = self.counts.get(event, 0) + 1
        self.counts[event] = total
        return total

    def alert(self, level: AlertLevel, event: str, instrument: int, detail: str, out: list[Message]) -> None:
        self.count(event)
        out.append(Alert(level, NAME, event, instrument, detail))

    def alert_every(self, level: AlertLevel, event: str, instrument: int, detail: str, out: list[Message]) -> None:
        """The first and then each tenth time, so that an ill venue does not fill the log."""
        if (self.count(event) - 1) % ALERT_EVERY == 0:
            out.append(Alert(level, NAME, event, instrument, detail))

    def keep_aside(
        self,
        report: ExecutionReport,
        why: str,
        out: list[Message],
        level: AlertLevel = AlertLevel.WARNING,
        more: str = "",
    ) -> None:
        """Quarantine: never acted on, never dropped unseen. more: further `key=value` pairs."""
        if len(self.quarantine) >= QUARANTINE_MAX:
            del self.quarantine[0]
            self.count("quarantine_overflow")
        self.quarantine.append(report)
        ids = (report.client_order_id, report.venue_order_id, report.trade_id)
        self.note(why, report.instrument, *ids, report.received_ns)
        detail = f"symbol={report.venue_symbol} client_order_id={report.client_order_id} trade_id={report.trade_id}"
        self.alert_every(level, why, report.instrument, f"{detail} {more}".rstrip(), out)

    def note(
        self, why: str, instrument: int, client_order_id: str, venue_order_id: int, trade_id: int, at_ns: int
    ) -> None:
        """One row of what was strange."""
        if len(self.strange) >= STRANGE_MAX:
            del self.strange[0]
        self.strange.append(Strange(why, instrument, client_order_id, venue_order_id, trade_id, at_ns))
