"""The actor "execution": what owners wish to have resting, made into orders. Pure. HOT PATH: QuoteIntent in.

It decides (planner.py: which order, where, when) and folds what became of it (here). An order's truth is the orders
actor's: execution knows it by OrderUpdate only, and lets go of an order only when that says it is done, or when its
command was refused or dropped.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.execution.phases import (
    ACCEPTED,
    CANCELING,
    DONE,
    DOOMED,
    EVENT_OF_STATUS,
    GONE,
    SENT,
    TRANSITIONS,
    TURNED_AWAY,
    Event,
)
from actors.execution.planner import Planner
from actors.execution.pricing import backoff_ns, left_alone
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, ExecutionState, Market, Order, Place, Slot, remove
from bus.actor import NOTHING, Actor
from bus.messages import (
    Alert,
    AlertLevel,
    BookState,
    BookStateChanged,
    CommandDropped,
    Control,
    EngineStarted,
    Fill,
    Instrument,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    Refusal,
    Side,
    StopRequested,
    TimerFired,
    Touch,
    TradingState,
    TradingStateChanged,
)

ROOM = (Refusal.POSITION, Refusal.NOTIONAL, Refusal.OPEN_ORDERS, Refusal.SELF_TRADE)
"""Refusals that may be over as soon as another order of the desk has ended."""
COUNTERS = ("intents_late", "intents_held", "updates_repeated", "refused", "turned_away", "stale_cancels", "fills")


class Execution(Actor[ExecutionState]):
    name = "execution"
    State = ExecutionState

    def __init__(self, settings: ExecutionSettings) -> None:
        self.settings = settings
        self.planner = Planner(settings)
        self.markets: dict[int, Market] = {}
        self.places: dict[str, Place] = {}
        self.scopes: dict[str, TradingState] = {"engine": TradingState.CANCEL_ONLY}
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.position_lots: dict[int, int] = {}
        self.stopping = False
        self.last_update = -1
        self.handlers = {
            QuoteIntent: self.on_intent,
            Touch: self.on_touch,
            OrderUpdate: self.on_update,
            OrderRefused: self.on_refused,
            CommandDropped: self.on_dropped,
            Fill: self.on_fill,
            PositionUpdate: self.on_position,
            TimerFired: self.on_timer,
            BookStateChanged: self.on_book_state,
            TradingStateChanged: self.on_trading_state,
            OperatorCommand: self.on_operator,
            Instrument: self.on_instrument,
            EngineStarted: self.on_engine_started,
            StopRequested: self.on_stop,
        }

    # Wishes and the market

    def on_intent(self, intent: QuoteIntent, now_ns: int) -> tuple[Message, ...]:
        market = self.markets.get(intent.instrument)
        if market is None or market.instrument is None:
            self.counters["intents_held"] += 1
            return NOTHING
        desk = market.desk(intent.owner) or self._open_desk(market, intent.owner)
        if now_ns >= intent.expires_ns:
            self.counters["intents_late"] += 1
            return NOTHING
        touch = market.touch
        held = (
            touch is None
            or self.stopping
            or intent.version != market.instrument.version
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
        if last is not None and _settled(desk) and _same(last, intent):
            return NOTHING  # renewed: it only lives longer (0.9 us instead of 4)
        desk.buy.muted = desk.sell.muted = False
        planner.plan(market, desk, desk.buy)
        planner.plan(market, desk, desk.sell)
        return planner.end()

    def on_touch(self, touch: Touch, now_ns: int) -> tuple[Message, ...]:
        market = self.markets.get(touch.instrument)
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

    # What became of an order

    def on_update(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        place = self._fold(update, now_ns)
        if place is None:
            return NOTHING
        market, desk, slot, order = place
        planner = self.planner
        planner.begin(now_ns, 0)
        if order.phase is GONE:
            self._after_end(desk, slot, order, update.status, now_ns)
            if desk.target is not None:
                planner.plan(market, desk, desk.buy)
                planner.plan(market, desk, desk.sell)
        elif order.phase is DOOMED:
            planner.cancel(market, desk, order)
        return planner.end()

    def _fold(self, update: OrderUpdate, now_ns: int) -> Place | None:
        """Bring the order to what the update says. None: nothing that is kept here changed."""
        if update.number <= self.last_update:
            self.counters["updates_repeated"] += 1
            return None
        self.last_update = update.number
        event = EVENT_OF_STATUS[update.status]
        place = self.places.get(update.client_order_id)
        if place is None:
            place = self._bind(update, event, now_ns)
            if place is None:
                return None
        slot, order = place.slot, place.order
        before = order.phase
        order.leaves_lots = update.leaves_lots
        order.phase = TRANSITIONS[before, event]
        if event is ACCEPTED and not order.accepted:
            order.accepted = True
            slot.refusals = 0
        elif event is Event.CANCEL_PENDING and before is not CANCELING:
            order.cancel_ns = now_ns
            order.attempts = 1
        elif event is DONE:
            remove(slot, order)
            del self.places[update.client_order_id]
        return place

    def _bind(self, update: OrderUpdate, event: Event, now_ns: int) -> Place | None:
        """Give the commanded order its id; or, for one of before this life, a place of its own."""
        place = self.planner.requested.get(update.command)
        if place is not None and place.desk.owner == update.owner and place.market.number == update.instrument:
            del self.planner.requested[update.command]
        elif event is DONE:
            return None
        else:
            self.planner.next_command = max(self.planner.next_command, update.command + 1)
            place = self._adopt(update, now_ns)
        place.order.client_order_id = update.client_order_id
        self.places[update.client_order_id] = place
        return place

    def _adopt(self, update: OrderUpdate, now_ns: int) -> Place:
        market = self.markets.get(update.instrument)
        if market is None:
            market = self.markets[update.instrument] = Market(update.instrument)
        desk = market.desk(update.owner) or self._open_desk(market, update.owner)
        slot = desk.buy if update.side > 0 else desk.sell
        order = Order(
            command=update.command,
            client_order_id=update.client_order_id,
            account=update.account,
            venue=update.venue,
            side=int(update.side),
            price_ticks=update.price_ticks,
            quantity_lots=update.quantity_lots,
            leaves_lots=update.leaves_lots,
            phase=SENT,
            since_ns=now_ns,
        )
        slot.orders.append(order)
        return Place(market, desk, slot, order)

    def _after_end(self, desk: Desk, slot: Slot, order: Order, status: OrderStatus, now_ns: int) -> None:
        if status is OrderStatus.FILLED:
            slot.muted = True  # the wish was answered: its owner has a new position to think about
        elif status in TURNED_AWAY or (status is OrderStatus.CANCELED and order.attempts == 0):
            # Refused, or canceled by nobody here: the venue does not want it.
            self.counters["turned_away"] += 1
            self._back_off(slot, now_ns)
        self._make_room(desk)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        place = self._let_go(refused.command, refused.owner)
        if place is None:
            return NOTHING
        self.counters["refused"] += 1
        slot = place.slot
        self._back_off(slot, now_ns)
        slot.crowded = refused.reason in ROOM
        return self._watch(now_ns)

    def on_dropped(self, dropped: CommandDropped, now_ns: int) -> tuple[Message, ...]:
        """A command that was lost frees its slot; a cancel that was lost is sent again by the next sweep."""
        place = self._let_go(dropped.command, dropped.owner)
        if place is not None:
            self._back_off(place.slot, now_ns)
            return self._watch(now_ns)
        place = self.places.get(dropped.client_order_id)
        if place is not None and place.order.phase is CANCELING:
            place.order.cancel_ns = now_ns - self.settings.cancel_timeout_ns
            self.planner.watched = True
            return self._watch(now_ns)
        return NOTHING

    def _let_go(self, command: int, owner: str) -> Place | None:
        place = self.planner.requested.get(command)
        if place is None or place.desk.owner != owner:
            return None
        del self.planner.requested[command]
        place.order.phase = TRANSITIONS[place.order.phase, DONE]
        remove(place.slot, place.order)
        return place

    def _back_off(self, slot: Slot, now_ns: int) -> None:
        slot.refusals += 1
        slot.not_before_ns = now_ns + backoff_ns(slot.refusals, self.settings)
        slot.waiting = self.planner.watched = True

    def _make_room(self, desk: Desk) -> None:
        for slot in (desk.buy, desk.sell):
            if slot.crowded:
                slot.crowded = False
                slot.not_before_ns = 0

    def _watch(self, now_ns: int) -> tuple[Message, ...]:
        self.planner.begin(now_ns, 0)
        return self.planner.end()

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """The remainder is OrderUpdate's to say; here it is only counted."""
        self.counters["fills"] += 1
        return NOTHING

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        self.position_lots[position.instrument] = position.position_lots
        return NOTHING

    # Time

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        planner = self.planner
        if not planner.armed or fired.generation != planner.generation:
            return NOTHING
        planner.armed = False
        planner.begin(now_ns, 0)
        for market in self.markets.values():
            for desk in market.desks:
                for slot in (desk.buy, desk.sell):
                    planner.watched = planner.watched or bool(slot.orders) or desk.target is not None
                    for order in slot.orders:
                        self._look_at(market, desk, order, now_ns)
                    if desk.target is not None and (slot.waiting or now_ns >= desk.target.expires_ns):
                        planner.plan(market, desk, slot)
                if desk.target is not None and now_ns >= desk.target.expires_ns:
                    desk.target = None
        return planner.end()

    def _look_at(self, market: Market, desk: Desk, order: Order, now_ns: int) -> None:
        settings, planner = self.settings, self.planner
        if order.phase is CANCELING and now_ns - order.cancel_ns >= settings.cancel_timeout_ns:
            if order.attempts < settings.cancel_attempts_max:
                planner.send_cancel(market, desk, order)
            elif not order.alerted:
                self._alert(market, order, "cancel_unanswered", f"id={order.client_order_id} attempts={order.attempts}")
        overdue = now_ns - order.since_ns >= settings.request_timeout_ns
        if order.phase <= DOOMED and overdue and not order.alerted:
            self._alert(market, order, "command_unanswered", f"command={order.command} owner={desk.owner}")

    def _alert(self, market: Market, order: Order, event: str, detail: str) -> None:
        order.alerted = True
        self.planner.orders.append(Alert(AlertLevel.CRITICAL, "execution", event, market.number, detail))

    # What stops quoting

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        market = self.markets.get(change.instrument)
        if market is None or change.state == BookState.LIVE:
            return NOTHING  # a LIVE book brings its Touch
        market.touch = None
        return self._drop([market], now_ns)

    def on_trading_state(self, changed: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        self.scopes[changed.scope] = changed.state
        planner = self.planner
        planner.begin(now_ns, 0)
        for market in self.markets.values():
            for desk in market.desks:
                before, desk.state = desk.state, self._state_of(market.number, desk.owner)
                if desk.state is not before and desk.state is not TradingState.ACTIVE:
                    planner.drop_desk(market, desk)
        return planner.end()

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        if command.control != Control.CANCEL_ALL:
            return NOTHING  # the rest comes from risk, as a trading state
        markets = self.markets
        if command.instrument >= 0:
            return self._drop([markets[command.instrument]] if command.instrument in markets else [], now_ns)
        return self._drop(list(markets.values()), now_ns)

    def on_stop(self, _stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        self.stopping = True
        return self._drop(list(self.markets.values()), now_ns)

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """New filters: what rests was made for the old ones, and so was the touch."""
        market = self.markets.get(instrument.instrument)
        if market is None:
            market = self.markets[instrument.instrument] = Market(instrument.instrument)
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
        for place in list(self.planner.requested.values()):
            self._let_go(place.order.command, place.desk.owner)
        self.stopping = False
        self.scopes = {"engine": TradingState.CANCEL_ONLY}
        self.planner.armed = False
        self.planner.generation += 1
        for market in self.markets.values():
            market.touch = None
            for desk in market.desks:
                desk.target, desk.state = None, TradingState.CANCEL_ONLY
                for slot in (desk.buy, desk.sell):
                    slot.waiting = slot.muted = False
                self.planner.watched = self.planner.watched or bool(desk.buy.orders or desk.sell.orders)
        return self._watch(now_ns)

    def _open_desk(self, market: Market, owner: str) -> Desk:
        desk = Desk(owner, Slot(int(Side.BUY)), Slot(int(Side.SELL)), state=self._state_of(market.number, owner))
        market.desks.append(desk)
        return desk

    def _state_of(self, number: int, owner: str) -> TradingState:
        states = self.scopes
        return max(
            states["engine"],
            states.get(f"instrument:{number}", TradingState.ACTIVE),
            states.get(f"owner:{owner}", TradingState.ACTIVE),
        )

    # Recovery, checkpoint, view

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {OrderUpdate: self._fold, PositionUpdate: self.on_position}

    def checkpoint(self) -> ExecutionState:
        planner = self.planner
        return ExecutionState(
            markets=list(self.markets.values()),
            scopes=list(self.scopes.items()),
            stopping=self.stopping,
            armed=planner.armed,
            generation=planner.generation,
            next_command=planner.next_command,
            last_update=self.last_update,
            counters=list(self.counters.items()),
            position_lots=list(self.position_lots.items()),
        )

    def restore(self, state: ExecutionState) -> None:
        self.markets = {market.number: market for market in state.markets}
        self.scopes = dict(state.scopes)
        self.stopping = state.stopping
        self.last_update = state.last_update
        self.counters = dict.fromkeys(COUNTERS, 0) | dict(state.counters)
        self.position_lots = dict(state.position_lots)
        planner = self.planner = Planner(self.settings)
        planner.armed, planner.generation = state.armed, state.generation
        planner.next_command = state.next_command
        self.places = {}
        for market in state.markets:
            for desk in market.desks:
                for slot in (desk.buy, desk.sell):
                    for order in slot.orders:
                        place = Place(market, desk, slot, order)
                        if order.client_order_id:
                            self.places[order.client_order_id] = place
                        else:
                            planner.requested[order.command] = place

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
            for m in self.markets.values()
            for d in m.desks
            for slot in (d.buy, d.sell)
            for o in slot.orders
        ]
        return {"orders": orders, "position_lots": dict(self.position_lots), **self.counters}


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
