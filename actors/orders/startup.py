"""From a private stream that comes up to orders that may be sent, and back. The phases' table is in `phases`; also the looks while ready.

LOOK open orders and trades of every instrument  ->  SETTLE: each order of ours proven, leftovers canceled (or adopted)
->  BALANCES  ->  VERIFY: a second look agrees  ->  READY. What the stream says meanwhile is folded as always. An order
that the venue denies before that can count stays open, reserved for, and does not hold the start up.
"""

from actors.orders.cancels import cancel, follow_up, is_unwanted
from actors.orders.commands import Commands
from actors.orders.desk import AGAIN_TIMER, NAME, RECONCILE_TIMER, Desk
from actors.orders.differences import Differences
from actors.orders.looks import Looks
from actors.orders.order import is_proven
from actors.orders.phases import PHASES, Phase, Step
from actors.orders.queries import Queries
from actors.orders.question import Question
from actors.orders.state import Certainty
from actors.orders.stopping import Stopping
from bus.messages import (
    AlertLevel,
    AnswerKind,
    BalancesJudged,
    CommandAnswered,
    Control,
    Message,
    OrdersReady,
    OrdersUnready,
    QueryAnswer,
    QueryKind,
    SetTimer,
    StopRequested,
    VenueState,
)

BY_OPERATOR = "operator"
NAMED_MAX = 20  # chosen: ids in one alert; the journal has them all
STRANDED_REMEDY = "they may work unwatched: configure the instrument again, or cancel them at the venue"


