"""A host that is behind shows the last of several updates only: nothing else may differ."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orderbook import Orderbook
from bus.messages import BestQuote, BookReason, BookView, DepthUpdate, LevelQuantities, Message, Touch, WatchLevels
from tests.actors.orderbook.builders import NUMBER, invalid, live_book, names, quote, update


def behind(message: DepthUpdate) -> DepthUpdate:
    return msgspec.structs.replace(message, more=True)


def conflated(actor: Orderbook) -> int:
    count = actor.view()["books"][NUMBER]["conflated"]
    assert isinstance(count, int)
    return count


def test_only_the_last_of_several_is_shown_with_all_of_them_in_it() -> None:
    actor = live_book()
    assert actor.receive(behind(update(10, 11, bids=((100, 9),))), 1) == ()
    assert actor.receive(behind(update(11, 12, asks=((101, 0),))), 1) == ()
    emitted = actor.receive(update(12, 13, bids=((99, 1),)), 1)
    assert emitted == (
        Touch(NUMBER, 1, 13, 13, 100, 9, 102, 8),
        BookView(NUMBER, 1, 13, 13, (100, 99), (9, 1), (102,), (8,)),
    )
    assert conflated(actor) == 2


def test_a_crossed_book_between_is_as_wrong_as_one_that_is_shown() -> None:
    actor = live_book()
    emitted = actor.receive(behind(update(10, 11, bids=((101, 1),))), 1)
    assert emitted[0] == invalid(BookReason.CROSSED, 11)
    assert actor.receive(update(11, 12, bids=((101, 0),)), 1) == ()
    assert conflated(actor) == 0


def test_the_top_is_checked_at_every_id() -> None:
    actor = live_book()
    actor.receive(quote(11, bid=(100, 9)), 1)
    actor.receive(quote(12, bid=(100, 3)), 1)
    actor.receive(behind(update(10, 11, bids=((100, 9),))), 1)
    assert actor.receive(behind(update(11, 12, bids=((100, 4),))), 1)[0] == invalid(BookReason.TOP_MISMATCH, 12)
    row = actor.view()["books"][NUMBER]
    assert (row["top_checks"], row["top_mismatches"]) == (2, 1)


def test_while_syncing_nothing_would_have_been_shown_anyway() -> None:
    actor = live_book()
    actor.receive(invalid(BookReason.CONNECTION_LOST, 10), 1)
    actor.receive(behind(update(10, 11)), 1)
    assert conflated(actor) == 0


PRICES = st.integers(95, 105)
STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(PRICES, st.integers(0, 2)), max_size=3),
        st.lists(st.tuples(PRICES, st.integers(0, 2)), max_size=3),
        st.booleans(),
    ),
    max_size=12,
)


def told(actor: Orderbook, steps: list[Message]) -> list[Message]:
    return [message for step, each in enumerate(steps) for message in actor.receive(each, 1 + step // 100)]


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_both_ways_end_alike_and_what_is_shown_last_is_the_same(steps) -> None:
    """Goal: a consumer that saw fewer views never ends with another word. The last update is always shown."""
    watch = WatchLevels(NUMBER, (98, 97), (103,))
    plain: list[Message] = [watch]
    fewer: list[Message] = [watch]
    for at, (bids, asks, skip) in enumerate(steps):
        each = update(10 + at, 11 + at, tuple(bids), tuple(asks))
        plain.append(each)
        fewer.append(behind(each) if skip and at < len(steps) - 1 else each)
    one, other = live_book(), live_book()
    first, second = told(one, plain), told(other, fewer)
    assert one.entries[NUMBER].validity == other.entries[NUMBER].validity
    assert one.entries[NUMBER].book.levels(20) == other.entries[NUMBER].book.levels(20)
    assert [m for m in first if names((m,)) == ["BookStateChanged"]] == [
        m for m in second if names((m,)) == ["BookStateChanged"]
    ]
    if one.entries[NUMBER].state.name == "LIVE":
        assert last(first, BookView) == last(second, BookView)
        assert seen(first) == seen(second)


def last(messages: list[Message], kind: type[Message]) -> Message | None:
    return next((message for message in reversed(messages) if isinstance(message, kind)), None)


def seen(messages: list[Message]) -> tuple[tuple[int, ...], dict[int, int]]:
    """The touch a listener ends with, and the watched levels that neither it nor a later touch tells."""
    touch, levels = (100, 5, 101, 7), {}
    for message in messages:
        if isinstance(message, Touch):
            touch = (message.bid, message.bid_quantity, message.ask, message.ask_quantity)
        elif isinstance(message, LevelQuantities):
            levels |= dict(zip(message.bid_prices, message.bid_quantities, strict=True))
            levels |= dict(zip(message.ask_prices, message.ask_quantities, strict=True))
    bid, _, ask, _ = touch
    return touch, {price: level for price, level in levels.items() if (price < bid if price < 100 else price > ask)}


def test_a_quote_is_no_update() -> None:
    actor = live_book()
    actor.receive(behind(update(10, 11)), 1)
    assert actor.receive(BestQuote(NUMBER, 1, 11, 1, 100, 5, 101, 7), 1) == ()
