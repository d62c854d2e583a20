"""A new order read from its parameters: which ones its type asks for, which it may not have (rest-api.md, "New order"). Pure."""

from enum import StrEnum

from ..core.errors import BadRequest, missing_parameter
from ..core.orders import (
    STOPS,
    AccountId,
    NewOrder,
    OrderType,
    SelfTradePrevention,
    Side,
    Strategy,
    TimeInForce,
)
from ..operations import Params
from . import parameters
from .errors import not_required, not_supported, one_of

NAMES = (
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
    "trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetValue pegOffsetType"
)
STRATEGY_TYPE_MIN = 1_000_000  # rest-api.md: "The value cannot be less than 1000000"

PRICED = frozenset((OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT))
TIMED = PRICED - {OrderType.LIMIT_MAKER}
FULL_BY_DEFAULT = frozenset((OrderType.LIMIT, OrderType.MARKET))

_TIMES = {time.value: time for time in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)}
_UNSUPPORTED = (
    ("trailingDelta", "Trailing stop orders are"),
    ("icebergQty", "Iceberg orders are"),
    ("pegPriceType", "Pegged orders are"),
    ("pegOffsetType", "Pegged orders are"),
    ("pegOffsetValue", "Pegged orders are"),
)


class ResponseType(StrEnum):
    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


def new_order(params: Params, account: AccountId, generated_id: str) -> NewOrder:
    """Read a new order. `generated_id` is its client id when the client sends none."""
    symbol = parameters.text(params, "symbol")
    for name in ("side", "type"):
        parameters.text(params, name)
    side = parameters.choice(params, "side", Side, Side.BUY, BadRequest(-1117, "Invalid side."))
    no_type = BadRequest(-1116, "Invalid orderType.")
    order_type = parameters.choice(params, "type", OrderType, OrderType.LIMIT, no_type)
    for name, what in _UNSUPPORTED:
        if name in params:
            raise not_supported(what)
    quantity, quote_quantity = _quantities(params, order_type)
    return NewOrder(
        account=account,
        symbol=symbol,
        client_order_id=parameters.client_id(params, "newClientOrderId") or generated_id,
        side=side,
        order_type=order_type,
        quantity=quantity,
        price=_taken(params, "price", order_type in PRICED),
        time_in_force=_time_in_force(params, order_type),
        prevention=_prevention(params),
        stop_price=_stop_price(params, order_type),
        quote_quantity=quote_quantity,
        strategy=_strategy(params),
    )


def response_type(params: Params, order_type: OrderType) -> ResponseType:
    """LIMIT and MARKET answer FULL unless asked otherwise, all others ACK (rest-api.md)."""
    error = BadRequest(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    default = ResponseType.FULL if order_type in FULL_BY_DEFAULT else ResponseType.ACK
    return parameters.choice(params, "newOrderRespType", ResponseType, default, error)


def _quantities(params: Params, order_type: OrderType) -> tuple[int, int]:
    """Return `quantity` and `quoteOrderQty`; one of them is 0."""
    if "quoteOrderQty" not in params:
        if order_type is OrderType.MARKET and "quantity" not in params:
            raise one_of("quantity", "quoteOrderQty")
        return parameters.decimal(params, "quantity"), 0
    if order_type is not OrderType.MARKET:
        raise not_required("quoteOrderQty")
    if "quantity" in params:
        raise not_required("quantity")
    return 0, parameters.decimal(params, "quoteOrderQty")


def _taken(params: Params, name: str, is_wanted: bool) -> int:
    """Return a decimal that the order's type asks for, or 0 where it asks for none and none was sent."""
    if is_wanted:
        return parameters.decimal(params, name)
    if name in params:
        raise not_required(name)
    return 0


def _stop_price(params: Params, order_type: OrderType) -> int:
    if order_type in STOPS and "stopPrice" not in params:
        raise one_of("stopPrice", "trailingDelta")
    return _taken(params, "stopPrice", order_type in STOPS)


def _time_in_force(params: Params, order_type: OrderType) -> TimeInForce:
    value = parameters.optional(params, "timeInForce")
    if order_type not in TIMED:
        if value is not None:
            raise not_required("timeInForce")
        return TimeInForce.GTC
    if value is None:
        raise missing_parameter("timeInForce")
    if value not in _TIMES:
        raise BadRequest(-1115, "Invalid timeInForce.")
    return _TIMES[value]


def _prevention(params: Params) -> SelfTradePrevention:
    error = BadRequest(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    default = SelfTradePrevention.NONE
    return parameters.choice(params, "selfTradePreventionMode", SelfTradePrevention, default, error)


def _strategy(params: Params) -> Strategy | None:
    strategy_id = parameters.integer(params, "strategyId")
    strategy_type = parameters.integer(params, "strategyType")
    if strategy_type is not None and strategy_type < STRATEGY_TYPE_MIN:
        raise BadRequest(-1134, f"strategyType was less than {STRATEGY_TYPE_MIN}.")
    return None if strategy_id is None and strategy_type is None else Strategy(strategy_id, strategy_type)