class Startup:
    """started: EngineStarted was taken with a usable epoch. rounds: looks in a row that did not lead to READY."""

    __slots__ = (
        "canceled_before",
        "commands",
        "desk",
        "differences",
        "fills_before",
        "looks",
        "queries",
        "rounds",
        "started",
        "stop",
        "stream_up",
        "watching",
    )

    def __init__(self, desk: Desk, commands: Commands, queries: Queries) -> None:
        self.desk = desk
        self.commands = commands
        self.queries = queries
        self.looks = Looks(desk, queries)
        self.differences = Differences(desk)
        self.stop = Stopping(desk, commands, self.looks)
        self.begin_run(started=False)

    def begin_run(self, started: bool) -> None:
        self.started = started
        self.stream_up = False
        self.desk.readied = False
        self.rounds = 0
        self.fills_before = 0
        self.canceled_before = 0
        self.watching = False
        self.looks.begin_anew(0)
        self.looks.phase = PHASES[self.phase, Step.STREAM_DOWN]
        self.differences.begin("", 0)
        self.commands.accepting = False
        self.stop.begin_run()

    @property
    def phase(self) -> Phase:
        return self.looks.phase

    def move(self, step: Step) -> None:
        self.looks.phase = PHASES[self.phase, step]
        self.commands.accepting = self.phase is Phase.READY and not self.commands.stopping
        self.watching = self.phase is Phase.SETTLE or self.commands.stopping

    def on_up(self, now_ns: int, out: list[Message]) -> None:
        self.stream_up = True
        if self.started:
            self.rounds = 0
            self.begin_look(Step.STREAM_UP, "private_stream_up", now_ns, out)

    def on_down(self, reason: str, now_ns: int, out: list[Message]) -> None:
        self.stream_up = False
        self.unready(reason, out)
        self.move(Step.STREAM_DOWN)
        self.differences.answer(AnswerKind.FAILED, f"the private stream is down: {reason}", out)
        self.disown()
        self.doubt_all(now_ns, out)

    def disown(self) -> None:
        self.desk.disown()
        self.stop.closing = 0

    def unready(self, reason: str, out: list[Message]) -> None:
        if self.phase is Phase.READY:
            out.append(OrdersUnready(self.desk.settings.account, reason))

    def doubt_all(self, now_ns: int, out: list[Message]) -> None:
        """Every open order is unproven from here on."""
        for order in list(self.desk.register.open.values()):
            self.desk.doubt(order, now_ns)
            self.desk.publish(order, now_ns, out)

    def configure(self, out: list[Message]) -> None:
        """The run begins with what was handed in for it. Orders of other instruments are named, and set aside."""
        desk = self.desk
        before = desk.terms
        if desk.handing:
            desk.terms = {number: before[number] for number in desk.handed}
            desk.handing = desk.restored = False
        desk.register.strand(desk.terms)
        keys: dict[int, list[str]] = {}
        for order in desk.register.stranded.values():
            keys.setdefault(order.instrument, []).append(order.client_order_id)
        for instrument, working in keys.items():
            symbol = before[instrument].instrument.venue_symbol if instrument in before else ""
            named = ",".join(working[:NAMED_MAX])
            detail = f"symbol={symbol} orders={len(working)} client_order_ids={named} remedy={STRANDED_REMEDY}"
            desk.alert(AlertLevel.WARNING, "orders_of_unconfigured_instrument", instrument, detail, out)

    def begin_look(self, step: Step, reason: str, now_ns: int, out: list[Message]) -> None:
        """First look. Earlier questions are disowned: their answers would speak of an earlier time."""
        desk = self.desk
        self.unready(reason, out)
        self.move(step)
        self.disown()
        self.doubt_all(now_ns, out)
        self.looks.begin()
        if self.rounds == 0:
            self.looks.begin_anew(now_ns)
            self.fills_before = desk.fill_number
            self.canceled_before = desk.canceled
            self.differences.begin("reconnect" if self.desk.readied else "start", now_ns)
        for order in desk.register.open.values():
            order.cancel_refusals = 0
        self.looks.ask_all(now_ns, out)
        self.advance(now_ns, out)

    def suspect(self, now_ns: int, out: list[Message]) -> None:
        """The private stream may not tell everything: what works is unproven until the venue was looked at. A look that is
        under way does for it, and a stop asks about each order anyway.
        """
        if self.phase is Phase.READY and not self.commands.stopping:
            self.rounds = 0
            self.begin_look(Step.STREAM_UP, "private_stream_suspect", now_ns, out)
            self.differences.trigger = "suspicion"

    def answered(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """An answer to a look's question."""
        told = len(out)
        answered = self.looks.answered(question, answer, now_ns, out)
        self.differences.learned(out[told:], out)
        if not answered:
            return
        self.reported(question.kind, now_ns, out)
        self.advance(now_ns, out)

    def reported(self, kind: QueryKind, now_ns: int, out: list[Message]) -> None:
        """Balances were answered, or what they may contain was: they are reported by now unless something is outstanding."""
        looks = self.looks
        settled = looks.unsettled is not None and looks.outstanding == 0
        if settled:
            looks.report(now_ns, out)
        if self.phase is Phase.BALANCES and (settled or (kind is QueryKind.BALANCES and looks.unsettled is None)):
            self.balanced(now_ns, out)

    def balanced(self, now_ns: int, out: list[Message]) -> None:
        if self.settled():
            self.move(Step.BALANCED)
            self.looks.differs = False
            self.looks.ask_listings(now_ns, out)
        else:
            self.pause(now_ns, out)

    def on_judged(self, message: BalancesJudged, now_ns: int, out: list[Message]) -> None:
        """The portfolio's word on the balances: the comparison is complete, or they are looked at again before it is."""
        awaited, self.looks.unjudged = self.looks.unjudged, False
        if self.phase is Phase.READY and not awaited:
            return  # on balances of before this look, or on a stop's own: its end is another verdict
        self.looks.overdue = 0
        self.differences.judged(message)
        if self.phase not in (Phase.VERIFY, Phase.READY):
            return  # a new look began: it comes to balances by itself
        if message.again:
            self.looks.ask_once_more(now_ns, out)
        elif self.phase is Phase.READY:
            self.compared(now_ns, out)
        self.advance(now_ns, out)

    def compared(self, now_ns: int, out: list[Message]) -> None:
        """A comparison is complete. The next one comes with the interval, and sooner where the ledger had no part in this one."""
        rows, settings = self.differences, self.desk.settings
        rows.end(now_ns, out)
        wait_ns = settings.reconcile_interval_ns
        if rows.uncompared:
            wait_ns = min(settings.backoff_max_ns << min(rows.uncompared - 1, 20), wait_ns)
        out.append(SetTimer(NAME, RECONCILE_TIMER, 0, now_ns + wait_ns))

    def settled(self) -> bool:
        """Nothing of ours is open; or, when leftovers are adopted, everything open is proven and complete.

        What the venue denied and may still get is open and stays so: it is reserved for, and no start waits for it.
        """
        open_orders = self.desk.register.open
        if not open_orders:
            return True
        if self.commands.stopping and not self.stop.keeping:
            return False
        for order in open_orders.values():
            if self.looks.is_denied(order):
                continue
            if is_unwanted(self.desk, order) and not self.stop.keeping:
                return False
            if not is_proven(order):
                return False
        return True

    def advance(self, now_ns: int, out: list[Message]) -> None:
        """Go on as far as the phase is finished."""
        looks = self.looks
        if self.phase is Phase.LOOK and looks.outstanding == 0:
            self.move(Step.LOOKED)
            self.settle_all(now_ns, out)
            out.append(SetTimer(NAME, AGAIN_TIMER, 0, now_ns + self.settle_ns()))
        if self.phase is Phase.SETTLE:
            looks.ask_some(now_ns, out)
        if self.phase is Phase.SETTLE and self.settled():
            self.move(Step.SETTLED)
            looks.ask_balances(now_ns, out)
        elif looks.balances_next and looks.outstanding == 0 and self.phase in (Phase.VERIFY, Phase.READY):
            looks.ask_balances(now_ns, out)
        elif self.phase is Phase.VERIFY and looks.outstanding == 0 and not looks.unjudged:
            if looks.differs or not self.settled():
                self.pause(now_ns, out)
            elif not (self.desk.later_epoch or self.desk.blind):
                self.ready(now_ns, out)
        elif self.phase is Phase.READY and self.desk.later_epoch:
            self.rounds = 0
            later = self.desk.later_epoch > self.desk.ids.epoch
            reason = "order_of_a_later_epoch" if later else "order_of_another_engine"
            self.begin_look(Step.STREAM_UP, reason, now_ns, out)
        if self.commands.stopping:
            self.stop.close(now_ns, out)

    def settle_all(self, now_ns: int, out: list[Message]) -> None:
        """Ask for each order that the look did not show; cancel what works, unless leftovers are adopted."""
        desk = self.desk
        for order in list(desk.register.open.values()):
            if is_unwanted(desk, order) and not self.stop.keeping:
                order.cancel_wanted = True
            if order.certainty is not Certainty.UNKNOWN or self.looks.is_denied(order):
                follow_up(desk, order, now_ns, out)
                continue
            self.looks.unasked.append(order.client_order_id)
            order.query_due_ns = now_ns + self.settle_ns()  # whatever happens to it until then: its turn comes
            young = now_ns <= desk.provable_ns(order.sent_ns)
            if order.cancel_wanted and order.venue_state is VenueState.NONE and young:
                cancel(desk, order, 0, now_ns, out)  # by our id: should the venue have it unseen, it ends there
                desk.publish(order, now_ns, out)
        desk.pace.reserve(
            2 * len(self.looks.unasked), now_ns
        )  # where there are many, what agrees is the second look's list

    def pause(self, now_ns: int, out: list[Message]) -> None:
        """The two looks disagree (or something came to light between): look again, not at once."""
        desk = self.desk
        self.move(Step.DIFFERED)
        self.rounds += 1
        wait_ns = min(desk.settings.backoff_min_ns << min(self.rounds - 1, 20), desk.settings.backoff_max_ns)
        desk.alert_every(AlertLevel.WARNING, "start_looks_differ", -1, f"rounds={self.rounds}", out)
        out.append(SetTimer(NAME, AGAIN_TIMER, 0, now_ns + wait_ns))

    def settle_ns(self) -> int:
        """How long one look's orders may take to be settled before another one is due; later ones in the periodic look's pace."""
        settings = self.desk.settings
        return min(settings.backoff_max_ns << min(self.rounds, 20), settings.reconcile_interval_ns)

    def on_again(self, now_ns: int, out: list[Message]) -> None:
        """After a pause; or nothing has ended what works since the look: held back cancels, answers that lagged."""
        if self.phase is Phase.SETTLE and self.looks.unasked:
            out.append(SetTimer(NAME, AGAIN_TIMER, 0, now_ns + self.settle_ns()))  # it goes on: there are many
        elif self.phase is Phase.PAUSE or (self.phase is Phase.SETTLE and not self.commands.stopping):
            self.rounds += self.phase is Phase.SETTLE
            self.begin_look(Step.AGAIN, "", now_ns, out)

    def ready(self, now_ns: int, out: list[Message]) -> None:
        desk = self.desk
        self.move(Step.AGREED)
        self.rounds = 0
        desk.readied = desk.ever_ready = True
        self.compared(now_ns, out)
        if not self.commands.stopping:
            canceled = desk.canceled - self.canceled_before
            fills = desk.fill_number - self.fills_before
            adopted, stranded = len(desk.register.open), len(desk.register.stranded)
            out.append(OrdersReady(desk.settings.account, desk.ids.epoch, adopted, canceled, fills, stranded))

    def on_reconcile(self, now_ns: int, out: list[Message]) -> None:
        """The periodic look, armed again by the next READY."""
        if self.phase is not Phase.READY:
            return
        self.look_now("interval", now_ns, out)
        out.append(SetTimer(NAME, RECONCILE_TIMER, 0, now_ns + self.desk.settings.reconcile_interval_ns))

    def look_now(self, trigger: str, now_ns: int, out: list[Message]) -> None:
        """Compare orders, trades and balances while orders go on. trigger: as in Reconciled. A look that is under way, of a
        start or of this kind, does for whoever asks meanwhile.
        """
        if self.phase is Phase.READY and self.looks.outstanding == 0:
            self.looks.begin_anew(now_ns)
            self.differences.begin(trigger, now_ns)
            self.looks.ask_all(now_ns, out)
            self.looks.balances_next = True
            self.advance(now_ns, out)

    def on_reconcile_wanted(self, asker: str, now_ns: int, out: list[Message]) -> None:
        """A person's word. He is answered when a comparison is complete, be it the start's own."""
        rows = self.differences
        rows.wait_for(asker, out)
        if self.phase is Phase.DOWN:
            rows.answer(AnswerKind.FAILED, "the private stream is down: its return brings a comparison by itself", out)
            return
        self.look_now(BY_OPERATOR, now_ns, out)
        told = f"under way: {rows.trigger}, {self.phase.name}"
        out.append(CommandAnswered(asker, Control.RECONCILE, -1, AnswerKind.FOLLOWS, told))

    def on_stop(self, message: StopRequested, now_ns: int, out: list[Message]) -> None:
        if self.stop.begin(message, now_ns, out):
            self.watching = True
            self.stop.close(now_ns, out)
