"""One instrument's book with all that surrounds it, and the one way to read a price of it."""

from typing import NewType

import msgspec

from actors.orderbook.book import Book
from actors.orderbook.spread import SpreadWindow
from actors.orderbook.tops import TopCheck
from actors.orderbook.validity import TRANSITIONS, BookEvent
from actors.orderbook.watched import Watched
from bus.messages import BestQuote, BookState

LiveBook = NewType("LiveBook", Book)
"""A book that was LIVE when it was asked for. Functions that use a price take this type, so they cannot forget to ask."""

LONG_AGO_NS = -(1 << 62)


class EntryState(msgspec.Struct):
    """An Entry as it is checkpointed. Levels by ascending key (an ask's key is its negated price).

    watched_*: (key, what was last said of it).
    """

    number: int
    version: int
    state: BookState
    sequence: int
    received_ns: int
    bid_keys: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_keys: tuple[int, ...]
    ask_quantities: tuple[int, ...]
    bid_horizon: int
    ask_horizon: int
    sent: tuple[int, int, int, int]
    touch_ns: int
    mark_ns: int
    crossed: int
    exhausted: int
    checks: int
    mismatches: int
    dropped: int
    held: tuple[BestQuote, ...]
    spread: SpreadWindow
    watched_bids: tuple[tuple[int, int], ...] = ()
    watched_asks: tuple[tuple[int, int], ...] = ()
    watched_beyond_limit: int = 0


class Entry:
    """sent: the last Touch's prices and quantities; touch_ns, mark_ns: when Touch and Mark last went out.

    sequence: of the book. crossed, exhausted: how often it was refused for that.
    """

    __slots__ = (
        "_reader",
        "book",
        "crossed",
        "exhausted",
        "mark_ns",
        "number",
        "received_ns",
        "sent",
        "sequence",
        "spread",
        "state",
        "tops",
        "touch_ns",
        "version",
        "watched",
    )

    def __init__(self, number: int, version: int, levels_max: int) -> None:
        self.number = number
        self.version = version
        self.state = BookState.INVALID
        self.sequence = 0
        self.received_ns = 0
        self.book = Book(levels_max)
        self._reader = LiveBook(self.book)
        self.sent = (0, 0, 0, 0)
        self.touch_ns = LONG_AGO_NS
        self.mark_ns = LONG_AGO_NS
        self.crossed = 0
        self.exhausted = 0
        self.tops = TopCheck()
        self.spread = SpreadWindow()
        self.watched = Watched({}, {})

    def advance(self, event: BookEvent) -> None:
        """The one place where the validity moves."""
        self.state = TRANSITIONS[self.state, event]

    def checkpoint(self) -> EntryState:
        book, tops = self.book, self.tops
        return EntryState(
            self.number,
            self.version,
            self.state,
            self.sequence,
            self.received_ns,
            tuple(book.bid_keys),
            tuple(map(book.bids.__getitem__, book.bid_keys)),
            tuple(book.ask_keys),
            tuple(map(book.asks.__getitem__, book.ask_keys)),
            book.bid_horizon,
            book.ask_horizon,
            self.sent,
            self.touch_ns,
            self.mark_ns,
            self.crossed,
            self.exhausted,
            tops.checks,
            tops.mismatches,
            tops.dropped,
            tuple(tops.held),
            self.spread,
            tuple(self.watched.bids.items()),
            tuple(self.watched.asks.items()),
            self.watched.beyond_limit,
        )

    @staticmethod
    def restored(state: EntryState, levels_max: int) -> "Entry":
        entry = Entry(state.number, state.version, levels_max)
        entry.state, entry.sequence, entry.received_ns = state.state, state.sequence, state.received_ns
        book = entry.book
        book.bids = dict(zip(state.bid_keys, state.bid_quantities, strict=True))
        book.asks = dict(zip(state.ask_keys, state.ask_quantities, strict=True))
        book.bid_keys, book.ask_keys = list(state.bid_keys), list(state.ask_keys)
        book.bid_horizon, book.ask_horizon = state.bid_horizon, state.ask_horizon
        entry.sent, entry.touch_ns, entry.mark_ns = state.sent, state.touch_ns, state.mark_ns
        entry.crossed, entry.exhausted = state.crossed, state.exhausted
        entry.tops = TopCheck(state.checks, state.mismatches, state.dropped, list(state.held))
        entry.spread = state.spread
        entry.watched = Watched(dict(state.watched_bids), dict(state.watched_asks), state.watched_beyond_limit)
        return entry


def live(entry: Entry) -> LiveBook | None:
    """The book, if it may be believed now."""
    return entry._reader if entry.state == BookState.LIVE else None
