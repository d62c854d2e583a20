"""What a venue's codec makes of one frame, and what its rule says of it. Values between a venue's folder and market
data, never sent: so no tags.

A codec and a rule (gateway/VENUE, pure) and market data (an actor) never import each other; they meet in these types.
Prices and quantities are integers in the instrument's scales (`Instrument.price_scale`, `quantity_scale`), exact.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, Protocol

import msgspec

from bus.messages.enums import Side

UNNUMBERED = -2
"""Where the venue gives no number: of an update, of what it continues, of a trade, of a connection's frame."""
NO_CHECKSUM = -1
"""The venue sent none, or a zero that it documents as none. Checksums are unsigned 32-bit numbers here."""


class Scales(NamedTuple):
    """Decimals of an instrument's prices and quantities inside: a price of 1 is 10^-price."""

    price: int = 8
    quantity: int = 8


class DepthDiff(msgspec.Struct, frozen=True, gc=False):
    """One diff event. 0 quantity deletes.

    first, last: the venue's first and last update id in it (Binance U and u; where there is one number, both are it).
    previous: the id at which a book must stand for this to be simply the next one (U - 1, pu, prevSeqId, u - 1), or
    UNNUMBERED. A venue without ids whose stamps never run back (Kraken) gives the stamp, in us, as first and last.
    """

    venue_symbol: str
    first: int
    last: int
    venue_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]
    previous: int = UNNUMBERED
    checksum: int = NO_CHECKSUM


class DepthBody(msgspec.Struct, frozen=True, gc=False):
    """A depth snapshot, best first. last: the update id it is at (as DepthDiff.last)."""

    last: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class DepthReset(msgspec.Struct, frozen=True, gc=False):
    """A whole book that came on the stream: it replaces whatever was held, whatever its number."""

    venue_symbol: str
    venue_ns: int
    body: DepthBody
    checksum: int = NO_CHECKSUM


class QuoteEvent(msgspec.Struct, frozen=True, gc=False):
    """The venue's own best bid and ask at update id `last` (UNNUMBERED: at no id of the book's). venue_ns 0: unstamped."""

    venue_symbol: str
    last: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    venue_ns: int = 0


class TradeEvent(msgspec.Struct, frozen=True, gc=False):
    """One public trade. trade_id: see `TradeIds`."""

    venue_symbol: str
    trade_id: int
    venue_ns: int
    price: int
    quantity: int
    aggressor: Side


class MarkEvent(msgspec.Struct, frozen=True, gc=False):
    """Mark and index price of a perpetual, price units; 0: not told this time."""

    venue_symbol: str
    venue_ns: int
    mark: int
    index: int = 0


class FundingEvent(msgspec.Struct, frozen=True, gc=False):
    """Funding of a perpetual. rate: signed, in 10^-12 of the position's value; next_ns: when it is paid next, 0 untold."""

    venue_symbol: str
    venue_ns: int
    rate: int
    next_ns: int = 0


class Closing(msgspec.Struct, frozen=True, gc=False):
    """The venue says that it will end this connection soon: roll it over now."""

    detail: str


class SubscriptionRefused(msgspec.Struct, frozen=True, gc=False):
    """The venue will not send a stream we asked for. venue_symbol "": it does not say which."""

    venue_symbol: str
    detail: str


class Notice(msgspec.Struct, frozen=True, gc=False):
    """A frame without market data: a subscription's acknowledgement, a heartbeat, an event nobody asked for."""

    kind: str
    detail: str


class Garbage(msgspec.Struct, frozen=True, gc=False):
    """A frame or body that cannot be read, and why: names the field where one is known. Counted, shown, survived.

    venue_symbol: whose book update was lost in it, where that much could be read; "": it may be anyone's.
    """

    detail: str
    venue_symbol: str = ""


class Finer(msgspec.Struct, frozen=True, gc=False):
    """A figure has more decimals than the instrument's scales hold: nothing of the frame was read, because nothing is rounded.

    scales: that would have held it. Whoever knows the instrument makes a new version of it.
    """

    venue_symbol: str
    scales: Scales


FeedEvent = (
    DepthDiff
    | DepthReset
    | QuoteEvent
    | TradeEvent
    | MarkEvent
    | FundingEvent
    | Closing
    | SubscriptionRefused
    | Notice
    | Finer
    | Garbage
)


class Batch(msgspec.Struct, frozen=True, gc=False):
    """A frame with several events, or with none but a number. Never nested.

    sequence: where the venue numbers the frames of a connection (Coinbase), over all its channels; 0 begins a connection.
    """

    events: tuple[FeedEvent, ...]
    sequence: int = UNNUMBERED


class MarketCodec(Protocol):
    """Reads one venue's market data. Never raises on what a venue may send: that is Garbage."""

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch: ...

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        """A REST depth body, which does not say whose it is: in `venue_symbol`'s scales, Scales() where that is ""."""
        ...

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        """Public trades as the venue's REST answers them, oldest first."""
        ...

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        """From now on this instrument's figures are read in these scales; Scales() until told."""
        ...


Levels = tuple[tuple[int, ...], tuple[int, ...]]
"""Prices and quantities, best first."""


class BookShape(NamedTuple):
    """What a venue's books are like, for whoever keeps them.

    depth: levels a side to which the venue has us truncate after every update; 0: it deletes what it no longer tells.
    checksum: of the best `checksum_levels` bids and asks (None: the venue sends none), in the instrument's scales; unsigned.
    proves_all: False when a book of that depth has levels that its checksum does not cover. levels: a side of a snapshot, at
    most; one with fewer is the whole side. 0: as many as whoever keeps the book asks for.
    """

    depth: int = 0
    checksum_levels: int = 0
    checksum: Callable[[Levels, Levels, Scales], int] | None = None
    levels: int = 0

    @property
    def proves_all(self) -> bool:
        return 0 < self.depth <= self.checksum_levels


class Verdict(IntEnum):
    """What a diff is to a book at some sequence. DUPLICATE: it ends just there; STALE: it ends before."""

    NEXT = 0
    DUPLICATE = 1
    STALE = 2
    GAP = 3


class SnapshotSource(IntEnum):
    """Where a book begins: a REST body bridged by the diffs, or a whole book on the stream after subscribing."""

    REST = 0
    STREAM = 1


class Numbering(IntEnum):
    """What proves that nothing is missing: ids of the symbol, numbers of the connection's frames, or a checksum alone."""

    SYMBOL = 0
    CONNECTION = 1
    CHECKSUM = 2


class TradeIds(IntEnum):
    """CONSECUTIVE: a hole is a missed trade. INCREASING: only an older one is known. OPAQUE: no order, only sameness."""

    CONSECUTIVE = 0
    INCREASING = 1
    OPAQUE = 2


class SyncRule(Protocol):
    """How a venue's depth stream and its snapshot fit together; pure. One object a venue.

    comparable: whether an id means the same on every connection, so that two may overlap and be told apart by id alone.
    """

    snapshot: SnapshotSource
    numbering: Numbering
    trade_ids: TradeIds
    comparable: bool

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        """Does the snapshot end before the stream we hold begins (with `first`)? Then no later diff can mend it."""
        ...

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        """What a diff is to the bare snapshot: the first one after it may have a rule of its own (Binance futures)."""
        ...

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        """What the diff is to a book that stands at `sequence` after a diff."""
        ...
