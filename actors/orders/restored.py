"""The record of an order made again from its public facts: from the journal's tail, or from the journal's index. Pure."""

from collections.abc import Sequence

from actors.orders.order import Execution, Order
from actors.orders.state import Absence, Certainty, Pending
from bus.messages import DONE, Fill, OrderStatus, OrderUpdate, VenueState

ORPHAN_OWNER = "orphan"
"""Ours by its id, and our journal had none of it."""
EXTERNAL_OWNER = "external"
"""Of another program or a person, and counted as ours by configuration."""
VENUE_OWNER = "venue"
"""Of the venue itself on our account: a liquidation."""
FOUND_OWNERS = frozenset((ORPHAN_OWNER, EXTERNAL_OWNER, VENUE_OWNER))
"""Of orders that the venue told us of first."""

RECOVERED: dict[OrderStatus, VenueState] = {
    OrderStatus.FILLED: VenueState.DONE_FILLED,
    OrderStatus.CANCELED: VenueState.DONE_CANCELED,
    OrderStatus.EXPIRED: VenueState.DONE_EXPIRED,
    OrderStatus.STP_EXPIRED: VenueState.DONE_STP,
}


def set_axes(order: Order) -> None:
    """The three axes from a public status. What was in flight is over; whatever is open must be proven anew."""
    order.pending = Pending.NONE
    order.absence = Absence.OPEN
    seen = order.venue_order_id != 0 or order.booked > 0
    if order.status not in DONE:
        order.certainty = Certainty.UNKNOWN
        order.venue_state = VenueState.WORKING if seen else VenueState.NONE
        order.pending = Pending.NONE if seen else Pending.SUBMIT
        return
    order.certainty = Certainty.CERTAIN
    order.cumulative = order.booked + order.covered
    if order.status is OrderStatus.REJECTED:
        order.venue_state = VenueState.DONE_REJECTED if seen else VenueState.NONE
        order.absence = Absence.OPEN if seen else Absence.REFUSED
    elif order.status is OrderStatus.NEVER_SENT:
        order.venue_state = VenueState.NONE
        order.absence = Absence.NEVER_SENT
    else:
        order.venue_state = RECOVERED[order.status]


def restore(update: OrderUpdate, fills: Sequence[Fill], unit: int) -> Order:
    """From its last public state and all its fills. unit: base units of its lot, where the update does not say."""
    order = Order(
        update.client_order_id,
        update.instrument,
        update.version,
        update.owner,
        update.command,
        update.side,
        update.price_ticks,
        update.quantity_lots,
        update.reduce_only,
        update.unit or unit,
    )
    order.written = True
    order.orphan = update.owner in FOUND_OWNERS
    order.venue_order_id = order.venue_order_id_published = update.venue_order_id
    order.status, order.refusal, order.code = update.status, update.refusal, update.code
    order.cumulative_lots, order.leaves_lots = update.cumulative_lots, update.leaves_lots
    order.sent_ns = order.updated_ns = update.updated_ns
    for fill in fills:
        order.executions.append(Execution(fill.trade_id, fill.venue_order_id, fill.quantity, fill.quote))
        order.trade_max = max(order.trade_max, fill.trade_id)
        order.booked += fill.quantity
        if fill.venue_order_id not in (0, order.venue_order_id, *order.former):
            order.former.append(fill.venue_order_id)
    order.covered = max(order.cumulative_lots * order.unit - order.booked, 0)
    order.cumulative = order.booked + order.covered
    set_axes(order)
    return order
