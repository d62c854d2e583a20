"""The actor "strategy": one user strategy on its instruments. Pure. HOT PATH: Signals in, QuoteIntent out.

It keeps what the context shows, calls the hook, and returns what the context collected. The gate stands here and in
`Context.quote`: not ACTIVE, not LIVE or stopping means one empty intent and nothing after it.

If a hook raises it is called no more (`user`): the host hears of it, and answers with StrategyQuarantined, on which everything
is pulled. Facts are folded before any call, so they are whole whatever it did.
"""

from collections.abc import Callable
from typing import Any

from actors.strategy.context import Context
from actors.strategy.prices import whole_lots
from actors.strategy.state import Line, StrategySettings, StrategyState, TimerKey
from actors.strategy.strategy import Strategy
from actors.strategy.user import UserCode
from bus.actor import NOTHING, Actor
from bus.messages import (
    BookState,
    BookStateChanged,
    EngineStarted,
    Fill,
    FundingRate,
    Instrument,
    Liquidity,
    MarkPrice,
    Message,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Signals,
    StopRequested,
    StrategyQuarantined,
    TimerFired,
    TradePrint,
    TradesMissed,
    TradingState,
    TradingStateChanged,
)

UNKNOWN_ENGINE = TradingState.CANCEL_ONLY  # until risk says otherwise
QUARANTINE = TradingState.CANCEL_ONLY  # what risk holds its owner's scope at


