"""What requests of Binance Spot cost, how much its answers say is used, and when they say to come back. Pure.

Weights are of an address: REST and the WebSocket API spend the same (docs, web-socket-api, "IP limits"). They are Spot's
own; Binance US names the same endpoints, charges no more for them, and its exchangeInfo names its own, lower limits.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from gateway.binance_spot.symbols import INTERVALS_NS, rate_limits
from gateway.market import CONNECTIONS, ORDERS, RAW, WEIGHT, Limited, RateLimit, Used

_S = 1_000_000_000
LIMITS: tuple[RateLimit, ...] = (
    RateLimit(WEIGHT, 60 * _S, 6_000),
    RateLimit(RAW, 300 * _S, 61_000),
    RateLimit(ORDERS, 10 * _S, 100),
    RateLimit(ORDERS, 86_400 * _S, 200_000),
    RateLimit(CONNECTIONS, 300 * _S, 300),
)
"""exchangeInfo; openings: docs, web-socket-api, "Connection limits", which says nothing of how they are told."""

DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))
"""Levels up to, and the depth request's weight (docs, "Market data endpoints")."""
WEIGHTS = {
    "/api/v3/time": 1,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/historicalTrades": 25,
    "/api/v3/openOrders": 6,  # of one symbol; 80 of all
    "/api/v3/order": 4,
    "/api/v3/allOrders": 20,
    "/api/v3/myTrades": 20,  # of one order 5
    "/api/v3/account": 20,
}
"""Docs, rest-api, each endpoint's own page."""
WEIGHT_UNKNOWN = 20
"""Of a path that is not in the table: the usual one of a question about an account. Chosen."""

_LETTERS = {"S": _S, "M": 60 * _S, "H": 3_600 * _S, "D": 86_400 * _S}
_HEADERS = (
    (re.compile(r"x-mbx-used-weight-([0-9]{1,5})([smhd])", re.IGNORECASE), WEIGHT),
    (re.compile(r"x-mbx-order-count-([0-9]{1,5})([smhd])", re.IGNORECASE), ORDERS),
)
"""Docs, rest-api, "IP Limits" and "Unfilled Order Count": (intervalNum)(intervalLetter) ends the name."""

TOO_MANY_REQUESTS, TOO_MANY_ORDERS = -1003, -1015
_LIMIT_STATUS, _BAN_STATUS = 429, 418


class BinanceSpotLimits:
    """A gateway.market.VenueLimits."""

    limits = LIMITS
    order_weight = cancel_weight = 1
    session_weight = 2  # docs, web-socket-api: an opening, a logon, a subscription; time is 1

    def start_weight(self, symbols: int, levels: int) -> int:
        """Clock, metadata, balances and the session; of each symbol its past and open orders, twice, its trades and book."""
        one = WEIGHTS
        once = 2 * one["/api/v3/time"] + one["/api/v3/exchangeInfo"] + one["/api/v3/account"] + 3 * self.session_weight
        each = one["/api/v3/allOrders"] + 2 * one["/api/v3/openOrders"] + one["/api/v3/myTrades"] + depth_weight(levels)
        return once + symbols * each

    def weight(self, path: str) -> int:
        endpoint, _, query = path.partition("?")
        if endpoint == "/api/v3/depth":
            levels = int(found[1]) if (found := re.search(r"\blimit=([0-9]{1,6})", query)) else 100
            return depth_weight(levels)
        if endpoint == "/api/v3/openOrders" and "symbol=" not in query:
            return 80
        if endpoint == "/api/v3/myTrades" and "orderId=" in query:
            return 5
        return WEIGHTS.get(endpoint, WEIGHT_UNKNOWN)

    def used(self, headers: Mapping[str, str]) -> tuple[Used, ...]:
        return used_in_headers(headers)

    def used_in_answer(self, payload: bytes) -> tuple[Used, ...]:
        return used_in_answer(payload)

    def limited(self, status: int, body: bytes) -> Limited | None:
        return limited(status, _code(body), 0)

    def limited_in_answer(self, payload: bytes) -> Limited | None:
        return limited_in_answer(payload)

    def stated(self, bodies: Sequence[bytes]) -> tuple[RateLimit, ...]:
        return rate_limits(bodies[0]) if bodies else ()


def depth_weight(levels: int) -> int:
    return next((weight for most, weight in DEPTH_WEIGHTS if levels <= most), DEPTH_WEIGHTS[-1][1])


def used_in_headers(headers: Mapping[str, str]) -> tuple[Used, ...]:
    """Return what `X-MBX-USED-WEIGHT-1M` and `X-MBX-ORDER-COUNT-10S` and their like say; nothing of what says no number."""
    told = []
    for name, text in headers.items():
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            continue
        for pattern, kind in _HEADERS:
            if found := pattern.fullmatch(name):
                told.append(Used(kind, int(found[1]) * _LETTERS[found[2].upper()], 0, int(text)))
    return tuple(told)


class _UsedRow(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int
    count: int


class _Answer(msgspec.Struct):
    rateLimits: list[_UsedRow] = []


class _Data(msgspec.Struct):
    retryAfter: int = 0


class _Error(msgspec.Struct, frozen=True):
    """data: raw, because of other errors it is something else."""

    code: int = 0
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Refusal(msgspec.Struct):
    """error: raw, because the status counts though nothing else can be read."""

    status: int = 0
    error: msgspec.Raw = msgspec.Raw(b"{}")


_answer = msgspec.json.Decoder(_Answer).decode


def used_in_answer(payload: bytes) -> tuple[Used, ...]:
    """Return what a WebSocket API answer says in `rateLimits`; () when it says nothing that can be read."""
    try:
        rows = _answer(payload).rateLimits
    except (ValueError, RecursionError):
        return ()
    return tuple(
        [
            Used(row.rateLimitType, row.intervalNum * INTERVALS_NS[row.interval], row.limit, row.count)
            for row in rows
            if row.interval in INTERVALS_NS
        ]
    )


def limited_in_answer(payload: bytes) -> Limited | None:
    """Return what a WebSocket API answer that is an error says of limits; None when they are not its reason."""
    try:
        refusal = msgspec.json.decode(payload, type=_Refusal)
    except (ValueError, RecursionError):
        return None
    code = until_ms = 0
    try:
        error = msgspec.json.decode(refusal.error, type=_Error)
        code = error.code
        until_ms = msgspec.json.decode(error.data, type=_Data).retryAfter
    except (ValueError, RecursionError):
        pass  # the rest of it is as good as before
    return limited(refusal.status, code, max(until_ms, 0))


def _code(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Error).code
    except (ValueError, RecursionError):
        return 0


def limited(status: int, code: int, until_ms: int) -> Limited | None:
    """Return what status and code of an error say of limits; None when they are not its reason."""
    if status == _BAN_STATUS:
        return Limited(banned=True, orders=False, until_ms=until_ms)
    if code == TOO_MANY_ORDERS:
        return Limited(banned=False, orders=True, until_ms=until_ms)
    if status == _LIMIT_STATUS or code == TOO_MANY_REQUESTS:
        return Limited(banned=False, orders=False, until_ms=until_ms)
    return None
