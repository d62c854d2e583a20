"""Request weight by address and order count by account, in windows aligned to the clock. Pure.

An order counts when accepted and is given back when it trades (order_count_decrement.md): one at a taker's first fill,
five at a maker's. Limits as exchangeInfo states them.
"""

from .core.errors import LimitReached

WEIGHT_PER_MINUTE = 6_000  # exchangeInfo REQUEST_WEIGHT, 2026-11
ORDERS_PER_10_S = 100  # exchangeInfo ORDERS, 2026-11
ORDERS_PER_DAY = 200_000  # the same
MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000
DAY_MS = 86_400_000
GIVEN_BACK_TAKER = 1
GIVEN_BACK_MAKER = 5
ADDRESSES_MAX = 10_000  # chosen: past this many addresses in one minute the table starts over

RateLimit = dict[str, str | int]


class _Window:
    """A count that starts over at each multiple of its length."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self.start_ms = 0
        self.count = 0

    def at(self, now_ms: int) -> int:
        start_ms = now_ms - now_ms % self.length_ms
        if start_ms != self.start_ms:
            self.start_ms = start_ms
            self.count = 0
        return self.count

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.length_ms


class WeightLimits:
    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def used(self, address: str, now_ms: int) -> int:
        window = self._windows.get(address)
        return 0 if window is None else window.at(now_ms)

    def spend(self, address: str, weight: int, now_ms: int) -> int:
        """Count `weight` and return what the minute has used. Raises LimitReached past the limit."""
        if len(self._windows) > ADDRESSES_MAX:
            self._windows.clear()
        window = self._windows.setdefault(address, _Window(MINUTE_MS))
        window.at(now_ms)
        window.count += weight
        if window.count > WEIGHT_PER_MINUTE:
            message = (
                f"Too much request weight used; current limit is {WEIGHT_PER_MINUTE} request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API."
            )
            raise LimitReached(-1003, message, window.end_ms)
        return window.count


class OrderCounts:
    """One account's unfilled orders."""

    def __init__(self) -> None:
        self._short = _Window(TEN_SECONDS_MS)
        self._day = _Window(DAY_MS)

    def check(self, now_ms: int) -> None:
        for window, limit, text in (
            (self._short, ORDERS_PER_10_S, "10 SECOND"),
            (self._day, ORDERS_PER_DAY, "1 DAY"),
        ):
            if window.at(now_ms) >= limit:
                message = f"Too many new orders; current limit is {limit} orders per {text}."
                raise LimitReached(-1015, message, window.end_ms)

    def add(self, now_ms: int) -> None:
        for window in (self._short, self._day):
            window.at(now_ms)
            window.count += 1

    def give_back(self, now_ms: int, *, is_maker: bool) -> None:
        for window in (self._short, self._day):
            window.count = max(0, window.at(now_ms) - (GIVEN_BACK_MAKER if is_maker else GIVEN_BACK_TAKER))

    def counts(self, now_ms: int) -> tuple[int, int]:
        """Return the counts of the present ten seconds and day."""
        return self._short.at(now_ms), self._day.at(now_ms)

    def payload(self, now_ms: int) -> list[RateLimit]:
        short, day = self.counts(now_ms)
        return [
            {**ORDERS_10_S_RULE, "count": short},
            {**ORDERS_DAY_RULE, "count": day},
        ]


WEIGHT_RULE: RateLimit = {
    "rateLimitType": "REQUEST_WEIGHT",
    "interval": "MINUTE",
    "intervalNum": 1,
    "limit": WEIGHT_PER_MINUTE,
}
ORDERS_10_S_RULE: RateLimit = {
    "rateLimitType": "ORDERS",
    "interval": "SECOND",
    "intervalNum": 10,
    "limit": ORDERS_PER_10_S,
}
ORDERS_DAY_RULE: RateLimit = {
    "rateLimitType": "ORDERS",
    "interval": "DAY",
    "intervalNum": 1,
    "limit": ORDERS_PER_DAY,
}
RAW_REQUESTS_RULE: RateLimit = {
    "rateLimitType": "RAW_REQUESTS",
    "interval": "MINUTE",
    "intervalNum": 5,
    "limit": 61_000,  # exchangeInfo RAW_REQUESTS, 2026-11; stated, not counted
}
EXCHANGE_RULES = [WEIGHT_RULE, ORDERS_10_S_RULE, ORDERS_DAY_RULE, RAW_REQUESTS_RULE]
