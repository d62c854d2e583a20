"""The actor "risk": the last word on each new order, and the first on stopping. Pure. HOT PATH: OrderCommand in.

Cancels do not pass here: nothing may hold them up. One risk actor an account. It starts in CANCEL_ONLY and orders
lifts it (OrdersReady). Position and remainders are folded facts (exposure.py, sums.py); checks are in checks.py, the states'
table in states.py. What stops trading is a table in causes.py, done by switch.py, losses.py, watch.py (with the ladder of
lateness, ladder.py) and storms.py (with repeats.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.risk.checks import BAND, NONE, Book, admit, judge
from actors.risk.limits import AccountLimits, RiskLimits
from actors.risk.state import RiskState
from actors.risk.states import ACTIVE, PASSES, Command
from actors.risk.storms import Storms, of_command, of_hold
from actors.risk.sums import Account
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
    BookState,
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
    OrderStatus,
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
REJECTED, FEED_LATE = OrderStatus.REJECTED, Refusal.FEED_LATE  # by name: a look-up costs 75-117 ns on Python 3.11
FILLED = OrderStatus.FILLED


class Risk(Actor[RiskState]):
    """limits: by instrument number; an instrument without limits trades nothing."""

    name = "risk"
    State = RiskState

    def __init__(self, limits: Mapping[int, RiskLimits], account_limits: AccountLimits) -> None:
        self.limits = dict(limits)
        self.account_limits = account_limits
        self.next_approval = 0
        self.approved = self.repeated = 0
        self.last_update = self.last_fill = -1
        self.refused: dict[Refusal, int] = {}
        self.switch = Switch(account_limits, self.limits)
        switch, self.watch, self.losses = self.switch, self.switch.watch, self.switch.losses
        self.ladder = self.watch.ladder
        self.storms = Storms(switch, account_limits.repeats_max)
        self.repeats = self.storms.repeats
        self._fresh()
        self.handlers = {
            OrderCommand: self.on_command,
            Touch: self.on_touch,
            FeedAge: self.on_feed_age,
            BandHeld: self.on_band,
            CooldownHeld: switch.on_cooldown,
            LeadershipLost: switch.on_leadership_lost,
            OrderUpdate: self.on_update,
            Fill: self.on_fill,
            PositionUpdate: self.on_position,
            OrderRefused: self.on_refused,
            CommandDropped: self.on_dropped,
            BookStateChanged: self.on_book_state,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: switch.on_stop,
            OrdersReady: switch.on_ready,
            OrdersUnready: switch.on_unready,
            OperatorCommand: self.on_operator,
            ActorFailed: switch.on_actor_failed,
            ActorsRestarted: switch.on_restarted,
            StrategyQuarantined: switch.on_quarantined,
            ClockEstimate: self.on_clock,
            LoopLag: self.watch.on_loop_lag,
            PrivateStreamDown: self.watch.on_disconnect,
            Mark: self.on_mark,
            TimerFired: self.on_timer,
            LedgerCompared: switch.on_ledger,
            BaselineTaken: switch.on_baseline,
            BaselineAwaited: switch.on_baseline_awaited,
        }

    def _fresh(self) -> None:
        limits = self.account_limits
        self.account = Account(0, {})
        self.rate = Window(limits.order_rate, limits.order_rate_window_ns)
        self.books: dict[int, Book] = {}
        for number, bounds in self.limits.items():
            self._add_book(number, bounds)

    def _add_book(self, number: int, bounds: RiskLimits) -> Book:
        book = Book(number, self.account)
        book.configure(bounds)
        self.books[number] = book
        self.storms.configure(number, bounds)
        return book

    # The decision

    def on_command(self, command: OrderCommand, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(command.instrument)
        if book is None:
            return self._refuse(command, Refusal.UNKNOWN_INSTRUMENT)
        if (command.owner, command.command) in book.requests:
            self.repeated += 1  # delivered twice: the first one stands, and what is reserved for it
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

    # Facts

    def on_touch(self, touch: Touch, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(touch.instrument)
        if book is not None and not book.lost:
            book.touch = touch
        return NOTHING

    def on_feed_age(self, age: FeedAge, now_ns: int) -> tuple[Message, ...]:
        if age.instrument not in self.limits:
            return NOTHING
        self.books[age.instrument].hear_age(age, now_ns)
        return self.watch.on_feed_age(age, now_ns)

    def on_mark(self, mark: Mark, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(mark.instrument)
        return NOTHING if book is None else self.losses.on_mark(mark, book.instrument, now_ns)

    def on_clock(self, estimate: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        return self.switch.on_clock(estimate, now_ns) + self.watch.on_clock(estimate, now_ns)

    def on_band(self, band: BandHeld, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(band.instrument)
        if book is not None:
            book.hold_band(band.bid_max, band.ask_min)
        return NOTHING

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """LIVE again brings its own Touch; until then there is no price to judge by. A Touch of the same cascade that comes
        behind the loss is of before.
        """
        book = self.books.get(change.instrument)
        if book is None:
            return NOTHING
        book.lost = change.state != BookState.LIVE
        if not book.lost:
            return self.watch.on_live(change.instrument, now_ns)
        book.touch = None
        return self.watch.on_lost(change.instrument, now_ns)

    def on_update(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        if update.number <= self.last_update:
            self.repeated += 1
            return NOTHING
        self.last_update = update.number
        book = self._book(update.instrument)
        in_flight = book.in_flight
        hold = book.on_update(update)
        changes: tuple[Message, ...] = NOTHING
        if hold is not None and book.in_flight < in_flight:  # its first answer, or it is given up
            changes = self.watch.on_answered(now_ns - hold.sent_ns, now_ns)
            if self.repeats.rows and update.status < FILLED:
                self.repeats.accepted(of_hold(update.instrument, hold))
        if update.status is REJECTED and update.refusal is Refusal.VENUE_REJECTED:
            return (*changes, *self.storms.on_rejected(update, hold, now_ns))
        return changes

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        if fill.number <= self.last_fill:
            self.repeated += 1
            return NOTHING
        self.last_fill = fill.number
        self._book(fill.instrument).on_fill(fill, now_ns)
        return NOTHING if fill.recovered else self.storms.on_fill(fill.instrument, now_ns)

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        book = self._book(position.instrument)
        book.on_position(position, now_ns)
        return self.losses.on_position(position, book.instrument, now_ns)

    def fold_position(self, position: PositionUpdate, now_ns: int) -> None:
        book = self._book(position.instrument)
        book.on_position(position, now_ns)
        self.losses.fold(position, book.instrument, now_ns)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        """Our own refusals come back here as well: nothing is reserved for those."""
        book = self.books.get(refused.instrument)
        if book is not None:
            book.release(refused.owner, refused.command)
        return NOTHING

    def on_dropped(self, dropped: CommandDropped, now_ns: int) -> tuple[Message, ...]:
        """Only what has no order yet is released: once there is an order, its OrderUpdate says how it ended."""
        book = self.books.get(dropped.instrument)
        if book is not None and dropped.command >= 0:
            book.release(dropped.owner, dropped.command)
        return NOTHING

    def _book(self, number: int) -> Book:
        """Facts of an instrument nobody configured limits for are counted too; it can only not trade."""
        book = self.books.get(number)
        return book if book is not None else self._add_book(number, CLOSED)

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

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        return self.switch.on_operator(command, now_ns)

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        return self.watch.on_timer(fired, self.books, now_ns)

    # Recovery and checkpoint

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        """A person's order is a fact: it holds after a SIGKILL as well. So is a ledger's start, which nobody says again."""
        return {
            OrderUpdate: self.on_update,
            Fill: self.on_fill,
            PositionUpdate: self.fold_position,
            OperatorCommand: self.on_operator,
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
            last_update=self.last_update,
            last_fill=self.last_fill,
            approved=self.approved,
            repeated=self.repeated,
            refused=list(self.refused.items()),
            bands=[(book.number, book.bid_max, book.ask_min) for book in self.books.values()],
            peaks=list(self.losses.peaks.items()),
            watch=self.watch.saved(),
            fills=fills,
            repeats=repeats,
        )

    def restore(self, state: RiskState) -> None:
        self._fresh()
        for saved in state.books:
            self._book(saved.number).restore(saved)
        for number, bid_max, ask_min in state.bands:
            self.books[number].hold_band(bid_max, ask_min)
        self.rate.restore(state.rate)
        self.storms.restore(state.rejects, state.fills, state.repeats)
        self.switch.restore(state.reasons)
        self.losses.restore(state.days, state.peaks)
        self.watch.restore(state.watch)
        self.next_approval = state.next_approval
        self.last_update, self.last_fill = state.last_update, state.last_fill
        self.approved, self.repeated = state.approved, state.repeated
        self.refused = dict(state.refused)

    def view(self) -> dict[str, Any]:
        return view(self.books.values(), self.account, self.switch, self.repeats) | {
            "approved": self.approved,
            "refused": {reason.name: count for reason, count in self.refused.items()},
            "repeated": self.repeated,
        }


CLOSED = RiskLimits(order_lots_max=1, position_lots_max=0)
"""Bounds of an instrument that only appears in facts. Its Instrument is not taken, so nothing can be approved."""
