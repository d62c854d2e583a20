"""The life of one instrument's synchronization, as a table. Pure; single writer: the market data actor."""

from enum import IntEnum
from typing import Any

import msgspec

from actors.market_data.ages import NO_STAMP, Age
from actors.market_data.trades import Tape
from actors.market_data.watch import Vigil
from bus.messages import Instrument
from bus.messages.feed import NO_CHECKSUM, UNNUMBERED, DepthBody, DepthDiff


class SyncState(IntEnum):
    """Diffs are kept in BUFFERING, SNAPSHOT, REPLAY and INVALID; only in LIVE do they pass."""

    INIT = 0  # no connection
    BUFFERING = 1  # no snapshot is on its way: a timer runs, or the weight for one is used up
    SNAPSHOT = 2  # one was asked for, or comes with the subscription
    REPLAY = 3  # it is here, no diff has come to prove it
    LIVE = 4
    INVALID = 5  # was LIVE on this connection and was refused; waits as in BUFFERING
    STALE = 6  # silent or contradicted: the book is kept and not believed


class SyncEvent(IntEnum):
    """What happens to a synchronization."""

    UP = 0
    LOST = 1
    ASK = 2
    HOLD = 3
    BRIDGE = 4
    FAIL = 5
    GAP = 6  # an update is missing, could not be read, or is out of its place
    BREAK = 7  # the orderbook refused its book
    CHANGE = 8  # the instrument has other scales
    RESET = 9  # a whole book came on the stream
    HEAL = 10  # the missing updates came late
    SILENT = 11
    RESUME = 12


_S, _E = SyncState, SyncEvent

TRANSITIONS: dict[tuple[SyncState, SyncEvent], SyncState] = {
    (_S.INIT, _E.UP): _S.BUFFERING,
    (_S.INIT, _E.LOST): _S.INIT,  # a connection that never came up is reported down
    (_S.INIT, _E.CHANGE): _S.INIT,
    (_S.BUFFERING, _E.UP): _S.BUFFERING,  # reconnected before the loss was reported
    (_S.BUFFERING, _E.LOST): _S.INIT,
    (_S.BUFFERING, _E.ASK): _S.SNAPSHOT,
    (_S.BUFFERING, _E.CHANGE): _S.BUFFERING,
    (_S.BUFFERING, _E.RESET): _S.LIVE,  # the fruit of a subscription that we had given up
    (_S.BUFFERING, _E.HEAL): _S.LIVE,  # a gap, an attempt that failed, and then the late update
    (_S.SNAPSHOT, _E.UP): _S.BUFFERING,
    (_S.SNAPSHOT, _E.LOST): _S.INIT,
    (_S.SNAPSHOT, _E.HOLD): _S.REPLAY,
    (_S.SNAPSHOT, _E.BRIDGE): _S.LIVE,
    (_S.SNAPSHOT, _E.FAIL): _S.BUFFERING,  # refused, late, unreadable, older than the buffer, or a hole in the buffer
    (_S.SNAPSHOT, _E.CHANGE): _S.SNAPSHOT,  # what comes is read in the new scales
    (_S.SNAPSHOT, _E.RESET): _S.LIVE,
    (_S.SNAPSHOT, _E.HEAL): _S.LIVE,  # two updates had changed places: the second came before the snapshot did
    (_S.REPLAY, _E.UP): _S.BUFFERING,
    (_S.REPLAY, _E.LOST): _S.INIT,
    (_S.REPLAY, _E.BRIDGE): _S.LIVE,
    (_S.REPLAY, _E.FAIL): _S.BUFFERING,  # the first diff begins behind the snapshot
    (_S.REPLAY, _E.CHANGE): _S.BUFFERING,
    (_S.REPLAY, _E.RESET): _S.LIVE,
    (_S.LIVE, _E.UP): _S.BUFFERING,
    (_S.LIVE, _E.LOST): _S.INIT,
    (_S.LIVE, _E.GAP): _S.INVALID,
    (_S.LIVE, _E.BREAK): _S.INVALID,  # crossed, wrong at the top, a checksum that differs, or run out of levels
    (_S.LIVE, _E.CHANGE): _S.INVALID,
    (_S.LIVE, _E.RESET): _S.LIVE,  # the venue restarted its book (Bybit u = 1), or it moved to a new connection
    (_S.LIVE, _E.SILENT): _S.STALE,
    (_S.INVALID, _E.UP): _S.BUFFERING,
    (_S.INVALID, _E.LOST): _S.INIT,
    (_S.INVALID, _E.ASK): _S.SNAPSHOT,
    (_S.INVALID, _E.CHANGE): _S.INVALID,
    (_S.INVALID, _E.RESET): _S.LIVE,
    (_S.INVALID, _E.HEAL): _S.LIVE,
    (_S.STALE, _E.UP): _S.BUFFERING,
    (_S.STALE, _E.LOST): _S.INIT,
    (_S.STALE, _E.GAP): _S.INVALID,
    (_S.STALE, _E.BREAK): _S.INVALID,  # its word was on the way when the stream was found silent
    (_S.STALE, _E.CHANGE): _S.INVALID,
    (_S.STALE, _E.RESET): _S.LIVE,
    (_S.STALE, _E.SILENT): _S.STALE,  # silent first, then contradicted
    (_S.STALE, _E.RESUME): _S.LIVE,  # the next update continues it: nothing was missed, it was only late
}
"""A missing row is our own mistake and raises KeyError."""

