"""Watched levels: what is said of them, when, and that a listener who hears it knows the book at each of them."""

from hypothesis import given
from hypothesis import strategies as st

from actors.orderbook import Orderbook
from actors.orderbook.watched import WATCHED_MAX
from bus.messages import BookReason, LevelQuantities, Message, Touch, WatchLevels
from tests.actors.orderbook.builders import (
    LIVE,
    NUMBER,
    columns,
    instrument,
    invalid,
    live_book,
    orderbook,
    snapshot,
    update,
)

Levels = tuple[tuple[int, int], ...]


def watch(bids: tuple[int, ...] = (), asks: tuple[int, ...] = ()) -> WatchLevels:
    return WatchLevels(NUMBER, bids, asks)


def levels(sequence: int, bids: Levels = (), asks: Levels = (), *, known: bool = True) -> LevelQuantities:
    """sequence: of the book; an update's is its received_ns too, the snapshots' (10, 20) is 1."""
    received_ns = sequence if sequence % 10 else 1
    return LevelQuantities(NUMBER, 1, sequence, received_ns, *columns(bids), *columns(asks), known)


def said(emitted: tuple[Message, ...]) -> list[Message]:
    return [message for message in emitted if isinstance(message, LevelQuantities)]


def test_asked_for_they_are_all_said_at_once_the_touch_among_them() -> None:
    actor = live_book()
    actor.receive(update(10, 11), 1)
    assert actor.receive(watch((100, 99, 50), (102,)), 1) == (levels(11, ((100, 5), (99, 6), (50, 0)), ((102, 8),)),)


def test_later_only_what_an_update_changed_is_said_and_after_the_view() -> None:
    actor = live_book()
    actor.receive(watch((99, 98), (102,)), 1)
    emitted = actor.receive(update(10, 11, bids=((98, 4), (97, 1)), asks=((102, 0),)), 1)
    assert emitted[-1] == levels(11, ((98, 4),), ((102, 0),))
    assert said(actor.receive(update(11, 12, bids=((97, 2),)), 1)) == []


def test_the_touch_and_what_lies_before_it_are_left_to_touch() -> None:
    actor = live_book()
    actor.receive(watch((100,)), 1)
    emitted = actor.receive(update(10, 11, bids=((100, 3),)), 1)
    assert emitted[0] == Touch(NUMBER, 1, 11, 11, 100, 3, 101, 7)
    assert said(emitted) == []
    assert said(actor.receive(update(11, 12, bids=((100, 0),)), 1)) == []
    assert said(actor.receive(update(12, 13, bids=((100, 4),)), 1)) == []


def test_a_level_that_only_stops_being_the_touch_is_not_said_again() -> None:
    actor = live_book()
    actor.receive(watch((99,)), 1)
    actor.receive(update(10, 11, bids=((100, 0), (99, 2))), 1)
    assert said(actor.receive(update(11, 12, bids=((100, 1),)), 1)) == []


def test_a_new_list_replaces_the_old_one_and_an_empty_one_ends_it() -> None:
    actor = live_book()
    actor.receive(watch((99,)), 1)
    actor.receive(watch((98,)), 1)
    assert said(actor.receive(update(10, 11, bids=((99, 1),)), 1)) == []
    assert actor.receive(watch(), 1) == ()
    assert said(actor.receive(update(11, 12, bids=((98, 1),)), 1)) == []


def test_beyond_the_horizon_nothing_is_known_until_an_update_tells() -> None:
    actor = Orderbook(snapshot_levels=2)
    for message in (instrument(), snapshot(), LIVE):
        actor.receive(message, 0)
    answer = actor.receive(watch((100, 90), (110,)), 1)
    assert answer == (levels(10, ((100, 5),)), levels(10, ((90, 0),), ((110, 0),), known=False))
    assert said(actor.receive(update(10, 11, bids=((90, 4),)), 1)) == [levels(11, ((90, 4),))]
    assert said(actor.receive(update(11, 12, bids=((90, 0),)), 1)) == [levels(12, ((90, 0),), known=False)]


def test_a_book_that_is_not_live_says_nothing_and_all_when_it_is_live_again() -> None:
    actor = orderbook(snapshot())
    assert actor.receive(watch((100, 99)), 1) == ()
    assert said(actor.receive(LIVE, 1)) == [levels(10, ((100, 5), (99, 6)))]
    actor.receive(invalid(BookReason.CONNECTION_LOST, 10), 2)
    actor.receive(snapshot(20), 3)
    assert said(actor.receive(LIVE, 3)) == [levels(20, ((100, 5), (99, 6)))]


def test_an_update_that_makes_the_book_invalid_says_no_level() -> None:
    actor = live_book()
    actor.receive(watch((99,)), 1)
    emitted = actor.receive(update(10, 11, bids=((99, 1), (101, 1))), 1)
    assert emitted[0] == invalid(BookReason.CROSSED, 11)
    assert said(emitted) == []


def test_prices_beyond_the_limit_get_no_answer_and_are_counted() -> None:
    actor = live_book()
    [answer] = actor.receive(watch(tuple(range(100, 100 - WATCHED_MAX - 3, -1))), 1)
    assert isinstance(answer, LevelQuantities)
    assert len(answer.bid_prices) == WATCHED_MAX
    row = actor.view()["books"][NUMBER]
    assert (row["watched"], row["watched_beyond_limit"]) == ((WATCHED_MAX, 0), 3)


changes = st.lists(st.tuples(st.sampled_from(range(94, 107)), st.integers(0, 3)), max_size=4)


@given(st.lists(changes, max_size=25), st.sets(st.integers(94, 106)), st.integers(0, 25))
def test_touch_and_levels_together_tell_the_quantity_at_every_watched_price(
    days: list[list[tuple[int, int]]], prices: set[int], lost: int
) -> None:
    """A listener keeps the last quantity of each price, of LevelQuantities or of Touch (nothing before it), and is never
    wrong. The book is lost and comes back in the middle. Bids lie below 100, asks above: it is never crossed."""
    actor = orderbook(snapshot(bids=((99, 1), (98, 2)), asks=((101, 1), (102, 2))))
    bids, asks = (tuple(sorted(p for p in prices if p < 100)), tuple(sorted(p for p in prices if p > 100)))
    known: dict[int, int] = {}
    emitted = (*actor.receive(LIVE, 0), *actor.receive(watch(bids, asks), 0))
    sequence = 10
    for step, day in enumerate([[], *days]):
        if step == lost:
            known.clear()
            actor.receive(invalid(BookReason.CONNECTION_LOST, sequence), step)
            actor.receive(snapshot(sequence, ((99, 3), (97, 1)), ((101, 3), (105, 1))), step)
            emitted = actor.receive(LIVE, step)
        elif step:
            below, above = [row for row in day if row[0] < 100], [row for row in day if row[0] > 100]
            emitted = actor.receive(update(sequence, sequence + 1, below, above), step)
            sequence += 1
        for message in emitted:
            if isinstance(message, Touch):
                known |= {price: 0 for price in bids if price >= message.bid}
                known |= {price: 0 for price in asks if price <= message.ask or not message.ask}
                known |= {message.bid: message.bid_quantity, message.ask: message.ask_quantity}
            elif isinstance(message, LevelQuantities):
                known |= dict(zip(message.bid_prices, message.bid_quantities, strict=True))
                known |= dict(zip(message.ask_prices, message.ask_quantities, strict=True))
        book = actor.entries[NUMBER].book
        assert {price: known[price] for price in bids} == {price: book.bids.get(price, 0) for price in bids}
        assert {price: known[price] for price in asks} == {price: book.asks.get(-price, 0) for price in asks}
