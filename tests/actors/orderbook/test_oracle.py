"""The whole actor against a naive dictionary after every step: truncation, horizon and checksums included."""

import zlib

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orderbook import Orderbook, live
from bus.messages import BookReason, BookState, BookView, DepthSnapshot, Touch
from bus.messages.feed import BookShape, Levels, Scales
from tests.actors.orderbook.builders import LIVE, NUMBER, VENUE, columns, instrument, invalid, update

PROVEN = 3
SNAPSHOT_LEVELS = 4
LEVEL = st.tuples(st.integers(1, 30), st.integers(0, 4))
CHANGES = st.lists(st.tuples(st.lists(LEVEL, max_size=6), st.lists(LEVEL, max_size=6), st.integers(0, 9)), max_size=25)
Levels_ = dict[int, int]


def checksum(bids: Levels, asks: Levels, _scales: Scales) -> int:
    return zlib.crc32(" ".join(f"{p}:{q}" for side in (bids, asks) for p, q in zip(*side, strict=True)).encode())


class Naive:
    """Two dictionaries that are sorted whenever they are asked. known: the worst price of a side up to which all is told;
    None: to its end."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[Levels_, Levels_] = ({}, {})
        self.known: list[int | None] = [None, None]

    def ranked(self, side: int) -> list[tuple[int, int]]:
        return sorted(self.sides[side].items(), reverse=side == 0)

    def load(self, *sides: list[tuple[int, int]]) -> None:
        self.sides = tuple(dict(levels) for levels in sides)
        for side in (0, 1):
            full = len(sides[side]) >= (self.depth or SNAPSHOT_LEVELS)
            self.known[side] = self.ranked(side)[-1][0] if full and not self.depth else None
        self.truncate()

    def apply(self, *changes: list[tuple[int, int]]) -> None:
        for levels, rows in zip(self.sides, changes, strict=True):
            levels |= dict(rows)
            for price in [price for price, quantity in levels.items() if not quantity]:
                del levels[price]
        self.truncate()

    def truncate(self) -> None:
        if self.depth:
            self.sides = tuple(dict(self.ranked(side)[: self.depth]) for side in (0, 1))
            for side in (0, 1):
                ranked = self.ranked(side)
                self.known[side] = ranked[-1][0] if len(ranked) == self.depth else None

    def believed(self, side: int) -> list[tuple[int, int]]:
        edge = self.known[side]
        ranked = self.ranked(side)
        return ranked if edge is None else [row for row in ranked if (row[0] >= edge if side == 0 else row[0] <= edge)]

    def verdict(self) -> BookReason | None:
        bids, asks = self.ranked(0), self.ranked(1)
        if bids and asks and bids[0][0] >= asks[0][0]:
            return BookReason.CROSSED
        for side in (0, 1):
            best = self.ranked(side)[:1]
            if self.known[side] is not None and best != self.believed(side)[:1]:
                return BookReason.SNAPSHOT_TOO_OLD
            if self.known[side] is not None and not best:
                return BookReason.SNAPSHOT_TOO_OLD
        return None

    def told(self) -> int:
        return checksum(columns(self.believed(0)[:PROVEN]), columns(self.believed(1)[:PROVEN]), Scales())


def unique(rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return list(dict(rows).items())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 2, 5]), st.booleans(), CHANGES)
def test_the_book_equals_a_naive_dictionary_after_every_step(depth: int, proves: bool, changes) -> None:
    """Goal: what is shown is the dictionary's, and the book is refused in the very step and for the reason that the
    dictionary gives. A damaged checksum (one update of ten) is found at once."""
    actor = Orderbook(SNAPSHOT_LEVELS, shapes={VENUE: BookShape(depth, PROVEN, checksum if proves else None)})
    naive = Naive(depth)
    actor.receive(instrument(), 0)
    bids, asks = [(12, 1), (11, 2), (9, 1), (8, 3)], [(14, 2), (15, 1), (18, 4), (19, 1)]
    naive.load(bids, asks)
    actor.receive(DepthSnapshot(NUMBER, 1, 10, 1, *columns(bids), *columns(asks), naive.told() if proves else -1), 0)
    emitted = actor.receive(LIVE, 0)
    entry = actor.entries[NUMBER]
    for at, (bid_rows, ask_rows, damage) in enumerate(changes):
        assert (entry.book.bids, entry.book.asks) == (
            naive.sides[0],
            {-price: q for price, q in naive.sides[1].items()},
        )
        assert entry.book.horizon == tuple(naive.known)
        view = next(message for message in emitted if isinstance(message, BookView))
        assert columns(naive.believed(0)) == (view.bid_prices, view.bid_quantities)
        assert columns(naive.believed(1)) == (view.ask_prices, view.ask_quantities)
        rows = unique(bid_rows), unique(ask_rows)
        naive.apply(*rows)
        told = naive.told() ^ (damage == 0) if proves else -1
        message = update(10 + at, 11 + at, *rows)
        emitted = actor.receive(msgspec.structs.replace(message, checksum=told), 1_000_000_000 * (at + 1))
        reason = BookReason.CHECKSUM if proves and damage == 0 else naive.verdict()
        if reason is not None:
            assert emitted[0] == invalid(reason, 11 + at)
            assert live(entry) is None
            return
        touch = emitted[0]
        assert isinstance(touch, Touch)
        best = [(naive.ranked(side) or [(0, 0)])[0] for side in (0, 1)]
        assert (touch.bid, touch.bid_quantity, touch.ask, touch.ask_quantity) == (*best[0], *best[1])
    assert entry.state == BookState.LIVE
