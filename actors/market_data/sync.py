"""The life of one instrument's synchronization, as a table. Pure; single writer: the market data actor."""

from enum import IntEnum
from typing import Any

import msgspec

from bus.messages import Instrument
from bus.messages.feed import DepthBody, DepthDiff


class SyncState(IntEnum):
    """Diffs are kept in BUFFERING, ASKED and HELD; only in LIVE do they pass."""

    DOWN = 0  # no connection
    BUFFERING = 1  # a timer runs until the next request
    ASKED = 2  # a snapshot request is unanswered
    HELD = 3  # the snapshot is here, no diff has come to prove it
    LIVE = 4


class SyncEvent(IntEnum):
    """What happens to a synchronization."""

    UP = 0
    LOST = 1
    ASK = 2
    HOLD = 3
    BRIDGE = 4
    FAIL = 5
    GAP = 6
    BREAK = 7
    CHANGE = 8


_S, _E = SyncState, SyncEvent

TRANSITIONS: dict[tuple[SyncState, SyncEvent], SyncState] = {
    (_S.DOWN, _E.UP): _S.BUFFERING,
    (_S.DOWN, _E.LOST): _S.DOWN,  # a connection that never came up is reported down
    (_S.DOWN, _E.CHANGE): _S.DOWN,
    (_S.BUFFERING, _E.UP): _S.BUFFERING,  # reconnected before the loss was reported
    (_S.BUFFERING, _E.LOST): _S.DOWN,
    (_S.BUFFERING, _E.ASK): _S.ASKED,
    (_S.BUFFERING, _E.CHANGE): _S.BUFFERING,
    (_S.ASKED, _E.UP): _S.BUFFERING,
    (_S.ASKED, _E.LOST): _S.DOWN,
    (_S.ASKED, _E.HOLD): _S.HELD,
    (_S.ASKED, _E.BRIDGE): _S.LIVE,
    (_S.ASKED, _E.FAIL): _S.BUFFERING,  # refused, late, unreadable, older than the buffer, or a hole in the buffer
    (_S.ASKED, _E.CHANGE): _S.BUFFERING,
    (_S.HELD, _E.UP): _S.BUFFERING,
    (_S.HELD, _E.LOST): _S.DOWN,
    (_S.HELD, _E.BRIDGE): _S.LIVE,
    (_S.HELD, _E.FAIL): _S.BUFFERING,  # the first diff begins behind the snapshot
    (_S.HELD, _E.CHANGE): _S.BUFFERING,
    (_S.LIVE, _E.UP): _S.BUFFERING,
    (_S.LIVE, _E.LOST): _S.DOWN,
    (_S.LIVE, _E.GAP): _S.BUFFERING,
    (_S.LIVE, _E.BREAK): _S.BUFFERING,  # the orderbook found its book crossed, wrong at the top, or run out of
    (_S.LIVE, _E.CHANGE): _S.BUFFERING,
}
"""A missing row is our own mistake and raises KeyError."""

NEVER = -1
"""No diff begins at this id: what `expected` is while not LIVE, so that the fast path is one compare."""


class Buffered(msgspec.Struct, frozen=True):
    """A diff and when it was received."""

    received_ns: int
    diff: DepthDiff


class Synchronizer(msgspec.Struct):
    """All there is to know about one instrument's stream; also its own checkpoint.

    sequence: the book's, as sent on. expected: first id of the diff that the fast path passes, NEVER unless LIVE.
    generation: raised with each attempt, so that older answers and timers are disowned. attempts: since the
    last calm. attempted_ns: of the last one. held: the snapshot in HELD. broken: times the orderbook refused the book.
    """

    instrument: Instrument
    connection: int
    number: int
    version: int
    state: SyncState = SyncState.DOWN
    sequence: int = 0
    expected: int = NEVER
    generation: int = 0
    attempts: int = 0
    attempted_ns: int = -(1 << 62)
    buffer: list[Buffered] = []
    held: DepthBody | None = None
    held_ns: int = 0
    last_trade_id: int = 0
    bridges: int = 0
    gaps: int = 0
    stale: int = 0
    overflows: int = 0
    failures: int = 0
    broken: int = 0
    trades_missed: int = 0
    trades_repeated: int = 0

    def advance(self, event: SyncEvent) -> None:
        """The one place where the state moves. Leaving LIVE closes the fast path."""
        self.state = TRANSITIONS[self.state, event]
        if self.state != SyncState.LIVE:
            self.expected = NEVER
        if self.state != SyncState.HELD:
            self.held = None

    @property
    def resyncs(self) -> int:
        return max(0, self.bridges - 1)

    def summary(self) -> dict[str, Any]:
        """For people."""
        return {
            "symbol": self.instrument.venue_symbol,
            "state": self.state.name,
            "sequence": self.sequence,
            "buffered": len(self.buffer),
            "bridges": self.bridges,
            "gaps": self.gaps,
            "resyncs": self.resyncs,
            "broken": self.broken,
            "stale": self.stale,
        }
