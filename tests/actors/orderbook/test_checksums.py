"""Venues that truncate and prove their books: what is believed, what is refused, and when nothing is compared."""

import zlib

import msgspec
import pytest

from actors.orderbook import Book, Orderbook, live
from bus.messages import BookReason, BookState, BookStateChanged, DepthSnapshot, DepthUpdate, Message
from bus.messages.feed import BookShape, Levels, Scales
from tests.actors.orderbook.builders import LIVE, NUMBER, VENUE, instrument, invalid, names, snapshot, update

PROVEN = 2


def checksum(bids: Levels, asks: Levels, scales: Scales) -> int:
    return zlib.crc32(repr((bids, asks, tuple(scales))).encode())


SHAPE = BookShape(depth=3, checksum_levels=PROVEN, checksum=checksum)


def told(bids, asks, price_scale: int = 8) -> int:
    """What the venue would say of a book whose best levels these are."""
    sides = [tuple(zip(*side, strict=True)) or ((), ()) for side in (bids[:PROVEN], asks[:PROVEN])]
    return checksum(*sides, Scales(price_scale, 8))


def orderbook(*messages: Message, shape: BookShape = SHAPE) -> Orderbook:
    actor = Orderbook(shapes={VENUE: shape})
    for message in (instrument(), *messages):
        actor.receive(message, 0)
    return actor


def proven(message: DepthSnapshot | DepthUpdate, value: int) -> Message:
    return msgspec.structs.replace(message, checksum=value)


BIDS, ASKS = ((100, 5), (99, 6)), ((101, 7), (102, 8))
GOOD = proven(snapshot(), told(BIDS, ASKS))


def counts(actor: Orderbook) -> tuple[int, int]:
    row = actor.view()["books"][NUMBER]
    return row["checksum_checks"], row["checksum_failures"]


def test_a_book_that_the_venue_confirms_is_shown() -> None:
    actor = orderbook(GOOD, LIVE)
    after = told(((100, 4), (99, 6)), ASKS)
    assert "BookView" in names(actor.receive(proven(update(10, 11, bids=((100, 4),)), after), 1))
    assert counts(actor) == (2, 0)


def test_another_checksum_than_the_venues_makes_the_book_invalid_before_it_is_shown() -> None:
    actor = orderbook(GOOD, LIVE)
    emitted = actor.receive(proven(update(10, 11, bids=((100, 4),)), told(BIDS, ASKS)), 1)
    assert emitted[0] == invalid(BookReason.CHECKSUM, 11)
    assert names(emitted) == ["BookStateChanged", "Alert"]
    assert live(actor.entries[NUMBER]) is None
    assert counts(actor) == (2, 1)
    actor.receive(BookStateChanged(NUMBER, BookState.SYNCING, BookReason.RESUMED, 11), 1)
    assert actor.receive(LIVE, 1) == ()


def test_a_snapshot_of_another_checksum_is_refused_and_live_does_not_overrule() -> None:
    actor = orderbook()
    assert actor.receive(proven(snapshot(), 1), 1)[0] == invalid(BookReason.CHECKSUM, 10)
    assert actor.receive(LIVE, 1) == ()
    assert counts(actor) == (1, 1)


@pytest.mark.parametrize("shape", [BookShape(), SHAPE], ids=["a venue without checksums", "a message without one"])
def test_nothing_is_compared_where_nothing_is_told(shape: BookShape) -> None:
    value = -1 if shape.checksum else 12_345
    actor = orderbook(proven(snapshot(), value), LIVE, shape=shape)
    assert "BookView" in names(actor.receive(proven(update(10, 11), value), 1))
    assert counts(actor) == (0, 0)


def test_a_checksum_of_zero_is_a_checksum() -> None:
    actor = orderbook(GOOD, LIVE)
    assert actor.receive(proven(update(10, 11), 0), 1)[0] == invalid(BookReason.CHECKSUM, 11)


def test_the_checksum_is_made_in_the_scales_of_the_instruments_last_version() -> None:
    actor = orderbook()
    actor.receive(instrument(version=2, price_scale=5), 1)
    actor.receive(proven(snapshot(), told(BIDS, ASKS, price_scale=5)), 1)
    assert counts(actor) == (1, 0)


def test_it_is_the_truncated_book_that_is_proven() -> None:
    """Four bids in a book of three: the fourth falls out, and comes back only when the venue tells it again."""
    actor = orderbook(GOOD, LIVE)
    bids = ((104, 1), (103, 1), (102, 1), (100, 5))
    asks = ((105, 1),)
    gone = ((101, 0), (102, 0), *asks)
    value = told(bids[:3], asks)
    assert "BookView" in names(actor.receive(proven(update(10, 11, bids=bids[:3], asks=gone), value), 1))
    assert actor.entries[NUMBER].book.bids == {104: 1, 103: 1, 102: 1}


def test_a_full_side_is_known_to_its_last_level_and_a_shorter_one_to_its_end() -> None:
    book = Book(depth=3)
    book.load((100, 99, 98, 97), (1, 1, 1, 1), (101, 102), (1, 1), 1_000)
    assert (book.bid_keys, book.horizon) == ([98, 99, 100], (98, None))
    book.apply((100,), (0,), (103, 104), (1, 1))
    assert (book.bid_keys, book.horizon) == ([98, 99], (None, 103))
    book.apply((97,), (1,), (), ())
    assert book.horizon == (97, 103)


def test_each_venues_snapshots_have_their_own_number_of_levels() -> None:
    """Two levels a side are the whole of it where a thousand were asked for, and no more than told where two were."""
    whole, part = orderbook(snapshot(), shape=BookShape(levels=1_000)), orderbook(snapshot(), shape=BookShape(levels=2))
    assert whole.entries[NUMBER].book.horizon == (None, None)
    assert part.entries[NUMBER].book.horizon == (99, 102)


def test_a_view_that_moves_with_the_touch_never_calls_empty_what_it_left_behind() -> None:
    """The venue tells three levels a side. The price rises by three and falls again: what lies behind the third level is
    unknown at every moment, whatever was known there before."""
    actor = orderbook(snapshot(bids=((100, 1), (99, 1), (98, 1))), LIVE, shape=BookShape(depth=3))
    book = actor.entries[NUMBER].book
    actor.receive(update(10, 11, bids=((103, 1), (102, 1), (101, 1)), asks=((101, 0), (102, 0), (104, 1))), 1)
    assert book.horizon == (101, None)
    back = ((103, 0), (102, 0), (101, 0), (100, 1), (99, 1), (98, 1))
    assert "BookView" in names(actor.receive(update(11, 12, bids=back, asks=((101, 1),)), 1))
    assert book.horizon == (98, None)
