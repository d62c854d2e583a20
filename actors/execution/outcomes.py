"""What becomes of orders: updates, refusals, losses, and the pause after a no. Pure. HOT PATH: OrderUpdate in."""

from actors.execution.phases import CANCELING, DOOMED, GONE, TURNED_AWAY
from actors.execution.planner import NEAREST_FROM, Planner
from actors.execution.pricing import backoff_ns
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Market, Place, Slot
from bus.actor import NOTHING
from bus.messages import BandHeld, CommandDropped, Message, OrderRefused, OrderStatus, OrderUpdate, Refusal

ROOM = (
    Refusal.POSITION, Refusal.NOTIONAL, Refusal.OPEN_ORDERS, Refusal.SELF_TRADE, Refusal.NOT_REDUCING, Refusal.BAND,
)  # fmt: skip
"""Refusals that may be over as soon as another order of the market has ended, or the band has changed."""


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
        register, planner = self.register, self.planner
        place = register.fold(update, now_ns)
        if place is None:
            return NOTHING
        market, phase = place.market, place.order.phase
        joined = register.queues.line(market.number).joined
        if phase is not GONE and phase is not DOOMED and planner.armed and not joined:
            return NOTHING  # the usual news: nothing follows, and the sweep is set
        planner.begin(now_ns, 0)
        if phase is GONE:
            self._after_end(place, update.status, now_ns)
            self._plan_again(market, place.desk)
        elif phase is DOOMED:
            planner.cancel(market, place.desk, place.order)
        if joined or (phase is GONE and not planner.orders and register.queues.outdated(market)):
            planner.orders.append(register.queues.watch(market))
        return planner.end()

    def _after_end(self, place: Place, status: OrderStatus, now_ns: int) -> None:
        order, slot, target = place.order, place.slot, place.desk.target
        if status is OrderStatus.FILLED:
            # The wish was answered: its owner has a new position to think about. Part of a wish to reduce is still one.
            wished = (target.bid_lots if slot.side > 0 else target.ask_lots) if target is not None else 0
            slot.muted = target is None or not target.reduce_only or slot.executed_lots >= wished
        elif status in TURNED_AWAY or (status is OrderStatus.CANCELED and order.attempts == 0):
            # Refused, or canceled by nobody here: the venue does not want it.
            self.counters["turned_away"] += 1
            self._back_off(slot, now_ns)
        self._make_room(place.market)
        self.planner.watched = True  # the sweep gives its level up, if that is not done now

    def _plan_again(self, market: Market, ended: Desk) -> None:
        """The desk of the order that ended, and whoever waited for the room it took."""
        for desk in market.desks:
            if desk.target is not None:
                for slot in (desk.buy, desk.sell):
                    if desk is ended or slot.waiting:
                        self.planner.plan(market, desk, slot)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        place = self.register.let_go(refused.command, refused.owner)
        if place is None:
            return NOTHING
        self.counters["refused"] += 1
        slot = place.slot
        if refused.reason is Refusal.BAND:
            slot.refusals = 0  # nobody refuses the price: the band is being widened, or a peer is there for a while
            slot.band_refusals += 1
        elif refused.reason is Refusal.IN_FLIGHT:
            slot.refusals = 0  # it only waits its turn: the next answer makes room
        self._back_off(slot, now_ns)
        slot.crowded = refused.reason in ROOM
        return self._watch(now_ns)

    def on_band(self, band: BandHeld, now_ns: int) -> tuple[Message, ...]:
        """What may rest here has changed: whoever waited for room tries again at once, and not after longer pauses."""
        market = self.register.markets.get(band.instrument)
        if market is None:
            return NOTHING
        market.bid_max, market.ask_min = band.bid_max, band.ask_min
        self.planner.begin(now_ns, 0)
        for desk in market.desks:
            for slot in (desk.buy, desk.sell):
                held_off, slot.band_refusals = slot.band_refusals >= NEAREST_FROM, 0
                if slot.crowded or held_off:
                    slot.crowded, slot.refusals, slot.not_before_ns = False, 0, 0
                    if desk.target is not None:
                        self.planner.plan(market, desk, slot)
        return self.planner.end()

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

    def _make_room(self, market: Market) -> None:
        for desk in market.desks:
            for slot in (desk.buy, desk.sell):
                if slot.crowded:
                    slot.crowded = False
                    slot.not_before_ns = 0

    def _watch(self, now_ns: int) -> tuple[Message, ...]:
        self.planner.begin(now_ns, 0)
        return self.planner.end()
