"""What market data is built from and what it remembers beside the synchronizers."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from actors.market_data.numbers import Opening
from actors.market_data.phases import RollState
from actors.market_data.sync import Synchronizer
from bus.messages import Instrument, Stream
from bus.messages.feed import UNNUMBERED, Batch, FeedEvent, MarketCodec, SyncRule

STRANGERS_MAX = 64
"""Names remembered. Chosen: a venue may tell one book under two names (Coinbase does); beyond that a name is a damaged one."""


class FeedConnection(NamedTuple):
    """What ops says of one connection. venue_symbols: which of the venue's instruments it carries; () is all.

    streams: what it carries of them; of the connections that carry a symbol exactly one has its DEPTH.
    snapshot_weight, weight_a_minute: of REST snapshots, and how much of it all connections of the venue may use together
    (0: as much as they like). life_ns: after which the venue ends the connection by itself; 0: never. levels: a side, of a
    snapshot of this venue; 0: the actor's own number. trades_offered: the venue tells missed trades, without a key.
    """

    codec: MarketCodec
    venue: int
    rule: SyncRule
    venue_symbols: tuple[str, ...] = ()
    streams: tuple[Stream, ...] = tuple(Stream)
    snapshot_weight: int = 0
    weight_a_minute: int = 0
    life_ns: int = 0
    levels: int = 0
    trades_offered: bool = False


class Counters(msgspec.Struct):
    """Of all instruments together; the rest is counted in each Synchronizer.

    unsynced: words on a book before there is a connection. elsewhere: of a generation that the symbol does not listen to.
    repeated_frames, frame_gaps, late_frames: by the connection's numbers. refused: subscriptions.
    """

    unknown_symbols: int = 0
    garbage: int = 0
    finer: int = 0
    notices: int = 0
    refused: int = 0
    unsynced: int = 0
    elsewhere: int = 0
    repeated_frames: int = 0
    frame_gaps: int = 0
    late_frames: int = 0
    frame_batches: int = 0
    conflated: int = 0
    late_answers: int = 0
    late_connections: int = 0


class ConnectionState(msgspec.Struct):
    """generation: in use; 0: down. openings: what is open, the one in use first. roll, timer, asked: see `phases` and `rolls`.

    since_ns: when the last opening came or went. strangers: names under which the venue told depth nobody asked for.
    """

    connection: int
    generation: int = 0
    frames: int = 0
    openings: list[Opening] = []
    roll: RollState = RollState.DOWN
    timer: int = 0
    asked: int = 0
    since_ns: int = 0
    rolls: int = 0
    strangers: list[str] = []


class Feed:
    """One connection at work: the bound decoder and its instruments by venue symbol.

    frame: the connection's number of the frame in hand. late: it was missing.
    """

    __slots__ = ("codec", "decode", "frame", "late", "named", "number", "plan", "rule", "state", "symbols", "venue")

    def __init__(self, connection: int, plan: FeedConnection) -> None:
        self.number = connection
        self.plan = plan
        self.codec = plan.codec
        self.decode: Callable[[bytes], FeedEvent | Batch] = plan.codec.decode_frame
        self.rule = plan.rule
        self.venue = plan.venue
        self.named = frozenset(plan.venue_symbols)
        self.symbols: dict[str, Synchronizer] = {}
        self.state = ConnectionState(connection)
        self.frame = UNNUMBERED
        self.late = False

    def carries(self, instrument: Instrument) -> bool:
        return instrument.venue == self.venue and (not self.named or instrument.venue_symbol in self.named)

    @property
    def books(self) -> list[Synchronizer]:
        """Those whose depth this connection carries."""
        return [sync for sync in self.symbols.values() if sync.connection == self.number]

    @property
    def overlapping(self) -> bool:
        return len(self.state.openings) > 1

    @property
    def newest(self) -> int:
        """The generation that opened last; 0: none is open."""
        return self.state.openings[-1].generation if self.state.openings else 0

    @property
    def incomplete(self) -> bool:
        """Are there frames that may still come late?"""
        return any(opening.missing for opening in self.state.openings)

    def opening(self, generation: int) -> Opening | None:
        """None: it is closed, what comes of it waited in a queue. 0: a feed that does not say means the one in use."""
        for opening in self.state.openings:
            if opening.generation == generation or not generation:
                return opening
        return None


def roll_counter(connection: int) -> int:
    """Of a connection's timer; an instrument's is its number, which is never negative."""
    return -1 - connection


def budget_counter(venue: int) -> int:
    """Of a venue's timer."""
    return -(1 << 31) - venue
