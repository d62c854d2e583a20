"""Which order, where, when: the deciding half of execution. Pure. HOT PATH.

Per side one order rests and at most one more is being canceled. Cancels are never held back and leave before new
orders; new orders wait for room, for their back-off, for the own other side to get out of the way, for their price.
"""

from actors.execution.phases import CANCEL_SENT, CANCELING, REQUESTED, TRANSITIONS, Event
from actors.execution.pricing import KEEP, MOVE, judge, passive_price
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Market, Order, Place, Slot, resting
from bus.actor import NOTHING
from bus.messages import CancelCommand, Message, OrderCommand, QuoteIntent, SetTimer, Side

BUY, SELL = Side
SWEEP = 0
"""The one timer there is."""


class Planner:
    """Collects the commands of one handler: `begin`, any of the rest, `end`."""

    def __init__(self, settings: ExecutionSettings, register: Register) -> None:
        self.settings = settings
        self.register = register
        self.room = 1 if settings.replace == "together" else 0  # orders being canceled beside which a new one may go
        self.armed = False
        self.generation = 0
        self.watched = False
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
        slot.waiting = False
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
        order = resting(slot) if slot.orders else None
        ticks = passive_price(slot.side, wished, touch, instrument.tick)
        if ticks != wished:
            slot.waiting = True  # held off by the other side's price: the wish itself stands
        if order is not None and not self._leave(market, desk, slot, order, ticks, lots):
            return
        self._place(market, desk, slot, target, ticks, lots)

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
        self.cancel(market, desk, order)
        return True

    def _place(self, market: Market, desk: Desk, slot: Slot, target: QuoteIntent, ticks: int, lots: int) -> None:
        now_ns = self.now_ns
        if len(slot.orders) > self.room or now_ns < slot.not_before_ns or ticks < 1:
            slot.waiting = True
            return
        side = slot.side
        for order in (desk.sell if side > 0 else desk.buy).orders:
            if (ticks - order.price_ticks) * side >= 0:
                slot.waiting = True  # it would meet our own order, which is on its way out
                return
        register = self.register
        command = register.next_command
        register.next_command = command + 1
        order = Order(command, "", target.account, target.venue, side, ticks, lots, lots, REQUESTED, now_ns)
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
                True,
            )
        )

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
            slot.waiting = slot.muted = False
            if slot.orders:
                self.cancel_side(market, desk, slot)
