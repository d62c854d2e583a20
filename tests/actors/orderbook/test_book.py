"""The book against a naive dict that sorts whenever it is asked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orderbook import Book
from bus.messages import Side

LEVEL = st.tuples(st.integers(1, 40), st.integers(0, 5))
CHANGES = st.lists(st.tuples(st.lists(LEVEL, max_size=8), st.lists(LEVEL, max_size=8)), max_size=30)


class NaiveBook:
    """Two dicts."""

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def apply(self, bids, asks) -> None:
        for side, changes in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in changes:
                side[price] = quantity
                if not quantity:
                    del side[price]

    def levels(self, count: int):
        bids = sorted(self.bids.items(), reverse=True)[:count]
        asks = sorted(self.asks.items())[:count]
        return (split(bids), split(asks))


def split(levels) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(price for price, _ in levels), tuple(quantity for _, quantity in levels)


def loaded(bids, asks, snapshot_levels: int = 1_000) -> Book:
    book = Book()
    book.load(*split(bids), *split(asks), snapshot_levels)
    return book


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_book_equals_the_naive_one_after_every_update(changes) -> None:
    book, naive = Book(), NaiveBook()
    for bids, asks in changes:
        book.apply(*split(bids), *split(asks))
        naive.apply(bids, asks)
        assert book.levels(20) == naive.levels(20)
        assert book.levels(3) == naive.levels(3)
        (best_bid, bid_quantity), (best_ask, ask_quantity) = naive.levels(1)
        expected = [values[0] if values else 0 for values in (best_bid, bid_quantity, best_ask, ask_quantity)]
        assert book.touch() == tuple(expected)
        assert book.crossed == bool(best_bid and best_ask and best_bid[0] >= best_ask[0])
        assert book.spread == (best_ask[0] - best_bid[0] if best_bid and best_ask else None)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(1, 40), st.integers(1, 9)), st.integers(1, 40))
def test_depth_to_price_is_the_sum_of_the_levels_between(levels: dict[int, int], price: int) -> None:
    book = loaded(sorted(levels.items(), reverse=True), sorted(levels.items()))
    assert book.depth_to_price(Side.BUY, price) == sum(q for p, q in levels.items() if p >= price)
    assert book.depth_to_price(Side.SELL, price) == sum(q for p, q in levels.items() if p <= price)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(1, 40), st.integers(1, 9), min_size=1), st.integers(1, 20))
def test_quantity_to_move_is_what_must_go_for_the_touch_to_move_so_far(levels: dict[int, int], distance: int) -> None:
    """Oracle: eat level by level until the best price is at least `distance` away."""
    book = loaded((), sorted(levels.items()))
    prices, eaten = sorted(levels), 0
    start = prices[0]
    while prices and prices[0] < start + distance:
        eaten += levels[prices.pop(0)]
    assert book.quantity_to_move(Side.SELL, distance) == (eaten if prices else None)


def test_levels_beyond_a_full_snapshot_are_unknown_not_empty() -> None:
    book = loaded([(100, 1), (99, 1)], [(101, 1), (102, 1)], snapshot_levels=2)
    assert book.horizon == (99, 102)
    assert book.depth_to_price(Side.BUY, 98) is None
    assert book.quantity_to_move(Side.SELL, 5) is None
    book.apply((90,), (7,), (), ())
    assert book.levels(20)[0] == ((100, 99), (1, 1))
    book.apply((100, 99), (0, 0), (), ())
    assert not book.within_horizon


def test_a_side_shorter_than_what_was_asked_for_is_known_to_its_end() -> None:
    book = loaded([(100, 1)], [], snapshot_levels=2)
    assert book.horizon == (None, None)
    assert book.depth_to_price(Side.BUY, 1) == 1
    assert book.within_horizon


def test_memory_is_bounded_and_the_horizon_follows() -> None:
    book = Book(levels_max=10)
    prices = tuple(range(100, 160))
    for price in prices:
        book.apply((price,), (1,), (1_000 - price,), (1,))
    assert len(book.bids) == len(book.bid_keys) <= 10
    assert len(book.asks) == len(book.ask_keys) <= 10
    assert book.touch() == (159, 1, 841, 1)
    low, high = book.horizon
    assert (low, high) == (book.bid_keys[0], -book.ask_keys[0])
    assert book.depth_to_price(Side.BUY, low - 1) is None


def test_deleting_an_unknown_level_is_normal() -> None:
    book = loaded([(100, 1)], [(101, 1)])
    book.apply((50,), (0,), (200,), (0,))
    assert book.touch() == (100, 1, 101, 1)


@pytest.mark.parametrize(("bid", "crossed"), [(100, False), (101, True), (102, True)])
def test_locked_and_crossed(bid: int, crossed: bool) -> None:
    assert loaded([(bid, 1)], [(101, 1)]).crossed is crossed


def test_load_replaces_everything() -> None:
    book = loaded([(100, 1), (99, 2)], [(101, 1)])
    book.load((50,), (1,), (60,), (1,), 1_000)
    assert book.levels(20) == (((50,), (1,)), ((60,), (1,)))
