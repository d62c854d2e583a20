"""The venue's words on orders, from the stream, an answer or a query: all of them are folded by the one `fold`.

The facts of an order form a join: executions as a set by (instrument, trade id, venue order id), the highest proven
cumulative quantity, the highest state, the quantity of the latest amend. So a repeat changes nothing and the order of arrival
does not matter. What contradicts itself ends nothing: it is a question (see quarantine).
"""

from actors.orders import forgotten
from actors.orders.cancels import follow_up
from actors.orders.desk import Desk, Terms
from actors.orders.executions import Executions
from actors.orders.ids import recognize
from actors.orders.lookups import Lookups
from actors.orders.order import Order, venue_ended
from actors.orders.private_stream import ENDED, EXISTS, PrivateStream
from actors.orders.quarantine import contest
from actors.orders.state import (
    ABSENCE,
    CANCELING,
    CERTAINTY,
    PENDING,
    SUBMITTING,
    VENUE,
    Absence,
    Asked,
    Missing,
    Proof,
)
from actors.orders.strangers import Strangers
from bus.messages import (
    AlertLevel,
    ExecutionReport,
    Message,
    QueryKind,
    ReportKind,
    ReportSource,
    StoreAnswer,
    VenueState,
)

NO_PROOF = -1
"""Folded, but says nothing about now: a row of the trade history."""
STREAM, QUERY = ReportSource.STREAM, ReportSource.QUERY  # by name: an enum's look-up costs 75-117 ns on Python 3.11
REPLACED, TRADE, OTHER = ReportKind.REPLACED, ReportKind.TRADE, ReportKind.OTHER
UNASKED = (VenueState.DONE_CANCELED, VenueState.DONE_EXPIRED)
"""Ends that we ask for by a cancel; without one they are the venue's doing, or another person's."""


