"""The record of one order, and what is derived from it. All quantities in base asset units unless they end in _lots."""

import msgspec

from actors.orders.state import ABSENT, STATUS, Absence, Certainty, Pending
from bus.messages import OrderStatus, Refusal, Side, VenueState

# By name in a module: an enum's look-up costs 75-117 ns on Python 3.11, and an update makes four of them.
ACCEPTED, PARTIALLY_FILLED, FILLED = OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
DONE_FILLED, UNKNOWN = VenueState.DONE_FILLED, Certainty.UNKNOWN


class Execution(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One booked execution. Key: (instrument, trade_id, venue_order_id); the rest tells a repeat from a correction."""

    trade_id: int
    venue_order_id: int
    quantity: int
    quote: int


class Order(msgspec.Struct, array_like=True, gc=False):
    """Written by actors/orders alone. unit: base units a lot; 0 after recovery until its Instrument is known.

    cumulative: highest quantity the venue proved. booked: sum of `executions`. covered: executed before we knew the
    order and inside the ledger's baseline. Invariant: booked + covered <= cumulative, else the venue contradicts itself.
    status, cumulative_lots, leaves_lots, refusal: as last published. *_due_ns, wake_ns: 0 is "not set".
    query: counter of the question in flight, 0 none. doubt_ns: a proof must have been asked at or after it.
    missing, missing_ns: of an orphan: answers without its missing executions, and when the venue proved more of them.
    lost, lost_ns, unlisted: of an order that worked: "does not exist" answers since the venue's last word on it, when the
    first of them was asked, and whether its open orders, asked after them, did not list it either.
    denied_ns: of an order that was never seen: when the venue was last asked and had no such order.
    code: the venue's error where it was refused. told: what the private stream said of it: TOLD_NOTHING, that it exists, its end.
    amended: (venue time, execution id) of the word that quantity_lots is from. former: venue order ids that it had before.
    contested: contradictions of it that the venue was asked about. venue_initiated: it ended and nobody of ours wanted that.
    """

    client_order_id: str
    instrument: int
    version: int
    owner: str
    command: int
    side: Side
    price_ticks: int
    quantity_lots: int
    reduce_only: bool
    unit: int
    submit_due_ns: int = 0
    sent_ns: int = 0
    trade_floor: int = -1
    leaves_lots: int = 0
    updated_ns: int = 0
    wake_ns: int = 0
    status: OrderStatus = OrderStatus.PENDING_NEW
    venue_state: VenueState = VenueState.NONE
    pending: Pending = Pending.SUBMIT
    certainty: Certainty = Certainty.CERTAIN
    absence: Absence = Absence.OPEN
    refusal: Refusal = Refusal.NONE
    venue_order_id: int = 0
    venue_order_id_published: int = 0
    cumulative: int = 0
    booked: int = 0
    covered: int = 0
    cumulative_lots: int = 0
    trade_max: int = -1
    executions: list[Execution] = []
    written: bool = False
    orphan: bool = False
    attempt: int = 0
    cancel_wanted: bool = False
    cancel_sent_ns: int = 0
    cancel_due_ns: int = 0
    cancel_retry_ns: int = 0
    cancel_code: int = 0
    cancel_refusals: int = 0
    query: int = 0
    query_due_ns: int = 0
    query_failures: int = 0
    backoff_ns: int = 0
    doubt_ns: int = 0
    not_found: int = 0
    missing: int = 0
    missing_ns: int = 0
    lost: int = 0
    lost_ns: int = 0
    unlisted: bool = False
    denied_ns: int = 0
    code: int = 0
    told: int = 0
    amended: tuple[int, int] = (0, 0)
    former: list[int] = []
    contested: int = 0
    venue_initiated: bool = False


def is_done(order: Order) -> bool:
    return order.status >= FILLED


def venue_ended(order: Order) -> bool:
    return order.venue_state >= DONE_FILLED


def shortfall(order: Order) -> int:
    """Executed by the venue's word and not booked yet, base units: shown, asked for, never invented as a fill."""
    return max(order.cumulative - order.booked - order.covered, 0)


def is_proven(order: Order) -> bool:
    """It works, by the venue's word, and nothing about it is open."""
    proven = order.certainty is Certainty.CERTAIN and order.venue_state is VenueState.WORKING
    return proven and order.pending is Pending.NONE and not shortfall(order)


def public_status(order: Order) -> OrderStatus:
    if order.absence:
        return ABSENT[order.absence]
    certainty = order.certainty
    if order.venue_state >= DONE_FILLED and order.cumulative > order.booked + order.covered:
        certainty = UNKNOWN
    status = STATUS[order.venue_state, order.pending, certainty]
    if status is ACCEPTED and order.booked + order.covered > 0:
        return PARTIALLY_FILLED
    return status


def lots(order: Order, status: OrderStatus) -> tuple[int, int]:
    """(cumulative, leaves). Cumulative counts booked executions only, and leaves the rest that may still reach us:
    so position plus leaves bounds the exposure at every moment, while executions are missing too."""
    unit = order.unit
    if unit == 0:
        return order.cumulative_lots, order.leaves_lots
    counted = order.booked + order.covered
    cumulative_lots = counted // unit
    if status >= FILLED:
        return cumulative_lots, 0
    if order.venue_state >= DONE_FILLED:
        return cumulative_lots, -((counted - order.cumulative) // unit)
    return cumulative_lots, max(order.quantity_lots - cumulative_lots, 0)
