"""Which order, where, when: the deciding half of execution. Pure. HOT PATH.

Per side of a desk one order rests and at most one more is being canceled. Cancels are never held back and leave before
new orders; new orders wait for room, for their back-off, for our own orders of the other side to get out of the way
(every owner's: an account does not trade with itself), for their price.

Quotes (`plan`) stand on the passive side, away from liquidity that will not stay, and may keep their place in a queue.
Orders that reduce or cross (`_plan_exit`) go where their owner says, and are never larger than what the position still
leaves: all that works on that side, whoever owns it, may fill as well.
"""

from collections.abc import Iterable

from actors.execution.phases import CANCEL_SENT, CANCELING, REQUESTED, TRANSITIONS, Event
from actors.execution.pricing import KEEP, MOVE, judge, keeps_place, passive_price, too_small, widened, within_band
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Market, Order, Place, Slot, resting
from actors.execution.steady import steady_ticks
from bus.actor import NOTHING
from bus.messages import CancelCommand, LimitsTightened, Message, OrderCommand, QuoteIntent, SetTimer, Side

BUY, SELL = Side
SWEEP = 0
"""The one timer there is."""
NEAREST_FROM = 2
"""Refusals for want of a band, in a row: the first asks for a wider one, the second says that it cannot be had."""


class Planner:
    """Collects the commands of one handler: `begin`, any of the rest, `end`."""

    def __init__(self, settings: ExecutionSettings, register: Register, counters: dict[str, int]) -> None:
        """counters: the actor's own, shared."""
        self.settings = settings
        self.register = register
        self.counters = counters
        self.room = 1 if settings.replace == "together" else 0  # orders being canceled beside which a new one may go
        self.armed = False
        self.generation = 0
        self.watched = False
        self.widen_ticks = self.widen_ppm = 0  # how much further off quotes stand while we are slow (LimitsTightened)
        self.now_ns = self.received_ns = 0
        self.cancels: list[Message] = []
        self.orders: list[Message] = []

    def begin(self, now_ns: int, received_ns: int) -> None:
        """received_ns: of the frame that caused this input, 0 when none did (an answer, a timer)."""
        self.now_ns = now_ns
        self.received_ns = received_ns
        if self.cancels or self.orders:  # a handler raised in between: nothing of it was sent
            self.cancels.clear()
            self.orders.clear()

    def end(self) -> tuple[Message, ...]:
        """Cancels first; then orders and alerts; then the sweep's timer, if it is wanted and not set."""
        if not self.armed and (self.watched or self.cancels or self.orders):
            self.armed = True
            self.orders.append(SetTimer("execution", SWEEP, self.generation, self.now_ns + self.settings.sweep_ns))
        self.watched = False
        if not self.cancels and not self.orders:
            return NOTHING
        out = (*self.cancels, *self.orders)
        self.cancels.clear()
        self.orders.clear()
        return out

    # One side

    def plan(self, market: Market, desk: Desk, slot: Slot) -> None:
        """Bring one side toward its target. The desk's target is set and was allowed when it came."""
        target, touch, instrument = desk.target, market.touch, market.instrument
        assert target is not None, "planned without a target"
        self.watched = True
        slot.waiting = slot.keeping = False
        if slot.side > 0:
            wished, lots = target.bid_ticks, target.bid_lots
        else:
            wished, lots = target.ask_ticks, target.ask_lots
        if not lots or touch is None or instrument is None or self.now_ns >= target.expires_ns:
            slot.waiting = lots > 0  # expired: should it be renewed, it is a new wish
            if slot.orders:
                self.cancel_side(market, desk, slot)
            return
        if slot.muted:
            return
        passive = wished if target.cross else passive_price(slot.side, wished, touch, instrument.tick)
        if passive != wished:
            slot.waiting = True  # held off by the other side's price: the wish itself stands
        if target.reduce_only or target.cross:
            self._plan_exit(market, desk, slot, target, wished, lots, passive)
            return
        ticks = passive
        if market.unsteady and not desk.rank:
            ticks = steady_ticks(market, slot.side, passive, instrument, self.settings.avoid_flicker, self.now_ns)
            slot.waiting = slot.waiting or ticks != passive
        stepped = ticks != passive
        if (self.widen_ticks or self.widen_ppm) and not desk.rank:
            ticks = widened(slot.side, ticks, self.widen_ticks, self.widen_ppm)
        order = resting(slot) if slot.orders else None
        if order is not None and not self._leave(market, desk, slot, order, ticks, lots):
            return
        if self._place(market, desk, slot, target, ticks, lots, self.room) and stepped:
            self.counters["steps_back"] += 1

    def _leave(self, market: Market, desk: Desk, slot: Slot, order: Order, ticks: int, lots: int) -> bool:
        """Cancel the order if it should make way; whether a new one may be thought of."""
        verdict = judge(order, ticks, lots, self.settings)
        if verdict is KEEP:
            return False
        if verdict is MOVE:
            young = self.now_ns - order.since_ns < self.settings.order_life_ns_min
            if young or len(slot.orders) > 1 or order.phase is REQUESTED:
                slot.waiting = True
                return False
            if self._keeps(market, order, ticks):
                slot.keeping = True
                return False
        self.cancel(market, desk, order)
        return True

    def _keeps(self, market: Market, order: Order, ticks: int) -> bool:
        """Its place is worth more than the move."""
        settings, touch, instrument = self.settings, market.touch, market.instrument
        if not settings.keep_place or touch is None or instrument is None:
            return False
        if not keeps_place(order, ticks, touch, instrument, settings.keep_ahead_ppm):
            return False
        if not order.kept:
            order.kept = True
            self.counters["places_kept"] += 1
        return True

    def _plan_exit(
        self, market: Market, desk: Desk, slot: Slot, target: QuoteIntent, wished: int, lots: int, ticks: int
    ) -> None:
        """An order that reduces or crosses. No other order of the slot is beside it: both together could fill.

        What is free of the position is taken even if it is not all that is wished, for the rest may hang on an order
        whose end is far; but not less than half, nor less than the venue takes: the rest is usually a round trip away.
        Where another instance of ours quotes the price, it rests as near as the band lets it.
        """
        if target.reduce_only and slot.band_refusals >= NEAREST_FROM:
            ticks = within_band(slot.side, ticks, market)
        order = resting(slot) if slot.orders else None
        lots -= slot.executed_lots
        slot.waiting = True  # whatever is missing; taken back when nothing is
        too_large = False
        if target.reduce_only:
            if market.fills_due and self.now_ns - market.fills_due_ns < self.settings.fills_due_ns:
                return  # the position is about to be another one
            held = -slot.side * self.register.position_lots.get(market.number, 0)
            free = held - _working(market, slot.side, order)
            part, whole = min(lots, free), min(lots, held)
            if order is None and (2 * part < whole or (part < whole and too_small(ticks, part, market.instrument))):
                return
            too_large = order is not None and order.leaves_lots > free
            lots = min(lots, free)
        if lots < 1:
            self.cancel_side(market, desk, slot)
            return
        if order is None:
            slot.waiting = not self._place(market, desk, slot, target, ticks, lots, 0) or ticks != wished
            return
        verdict = judge(order, ticks, lots, self.settings)
        young = self.now_ns - order.since_ns < self.settings.order_life_ns_min
        if verdict is KEEP and not too_large:
            slot.waiting = ticks != wished
        elif verdict is not MOVE or too_large or target.cross or not young:
            self.cancel(market, desk, order)  # its end is waited for

    def _place(
        self, market: Market, desk: Desk, slot: Slot, target: QuoteIntent, ticks: int, lots: int, room: int
    ) -> bool:
        """Command the order, or wait. room: orders being canceled that may stand beside it."""
        now_ns = self.now_ns
        if len(slot.orders) > room or now_ns < slot.not_before_ns or ticks < 1:
            slot.waiting = True
            return False
        side = slot.side
        for other in market.desks:
            for order in (other.sell if side > 0 else other.buy).orders:
                if (ticks - order.price_ticks) * side >= 0:
                    slot.waiting = True  # it would meet our own order: its end, or its move, is waited for
                    return False
        register = self.register
        command = register.next_command
        register.next_command = command + 1
        order = Order(
            command,
            "",
            target.account,
            target.venue,
            side,
            ticks,
            lots,
            lots,
            REQUESTED,
            now_ns,
            version=target.version,
        )
        slot.orders.append(order)
        register.requested[command] = Place(market, desk, slot, order)
        self.orders.append(
            OrderCommand(
                target.account,
                target.venue,
                target.instrument,
                target.version,
                target.owner,
                target.reduce_only,
                target.update_id,
                self.received_ns,
                target.expires_ns,
                command,
                BUY if side > 0 else SELL,
                ticks,
                lots,
                not target.cross,
            )
        )
        return True

    def widen(self, limits: LimitsTightened, markets: Iterable[Market]) -> None:
        """Keep the width from here on, and bring every quote to it."""
        self.widen_ticks, self.widen_ppm = limits.widen_ticks, limits.widen_ppm
        for market in markets:
            for desk in market.desks:
                if desk.target is not None and not desk.rank:
                    self.plan(market, desk, desk.buy)
                    self.plan(market, desk, desk.sell)

    # Canceling

    def cancel(self, market: Market, desk: Desk, order: Order) -> None:
        """Once: an order that is being canceled is left to the sweep, one without an id until it has one."""
        phase = order.phase
        if phase is CANCELING:
            return
        if not order.client_order_id:
            if phase is REQUESTED:
                order.phase = TRANSITIONS[phase, Event.CANCEL_WISHED]
            self.watched = True
            return
        self.send_cancel(market, desk, order)

    def send_cancel(self, market: Market, desk: Desk, order: Order) -> None:
        order.phase = TRANSITIONS[order.phase, CANCEL_SENT]
        order.cancel_ns = self.now_ns
        order.attempts += 1
        self.cancels.append(
            CancelCommand(
                order.account, order.venue, market.number, desk.owner, order.client_order_id, self.received_ns
            )
        )

    def cancel_side(self, market: Market, desk: Desk, slot: Slot) -> None:
        for order in slot.orders:
            self.cancel(market, desk, order)

    def drop_desk(self, market: Market, desk: Desk) -> None:
        """Nothing is wished any more and nothing is left resting."""
        desk.target = None
        for slot in (desk.buy, desk.sell):
            slot.waiting = slot.keeping = slot.muted = False
            if slot.orders:
                self.cancel_side(market, desk, slot)

    def drop_below(self, market: Market, rank: int) -> None:
        """An owner of rank has spoken: who stands below leaves the instrument to it."""
        for desk in market.desks:
            if desk.rank < rank:
                self.drop_desk(market, desk)


def _working(market: Market, side: int, but: Order | None) -> int:
    """Lots that may still fill on a side, of every owner, those being canceled included; without one of them."""
    lots = 0
    for desk in market.desks:
        for order in (desk.buy if side > 0 else desk.sell).orders:
            if order is not but:
                lots += order.leaves_lots
    return lots
