"""Orders that memory no longer holds: their reports wait here while the journal's index is asked. Pure.

Memory keeps the youngest `done_orders_max` done orders; a late fill may be of an older one. Its report is parked, the store is
asked by the order's id, and the answer brings the record back: so the fill is booked late, or recognized as a repeat. What the
index does not know although it was complete is what it would have been without one: an orphan, or a report for people. A
question that failed is asked again; it concludes nothing.
"""

import msgspec

from actors.orders.desk import LOOKUP_TIMER, NAME, Desk
from actors.orders.order import Order, is_done
from actors.orders.restored import restore
from bus.messages import AlertLevel, ExecutionReport, Message, SetTimer, StoreAnswer, StoreQuery

PARKED_MAX = 256  # chosen: reports that may wait; beyond it they are kept for people
ANSWER_NS = 2_000_000_000  # chosen: the index follows the journal within a quarter of a second
LOST_NS = 1_000_000_000  # after the deadline, until a question without any answer is asked again


class Parked(msgspec.Struct, array_like=True):
    """One order's. counter: of the question in flight. due_ns: when it is asked again, unless it is answered before."""

    client_order_id: str
    reports: list[ExecutionReport] = []
    counter: int = 0
    due_ns: int = 0
    failures: int = 0


class Lookups:
    __slots__ = ("desk", "parked")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.parked: dict[str, Parked] = {}

    def park(self, client_order_id: str, report: ExecutionReport, now_ns: int, out: list[Message]) -> None:
        desk = self.desk
        if sum(len(parked.reports) for parked in self.parked.values()) >= PARKED_MAX:
            desk.keep_aside(report, "report_of_forgotten_order", out)
            return
        desk.count("report_parked")
        parked = self.parked.get(client_order_id)
        if parked is None:
            parked = self.parked[client_order_id] = Parked(client_order_id)
            self.ask(parked, now_ns, out)
        parked.reports.append(report)

    def ask(self, parked: Parked, now_ns: int, out: list[Message]) -> None:
        desk = self.desk
        desk.counter += 1
        parked.counter = desk.counter
        deadline_ns = now_ns + ANSWER_NS
        out.append(StoreQuery(NAME, desk.counter, 0, deadline_ns, parked.client_order_id))
        self.again_at(parked, deadline_ns + LOST_NS, out)

    def again_at(self, parked: Parked, due_ns: int, out: list[Message]) -> None:
        parked.due_ns = due_ns
        out.append(SetTimer(NAME, LOOKUP_TIMER, 0, min(one.due_ns for one in self.parked.values())))

    def on_timer(self, now_ns: int, out: list[Message]) -> None:
        for parked in self.parked.values():
            if parked.due_ns <= now_ns:
                self.ask(parked, now_ns, out)

    def begin_run(self, now_ns: int, out: list[Message]) -> None:
        """Questions of the last run have no answer any more."""
        for parked in self.parked.values():
            self.ask(parked, now_ns, out)

    def answered(
        self, answer: StoreAnswer, now_ns: int, out: list[Message]
    ) -> tuple[Order | None, list[ExecutionReport]]:
        """What waited for this answer, with the order's record if the index knows it. Nothing if the question is asked again."""
        desk = self.desk
        parked = self.parked.get(answer.client_order_id)
        if parked is None or parked.counter != answer.counter:
            desk.count("store_answer_disowned")
            return None, []
        if answer.reason:
            parked.failures += 1
            wait_ns = min(desk.settings.backoff_min_ns << min(parked.failures - 1, 20), desk.settings.backoff_max_ns)
            self.again_at(parked, now_ns + wait_ns, out)
            detail = f"client_order_id={parked.client_order_id} complete_to={answer.complete_to} reason={answer.reason}"
            desk.alert_every(AlertLevel.WARNING, "order_lookup_failed", -1, detail, out)
            return None, []
        del self.parked[answer.client_order_id]
        if not answer.updates:
            return None, parked.reports
        return self.put_back(answer), parked.reports

    def put_back(self, answer: StoreAnswer) -> Order:
        desk = self.desk
        update = answer.updates[-1]
        terms = desk.terms.get(update.instrument)
        unit = terms.unit if terms is not None and terms.instrument.version == update.version else 0
        order = restore(update, answer.fills, unit)
        desk.count("order_looked_up")
        desk.register.index(order)
        desk.register.place(order, is_done(order))
        return order
