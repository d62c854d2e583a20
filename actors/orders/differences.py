"""What a comparison with the venue found, row by row, in words for a person. It decides nothing and asks nothing. Pure.

A row is something that the venue's answer taught us: what the private stream said first is no difference. Each is said
once: a second comparison of the same state has none.
"""

from collections.abc import Sequence

from actors.orders.cancels import is_unwanted
from actors.orders.desk import Desk
from actors.orders.order import Order
from actors.orders.restored import EXTERNAL_OWNER, ORPHAN_OWNER, VENUE_OWNER
from actors.orders.state import Certainty
from bus.messages import (
    DONE,
    AlertLevel,
    AnswerKind,
    BalancesJudged,
    CommandAnswered,
    Control,
    Difference,
    DifferenceKind,
    Fill,
    Message,
    OrderStatus,
    OrderUpdate,
    Reconciled,
)

ROWS_MAX = 100
"""Rows of one comparison that are said; more are only counted; chosen."""
ASKERS_MAX = 16
"""People who wait for one comparison; chosen, as the answers' own bound is."""
BOOKED = "booked"
CLOSED = "closed by the venue's word"
NEVER = "the venue never had it: closed, its risk released"
UNPROVEN = "the venue does not know it: its risk stays reserved, and it is asked about until that counts"
WHOSE = {
    ORPHAN_OWNER: "ours by its id",
    EXTERNAL_OWNER: "of another program or a person",
    VENUE_OWNER: "the venue's own",
}
MOVED = "executions came between each time, it is tried again soon"
ABSENT = (OrderStatus.NEVER_SENT, OrderStatus.REJECTED)
FILLED, CANCELED = OrderStatus.FILLED, OrderStatus.CANCELED
"""Ends that other words tell: the fills' own rows, and that we wanted it."""


class Differences:
    """trigger: why the comparison under way began, "" while none is. told: open orders that had a row already.

    askers: people who wait for its end, as their commands name them. compared: the ledger could be held against the balances;
    uncompared: comparisons in a row in which it could not.
    """

    __slots__ = ("askers", "began_ns", "compared", "desk", "fills_before", "rows", "told", "trigger", "uncompared")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.told: dict[str, None] = {}
        self.askers: list[str] = []
        self.uncompared = 0
        self.begin("", 0)

    def begin(self, trigger: str, now_ns: int) -> None:
        """An earlier one that has not ended is replaced: its questions are disowned."""
        self.trigger = trigger
        self.began_ns = now_ns
        self.rows = 0
        self.compared = True
        self.fills_before = self.desk.fill_number

    def judged(self, message: BalancesJudged) -> None:
        """What the ledger's owner made of the balances."""
        self.rows += message.differences
        self.compared = message.compared

    def learned(self, said: Sequence[Message], out: list[Message]) -> None:
        """What one answer to a question made of us."""
        if not self.trigger:
            return
        for message in said:
            if type(message) is Fill:
                key = message.client_order_id
                self.say(DifferenceKind.FILL_MISSING, message.instrument, key, 0, message.quantity, BOOKED, out)
            elif type(message) is OrderUpdate:
                self.of_update(message, out)

    def of_update(self, update: OrderUpdate, out: list[Message]) -> None:
        key, status = update.client_order_id, update.status
        ours, venues = update.quantity_lots - update.cumulative_lots, update.leaves_lots
        order = self.desk.register.find(key)
        if order is not None and order.orphan and key not in self.told and status not in DONE:
            self.told[key] = None
            words = f"{WHOSE[update.owner]}: taken over, {'canceled' if is_unwanted(self.desk, order) else 'kept'}"
            self.say(DifferenceKind.ORDER_NOT_KNOWN, update.instrument, key, 0, venues, words, out)
        elif status in ABSENT:
            self.say(DifferenceKind.ORDER_NOT_LISTED, update.instrument, key, ours, 0, NEVER, out)
        elif (
            status in DONE and status is not FILLED and not (status is CANCELED and order is not None and order.attempt)
        ):
            words = f"{CLOSED}: {status.name}"
            self.say(DifferenceKind.ORDER_STATE, update.instrument, key, ours, 0, words, out)

    def end(self, now_ns: int, out: list[Message]) -> None:
        """The comparison is complete; what could not be proven in it is named."""
        if not self.trigger:
            return
        open_orders = self.desk.register.open
        self.told = {key: None for key in self.told if key in open_orders}
        for order in open_orders.values():
            if order.client_order_id not in self.told and is_denied(order):
                self.told[order.client_order_id] = None
                key, lots = order.client_order_id, order.leaves_lots
                self.say(DifferenceKind.ORDER_NOT_LISTED, order.instrument, key, lots, 0, UNPROVEN, out)
        account = self.desk.settings.account
        fills = self.desk.fill_number - self.fills_before
        took_ns = now_ns - self.began_ns
        out.append(Reconciled(account, self.trigger, len(open_orders), fills, self.rows, took_ns, self.compared))
        self.trigger = ""
        if self.compared:
            self.uncompared = 0
            self.answer(AnswerKind.DONE, f"differences: {self.rows}" if self.rows else "equal", out)
            return
        self.uncompared += 1
        self.desk.alert_every(
            AlertLevel.INFO, "ledger_not_compared", -1, f"times={self.uncompared} reason={MOVED}", out
        )
        self.answer(AnswerKind.FAILED, f"balances were not compared: {MOVED}; other differences: {self.rows}", out)

    def wait_for(self, asker: str, out: list[Message]) -> None:
        """A person wants to hear of it; those that stand are said once more."""
        self.told.clear()
        self.askers.append(asker)
        if len(self.askers) > ASKERS_MAX:
            early = CommandAnswered(
                self.askers.pop(0), Control.RECONCILE, -1, AnswerKind.FAILED, "too many wait for it"
            )
            out.append(early)

    def answer(self, kind: AnswerKind, text: str, out: list[Message]) -> None:
        out.extend(CommandAnswered(asker, Control.RECONCILE, -1, kind, text) for asker in self.askers)
        self.askers.clear()

    def say(
        self,
        kind: DifferenceKind,
        instrument: int,
        subject: str,
        ours: int,
        venues: int,
        words: str,
        out: list[Message],
    ) -> None:
        self.rows += 1
        if self.rows <= ROWS_MAX:
            out.append(Difference(self.desk.settings.account, kind, instrument, subject, ours, venues, words))


def is_denied(order: Order) -> bool:
    """Open here, and the venue has said that it has no such order, which does not count yet."""
    return order.certainty is Certainty.UNKNOWN and bool(order.denied_ns or order.lost)
