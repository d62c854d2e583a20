"""A record of the journal as rows. Pure."""

from collections.abc import Callable
from typing import Any

from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import Record
from bus.messages import (
    HEADER_SIZE,
    CancelOrder,
    Fill,
    Message,
    OrderUpdate,
    PositionUpdate,
    RequestKind,
    SubmitOrder,
)
from gateway.doors.store.schema import FILL, ORDER, POSITION, REQUEST

Row = tuple[str, tuple[Any, ...]]  # Any: what sqlite3 takes; each row function below has exact types


def order_row(update: OrderUpdate, record: Record) -> list[Row]:
    u = update
    return [
        (
            ORDER,
            (
                *(u.client_order_id, u.account, u.venue, u.instrument, u.version, u.owner, u.venue_order_id, u.command),
                *(u.side.name, u.price_ticks, u.quantity_lots, u.cumulative_lots, u.leaves_lots, u.status.name),
                *(u.reduce_only, u.refusal.name, u.updated_ns, u.number, u.unit, u.code),
            ),
        )
    ]


def fill_row(fill: Fill, record: Record) -> list[Row]:
    f = fill
    return [
        (
            FILL,
            (
                *(f.account, f.number, f.venue, f.instrument, f.version, f.owner, f.client_order_id, f.venue_order_id),
                *(f.trade_id, f.side.name, f.price, f.quantity, f.quantity_lots, f.quote, f.fee, f.fee_asset),
                *(f.is_maker, f.late, f.venue_ns),
            ),
        )
    ]


def submit_rows(submit: SubmitOrder, record: Record) -> list[Row]:
    """The request; and the order too, in case the engine died before it said anything else of it."""
    s = submit
    request = (
        *(record.number, RequestKind.SUBMIT.name, s.client_order_id, "", 0, s.epoch, s.instrument, s.side.name),
        *(s.price_ticks, s.quantity_lots, record.offset, record.now_ns),
    )
    order = (
        *(s.client_order_id, s.account, s.venue, s.instrument, s.version, s.owner, 0, s.command, s.side.name),
        *(s.price_ticks, s.quantity_lots, 0, s.quantity_lots, "PENDING_NEW", s.reduce_only, "NONE", record.now_ns, 0),
        *(s.unit, 0),
    )
    return [(REQUEST, request), (ORDER, order)]


def cancel_row(cancel: CancelOrder, record: Record) -> list[Row]:
    c = cancel
    request = (
        *(record.number, RequestKind.CANCEL.name, c.client_order_id, c.cancel_id, c.attempt, None, c.instrument),
        *(None, None, None, record.offset, record.now_ns),
    )
    return [(REQUEST, request)]


def position_row(update: PositionUpdate, record: Record) -> list[Row]:
    p = update
    row = (
        *(p.account, p.instrument, p.venue, p.version, p.number, p.position, p.position_lots, p.cost, p.realized),
        p.average_price,
    )
    return [(POSITION, row)]


ROWS: dict[type[Message], Callable[[Any, Record], list[Row]]] = {
    OrderUpdate: order_row,
    Fill: fill_row,
    SubmitOrder: submit_rows,
    CancelOrder: cancel_row,
    PositionUpdate: position_row,
}
"""What is indexed; other facts stay in the journal alone."""


def rows_of(record: Record) -> list[Row]:
    """The rows of one journal record. Raises msgspec.DecodeError when its body is not what its kind says."""
    row = ROWS.get(TYPE_OF_TAG.get(record.kind, Message))
    return [] if row is None else row(decode_any(record.body[HEADER_SIZE:]), record)
