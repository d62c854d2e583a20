"""What becomes of orders: updates, refusals, losses, and the pause after a no. Pure. HOT PATH: OrderUpdate in."""

from actors.execution.phases import CANCELING, DOOMED, GONE, TURNED_AWAY
from actors.execution.planner import Planner
from actors.execution.pricing import backoff_ns
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Order, Slot
from bus.actor import NOTHING
from bus.messages import CommandDropped, Message, OrderRefused, OrderStatus, OrderUpdate, Refusal

ROOM = (Refusal.POSITION, Refusal.NOTIONAL, Refusal.OPEN_ORDERS, Refusal.SELF_TRADE)
"""Refusals that may be over as soon as another order of the desk has ended."""


class Outcomes:
    """counters: the actor's own, shared."""

    def __init__(
        self, settings: ExecutionSettings, register: Register, planner: Planner, counters: dict[str, int]
    ) -> None:
        self.settings = settings
        self.register = register
        self.planner = planner
        self.counters = counters

    def on_update(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        place = self.register.fold(update, now_ns)
        if place is None:
            return NOTHING
        market, desk, order, planner = place.market, place.desk, place.order, self.planner
        phase = order.phase
        if phase is not GONE and phase is not DOOMED and planner.armed:
            return NOTHING  # the usual news: nothing follows, and the sweep is set
        planner.begin(now_ns, 0)
        if phase is GONE:
            self._after_end(desk, place.slot, order, update.status, now_ns)
            if desk.target is not None:
                planner.plan(market, desk, desk.buy)
                planner.plan(market, desk, desk.sell)
        elif phase is DOOMED:
            planner.cancel(market, desk, order)
        return planner.end()

    def _after_end(self, desk: Desk, slot: Slot, order: Order, status: OrderStatus, now_ns: int) -> None:
        if status is OrderStatus.FILLED:
            slot.muted = True  # the wish was answered: its owner has a new position to think about
        elif status in TURNED_AWAY or (status is OrderStatus.CANCELED and order.attempts == 0):
            # Refused, or canceled by nobody here: the venue does not want it.
            self.counters["turned_away"] += 1
            self._back_off(slot, now_ns)
        self._make_room(desk)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        place = self.register.let_go(refused.command, refused.owner)
        if place is None:
            return NOTHING
        self.counters["refused"] += 1
        slot = place.slot
        self._back_off(slot, now_ns)
        slot.crowded = refused.reason in ROOM
        return self._watch(now_ns)

    def on_dropped(self, dropped: CommandDropped, now_ns: int) -> tuple[Message, ...]:
        """A command that was lost frees its slot; a cancel that was lost is sent again by the next sweep."""
        place = self.register.let_go(dropped.command, dropped.owner)
        if place is not None:
            self._back_off(place.slot, now_ns)
            return self._watch(now_ns)
        place = self.register.places.get(dropped.client_order_id)
        if place is not None and place.order.phase is CANCELING:
            place.order.cancel_ns = now_ns - self.settings.cancel_timeout_ns
            self.planner.watched = True
            return self._watch(now_ns)
        return NOTHING

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
