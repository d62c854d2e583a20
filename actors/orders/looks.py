"""What is asked of the venue about all orders at once, and how the answers read. When, is the start-up's. Pure.

A look is: open orders and trades of every instrument, then positions and balances. A failed question is asked again,
bounded in rate, with alerts; nothing is ever concluded from it. A difference is a question, never a conclusion.
"""

import heapq
from typing import NamedTuple

from actors.orders.desk import JUDGED_TIMER, NAME, Desk
from actors.orders.order import Order
from actors.orders.phases import Phase
from actors.orders.queries import Queries
from actors.orders.question import Question
from actors.orders.state import Certainty, Pending
from actors.orders.takeover import ask_for_strangers, first_trade
from bus.messages import (
    AlertLevel,
    Balance,
    BalancesReported,
    Message,
    Outcome,
    QueryAnswer,
    QueryKind,
    SetTimer,
    VenuePosition,
    VenueState,
)

LAST_TRADE = -1
"""In place of a trade id to begin at: only the last one is asked for."""
ASKED_MAX = 32
"""Questions under way while orders are asked about one by one: half of what the door takes, for the rest of us; chosen."""
MOVED_MAX = 3
"""Balances asked for in a row while fills came between: then they are reported with what came; chosen."""
JUDGED_NS = 2_000_000_000
"""Until balances are asked for again of which nobody said what they are worth, doubling. Chosen: on one host that is the same
cascade; between two, a session that is lost begins anew within a second."""
SPREAD_NS = 60_000_000_000
"""So far back trades are read once more when the ledger differs: the venue's history may have been behind when they were read, and
the private stream may have lost one that it showed later. Chosen: far beyond a history that lags, a page or two of trades.
"""
DOUBLED_MAX = 4  # chosen: at most 32 s between two of them


class Unsettled(NamedTuple):
    """Balances that executions came into, until what they may contain is booked. known: account moves when they were asked for."""

    known: int
    balances: tuple[Balance, ...]
    positions: tuple[VenuePosition, ...]


