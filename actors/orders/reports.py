"""The venue's words on orders, from the stream, an answer or a query: all of them are folded by the one `fold`.

The facts of an order form a join: executions as a set by (instrument, trade id, venue order id), the highest proven
cumulative quantity, the highest state. So a repeat changes nothing and the order of arrival does not matter.
"""

from actors.orders import forgotten
from actors.orders.cancels import follow_up
from actors.orders.desk import ONE_ENGINE, Desk, Terms
from actors.orders.ids import OrderId, recognize
from actors.orders.order import Execution, Order, venue_ended
from actors.orders.settings import Leftovers
from actors.orders.state import (
    ABSENCE,
    CANCELING,
    CERTAINTY,
    PENDING,
    SUBMITTING,
    VENUE,
    Absence,
    Asked,
    Certainty,
    Missing,
    Pending,
    Proof,
)
from actors.orders.takeover import lies_inside
from bus.messages import AlertLevel, ExecutionReport, Fill, Message, OrderStatus, ReportKind, VenueState

ORPHAN_OWNER = "orphan"
NO_PROOF = -1
"""Folded, but says nothing about now: a row of the trade history."""


class Reports:
    __slots__ = ("desk",)

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def on_report(self, report: ExecutionReport, now_ns: int, out: list[Message]) -> None:
        """Hot for a report of an open order."""
        desk = self.desk
        order = desk.register.open.get(report.client_order_id)
        if order is None or order.instrument != report.instrument:
            self.elsewhere(report, report.received_ns, now_ns, out)
        elif report.venue_ns >= order.sent_ns + desk.skew_ns or not self.of_another(order, report, out):
            # Proof up to its receipt: the loss of the stream overtakes reports that wait in a lower class of inputs.
            self.fold(order, report, report.received_ns, now_ns, out)

    def of_another(self, order: Order, report: ExecutionReport, out: list[Message]) -> bool:
        """A word older than our order, which bears its id: another engine's or an old state directory's order.

        Only an order of this run can be judged so: what an earlier run stamped, another clock stamped.
        """
        desk = self.desk
        if report.venue_ns <= 0 or report.venue_ns >= order.sent_ns + desk.skew_ns:
            return False
        if order.orphan or not desk.ids.made(order.client_order_id):
            return False
        more = f"venue_order_id={report.venue_order_id} venue_ns={report.venue_ns} sent_ns={order.sent_ns}"
        desk.keep_aside(report, "report_of_another_order", out, AlertLevel.CRITICAL, more)
        return True

    def elsewhere(self, report: ExecutionReport, proof_ns: int, now_ns: int, out: list[Message]) -> Order | None:
        """Not an open order's id: a done one, known by the venue's id, lost (orphan), foreign, or a symbol unknown."""
        desk = self.desk
        if report.instrument not in desk.terms:
            desk.keep_aside(report, "report_of_unknown_instrument", out)
            return None
        order = desk.register.find(report.client_order_id)
        if order is None:
            order = desk.register.find_by_venue(report.instrument, report.venue_order_id)
        if order is None:
            order = self.unknown(report, now_ns, out)
        elif order.instrument != report.instrument:
            desk.keep_aside(report, "report_of_another_instrument", out)
            return None
        elif self.of_another(order, report, out):
            return None
        if order is not None:
            self.fold(order, report, proof_ns, now_ns, out)
        return order

    def fold(self, order: Order, report: ExecutionReport, proof_ns: int, now_ns: int, out: list[Message]) -> None:
        """Join one word into the order, then say what changed: Fill before OrderUpdate.

        proof_ns: the engine time up to which the word is true (receipt, or when the query was asked); NO_PROOF for history.
        """
        desk = self.desk
        terms = desk.terms[order.instrument]
        if order.lost and proof_ns != NO_PROOF:
            forgotten.recall(order)
        if order.unit == 0 and not self.complete(order, terms, report.quantity):
            desk.keep_aside(report, "report_of_unknown_version", out)
            return
        if order.orphan:
            order.quantity_lots = max(order.quantity_lots, -(-report.quantity * terms.factor // order.unit))
        if report.kind is ReportKind.TRADE:
            self.execute(order, report, terms, now_ns, out)
        cumulative = max(report.cumulative * terms.factor, order.booked)
        if cumulative > order.cumulative:
            order.cumulative = cumulative
            if order.orphan:
                order.missing, order.missing_ns = 0, now_ns
        if report.venue_order_id and order.venue_order_id == 0:
            desk.register.link(order, report.venue_order_id)
        self.join_state(order, report)
        if venue_ended(order):
            if order.pending:
                order.pending = PENDING[order.pending, Asked.ALL_SETTLED]
            order.certainty = CERTAINTY[order.certainty, Proof.PROVEN]
        elif report.kind is ReportKind.OTHER:
            desk.doubt(order, now_ns)
            self.alert_unknown_word(order, report, out)
        elif (
            order.certainty
            and proof_ns >= order.doubt_ns
            and order.pending not in CANCELING
            and order.venue_state is not VenueState.NONE
        ):
            self.proven(order)
        desk.publish(order, now_ns, out)
        if order.certainty or order.cancel_wanted or order.cumulative > order.booked + order.covered:
            follow_up(desk, order, now_ns, out)

    def complete(self, order: Order, terms: Terms, quantity: int = 0) -> bool:
        """A recovered order of which no fact names the lot learns it, and what lay in the baseline: counted, without a fill.

        quantity: the venue's original one, quantity units; 0: not said. Of another version it alone tells: the present
        lot would make another order of it. False: still not known.
        """
        unit = terms.unit
        if terms.instrument.version != order.version and not order.orphan:
            unit, rest = divmod(quantity * terms.factor, order.quantity_lots)
            if rest:
                self.desk.count("quantity_of_another_version")
            if rest or not unit:
                return False
        order.unit = unit
        order.covered = max(order.cumulative_lots * terms.unit - order.booked, 0)
        order.cumulative = max(order.cumulative, order.booked + order.covered)
        return True

    def join_state(self, order: Order, report: ExecutionReport) -> None:
        """Axis one. An execution or a snapshot proves that the order exists, whatever its state's word is."""
        state = order.venue_state
        fact = report.state
        if fact is VenueState.NONE and order.cumulative > 0:
            fact = VenueState.WORKING
        if fact is not state:
            state = VENUE[state, fact]
        if order.cumulative >= order.quantity_lots * order.unit > 0:
            state = VenueState.DONE_FILLED
        if order.venue_state is VenueState.NONE:
            order.cancel_refusals = 0  # Cancels were refused because it was not there yet; now it is.
        order.venue_state = state
        if state is not VenueState.NONE:
            if order.pending in SUBMITTING:
                order.pending = PENDING[order.pending, Asked.SUBMIT_SETTLED]
            # A trade of the past says nothing of an order that worked and was forgotten: it stays ended, the fill is late.
            told = report.state is not VenueState.NONE or state is VenueState.DONE_FILLED
            if order.absence and (told or order.absence is not Absence.FORGOTTEN):
                order.absence = ABSENCE[order.absence, Missing.SEEN]
                self.desk.count("absent_order_seen")

    def proven(self, order: Order) -> None:
        order.certainty = CERTAINTY[order.certainty, Proof.PROVEN]
        order.backoff_ns = 0
        order.not_found = 0
        order.query_due_ns = 0
        order.query_failures = 0

    def execute(self, order: Order, report: ExecutionReport, terms: Terms, now_ns: int, out: list[Message]) -> None:
        """Book an execution once. A row we hold with other content is a correction: kept aside for people."""
        desk = self.desk
        trade_id = report.trade_id
        venue_order_id = report.venue_order_id or order.venue_order_id
        quantity = report.last_quantity * terms.factor
        if trade_id < 0 or quantity <= 0:
            desk.keep_aside(report, "execution_unreadable", out)
            return
        inside = lies_inside(desk, terms, trade_id)
        if order.orphan and trade_id <= order.trade_floor and not inside:
            desk.count("execution_before_orphan")
            return
        if trade_id <= order.trade_max:
            for seen in order.executions:
                if seen.trade_id == trade_id and seen.venue_order_id in (venue_order_id, 0):
                    if seen.quantity == quantity and seen.quote == report.last_quote:
                        desk.count("execution_repeated")
                    else:
                        desk.keep_aside(report, "execution_corrected", out)
                    return
        else:
            order.trade_max = trade_id
        order.executions.append(Execution(trade_id, venue_order_id, quantity, report.last_quote))
        order.backoff_ns = 0
        if inside:
            desk.count("execution_inside_ledger")
            order.covered = max(order.covered, sum(seen.quantity for seen in order.executions) - order.booked)
            order.cumulative = max(order.cumulative, order.booked + order.covered)
            return
        order.booked += quantity
        highest = desk.trades.get(order.instrument, -1)
        if trade_id > highest:
            desk.trades[order.instrument] = trade_id
            desk.looked.setdefault(order.instrument, trade_id)
        desk.fill_number += 1
        out.append(self.fill_of(order, report, venue_order_id, quantity))
        if order.covered and order.booked + order.covered > max(order.cumulative, report.cumulative * terms.factor):
            order.covered = max(max(order.cumulative, report.cumulative * terms.factor) - order.booked, 0)
        if order.booked > order.quantity_lots * order.unit:
            detail = f"client_order_id={order.client_order_id} booked={order.booked}"
            desk.alert(AlertLevel.CRITICAL, "overfill", order.instrument, detail, out)

    def fill_of(self, order: Order, report: ExecutionReport, venue_order_id: int, quantity: int) -> Fill:
        desk = self.desk
        return Fill(
            desk.fill_number,
            desk.settings.account,
            desk.settings.venue,
            order.instrument,
            order.version,
            order.owner,
            order.client_order_id,
            venue_order_id,
            report.trade_id,
            order.side,
            report.last_price,
            quantity,
            quantity // order.unit,
            report.last_quote,
            report.fee,
            report.fee_asset,
            report.is_maker,
            order.status >= OrderStatus.FILLED,
            report.venue_ns,
            report.realized,
        )

    def alert_unknown_word(self, order: Order, report: ExecutionReport, out: list[Message]) -> None:
        detail = f"client_order_id={order.client_order_id} status={report.status}"
        self.desk.alert_every(AlertLevel.WARNING, "unknown_order_status", order.instrument, detail, out)

    def unknown(self, report: ExecutionReport, now_ns: int, out: list[Message]) -> Order | None:
        """No order of ours that we know. By its id: forgotten, an orphan, or foreign (never acted on)."""
        desk = self.desk
        known = recognize(desk.settings.prefix, report.client_order_id)
        if known is None:
            if not report.client_order_id:
                return None  # a trade names its order by the venue's id alone: whoever reads trades asks whose it is
            if desk.count("external_report") == 1:
                ids = f"client_order_id={report.client_order_id} venue_order_id={report.venue_order_id}"
                detail = f"side={report.side.name} {ids} remedy=none: of another program or a person, and left alone"
                desk.alert(AlertLevel.INFO, "external_order", report.instrument, detail, out)
            return None
        if known.attempt and (order := desk.register.find(known.root)) is not None:
            return order
        if known.epoch > desk.ids.epoch:
            self.superseded(report, known, out)
            return None
        if known.epoch == desk.ids.epoch:
            if known.counter < desk.ids.next_counter:
                desk.keep_aside(report, "report_of_forgotten_order", out)
            else:
                self.beside_us(report, known, out)
            return None
        return self.adopt_orphan(report, known, now_ns, out)

    def superseded(self, report: ExecutionReport, known: OrderId, out: list[Message]) -> None:
        """A newer engine made it: it owns this account, and its orders are not ours to touch. We stop being ready."""
        desk = self.desk
        desk.later_epoch = max(desk.later_epoch, known.epoch)
        remedy = "a newer engine owns this account: stop this one; if none runs, start again: a start asks for the last epoch"
        more = f"epoch={known.epoch} ours={desk.ids.epoch} remedy={remedy}"
        desk.keep_aside(report, "order_of_a_later_epoch", out, AlertLevel.CRITICAL, more)

    def beside_us(self, report: ExecutionReport, known: OrderId, out: list[Message]) -> None:
        """Of our epoch, with a counter we never gave out: two fresh state directories, one account. Not ours to touch."""
        desk = self.desk
        desk.later_epoch = max(desk.later_epoch, known.epoch, 1)
        more = f"epoch={known.epoch} counter={known.counter} next_counter={desk.ids.next_counter} {ONE_ENGINE}"
        desk.keep_aside(report, "order_of_another_engine", out, AlertLevel.CRITICAL, more)

    def adopt_orphan(self, report: ExecutionReport, known: OrderId, now_ns: int, out: list[Message]) -> Order:
        """Ours by its id, absent from our journal. It gets a record, its fills count, and by policy it is canceled.

        What it executed before is booked from the trades since the last one that was known when the run began. On the
        very first start there is no "since": that quantity lies inside the baseline, which is taken after this.
        """
        desk = self.desk
        terms = desk.terms[report.instrument]
        floor = desk.floors.get(report.instrument, -1)
        lot = terms.instrument.lot
        order = Order(
            known.root,
            report.instrument,
            terms.instrument.version,
            ORPHAN_OWNER,
            -1,
            report.side,
            report.price // terms.instrument.tick,
            -(-report.quantity // lot),
            False,
            terms.unit,
        )
        order.orphan = True
        order.trade_floor = floor
        order.sent_ns = now_ns
        order.written = True
        order.pending = Pending.NONE
        order.venue_state = VenueState.WORKING
        order.certainty = Certainty.UNKNOWN
        order.doubt_ns = 0
        order.cancel_wanted = desk.settings.leftovers is Leftovers.CANCEL
        if floor < 0 and not desk.ever_ready:
            last = report.last_quantity if report.kind is ReportKind.TRADE else 0
            order.cumulative = report.cumulative * terms.factor
            order.covered = max(report.cumulative - last, 0) * terms.factor
        desk.register.open[order.client_order_id] = order
        detail = f"client_order_id={order.client_order_id} epoch={known.epoch}"
        desk.alert(AlertLevel.WARNING, "orphan_order", report.instrument, detail, out)
        return order
