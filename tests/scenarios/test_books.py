"""A book with a hole, a lost feed, a silent feed: quotes go, and none comes back before the book is LIVE again."""

from bus.messages import BookState, ConnectionDown, ConnectionUp, Frame, OrderRefused, Refusal, SnapshotRequest
from tests.support.house import CONFIG
from tests.support.stage import Stage


def quoting() -> Stage:
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.wait(1_000)
    stage.house.wire.written.clear()
    return stage


def end_both(stage: Stage) -> None:
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)


def test_a_gap_pulls_both_quotes_in_the_same_cascade() -> None:
    stage = quoting()
    stage.house.tap.carried.clear()
    stage.lose_a_frame()
    assert stage.book_state() is BookState.INVALID
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    story = stage.house.story()
    assert story.index("execution < BookStateChanged") < story.index("order_door < CancelOrder")


def test_nothing_new_goes_until_the_book_is_live_and_then_quotes_return() -> None:
    stage = quoting()
    stage.lose_a_frame()
    end_both(stage)
    for _ in range(10):
        stage.tick()
    assert stage.submits() == []
    stage.open_book_again()
    assert stage.book_state() is BookState.LIVE
    assert len(stage.submits()) == 2


def test_a_lost_connection_pulls_the_quotes_and_a_new_one_asks_for_the_whole_book() -> None:
    stage = quoting()
    house = stage.house
    house.post(ConnectionDown(0, 1, "closed"))
    assert stage.book_state() is BookState.INVALID
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    end_both(stage)
    house.post(ConnectionUp(0, 2, house.clock.now_ns()))
    assert stage.submits() == []
    stage.open_book_again()
    assert len(stage.submits()) == 2


def test_the_end_of_a_socket_that_was_replaced_changes_nothing() -> None:
    stage = quoting()
    house = stage.house
    house.post(ConnectionUp(0, 2, house.clock.now_ns()))
    stage.open_book_again()
    house.post(ConnectionDown(0, 1, "closed"))
    assert stage.book_state() is BookState.LIVE


def test_a_feed_that_goes_silent_takes_its_quotes_down() -> None:
    """No disconnect, no gap, just nothing: the wishes made of the old book outlive it by two seconds."""
    stage = quoting()
    stage.house.wait(2_500)
    assert stage.book_state() is BookState.LIVE, "nobody can know"
    assert sorted(set(stage.cancels())) == sorted([stage.bid, stage.ask])
    assert stage.submits() == []


def test_a_book_the_venue_contradicts_is_built_anew() -> None:
    """The venue's own top at the very same update id is another one: the book is wrong, whatever the reason."""
    stage = quoting()
    top = {"u": stage.sequence, "s": "BTCUSDT", "b": "60000.05", "B": "1.0", "a": "60000.10", "A": "1.0"}
    stage.house.receive(stage.house.frame("btcusdt@bookTicker", **top))
    assert stage.book_state() is BookState.INVALID
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    stage.house.wait(300)
    assert any(isinstance(message, SnapshotRequest) for message in stage.house.asked)


def test_no_order_goes_on_a_book_older_than_the_limit() -> None:
    """A frame that waited for a second where half a second is allowed: the wish is young enough, the book is not."""
    stage = Stage(CONFIG + "\n[risk]\nbook_age_max_ms = 500\n")
    house = stage.house
    for order in (stage.bid, stage.ask):
        stage.accept(order)
        stage.fill(order)
    house.wire.written.clear()
    received_ns = house.clock.now_ns()
    house.clock.advance(1_000_000_000)
    stage.sequence += 1
    house.post(Frame(0, received_ns, house.depth(stage.sequence, stage.sequence, [["59980.00", "4.0"]], [])))
    assert stage.submits() == []
    assert {refused.reason for refused in house.said(OrderRefused)} == {Refusal.STALE_BOOK}
