"""What a venue's folder offers of its market data: one shape for all of them, so that nothing else knows a venue.

`VenueMarket` is everything the feed door, the REST door, capture and conformance tests need of a venue. Pure: names,
paths, frames and rules; no socket, no clock. Docs: docs/howto/add-a-venue.md.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec, Scales, SyncRule


class Addresses(NamedTuple):
    """Where the venue's public data are. streams: base of the WebSocket URL, without the path of a plan."""

    rest: str
    streams: str


class Limits(NamedTuple):
    """The venue's own, each with its source beside it in the folder.

    streams_max: a connection; symbols_max: a connection (0: only streams count). frames_per_s: we may send on one.
    life_s: after which the venue ends a connection by itself, 0: never. connects, connects_s: openings in a span.
    weight, weight_s: request weight in a span, of REST; `VenueMarket.snapshot_weight` is counted in it.
    silence_s: the longest time the venue lets a healthy, subscribed connection be without any frame; 0: untold.
    time_error_s: `VenueMarket.read_time` is true within it, either way: milliseconds are cut off.
    """

    streams_max: int
    symbols_max: int
    frames_per_s: float
    life_s: float
    connects: int
    connects_s: float
    weight: int
    weight_s: float
    silence_s: float = 0.0
    time_error_s: float = 0.001


class ConnectionPlan(NamedTuple):
    """One connection: where, what it carries, what is said first. path: behind `Addresses.streams`.

    keepalive: a frame to send every keepalive_s ("" and 0.0: WebSocket pings suffice).
    """

    path: str
    venue_symbols: tuple[str, ...]
    streams: tuple[Stream, ...]
    opening: tuple[bytes, ...]
    keepalive: bytes = b""
    keepalive_s: float = 0.0


class VenueMarket(Protocol):
    """One venue's market data. levels: what is asked for of a book; each venue has a list of depths that it knows.

    first_scales: of an instrument without metadata (a recording); `Finer` tells how they grow.
    """

    name: str
    addresses: Addresses
    limits: Limits
    streams: tuple[Stream, ...]
    first_scales: Scales

    @property
    def rule(self) -> SyncRule: ...

    def shape(self, levels: int) -> BookShape: ...

    def codec(self) -> MarketCodec: ...

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        """As few connections as the limits allow, each within them; a symbol's depth lies on exactly one."""
        ...

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        """Frames that end one subscription and begin it again on an open connection."""
        ...

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        """Of the REST depth; "" when the stream's snapshots are the only ones that fit (`SyncRule.snapshot`)."""
        ...

    def snapshot_weight(self, levels: int) -> int: ...

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """Of public trades from an id on; "" when the venue does not offer that without a key."""
        ...

    def time_path(self) -> str: ...

    def read_time(self, body: bytes) -> int | Garbage:
        """Venue time, ns."""
        ...

    def metadata_paths(self) -> tuple[str, ...]: ...

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        """The wanted instruments, with every filter the venue names, not yet numbered. Raises gateway.text.SymbolError."""
        ...


@runtime_checkable
class NarrowMetadata(Protocol):
    """A venue that may be asked for the metadata of some symbols alone; of the others the whole list is read each time."""

    def metadata_paths_of(self, venue_symbols: Sequence[str]) -> tuple[str, ...]:
        """Answers that `VenueMarket.read_instruments` reads. Of one symbol that is not listed it raises NotListed."""
        ...


WEIGHT, RAW, ORDERS, CONNECTIONS = "REQUEST_WEIGHT", "RAW_REQUESTS", "ORDERS", "CONNECTIONS"
"""Kinds of a rate limit: an address's weight and requests, an account's new orders, an address's openings of WebSockets."""


class RateLimit(msgspec.Struct, frozen=True, gc=False):
    """At most so much of a kind in each window of interval_ns. Windows are aligned to the venue's clock."""

    kind: str
    interval_ns: int
    limit: int


class Used(msgspec.Struct, frozen=True, gc=False):
    """What the venue says: count of limit in the present window of interval_ns. limit 0: it did not say that."""

    kind: str
    interval_ns: int
    limit: int
    count: int


class Limited(msgspec.Struct, frozen=True, gc=False):
    """An answer that says: too much. banned: the address is shut out. orders: of the account's new orders alone.

    until_ms: when to come back, by the venue's clock; 0: it did not say.
    """

    banned: bool
    orders: bool
    until_ms: int


class VenueLimits(Protocol):
    """What a venue's requests cost and how its answers tell what is used. Pure: gateway/VENUE/limits.py.

    limits: the documented ones, until the venue's metadata say better. order_weight, cancel_weight, session_weight: of one
    request on the order connection: a new order, a cancel, one about the session itself.
    """

    limits: tuple[RateLimit, ...]
    order_weight: int
    cancel_weight: int
    session_weight: int

    def start_weight(self, symbols: int, levels: int) -> int:
        """Of a whole start of an engine that trades so many symbols, each with a book of so many levels."""
        ...

    def weight(self, path: str) -> int:
        """Of a REST request by GET, query string included."""
        ...

    def used(self, headers: Mapping[str, str]) -> tuple[Used, ...]:
        """What a REST answer's headers tell; names in any case."""
        ...

    def used_in_answer(self, payload: bytes) -> tuple[Used, ...]:
        """The same of an answer on the order connection."""
        ...

    def limited(self, status: int, body: bytes) -> Limited | None:
        """What a REST answer that is an error says of limits; None when they are not its reason."""
        ...

    def limited_in_answer(self, payload: bytes) -> Limited | None:
        """The same of an answer on the order connection."""
        ...

    def stated(self, bodies: Sequence[bytes]) -> tuple[RateLimit, ...]:
        """The limits that the venue's metadata name (`VenueMarket.metadata_paths`); none that cannot be read."""
        ...
