"""The user data stream: what happened to our orders and balances. Pure.

An order's event names two ids: `c`, and on a cancel or amend `C`, the order's own, while `c` is then the cancel's
(docs, user-data-stream; ORDERS.md: match by the original id first). Nothing about an order is dropped: a symbol nobody
configured keeps its text with instrument -1, an unknown word becomes ReportKind.OTHER with the word kept.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from bus.messages import Balance, ExecutionReport, Instrument, ReportKind, ReportSource, Side, VenueState
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.decimals import MS_NS, SCALE, Id, Millis, signed_units, units
from gateway.text import BadDecimal
from gateway.text import units as scaled_units

DETAIL_MAX = 300  # characters of an event kept in a Notice or Garbage

KINDS = {
    "NEW": ReportKind.NEW,
    "CANCELED": ReportKind.CANCELED,
    "REPLACED": ReportKind.REPLACED,
    "REJECTED": ReportKind.REJECTED,
    "TRADE": ReportKind.TRADE,
    "EXPIRED": ReportKind.EXPIRED,
    "TRADE_PREVENTION": ReportKind.STP_EXPIRED,
}
"""Execution types (docs, enums). One missing here: OTHER."""

STATES = {
    "NEW": VenueState.WORKING,
    "PENDING_NEW": VenueState.WORKING,  # second leg of an order list, waiting for its first: not ours, but open
    "PARTIALLY_FILLED": VenueState.WORKING,
    "PENDING_CANCEL": VenueState.WORKING,  # "currently unused" (docs, enums)
    "FILLED": VenueState.DONE_FILLED,
    "CANCELED": VenueState.DONE_CANCELED,
    "REJECTED": VenueState.DONE_REJECTED,
    "EXPIRED": VenueState.DONE_EXPIRED,
    "EXPIRED_IN_MATCH": VenueState.DONE_STP,
}
"""Order statuses (docs, enums). One missing here proves nothing: NONE."""

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


class AccountPosition(msgspec.Struct, frozen=True, gc=False):
    """Balances that one event changed (not all of them), in 10^-8 of their assets, at the venue's `venue_ns`."""

    account: int
    venue_ns: int
    received_ns: int
    balances: tuple[Balance, ...]


class _Named(msgspec.Struct, gc=False):
    e: str = ""


class _Order(msgspec.Struct, gc=False):
    s: str
    c: str
    S: str
    q: str
    p: str
    x: str
    X: str
    i: Id
    z: str
    Z: str
    T: Millis
    I: Id  # noqa: E741  # the venue's own field name
    l: str = "0"  # noqa: E741  # the venue's own field name
    L: str = "0"
    Y: str = "0"
    n: str | None = "0"
    N: str | None = None
    C: str = ""
    t: Id = -1
    m: bool = False
    r: str = "NONE"
    eR: int | str | None = None


class _Asset(msgspec.Struct, gc=False):
    a: str
    f: str
    l: str  # noqa: E741  # the venue's own field name


class _Position(msgspec.Struct, gc=False):
    E: Millis
    B: list[_Asset]


_named = msgspec.json.Decoder(_Named).decode
_order = msgspec.json.Decoder(_Order).decode
_position = msgspec.json.Decoder(_Position).decode

Event = ExecutionReport | AccountPosition | Notice | Garbage


def decode_event(
    event: bytes, received_ns: int, account: int, venue: int, by_symbol: Mapping[str, Instrument]
) -> Event:
    """Return what the event says. by_symbol: the configured instruments. Never raises."""
    try:
        name = _named(event).e
        if name == "executionReport":
            return order_report(_order(event), received_ns, account, venue, by_symbol)
        if name == "outboundAccountPosition":
            return _account_position(_position(event), received_ns, account)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{error}; {ids_in(event)}")
    return Notice(name or "unknown", event[:DETAIL_MAX].decode("utf-8", "replace"))


