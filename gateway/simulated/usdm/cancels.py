"""Orders canceled: one, some, all, and all unless one says otherwise in time (docs, "Trade")."""

from ..core.errors import BadRequest, OrderRefused, VenueError, missing_parameter, unknown_order
from ..core.orders import AccountId
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json, Payload
from ..spot.parameters import integer
from . import payloads
from .api import PerpetualApi
from .batches import names, refused

CANCELS_MAX = 10  # docs, "Cancel Multiple Orders"
LISTS = {
    "orderIdList": "orderId",
    "orderidlist": "orderId",
    "origClientOrderIdList": "origClientOrderId",
    "origclientorderidlist": "origClientOrderId",
}
"""Parameter of a batch -> of one order. In small letters as ccxt, a stock client, sends them."""
DONE: Payload = {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel(api: PerpetualApi, call: Call) -> Json:
    return _cancel(api, call.account, call.params, call.now_ns)


def _cancel(api: PerpetualApi, account: AccountId, params: Params, now_ns: int) -> Payload:
    try:
        order = api.find(account, params)
    except OrderRefused:
        raise unknown_order() from None
    order = api.market.engine.cancel(order, "", now_ns)
    return payloads.order_answer(order, api.users.terms.of(order.order_id), api.figures(order.symbol))


def cancel_batch(api: PerpetualApi, call: Call) -> Json:
    """`orderIdList` or `origClientOrderIdList`; each order stands for itself."""
    symbol = api.symbol(call.params)
    listed = next((name for name in LISTS if name in call.params), None)
    if listed is None:
        message = "Param 'orderIdList' or 'origClientOrderIdList' must be sent, but both were empty/null!"
        raise BadRequest(-1102, message)
    answers: list[Payload] = []
    for name in names(call.params, listed, CANCELS_MAX):
        try:
            params = {"symbol": symbol, LISTS[listed]: name}
            answers.append(_cancel(api, call.account, params, call.now_ns))
        except VenueError as error:
            answers.append(refused(error))
    return answers


def cancel_all(api: PerpetualApi, call: Call) -> Json:
    engine = api.market.engine
    for order in engine.registry.open_orders(call.account, api.symbol(call.params)):
        engine.cancel(order, "", call.now_ns)
    return DONE


def countdown(api: PerpetualApi, call: Call) -> Json:
    symbol = api.symbol(call.params)
    length_ms = integer(call.params, "countdownTime")
    if length_ms is None:
        raise missing_parameter("countdownTime")
    api.market.chores.countdowns.set(call.account, symbol, length_ms * NS_PER_MS, call.now_ns)
    return {"symbol": symbol, "countdownTime": str(length_ms)}


def cancel_algo(api: PerpetualApi, call: Call) -> Json:
    """There never is a conditional order."""
    raise unknown_order()


def cancel_all_algo(api: PerpetualApi, call: Call) -> Json:
    api.symbol(call.params)
    return DONE


OPERATIONS: dict[str, Operation] = {
    "order.cancel": signed(Kind.CANCEL, cancel, 1),
    "batchOrders.cancel": signed(Kind.CANCEL, cancel_batch, 1),
    "allOpenOrders.cancel": signed(Kind.CANCEL, cancel_all, 1),
    "countdownCancelAll": signed(Kind.ACCOUNT, countdown, 10),
    "algoOrder.cancel": signed(Kind.CANCEL, cancel_algo, 1),
    "algoOpenOrders.cancel": signed(Kind.CANCEL, cancel_all_algo, 1),
}

ROUTES = {
    ("DELETE", "/fapi/v1/order"): "order.cancel",
    ("DELETE", "/fapi/v1/batchOrders"): "batchOrders.cancel",
    ("DELETE", "/fapi/v1/allOpenOrders"): "allOpenOrders.cancel",
    ("POST", "/fapi/v1/countdownCancelAll"): "countdownCancelAll",
    ("DELETE", "/fapi/v1/algoOrder"): "algoOrder.cancel",
    ("DELETE", "/fapi/v1/algoOpenOrders"): "algoOpenOrders.cancel",
}
