"""What an error of the futures proves about a request. A table: (request, code) -> outcome. Pure.

Only a definite no is REFUSED; what the table does not know is AMBIGUOUS (see gateway/binance_spot/outcomes.py). Codes mean
other things here than on Spot: -2021, -2022 and -2026 are orders' own, a duplicate id has its own code.
Source: documents of USD-M futures, "Error Code", read 2026-11.
"""

from bus.messages import Outcome, RequestKind
from gateway.binance_spot.outcomes import (
    CANCEL_UNKNOWN_ORDER,
    INVALID_TIMESTAMP,
    NO_SUCH_ORDER,
    REFUSING_STATUSES,
    SERVER_ERROR,
)

DUPLICATE_ID = -4116
"""An order with this client id is open: so an earlier attempt lives, and it is no no."""
ENGINE_WINDOW = -5028
"""The matching engine's own look at recvWindow: what makes the window a fence."""

AMBIGUOUS_CODES = {
    -1000: "UNKNOWN: an unknown error occurred while processing",
    -1001: "DISCONNECTED: internal error, unable to process",
    -1006: "UNEXPECTED_RESP: execution status unknown, in those words",
    -1007: "TIMEOUT: send status unknown, execution status unknown, in those words",
    -1008: "overloaded, or throttled by a system-level protection; the docs do not say that nothing was done",
    -1010: "ERROR_MSG_RECEIVED: any error of the matching engine",
    -1016: "SERVICE_SHUTTING_DOWN: does not say where the request was",
}

REFUSED_CODES = {
    -1002: "UNAUTHORIZED",
    -1003: "TOO_MANY_REQUESTS: not processed",
    -1004: "DUPLICATE_IP: of the white list",
    -1005: "NO_SUCH_IP: of the white list",
    -1011: "NON_WHITE_LIST: this address may not ask that",
    -1013: "INVALID_MESSAGE",
    -1014: "UNKNOWN_ORDER_COMPOSITION",
    -1015: "TOO_MANY_ORDERS",
    -1020: "UNSUPPORTED_OPERATION",
    INVALID_TIMESTAMP: "outside recvWindow, or ahead",
    -1022: "INVALID_SIGNATURE",
    -1099: "not found, unauthenticated or unauthorized",
    -2014: "BAD_API_KEY_FMT",
    -2015: "REJECTED_MBX_KEY: key, address or permission",
    -2017: "API_KEYS_LOCKED",
    -4056: "INVALID_API_KEY_TYPE",
    -4057: "INVALID_RSA_PUBLIC_KEY",
    -4109: "INACTIVE_ACCOUNT",
    -4192: "COOLING_OFF_PERIOD: trade forbidden",
    -4402: "not available in this region",
    ENGINE_WINDOW: "ME_RECVWINDOW_REJECT: see ENGINE_WINDOW",
}
"""Of any request."""
REFUSED_CODES |= dict.fromkeys(range(-1169, -1099), "11xx: the request itself; it was never accepted")