class Looks:
    """phase: of the start-up. outstanding: questions of this phase without an answer. differs: two looks disagree.

    began_ns: of the present look, or of the first one of this start. balances_next: they are asked for when nothing is outstanding. moved: times they were
    asked for in vain. positions: of this look, until its balances come. unasked: open orders that the list did not show and
    that wait for their question. unjudged: balances were reported, and the portfolio has not said what it makes of them; overdue:
    times in a row that it did not in time. unsettled: balances that are reported when nothing is outstanding.
    """

    __slots__ = (
        "balances_next",
        "began_ns",
        "desk",
        "differs",
        "moved",
        "outstanding",
        "overdue",
        "phase",
        "positions",
        "queries",
        "unasked",
        "unjudged",
        "unsettled",
    )

    def __init__(self, desk: Desk, queries: Queries) -> None:
        self.desk = desk
        self.queries = queries
        self.phase = Phase.DOWN
        self.begin_anew(0)

    def begin(self) -> None:
        self.outstanding = 0
        self.differs = False
        self.balances_next = False
        self.moved = 0
        self.positions: tuple[VenuePosition, ...] = ()
        self.unasked: list[str] = []
        self.unjudged = False
        self.overdue = 0
        self.unsettled: Unsettled | None = None

    def begin_anew(self, now_ns: int) -> None:
        """The first of the looks of a start, or one while ready: what the venue denied before it counts no more."""
        self.begin()
        self.began_ns = now_ns

    def ask_all(self, now_ns: int, out: list[Message]) -> None:
        """Open orders of every instrument, and its trades since the last look that read them; the first asks where they end."""
        desk = self.desk
        for instrument in desk.terms:
            self.ask(QueryKind.OPEN_ORDERS, instrument, now_ns, out)
            if instrument in desk.trades:
                self.ask_trades(instrument, now_ns, out)
            elif self.phase is Phase.LOOK and not desk.register.works_on(instrument):
                # Before any order of ours can be among them: whatever was traded lies in the baseline.
                self.ask(QueryKind.TRADES, instrument, now_ns, out, LAST_TRADE)

    def ask_listings(self, now_ns: int, out: list[Message]) -> None:
        for instrument in self.desk.terms:
            self.ask(QueryKind.OPEN_ORDERS, instrument, now_ns, out)

    def ask_trades(self, instrument: int, now_ns: int, out: list[Message], wait_ns: int = 0) -> None:
        desk = self.desk
        from_id = max(desk.looked.get(instrument, desk.trades[instrument]), 0)
        self.ask(QueryKind.TRADES, instrument, now_ns, out, from_id, wait_ns)

    def ask_balances(self, now_ns: int, out: list[Message], wait_ns: int = 0) -> None:
        kind = QueryKind.POSITIONS if self.desk.settings.positions else QueryKind.BALANCES
        self.balances_next = False
        self.ask(kind, -1, now_ns, out, wait_ns=wait_ns)

    def ask_some(self, now_ns: int, out: list[Message]) -> None:
        """The next of the orders that were not listed, one by one, as answers come."""
        desk = self.desk
        while self.unasked and len(desk.asked) < ASKED_MAX:
            order = desk.register.open.get(self.unasked.pop())
            if order is not None and order.certainty is Certainty.UNKNOWN:
                desk.ask_now(order, now_ns, out)

    def ask_once_more(self, now_ns: int, out: list[Message]) -> None:
        """A gap of the ledger is seen and not believed: trades, then balances, when what the venue knows has spread."""
        wait_ns = self.desk.settings.read_lag_ns
        self.moved = 0
        for instrument, (before, _, _) in self.desk.before.items():
            self.desk.looked[instrument] = min(self.desk.looked.get(instrument, before), before)
        if self.ask_all_trades(now_ns, out):
            self.balances_next = True
        else:
            self.ask_balances(now_ns, out, wait_ns)

    def ask_all_trades(self, now_ns: int, out: list[Message]) -> bool:
        """Those since the last look, when what the venue knows has spread. False: no instrument ever had one."""
        known = [instrument for instrument in self.desk.terms if instrument in self.desk.trades]
        for instrument in known:
            self.ask_trades(instrument, now_ns, out, self.desk.settings.read_lag_ns)
        return bool(known)

    def note_read(self, instrument: int, trade_id: int, asked_ns: int) -> None:
        """A look read all trades below this one."""
        desk = self.desk
        before, since, since_ns = desk.before.get(
            instrument, (desk.looked.get(instrument, trade_id), trade_id, asked_ns)
        )
        if asked_ns - since_ns >= SPREAD_NS:
            before, since, since_ns = since, trade_id, asked_ns
        desk.before[instrument] = (before, since, since_ns)
        desk.looked[instrument] = trade_id
        desk.looked_ns[instrument] = asked_ns

    def ask(
        self, kind: QueryKind, instrument: int, now_ns: int, out: list[Message], from_id: int = 0, wait_ns: int = 0
    ) -> None:
        desk = self.desk
        question = Question(kind, instrument, "", from_id, look=True, periodic=self.phase is Phase.READY)
        self.outstanding += 1
        if instrument < 0:
            question.known = desk.account_moves
        else:
            question.known = desk.trades.get(instrument, -1)
        if not wait_ns:
            desk.ask(question, now_ns, out)
            return
        desk.counter += 1
        desk.retries[desk.counter] = question
        heapq.heappush(desk.heap, (now_ns + wait_ns, desk.counter, ""))
        desk.arm(out)

    # -- answers --------------------------------------------------------------------------------------------------

    def answered(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> bool:
        """Fold one answer. False: the same question goes on, because it failed or another page follows."""
        desk = self.desk
        if answer.outcome is not Outcome.RESULT:
            detail = f"kind={question.kind.name} reason={answer.reason}"
            desk.alert_every(AlertLevel.WARNING, "look_failed", question.instrument, detail, out)
            self.refresh(question)
            desk.ask_again(question, now_ns, out)
            return False
        if question.kind is QueryKind.TRADES and question.from_id == LAST_TRADE:
            first_trade(desk, question, answer)
        elif question.kind is QueryKind.TRADES:
            if self.queries.fold_trades((), question, answer, now_ns, out):
                desk.ask(question, now_ns, out)
                return False
            if not answer.complete:
                desk.ask_again(question, now_ns, out)
                return False
            if not question.venue_order_id:
                self.note_read(question.instrument, question.known, answer.asked_ns)
            self.outstanding += ask_for_strangers(desk, question, now_ns, out)
        elif question.kind is QueryKind.ORDER:
            self.outstanding += self.queries.identified(question, answer, now_ns, out)
        elif question.kind is QueryKind.OPEN_ORDERS:
            self.compare(answer, now_ns, out)
        elif question.kind is QueryKind.POSITIONS:
            self.positions = answer.positions
            question.kind = QueryKind.BALANCES  # and its fill number stays: none may come between the two either
            desk.ask(question, now_ns, out)
            return False
        elif not self.balances(question, answer, now_ns, out):
            return False
        self.outstanding -= 1
        return True

    def refresh(self, question: Question) -> None:
        """What is asked about the account as a whole is compared with the fills of when it is asked again."""
        if question.instrument < 0:
            question.known = self.desk.account_moves

    def balances(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> bool:
        """Totals, and whether they can be compared: a fill that came between is on neither side for sure."""
        desk = self.desk
        moved = question.known != desk.account_moves
        if moved and self.moved < MOVED_MAX:
            self.moved += 1
            self.refresh(question)
            question.kind = QueryKind.POSITIONS if desk.settings.positions else QueryKind.BALANCES
            desk.ask_again(question, now_ns, out)
            return False
        self.unsettled = Unsettled(question.known, answer.balances, answer.positions or self.positions)
        if not (moved and self.ask_all_trades(now_ns, out)):
            self.report(now_ns, out)
        return True

    def report(self, now_ns: int, out: list[Message]) -> None:
        """For the ledger's owner to judge: in time, or it is asked for again."""
        desk = self.desk
        assert self.unsettled is not None, "only what was answered is reported"
        known, balances, positions = self.unsettled
        self.unsettled = None
        moved = desk.account_moves - known
        quiet = not (moved or desk.register.open or desk.register.stranded)
        trades = tuple((number, desk.trades.get(number, -1)) for number in desk.terms)
        head = desk.settings.account, desk.settings.venue, quiet
        out.append(BalancesReported(*head, balances, trades, positions, steady=not moved, moved=moved))
        self.unjudged = True
        out.append(SetTimer(NAME, JUDGED_TIMER, 0, now_ns + (JUDGED_NS << min(self.overdue, DOUBLED_MAX))))

    def on_unjudged(self, now_ns: int, out: list[Message]) -> None:
        """Whoever judges them was made anew before it did, or its word was lost."""
        if self.unjudged:
            self.overdue += 1
            self.desk.alert_every(AlertLevel.WARNING, "balances_not_judged", -1, f"times={self.overdue}", out)
            self.moved = 0
            self.ask_balances(now_ns, out)

    def compare(self, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """Open orders as the venue lists them against ours."""
        listed: dict[str, None] = {}
        for report in answer.reports:
            order = self.queries.fold(report, answer.asked_ns, now_ns, out)
            if order is None:
                continue
            listed[order.client_order_id] = None
            if order.client_order_id not in self.desk.register.open and order.updated_ns < answer.asked_ns:
                self.listed_but_done(order, now_ns, out)
        for order in list(self.desk.register.open.values()):
            if order.instrument == answer.instrument and order.client_order_id not in listed:
                self.not_listed(order, answer, now_ns, out)

    def listed_but_done(self, order: Order, now_ns: int, out: list[Message]) -> None:
        self.differs = True
        detail = f"client_order_id={order.client_order_id} status={order.status.name}"
        self.desk.alert_every(AlertLevel.CRITICAL, "done_order_listed", order.instrument, detail, out)
        if not order.query:
            question = Question(QueryKind.ORDER, order.instrument, order.client_order_id, 0, look=False)
            order.query = self.desk.ask(question, now_ns, out)

    def not_listed(self, order: Order, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        if order.certainty is Certainty.CERTAIN and (
            order.pending is not Pending.NONE or max(order.sent_ns, order.updated_ns) >= answer.asked_ns
        ):
            return  # Its own deadline watches it, or it became what it is after the venue was asked.
        waits = order.venue_state is VenueState.NONE and order.certainty is Certainty.UNKNOWN and order.query_due_ns
        if self.is_denied(order) or (waits and self.desk.pace.is_crowded(now_ns)):
            self.queries.unlisted(order, answer.asked_ns, now_ns, out)
            return  # As the venue said before: its questions go on by themselves, until that counts.
        self.differs = self.differs or self.phase is Phase.VERIFY
        self.desk.doubt(order, now_ns)
        self.desk.publish(order, now_ns, out)
        if self.phase is not Phase.LOOK:  # else SETTLE asks, so many at a time as the door takes
            self.desk.pace.reserve(1, now_ns)
            self.desk.ask_now(order, now_ns, out)

    def is_denied(self, order: Order) -> bool:
        """Journaled, perhaps never sent: asked about since the looks began, and the venue has no such order. It counts as no proof
        yet, so its risk stays reserved; but nobody can say more today.
        """
        return (
            order.venue_state is VenueState.NONE
            and order.certainty is Certainty.UNKNOWN
            and not order.booked
            and not order.absence
            and order.denied_ns >= self.began_ns > 0
        )
