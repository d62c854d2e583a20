"""What execution knows of orders: its books of markets, desks and orders, brought forward by OrderUpdate. Pure.

Folding decides nothing: the same methods run live and at recovery. `places` finds an order by its client order id,
`requested` by the number of a command that has none yet.
"""

from typing import Any

from actors.execution.phases import ACCEPTED, CANCELING, DONE, EVENT_OF_STATUS, SENT, TRANSITIONS, Event
from actors.execution.precedence import OPERATOR, rank_of
from actors.execution.queue import reach_head
from actors.execution.queues import Queues
from actors.execution.slots import Desk, Market, Order, Place, Slot, remove
from bus.messages import OrderUpdate, Side, TradingState

NO_VENUE = -1
"""Of a market whose instrument is not known: nothing can be wished there."""


class Register:
    """next_command: above every command number ever seen, so that none is used twice.

    position_lots: by instrument, of the last PositionUpdate.
    """

    def __init__(self, queues: Queues) -> None:
        self.queues = queues
        self.position_lots: dict[int, int] = {}
        self.markets: dict[int, Market] = {}
        self.places: dict[str, Place] = {}
        self.requested: dict[int, Place] = {}
        self.scopes: dict[str, TradingState] = {"engine": TradingState.CANCEL_ONLY}
        self.next_command = 0
        self.last_update = -1
        self.repeated = 0

    def market(self, number: int) -> Market:
        market = self.markets.get(number)
        if market is None:
            market = self.markets[number] = Market(number)
        return market

    def open_desk(self, market: Market, owner: str) -> Desk:
        state = self.state_of(market.number, owner)
        desk = Desk(owner, Slot(int(Side.BUY)), Slot(int(Side.SELL)), state=state, rank=rank_of(owner))
        market.desks.append(desk)
        return desk

    def state_of(self, number: int, owner: str) -> TradingState:
        """What a person wants done is not held back by what he halted himself: of his orders risk alone is the judge."""
        if owner == OPERATOR:
            return TradingState.ACTIVE
        states, market = self.scopes, self.markets.get(number)
        venue = market.instrument.venue if market is not None and market.instrument is not None else NO_VENUE
        return max(
            states["engine"],
            states.get(f"venue:{venue}", TradingState.ACTIVE),
            states.get(f"instrument:{number}", TradingState.ACTIVE),
            states.get(f"owner:{owner}", TradingState.ACTIVE),
        )

    def fold(self, update: OrderUpdate, now_ns: int) -> Place | None:
        """Bring the order to what the update says. None: nothing that is kept here changed."""
        if update.number <= self.last_update:
            self.repeated += 1
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
            self.queues.join(place.market.number, order, now_ns)
        elif event is Event.CANCEL_PENDING and before is not CANCELING:
            order.cancel_ns = now_ns
            order.attempts = 1
        elif event is DONE:
            remove(slot, order)
            del self.places[update.client_order_id]
            if order.queue is not None:
                self.queues.leave(place.market.number, order)
        if update.cumulative_lots > order.cumulative_lots:
            slot.executed_lots += update.cumulative_lots - order.cumulative_lots
            order.cumulative_lots = update.cumulative_lots
            if order.queue is not None:
                reach_head(order.queue)
        return place

    def _bind(self, update: OrderUpdate, event: Event, now_ns: int) -> Place | None:
        """Give the commanded order its id; or, for one of before this life, a place of its own."""
        place = self.requested.get(update.command)
        if place is not None and place.desk.owner == update.owner and place.market.number == update.instrument:
            del self.requested[update.command]
        elif event is DONE:
            return None
        else:
            self.next_command = max(self.next_command, update.command + 1)
            place = self._adopt(update, now_ns)
        place.order.client_order_id = update.client_order_id
        self.places[update.client_order_id] = place
        return place

    def _adopt(self, update: OrderUpdate, now_ns: int) -> Place:
        market = self.market(update.instrument)
        desk = market.desk(update.owner) or self.open_desk(market, update.owner)
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
            cumulative_lots=update.cumulative_lots,
            version=update.version,
        )
        slot.orders.append(order)
        return Place(market, desk, slot, order)

    def let_go(self, command: int, owner: str) -> Place | None:
        """The command did not become an order. None: it is not one of ours that waits."""
        place = self.requested.get(command)
        if place is None or place.desk.owner != owner:
            return None
        del self.requested[command]
        place.order.phase = TRANSITIONS[place.order.phase, DONE]
        remove(place.slot, place.order)
        return place

    def index(self, markets: list[Market]) -> None:
        """Take restored markets; what finds an order is built up again."""
        self.markets = {market.number: market for market in markets}
        self.queues.index(markets)
        self.places, self.requested = {}, {}
        for market in markets:
            for desk in market.desks:
                for slot in (desk.buy, desk.sell):
                    for order in slot.orders:
                        place = Place(market, desk, slot, order)
                        if order.client_order_id:
                            self.places[order.client_order_id] = place
                        else:
                            self.requested[order.command] = place

    def rows(self) -> list[tuple[Any, ...]]:
        """Every order that is not done, as `Execution.view` tells it."""
        return [
            (
                m.number,
                d.owner,
                Side(o.side).name,
                o.price_ticks,
                o.leaves_lots,
                o.phase.name,
                o.client_order_id,
                o.since_ns,
                *self.queues.place(m, o),
            )
            for m in self.markets.values()
            for d in m.desks
            for slot in (d.buy, d.sell)
            for o in slot.orders
        ]
