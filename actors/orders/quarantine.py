"""What contradicts itself, us or the venue's other words: never acted on, never dropped unseen, shown to people. Pure.

A report that cannot be folded is kept whole. Beside it each contradiction is one row with its reason and the ids that find it
in the journal and at the venue. Both are bounded, the oldest goes first; how many there were of each reason is counted.
"""

from typing import Any

import msgspec

from actors.orders.desk import Desk
from actors.orders.order import Order
from actors.orders.question import Question
from bus.messages import AlertLevel, ExecutionReport, Message, QueryKind

CONTESTS_MAX = 3  # chosen: questions that contradictions of one order may cause; the looks go on asking anyway


def contest(
    desk: Desk,
    order: Order,
    why: str,
    kind: QueryKind,
    now_ns: int,
    out: list[Message],
    *,
    level: AlertLevel = AlertLevel.WARNING,
    more: str = "",
) -> None:
    """The venue contradicts itself about one order: said, shown, and asked about by `kind`. more: further `key=value` pairs."""
    desk.note(why, order.instrument, order.client_order_id, order.venue_order_id, -1, now_ns)
    detail = f"client_order_id={order.client_order_id} venue_order_id={order.venue_order_id} {more}".rstrip()
    desk.alert_every(level, why, order.instrument, detail, out)
    ask_about(desk, order, kind, now_ns, out)


def ask_about(desk: Desk, order: Order, kind: QueryKind, now_ns: int, out: list[Message]) -> None:
    """ORDER or TRADES of one order, whatever its state; not while another question of it is in flight."""
    if order.query or order.contested >= CONTESTS_MAX or order.instrument not in desk.terms:
        return
    order.contested += 1
    from_id = 0 if order.venue_order_id else max(order.trade_floor, 0)
    question = Question(kind, order.instrument, order.client_order_id, from_id, look=False)
    question.venue_order_id = order.venue_order_id if kind is QueryKind.TRADES else 0
    order.query = desk.ask(question, now_ns, out)


def corrected(desk: Desk, order: Order, report: ExecutionReport, now_ns: int, out: list[Message]) -> None:
    """An execution that we booked, with other content: ours stays booked, its trades are asked for, a person decides."""
    desk.keep_aside(report, "execution_corrected", out, AlertLevel.CRITICAL)
    ask_about(desk, order, QueryKind.TRADES, now_ns, out)


def rows(desk: Desk) -> list[dict[str, Any]]:
    """As a view shows them, youngest first."""
    return [msgspec.structs.asdict(row) for row in reversed(desk.strange)]