class StrategyActor(Actor[StrategyState]):
    """Its state_version names the layout of StrategyState; the strategy's own bytes are the user's affair."""

    name = "strategy"
    State = StrategyState

    def __init__(
        self, strategy: Strategy, settings: StrategySettings, make: Callable[[], Strategy] | None = None
    ) -> None:
        """make: see UserCode."""
        self.settings = settings
        self._scope = f"owner:{settings.owner}"
        self.context = Context(settings)
        self.user = UserCode(self.context, strategy, make)
        self.scopes: dict[str, TradingState] = {"engine": UNKNOWN_ENGINE}
        self.engine_started = self.started = self.open = False
        self.last_update = -1
        self.repeated_updates = 0
        self.handlers = {
            Signals: self.on_signals,
            Liquidity: self.on_liquidity,
            TradePrint: self.on_trade,
            TradesMissed: self.on_trades_missed,
            MarkPrice: self.on_mark,
            FundingRate: self.on_funding,
            BookStateChanged: self.on_book_state,
            Fill: self.on_fill,
            OrderUpdate: self.on_order,
            PositionUpdate: self.on_position,
            OrderRefused: self.on_refused,
            TimerFired: self.on_timer,
            TradingStateChanged: self.on_trading_state,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: self.on_stop,
            StrategyQuarantined: self.on_quarantined,
        }

    # Market data

    def on_signals(self, signals: Signals, now_ns: int) -> tuple[Message, ...]:
        context = self.context
        line = context.lines.get(signals.instrument)
        if line is None or line.lost or not self.started:
            return NOTHING
        instrument = line.instrument
        if instrument is None or instrument.version != signals.version:
            return NOTHING  # of the filters before or after: the next one will fit
        self._begin(now_ns)
        line.signals = signals
        line.live = True  # signals are made of LIVE books only
        context.cause = signals.instrument
        context.received_ns = signals.received_ns
        self.user.call(self.user.strategy.on_signals, signals)
        return self._end()

    def on_liquidity(self, liquidity: Liquidity, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(liquidity.instrument)
        if line is None or not line.live:
            return NOTHING  # a book that has not been heard of yet: its shape comes again
        line.liquidity = liquidity
        return self._call(self.user.strategy.on_liquidity, liquidity, now_ns)

    def on_trade(self, print_: TradePrint, now_ns: int) -> tuple[Message, ...]:
        if not self.started or print_.instrument not in self.context.lines:
            return NOTHING
        self._begin(now_ns)
        self.context.cause = print_.instrument
        self.context.received_ns = print_.received_ns
        self.user.call(self.user.strategy.on_trade, print_)
        return self._end()

    def on_trades_missed(self, missed: TradesMissed, now_ns: int) -> tuple[Message, ...]:
        if missed.instrument not in self.context.lines:
            return NOTHING
        return self._call(self.user.strategy.on_trades_missed, missed, now_ns)

    def on_mark(self, mark: MarkPrice, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(mark.instrument)
        if line is None or line.instrument is None or line.instrument.version != mark.version:
            return NOTHING
        line.mark = mark
        return self._call(self.user.strategy.on_mark, mark, now_ns)

    def on_funding(self, funding: FundingRate, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(funding.instrument)
        if line is None:
            return NOTHING
        line.funding = funding
        return self._call(self.user.strategy.on_funding, funding, now_ns)

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(change.instrument)
        if line is None:
            return NOTHING
        line.lost = change.state != BookState.LIVE
        if not line.lost:
            return NOTHING  # the first signals of the LIVE book say it with a price
        self._begin(now_ns)
        line.live = False
        self.context.pull(change.instrument)
        line.signals = line.liquidity = None
        if self.started:
            self.user.call(self.user.strategy.on_book_lost, change)
        return self._end()

    # Facts of our own orders

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """A fill answers the wish: execution waits for a new one, so the next is sent even if it is equal."""
        line = self.context.lines.get(fill.instrument)
        if line is None or fill.owner != self.settings.owner:
            return NOTHING
        line.intent = None
        return self._call(self.user.strategy.on_fill, fill, now_ns)

    def on_order(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(update.instrument)
        if line is None or update.owner != self.settings.owner:
            return NOTHING
        if update.number <= self.last_update:
            self.repeated_updates += 1
            return NOTHING
        self.last_update = update.number
        _fold_order(line, update)
        return self._call(self.user.strategy.on_order, update, now_ns)

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(position.instrument)
        if line is None or position.account != self.settings.account:
            return NOTHING
        line.position = position.position
        line.position_lots = position.position_lots
        return self._call(self.user.strategy.on_position, position, now_ns)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        if refused.owner != self.settings.owner or refused.instrument not in self.context.lines:
            return NOTHING
        return self._call(self.user.strategy.on_refused, refused, now_ns)

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        for key, timer in self.context.timers.items():
            if timer.counter == fired.counter:
                if not timer.armed or timer.generation != fired.generation:
                    return NOTHING  # replaced or canceled while it was on its way
                timer.armed = False
                return self._call(self.user.strategy.on_timer, key, now_ns)
        return NOTHING

    # Start, stop, states

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        line = self.context.lines.get(instrument.instrument)
        if line is None:
            return NOTHING
        self._begin(now_ns)
        before = line.instrument
        if before is not None and before.version != instrument.version:
            self.context.pull(instrument.instrument)  # in the version it was made in
            line.live = False
            line.signals = line.intent = line.liquidity = line.mark = None  # in the scales it was told in
        line.instrument = instrument
        line.position_lots = whole_lots(line.position, instrument)
        line.state = self._state_of(line.number)
        if self.started and before is not None and before.version != instrument.version:
            changed = self.user.strategy.on_instrument
            self.user.call(lambda context, row: changed(context, row, before), instrument)
        return self._start_when_ready()

    def on_engine_started(self, _started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A new run, perhaps restored from a checkpoint: nothing is known of books, states or timers any more. A quarantine
        ends with the run it was of, unless what was saved could not be read.
        """
        self._begin(now_ns)
        self.engine_started = True
        self.started = self.context.stopping = False
        self.user.begin()
        self.scopes = {"engine": UNKNOWN_ENGINE}
        for line in self.context.lines.values():
            line.live = False
            line.signals = line.intent = line.liquidity = line.mark = line.funding = None
            line.state = UNKNOWN_ENGINE
        for timer in self.context.timers.values():
            timer.armed = False
        return self._start_when_ready()

    def _start_when_ready(self) -> tuple[Message, ...]:
        lines = self.context.lines.values()
        if self.engine_started and not self.started and all(line.instrument is not None for line in lines):
            self.started = True
            self.user.call_bare(self.user.strategy.on_start)
        return self._end()

    def on_trading_state(self, changed: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        self._begin(now_ns)
        self.scopes[changed.scope] = changed.state
        for number, line in self.context.lines.items():
            line.state = self._state_of(number)
            if line.state != TradingState.ACTIVE:
                self.context.pull(number)
        if self.user.quarantined and changed.scope == self._scope and changed.state < QUARANTINE:
            self.started = False
            self.user.release()
            return self._start_when_ready()
        return self._end()

    def on_quarantined(self, quarantined: StrategyQuarantined, now_ns: int) -> tuple[Message, ...]:
        """Called no more. Whatever a call that was broken off has left is forgotten, its timers too."""
        if quarantined.owner != self.settings.owner:
            return NOTHING
        self._begin(now_ns)
        self.user.quarantined = True
        self.context.forget_timers(now_ns)
        for number in self.settings.instruments:
            self.context.pull(number)
        return self._end()

    def on_stop(self, _stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        self._begin(now_ns)
        self.context.stopping = True
        for number in self.settings.instruments:
            self.context.pull(number)
        if self.started:
            self.user.call_bare(self.user.strategy.on_stop)
        return self._end()

    def _state_of(self, number: int) -> TradingState:
        states, instrument = self.scopes, self.context.lines[number].instrument
        return max(
            states["engine"],
            states.get(f"venue:{instrument.venue}", TradingState.ACTIVE) if instrument else TradingState.ACTIVE,
            states.get(f"instrument:{number}", TradingState.ACTIVE),
            states.get(self._scope, TradingState.ACTIVE),
        )

    # One hook

    def _call(self, hook: Callable[[Context, Any], None], argument: object, now_ns: int) -> tuple[Message, ...]:
        if not self.started:
            return NOTHING  # facts before the start are folded; the strategy reads them off the context
        self._begin(now_ns)
        self.user.call(hook, argument)
        return self._end()

    def _begin(self, now_ns: int) -> None:
        context = self.context
        if self.open:
            self._forget()
        self.open = True
        context.now_ns = now_ns
        context.cause = -1

    def _end(self) -> tuple[Message, ...]:
        self.open = False
        context = self.context
        if context.alerts:
            context.alerts = 0
        out = context.out
        if not out:
            return NOTHING
        messages = tuple(out)
        out.clear()
        return messages

    def _forget(self) -> None:
        """The last hook raised: what it asked for was never sent, so nobody knows what rests. A pull will say."""
        self.context.out.clear()
        self.context.alerts = 0
        for line in self.context.lines.values():
            line.intent = None
            line.resting = line.instrument is not None

    # Checkpoint

    def recovers(self) -> dict[type[Message], Callable[[Any, int], object]]:
        return {OrderUpdate: self._recover_order, PositionUpdate: self._recover_position}

    def _recover_order(self, update: OrderUpdate, _now_ns: int) -> None:
        line = self.context.lines.get(update.instrument)
        if line is not None and update.owner == self.settings.owner and update.number > self.last_update:
            self.last_update = update.number
            _fold_order(line, update)

    def _recover_position(self, position: PositionUpdate, _now_ns: int) -> None:
        line = self.context.lines.get(position.instrument)
        if line is not None and position.account == self.settings.account:
            line.position = position.position
            line.position_lots = position.position_lots

    def checkpoint(self) -> StrategyState:
        """Raises StrategyFailed: the user's `save` did."""
        saved, context = self.user.save(), self.context
        return StrategyState(
            lines=context.saved_lines(),
            scopes=list(self.scopes.items()),
            timers=[TimerKey(t.key, t.counter, t.generation, t.armed) for t in context.timers.values()],
            started=self.started,
            engine_started=self.engine_started,
            stopping=context.stopping,
            open=self.open,
            last_update=self.last_update,
            repeated_updates=self.repeated_updates,
            alerts_dropped=context.alerts_dropped,
            strategy=saved,
            quarantined=self.user.quarantined,
            first_generation=context.first_generation,
        )

    def restore(self, state: StrategyState) -> None:
        """Lines of instruments that the configuration no longer names are dropped; new ones begin empty."""
        context = self.context
        context.lines = {number: Line(number) for number in (*self.settings.instruments, *self.settings.watched)}
        for line in state.lines:
            if line.number in context.lines:
                context.lines[line.number] = line
        context.timers = {timer.key: timer for timer in state.timers}
        context.stopping = state.stopping
        context.alerts_dropped = state.alerts_dropped
        context.out.clear()
        self.scopes = dict(state.scopes)
        self.started = state.started
        self.engine_started = state.engine_started
        self.open = state.open
        self.last_update = state.last_update
        self.repeated_updates = state.repeated_updates
        context.first_generation = state.first_generation
        self.user.load(state.strategy, quarantined=state.quarantined)

    def view(self) -> dict[str, Any]:
        lines = self.context.lines
        return {
            "owner": self.settings.owner,
            "started": self.started,
            "quoting": [number for number, line in lines.items() if line.resting],
            "state": {number: line.state.name for number, line in lines.items()},
            "repeated_updates": self.repeated_updates,
            "alerts_dropped": self.context.alerts_dropped,
        }


def _fold_order(line: Line, update: OrderUpdate) -> None:
    """Replace the order's last word in place, so that the oldest order stays first; a done one leaves."""
    orders = line.orders
    for place, order in enumerate(orders):
        if order.client_order_id == update.client_order_id:
            if update.status >= OrderStatus.FILLED:
                del orders[place]
            else:
                orders[place] = update
            return
    if update.status < OrderStatus.FILLED:
        orders.append(update)
