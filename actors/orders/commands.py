"""What comes from our side: approved orders, cancels, dropped commands, a person's word."""

from actors.orders.cancels import cancel, cancel_all
from actors.orders.desk import Desk
from actors.orders.order import Order
from actors.orders.people import CancelWatch
from actors.orders.state import ABSENCE, CANCELING, PENDING, SUBMITTING, Asked, Missing
from bus.messages import (
    AlertLevel,
    ApprovedOrder,
    CancelCommand,
    CommandDropped,
    Control,
    IdsReserved,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    Refusal,
    SubmitOrder,
)

HELD_NS_MAX = 10_000_000_000
"""Then the door is asked again, however long the venue wants us away: a count is given back as orders fill, and one refusal in
10 s fills no journal. Chosen."""
PENDING_NEW, NO_REFUSAL = OrderStatus.PENDING_NEW, Refusal.NONE  # by name: a look-up costs 75-117 ns on Python 3.11


class Commands:
    """`accepting` and `stopping` are set by the start-up; new orders pass only while the first holds.

    held_ns: no order before it, by the venue's limits; held_new_ns: none but those that reduce, never sooner.
    """

    __slots__ = ("accepting", "desk", "held_new_ns", "held_ns", "people", "stopping")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.people = CancelWatch(desk)
        self.accepting = False
        self.stopping = False
        self.held_ns = self.held_new_ns = 0

    def on_approved(self, message: ApprovedOrder, now_ns: int) -> tuple[Message, ...]:
        """Hot: id, record, then the door's message first and the fact behind it."""
        desk = self.desk
        instrument = message.instrument
        terms = desk.terms.get(instrument)
        if not self.accepting or terms is None or terms.instrument.version != message.version:
            return (self.refuse(message),)
        if now_ns < self.held_new_ns and (now_ns < self.held_ns or not message.reduce_only):
            return (self.refuse_held(message),)
        open_orders = desk.register.open
        if len(open_orders) >= desk.settings.open_orders_max:
            return (self.refuse(message),)
        settings = desk.settings
        ids = desk.ids
        key = ids.make()
        register = desk.register
        if key in open_orders or key in register.done or key in register.archive:
            return self.refuse_taken(message, key)
        side = message.side
        price_ticks = message.price_ticks
        quantity_lots = message.quantity_lots
        due_ns = now_ns + settings.answer_timeout_ns
        order = Order(
            key,
            instrument,
            message.version,
            message.owner,
            message.command,
            side,
            price_ticks,
            quantity_lots,
            message.reduce_only,
            terms.unit,
            due_ns,
            now_ns,
            desk.trades.get(instrument, -1),
            quantity_lots,
            now_ns,
        )
        open_orders[key] = order
        desk.update_number = number = desk.update_number + 1
        submit = submit_of(message, key, ids.epoch, terms.unit)
        update = OrderUpdate(
            number,
            settings.account,
            settings.venue,
            instrument,
            message.version,
            message.owner,
            key,
            0,
            message.command,
            side,
            price_ticks,
            quantity_lots,
            0,
            quantity_lots,
            PENDING_NEW,
            message.reduce_only,
            NO_REFUSAL,
            now_ns,
            terms.unit,
        )
        if desk.armed_ns and due_ns >= desk.armed_ns and not ids.low():
            desk.wake_later(order, due_ns)
            return (submit, update)
        return (submit, update, *self.behind(order, due_ns))

    def behind(self, order: Order, due_ns: int) -> list[Message]:
        """What now and then follows an order: the timer when none is armed, the next block of ids when half is gone."""
        out: list[Message] = []
        self.desk.wake_at(order, due_ns, out)
        if self.desk.ids.low():
            out.append(self.reserve())
        return out

    def reserve(self) -> IdsReserved:
        ids = self.desk.ids
        return IdsReserved(self.desk.settings.account, ids.epoch, ids.reserve())

    def refuse(self, message: ApprovedOrder) -> OrderRefused:
        """Which reason it was: decided off the path, because a refusal is not the hot case."""
        terms = self.desk.terms.get(message.instrument)
        if self.stopping:
            reason = Refusal.TRADING_STATE
        elif not self.accepting:
            reason = Refusal.NOT_CONNECTED
        elif terms is None:
            reason = Refusal.UNKNOWN_INSTRUMENT
        elif terms.instrument.version != message.version:
            reason = Refusal.INSTRUMENT_VERSION
        else:
            reason = Refusal.OPEN_ORDERS
        self.desk.count("order_refused")
        return OrderRefused(message.instrument, message.owner, message.command, message.side, reason)

    def refuse_held(self, message: ApprovedOrder) -> OrderRefused:
        """Before it is an order, because each of those is journaled: quotes are made anew many times a second."""
        self.desk.count("order_held_back")
        return OrderRefused(message.instrument, message.owner, message.command, message.side, Refusal.RATE_LIMIT)

    def hold(self, order: Order, until_ns: int, now_ns: int, out: list[Message], *, by_door: bool) -> None:
        """There is no room for it until then. Our own door leaves some for orders that reduce; the venue itself does not."""
        until_ns = min(until_ns, now_ns + HELD_NS_MAX)
        if now_ns >= self.held_new_ns:
            detail = f"wait_ms={(until_ns - now_ns) // 1_000_000} remedy=quote less often or fewer instruments"
            self.desk.alert_every(AlertLevel.WARNING, "orders_held_back", order.instrument, detail, out)
        self.held_new_ns = max(self.held_new_ns, until_ns)
        if order.reduce_only or not by_door:
            self.held_ns = max(self.held_ns, until_ns)

    def release(self) -> None:
        """A run begins: its own door will say."""
        self.held_ns = self.held_new_ns = 0

    def refuse_taken(self, message: ApprovedOrder, key: str) -> tuple[Message, ...]:
        """The id is an order's that another life of ours made: its record stays, and the id is skipped."""
        out: list[Message] = [
            OrderRefused(message.instrument, message.owner, message.command, message.side, Refusal.EPOCH)
        ]
        detail = f"client_order_id={key} epoch={self.desk.ids.epoch} remedy=start with a higher epoch"
        self.desk.alert_every(AlertLevel.CRITICAL, "client_order_id_taken", message.instrument, detail, out)
        return tuple(out)

    def on_cancel(self, message: CancelCommand, now_ns: int) -> tuple[Message, ...]:
        order = self.desk.register.open.get(message.client_order_id)
        if order is None:
            self.desk.count("cancel_of_unknown_or_done")
            return ()
        out: list[Message] = []
        cancel(self.desk, order, message.received_ns, now_ns, out)
        self.desk.publish(order, now_ns, out)
        return tuple(out)

    def on_dropped(self, message: CommandDropped, now_ns: int, out: list[Message]) -> None:
        """A submit (command >= 0) or a cancel (-1) that was lost before the door; without an id it never reached us."""
        desk = self.desk
        order = desk.register.open.get(message.client_order_id)
        if order is None:
            return
        if message.command >= 0 and order.pending in SUBMITTING and not order.written:
            order.absence = ABSENCE[order.absence, Missing.DROPPED]
            order.refusal = Refusal.HOST
            order.pending = PENDING[order.pending, Asked.ALL_SETTLED]
        elif message.command < 0 and order.pending in CANCELING:
            order.pending = PENDING[order.pending, Asked.CANCEL_SETTLED]
            order.cancel_retry_ns = now_ns + desk.settings.backoff_min_ns
            desk.wake_at(order, order.cancel_retry_ns, out)
        desk.publish(order, now_ns, out)

    def on_operator(self, message: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        """CANCEL_ALL is ours, and the first half of FLATTEN; the trading states are risk's."""
        out: list[Message] = []
        if message.control is Control.CANCEL_ALL:
            self.people.begin(message, now_ns, out)
        elif message.control is Control.FLATTEN:
            cancel_all(self.desk, message.instrument, now_ns, out)
        return tuple(out)


def submit_of(message: ApprovedOrder, client_order_id: str, epoch: int, unit: int) -> SubmitOrder:
    """The approved order as the door writes it. unit: base units of one lot. Hot."""
    return SubmitOrder(
        message.account,
        message.venue,
        message.instrument,
        message.version,
        message.owner,
        client_order_id,
        epoch,
        message.command,
        message.side,
        message.price_ticks,
        message.quantity_lots,
        message.post_only,
        message.reduce_only,
        message.update_id,
        message.received_ns,
        message.expires_ns,
        unit,
    )
