"""One instrument's book with all that surrounds it, and the one way to read a price of it."""

from typing import Any, NewType

import msgspec

from actors.orderbook.book import Book
from actors.orderbook.checksums import ChecksumCheck
from actors.orderbook.spread import SpreadWindow
from actors.orderbook.tops import TopCheck
from actors.orderbook.validity import SHOWN, TRANSITIONS, BookEvent, Validity
from actors.orderbook.watched import Watched
from actors.orderbook.witness import Witness
from bus.messages import BestQuote, BookState
from bus.messages.feed import BookShape, Scales

LiveBook = NewType("LiveBook", Book)
"""A book that was LIVE when it was asked for. Functions that use a price take this type, so they cannot forget to ask."""

LONG_AGO_NS = -(1 << 62)


class EntryState(msgspec.Struct):
    """An Entry as it is checkpointed. Levels by ascending key (an ask's key is its negated price).

    watched_*: (key, what was last said of it).
    """

    number: int
    version: int
    venue: int
    scales: Scales
    validity: Validity
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
    contradicted: int
    conflated: int
    checks: int
    mismatches: int
    dropped: int
    held: tuple[BestQuote, ...]
    checksums: ChecksumCheck
    witness: Witness
    spread: SpreadWindow
    watched_bids: tuple[tuple[int, int], ...] = ()
    watched_asks: tuple[tuple[int, int], ...] = ()
    watched_beyond_limit: int = 0


class Entry:
    """sent: the last Touch's prices and quantities; touch_ns, mark_ns: when Touch and Mark last went out.

    sequence: of the book. state: what others are told of `validity`. crossed, exhausted, contradicted: how often it was
    refused for that. conflated: updates that were applied and not shown, because another one followed at once.
    """

    __slots__ = (
        "_reader",
        "book",
        "checksums",
        "conflated",
        "contradicted",
        "crossed",
        "exhausted",
        "mark_ns",
        "number",
        "received_ns",
        "scales",
        "sent",
        "sequence",
        "shape",
        "spread",
        "state",
        "tops",
        "touch_ns",
        "validity",
        "venue",
        "version",
        "watched",
        "witness",
    )

    def __init__(
        self, number: int, version: int, venue: int, scales: Scales, shape: BookShape, levels_max: int
    ) -> None:
        self.number = number
        self.version = version
        self.venue = venue
        self.scales = scales
        self.shape = shape
        self.validity = Validity.INVALID
        self.state = SHOWN[self.validity]
        self.sequence = 0
        self.received_ns = 0
        self.book = Book(levels_max, shape.depth)
        self._reader = LiveBook(self.book)
        self.sent = (0, 0, 0, 0)
        self.touch_ns = LONG_AGO_NS
        self.mark_ns = LONG_AGO_NS
        self.crossed = 0
        self.exhausted = 0
        self.contradicted = 0
        self.conflated = 0
        self.tops = TopCheck()
        self.checksums = ChecksumCheck()
        self.witness = Witness()
        self.spread = SpreadWindow()
        self.watched = Watched({}, {})

    def advance(self, event: BookEvent) -> None:
        """The one place where the validity moves."""
        self.validity = TRANSITIONS[self.validity, event]
        self.state = SHOWN[self.validity]

    def rescale(self, scales: Scales) -> None:
        """Prices of other scales mean other prices: who watched some asks again, with those of the new ones."""
        self.scales = scales
        self.tops.held.clear()
        self.spread = SpreadWindow()
        self.watched = Watched({}, {}, self.watched.beyond_limit)

    def checkpoint(self) -> EntryState:
        book, tops = self.book, self.tops
        return EntryState(
            self.number,
            self.version,
            self.venue,
            self.scales,
            self.validity,
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
            self.contradicted,
            self.conflated,
            tops.checks,
            tops.mismatches,
            tops.dropped,
            tuple(tops.held),
            self.checksums,
            self.witness,
            self.spread,
            tuple(self.watched.bids.items()),
            tuple(self.watched.asks.items()),
            self.watched.beyond_limit,
        )

    @staticmethod
    def restored(state: EntryState, shape: BookShape, levels_max: int) -> "Entry":
        entry = Entry(state.number, state.version, state.venue, state.scales, shape, levels_max)
        entry.validity, entry.state = state.validity, SHOWN[state.validity]
        entry.sequence, entry.received_ns = state.sequence, state.received_ns
        book = entry.book
        book.bids = dict(zip(state.bid_keys, state.bid_quantities, strict=True))
        book.asks = dict(zip(state.ask_keys, state.ask_quantities, strict=True))
        book.bid_keys, book.ask_keys = list(state.bid_keys), list(state.ask_keys)
        book.bid_horizon, book.ask_horizon = state.bid_horizon, state.ask_horizon
        entry.sent, entry.touch_ns, entry.mark_ns = state.sent, state.touch_ns, state.mark_ns
        entry.crossed, entry.exhausted = state.crossed, state.exhausted
        entry.contradicted, entry.conflated = state.contradicted, state.conflated
        entry.tops = TopCheck(state.checks, state.mismatches, state.dropped, list(state.held))
        entry.checksums, entry.witness, entry.spread = state.checksums, state.witness, state.spread
        entry.watched = Watched(dict(state.watched_bids), dict(state.watched_asks), state.watched_beyond_limit)
        return entry

    def summary(self) -> dict[str, Any]:
        """For people; prices only of a LIVE book."""
        book = live(self)
        return {
            "state": self.state.name,
            "sequence": self.sequence,
            "touch": book.touch() if book else None,
            "horizon": book.horizon if book else None,
            "levels": (len(self.book.bid_keys), len(self.book.ask_keys)),
            "top_checks": self.tops.checks,
            "top_mismatches": self.tops.mismatches,
            "checksum_checks": self.checksums.checks,
            "checksum_failures": self.checksums.failures,
            "crossed": self.crossed,
            "exhausted": self.exhausted,
            "contradicted": self.contradicted,
            "conflated": self.conflated,
            "watched": (len(self.watched.bids), len(self.watched.asks)),
            "watched_beyond_limit": self.watched.beyond_limit,
            "spread": self.spread.summary(),
        }


def live(entry: Entry) -> LiveBook | None:
    """The book, if it may be believed now."""
    return entry._reader if entry.state == BookState.LIVE else None
