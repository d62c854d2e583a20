"""The actor "execution": what owners wish to have resting, made into orders. Pure. HOT PATH: QuoteIntent in.

Wishes and what stops quoting come in here; planner.py decides which order, where and when (precedence.py: whose; pricing.py
and steady.py: where); register.py knows the orders, queues.py their places in the venue's queues, moves.py what the
market's moves mean for them, outcomes.py what became of them, sweep.py what time ends. An order's truth is the orders
actor's: execution knows it by OrderUpdate, and lets go of an order only when that says it is done, or when its command
was refused or dropped.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.execution.moves import Moves
from actors.execution.outcomes import Outcomes
from actors.execution.planner import Planner
from actors.execution.precedence import OPERATOR, rules, ruling_rank
from actors.execution.queues import Queues
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import ExecutionState, Market, forget_refusals, versions
from actors.execution.steady import forget_liquidity
from actors.execution.sweep import Sweep
from bus.actor import NOTHING, Actor
from bus.messages import (
    BandHeld,
    BookState,
    BookStateChanged,
    CommandDropped,
    Control,
    EngineStarted,
    Fill,
    Instrument,
    LevelQuantities,
    LimitsTightened,
    Liquidity,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    StopPolicy,
    StopRequested,
    TimerFired,
    Touch,
    TradePrint,
    TradesMissed,
    TradingState,
    TradingStateChanged,
)

COUNTERS = (
    "intents_late", "intents_held", "intents_outranked", "refused", "turned_away", "stale_cancels", "fills",
    "places_kept", "steps_back",
)  # fmt: skip


class Execution(Actor[ExecutionState]):
    name = "execution"
    State = ExecutionState

    def __init__(self, settings: ExecutionSettings) -> None:
        self.settings = settings
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.queues = Queues(settings)
        self.register = Register(self.queues)
        self.planner = Planner(settings, self.register, self.counters)
        self.outcomes = Outcomes(settings, self.register, self.planner, self.counters)
        self.moves = Moves(settings, self.register, self.planner, self.counters)
        self.sweep = Sweep(settings, self.register, self.planner)
        self.stopping = self.keeping = False
        self.handlers = {
            QuoteIntent: self.on_intent,
            Touch: self.moves.on_touch,
            OrderUpdate: self.outcomes.on_update,
            OrderRefused: self.outcomes.on_refused,
            CommandDropped: self.outcomes.on_dropped,
            BandHeld: self.outcomes.on_band,
            TradePrint: self.moves.on_trade,
            TradesMissed: self.moves.on_trades_missed,
            Liquidity: self.moves.on_liquidity,
            LevelQuantities: self.moves.on_levels,
            Fill: self.on_fill,
            PositionUpdate: self.on_position,
            TimerFired: self.sweep.on_timer,
            BookStateChanged: self.on_book_state,
            TradingStateChanged: self.on_trading_state,
            LimitsTightened: self.on_limits,
            OperatorCommand: self.on_operator,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: self.on_stop,
        }

    # Wishes

    def on_intent(self, intent: QuoteIntent, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(intent.instrument)
        if market is None or (instrument := market.instrument) is None or self.keeping:
            self.counters["intents_held"] += 1
            return NOTHING
        desk = market.desk(intent.owner) or self.register.open_desk(market, intent.owner)
        if now_ns >= intent.expires_ns:
            self.counters["intents_late"] += 1
            return NOTHING
        touch = market.touch
        held = (
            touch is None
            or (self.stopping and desk.owner != OPERATOR)
            or intent.version != instrument.version
            or not instrument.trading
            or (desk.state and not (desk.state is TradingState.REDUCING and intent.reduce_only))
        )
        planner = self.planner
        planner.begin(now_ns, intent.received_ns)
        if held or touch is None:
            self.counters["intents_held"] += 1
            # A strategy wishes nothing before its book is LIVE: what was adopted waits for that.
            if touch is not None or now_ns >= market.grace_ns or desk.rank or self.stopping:
                planner.drop_desk(market, desk)
            return planner.end()
        if market.ruled and ruling_rank(market, now_ns) > desk.rank:
            self.counters["intents_outranked"] += 1
            planner.drop_desk(market, desk)
            return planner.end()
        renewed = desk.wishes(intent)
        last, desk.target = desk.target, intent
        if desk.rank and rules(desk, now_ns):
            market.ruled = True
            planner.drop_below(market, desk.rank)
            if intent.cross and (last is None or not last.cross):
                forget_refusals(desk)
        desk.reference_bid, desk.reference_ask = touch.bid, touch.ask
        if renewed and desk.settled:
            # Renewed: it only lives longer (1.0 us instead of 4.2).
            return planner.end() if desk.rank else NOTHING
        buy, sell = desk.buy, desk.sell
        buy.muted = sell.muted = False
        buy.executed_lots = sell.executed_lots = 0
        if not renewed:
            buy.band_refusals = sell.band_refusals = 0
        planner.plan(market, desk, buy)
        planner.plan(market, desk, sell)
        return planner.end()

    # Facts of the position

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """The remainder is OrderUpdate's to say; the position is about to be PositionUpdate's."""
        self.counters["fills"] += 1
        market = self.register.market(fill.instrument)
        if now_ns - market.fills_due_ns >= self.settings.fills_due_ns:
            market.fills_due = 0  # updates that did not come in time are not waited for with this one
        market.fills_due += 1
        market.fills_due_ns = now_ns
        return NOTHING

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        """What reduces is sized by the position: it may have waited for it, or be too large for it now."""
        self.fold_position(position, now_ns)
        market = self.register.market(position.instrument)
        if market.fills_due > 0:
            market.fills_due -= 1
        planner = self.planner
        planner.begin(now_ns, 0)
        for desk in market.desks:
            if not market.fills_due and desk.target is not None and desk.target.reduce_only:
                planner.plan(market, desk, desk.buy)
                planner.plan(market, desk, desk.sell)
        return planner.end()

    def fold_position(self, position: PositionUpdate, now_ns: int) -> None:
        self.register.position_lots[position.instrument] = position.position_lots

    # What stops quoting

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(change.instrument)
        if market is None:
            return NOTHING
        market.lost = change.state != BookState.LIVE
        if not market.lost:  # it brings its Touch; what it was asked to tell it may have forgotten
            line = self.queues.lines.get(change.instrument)
            return (self.queues.watch(market),) if line is not None and (line.bids or line.asks) else NOTHING
        if market.touch is None and now_ns < market.grace_ns:
            return NOTHING  # it was not LIVE in this run yet, and no quote of ours was made from it
        market.touch = None
        forget_liquidity(market)
        return self._drop([market], now_ns)

    def on_trading_state(self, changed: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        self.register.scopes[changed.scope] = changed.state
        if self.keeping:
            return NOTHING
        planner = self.planner
        planner.begin(now_ns, 0)
        for market in self.register.markets.values():
            for desk in market.desks:
                before, desk.state = desk.state, self.register.state_of(market.number, desk.owner)
                target = desk.target
                stays = desk.state is TradingState.REDUCING and target is not None and target.reduce_only
                if desk.state is not before and desk.state is not TradingState.ACTIVE and not stays:
                    planner.drop_desk(market, desk)
        return planner.end()

    def on_limits(self, limits: LimitsTightened, now_ns: int) -> tuple[Message, ...]:
        """Quotes go away from the other side at once, and come back in their time."""
        self.planner.begin(now_ns, 0)
        self.planner.widen(limits, self.register.markets.values())
        return self.planner.end()

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        if command.control is not Control.CANCEL_ALL and command.control is not Control.FLATTEN:
            return NOTHING  # the rest comes from risk, as a trading state
        markets = self.register.markets.values()
        return self._drop([row for row in markets if command.instrument in (-1, row.number)], now_ns)

    def on_stop(self, stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        """KEEP: what rests is left alone from here on, whatever books and states say. Else it goes; FLATTEN's own orders
        come after that.
        """
        self.stopping = True
        self.keeping = stop.policy is StopPolicy.KEEP
        if self.keeping:
            for market in self.register.markets.values():
                for desk in market.desks:
                    desk.target = None
        return self._drop(list(self.register.markets.values()), now_ns)

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """New filters: what rests was made for the old ones, and so was the touch. After a start that found no checkpoint
        nothing is known of the filters before, but orders of the journal say which version they are of.
        """
        market = self.register.market(instrument.instrument)
        before, market.instrument = market.instrument, instrument
        if all(version == instrument.version for version in versions(market, before)):
            return NOTHING
        market.touch = None
        forget_liquidity(market)
        self.queues.forget(market)
        return self._drop([market], now_ns)

    def _drop(self, markets: list[Market], now_ns: int) -> tuple[Message, ...]:
        if self.keeping:
            return NOTHING
        self.planner.begin(now_ns, 0)
        for market in markets:
            for desk in market.desks:
                self.planner.drop_desk(market, desk)
        return self.planner.end()

    def on_engine_started(self, _started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A command that orders never answered did not outlive the process. An order of rank is not adopted: whose it was
        may wish nothing any more, and only a wish is sized by the position."""
        for place in list(self.register.requested.values()):
            self.register.let_go(place.order.command, place.desk.owner)
        self.stopping = self.keeping = False
        self.register.scopes = {"engine": TradingState.CANCEL_ONLY}
        self.planner.armed = False
        self.planner.generation += 1
        self.planner.widen_ticks = self.planner.widen_ppm = 0
        self.planner.begin(now_ns, 0)
        for market in self.register.markets.values():
            market.touch = None
            market.ruled, market.fills_due, market.grace_ns = False, 0, now_ns + self.settings.adopted_ns
            forget_liquidity(market)
            for desk in market.desks:
                desk.target, desk.state = None, TradingState.CANCEL_ONLY
                for slot in (desk.buy, desk.sell):
                    slot.waiting = slot.keeping = slot.muted = False
                self.planner.watched = self.planner.watched or bool(desk.buy.orders or desk.sell.orders)
                if desk.rank:
                    self.planner.drop_desk(market, desk)
        return self.planner.end()

    # Recovery, checkpoint, view

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {OrderUpdate: self.register.fold, PositionUpdate: self.fold_position}

    def checkpoint(self) -> ExecutionState:
        planner = self.planner
        return ExecutionState(
            markets=list(self.register.markets.values()),
            scopes=list(self.register.scopes.items()),
            stopping=self.stopping,
            armed=planner.armed,
            generation=planner.generation,
            next_command=self.register.next_command,
            last_update=self.register.last_update,
            repeated=self.register.repeated,
            counters=list(self.counters.items()),
            position_lots=list(self.register.position_lots.items()),
            keeping=self.keeping,
            widen_ticks=planner.widen_ticks,
            widen_ppm=planner.widen_ppm,
        )

    def restore(self, state: ExecutionState) -> None:
        """In place: the handlers share these objects."""
        register, planner = self.register, self.planner
        register.index(state.markets)
        register.scopes = dict(state.scopes)
        register.next_command = state.next_command
        register.last_update, register.repeated = state.last_update, state.repeated
        planner.armed, planner.generation = state.armed, state.generation
        planner.widen_ticks, planner.widen_ppm = state.widen_ticks, state.widen_ppm
        self.stopping, self.keeping = state.stopping, state.keeping
        self.counters.update(dict.fromkeys(COUNTERS, 0))
        self.counters.update(state.counters)
        register.position_lots = dict(state.position_lots)

    def view(self) -> dict[str, Any]:
        """orders: (instrument, owner, side, price, leaves, phase, id, since_ns, ahead, ahead by the proportional estimate,
        behind), the last three in lots, None while not known (queue.py); the age is the reader's subtraction.
        ruled: instruments that an owner of rank holds.
        """
        return {
            "orders": self.register.rows(),
            "position_lots": dict(self.register.position_lots),
            "ruled": [m.number for m in self.register.markets.values() if m.ruled],
            "updates_repeated": self.register.repeated,
            **self.counters,
        }