NEVER = -3
"""No diff continues this id (an id is never negative, UNNUMBERED is -2): the fast path is closed by it."""
LONG_AGO_NS = -(1 << 62)
COUNTS = (
    "bridges", "resets", "rolled", "gaps", "reordered", "duplicates", "stale", "overlaps", "overlapped", "garbled",
    "broken", "overflows", "failures", "silences", "trades_missed", "trades_repeated", "trades_backfilled",
)  # fmt: skip
"""Fields of a Synchronizer that count; `view` adds them up."""


class Buffered(msgspec.Struct, frozen=True):
    """A diff, when it was received, and the connection's number of its frame."""

    received_ns: int
    diff: DepthDiff
    frame: int = UNNUMBERED


class Synchronizer(msgspec.Struct):
    """All there is to know about one instrument's stream; also its own checkpoint.

    connection: that carries its depth. opening: generation of it that the symbol listens to.
    sequence: the book's, as sent on; before: what it was before the last update. bare_at: of a snapshot that no diff
    has followed yet. doubt: where an old diff ended that speaks against the book's number (`Depth`). live_at: where it last
    went LIVE. frame: the connection's number of the last frame applied. stamp_ns: the venue's, of the last update off the
    fast path; 0: none since the snapshot.
    expected: what the fast path passes must continue this; NEVER unless LIVE and simple (see `open_path`).
    overlapping: two generations deliver. believed: the venue's checksums are; else they are not sent on.
    intact: the book was right when it became INVALID, and an update that comes late may mend it.
    generation: raised with each attempt, so that older answers and timers are disowned. attempts: since the last calm,
    which is calm_ns of LIVE.
    waiting: for weight. refused: the subscription was. live_ns: since when LIVE. depth_ns: last word of the depth stream;
    worst_ns: greatest difference of its receipt and its stamp since `age` was last said.
    buffer: in LIVE, what a newer generation told ahead of the older one. held: the snapshot in REPLAY.
    """

    instrument: Instrument
    connection: int
    number: int
    version: int
    state: SyncState = SyncState.INIT
    opening: int = 0
    sequence: int = 0
    before: int = 0
    bare_at: int = NEVER
    doubt: int = NEVER
    live_at: int = NEVER
    frame: int = UNNUMBERED
    stamp_ns: int = 0
    expected: int = NEVER
    overlapping: bool = False
    believed: bool = True
    intact: bool = False
    generation: int = 0
    attempts: int = 0
    attempted_ns: int = LONG_AGO_NS
    waiting: bool = False
    refused: bool = False
    live_ns: int = LONG_AGO_NS
    depth_ns: int = LONG_AGO_NS
    buffer: list[Buffered] = []
    held: DepthBody | None = None
    held_ns: int = 0
    checksum_breaks: list[int] = []
    early_breaks: int = 0
    last_quote_id: int = UNNUMBERED
    bridges: int = 0
    resets: int = 0
    rolled: int = 0
    gaps: int = 0
    reordered: int = 0
    duplicates: int = 0
    stale: int = 0
    overlaps: int = 0
    overlapped: int = 0
    garbled: int = 0
    broken: int = 0
    overflows: int = 0
    failures: int = 0
    silences: int = 0
    worst_ns: int = NO_STAMP
    vigil: Vigil = msgspec.field(default_factory=Vigil.fresh)
    tape: Tape = msgspec.field(default_factory=Tape)
    age: Age = msgspec.field(default_factory=Age)
    calm_ns: int = 60_000_000_000

    def advance(self, event: SyncEvent) -> None:
        """The one place where the state moves. Leaving LIVE closes the fast path."""
        self.state = TRANSITIONS[self.state, event]
        self.open_path()
        if self.state != SyncState.REPLAY:
            self.held = None

    def open_path(self) -> None:
        """The fast path looks at no generation and sends every checksum on: it is for books that need neither look."""
        simple = self.state == SyncState.LIVE and self.believed and not self.overlapping
        self.expected = self.sequence if simple else NEVER

    def stand(self, sequence: int) -> None:
        """The book is at `sequence` after an update."""
        self.before, self.sequence = self.sequence, sequence
        if self.expected != NEVER:
            self.expected = sequence

    def begin(self, sequence: int) -> None:
        """The book is a bare snapshot at `sequence`."""
        self.before = self.sequence = self.bare_at = sequence
        self.doubt = NEVER
        self.open_path()

    def checksum(self, told: int) -> int:
        return told if self.believed else NO_CHECKSUM

    def heard(self, received_ns: int, venue_ns: int) -> None:
        """A word of the depth stream, off the fast path."""
        self.depth_ns = received_ns
        self.worst_ns = max(self.worst_ns, received_ns - venue_ns)

    @property
    def trades_missed(self) -> int:
        return self.tape.missed

    @property
    def trades_repeated(self) -> int:
        return self.tape.repeated

    @property
    def trades_backfilled(self) -> int:
        return self.tape.backfilled

    @property
    def resyncs(self) -> int:
        """Books after the first; a book that moved to a new connection without a break is none."""
        return max(0, self.bridges + self.resets - self.rolled - 1)

    def summary(self) -> dict[str, Any]:
        """For people."""
        return {
            "symbol": self.instrument.venue_symbol,
            "state": self.state.name,
            "connection": self.connection,
            "opening": self.opening,
            "sequence": self.sequence,
            "buffered": len(self.buffer),
            "attempts": self.attempts,
            "checksums_believed": self.believed,
            "resyncs": self.resyncs,
            **{name: getattr(self, name) for name in COUNTS},
        }
