"""Whether a request, frame or event is one that a fault is for. Pure.

A request names its order by a client order id, the venue's id, or both; what it does not say of the order (its side, or its
client order id) is looked up, and only where a fault asks.
"""

from collections.abc import Callable, Mapping

from ..core.errors import VenueError
from ..core.orders import AccountId, Order
from ..operations import NOBODY, Ask, Params
from ..payload import Json, Payload
from .face import FaultedFace, OrderWords
from .spec import Whom

ALL = "all"
CLIENT_IDS = ("newClientOrderId", "origClientOrderId", "cancelOrigClientOrderId")
VENUE_IDS = ("orderId", "cancelOrderId")


def fits_ask(whom: Whom, face: FaultedFace, ask: Ask) -> bool:
    return (
        whom.face in ("", face.name)
        and whom.door in ("", ask.door)
        and whom.operation in ("", ask.name, ask.operation.kind.value)
        and whom.symbol in ("", ask.params.get("symbol"))
        and (not whom.account or whom.account == asker(ask))
        and (not whom.side or whom.side == _said(ask, face, ("side",), lambda order: order.side))
        and (
            not whom.client_order_id
            or _begins(whom.client_order_id, ask.params)
            or matches(whom.client_order_id, _said(ask, face, (), lambda order: order.client_order_id))
        )
    )


def fits_topic(whom: Whom, face: str, topic: str) -> bool:
    """A topic is symbol@stream, as `btcusdt@depth@100ms`; `depth` means it at every speed."""
    symbol, _, stream = topic.partition("@")
    return (
        whom.face in ("", face)
        and whom.symbol.lower() in ("", symbol)
        and whom.stream in ("", ALL, stream, stream.partition("@")[0])
    )


def fits_event(whom: Whom, face: FaultedFace, account: AccountId, event: Payload) -> bool:
    if whom.face not in ("", face.name) or whom.account not in ("", account):
        return False
    if not (whom.symbol or whom.side or whom.client_order_id):
        return True
    words = face.event_order
    report = report_of(event, words)
    return (
        report is not None
        and whom.symbol in ("", report[words.symbol])
        and whom.side in ("", report[words.side])
        and (not whom.client_order_id or matches(whom.client_order_id, str(report[words.client_order_id])))
    )


def fits_order(whom: Whom, face: str, order: Order) -> bool:
    return (
        whom.face in ("", face)
        and whom.symbol in ("", order.symbol)
        and whom.account in ("", order.account)
        and whom.side in ("", order.side)
        and (not whom.client_order_id or matches(whom.client_order_id, order.client_order_id))
    )


def matches(pattern: str, client_order_id: str) -> bool:
    if pattern.endswith("*"):
        return client_order_id.startswith(pattern[:-1])
    return client_order_id == pattern


def asker(ask: Ask) -> AccountId:
    """Whose request it is: NOBODY for one that proves nobody."""
    try:
        return ask.identify(ask.operation.proof)
    except VenueError:
        return NOBODY


def named_order(ask: Ask, face: FaultedFace) -> Order | None:
    """The order that a request is about, if it exists."""
    params = ask.params
    client_id = params.get("cancelOrigClientOrderId") or params.get("origClientOrderId")
    venue_id = next((params[name] for name in VENUE_IDS if name in params), "")
    order_id = int(venue_id) if venue_id.isascii() and venue_id.isdigit() and len(venue_id) < 19 else None
    if order_id is None and not client_id:
        return None
    return face.market.engine.registry.find(asker(ask), params.get("symbol", ""), order_id, client_id)


def client_order_id(params: Params) -> str:
    """For the log: the id a request says."""
    return next((params[name] for name in CLIENT_IDS if params.get(name)), "")


def report_of(event: Payload, words: OrderWords) -> Mapping[str, Json] | None:
    """The part of an event that reports on an order: the event, or a part of it. (The futures' TRADE_LITE says no status.)"""
    named = [word for word in words if word != words.status]
    for part in (event, *event.values()):
        if isinstance(part, Mapping) and all(word in part for word in named):
            return part
    return None


def _begins(pattern: str, params: Params) -> bool:
    return any(matches(pattern, params[name]) for name in CLIENT_IDS if name in params)


def _said(ask: Ask, face: FaultedFace, names: tuple[str, ...], of: Callable[[Order], str]) -> str:
    """What the request says, or else what its order says."""
    for name in names:
        if ask.params.get(name):
            return ask.params[name]
    order = named_order(ask, face)
    return "" if order is None else of(order)
