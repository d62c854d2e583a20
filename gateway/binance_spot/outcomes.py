"""What an error of the venue proves about a request. A table: (request, code) -> outcome. Pure.

Only a definite no is REFUSED. Whatever the table does not know is AMBIGUOUS: the order is then UNKNOWN until the venue
is queried, which costs a query; taking an unknown for a no costs an order nobody knows of.
Sources: binance-spot-api-docs errors.md (2025-01-09) and the notes beside the rows.
"""

from bus.messages import Outcome, RequestKind

DUPLICATE = "Duplicate order sent."
"""Text of a -2010 (and -1010) that says: an order with this client id is open. So an earlier attempt lives: no no."""

CANCEL_UNKNOWN_ORDER = -2011
"""A definite no to a cancel that proves nothing about the order: filled, done or never there. It needs a query."""

NO_SUCH_ORDER = -2013

INVALID_TIMESTAMP = -1021
"""The timestamp is outside recvWindow, or ahead of the venue's clock."""

_AMBIGUOUS_CODES = {
    -1000: "UNKNOWN: an unknown error occurred while processing; nothing says that it was not done",
    -1001: "DISCONNECTED: internal error, unable to process; comes with 5xx",
    -1006: "UNEXPECTED_RESP: execution status unknown, in those words",
    -1007: "TIMEOUT: send status unknown, execution status unknown, in those words (10 s)",
    -1008: "SERVER_BUSY: comes with 503; the docs do not say that nothing was done",
    -1016: "SERVICE_SHUTTING_DOWN: does not say where the request was",
    -1010: "ERROR_MSG_RECEIVED: any error of the matching engine; only its text would tell",
    -2021: "cancel-replace half done",
}

_REFUSED_CODES = {
    -1002: "UNAUTHORIZED",
    -1003: "TOO_MANY_REQUESTS: not processed; retryAfter says when",
    -1013: "INVALID_MESSAGE: rejected by the API, it did not reach the matching engine",
    -1014: "UNKNOWN_ORDER_COMPOSITION",
    -1015: "TOO_MANY_ORDERS",
    -1020: "UNSUPPORTED_OPERATION",
    INVALID_TIMESTAMP: "outside recvWindow, or ahead; also re-checked just before matching: this is the fence",
    -1022: "INVALID_SIGNATURE",
    -1034: "TOO_MANY_CONNECTIONS",
    -1099: "not found, authenticated, or authorized",
    -1182: "PARAMS_BAD_COMBO",
    -1194: "INVALID_TIME_UNIT",
    -2010: "NEW_ORDER_REJECTED (balance, would match and take; a duplicate is the exception, see DUPLICATE)",
    -2014: "BAD_API_KEY_FMT",
    -2015: "REJECTED_MBX_KEY: key, IP or permission",
    -2022: "cancel-replace failed on both legs",
}
_REFUSED_CODES |= dict.fromkeys(range(-1169, -1099), "11xx: the request itself; it was never accepted")

_CANCEL_CODES = {
    CANCEL_UNKNOWN_ORDER: "CANCEL_REJECTED: see CANCEL_UNKNOWN_ORDER",
    NO_SUCH_ORDER: "NO_SUCH_ORDER",
    -2026: "ORDER_ARCHIVED: done, without a fill, over 90 days ago",
    -2039: "the client order id is not the one of this order id",
}

OUTCOMES: dict[tuple[RequestKind, int], Outcome] = {
    **{(request, code): Outcome.AMBIGUOUS for request in RequestKind for code in _AMBIGUOUS_CODES},
    **{(request, code): Outcome.REFUSED for request in RequestKind for code in _REFUSED_CODES},
    **{(RequestKind.CANCEL, code): Outcome.REFUSED for code in _CANCEL_CODES},
}

REFUSING_STATUSES = {
    401: "no key",
    403: "WAF: the request did not pass the firewall",
    418: "IP banned: not processed",
    429: "rate limit: not processed",
}
"""Statuses that are a definite no without any readable code. 409 (half done) and every 5xx are not among them."""

SERVER_ERROR = 500
"""HTTP 5xx: "it is important to NOT treat this as a failure operation; the execution status is UNKNOWN" (rest-api)."""


def outcome_of(request: RequestKind, status: int, code: int, text: str) -> Outcome:
    """Return what an error answer proves. code: the venue's, or 0 when the body could not be read."""
    if status >= SERVER_ERROR:
        return Outcome.AMBIGUOUS
    if request is RequestKind.SUBMIT and DUPLICATE in text:
        return Outcome.AMBIGUOUS
    known = OUTCOMES.get((request, code))
    if known is not None:
        return known
    return Outcome.REFUSED if status in REFUSING_STATUSES else Outcome.AMBIGUOUS


def query_refused(status: int, code: int) -> bool:
    """Whether an error answer to a query is a definite no. A query changes nothing: any 4xx with a body is."""
    return 400 <= status < SERVER_ERROR and OUTCOMES.get((RequestKind.SUBMIT, code)) is not Outcome.AMBIGUOUS
