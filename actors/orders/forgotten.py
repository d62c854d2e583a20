"""When an order that worked is over because the venue no longer knows it: it was restarted, or archived the order. Pure.

One "does not exist" may be a replica's. So, in this order, and each asked after the one before was answered: the order,
`DENIALS_MIN` times over the venue's processing bound; the open orders, which do not list it; its trades, all of which
are booked. Any word on it in between begins all of it anew. A failed question counts for nothing.
"""

from collections.abc import Iterable

from actors.orders.order import Order
from actors.orders.question import Question
from actors.orders.settings import OrdersSettings
from actors.orders.state import Certainty
from bus.messages import ExecutionReport, QueryKind, ReportKind, VenueState

DENIALS_MIN = 3  # chosen: one more than for an order that was never seen, because this one was


def deny(order: Order, asked_ns: int, settings: OrdersSettings) -> None:
    """Count one "does not exist"; the last one only when the first is older than the venue's processing bound."""
    if order.lost == 0:
        order.lost_ns = asked_ns
    if order.lost < DENIALS_MIN - 1 or asked_ns >= order.lost_ns + settings.processing_bound_ns:
        order.lost += 1


def recall(order: Order) -> None:
    """The venue had a word on it: what it denied before counts no more."""
    order.lost = 0
    order.lost_ns = 0
    order.unlisted = False


def is_due(order: Order) -> bool:
    """Denied often and long enough; the list or the trades have the next word."""
    return (
        order.lost >= DENIALS_MIN
        and order.certainty is Certainty.UNKNOWN
        and order.venue_state is VenueState.WORKING
        and not order.absence
    )


def last_question(order: Order) -> Question:
    """The open orders of its instrument; after them its trades, or all since its last known one if it has no venue id."""
    if not order.unlisted:
        return Question(QueryKind.OPEN_ORDERS, order.instrument, order.client_order_id, 0, look=False, last=True)
    question = Question(
        QueryKind.TRADES, order.instrument, order.client_order_id, max(order.trade_floor, 0), look=False
    )
    question.venue_order_id = order.venue_order_id
    question.last = True
    return question


def leaves_out(order: Order, rows: Iterable[ExecutionReport]) -> bool:
    """Whether the list can be read as a whole and holds the order under neither of its ids."""
    for row in rows:
        if row.client_order_id == order.client_order_id or row.venue_order_id == order.venue_order_id > 0:
            return False
        if row.kind is ReportKind.OTHER and not row.client_order_id:
            return False  # A record without an id may be it.
    return True


def explains(order: Order, owner: Order | None, question: Question, row: ExecutionReport) -> bool:
    """Whether a row of the trades is booked as this order's, or surely another's. owner: who got it."""
    if row.kind is not ReportKind.TRADE:
        return False
    if owner is order or question.venue_order_id:
        booked = any(execution.trade_id == row.trade_id for execution in order.executions)
        return booked or (order.orphan and row.trade_id <= order.trade_floor)
    return True  # Of nobody's the caller judges by side and time.
