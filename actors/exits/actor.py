"""The actor "exits": it watches what is held, and closes it when it should be. Pure. HOT PATH: Signals in.

Market data and facts of the account come in here; phases.py says what follows what, thresholds.py at which prices,
triggers.py which of them was reached, closer.py steps and wishes. A wish of exits outranks the strategies' on its
instrument (execution holds theirs meanwhile), so one is made only when a trigger was met; an empty one gives the
instrument back. One wish an instrument, renewed before it expires.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.exits.closer import UNCLOSABLE, Closer, pause
from actors.exits.entry import Entry, fees_in_quote, fold, settle, traded
from actors.exits.flatten import OPERATOR, TIMER, Flatten, FlattenSettings
from actors.exits.phases import HOLDING, TAKING_PROFIT, Event, account_event
from actors.exits.settings import ExitsSettings
from actors.exits.thresholds import draw
from actors.exits.triggers import event_of, follow
from actors.exits.watch import ExitsState, Watch, Wish, lots_of
from actors.exits.wishes import OWNER, OrderMax, too_small
from bus.actor import NOTHING, Actor
from bus.messages import (
    Alert,
    AlertLevel,
    BookState,
    BookStateChanged,
    CommandAnswered,
    EngineStarted,
    Fill,
    Instrument,
    Mark,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Signals,
    StopPolicy,
    StopRequested,
    TimerFired,
    TradingState,
    TradingStateChanged,
)

TOO_SMALL = (Refusal.MIN_NOTIONAL, Refusal.QUANTITY_FILTER)
OFF_PRICE = (Refusal.PRICE_COLLAR, Refusal.PRICE_FILTER)
PASSING = (
    Refusal.NOT_REDUCING,
    Refusal.SELF_TRADE,
    Refusal.STALE_BOOK,
    Refusal.EXPIRED,
    Refusal.OPEN_ORDERS,
    Refusal.TRADING_STATE,
)
"""Refusals that end by themselves, mostly with the cancel of what a strategy had resting; execution tries again."""


class Exits(Actor[ExitsState]):
    """settings None: the rules are switched off, and no price reaches it but a mark a second; what a person or a stop wants
    closed is closed all the same (flatten.py). order_max: the most one order may have, by instrument.
    """

    name = OWNER
    State = ExitsState

    def __init__(
        self,
        settings: ExitsSettings | None,
        order_max: Mapping[int, OrderMax],
        flatten: FlattenSettings = FlattenSettings(),  # noqa: B008 - it is frozen
    ) -> None:
        self.enabled = settings is not None
        self.settings = settings or ExitsSettings(stop_loss_bps=1)
        self.closer = Closer(self.settings, order_max)
        self.flatten = Flatten(flatten, order_max)
        self.watches: dict[int, Watch] = {}
        self.scopes: dict[str, TradingState] = {"engine": TradingState.CANCEL_ONLY}
        self.stopping = False
        self.last_fill = self.last_position = -1
        self.handlers = {
            Signals: self.on_signals,
            Mark: self.flatten.on_mark,
            BookStateChanged: self.on_book_state,
            PositionUpdate: self.on_position,
            Fill: self.on_fill,
            OrderUpdate: self.on_order,
            OrderRefused: self.on_refused,
            TimerFired: self.on_timer,
            TradingStateChanged: self.on_trading_state,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: self.on_stop,
            OperatorCommand: self.flatten.on_operator,
        }
        if not self.enabled:
            self.deaf = (Signals, Fill, OrderUpdate, TradingStateChanged)
            for kind in self.deaf:
                del self.handlers[kind]

    # The market

    def on_signals(self, signals: Signals, now_ns: int) -> tuple[Message, ...]:
        watch = self.closer.watched.get(signals.instrument)
        if watch is None or watch.lost:
            return NOTHING
        instrument = watch.instrument
        if instrument is None or instrument.version != signals.version:
            return NOTHING  # of the filters before or after: the next one will fit
        settings = self.settings
        follow(watch, signals, settings.pressure_threshold, now_ns)
        if watch.phase < TAKING_PROFIT and event_of(watch, signals, settings.pressure_ns, now_ns) is None:
            return NOTHING
        return self.closer.act(watch, now_ns, signals.received_ns)

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """The phase is kept and its deadline runs on; execution has dropped the wish. A LIVE book brings its signals."""
        self.flatten.on_book_state(change, now_ns)
        watch = self.watches.get(change.instrument)
        if watch is None:
            return NOTHING
        watch.lost = change.state != BookState.LIVE
        if watch.lost:
            watch.signals = watch.wish = None
            watch.against_ns = 0
        return NOTHING

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        if fired.counter == TIMER:
            return self.flatten.on_timer(fired.generation, now_ns)
        watch = self.watches.get(fired.counter)
        if watch is None or fired.generation != watch.timer_generation:
            return NOTHING
        watch.timer_ns = 0
        return self.closer.act(watch, now_ns, 0)

    # The account

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """Only its fee is read; the position it makes comes as PositionUpdate."""
        if fill.number > self.last_fill:
            self.last_fill = fill.number
            settings = self.settings
            rate = settings.maker_fee_ppm if fill.is_maker else settings.taker_fee_ppm
            fold(self._watch(fill.instrument).entry, fill, rate)
        return NOTHING

    def on_position(self, update: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        """Said anew even if the wish is the same: execution waits for that after a fill."""
        if update.number <= self.last_position:
            return NOTHING
        self.last_position = update.number
        leaving = self.flatten.on_position(update, now_ns)
        if not self.enabled:
            return leaving
        watch = self._watch(update.instrument)
        settle(watch.entry, update.position)
        watch.position, watch.cost, watch.realized = update.position, update.cost, update.realized
        if not update.position:
            watch.told_dust = -1
        if update.taken_over:  # another's: what its entry paid is not known, and what it lost is not our exit's
            watch.entry, watch.realized_before = Entry(held=update.position), update.realized
        words = self._resize(watch, update.position_lots, now_ns, another=update.taken_over)
        return (*leaving, *self.closer.act(watch, now_ns, 0, anew=True), *words)

    def _resize(self, watch: Watch, lots: int, now_ns: int, *, another: bool = False) -> tuple[Message, ...]:
        """lots: as the fact counted them; once the instrument is known, they are counted in its own. another: it is
        not the position that was watched, even if it is as large.
        """
        instrument = watch.instrument
        if instrument is not None:
            lots = lots_of(watch.position, instrument)
            bought = traded(watch.entry, watch.position, instrument)
            fees = fees_in_quote(watch.entry, instrument)
            watch.thresholds = draw(watch.position, bought, watch.cost, fees, instrument, self.settings)
        event = Event.REVERSED if another and watch.lots and lots else account_event(watch.lots, lots)
        watch.lots = lots
        if event is None:
            return NOTHING
        if event is not Event.CLOSED:
            watch.best = 0
        if event is Event.OPENED or event is Event.REVERSED:
            watch.opened_ns, watch.against_ns = now_ns, 0
        return self.closer.step(watch, event, now_ns)

    # What became of our wish

    def on_order(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        if update.owner != OWNER or update.status is not OrderStatus.REJECTED:
            return NOTHING
        return self._tell(self._watch(update.instrument), update.refusal)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        if refused.owner == OPERATOR:
            return self.flatten.on_refused(refused, now_ns)
        if refused.owner != OWNER or refused.reason in PASSING:
            return NOTHING
        watch = self._watch(refused.instrument)
        wish, instrument = watch.wish, watch.instrument
        if refused.reason not in TOO_SMALL:
            if wish is not None and refused.reason in OFF_PRICE:
                watch.wish = Wish(
                    wish.ticks, wish.lots, False
                )  # no crossing price to keep to: the market's next is taken
            return self._tell(watch, refused.reason)
        if wish is None or instrument is None or not too_small(wish, instrument):
            return NOTHING  # it was a part: the rest of the position hangs on an order that is being canceled
        words = self.closer.step(watch, UNCLOSABLE, now_ns)
        return (*self.closer.act(watch, now_ns, 0), *words)

    def _tell(self, watch: Watch, refusal: Refusal) -> tuple[Message, ...]:
        """Once an exit: what keeps a position from being closed and does not pass by itself is a person's affair."""
        if refusal in watch.told:
            return NOTHING
        watch.told = [*watch.told, refusal]
        return (Alert(AlertLevel.WARNING, OWNER, "exit_refused", watch.number, f"reason={refusal.name}"),)

    # Start, stop, states

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """New filters: execution drops what rests, and the position is counted anew. In other lots it is the same position:
        it did not grow, and only one that is less than a lot now has come to an end for us.
        """
        self.flatten.on_instrument(instrument, now_ns)
        if not self.enabled:
            return NOTHING
        watch = self._watch(instrument.instrument)
        before, watch.instrument = watch.instrument, instrument
        if before is None or before.version != instrument.version:
            watch.signals = watch.wish = None
            self.closer.know(instrument)
        if watch.lots:
            watch.lots = lots_of(watch.position, instrument) or watch.lots
        return self._resize(watch, watch.lots, now_ns)

    def on_engine_started(self, _started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A new run: books, trading states, timers and wishes are of the one before. A passive stage begins anew; a pause
        that the last run may not have got through asking for is asked for again (the later end counts).
        """
        self.stopping = False
        self.scopes = {"engine": TradingState.CANCEL_ONLY}
        words = list(self.flatten.start(now_ns))
        for watch in self.watches.values():
            watch.may_act = False
            watch.signals = watch.wish = None
            watch.against_ns = watch.deadline_ns = watch.remainder_ns = watch.timer_ns = 0
            watch.timer_generation += 1
            if watch.instrument is not None and watch.pause_until_ns > now_ns:
                words.append(pause(watch, watch.instrument))
        return tuple(words)

    def on_trading_state(self, changed: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        """Execution drops a wish that may not reduce any more; where it may again, it is wished again. What did not pass
        was no passive time: that stage begins anew.
        """
        self.scopes[changed.scope] = changed.state
        return self._reconsider(now_ns)

    def on_stop(self, stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        """FLATTEN: everything is closed until the deadline, or as much of it as can be; the stop itself follows."""
        self.stopping = True
        quiet = self._reconsider(now_ns)
        if stop.policy is StopPolicy.FLATTEN:
            return (*quiet, *self.flatten.begin("", -1, stop.deadline_ns, now_ns))
        return (*quiet, *self.flatten.end("the engine stops", now_ns))

    def _reconsider(self, now_ns: int) -> tuple[Message, ...]:
        out: list[Message] = []
        for watch in self.watches.values():
            watch.may_act = self._may_act(watch.number)
            if not watch.may_act:
                watch.wish = None
                watch.deadline_ns = 0
            out += self.closer.act(watch, now_ns, 0)
        return tuple(out)

    def _may_act(self, number: int) -> bool:
        scopes, active, watch = self.scopes, TradingState.ACTIVE, self.watches.get(number)
        venue = watch.instrument.venue if watch is not None and watch.instrument is not None else -1
        names = ("engine", f"venue:{venue}", f"instrument:{number}", f"owner:{OWNER}")
        return not self.stopping and all(scopes.get(name, active) <= TradingState.REDUCING for name in names)

    def _watch(self, number: int) -> Watch:
        watch = self.watches.get(number)
        if watch is None:
            watch = self.watches[number] = Watch(number, may_act=self._may_act(number))
        return watch

    # Recovery, checkpoint, view

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        folds: dict[type[Message], Callable[[Any, int], object]] = {
            PositionUpdate: self.on_position,
            OperatorCommand: self.flatten.fold_operator,
            CommandAnswered: self.flatten.fold_answer,
        }
        return folds | {Fill: self.on_fill} if self.enabled else folds

    def checkpoint(self) -> ExitsState:
        return ExitsState(
            watches=list(self.watches.values()),
            scopes=list(self.scopes.items()),
            stopping=self.stopping,
            last_fill=self.last_fill,
            last_position=self.last_position,
            counts=list(self.closer.counts.items()),
            flatten=self.flatten.saved(),
        )

    def restore(self, state: ExitsState) -> None:
        """Switched off since: what was watched is forgotten. Switched on since: the portfolio says what is held."""
        watches = state.watches if self.enabled else []
        self.watches = {watch.number: watch for watch in watches}
        self.closer.watched = {watch.number: watch for watch in watches if watch.phase >= HOLDING}
        self.closer.counts = dict(state.counts)
        self.scopes = dict(state.scopes)
        self.stopping = state.stopping
        self.last_fill, self.last_position = state.last_fill, state.last_position
        self.flatten.restore(state.flatten)

    def view(self) -> dict[str, Any]:
        """By instrument: phase, since when it is held, the prices that decide (price units), fees of the entry."""
        rows = {
            watch.number: {
                "phase": watch.phase.name,
                "opened_ns": watch.opened_ns,
                "thresholds": watch.thresholds,
                "entry_fees": fees_in_quote(watch.entry, watch.instrument) if watch.instrument is not None else 0,
                "wish": watch.wish,
            }
            for watch in self.watches.values()
        }
        lasting = self.flatten.lasting
        return {
            "enabled": self.enabled,
            "exits": rows,
            "begun": dict(self.closer.counts),
            "flattening": [] if lasting is None else list(lasting.numbers),
        }
