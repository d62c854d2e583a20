"""The actor "risk": the last word on each new order, and the first on stopping. Pure. HOT PATH: OrderCommand in.

Cancels do not pass here: nothing may hold them up. One risk actor an account. It starts in CANCEL_ONLY and orders
lifts it (OrdersReady). Position and remainders are folded facts (facts.py: exposure.py, sums.py); checks are in checks.py,
the states' table in states.py. What stops trading is a table in causes.py, done by switch.py, losses.py, watch.py (with the
ladder of lateness, ladder.py) and storms.py (with repeats.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.risk.checks import BAND, NONE, Book, admit, judge
from actors.risk.facts import Facts
from actors.risk.limits import AccountLimits, RiskLimits
from actors.risk.state import RiskState
from actors.risk.states import ACTIVE, PASSES, Command
from actors.risk.storms import Storms, of_command
from actors.risk.switch import Switch
from actors.risk.view import view
from actors.risk.window import Window
from bus.actor import NOTHING, Actor
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    ApprovedOrder,
    BandHeld,
    BandWanted,
    BaselineAwaited,
    BaselineTaken,
    BookStateChanged,
    ClockEstimate,
    CommandDropped,
    CooldownHeld,
    EngineStarted,
    FeedAge,
    Fill,
    Instrument,
    LeadershipLost,
    LedgerCompared,
    LoopLag,
    Mark,
    Message,
    OperatorCommand,
    OrderCommand,
    OrderRefused,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    PositionUpdate,
    PrivateStreamDown,
    Refusal,
    StopRequested,
    StrategyQuarantined,
    TimerFired,
    Touch,
)

NEW_INCREASING, NEW_REDUCING = Command.NEW_INCREASING, Command.NEW_REDUCING
FEED_LATE = Refusal.FEED_LATE  # by name: a look-up costs 75-117 ns on Python 3.11


class Risk(Actor[RiskState]):
    """limits: by instrument number; an instrument without limits trades nothing."""

    name = "risk"
    State = RiskState

    def __init__(self, limits: Mapping[int, RiskLimits], account_limits: AccountLimits) -> None:
        self.limits = dict(limits)
        self.account_limits = account_limits
        self.next_approval = 0
        self.approved = 0
        self.refused: dict[Refusal, int] = {}
        self.switch = Switch(account_limits, self.limits)
        switch, self.watch, self.losses = self.switch, self.switch.watch, self.switch.losses
        self.ladder = self.watch.ladder
        self.storms = Storms(switch, account_limits.repeats_max)
        self.repeats = self.storms.repeats
        self.rate = Window(account_limits.order_rate, account_limits.order_rate_window_ns)
        facts = self.facts = Facts(self.limits, self.watch, self.losses, self.storms)
        self.account, self.books = facts.account, facts.books
        self.handlers = {
            OrderCommand: self.on_command,
            Touch: facts.on_touch,
            FeedAge: facts.on_feed_age,
            BandHeld: facts.on_band,
            CooldownHeld: switch.on_cooldown,
            LeadershipLost: switch.on_leadership_lost,
            OrderUpdate: facts.on_update,
            Fill: facts.on_fill,
            PositionUpdate: facts.on_position,
            OrderRefused: facts.on_refused,
            CommandDropped: facts.on_dropped,
            BookStateChanged: facts.on_book_state,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: switch.on_stop,
            OrdersReady: switch.on_ready,
            OrdersUnready: switch.on_unready,
            OperatorCommand: switch.on_operator,
            ActorFailed: switch.on_actor_failed,
            ActorsRestarted: switch.on_restarted,
            StrategyQuarantined: switch.on_quarantined,
            ClockEstimate: self.on_clock,
            LoopLag: self.watch.on_loop_lag,
            PrivateStreamDown: self.watch.on_disconnect,
            Mark: facts.on_mark,
            TimerFired: self.on_timer,
            LedgerCompared: switch.on_ledger,
            BaselineTaken: switch.on_baseline,
            BaselineAwaited: switch.on_baseline_awaited,
        }

    # The decision

    def on_command(self, command: OrderCommand, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(command.instrument)
        if book is None:
            return self._refuse(command, Refusal.UNKNOWN_INSTRUMENT)
        if (command.owner, command.command) in book.requests:
            self.facts.repeated += 1  # delivered twice: the first one stands, and what is reserved for it
            return NOTHING
        reason = self._judge(command, book, now_ns)
        if reason is not NONE:
            refused = self._refuse(command, reason)
            if reason is not BAND:
                return refused
            nearest = command.reduce_only and not command.post_only
            return (
                *refused,
                BandWanted(command.instrument, int(command.side), command.price_ticks * book.tick, nearest),
            )
        book.reserve(command, now_ns)
        self.rate.count(now_ns)
        self.approved += 1
        approval = self.next_approval
        self.next_approval = approval + 1
        return (
            ApprovedOrder(
                command.account,
                command.venue,
                command.instrument,
                command.version,
                command.owner,
                command.reduce_only,
                command.update_id,
                command.received_ns,
                command.expires_ns,
                command.command,
                command.side,
                command.price_ticks,
                command.quantity_lots,
                command.post_only,
                approval,
            ),
        )

    def _judge(self, command: OrderCommand, book: Book, now_ns: int) -> Refusal:
        if book.unsettled:
            book.settle(now_ns)
        # The worst case with this order: everything open on its side fills, nothing on the other.
        if command.side > 0:
            worst = book.worst_long() + command.quantity_lots
            reducing, beyond = worst <= 0, worst > book.position_max
        else:
            worst = book.worst_short() - command.quantity_lots
            reducing, beyond = worst >= 0, worst < book.position_min
        if self.switch.reasons.held:
            state = self.switch.state_for(command.instrument, command.owner)
            if state is not ACTIVE and not PASSES[state, NEW_REDUCING if reducing else NEW_INCREASING]:
                return Refusal.TRADING_STATE
        if command.reduce_only and not reducing:
            return Refusal.NOT_REDUCING
        reason = judge(command, book, now_ns)
        if reason is not NONE:
            return reason
        limits = self.account_limits
        if self.account.open_orders >= limits.open_orders_max:
            return Refusal.OPEN_ORDERS
        if not reducing:
            if now_ns < book.late_until_ns:
                return FEED_LATE
            if beyond:
                return Refusal.POSITION
            most = limits.open_notional_max.get(book.asset)
            if most is not None:
                wished = book.notional_of(command.price_ticks, command.quantity_lots)
                if self.account.notional.get(book.asset, 0) + wished > most:
                    return Refusal.NOTIONAL
            if not self.rate.has_room(now_ns):
                return Refusal.ORDER_RATE
            most_in_flight = self.ladder.in_flight_max
            if most_in_flight and book.in_flight >= most_in_flight:
                return Refusal.IN_FLIGHT
        if self.repeats.closed and self.repeats.holds(of_command(command), now_ns):
            return Refusal.REPEATED
        return admit(command.side, command.price_ticks, book)

    def _refuse(self, command: OrderCommand, reason: Refusal) -> tuple[Message, ...]:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        return (OrderRefused(command.instrument, command.owner, command.command, command.side, reason),)

    # Start, stop, states

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        if instrument.instrument not in self.limits:
            return NOTHING
        book = self.books[instrument.instrument]
        if book.version != instrument.version:
            self.repeats.forget(instrument.instrument)
        book.set_instrument(instrument)
        self.losses.name_asset(instrument.instrument, instrument.quote_asset)
        return self.switch.on_instrument(instrument, now_ns)

    def on_engine_started(self, started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        for book in self.books.values():
            book.touch, book.age, book.late_until_ns = None, None, 0  # of the run before, if of any
            book.hold_band(0, 0)
            book.wait_no_more()
        self.rate.bound(now_ns)
        self.storms.bound(now_ns)
        return self.switch.on_started(started, now_ns)

    def on_clock(self, estimate: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        return self.switch.on_clock(estimate, now_ns) + self.watch.on_clock(estimate, now_ns)

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        return self.watch.on_timer(fired, self.books, now_ns)

    # Recovery and checkpoint

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        """A person's order is a fact: it holds after a SIGKILL as well. So is a ledger's start, which nobody says again."""
        return {
            OrderUpdate: self.facts.on_update,
            Fill: self.facts.on_fill,
            PositionUpdate: self.facts.fold_position,
            OperatorCommand: self.switch.on_operator,
            BaselineTaken: self.switch.on_baseline,
        }

    def checkpoint(self) -> RiskState:
        rejects, fills, repeats = self.storms.saved()
        return RiskState(
            books=[book.saved() for book in self.books.values()],
            reasons=self.switch.reasons.saved(),
            days=list(self.losses.days.values()),
            rejects=rejects,
            rate=self.rate.saved(),
            next_approval=self.next_approval,
            last_update=self.facts.last_update,
            last_fill=self.facts.last_fill,
            approved=self.approved,
            repeated=self.facts.repeated,
            refused=list(self.refused.items()),
            bands=[(book.number, book.bid_max, book.ask_min) for book in self.books.values()],
            peaks=list(self.losses.peaks.items()),
            watch=self.watch.saved(),
            fills=fills,
            repeats=repeats,
            heard=self.switch.heard,
        )

    def restore(self, state: RiskState) -> None:
        self.facts.restore(state)
        self.rate.restore(state.rate)
        self.storms.restore(state.rejects, state.fills, state.repeats)
        self.switch.restore(state.reasons, state.heard)
        self.losses.restore(state.days, state.peaks)
        self.watch.restore(state.watch)
        self.next_approval = state.next_approval
        self.approved = state.approved
        self.refused = dict(state.refused)

    def view(self) -> dict[str, Any]:
        return view(self.books.values(), self.account, self.switch, self.repeats) | {
            "approved": self.approved,
            "refused": {reason.name: count for reason, count in self.refused.items()},
            "repeated": self.facts.repeated,
        }