class Reports:
    __slots__ = ("desk", "executions", "lookups", "strangers", "stream")

    def __init__(self, desk: Desk, stream: PrivateStream) -> None:
        self.desk = desk
        self.stream = stream
        self.executions = Executions(desk, stream)
        self.lookups = Lookups(desk)
        self.strangers = Strangers(desk, self.lookups)

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
        """Not an open order's id: a done one, known by the venue's id, a stranger's, or a symbol unknown."""
        desk = self.desk
        if report.instrument not in desk.terms:
            desk.keep_aside(report, "report_of_unknown_instrument", out)
            return None
        order = desk.register.find(report.client_order_id)
        if order is None:
            order = desk.register.find_by_venue(report.instrument, report.venue_order_id)
        if order is None:
            order = self.strangers.whose(report, now_ns, out)
        elif order.instrument != report.instrument:
            desk.keep_aside(report, "report_of_another_instrument", out)
            return None
        elif self.of_another(order, report, out):
            return None
        if order is not None:
            self.fold(order, report, proof_ns, now_ns, out)
        return order

    def on_store(self, answer: StoreAnswer, now_ns: int, out: list[Message]) -> None:
        """The journal's index on an order that memory does not hold: what waited for it is folded now."""
        order, reports = self.lookups.answered(answer, now_ns, out)
        for report in reports:
            if order is None:
                known = recognize(self.desk.settings.prefix, report.client_order_id)
                assert known is not None, "only an id of ours is looked up"
                order = self.strangers.unheld(report, known, now_ns, out)
            if order is not None:
                self.fold(order, report, NO_PROOF, now_ns, out)

    def fold(self, order: Order, report: ExecutionReport, proof_ns: int, now_ns: int, out: list[Message]) -> None:
        """Join one word into the order, then say what changed: Fill before OrderUpdate.

        proof_ns: the engine time up to which the word is true (receipt, or when the query was asked); NO_PROOF for history.
        """
        desk = self.desk
        terms = desk.terms[order.instrument]
        if report.source is STREAM:
            self.stream.heard(order, report, now_ns)
        if order.lost and proof_ns != NO_PROOF:
            forgotten.recall(order)
        if order.unit == 0 and not self.complete(order, terms, report.quantity):
            desk.keep_aside(report, "report_of_unknown_version", out)
            return
        if report.quantity and (
            report.quantity * terms.factor != order.quantity_lots * order.unit or report.kind is REPLACED
        ):
            self.amend(order, report, terms, now_ns, out)
        if report.kind is TRADE:
            self.executions.execute(order, report, terms, now_ns, out)
        cumulative = max(report.cumulative * terms.factor, order.booked)
        if cumulative > order.cumulative:
            order.cumulative = cumulative
            if order.orphan:
                order.missing, order.missing_ns = 0, now_ns
        if report.venue_order_id != order.venue_order_id and report.venue_order_id:
            if order.venue_order_id:
                desk.register.link_too(order, report.venue_order_id)
            else:
                desk.register.link(order, report.venue_order_id)
        contradicted = self.join_state(order, report, now_ns, out)
        if venue_ended(order):
            if order.pending:
                order.pending = PENDING[order.pending, Asked.ALL_SETTLED]
            if order.certainty:
                self.proven(
                    order
                )  # Of questions that failed before nothing is left: what is missing is asked for soon.
        elif report.kind is OTHER:
            desk.doubt(order, now_ns)
            self.alert_unknown_word(order, report, out)
        elif (
            order.certainty
            and proof_ns >= order.doubt_ns
            and order.pending not in CANCELING
            and order.venue_state is not VenueState.NONE
            and not contradicted
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

    def amend(self, order: Order, report: ExecutionReport, terms: Terms, now_ns: int, out: list[Message]) -> None:
        """The venue has it with another quantity, or under another id: a person or the venue changed it, not we.

        The latest word by the venue's clock counts. A quantity that rose above what ended the order as filled is asked about.
        """
        desk = self.desk
        lots = -(-report.quantity * terms.factor // order.unit)
        key = (report.venue_ns, report.execution_id)
        if key <= order.amended:
            if order.orphan and not any(order.amended):
                order.quantity_lots = max(order.quantity_lots, lots)
            return
        order.amended = key
        if report.kind is REPLACED and report.venue_order_id:
            desk.register.link(order, report.venue_order_id)
        if lots == order.quantity_lots:
            return
        more = f"quantity_lots={lots} before={order.quantity_lots}"
        order.quantity_lots = lots
        contest(desk, order, "order_amended_elsewhere", QueryKind.ORDER, now_ns, out, more=more)
        if order.venue_state is VenueState.DONE_FILLED and order.cumulative < lots * order.unit:
            order.venue_state = VenueState.WORKING
            desk.doubt(order, now_ns)

    def join_state(self, order: Order, report: ExecutionReport, now_ns: int, out: list[Message]) -> bool:
        """Axis one. An execution or a snapshot proves that the order exists, whatever its state's word is.

        True: the venue says that it was rejected and that it was executed. The executions count, and it is asked.
        """
        held = order.venue_state
        state = report.state
        if state is VenueState.NONE and order.cumulative > 0:
            state = VenueState.WORKING
        if state is not held:
            state = VENUE[held, state]
        if order.cumulative >= order.quantity_lots * order.unit > 0:
            state = VenueState.DONE_FILLED
        contradicted = order.cumulative > 0 and VenueState.DONE_REJECTED in (state, report.state)
        if state is VenueState.DONE_REJECTED and contradicted:
            state = VenueState.WORKING
        if held is VenueState.NONE:
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
        if state is not held:
            self.changed(order, held, report, now_ns, out)
        if contradicted:
            self.desk.doubt(order, now_ns)
            contest(self.desk, order, "rejected_order_executed", QueryKind.ORDER, now_ns, out)
        return contradicted

    def changed(self, order: Order, held: VenueState, report: ExecutionReport, now_ns: int, out: list[Message]) -> None:
        """It came to exist, or to its end: was it we who wanted that, and did the private stream tell it?"""
        ended = venue_ended(order)
        if report.source is QUERY and (ended or held is VenueState.NONE):
            self.stream.found(order, ENDED if ended else EXISTS, report.venue_ns, now_ns, out)
        desk = self.desk
        asked = order.attempt > 0 or not desk.ids.made(order.client_order_id)  # in an earlier run anybody may have
        if order.venue_state in UNASKED and not (asked or order.venue_initiated):
            order.venue_initiated = True
            desk.note("ended_by_venue", order.instrument, order.client_order_id, order.venue_order_id, -1, now_ns)
            words = f"status={report.status} reason={report.reason}" if report.reason else f"status={report.status}"
            detail = f"client_order_id={order.client_order_id} {words}"
            desk.alert_every(AlertLevel.WARNING, "order_ended_by_venue", order.instrument, detail, out)

    def proven(self, order: Order) -> None:
        order.certainty = CERTAINTY[order.certainty, Proof.PROVEN]
        order.backoff_ns = 0
        order.not_found = 0
        order.query_due_ns = 0
        order.query_failures = 0

    def alert_unknown_word(self, order: Order, report: ExecutionReport, out: list[Message]) -> None:
        detail = f"client_order_id={order.client_order_id} status={report.status}"
        self.desk.alert_every(AlertLevel.WARNING, "unknown_order_status", order.instrument, detail, out)
