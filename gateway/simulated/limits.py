"""Requests and their weight by address, orders by account, in windows aligned to the clock; bans. Pure.

Past a limit an address gets 429 until the window ends; one that keeps asking is banned with 418, each ban twice as long
as its last, from two minutes to three days (rest-api.md, "IP Limits"; how many requests it takes is not documented).
An order counts when accepted and is given back when it trades (order_count_decrement.md).
"""

import msgspec

from .core.errors import Banned, LimitReached
from .payload import Json, Payload

MINUTE_MS = 60_000
FIVE_MINUTES_MS = 300_000
ADDRESSES_MAX = 10_000  # chosen: past this many addresses the table starts over
REFUSALS_TO_BAN = 10  # chosen: refusals of one address in one window
BAN_MS_MIN = 120_000  # rest-api.md: "IP bans ... scale in duration ... from 2 minutes to 3 days"
BAN_MS_MAX = 259_200_000
BAN_FORGOTTEN_MS = 86_400_000  # chosen: a day without a ban, and the next one is a first one

_UNITS = ((86_400, "DAY"), (60, "MINUTE"), (1, "SECOND"))


class LimitRules(msgspec.Struct, frozen=True):
    """A face's limits as its exchangeInfo states them. `orders`: (seconds, count) of each ORDERS window, shortest first."""

    weight_per_minute: int = 6_000
    orders: tuple[tuple[int, int], ...] = ((10, 100), (86_400, 200_000))
    raw_per_5_minutes: int = 61_000  # 0: the face states none
    connections_per_5_minutes: int = 300  # of WebSockets: web-socket-api.md, "Connection limits"; 0: without limit
    given_back_taker: int = 1
    given_back_maker: int = 5

    def payload(self) -> list[Payload]:
        """Return the `rateLimits` of exchangeInfo."""
        rules = [self.weight_rule(), *(order_rule(seconds, limit) for seconds, limit in self.orders)]
        if self.raw_per_5_minutes:
            rules.append(_rule("RAW_REQUESTS", "MINUTE", 5, self.raw_per_5_minutes))
        return rules

    def weight_rule(self) -> Payload:
        return _rule("REQUEST_WEIGHT", "MINUTE", 1, self.weight_per_minute)


SPOT_LIMITS = LimitRules()  # exchangeInfo, 2026-11


def order_rule(seconds: int, limit: int) -> Payload:
    interval, number = split_interval(seconds)
    return _rule("ORDERS", interval, number, limit)


def split_interval(seconds: int) -> tuple[str, int]:
    """Return the venue's words for so many seconds: (SECOND, 10), (DAY, 1)."""
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0)
    return name, seconds // unit


def _rule(kind: str, interval: str, number: int, limit: int) -> Payload:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


class _Window:
    """A count that starts over at each multiple of its length."""

    __slots__ = ("count", "length_ms", "start_ms")

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


class _Address:
    """What one address has used, and whether it is banned."""

    __slots__ = ("ban_ms", "banned_until_ms", "connections", "raw", "refused", "weight")

    def __init__(self) -> None:
        self.weight = _Window(MINUTE_MS)
        self.raw = _Window(FIVE_MINUTES_MS)
        self.connections = _Window(FIVE_MINUTES_MS)
        self.refused = _Window(MINUTE_MS)
        self.ban_ms = 0
        self.banned_until_ms = 0


