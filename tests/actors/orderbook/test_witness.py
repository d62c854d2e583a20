"""Trades and best quotes through a book whose depth stream is silent."""

import pytest

from actors.orderbook import Orderbook, live
from actors.orderbook.witness import CONTRADICTED_NS
from bus.messages import Alert, BestQuote, BookReason, BookState, BookStateChanged, DepthUpdate, Message
from bus.messages.feed import UNNUMBERED
from tests.actors.orderbook.builders import LIVE, NUMBER, copy_of, invalid, live_book, names, snapshot, trade, update

STALE = BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, 10)
LONG = CONTRADICTED_NS + 2
"""Received so long after 1, it is too long."""


def quote(bid: int, ask: int, received_ns: int, update_id: int = UNNUMBERED) -> BestQuote:
    return BestQuote(NUMBER, 1, update_id, received_ns, bid, 5 if bid else 0, ask, 7 if ask else 0)


def heard(actor: Orderbook, *messages: Message) -> tuple[Message, ...]:
    """What the last one makes the book say; all before it must be silent but for what is shown."""
    emitted: tuple[Message, ...] = ()
    for message in messages:
        assert "BookStateChanged" not in names(emitted)
        emitted = actor.receive(message, 1)
    return emitted


THROUGH = {
    "trade above the ask": lambda at: trade(102, at),
    "trade below the bid": lambda at: trade(99, at),
    "quote's bid at the ask": lambda at: quote(101, 103, at),
    "quote's ask at the bid": lambda at: quote(98, 100, at),
    "quote of a later id": lambda at: quote(100, 101, at, 11 + at),
}
WITHIN = {
    "trade at the ask": lambda at: trade(101, at),
    "trade at the bid": lambda at: trade(100, at),
    "quote inside": lambda at: quote(100, 101, at),
    "quote without a bid": lambda at: quote(0, 102, at),
    "quote without an ask": lambda at: quote(99, 0, at),
    "quote of an older id": lambda at: quote(500, 501, at, 9),
}


@pytest.mark.parametrize("through", THROUGH.values(), ids=THROUGH)
def test_a_contradiction_that_lasts_makes_the_book_stale(through) -> None:
    actor = live_book()
    emitted = heard(actor, through(1), through(LONG - 1), through(LONG))
    assert emitted[0] == STALE
    assert live(actor.entries[NUMBER]) is None
    alert = emitted[1]
    assert isinstance(alert, Alert)
    assert alert.event == "book_contradicted"
    assert "bid=100 ask=101" in alert.detail
    assert f"contradicted_ns={LONG - 1}" in alert.detail
    assert actor.view()["books"][NUMBER]["contradicted"] == 1
    assert heard(actor, STALE, through(2 * LONG)) == ()


@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_what_agrees_with_the_book_never_makes_it_stale(within) -> None:
    assert heard(live_book(), within(1), within(LONG), within(3 * LONG)) == ()


@pytest.mark.parametrize("through", THROUGH.values(), ids=THROUGH)
def test_one_update_takes_every_contradiction_back(through) -> None:
    actor = live_book()
    heard(actor, through(1), update(10, 11), through(LONG))
    assert actor.entries[NUMBER].state == BookState.LIVE


def test_a_contradiction_by_price_is_taken_back_by_the_next_that_agrees() -> None:
    assert heard(live_book(), trade(102, 1), trade(101, 2), trade(102, LONG), quote(101, 102, LONG + 1)) == ()


def test_a_later_id_is_taken_back_by_nothing_but_an_update() -> None:
    emitted = heard(live_book(), quote(100, 101, 1, 12), trade(101, 2), quote(100, 101, LONG, 12))
    assert emitted[0] == STALE


def test_trades_and_quotes_testify_together() -> None:
    assert heard(live_book(), trade(103, 1), quote(102, 104, LONG))[0] == STALE


def test_an_empty_side_cannot_be_traded_through() -> None:
    actor = live_book()
    actor.receive(update(10, 11, bids=((100, 0), (99, 0)), asks=((101, 0), (102, 0))), 1)
    assert heard(actor, trade(50, 1), trade(50, LONG), quote(1, 2, 2 * LONG), quote(1, 2, 4 * LONG)) == ()


def test_a_book_that_is_not_live_is_not_contradicted() -> None:
    actor = live_book()
    assert heard(actor, invalid(BookReason.SEQUENCE_GAP, 10), trade(102, 1), trade(102, LONG)) == ()


def test_a_contradicted_book_is_live_again_after_a_snapshot() -> None:
    actor = live_book()
    heard(actor, trade(102, 1), trade(102, LONG))
    assert heard(actor, STALE, snapshot(20)) == ()
    assert names(actor.receive(LIVE, 1))[:2] == ["Touch", "BookView"]
    assert heard(actor, trade(102, LONG + 1)) == ()


def test_a_contradiction_survives_a_restart() -> None:
    actor = live_book()
    actor.receive(trade(102, 1), 1)
    assert copy_of(actor, Orderbook()).receive(trade(102, LONG), 1)[0] == STALE


def test_updates_that_were_on_their_way_are_taken_by_a_stale_book() -> None:
    actor = live_book()
    heard(actor, trade(102, 1), trade(102, LONG))
    late: DepthUpdate = update(10, 11, bids=((100, 9),))
    assert heard(actor, late, STALE) == ()
    assert actor.entries[NUMBER].sequence == 11
