"""JSON of the venue's answers and events, and its times. Pure.

A time in a payload is an Instant; whoever sends the payload encodes it for a reader, in the reader's unit
(rest-api.md: "X-MBX-TIME-UNIT"; web-socket-api.md and web-socket-streams.md: "timeUnit").
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

import msgspec

NS_PER_MS = 1_000_000
NS_PER_US = 1_000

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Payload = dict[str, Json]
Levels = Sequence[tuple[int, int]]
"""(price, quantity) in units of 10^-8, best first."""


class Instant(int):
    """A time in nanoseconds since the epoch, which a payload tells in its reader's unit."""

    __slots__ = ()


class TimeUnit(Enum):
    MILLISECOND = NS_PER_MS
    MICROSECOND = NS_PER_US


def _encoder(unit: TimeUnit) -> Callable[[Json], bytes]:
    ns_per_unit = unit.value

    def tell(instant: Instant) -> int:
        return instant // ns_per_unit

    return msgspec.json.Encoder(enc_hook=tell).encode


encode = _encoder(TimeUnit.MILLISECOND)
"""For a reader who asked for nothing else."""

ENCODERS = {TimeUnit.MILLISECOND: encode, TimeUnit.MICROSECOND: _encoder(TimeUnit.MICROSECOND)}


def time_unit(name: str) -> TimeUnit | None:
    """Return the unit of that name, in capitals or small letters as the venue takes it; None for another word."""
    return TimeUnit.__members__.get(name.upper()) if name in (name.upper(), name.lower()) else None