class RequestLimits:
    """One face's counts of weight and raw requests, by address."""

    def __init__(self, rules: LimitRules = SPOT_LIMITS) -> None:
        self.rules = rules
        self._weight_rule = rules.weight_rule()
        self._addresses: dict[str, _Address] = {}

    def payload(self, address: str, now_ms: int) -> Payload:
        """Return the row of `rateLimits` that tells what the address has used."""
        return {**self._weight_rule, "count": self.used(address, now_ms)}

    def used(self, address: str, now_ms: int) -> int:
        known = self._addresses.get(address)
        return 0 if known is None else known.weight.at(now_ms)

    def connect(self, address: str, now_ms: int) -> None:
        """Count the opening of a WebSocket. Raises Banned, or LimitReached past the limit of those."""
        known = self._known(address)
        if now_ms < known.banned_until_ms:
            raise _banned(known.banned_until_ms)
        limit = self.rules.connections_per_5_minutes
        known.connections.at(now_ms)
        known.connections.count += 1
        if limit and known.connections.count > limit:
            message = f"Too many connection attempts from IP; current limit is {limit} per '5 MINUTE'."
            raise LimitReached(-1034, message, known.connections.end_ms)

    def charge(self, address: str, weight: int, now_ms: int) -> None:
        """Count one request of that weight. Raises as `enter` and `spend` do."""
        self.enter(address, now_ms)
        self.spend(address, weight, now_ms)

    def enter(self, address: str, now_ms: int) -> None:
        """Count one request. Raises Banned for an address that is, LimitReached past the limit of raw requests."""
        known = self._known(address)
        if now_ms < known.banned_until_ms:
            raise _banned(known.banned_until_ms)
        limit = self.rules.raw_per_5_minutes
        known.raw.at(now_ms)
        known.raw.count += 1
        if limit and known.raw.count > limit:
            self._refuse(
                known, f"Too many requests; current limit is {limit} requests per 5 MINUTE.", known.raw.end_ms, now_ms
            )

    def spend(self, address: str, weight: int, now_ms: int) -> int:
        """Count `weight` and return what the minute has used. Raises LimitReached past the limit, Banned after too many of those."""
        known = self._known(address)
        known.weight.at(now_ms)
        known.weight.count += weight
        limit = self.rules.weight_per_minute
        if known.weight.count > limit:
            message = (
                f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API."
            )
            self._refuse(known, message, known.weight.end_ms, now_ms)
        return known.weight.count

    def ban(self, address: str, now_ms: int, length_ms: int) -> None:
        """Answer 418 to this address for so long."""
        self._known(address).banned_until_ms = now_ms + length_ms

    def lift(self, address: str, until_ms: int) -> None:
        """End the ban that lasts until then, if that is the address's."""
        known = self._known(address)
        if known.banned_until_ms == until_ms:
            known.banned_until_ms = 0

    def _known(self, address: str) -> _Address:
        known = self._addresses.get(address)
        if known is None:
            if len(self._addresses) >= ADDRESSES_MAX:
                self._addresses.clear()
            known = self._addresses[address] = _Address()
        return known

    def _refuse(self, known: _Address, message: str, retry_at_ms: int, now_ms: int) -> None:
        known.refused.at(now_ms)
        known.refused.count += 1
        if known.refused.count < REFUSALS_TO_BAN:
            raise LimitReached(-1003, message, retry_at_ms)
        is_first = now_ms - known.banned_until_ms > BAN_FORGOTTEN_MS
        known.ban_ms = BAN_MS_MIN if is_first or not known.ban_ms else min(known.ban_ms * 2, BAN_MS_MAX)
        known.banned_until_ms = now_ms + known.ban_ms
        known.refused.count = 0
        raise _banned(known.banned_until_ms)


def _banned(until_ms: int) -> Banned:
    message = f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams for live updates to avoid bans."
    return Banned(-1003, message, until_ms)


class OrderCounts:
    """One account's unfilled orders."""

    def __init__(self, rules: LimitRules = SPOT_LIMITS) -> None:
        self._rules = rules
        self._windows = [_Window(seconds * 1_000) for seconds, _ in rules.orders]
        self._told = [order_rule(seconds, limit) for seconds, limit in rules.orders]
        self._headers = [f"X-MBX-ORDER-COUNT-{_short(seconds)}" for seconds, _ in rules.orders]

    def check(self, now_ms: int) -> None:
        for window, (seconds, limit) in zip(self._windows, self._rules.orders, strict=True):
            if window.at(now_ms) >= limit:
                interval, number = split_interval(seconds)
                message = f"Too many new orders; current limit is {limit} orders per {number} {interval}."
                raise LimitReached(-1015, message, window.end_ms)

    def add(self, now_ms: int) -> None:
        for window in self._windows:
            window.at(now_ms)
            window.count += 1

    def give_back(self, now_ms: int, *, is_maker: bool) -> None:
        given = self._rules.given_back_maker if is_maker else self._rules.given_back_taker
        for window in self._windows:
            window.count = max(0, window.at(now_ms) - given)

    def counts(self, now_ms: int) -> tuple[int, ...]:
        """Return the count of each window now, in the order of the rules."""
        return tuple(window.at(now_ms) for window in self._windows)

    def headers(self, now_ms: int) -> dict[str, str]:
        """Return the X-MBX-ORDER-COUNT headers."""
        return {name: str(count) for name, count in zip(self._headers, self.counts(now_ms), strict=True)}

    def payload(self, now_ms: int) -> list[Json]:
        return [{**rule, "count": count} for rule, count in zip(self._told, self.counts(now_ms), strict=True)]


def _short(seconds: int) -> str:
    interval, number = split_interval(seconds)
    return f"{number}{interval[0]}"
