"""Parameters of futures orders, all text, made into what the core takes (docs, "New Order", "Modify Order"). Pure."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from ..core.errors import BadRequest, missing_parameter
from ..core.orders import AccountId, NewOrder, OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce
from ..operations import Params
from ..spot.parameters import choice, decimal, illegal, integer, optional, text
from .errors import use_the_algo_api
from .terms import Terms

CONDITIONAL_TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
CLIENT_ID_MAX = 36
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")  # docs, "New Order": newClientOrderId
GOOD_TILL_AHEAD_MS = 600_000  # docs, -5040: "greater than the current time plus 600 seconds"
GOOD_TILL_MAX_MS = 253_402_300_799_000
MODES = {mode.value for mode in SelfTradePrevention} - {SelfTradePrevention.DECREMENT.value}
"""docs, "Self trade prevention mode": NONE, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH."""
MODE_DEFAULT = SelfTradePrevention.EXPIRE_MAKER  # the same; of every order since 2024-12-10
PREVENTABLE = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.GTD)
"""docs, "New Order": the mode is only effective with these."""


class PriceMatch(StrEnum):
    """A price of the book instead of one's own: the n-th level of one's counterparties or of one's own side."""

    NONE = "NONE"
    OPPONENT = "OPPONENT"
    OPPONENT_5 = "OPPONENT_5"
    OPPONENT_10 = "OPPONENT_10"
    OPPONENT_20 = "OPPONENT_20"
    QUEUE = "QUEUE"
    QUEUE_5 = "QUEUE_5"
    QUEUE_10 = "QUEUE_10"
    QUEUE_20 = "QUEUE_20"

    @property
    def is_opponent(self) -> bool:
        return self.value.startswith("OPPONENT")

    @property
    def level(self) -> int:
        return int(self.value.partition("_")[2] or "1")


class ResponseType(StrEnum):
    ACK = "ACK"
    RESULT = "RESULT"


class OrderRequest(NamedTuple):
    order: NewOrder
    terms: Terms
    response: ResponseType


PriceOf = Callable[[str, Side, PriceMatch], int]
"""Symbol, side and mode to the price in the book. Raises BadRequest where there is none."""


def order_request(
    params: Params, account: AccountId, generated_id: str, now_ms: int, matched_price: PriceOf, *, hedges: bool
) -> OrderRequest:
    """Read a new order. `generated_id` is its client id when the client sends none. Raises BadRequest."""
    symbol = text(params, "symbol")
    side = _side(params)
    order_type = _order_type(params)
    time_in_force = _time_in_force(params, order_type)
    match = _price_match(params, order_type)
    price = matched_price(symbol, side, match) if match is not PriceMatch.NONE else _price(params, order_type)
    mode = params.get("selfTradePreventionMode", MODE_DEFAULT.value)
    if mode not in MODES:
        raise BadRequest(-5039, "Invalid self trade prevention mode")
    prevention = SelfTradePrevention(mode) if time_in_force in PREVENTABLE else SelfTradePrevention.NONE
    if boolean(params, "closePosition"):
        raise not_required("closePosition")
    order = NewOrder(
        account=account,
        symbol=symbol,
        client_order_id=own_client_id(params) or generated_id,
        side=side,
        order_type=order_type,
        quantity=quantity_of(params),
        price=price,
        time_in_force=time_in_force,
        prevention=prevention,
        reduce_only=_reduce_only(params, hedges=hedges),
        position_side=position_side(params, hedges=hedges),
    )
    return OrderRequest(order, Terms(match.value, _good_till(params, time_in_force, now_ms)), _response(params))


def _side(params: Params) -> Side:
    text(params, "side")
    return choice(params, "side", Side, Side.BUY, BadRequest(-1117, "Invalid side."))


def _order_type(params: Params) -> OrderType:
    name = text(params, "type")
    if name in CONDITIONAL_TYPES:
        raise use_the_algo_api()
    if name not in (OrderType.LIMIT, OrderType.MARKET):
        raise BadRequest(-1116, "Invalid orderType.")
    return OrderType(name)


def _time_in_force(params: Params, order_type: OrderType) -> TimeInForce:
    if order_type is OrderType.MARKET:
        if "timeInForce" in params:
            raise not_required("timeInForce")
        return TimeInForce.GTC
    text(params, "timeInForce")
    return choice(params, "timeInForce", TimeInForce, TimeInForce.GTC, BadRequest(-1115, "Invalid timeInForce."))


def _price_match(params: Params, order_type: OrderType) -> PriceMatch:
    match = choice(params, "priceMatch", PriceMatch, PriceMatch.NONE, BadRequest(-5037, "Invalid price match"))
    if match is PriceMatch.NONE:
        return match
    if order_type is not OrderType.LIMIT:
        raise BadRequest(-5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT")
    if "price" in params:
        raise not_required("price")
    return match


def _price(params: Params, order_type: OrderType) -> int:
    if order_type is OrderType.LIMIT:
        return price_of(params)
    if "price" in params:
        raise not_required("price")
    return 0


def not_required(name: str) -> BadRequest:
    return BadRequest(-1106, f"Parameter '{name}' sent when not required.")


def quantity_of(params: Params) -> int:
    quantity = decimal(params, "quantity")
    if quantity == 0:
        raise BadRequest(-4003, "Quantity less than or equal to zero.")
    return quantity


def price_of(params: Params) -> int:
    price = decimal(params, "price")
    if price == 0:
        raise BadRequest(-4001, "Price less than or equal to zero.")
    return price


def _good_till(params: Params, time_in_force: TimeInForce, now_ms: int) -> int:
    """Seconds are kept, what is finer is dropped (docs, "New Order")."""
    if time_in_force is not TimeInForce.GTD:
        return 0
    good_till_ms = integer(params, "goodTillDate")
    if good_till_ms is None:
        raise missing_parameter("goodTillDate")
    if not now_ms + GOOD_TILL_AHEAD_MS < good_till_ms < GOOD_TILL_MAX_MS:
        message = (
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds "
            "and smaller than 253402300799000"
        )
        raise BadRequest(-5040, message)
    return good_till_ms // 1_000 * 1_000


def _reduce_only(params: Params, *, hedges: bool) -> bool:
    if hedges and "reduceOnly" in params:
        raise not_required("reduceonly")
    return boolean(params, "reduceOnly")


def position_side(params: Params, *, hedges: bool) -> PositionSide:
    side = choice(params, "positionSide", PositionSide, PositionSide.BOTH, BadRequest(-4060, "Invalid position side."))
    if hedges is (side is PositionSide.BOTH):
        raise BadRequest(-4061, "Order's position side does not match user's setting.")
    return side


def own_client_id(params: Params) -> str | None:
    value = optional(params, "newClientOrderId")
    if value is not None and len(value) > CLIENT_ID_MAX:
        raise BadRequest(-4015, "Client order id length should not be more than 36 chars")
    if value is not None and not _CLIENT_ID.fullmatch(value):
        raise illegal("newClientOrderId", f"^{_CLIENT_ID.pattern}$")
    return value


def _response(params: Params) -> ResponseType:
    error = BadRequest(-1136, "Invalid newOrderRespType.")
    return choice(params, "newOrderRespType", ResponseType, ResponseType.ACK, error)


def boolean(params: Mapping[str, str], name: str) -> bool:
    value = params.get(name, "false").lower()
    if value not in ("true", "false"):
        raise BadRequest(-1130, f"Data sent for parameter '{name}' is not valid.")
    return value == "true"
