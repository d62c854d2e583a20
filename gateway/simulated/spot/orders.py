"""Orders placed and canceled (rest-api.md, "Trading endpoints")."""

import secrets

from ..core.decimals import decimal_text
from ..core.errors import OrderRefused, unknown_order
from ..core.orders import Status
from ..operations import Call, Kind, Operation, signed
from ..payload import NS_PER_MS, Json
from . import parameters, payloads
from .api import VenueApi
from .parameters import CancelRestrictions


def place(api: VenueApi, call: Call) -> Json:
    request = parameters.new_order(call.params, call.account, secrets.token_hex(11))
    response_type = parameters.response_type(call.params, request.order_type)
    counts = api.counts[call.account]
    counts.check(call.now_ns // NS_PER_MS)
    engine = api.market.engine
    known = len(engine.executions)
    order = engine.place(request, call.now_ns)
    counts.add(call.now_ns // NS_PER_MS)
    own = [e for e in engine.executions[known:] if e.order is order]
    return payloads.order_response(order, own, response_type, call.now_ns)


def test(api: VenueApi, call: Call) -> Json:
    request = parameters.new_order(call.params, call.account, secrets.token_hex(11))
    parameters.response_type(call.params, request.order_type)
    api.market.engine.check(request, call.now_ns)
    if call.params.get("computeCommissionRates") != "true":
        return {}
    fees = api.market.engine.settlement.fee_rates(call.account)
    rates = {
        "maker": decimal_text(fees.maker_ppm * 100),
        "taker": decimal_text(fees.taker_ppm * 100),
    }
    return {"standardCommissionForOrder": rates}


def cancel(api: VenueApi, call: Call) -> Json:
    cancel_id = parameters.client_id(call.params, "newClientOrderId") or secrets.token_hex(11)
    restrictions = parameters.cancel_restrictions(call.params)
    order = api.find(call.account, call.params)
    if order is None or not order.is_open:
        raise unknown_order()
    new_only = restrictions is CancelRestrictions.ONLY_NEW and order.status is not Status.NEW
    partial = order.status is Status.PARTIALLY_FILLED
    if new_only or (restrictions is CancelRestrictions.ONLY_PARTIALLY_FILLED and not partial):
        raise OrderRefused(-2011, "Order was not canceled due to cancel restrictions.")
    return payloads.cancel_response(api.market.engine.cancel(order, cancel_id, call.now_ns), cancel_id)


def cancel_all(api: VenueApi, call: Call) -> Json:
    engine = api.market.engine
    orders = engine.registry.open_orders(call.account, api.symbol(call.params))
    if not orders:
        raise unknown_order()
    cancel_id = secrets.token_hex(11)
    return [payloads.cancel_response(engine.cancel(order, cancel_id, call.now_ns), cancel_id) for order in orders]


OPERATIONS: dict[str, Operation] = {
    "order.place": signed(Kind.PLACE, place, 1),
    "order.test": signed(Kind.ACCOUNT, test, lambda p: 20 if p.get("computeCommissionRates") == "true" else 1),
    "order.cancel": signed(Kind.CANCEL, cancel, 1),
    "openOrders.cancelAll": signed(Kind.CANCEL, cancel_all, 1),
}

ROUTES = {
    ("POST", "/api/v3/order"): "order.place",
    ("POST", "/api/v3/order/test"): "order.test",
    ("DELETE", "/api/v3/order"): "order.cancel",
    ("DELETE", "/api/v3/openOrders"): "openOrders.cancelAll",
}
