"""The private stream breaks and comes back: nothing is believed until the venue was asked, and nothing new goes before."""

from bus.messages import (
    Balance,
    OrderStatus,
    PrivateStreamDown,
    PrivateStreamUp,
    ReportKind,
    TradingState,
    VenueQuery,
    VenueState,
)
from tests.support.stage import BALANCES, Stage

AFTER_THE_FILL = (Balance("BTC", 10 * 10**8 + 100_000, 0), Balance("USDT", (1_000_000 - 60) * 10**8, 0))


def quoting() -> Stage:
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.forget()
    return stage


def test_a_gap_makes_every_working_order_suspect_and_trading_cancel_only() -> None:
    stage = quoting()
    stage.lose_connection()
    assert [stage.status(order) for order in (stage.bid, stage.ask)] == [OrderStatus.SUSPECT] * 2
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert stage.reserved() == (100, -100)


def test_no_new_order_goes_until_the_venue_was_asked_and_agrees() -> None:
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    for _ in range(5):
        stage.tick()
    assert stage.submits() == []
    assert stage.questions()[0] == "OPEN_ORDERS"
    gone = tuple(stage.found(o, ReportKind.CANCELED, VenueState.DONE_CANCELED) for o in (stage.bid, stage.ask))
    stage.settle(1.0, ORDER=gone)
    assert stage.trading() is TradingState.ACTIVE
    stage.tick()
    assert len(stage.submits()) == 2


def test_what_was_filled_in_the_gap_is_booked_before_trading_goes_on() -> None:
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    filled = stage.found(stage.bid, state=VenueState.DONE_FILLED, executed=100)
    trade = stage.found(stage.bid, ReportKind.TRADE, VenueState.NONE, executed=100, trade_id=1, last=100)
    canceled = stage.found(stage.ask, ReportKind.CANCELED, VenueState.DONE_CANCELED)

    for _ in range(300):
        stage.house.wait(100)
        stage.house.answer_queries(AFTER_THE_FILL, ORDER=(filled, canceled), TRADES=(trade,))
    assert stage.history(stage.bid)[-1] == "FILLED"
    assert stage.history(stage.ask)[-1] == "CANCELED"
    assert (stage.position(), len(stage.fills())) == (100, 1)
    assert stage.trading() is TradingState.ACTIVE


def test_leftovers_are_canceled_before_trading_goes_on() -> None:
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    stage.house.answer_queries(OPEN_ORDERS=(stage.found(stage.bid), stage.found(stage.ask)))
    stage.house.wait(100)
    assert sorted(set(stage.cancels())) == sorted([stage.bid, stage.ask])
    assert stage.trading() is TradingState.CANCEL_ONLY
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    stage.settle(5.0)
    assert stage.trading() is TradingState.ACTIVE


def test_an_unreadable_event_is_asked_after_like_a_gap() -> None:
    """Bytes that cannot be read may have been about an order of ours."""
    stage = quoting()
    stage.house.wait(6_000)
    stage.house.door._on_frame(b'{"subscriptionId":0,"event":{"e":"executionReport","s":')
    stage.house.host.run(1_000)
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert "OPEN_ORDERS" in stage.questions()


def test_an_answer_of_before_the_gap_is_disowned() -> None:
    """A query asked before the stream broke speaks of another time; its late answer changes nothing."""
    stage = quoting()
    house = stage.house
    house.post(PrivateStreamDown(0, 2, "cut"), PrivateStreamUp(0, 3, house.clock.now_ns()))
    old = next(m for m in house.asked if isinstance(m, VenueQuery))
    house.asked.remove(old)
    house.post(PrivateStreamDown(0, 3, "cut"), PrivateStreamUp(0, 4, house.clock.now_ns()))
    house.clock.advance(1_000_000)
    before = stage.updates()
    house.post(house._answer(old, (), ()))
    assert stage.updates() == before
    assert house.actor("orders").view()["counts"]["query_answer_disowned"] == 1
    assert stage.trading() is TradingState.CANCEL_ONLY


def test_money_that_nobody_can_explain_leaves_only_reducing_orders() -> None:
    """The fill of the gap was found, but the venue's balances are as before it: somebody is wrong about money."""
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    filled = stage.found(stage.bid, state=VenueState.DONE_FILLED, executed=100)
    trade = stage.found(stage.bid, ReportKind.TRADE, VenueState.NONE, executed=100, trade_id=1, last=100)
    canceled = stage.found(stage.ask, ReportKind.CANCELED, VenueState.DONE_CANCELED)
    for _ in range(300):
        stage.house.wait(100)
        stage.house.answer_queries(BALANCES, ORDER=(filled, canceled), TRADES=(trade,))
    assert stage.trading() is TradingState.REDUCING
    assert "ledger_differs" in stage.house.alerts()


def test_a_working_order_the_venue_has_forgotten_keeps_trading_closed_for_its_processing_bound() -> None:
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    stage.settle(9.0)
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert stage.reserved() == (100, -100)


def test_a_working_order_the_venue_has_forgotten_ends_by_its_own_words_and_trading_goes_on() -> None:
    """Accepted, and now no query, no list and no trade knows it. It stayed open for good once: no start ever got ready."""
    stage = quoting()
    stage.lose_connection()
    stage.reconnect()
    stage.settle(30.0)
    assert [stage.history(order)[-1] for order in (stage.bid, stage.ask)] == ["CANCELED"] * 2
    assert stage.house.alerts().count("order_forgotten_by_venue") == 2
    assert stage.reserved() == (0, 0)
    assert stage.trading() is TradingState.ACTIVE
