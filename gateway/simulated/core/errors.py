"""What the venue refuses, with the code, text and HTTP status it answers.

    VenueError
    ├── BadRequest       the request itself: parameters, precision, filters
    ├── NotAuthorized    key, signature, session
    ├── OrderRefused     the matching engine said no to a new order (-2010) or a cancel (-2011)
    ├── StatusUnknown    the venue does not know itself whether it was done
    └── LimitReached     too much weight or too many orders; carries when to come back
        └── Banned       and came back too early, too often

Codes and texts: binance-spot-api-docs errors.md and error messages seen on the venue.
"""


class VenueError(Exception):
    """Carries `code` and `message` as sent to the client, and the HTTP `status`."""

    status = 400

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BadRequest(VenueError):
    pass


class NotAuthorized(VenueError):
    status = 401


class OrderRefused(VenueError):
    pass


class StatusUnknown(VenueError):
    """`page`: what HTTP shows in place of the venue's own words, where a server before the venue answers; else empty."""

    def __init__(self, code: int, message: str, status: int, page: bytes = b"") -> None:
        super().__init__(code, message)
        self.status = status
        self.page = page


class LimitReached(VenueError):
    status = 429

    def __init__(self, code: int, message: str, retry_at_ms: int) -> None:
        super().__init__(code, message)
        self.retry_at_ms = retry_at_ms


class Banned(LimitReached):
    status = 418


def missing_parameter(name: str) -> BadRequest:
    return BadRequest(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def invalid_symbol() -> BadRequest:
    return BadRequest(-1121, "Invalid symbol.")


def filter_failure(name: str) -> BadRequest:
    return BadRequest(-1013, f"Filter failure: {name}")


def insufficient_balance() -> OrderRefused:
    return OrderRefused(-2010, "Account has insufficient balance for requested action.")


def duplicate_order() -> OrderRefused:
    return OrderRefused(-2010, "Duplicate order sent.")


def would_take() -> OrderRefused:
    return OrderRefused(-2010, "Order would immediately match and take.")


def unknown_order() -> OrderRefused:
    return OrderRefused(-2011, "Unknown order sent.")


def no_such_order() -> OrderRefused:
    return OrderRefused(-2013, "Order does not exist.")


def invalid_price() -> BadRequest:
    return BadRequest(-1013, "Invalid price.")


def invalid_quantity() -> BadRequest:
    return BadRequest(-1013, "Invalid quantity.")


def market_closed() -> BadRequest:
    return BadRequest(-1013, "Market is closed.")


def would_trigger() -> OrderRefused:
    """errors.md has "Order would trigger immediately."; the venue says this (as ccxt quotes it)."""
    return OrderRefused(-2010, "Stop price would trigger immediately.")


def too_little_liquidity(of: str) -> OrderRefused:
    """Of a MARKET order by quote quantity: the book has less than `of`."""
    return OrderRefused(-2010, f"Order book liquidity is less than {of} minimum quantity.")


def amend_refused(message: str) -> OrderRefused:
    """Texts: errors.md, "Messages for -1010 ..., and -2038 ORDER_AMEND_REJECTED"."""
    return OrderRefused(-2038, message)


def reject_reason(error: VenueError) -> str:
    """Return how the user data stream calls a refusal (user-data-stream.md, "Order Reject Reason"); "NONE" for one it has no word for."""
    return REJECT_REASONS.get(error.message, "NONE")


REJECT_REASONS = {
    "Account has insufficient balance for requested action.": "INSUFFICIENT_BALANCES",
    "Stop price would trigger immediately.": "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    "Order would immediately match and take.": "WOULD_MATCH_IMMEDIATELY",
}
