"""The futures' user data stream: what happened to our orders and to the wallet. Pure.

Nothing about an order is dropped: a symbol nobody configured keeps its text with instrument -1, an unknown word becomes
ReportKind.OTHER with the word kept. An execution's amount is price times quantity, in the stream as in a query: the event
has none, and two words on one execution must be equal. Source: documents of USD-M futures, "User Data Streams", read 2026-11.
"""

from collections.abc import Mapping

import msgspec

from bus.messages import ExecutionReport, Instrument, ReportKind, ReportSource, VenueState
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.decimals import MS_NS, Id, Millis
from gateway.binance_spot.events import DETAIL_MAX, SIDES, ids_in, quantity_scale, read, read_signed

LISTEN_KEY_EXPIRED = "listenKeyExpired"

KINDS = {
    "NEW": ReportKind.NEW,
    "CANCELED": ReportKind.CANCELED,
    "CALCULATED": ReportKind.TRADE,  # "Liquidation Execution"; in Chinese: of an order by ADL or liquidation
    "EXPIRED": ReportKind.EXPIRED,
    "TRADE": ReportKind.TRADE,
    "AMENDMENT": ReportKind.REPLACED,
}
"""Execution types ("Event: Order Update"). One missing here: OTHER."""

STATES = {
    "NEW": VenueState.WORKING,
    "PARTIALLY_FILLED": VenueState.WORKING,
    "FILLED": VenueState.DONE_FILLED,
    "CANCELED": VenueState.DONE_CANCELED,
    "REJECTED": VenueState.DONE_REJECTED,  # "Common Definition"
    "EXPIRED": VenueState.DONE_EXPIRED,
    "EXPIRED_IN_MATCH": VenueState.DONE_STP,
}
"""Order statuses (the same). One missing here proves nothing: NONE."""

VENUES_OWN = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "delivery_autoclose-")
"""How client ids of orders begin that the venue itself makes on our account: liquidation, ADL, settlement, delivery."""


class WalletMoved(msgspec.Struct, frozen=True, gc=False):
    """The wallet moved by something that is no trade: the history of incomes has a row of it. cause: the venue's word."""

    cause: str
    venue_ns: int


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
    T: Millis
    l: str = "0"  # noqa: E741  # the venue's own field name
    L: str = "0"
    n: str | None = "0"
    N: str | None = None
    t: Id = 0
    m: bool = False
    rp: str = "0"
    er: str | int = "0"


class _OrderEvent(msgspec.Struct, gc=False):
    o: _Order


class _Wallet(msgspec.Struct, gc=False):
    m: str


class _WalletEvent(msgspec.Struct, gc=False):
    a: _Wallet
    T: Millis = 0


_named = msgspec.json.Decoder(_Named).decode
_order = msgspec.json.Decoder(_OrderEvent).decode
_wallet = msgspec.json.Decoder(_WalletEvent).decode

Event = ExecutionReport | WalletMoved | Notice | Garbage


def decode_event(
    event: bytes, received_ns: int, account: int, venue: int, by_symbol: Mapping[str, Instrument]
) -> Event:
    """Return what the event says. by_symbol: the configured instruments. Never raises."""
    try:
        name = _named(event).e
        if name == "ORDER_TRADE_UPDATE":
            return order_report(_order(event).o, received_ns, account, venue, by_symbol)
        if name == "ACCOUNT_UPDATE":
            told = _wallet(event)
            if told.a.m != "ORDER":  # what trades do to wallet and positions, their own events say
                return WalletMoved(told.a.m, told.T * MS_NS)
    except (ValueError, RecursionError) as error:
        return Garbage(f"{error}; {ids_in(event, 'o')}")
    return Notice(name or "unknown", event[:DETAIL_MAX].decode("utf-8", "replace"))


def order_report(
    order: _Order, received_ns: int, account: int, venue: int, by_symbol: Mapping[str, Instrument]
) -> ExecutionReport:
    """Return the report. Raises BadDecimal or ValueError naming the field when a number or the side is unreadable.

    execution_id: the event's time in ms, which orders the events of one order.
    """
    instrument = by_symbol.get(order.s)
    scale = quantity_scale(instrument)
    if order.S not in SIDES:
        raise ValueError(f"S: unknown side {order.S!r}")
    state = STATES.get(order.X, VenueState.NONE)
    kind = _kind(order, state)
    known = kind is not ReportKind.OTHER
    last_quantity, last_price = read("l", order.l, scale), read("L", order.L)
    return ExecutionReport(
        account=account,
        venue=venue,
        instrument=-1 if instrument is None else instrument.instrument,
        source=ReportSource.STREAM,
        kind=kind,
        state=state,
        status=order.X if known else f"{order.x}/{order.X}",
        client_order_id=order.c,
        venue_order_id=order.i,
        side=SIDES[order.S],
        price=read("p", order.p),
        quantity=read("q", order.q, scale),
        cumulative=read("z", order.z, scale),
        cumulative_quote=0,  # the event has the average price alone, which is rounded
        trade_id=order.t or -1,
        last_quantity=last_quantity,
        last_price=last_price,
        last_quote=amount(last_price, last_quantity, scale),
        fee=read_signed("n", order.n or "0"),
        fee_asset=order.N or "",
        is_maker=order.m,
        execution_id=order.T,
        venue_ns=order.T * MS_NS,
        received_ns=received_ns,
        reason=_reason(order),
        venue_symbol=order.s,
        realized=read_signed("rp", order.rp),
    )


def amount(price: int, quantity: int, scale: int) -> int:
    """Return 10^-8 of the quote asset; exact wherever the instrument's tick times its lot is no finer."""
    return price * quantity // int(10**scale)


def venue_made(client_order_id: str) -> bool:
    return client_order_id.startswith(VENUES_OWN)


def _kind(order: _Order, state: VenueState) -> ReportKind:
    kind = KINDS.get(order.x, ReportKind.OTHER)
    if kind is ReportKind.TRADE:
        return kind if order.t > 0 else ReportKind.OTHER  # a fill without its id cannot be booked once
    if state is VenueState.NONE:
        return ReportKind.OTHER
    return ReportKind.STP_EXPIRED if state is VenueState.DONE_STP else kind


def _reason(order: _Order) -> str:
    parts = [] if str(order.er) in ("0", "") else [f"expiry_reason={order.er}"]
    if order.x == "CALCULATED" or venue_made(order.c):
        parts.append("the venue's own order: liquidation, ADL or settlement")
    return " ".join(parts)