SUBMIT_CODES = {
    -2010: "NEW_ORDER_REJECTED",
    -2016: "NO_TRADING_WINDOW",
    -2018: "BALANCE_NOT_SUFFICIENT",
    -2019: "MARGIN_NOT_SUFFICIENT",
    -2020: "UNABLE_TO_FILL",
    -2021: "ORDER_WOULD_IMMEDIATELY_TRIGGER",
    -2022: "REDUCE_ONLY_REJECT: nothing to reduce, or open orders reduce all of it already",
    -2023: "USER_IN_LIQUIDATION",
    -2024: "POSITION_NOT_SUFFICIENT",
    -2025: "MAX_OPEN_ORDER_EXCEEDED",
    -2026: "REDUCE_ONLY_ORDER_TYPE_NOT_SUPPORTED",
    -2027: "MAX_LEVERAGE_RATIO: the position would be too large at this leverage",
    -2028: "MIN_LEVERAGE_RATIO: margin balance too small for this leverage",
    -4000: "INVALID_ORDER_STATUS",
    -4001: "PRICE_LESS_THAN_ZERO",
    -4002: "PRICE_GREATER_THAN_MAX_PRICE",
    -4003: "QTY_LESS_THAN_ZERO",
    -4004: "QTY_LESS_THAN_MIN_QTY",
    -4005: "QTY_GREATER_THAN_MAX_QTY",
    -4006: "STOP_PRICE_LESS_THAN_ZERO",
    -4007: "STOP_PRICE_GREATER_THAN_MAX_PRICE",
    -4013: "PRICE_LESS_THAN_MIN_PRICE",
    -4014: "PRICE_NOT_INCREASED_BY_TICK_SIZE",
    -4015: "INVALID_CL_ORD_ID_LEN",
    -4016: "PRICE_HIGHER_THAN_MULTIPLIER_UP: above the cap by mark price",
    -4019: "COMPOSITE_SCALE_OVERFLOW",
    -4020: "TARGET_STRATEGY_INVALID",
    -4022: "WRONG_MARKET_STATUS",
    -4023: "QTY_NOT_INCREASED_BY_STEP_SIZE",
    -4024: "PRICE_LOWER_THAN_MULTIPLIER_DOWN: below the floor by mark price",
    -4027: "INVALID_ACCOUNT_TYPE",
    -4031: "INVALID_WORKING_TYPE",
    -4045: "MAX_STOP_ORDER_EXCEEDED",
    -4050: "CROSS_BALANCE_INSUFFICIENT",
    -4051: "ISOLATED_BALANCE_INSUFFICIENT",
    -4060: "INVALID_POSITION_SIDE",
    -4061: "POSITION_SIDE_NOT_MATCH: the account is in hedge mode",
    -4062: "REDUCE_ONLY_CONFLICT",
    -4084: "UPCOMING_METHOD",
    -4087: "REDUCE_ONLY_ORDER_PERMISSION: only reduce-only orders may be placed",
    -4088: "NO_PLACE_ORDER_PERMISSION",
    -4104: "INVALID_CONTRACT_TYPE",
    -4117: "STOP_ORDER_TRIGGERING",
    -4118: "REDUCE_ONLY_MARGIN_CHECK_FAILED",
    -4120: "conditional orders have endpoints of their own",
    -4131: "MARKET_ORDER_REJECT",
    -4135: "INVALID_ACTIVATION_PRICE",
    -4137: "QUANTITY_EXISTS_WITH_CLOSE_POSITION",
    -4138: "REDUCE_ONLY_MUST_BE_TRUE",
    -4139: "ORDER_TYPE_CANNOT_BE_MKT",
    -4140: "INVALID_OPENING_POSITION_STATUS",
    -4141: "SYMBOL_ALREADY_CLOSED",
    -4142: "STRATEGY_INVALID_TRIGGER_PRICE",
    -4144: "INVALID_PAIR",
    -4164: "MIN_NOTIONAL",
    -4183: "PRICE_HIGHER_THAN_STOP_MULTIPLIER_UP",
    -4184: "PRICE_LOWER_THAN_STOP_MULTIPLIER_DOWN",
    -4210: "STOP_PRICE_HIGHER_THAN_PRICE_MULTIPLIER_LIMIT",
    -4211: "STOP_PRICE_LOWER_THAN_PRICE_MULTIPLIER_LIMIT",
    -4400: "TRADING_QUANTITATIVE_RULE: only reduce-only orders for now",
    -4401: "LARGE_POSITION_SYM_RULE: only reduce-only orders",
    -5021: "FOK_ORDER_REJECT",
    -5022: "GTX_ORDER_REJECT: it would have been a taker",
    -5025: "LIMIT_ORDER_ONLY",
    -5037: "INVALID_PRICE_MATCH",
    -5038: "UNSUPPORTED_ORDER_TYPE_PRICE_MATCH",
    -5039: "INVALID_SELF_TRADE_PREVENTION_MODE",
    -5040: "FUTURE_GOOD_TILL_DATE",
    -5041: "BBO_ORDER_REJECT",
}

CANCEL_CODES = {
    CANCEL_UNKNOWN_ORDER: "CANCEL_REJECTED: unknown order; it proves nothing about the order",
    -2012: "CANCEL_ALL_FAIL",
    NO_SUCH_ORDER: "NO_SUCH_ORDER",
    -4032: "EXCEED_MAX_CANCEL_ORDER_SIZE",
}

OUTCOMES: dict[tuple[RequestKind, int], Outcome] = {
    **{(request, code): Outcome.AMBIGUOUS for request in RequestKind for code in AMBIGUOUS_CODES},
    **{(request, code): Outcome.REFUSED for request in RequestKind for code in REFUSED_CODES},
    **{(RequestKind.SUBMIT, code): Outcome.REFUSED for code in SUBMIT_CODES},
    **{(RequestKind.CANCEL, code): Outcome.REFUSED for code in CANCEL_CODES},
    (RequestKind.SUBMIT, DUPLICATE_ID): Outcome.AMBIGUOUS,
}
"""A code of another endpoint (leverage, margin type, amendments, options) is none of these: an answer to an order that
bears it is one that we do not understand."""


def outcome_of(request: RequestKind, status: int, code: int, text: str) -> Outcome:
    """Return what an error answer proves. code: the venue's, or 0 when the body could not be read."""
    if status >= SERVER_ERROR:
        return Outcome.AMBIGUOUS
    known = OUTCOMES.get((request, code))
    if known is not None:
        return known
    return Outcome.REFUSED if status in REFUSING_STATUSES else Outcome.AMBIGUOUS


def query_refused(status: int, code: int) -> bool:
    """Whether an error answer to a query is a definite no. A query changes nothing: any 4xx with a body is."""
    return 400 <= status < SERVER_ERROR and code not in AMBIGUOUS_CODES
