"""The actor "execution": what owners wish to have resting, made into orders. Pure. HOT PATH: QuoteIntent in.

Wishes, the market and what stops quoting come in here; planner.py decides which order, where and when; register.py
knows the orders, outcomes.py what became of them, sweep.py what time ends. An order's truth is the orders actor's:
execution knows it by OrderUpdate, and lets go of an order only when that says it is done, or when its command was
refused or dropped.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.execution.outcomes import Outcomes
from actors.execution.phases import CANCELING, DOOMED
from actors.execution.planner import Planner
from actors.execution.pricing import left_alone
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, ExecutionState, Market, Slot
from actors.execution.sweep import Sweep
from bus.actor import NOTHING, Actor
from bus.messages import (
    BookState,
    BookStateChanged,
    CommandDropped,
    Control,
    EngineStarted,
    Fill,
    Instrument,
    LevelQuantities,
    Liquidity,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    Side,
    StopRequested,
    TimerFired,
    Touch,
    TradePrint,
    TradingState,
    TradingStateChanged,
)

COUNTERS = ("intents_late", "intents_held", "refused", "turned_away", "stale_cancels", "fills")


class Execution(Actor[ExecutionState]):
    name = "execution"
    State = ExecutionState

    def __init__(self, settings: ExecutionSettings) -> None:
        self.settings = settings
        self.register = Register()
        self.planner = Planner(settings, self.register)
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.outcomes = Outcomes(settings, self.register, self.planner, self.counters)
        self.sweep = Sweep(settings, self.register, self.planner)
        self.position_lots: dict[int, int] = {}
        self.stopping = False
        self.handlers = {
            QuoteIntent: self.on_intent,
            Touch: self.on_touch,
            OrderUpdate: self.outcomes.on_update,
            OrderRefused: self.outcomes.on_refused,
            CommandDropped: self.outcomes.on_dropped,
            TradePrint: lambda message, now_ns: NOTHING,
            Liquidity: lambda message, now_ns: NOTHING,
            LevelQuantities: lambda message, now_ns: NOTHING,
            Fill: self.on_fill,
            PositionUpdate: self.on_position,
            TimerFired: self.sweep.on_timer,
            BookStateChanged: self.on_book_state,
            TradingStateChanged: self.on_trading_state,
            OperatorCommand: self.on_operator,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: self.on_stop,
        }

    # Wishes and the market

    def on_intent(self, intent: QuoteIntent, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(intent.instrument)
        if market is None or (instrument := market.instrument) is None:
            self.counters["intents_held"] += 1
            return NOTHING
        desk = market.desk(intent.owner) or self.register.open_desk(market, intent.owner)
        if now_ns >= intent.expires_ns:
            self.counters["intents_late"] += 1
            return NOTHING
        touch = market.touch
        held = (
            touch is None
            or self.stopping
            or intent.version != instrument.version
            or (desk.state and not (desk.state is TradingState.REDUCING and intent.reduce_only))
        )
        planner = self.planner
        planner.begin(now_ns, intent.received_ns)
        if held or touch is None:
            self.counters["intents_held"] += 1
            planner.drop_desk(market, desk)
            return planner.end()
        last, desk.target = desk.target, intent
        desk.reference_bid, desk.reference_ask = touch.bid, touch.ask
        if last is not None and _same(last, intent) and _settled(desk):
            return NOTHING  # renewed: it only lives longer (1.0 us instead of 4.2)
        buy, sell = desk.buy, desk.sell
        buy.muted = sell.muted = False
        planner.plan(market, desk, buy)
        planner.plan(market, desk, sell)
        return planner.end()

    def on_touch(self, touch: Touch, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(touch.instrument)
        if market is None:
            return NOTHING
        market.touch = touch
        instrument = market.instrument
        if instrument is None or instrument.version != touch.version:
            return NOTHING
        planner = self.planner
        planner.begin(now_ns, touch.received_ns)
        for desk in market.desks:
            if desk.target is not None:
                self._touched(market, desk, desk.buy, touch, instrument)
                self._touched(market, desk, desk.sell, touch, instrument)
        return planner.end()

    def _touched(self, market: Market, desk: Desk, slot: Slot, touch: Touch, instrument: Instrument) -> None:
        opposite = desk.reference_ask if slot.side > 0 else desk.reference_bid
        for order in slot.orders:
            if order.phase is CANCELING or order.phase is DOOMED:
                continue
            if left_alone(order, touch, opposite, instrument.tick, instrument.lot, self.settings.stale_ticks):
                self.planner.cancel(market, desk, order)
                slot.muted = True
                self.counters["stale_cancels"] += 1
                return
        if slot.waiting:
            self.planner.plan(market, desk, slot)

    # Facts that are only kept

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """The remainder is OrderUpdate's to say; here it is only counted."""
        self.counters["fills"] += 1
        return NOTHING

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        self.position_lots[position.instrument] = position.position_lots
        return NOTHING

    # What stops quoting

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(change.instrument)
        if market is None or change.state == BookState.LIVE:
            return NOTHING  # a LIVE book brings its Touch
        market.touch = None
        return self._drop([market], now_ns)

    def on_trading_state(self, changed: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        self.register.scopes[changed.scope] = changed.state
        planner = self.planner
        planner.begin(now_ns, 0)
        for market in self.register.markets.values():
            for desk in market.desks:
                before, desk.state = desk.state, self.register.state_of(market.number, desk.owner)
                if desk.state is not before and desk.state is not TradingState.ACTIVE:
                    planner.drop_desk(market, desk)
        return planner.end()

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        if command.control != Control.CANCEL_ALL:
            return NOTHING  # the rest comes from risk, as a trading state
        markets = self.register.markets
        if command.instrument >= 0:
            return self._drop([markets[command.instrument]] if command.instrument in markets else [], now_ns)
        return self._drop(list(markets.values()), now_ns)

    def on_stop(self, _stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        self.stopping = True
        return self._drop(list(self.register.markets.values()), now_ns)

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """New filters: what rests was made for the old ones, and so was the touch."""
        market = self.register.market(instrument.instrument)
        before, market.instrument = market.instrument, instrument
        if before is None or before.version == instrument.version:
            return NOTHING
        market.touch = None
        return self._drop([market], now_ns)

    def _drop(self, markets: list[Market], now_ns: int) -> tuple[Message, ...]:
        self.planner.begin(now_ns, 0)
        for market in markets:
            for desk in market.desks:
                self.planner.drop_desk(market, desk)
        return self.planner.end()

    def on_engine_started(self, _started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """A new run. Orders restarted with us: a command it never answered did not outlive the process."""
        for place in list(self.register.requested.values()):
            self.register.let_go(place.order.command, place.desk.owner)
        self.stopping = False
        self.register.scopes = {"engine": TradingState.CANCEL_ONLY}
        self.planner.armed = False
        self.planner.generation += 1
        for market in self.register.markets.values():
            market.touch = None
            for desk in market.desks:
                desk.target, desk.state = None, TradingState.CANCEL_ONLY
                for slot in (desk.buy, desk.sell):
                    slot.waiting = slot.muted = False
                self.planner.watched = self.planner.watched or bool(desk.buy.orders or desk.sell.orders)
        self.planner.begin(now_ns, 0)
        return self.planner.end()

    # Recovery, checkpoint, view

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {OrderUpdate: self.register.fold, PositionUpdate: self.on_position}

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
            position_lots=list(self.position_lots.items()),
        )

    def restore(self, state: ExecutionState) -> None:
        """In place: the handlers share these objects."""
        register, planner = self.register, self.planner
        register.index(state.markets)
        register.scopes = dict(state.scopes)
        register.next_command = state.next_command
        register.last_update, register.repeated = state.last_update, state.repeated
        planner.armed, planner.generation = state.armed, state.generation
        self.stopping = state.stopping
        self.counters.update(dict.fromkeys(COUNTERS, 0))
        self.counters.update(state.counters)
        self.position_lots = dict(state.position_lots)

    def view(self) -> dict[str, Any]:
        """orders: (instrument, owner, side, price, leaves, phase, id, since_ns); the age is the reader's subtraction."""
        orders = [
            (
                m.number,
                d.owner,
                Side(o.side).name,
                o.price_ticks,
                o.leaves_lots,
                o.phase.name,
                o.client_order_id,
                o.since_ns,
            )
            for m in self.register.markets.values()
            for d in m.desks
            for slot in (d.buy, d.sell)
            for o in slot.orders
        ]
        return {
            "orders": orders,
            "position_lots": dict(self.position_lots),
            "updates_repeated": self.register.repeated,
            **self.counters,
        }


def _settled(desk: Desk) -> bool:
    """Nothing waits and nothing is awaited: the last plan was carried out."""
    buy, sell = desk.buy, desk.sell
    return not (buy.waiting or sell.waiting or buy.muted or sell.muted)


def _same(last: QuoteIntent, intent: QuoteIntent) -> bool:
    return (
        last.bid_ticks == intent.bid_ticks
        and last.bid_lots == intent.bid_lots
        and last.ask_ticks == intent.ask_ticks
        and last.ask_lots == intent.ask_lots
        and last.reduce_only == intent.reduce_only
    )
