"""Orders placed, one by one and in batches (docs, "New Order", "Test Order", "Place Multiple Orders")."""

import secrets

from ..core.errors import VenueError
from ..core.orders import AccountId, NewOrder, Order
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json, Payload
from . import parameters, payloads
from .api import PerpetualApi
from .batches import refused, rows
from .errors import not_built
from .parameters import OrderRequest, ResponseType

BATCH_MAX = 5  # docs, "Place Multiple Orders"


def place(api: PerpetualApi, call: Call) -> Json:
    counts = api.counts[call.account]
    counts.check(call.now_ns // NS_PER_MS)
    answer = _place(api, call.account, call.params, call.now_ns)
    counts.add(call.now_ns // NS_PER_MS)
    return answer


def _place(api: PerpetualApi, account: AccountId, params: Params, now_ns: int) -> Payload:
    request = _request(api, account, params, now_ns)
    order = api.place(request, now_ns)
    answer = payloads.order_answer if request.response is ResponseType.RESULT else payloads.order_accepted
    return answer(order, request.terms, api.figures(order.symbol))


def _request(api: PerpetualApi, account: AccountId, params: Params, now_ns: int) -> OrderRequest:
    api.symbol(params)
    return parameters.order_request(
        params,
        account,
        secrets.token_urlsafe(16)[:22],
        now_ns // NS_PER_MS,
        api.matched_price,
        hedges=api.account(account).hedges,
    )


def test(api: PerpetualApi, call: Call) -> Json:
    """Answers as an order that was accepted, without a number."""
    request = _request(api, call.account, call.params, call.now_ns)
    order = api.checked(request.order, call.now_ns)
    api.market.engine.check(order, call.now_ns)
    return payloads.order_accepted(_imagined(order, call.now_ns), request.terms, api.figures(order.symbol))


def _imagined(order: NewOrder, now_ns: int) -> Order:
    return Order(
        order_id=0,
        account=order.account,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        price=order.price,
        quantity=order.quantity,
        prevention=order.prevention,
        created_ns=now_ns,
        updated_ns=now_ns,
        reduce_only=order.reduce_only,
        position_side=order.position_side,
    )


def place_batch(api: PerpetualApi, call: Call) -> Json:
    """Each order stands for itself: what is refused is told in its place."""
    orders = rows(call.params, "batchOrders", BATCH_MAX)
    counts = api.counts[call.account]
    counts.check(call.now_ns // NS_PER_MS)
    counts.add_batch(call.now_ns // NS_PER_MS)
    answers: list[Payload] = []
    for params in orders:
        try:
            answers.append(_place(api, call.account, params, call.now_ns))
        except VenueError as error:
            answers.append(refused(error))
    return answers


def place_algo(api: PerpetualApi, call: Call) -> Json:
    """Conditional orders are not simulated."""
    raise not_built()


OPERATIONS: dict[str, Operation] = {
    "order.place": signed(Kind.PLACE, place, 0),
    "order.test": signed(Kind.ACCOUNT, test, 1),
    "batchOrders.place": signed(Kind.PLACE, place_batch, 5),
    "algoOrder.place": signed(Kind.PLACE, place_algo, 0),
}

ROUTES = {
    ("POST", "/fapi/v1/order"): "order.place",
    ("POST", "/fapi/v1/order/test"): "order.test",
    ("POST", "/fapi/v1/batchOrders"): "batchOrders.place",
    ("POST", "/fapi/v1/algoOrder"): "algoOrder.place",
}