def order_report(
    order: _Order, received_ns: int, account: int, venue: int, by_symbol: Mapping[str, Instrument]
) -> ExecutionReport:
    """Return the report. Raises BadDecimal or ValueError naming the field when a number or the side is unreadable."""
    instrument = by_symbol.get(order.s)
    scale = quantity_scale(instrument)
    if order.S not in SIDES:
        raise ValueError(f"S: unknown side {order.S!r}")
    kind = KINDS.get(order.x, ReportKind.OTHER)
    state = STATES.get(order.X, VenueState.NONE)
    if kind is ReportKind.TRADE:
        if order.t < 0:
            kind = ReportKind.OTHER  # a fill without an execution id cannot be booked once
    elif state is VenueState.NONE or (kind is ReportKind.STP_EXPIRED and state is not VenueState.DONE_STP):
        kind = ReportKind.OTHER  # decrement modes prevent a part and leave the rest working
    known = kind is not ReportKind.OTHER
    return ExecutionReport(
        account=account,
        venue=venue,
        instrument=-1 if instrument is None else instrument.instrument,
        source=ReportSource.STREAM,
        kind=kind,
        state=state,
        status=order.X if known else f"{order.x}/{order.X}",
        client_order_id=order.C or order.c,
        venue_order_id=order.i,
        side=SIDES[order.S],
        price=read("p", order.p),
        quantity=read("q", order.q, scale),
        cumulative=read("z", order.z, scale),
        cumulative_quote=read("Z", order.Z),
        trade_id=order.t,
        last_quantity=read("l", order.l, scale),
        last_price=read("L", order.L),
        last_quote=read("Y", order.Y),
        fee=read_signed("n", order.n or "0"),
        fee_asset=order.N or "",
        is_maker=order.m,
        execution_id=order.I,
        venue_ns=order.T * MS_NS,
        received_ns=received_ns,
        reason=_reason(order),
        venue_symbol=order.s,
    )


def quantity_scale(instrument: Instrument | None) -> int:
    """Of a report's quantities: the instrument's; those of a symbol nobody configured are in 10^-8."""
    return SCALE if instrument is None else instrument.quantity_scale


def read(field: str, text: str, scale: int = SCALE) -> int:
    """As `units`, with the field's name in the error."""
    try:
        return units(text) if scale == SCALE else scaled_units(text, scale)
    except BadDecimal:
        raise BadDecimal(f"{field}: {text[:64]!r} is no decimal of at most {scale} places") from None


def read_signed(field: str, text: str) -> int:
    """As `read`, for a fee, which may be a rebate."""
    try:
        return signed_units(text)
    except BadDecimal:
        raise BadDecimal(f"{field}: {text[:64]!r} is no decimal of at most {SCALE} places") from None


def _reason(order: _Order) -> str:
    parts = [] if order.r in ("NONE", "") else [order.r]
    if order.eR is not None:
        parts.append(f"expiry_reason={order.eR}")
    return " ".join(parts)


def _account_position(position: _Position, received_ns: int, account: int) -> AccountPosition:
    balances = tuple([Balance(asset.a, read("f", asset.f), read("l", asset.l)) for asset in position.B])
    return AccountPosition(account, position.E * MS_NS, received_ns, balances)


_ID_FIELDS = {"e": "event", "s": "venue_symbol", "C": "original_id", "c": "client_order_id", "i": "venue_order_id"}
_ID_FIELDS |= {"t": "trade_id", "x": "execution_type", "X": "status"}


def ids_in(event: bytes, order_in: str = "") -> str:
    """Return `key=value` pairs of whatever names the order; the bytes' start when not even JSON can be read.

    order_in: the field that holds the order, where it is not the event itself.
    """
    try:
        fields: Any = msgspec.json.decode(event)
    except (ValueError, RecursionError):
        return repr(event[:DETAIL_MAX])
    if not isinstance(fields, dict):
        return repr(event[:DETAIL_MAX])
    order = fields.get(order_in) if order_in else fields
    named = {"e": fields.get("e")} | (order if isinstance(order, dict) else {})
    pairs = [f"{label}={str(named[name])[:64]}" for name, label in _ID_FIELDS.items() if named.get(name) is not None]
    return " ".join(pairs)
