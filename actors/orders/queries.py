"""Answers to what we asked the venue, and deadlines that passed. A failed question advances nothing: it is asked again."""

import heapq
from collections.abc import Sequence

from actors.orders import forgotten
from actors.orders.cancels import follow_up
from actors.orders.desk import ALERT_EVERY, NOT_FOUND_MIN, Desk
from actors.orders.ids import recognize
from actors.orders.order import Order, is_done, shortfall
from actors.orders.question import Question
from actors.orders.reports import NO_PROOF, Reports
from actors.orders.state import ABSENCE, CANCELING, PENDING, SUBMITTING, Absence, Asked, Certainty, Missing
from actors.orders.takeover import ask_for_strangers, note_stranger, remember_foreign
from bus.messages import (
    AlertLevel,
    ExecutionReport,
    Message,
    Outcome,
    QueryAnswer,
    QueryKind,
    Refusal,
    VenueState,
)

TWICE_MAX = 200
"""Orders that are asked about twice at once: 800 of Binance's 6,000 of weight more. Chosen."""


class Queries:
    """Questions about one order. The looks over all of them are the start-up's."""

    __slots__ = ("desk", "reports")

    def __init__(self, desk: Desk, reports: Reports) -> None:
        self.desk = desk
        self.reports = reports

    def answered(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """One answer to one question of one order."""
        desk = self.desk
        if not question.client_order_id:
            if answer.outcome is Outcome.RESULT:
                self.identified(question, answer, now_ns, out)  # a failed one is asked again by the next proof
            return
        if question.proof:
            self.proof_answered(question, answer, now_ns, out)
            return
        order = desk.register.find(question.client_order_id)
        if order is None:
            desk.count("answer_of_forgotten_order")
            return
        order.query = 0
        if answer.outcome is not Outcome.RESULT:
            self.failed(order, answer, out)
        elif question.last and question.kind is QueryKind.OPEN_ORDERS:
            self.list_answered(order, answer, now_ns, out)
        elif question.kind is QueryKind.TRADES:
            self.trades_answered(order, question, answer, now_ns, out)
        elif answer.found and answer.reports:
            for report in answer.reports:
                self.fold(report, answer.asked_ns, now_ns, out)
        else:
            self.not_found(order, answer, now_ns, out)
        desk.publish(order, now_ns, out)
        follow_up(desk, order, now_ns, out)

    def failed(self, order: Order, answer: QueryAnswer, out: list[Message]) -> None:
        """Refused or ambiguous. It proves nothing; `follow_up` asks again after the back-off."""
        order.query_failures += 1
        self.desk.count("query_failed")
        if order.query_failures % ALERT_EVERY == 0:
            detail = f"client_order_id={order.client_order_id} times={order.query_failures} reason={answer.reason}"
            self.desk.alert(AlertLevel.WARNING, "order_query_fails", order.instrument, detail, out)

    def fold(self, report: ExecutionReport, proof_ns: int, now_ns: int, out: list[Message]) -> Order | None:
        """A report out of a query's answer. Asked at or after the doubt, it settles an ambiguous cancel too."""
        order = self.reports.elsewhere(report, proof_ns, now_ns, out)
        if order is None or is_done(order) or order.venue_state is VenueState.NONE:
            return order
        if order.certainty and order.pending in CANCELING and proof_ns >= max(order.doubt_ns, order.cancel_sent_ns):
            order.pending = PENDING[order.pending, Asked.CANCEL_SETTLED]
            self.reports.proven(order)
            self.desk.publish(order, now_ns, out)
            follow_up(self.desk, order, now_ns, out)
        return order

    def not_found(self, order: Order, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """The venue's own "does not exist": of an order never seen, when asked late enough; of one that worked, see `forgotten`."""
        if order.venue_state is not VenueState.NONE or order.booked:
            detail = f"client_order_id={order.client_order_id} status={order.status.name}"
            self.desk.alert_every(AlertLevel.WARNING, "known_order_not_found", order.instrument, detail, out)
            if order.venue_state is VenueState.WORKING and order.certainty and answer.asked_ns >= order.doubt_ns:
                forgotten.deny(order, answer.asked_ns, self.desk.settings)
                if forgotten.is_due(order):
                    self.desk.ask_now(order, now_ns, out)
            return
        order.denied_ns = max(order.denied_ns, answer.asked_ns)
        if answer.asked_ns > self.desk.provable_ns(order.sent_ns):
            order.not_found += 1
            order.backoff_ns = 0  # an answer that counts: the one that must agree is asked for soon
            if order.not_found >= NOT_FOUND_MIN:
                self.desk.ask_now(order, now_ns, out)
        else:
            self.desk.count("not_found_too_early")

    def trades_answered(
        self, order: Order, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]
    ) -> None:
        """Executions that were missing, page by page; or the last proof that an order never was."""
        desk = self.desk
        if self.fold_trades([order], question, answer, now_ns, out):
            order.query = desk.ask(question, now_ns, out)
            return
        ask_for_strangers(desk, question, now_ns, out)
        if question.last:
            self.last_trades_answered(order, question, answer, out)
        elif shortfall(order) and answer.complete:
            self.still_missing(order, answer, out)

    def unlisted(self, order: Order, asked_ns: int, now_ns: int, out: list[Message]) -> None:
        """Denied in an answer that counts, and the open orders, asked for after it, do not have it either: two that agree, where
        there are too many to be asked about twice. A filled order is not in that list either, so where there are few it is.
        """
        if order.not_found and not order.query and asked_ns > order.denied_ns:
            if len(self.desk.register.open) > TWICE_MAX:
                order.not_found = max(order.not_found, NOT_FOUND_MIN)
            self.desk.ask_now(order, now_ns, out)

    def proof_answered(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """The account's trades, for all the orders that may never have been."""
        desk = self.desk
        orders = desk.proofs.orders_of(question)
        found = answer.outcome is Outcome.RESULT
        if found and self.fold_trades(orders, question, answer, now_ns, out):
            desk.proofs.go_on(question, orders, now_ns, out)
            return
        if found:
            ask_for_strangers(desk, question, now_ns, out)
        for order in orders:
            order.query = 0
            if found:
                self.never_was(order, question, answer, out)
            else:
                self.failed(order, answer, out)
            desk.publish(order, now_ns, out)
            follow_up(desk, order, now_ns, out)
        desk.proofs.end(question.instrument, now_ns, out)

    def never_was(self, order: Order, question: Question, answer: QueryAnswer, out: list[Message]) -> None:
        """The last proof of it, unless something came to light meanwhile."""
        desk = self.desk
        if order.not_found < NOT_FOUND_MIN or order.booked or order.venue_state is not VenueState.NONE:
            return
        order.not_found = 0
        if order.client_order_id in question.blamed:
            detail = f"client_order_id={order.client_order_id}"
            desk.alert_every(AlertLevel.CRITICAL, "order_may_be_a_foreign_trade", order.instrument, detail, out)
        elif order.absence is Absence.OPEN and answer.complete:
            event = Missing.PROVEN_ABSENT if order.written else Missing.PROVEN_ABSENT_UNWRITTEN
            order.absence = ABSENCE[order.absence, event]
            order.refusal = Refusal.VENUE_REJECTED if order.written else Refusal.HOST
            order.pending = PENDING[order.pending, Asked.ALL_SETTLED]

    def list_answered(self, order: Order, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """The open orders, asked for after the venue denied one that worked. Not listed either: the trades say the rest."""
        for report in answer.reports:
            self.fold(report, answer.asked_ns, now_ns, out)
        if not forgotten.is_due(order) or answer.asked_ns < order.doubt_ns:
            return
        if forgotten.leaves_out(order, answer.reports):
            order.unlisted = True
            self.desk.ask_now(order, now_ns, out)
        else:
            forgotten.recall(order)

    def last_trades_answered(self, order: Order, question: Question, answer: QueryAnswer, out: list[Message]) -> None:
        """All its executions are booked. The order is over by the venue's own words, unless one of them was doubtful."""
        desk = self.desk
        if not forgotten.is_due(order) or not order.unlisted or answer.asked_ns < order.doubt_ns:
            return
        forgotten.recall(order)
        detail = f"client_order_id={order.client_order_id} venue_order_id={order.venue_order_id}"
        if question.unexplained:
            desk.alert_every(AlertLevel.CRITICAL, "forgotten_order_unexplained", order.instrument, detail, out)
        elif shortfall(order):
            if answer.complete:
                self.still_missing(order, answer, out)
        elif answer.complete:
            order.absence = ABSENCE[order.absence, Missing.FORGOTTEN]
            order.pending = PENDING[order.pending, Asked.ALL_SETTLED]
            order.cancel_wanted = True  # Should the venue's memory come back, nobody of ours waits for it any more.
            detail = f"{detail} by=venue reason=the venue no longer knows it"
            desk.alert(AlertLevel.CRITICAL, "order_forgotten_by_venue", order.instrument, detail, out)

    def still_missing(self, order: Order, answer: QueryAnswer, out: list[Message]) -> None:
        """The history does not show them (yet). An orphan's may lie before the trades we know: inside the ledger.

        A history may lag as much as an order may: two answers, both asked after the venue's processing bound.
        """
        late = answer.asked_ns > self.desk.provable_ns(order.missing_ns)
        order.missing += late
        detail = f"client_order_id={order.client_order_id} shortfall={shortfall(order)}"
        if order.orphan and order.missing >= NOT_FOUND_MIN:
            order.missing = 0
            order.covered += shortfall(order)
            self.desk.alert(AlertLevel.WARNING, "orphan_executed_before", order.instrument, detail, out)
        else:
            self.desk.alert_every(AlertLevel.WARNING, "executions_missing", order.instrument, detail, out)

    def fold_trades(
        self, orders: Sequence[Order], question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]
    ) -> bool:
        """Fold one page of trades; True when another page follows (`question.from_id`, or `since_ns`, is moved on)."""
        highest = question.from_id - 1
        for report in answer.reports:
            highest = max(highest, report.trade_id)
            owner = self.reports.elsewhere(report, NO_PROOF, now_ns, out)
            if question.last and not forgotten.explains(orders[0], owner, question, report):
                question.unexplained = True
            if owner is None and not report.client_order_id:
                self.desk.count("trade_not_attributed")
                if (report.instrument, report.venue_order_id) in self.desk.foreign:
                    self.reports.strangers.foreign.book(report, out)
                elif question.look:
                    note_stranger(self.desk, question, report.instrument, report.venue_order_id, report.trade_id)
                elif blamed := [order.client_order_id for order in orders if self.may_be_of(order, report)]:
                    question.unexplained = True
                    question.blamed += [key for key in blamed if key not in question.blamed]
                    if report.venue_order_id and report.venue_order_id not in question.strangers:
                        question.strangers.append(report.venue_order_id)  # the next proof will know whose it is
        if answer.complete:
            return False
        if question.since_ns:
            moves, question.since_ns = answer.until_ns > question.since_ns, max(answer.until_ns, question.since_ns)
        else:
            moves, question.from_id = highest >= question.from_id, max(highest + 1, question.from_id)
        question.attempt *= not moves
        return moves

    def identified(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> int:
        """The venue's word on a stranger's order: ours gets a record, and its trades are asked for; else nobody's of ours.

        Of those that a look found the ledger has to follow what they executed. Returns how many questions that makes.
        No word on it (a replica lags) says nothing: the next look, or the next proof, asks again.
        """
        desk = self.desk
        for report in answer.reports:
            if self.fold(report, answer.asked_ns, now_ns, out) is not None:
                return 0
            if recognize(desk.settings.prefix, report.client_order_id) is not None:
                return 0  # ours by its id: looked up, or another engine's
        if not answer.reports:
            desk.count("stranger_not_found")
            return 0
        remember_foreign(desk, question.instrument, question.venue_order_id)
        if not question.look:
            return 0
        trades = Question(QueryKind.TRADES, question.instrument, "", 0, look=True, periodic=question.periodic)
        trades.venue_order_id = question.venue_order_id
        desk.ask(trades, now_ns, out)
        return 1

    def may_be_of(self, order: Order, report: ExecutionReport) -> bool:
        """Its side, and no older by the venue's clock than any execution of it."""
        desk = self.desk
        earliest_ns = order.sent_ns + desk.offset_ns - desk.settings.answer_timeout_ns - desk.uncertainty_ns
        return report.side is order.side and report.venue_ns >= earliest_ns

    def on_wake(self, now_ns: int, out: list[Message]) -> None:
        """Everything that is due. Entries that a later deadline replaced are skipped."""
        desk = self.desk
        heap = desk.heap
        desk.armed_ns = 0
        while heap and heap[0][0] <= now_ns:
            due_ns, counter, key = heapq.heappop(heap)
            if counter:
                if (question := desk.retries.pop(counter, None)) is not None:
                    desk.ask(question, now_ns, out)
                continue
            order = desk.register.open.get(key)
            if order is not None and order.wake_ns == due_ns:
                order.wake_ns = 0
                self.wake(order, now_ns, out)
        desk.arm(out)

    def wake(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """What of this order is due: an answer that did not come, a question, a cancel to repeat."""
        desk = self.desk
        if order.pending in SUBMITTING and order.certainty is Certainty.CERTAIN and order.submit_due_ns <= now_ns:
            desk.count("submit_unanswered")
            desk.doubt(order, now_ns)
            desk.ask_now(order, now_ns, out)
        if order.pending in CANCELING and order.certainty is Certainty.CERTAIN and order.cancel_due_ns <= now_ns:
            desk.count("cancel_unanswered")
            desk.doubt(order, now_ns)
            desk.ask_now(order, now_ns, out)
        if order.query_due_ns and order.query_due_ns <= now_ns:
            desk.ask_now(order, now_ns, out)
        desk.publish(order, now_ns, out)
        follow_up(desk, order, now_ns, out)
        if not is_done(order):
            self.sleep(order, now_ns, out)

    def sleep(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """Wake again at the earliest of the order's deadlines that lie ahead."""
        due_ns = 0
        certain = order.certainty is Certainty.CERTAIN
        for candidate in (
            order.submit_due_ns if order.pending in SUBMITTING and certain else 0,
            order.cancel_due_ns if order.pending in CANCELING and certain else 0,
            order.cancel_retry_ns if order.cancel_wanted else 0,
            order.query_due_ns,
        ):
            if candidate > now_ns and (due_ns == 0 or candidate < due_ns):
                due_ns = candidate
        if due_ns:
            self.desk.wake_at(order, due_ns, out)
