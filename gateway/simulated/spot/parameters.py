"""Request parameters, all text, read one by one. Refuses with the venue's codes and texts (errors.md, "11xx"). Pure."""

import re
from enum import StrEnum
from typing import NamedTuple, TypeVar

from ..core.decimals import NotDecimal, TooPrecise, parse_decimal
from ..core.errors import BadRequest, missing_parameter
from ..operations import Params
from ..payload import NS_PER_MS, NS_PER_US
from ..signing import MICROSECONDS_FROM
from .errors import empty_parameter

HISTORY_LIMIT_DEFAULT = 500  # rest-api.md: of every list of orders and trades
HISTORY_LIMIT_MAX = 1_000
WINDOW_NS_MAX = (
    24 * 3_600 * 1_000_000_000
)  # rest-api.md: "The time between startTime and endTime can't be longer than 24 hours"
INTEGER_MAX = 2**63 - 1
NEVER_NS = 2**63
_CLIENT_ID = re.compile(r"[a-zA-Z0-9-_]{1,36}")  # seen in the text of -1100
_DIGITS = "^[0-9]{1,20}$"
_DECIMAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
_Choice = TypeVar("_Choice", bound=StrEnum)


def illegal(name: str, legal: str) -> BadRequest:
    return BadRequest(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def text(params: Params, name: str) -> str:
    """Return a mandatory text."""
    value = params.get(name)
    if value is None:
        raise missing_parameter(name)
    if not value:
        raise empty_parameter(name)
    return value


def optional(params: Params, name: str) -> str | None:
    return text(params, name) if name in params else None


def integer(params: Params, name: str) -> int | None:
    """Return a non-negative integer, or None when it was not sent."""
    value = optional(params, name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 20:
        raise illegal(name, _DIGITS)
    number = int(value)
    if number > INTEGER_MAX:
        raise BadRequest(-1108, f"Parameter '{name}' overflowed.")
    return number


def decimal(params: Params, name: str) -> int:
    """Return a mandatory decimal in units of 10^-8."""
    try:
        return parse_decimal(text(params, name))
    except TooPrecise as error:
        raise BadRequest(-1111, f"Parameter '{name}' has too much precision.") from error
    except NotDecimal as error:
        raise illegal(name, _DECIMAL) from error


def flag(params: Params, name: str) -> bool:
    """Return whether it was sent as true."""
    value = optional(params, name)
    if value not in (None, "true", "false"):
        raise illegal(name, "true|false")
    return value == "true"


def client_id(params: Params, name: str) -> str | None:
    value = optional(params, name)
    if value is not None and not _CLIENT_ID.fullmatch(value):
        raise illegal(name, f"^{_CLIENT_ID.pattern}$")
    return value


def choice(params: Params, name: str, kind: type[_Choice], default: _Choice, error: BadRequest) -> _Choice:
    """Return the member of `kind` that was sent, `default` when none was; raises `error` for another word."""
    value = optional(params, name)
    if value is None:
        return default
    try:
        return kind(value)
    except ValueError:
        raise error from None


def limit(params: Params, default: int, maximum: int) -> int:
    value = integer(params, "limit")
    return default if value is None else max(1, min(value, maximum))


def moment(params: Params, name: str) -> int | None:
    """Return a time in ns, sent in milliseconds or microseconds; None when it was not sent."""
    value = integer(params, name)
    if value is None:
        return None
    return value * (NS_PER_US if value >= MICROSECONDS_FROM else NS_PER_MS)


def moment_ms(params: Params, name: str) -> int | None:
    """The same in whole milliseconds."""
    time_ns = moment(params, name)
    return None if time_ns is None else time_ns // NS_PER_MS


class Window(NamedTuple):
    """`startTime` and `endTime`, in ns; both belong to it. A side that was not sent is open."""

    start_ns: int | None
    end_ns: int | None

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the first and the last ns of it."""
        return self.start_ns or 0, NEVER_NS if self.end_ns is None else self.end_ns


def window(params: Params) -> Window:
    """Read the window of a list. An `endTime` in milliseconds includes its whole millisecond."""
    start_ns, end_ns = moment(params, "startTime"), moment(params, "endTime")
    if end_ns is not None:
        end_ns += (NS_PER_US if int(params["endTime"]) >= MICROSECONDS_FROM else NS_PER_MS) - 1
    if start_ns is not None and end_ns is not None:
        if end_ns < start_ns:
            raise missing_parameter("endTime")  # as the venue says it
        if end_ns - start_ns > WINDOW_NS_MAX + NS_PER_MS:
            raise BadRequest(-1127, "More than 24 hours between startTime and endTime.")
    return Window(start_ns, end_ns)
