"""What the futures face refuses, in its own codes and texts (docs, USD-M futures, "Error Codes"). Pure."""

from ..core.errors import BadRequest, OrderRefused

INVALID_LISTEN_KEY = "This listenKey does not exist."
POST_ONLY = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)


def margin_insufficient() -> OrderRefused:
    return OrderRefused(-2019, "Margin is insufficient.")


def reduce_only_rejected() -> OrderRefused:
    return OrderRefused(-2022, "ReduceOnly Order is rejected.")


def post_only_rejected() -> OrderRefused:
    return OrderRefused(-5022, POST_ONLY)


def fok_rejected() -> OrderRefused:
    return OrderRefused(-5021, "Due to the order could not be filled immediately, the FOK order has been rejected.")


def position_limit_exceeded() -> OrderRefused:
    return OrderRefused(-2027, "Exceeded the maximum allowable position at current leverage.")


def leverage_too_small() -> OrderRefused:
    return OrderRefused(-2028, "Leverage is smaller than permitted: insufficient margin balance.")


def duplicated_client_id() -> OrderRefused:
    return OrderRefused(-4116, "ClientOrderId is duplicated.")


def too_many_open_orders() -> OrderRefused:
    return OrderRefused(-2025, "Reach max open order limit.")


def use_the_algo_api() -> BadRequest:
    """Of conditional orders, on the endpoints that took them before 2025-12-09."""
    return BadRequest(
        -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
    )


def not_built() -> BadRequest:
    """The venue's word for a method that exists and cannot be used; here: what this venue does not simulate."""
    return BadRequest(-4084, "Method is not allowed currently. Upcoming soon.")


def invalid_listen_key() -> BadRequest:
    return BadRequest(-1125, INVALID_LISTEN_KEY)


def hmac_unsupported() -> BadRequest:
    """Of a logon: not among the documented codes, as several clients quote it; that the status is 400 is chosen.

    On Spot an HMAC key gets -1022 there, as clients report.
    """
    return BadRequest(-4056, "HMAC_SHA256 API key is not supported.")
