"""How much of the venue's budgets is used, from the answers that carry it. Pure; the door asks when it wants to know."""

from collections.abc import Mapping

import msgspec

from gateway.binance_spot.symbols import INTERVALS_NS


class Used(msgspec.Struct, frozen=True, gc=False):
    """count of limit in the current window of interval_ns; kind as in `symbols.RateLimit`."""

    kind: str
    interval_ns: int
    limit: int
    count: int


class _Used(msgspec.Struct):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int
    count: int


class _Answer(msgspec.Struct):
    rateLimits: list[_Used] = []


def used_in_answer(payload: bytes) -> tuple[Used, ...]:
    """Return what a WebSocket API answer says in `rateLimits`; () when it says nothing that can be read."""
    try:
        limits = msgspec.json.decode(payload, type=_Answer).rateLimits
    except (ValueError, RecursionError):
        return ()
    return tuple(
        [
            Used(one.rateLimitType, one.intervalNum * INTERVALS_NS[one.interval], one.limit, one.count)
            for one in limits
            if one.interval in INTERVALS_NS
        ]
    )


WEIGHT_HEADER = "x-mbx-used-weight-1m"
RETRY_HEADER = "retry-after"


def weight_used(headers: Mapping[str, str]) -> int:
    """Return the weight this minute after a REST answer; -1 when it does not say. Header names are lower case."""
    text = headers.get(WEIGHT_HEADER, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else -1


def retry_after_s(headers: Mapping[str, str]) -> int:
    """Return the seconds to stay away after a 429 or 418; -1 when it does not say."""
    text = headers.get(RETRY_HEADER, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else -1
