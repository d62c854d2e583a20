"""When a cancel goes out, goes out again, and stops going out. A refused cancel is evidence to query, not a state."""

from actors.orders.desk import Desk
from actors.orders.ids import CLAIMED, cancel_id
from actors.orders.order import Order, is_done, shortfall, venue_ended
from actors.orders.restored import EXTERNAL_OWNER, ORPHAN_OWNER, VENUE_OWNER
from actors.orders.settings import External, Leftovers, Orphans
from actors.orders.state import CANCELING, PENDING, Asked, Certainty, Pending
from bus.messages import AlertLevel, CancelOrder, Message, VenueState

CANCEL_SENT = Asked.CANCEL_SENT  # by name: an enum's look-up costs 75-117 ns on Python 3.11
SAME_ANSWER_MAX = 3
"""Identical refusals of one order's cancels, then we stop (a peer sent 14,000 in 20 h: Qubx PR#434)."""

UNSEEN_MAX = 1
"""The same of an order that the venue never had a word on: "unknown order" is what it must say. Once it is seen they begin anew."""


def cancel(desk: Desk, order: Order, received_ns: int, now_ns: int, out: list[Message]) -> None:
    """Send a cancel for an open order, and remember the wish until the order is done.

    Ignored and counted while one is in flight and its time is not over, and when the breaker is open. An order whose
    submit is unproven is canceled by client id: safe both ways.
    """
    order.cancel_wanted = True
    if order.pending in CANCELING and now_ns < order.cancel_due_ns:
        desk.count("cancel_repeated")
        return
    if order.cancel_refusals >= (UNSEEN_MAX if order.venue_state is VenueState.NONE else SAME_ANSWER_MAX):
        desk.count("cancel_held_back")
        return
    if venue_ended(order):
        desk.count("cancel_of_ended")
        return
    if order.owner == VENUE_OWNER:
        order.cancel_wanted = False
        desk.count("cancel_of_the_venues_order")
        return
    settings, client_order_id = desk.settings, order.client_order_id
    order.attempt = attempt = order.attempt + 1
    order.pending = PENDING[order.pending, CANCEL_SENT]
    order.cancel_retry_ns = 0
    order.cancel_sent_ns = now_ns
    order.cancel_due_ns = due_ns = now_ns + settings.answer_timeout_ns
    out.append(
        CancelOrder(
            settings.account,
            settings.venue,
            order.instrument,
            client_order_id,
            cancel_id(client_order_id, attempt),
            order.venue_order_id,
            attempt,
            received_ns,
            client_order_id.startswith(CLAIMED),
        )
    )
    desk.wake_at(order, due_ns, out)


def cancel_refused(desk: Desk, order: Order, code: int, retry_ns: int, now_ns: int, out: list[Message]) -> None:
    """A definite no. code 0 is our own door's: the cancel never left. Else the venue knows better: look at once.

    retry_ns: the venue wants no more before it; that says nothing of the order, and never opens the breaker. 0: not said.
    """
    order.pending = PENDING[order.pending, Asked.CANCEL_SETTLED]
    order.cancel_retry_ns = max(now_ns + max(order.backoff_ns, desk.settings.backoff_min_ns), retry_ns)
    if code == 0 or retry_ns:
        desk.count("cancel_refused_by_door" if code == 0 else "cancel_held_up_by_venue")
        desk.wake_at(order, order.cancel_retry_ns, out)
        return
    order.cancel_refusals = order.cancel_refusals + 1 if code == order.cancel_code else 1
    order.cancel_code = code
    desk.doubt(order, now_ns)
    if order.backoff_ns or not order.query_due_ns:  # else its turn comes in a start, which asks a few at a time
        desk.ask_now(order, now_ns, out)
    desk.wake_at(order, order.cancel_retry_ns, out)
    if order.cancel_refusals == SAME_ANSWER_MAX:
        detail = f"client_order_id={order.client_order_id} code={code} times={SAME_ANSWER_MAX}"
        desk.alert(AlertLevel.CRITICAL, "cancel_refused_repeatedly", order.instrument, detail, out)


def follow_up(desk: Desk, order: Order, now_ns: int, out: list[Message]) -> None:
    """What an open order still needs: a proof, its missing executions, or the cancel that somebody wants."""
    if is_done(order):
        return
    if order.certainty is Certainty.UNKNOWN or shortfall(order):
        desk.ask_soon(order, now_ns, out)
    elif order.cancel_wanted and order.pending is Pending.NONE and order.cancel_retry_ns <= now_ns:
        cancel(desk, order, 0, now_ns, out)
        desk.publish(order, now_ns, out)


def is_unwanted(desk: Desk, order: Order) -> bool:
    """Whether a start (or a stream that comes back) cancels it: each kind of order by its own policy."""
    settings = desk.settings
    if order.owner == ORPHAN_OWNER:
        return settings.orphans is Orphans.CANCEL
    if order.owner in (EXTERNAL_OWNER, VENUE_OWNER):
        return order.owner == EXTERNAL_OWNER and settings.external is External.CANCEL
    return settings.leftovers is Leftovers.CANCEL


def cancel_all(desk: Desk, instrument: int, now_ns: int, out: list[Message]) -> None:
    """Every open order of `instrument`; -1: of all. Unproven ones too: their wish is kept until they are proven.

    A person's word or a stop's: it closes the breaker, so one whose cancels were held back is tried as often again.
    """
    for order in list(desk.register.open.values()):
        if instrument in (-1, order.instrument):
            order.cancel_refusals = 0
            cancel(desk, order, 0, now_ns, out)
            desk.publish(order, now_ns, out)
            follow_up(desk, order, now_ns, out)
