"""Orders placed, canceled, replaced and amended (rest-api.md, "Trading endpoints")."""

import secrets
from enum import StrEnum
from typing import NamedTuple

from ..core.errors import BadRequest, LimitReached, OrderRefused, VenueError, unknown_order
from ..core.orders import NewOrder, Order, Status
from ..core.replace import Replaced, ReplaceMode, cancel_replace
from ..limits import OrderCounts
from ..operations import Call, Kind, Operation, Params, PartlyFailed, signed
from ..payload import NS_PER_MS, Json, Payload
from . import parameters, payloads
from .api import VenueApi
from .new_order import NAMES, ResponseType, new_order, response_type

CANCEL_NAMES = "symbol orderId origClientOrderId newClientOrderId cancelRestrictions"
REPLACE_NAMES = (
    f"{NAMES} cancelReplaceMode cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId cancelRestrictions "
    "orderRateLimitExceededMode"
)


class CancelRestrictions(StrEnum):
    NONE = ""
    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


class RateLimitExceededMode(StrEnum):
    DO_NOTHING = "DO_NOTHING"
    CANCEL_ONLY = "CANCEL_ONLY"


_ALLOWS = {
    CancelRestrictions.NONE: (Status.NEW, Status.PARTIALLY_FILLED),
    CancelRestrictions.ONLY_NEW: (Status.NEW,),
    CancelRestrictions.ONLY_PARTIALLY_FILLED: (Status.PARTIALLY_FILLED,),
}


def _generated_id() -> str:
    return secrets.token_hex(11)


# ---- placing


def place(api: VenueApi, call: Call) -> Json:
    request = new_order(call.params, call.account, _generated_id())
    answered = response_type(call.params, request.order_type)
    counts, now_ms = api.counts[call.account], call.now_ns // NS_PER_MS
    counts.check(now_ms)
    engine = api.market.engine
    known = len(engine.executions)
    order = engine.place(request, call.now_ns)
    counts.add(now_ms)
    return payloads.order_response(order, engine.executions[known:], answered, call.now_ns)


def test(api: VenueApi, call: Call) -> Json:
    request = new_order(call.params, call.account, _generated_id())
    response_type(call.params, request.order_type)
    api.market.engine.check(request, call.now_ns)
    if not parameters.flag(call.params, "computeCommissionRates"):
        return {}
    return payloads.order_commission(api.fees(call.account))


# ---- canceling


def cancel(api: VenueApi, call: Call) -> Json:
    cancel_id = parameters.client_id(call.params, "newClientOrderId") or _generated_id()
    order = _to_cancel(api, call, "orderId", "origClientOrderId")
    return payloads.cancel_response(api.market.engine.cancel(order, cancel_id, call.now_ns), cancel_id)


def _to_cancel(api: VenueApi, call: Call, id_name: str, client_id_name: str) -> Order:
    """Return the open order that is named. Raises OrderRefused where there is none, or its status is not the one wished for."""
    allowed = _ALLOWS[_restrictions(call.params)]
    order = api.find(call.account, call.params, id_name, client_id_name)
    if order is None or not order.is_open:
        raise unknown_order()
    if order.status not in allowed:
        raise OrderRefused(-2011, "Order was not canceled due to cancel restrictions.")
    return order


def _restrictions(params: Params) -> CancelRestrictions:
    error = BadRequest(-1145, "Invalid cancelRestrictions")
    if params.get("cancelRestrictions") == "":
        raise error
    return parameters.choice(params, "cancelRestrictions", CancelRestrictions, CancelRestrictions.NONE, error)


def cancel_all(api: VenueApi, call: Call) -> Json:
    engine = api.market.engine
    orders = engine.registry.open_orders(call.account, api.symbol(call.params))
    if not orders:
        raise unknown_order()
    cancel_id = _generated_id()
    return [payloads.cancel_response(engine.cancel(order, cancel_id, call.now_ns), cancel_id) for order in orders]


# ---- replacing


class Replacement(NamedTuple):
    """What a cancel-replace asks for."""

    request: NewOrder
    answered: ResponseType
    mode: ReplaceMode
    exceeded_mode: RateLimitExceededMode
    cancel_id: str


def replace(api: VenueApi, call: Call) -> Json:
    """The new order counts even where it is not attempted. Raises PartlyFailed unless both halves were done."""
    asked = _replacement(call)
    found = _found(api, call)
    counts, engine, now_ms = api.counts[call.account], api.market.engine, call.now_ns // NS_PER_MS
    known = len(engine.executions)
    exceeded = _exceeded(counts, now_ms)
    if exceeded is None:
        done = cancel_replace(engine, found, asked.cancel_id, asked.request, asked.mode, call.now_ns)
        counts.add(now_ms)
    elif asked.exceeded_mode is RateLimitExceededMode.CANCEL_ONLY:
        done = _cancel_only(api, call, asked, found, exceeded)
    else:
        raise exceeded
    data = _outcomes(done, asked.cancel_id)
    if isinstance(done.placed, Order):
        executions = engine.executions[known:]
        data["newOrderResponse"] = payloads.order_response(done.placed, executions, asked.answered, call.now_ns)
    return _judged(done, data, is_exceeded=exceeded is not None)


