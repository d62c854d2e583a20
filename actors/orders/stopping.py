"""The end of a run: what works is canceled or kept, the balances are asked for once more, and it is said what is left. Pure."""

from actors.orders.cancels import cancel_all
from actors.orders.commands import Commands
from actors.orders.desk import NAME, STOP_TIMER, Desk
from actors.orders.looks import Looks
from actors.orders.order import is_proven
from actors.orders.phases import Phase
from actors.orders.question import Question
from bus.messages import (
    AlertLevel,
    BalancesReported,
    Message,
    OrdersQuiet,
    Outcome,
    QueryAnswer,
    QueryKind,
    SetTimer,
    StopPolicy,
    StopRequested,
)


class Stopping:
    """keeping: the stop leaves what works. stop_ns: its deadline. closing: counter of its own question for balances in flight, 0
    none. quiet_said: nothing more is to be told.
    """

    __slots__ = ("closing", "commands", "desk", "keeping", "looks", "quiet_said", "stop_ns")

    def __init__(self, desk: Desk, commands: Commands, looks: Looks) -> None:
        self.desk = desk
        self.commands = commands
        self.looks = looks
        self.begin_run()

    def begin_run(self) -> None:
        self.quiet_said = False
        self.keeping = False
        self.stop_ns = 0
        self.closing = 0
        self.commands.stopping = False

    def begin(self, message: StopRequested, now_ns: int, out: list[Message]) -> bool:
        """FLATTEN is the first half of a stop: what works goes, and what closes positions may still come. True: the run ends."""
        if message.policy is not StopPolicy.KEEP:
            cancel_all(self.desk, -1, now_ns, out)
        if message.policy is StopPolicy.FLATTEN:
            return False
        self.keeping = message.policy is StopPolicy.KEEP
        self.commands.stopping = True
        self.commands.accepting = False
        self.stop_ns = message.deadline_ns
        out.append(SetTimer(NAME, STOP_TIMER, 0, message.deadline_ns))
        return True

    def looked(self) -> bool:
        """Whether the venue was looked at since the private stream came up: before that, silence is no proof."""
        return self.looks.phase not in (Phase.DOWN, Phase.LOOK)

    def close(self, now_ns: int, out: list[Message]) -> None:
        """When nothing is open and the venue was looked at: ask for balances, once.

        So the ledger is compared at the end of every run, too. Stranded orders may still be filled: then it cannot be.
        """
        if self.quiet_said or self.closing or not self.looked():
            return
        working = len(self.desk.register.open)
        if working and not (self.keeping and self.kept() == working):
            return
        if working or self.desk.register.stranded:
            self.say_quiet(out)
            return
        question = Question(QueryKind.BALANCES, -1, "", 0, look=False, known=self.desk.account_moves)
        self.closing = self.desk.ask(question, now_ns, out, self.stop_ns)

    def closed(self, question: Question, answer: QueryAnswer, now_ns: int, out: list[Message]) -> None:
        """The answer to the stop's own question. It holds the stop up no longer, whatever it is."""
        desk = self.desk
        self.closing = 0
        if self.quiet_said:
            desk.count("balances_after_the_stop")
        elif desk.register.open or question.known != desk.account_moves:
            self.close(now_ns, out)  # Something moved while it was asked: it says neither before nor after.
        elif answer.outcome is not Outcome.RESULT:
            desk.alert(AlertLevel.WARNING, "balances_unknown_at_stop", -1, f"reason={answer.reason}", out)
            self.say_quiet(out)
        else:
            account, venue = desk.settings.account, desk.settings.venue
            positions = answer.positions  # a futures venue tells them in the same answer
            out.append(
                BalancesReported(account, venue, True, answer.balances, positions=positions, steady=True, final=True)
            )
            self.say_quiet(out)

    def kept(self) -> int:
        """How many orders are proven to be working, complete, and wanted so."""
        orders = self.desk.register.open.values() if self.keeping else ()
        return sum(is_proven(order) and not order.cancel_wanted for order in orders)

    def say_quiet(self, out: list[Message]) -> None:
        self.quiet_said = True
        out.append(OrdersQuiet(self.desk.settings.account, len(self.desk.register.stranded), self.kept()))

    def on_deadline(self, out: list[Message]) -> None:
        """Time is up. Without a look there is no number to say, however few orders we know of."""
        if not self.quiet_said:
            self.quiet_said = True
            register = self.desk.register
            known = self.looked()
            kept = self.kept() if known else 0
            unresolved = len(register.open) - kept + len(register.stranded) if known else -1
            out.append(OrdersQuiet(self.desk.settings.account, unresolved, kept))
