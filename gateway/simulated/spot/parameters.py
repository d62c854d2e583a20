"""Request parameters, all text, made into what the core takes. Refuses with the venue's codes. Pure."""

import re
from enum import StrEnum
from typing import TypeVar

from ..core.decimals import NotDecimal, TooPrecise, parse_decimal
from ..core.errors import BadRequest, missing_parameter
from ..core.orders import AccountId, NewOrder, OrderType, SelfTradePrevention, Side, TimeInForce
from ..operations import Params

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")  # rest-api.md: newClientOrderId; this pattern is in -1100's text
HISTORY_LIMIT_DEFAULT = 500  # rest-api.md: of every list of orders and trades
HISTORY_LIMIT_MAX = 1_000
_Choice = TypeVar("_Choice", bound=StrEnum)


def text(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not value:
        raise missing_parameter(name)
    return value


def integer(params: Params, name: str) -> int | None:
    """Return a non-negative integer, or None when it was not sent."""
    value = params.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 19:
        raise BadRequest(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(value)


def decimal(params: Params, name: str) -> int:
    """Return a mandatory decimal in units of 10^-8."""
    try:
        return parse_decimal(text(params, name))
    except TooPrecise as error:
        raise BadRequest(-1111, f"Parameter '{name}' has too much precision.") from error
    except NotDecimal as error:
        message = (
            f"Illegal characters found in parameter '{name}'; legal range is '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'."
        )
        raise BadRequest(-1100, message) from error


def client_id(params: Params, name: str) -> str | None:
    value = params.get(name)
    if value is None:
        return None
    if not _CLIENT_ID.fullmatch(value):
        raise BadRequest(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '^{_CLIENT_ID.pattern}$'."
        )
    return value


def choice(params: Params, name: str, kind: type[_Choice], default: _Choice, error: BadRequest) -> _Choice:
    """Return the member of `kind` that was sent, `default` when none was; raises `error` for another word."""
    value = params.get(name)
    if value is None:
        return default
    try:
        return kind(value)
    except ValueError:
        raise error from None


def limit(params: Params, default: int, maximum: int) -> int:
    value = integer(params, "limit")
    return default if value is None else max(1, min(value, maximum))


def new_order(params: Params, account: AccountId, generated_id: str) -> NewOrder:
    """Read a new order. `generated_id` is its client id when the client sends none."""
    symbol = text(params, "symbol")
    text(params, "side")
    text(params, "type")
    side = choice(params, "side", Side, Side.BUY, BadRequest(-1117, "Invalid side."))
    order_type = choice(params, "type", OrderType, OrderType.LIMIT, BadRequest(-1116, "Invalid orderType."))
    prevention = choice(
        params,
        "selfTradePreventionMode",
        SelfTradePrevention,
        SelfTradePrevention.NONE,
        BadRequest(-1013, "This symbol does not allow the specified self-trade prevention mode."),
    )
    _refuse_unsupported(params)
    return NewOrder(
        account=account,
        symbol=symbol,
        client_order_id=client_id(params, "newClientOrderId") or generated_id,
        side=side,
        order_type=order_type,
        quantity=decimal(params, "quantity"),
        price=_price(params, order_type),
        time_in_force=_time_in_force(params, order_type),
        prevention=prevention,
    )


def _refuse_unsupported(params: Params) -> None:
    if "quoteOrderQty" in params:
        raise BadRequest(-2010, "Quote order qty market orders are not support for this symbol.")
    if "icebergQty" in params:
        raise BadRequest(-2010, "Iceberg orders are not supported for this symbol.")
    if "stopPrice" in params or "trailingDelta" in params:
        raise BadRequest(-1106, "Parameter 'stopPrice' sent when not required.")


def _price(params: Params, order_type: OrderType) -> int:
    if order_type is not OrderType.MARKET:
        return decimal(params, "price")
    if "price" in params:
        raise BadRequest(-1106, "Parameter 'price' sent when not required.")
    return 0


def _time_in_force(params: Params, order_type: OrderType) -> TimeInForce:
    if order_type is OrderType.LIMIT:
        text(params, "timeInForce")
        return choice(params, "timeInForce", TimeInForce, TimeInForce.GTC, BadRequest(-1115, "Invalid timeInForce."))
    if "timeInForce" in params:
        raise BadRequest(-1106, "Parameter 'timeInForce' sent when not required.")
    return TimeInForce.GTC


class ResponseType(StrEnum):
    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


class CancelRestrictions(StrEnum):
    NONE = ""
    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


def response_type(params: Params, order_type: OrderType) -> ResponseType:
    """LIMIT and MARKET answer FULL unless asked otherwise, LIMIT_MAKER only ACK (rest-api.md)."""
    default = ResponseType.ACK if order_type is OrderType.LIMIT_MAKER else ResponseType.FULL
    return choice(
        params,
        "newOrderRespType",
        ResponseType,
        default,
        BadRequest(-1130, "Data sent for parameter 'newOrderRespType' is not valid."),
    )


def cancel_restrictions(params: Params) -> CancelRestrictions:
    error = BadRequest(-1145, "Invalid cancelRestrictions")
    if params.get("cancelRestrictions") == "":
        raise error
    return choice(params, "cancelRestrictions", CancelRestrictions, CancelRestrictions.NONE, error)
