"""Orders modified (docs, "Modify Order"): a new price and quantity under the same number, at the end of the queue."""

from typing import NamedTuple

import msgspec

from ..core.decimals import quote_amount
from ..core.errors import BadRequest, OrderRefused, no_such_order
from ..core.filters import TRADING, SymbolRules
from ..core.orders import AccountId, Order, OrderType, Side, TimeInForce
from ..operations import Call, Kind, Operation, Params, signed
from ..payload import NS_PER_MS, Json, Payload
from ..spot.parameters import choice, integer, text
from . import parameters, payloads
from .api import PerpetualApi
from .filters import check_price, check_quantity
from .parameters import PriceMatch
from .terms import Terms
from .text import plain

MODIFIED_MAX = 10_000  # docs: "One order can only be modified for less than 10000 times"


class Wanted(NamedTuple):
    """`number`: the client's own of this modification, told back if there is one."""

    price: int
    quantity: int
    match: PriceMatch
    number: int | None


def modify(api: PerpetualApi, call: Call) -> Json:
    counts = api.counts[call.account]
    counts.check(call.now_ns // NS_PER_MS)
    answer = _modify(api, call.account, call.params, call.now_ns)
    counts.add(call.now_ns // NS_PER_MS)
    return answer


def _modify(api: PerpetualApi, account: AccountId, params: Params, now_ns: int) -> Payload:
    """The order is canceled by it where less is wanted than was executed, or where a GTX order would take (docs)."""
    order = api.find(account, params)
    if not order.is_open:
        raise no_such_order()
    terms = api.users.terms.of(order.order_id)
    wanted = _wanted(api, order, terms, params)
    is_post_only = order.time_in_force is TimeInForce.GTX
    takes = is_post_only and api.would_take(order.symbol, order.side, wanted.price)
    if wanted.quantity <= order.executed or takes:
        api.market.engine.cancel(order, "", now_ns)
    else:
        api.market.engine.modify(order, wanted.price, wanted.quantity, now_ns)
        terms = msgspec.structs.replace(terms, modified=terms.modified + 1, price_match=wanted.match.value)
        api.users.terms.keep(order.order_id, terms)
    answer = payloads.order_answer(order, terms, api.figures(order.symbol))
    return answer if wanted.number is None else {**answer, "modifyId": wanted.number}


def _wanted(api: PerpetualApi, order: Order, terms: Terms, params: Params) -> Wanted:
    """Read and check what the order is to become. Raises VenueError, and the order stays as it is."""
    rules = api.market.engine.instrument(order.symbol).rules
    if rules.status != TRADING:
        raise OrderRefused(-5024, "Symbol is not in trading status. Order amendment is not permitted.")
    _check_sameness(order, terms, params)
    match = choice(params, "priceMatch", PriceMatch, PriceMatch.NONE, BadRequest(-5037, "Invalid price match"))
    quantity = parameters.quantity_of(params)
    if match is PriceMatch.NONE:
        price = parameters.price_of(params)
    elif "price" in params:
        raise parameters.not_required("price")
    else:
        price = api.matched_price(order.symbol, order.side, match)
    if (price, quantity) == (order.price, order.quantity):
        raise BadRequest(-5027, "No need to modify the order.")
    check_quantity(rules, quantity, rules.quantity_max)
    check_price(rules, order.side, price, api.margin.marks[order.symbol])
    if not parameters.boolean(params, "reduceOnly"):
        _check_notional(rules, price, quantity)
    return Wanted(price, quantity, match, integer(params, "modifyId"))


def _check_sameness(order: Order, terms: Terms, params: Params) -> None:
    """What cannot be modified."""
    text(params, "side")
    wrong_side = BadRequest(-1117, "Invalid side.")
    if choice(params, "side", Side, order.side, wrong_side) is not order.side:
        raise wrong_side
    if order.order_type is not OrderType.LIMIT:
        raise BadRequest(-5025, "Only limit order is supported.")
    if parameters.boolean(params, "reduceOnly") and not order.reduce_only:
        raise BadRequest(-5047, "The original order is not a reduce-only order")
    if terms.modified >= MODIFIED_MAX:
        raise OrderRefused(-5026, "Exceed maximum modify order limit.")


def _check_notional(rules: SymbolRules, price: int, quantity: int) -> None:
    if quote_amount(price, quantity) < rules.notional_min:
        raise BadRequest(-5029, f"Order's notional must be no smaller than {plain(rules.notional_min)}")


OPERATIONS: dict[str, Operation] = {"order.modify": signed(Kind.AMEND, modify, 0)}

ROUTES = {("PUT", "/fapi/v1/order"): "order.modify"}