def _replacement(call: Call) -> Replacement:
    params = call.params
    request = new_order(params, call.account, _generated_id())
    parameters.text(params, "cancelReplaceMode")
    bad_mode = BadRequest(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
    return Replacement(
        request=request,
        answered=response_type(params, request.order_type),
        mode=parameters.choice(params, "cancelReplaceMode", ReplaceMode, ReplaceMode.STOP_ON_FAILURE, bad_mode),
        exceeded_mode=_exceeded_mode(params),
        cancel_id=parameters.client_id(params, "cancelNewClientOrderId") or _generated_id(),
    )


def _found(api: VenueApi, call: Call) -> Order | VenueError:
    """Return the order to cancel, or why there is none; raise what is wrong with the request itself."""
    try:
        return _to_cancel(api, call, "cancelOrderId", "cancelOrigClientOrderId")
    except OrderRefused as error:
        return error


def _exceeded(counts: OrderCounts, now_ms: int) -> LimitReached | None:
    try:
        counts.check(now_ms)
    except LimitReached as error:
        return error
    return None


def _exceeded_mode(params: Params) -> RateLimitExceededMode:
    error = BadRequest(-1130, "Data sent for parameter 'orderRateLimitExceededMode' is not valid.")
    default = RateLimitExceededMode.DO_NOTHING
    return parameters.choice(params, "orderRateLimitExceededMode", RateLimitExceededMode, default, error)


def _cancel_only(
    api: VenueApi, call: Call, asked: Replacement, found: Order | VenueError, exceeded: LimitReached
) -> Replaced:
    """The account has placed too many orders: cancel, and fail the new one for that."""
    api.market.engine.check_rules(asked.request, call.now_ns)
    if isinstance(found, Order):
        return Replaced(api.market.engine.cancel(found, asked.cancel_id, call.now_ns), exceeded)
    return Replaced(found, None if asked.mode is ReplaceMode.STOP_ON_FAILURE else exceeded)


def _outcomes(done: Replaced, cancel_id: str) -> Payload:
    canceled, placed = done.canceled, done.placed
    return {
        "cancelResult": "SUCCESS" if isinstance(canceled, Order) else "FAILURE",
        "newOrderResult": _result(placed),
        "cancelResponse": payloads.cancel_response(canceled, cancel_id)
        if isinstance(canceled, Order)
        else _refusal(canceled),
        "newOrderResponse": _refusal(placed) if isinstance(placed, VenueError) else None,
    }


def _result(placed: Order | VenueError | None) -> str:
    if placed is None:
        return "NOT_ATTEMPTED"
    return "SUCCESS" if isinstance(placed, Order) else "FAILURE"


def _refusal(error: VenueError) -> Payload:
    return {"code": error.code, "msg": error.message}


def _judged(done: Replaced, data: Payload, *, is_exceeded: bool) -> Payload:
    """Return the answer of a replacement that was done whole, raise that of any other (rest-api.md has a table of them).

    Half done is 409, nothing done 400; or 429 where the new order was not attempted and was one too many. (The table has 429
    for half done past the limit as well, but the document's own answer there is 409.)
    """
    halves = [isinstance(half, Order) for half in (done.canceled, done.placed)]
    if all(halves):
        return data
    if any(halves):
        raise PartlyFailed(-2021, "Order cancel-replace partially failed.", 409, data, is_begun=True)
    status = 429 if is_exceeded and done.placed is None else 400
    raise PartlyFailed(-2022, "Order cancel-replace failed.", status, data, is_begun=False)


# ---- amending


def amend(api: VenueApi, call: Call) -> Json:
    """Less quantity, same place in the queue."""
    params = call.params
    client_order_id = parameters.client_id(params, "newClientOrderId") or _generated_id()
    quantity = parameters.decimal(params, "newQty")
    order = api.find(call.account, params)
    if order is None or not order.is_open:
        raise OrderRefused(-2038, "Unknown order sent.")
    engine = api.market.engine
    engine.amend(order, quantity, client_order_id, call.now_ns)
    return payloads.amend_response(order, engine.registry.amendments(order.order_id)[-1])


OPERATIONS: dict[str, Operation] = {
    "order.place": signed(Kind.PLACE, place, 1, NAMES),
    "order.test": signed(
        Kind.ACCOUNT,
        test,
        lambda params: 20 if params.get("computeCommissionRates") == "true" else 1,
        f"{NAMES} computeCommissionRates",
    ),
    "order.cancel": signed(Kind.CANCEL, cancel, 1, CANCEL_NAMES),
    "openOrders.cancelAll": signed(Kind.CANCEL, cancel_all, 1, "symbol"),
    "order.cancelReplace": signed(Kind.REPLACE, replace, 1, REPLACE_NAMES),
    "order.amend.keepPriority": signed(
        Kind.AMEND, amend, 4, "symbol orderId origClientOrderId newClientOrderId newQty"
    ),
}

ROUTES = {
    ("POST", "/api/v3/order"): "order.place",
    ("POST", "/api/v3/order/test"): "order.test",
    ("DELETE", "/api/v3/order"): "order.cancel",
    ("DELETE", "/api/v3/openOrders"): "openOrders.cancelAll",
    ("POST", "/api/v3/order/cancelReplace"): "order.cancelReplace",
    ("PUT", "/api/v3/order/amend/keepPriority"): "order.amend.keepPriority",
}
