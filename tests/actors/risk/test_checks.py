"""Each check, on both sides of its bound. One row: what differs from an order that passes, and the refusal."""

from typing import Any

import pytest

from actors.risk import AccountLimits, LatencyLimits
from bus.messages import (
    ApprovedOrder,
    BookReason,
    BookState,
    BookStateChanged,
    EngineStarted,
    FeedAge,
    OrderRefused,
    Refusal,
    Side,
    TradingState,
)
from tests.actors.risk.builders import ASK, BID, NOW, command, instrument, limits, position, risk, touch

SECOND = 1_000_000_000
BUY, SELL, NONE = Side.BUY, Side.SELL, Refusal.NONE

# (fields of the command, fields of the instrument, fields of the limits, fields of the touch, refusal)
ROWS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], Refusal]] = [
    ({}, {}, {}, {}, NONE),
    ({"instrument": 9}, {}, {}, {}, Refusal.UNKNOWN_INSTRUMENT),
    ({"version": 2}, {}, {}, {}, Refusal.INSTRUMENT_VERSION),
    ({}, {"trading": False}, {}, {}, Refusal.TRADING_STATE),
    ({"expires_ns": NOW}, {}, {}, {}, Refusal.EXPIRED),
    ({"expires_ns": NOW + 1}, {}, {}, {}, NONE),
    ({"received_ns": NOW - 2 * SECOND - 1}, {}, {}, {}, Refusal.EXPIRED),
    ({"received_ns": NOW - 2 * SECOND}, {}, {}, {}, NONE),
    ({"received_ns": 0}, {}, {}, {}, NONE),
    ({}, {}, {}, {"received_ns": NOW - 5 * SECOND - 1}, Refusal.STALE_BOOK),
    ({}, {}, {}, {"received_ns": NOW - 5 * SECOND}, NONE),
    ({}, {}, {}, {"version": 0}, Refusal.STALE_BOOK),
    ({}, {}, {}, {"bid": 0, "ask": 0}, Refusal.STALE_BOOK),
    ({}, {}, {}, {"ask": 0}, NONE),
    ({"quantity_lots": 21}, {}, {"order_lots_max": 20}, {}, Refusal.ORDER_SIZE),
    ({"quantity_lots": 20}, {}, {"order_lots_max": 20}, {}, NONE),
    ({"quantity_lots": 0}, {}, {}, {}, Refusal.QUANTITY_FILTER),
    ({"quantity_lots": 9}, {"min_lots": 10}, {}, {}, Refusal.QUANTITY_FILTER),
    ({"quantity_lots": 11}, {"max_lots": 10}, {}, {}, Refusal.QUANTITY_FILTER),
    ({"quantity_lots": 10}, {"max_lots": 10, "min_lots": 10}, {}, {}, NONE),
    ({"price_ticks": 0}, {}, {}, {}, Refusal.PRICE_FILTER),
    ({}, {"min_price_ticks": BID + 1}, {}, {}, Refusal.PRICE_FILTER),
    ({}, {"max_price_ticks": BID - 1}, {}, {}, Refusal.PRICE_FILTER),
    ({}, {"max_price_ticks": BID, "min_price_ticks": BID}, {}, {}, NONE),
    ({"price_ticks": 9_899}, {"bid_down_ppm": 990_000}, {}, {}, Refusal.PRICE_FILTER),
    ({"price_ticks": 9_900}, {"bid_down_ppm": 990_000}, {}, {}, NONE),
    ({"side": SELL, "price_ticks": 10_101}, {"ask_up_ppm": 1_010_000}, {}, {}, Refusal.PRICE_FILTER),
    ({"side": SELL, "price_ticks": 10_100}, {"ask_up_ppm": 1_010_000}, {}, {}, NONE),
    ({"price_ticks": 10_101}, {"ask_up_ppm": 1_010_000}, {}, {}, NONE),  # the other side's bound
    ({}, {"min_notional": 10 * BID + 1}, {}, {}, Refusal.MIN_NOTIONAL),
    ({}, {"min_notional": 10 * BID}, {}, {}, NONE),
    ({}, {"max_notional": 10 * BID - 1}, {}, {}, Refusal.NOTIONAL),
    ({}, {}, {"order_notional_max": 10 * BID - 1}, {}, Refusal.NOTIONAL),
    ({}, {"max_notional": 10 * BID}, {"order_notional_max": 10 * BID}, {}, NONE),
    ({"price_ticks": 9_899}, {}, {"collar_bps": 100}, {}, Refusal.PRICE_COLLAR),
    ({"price_ticks": 9_900}, {}, {"collar_bps": 100}, {}, NONE),
    ({"price_ticks": 10_100}, {}, {"collar_bps": 100}, {}, NONE),
    ({"price_ticks": 10_101}, {}, {"collar_bps": 100}, {}, Refusal.PRICE_COLLAR),
    ({"price_ticks": 10_091}, {}, {"collar_bps": 100}, {"ask": 0}, Refusal.PRICE_COLLAR),  # against the bid alone
    ({"quantity_lots": 50}, {}, {"position_lots_max": 50}, {}, NONE),
    ({"quantity_lots": 51}, {}, {"position_lots_max": 50}, {}, Refusal.POSITION),
    ({"quantity_lots": 41}, {"max_position_lots": 40}, {}, {}, Refusal.POSITION),  # MAX_POSITION
    ({"side": SELL, "price_ticks": ASK, "quantity_lots": 50}, {}, {}, {}, NONE),
    ({"side": SELL, "price_ticks": ASK, "quantity_lots": 51}, {}, {}, {}, Refusal.POSITION),
    ({"side": SELL, "price_ticks": ASK, "quantity_lots": 1}, {}, {"position_lots_min": 0}, {}, Refusal.POSITION),
    ({"reduce_only": True}, {}, {}, {}, Refusal.NOT_REDUCING),
]


@pytest.mark.parametrize(("ours", "metadata", "bounds", "top", "refusal"), ROWS)
def test_one_order_against_one_bound(
    ours: dict[str, Any], metadata: dict[str, Any], bounds: dict[str, Any], top: dict[str, Any], refusal: Refusal
) -> None:
    actor = risk(limits(**bounds))
    actor.receive(instrument(**metadata), NOW)
    actor.receive(touch(**top), NOW)
    (answer,) = actor.receive(command(**ours), NOW)
    if refusal is NONE:
        assert isinstance(answer, ApprovedOrder)
        assert answer.quantity_lots == command(**ours).quantity_lots
    else:
        asked = command(**ours)
        assert answer == OrderRefused(asked.instrument, asked.owner, asked.command, asked.side, refusal)
        assert actor.account.open_orders == 0


def reason_of(answer: tuple[Any, ...]) -> Refusal:
    return answer[0].reason if isinstance(answer[0], OrderRefused) else NONE


def test_the_book_that_was_lost_has_no_price() -> None:
    actor = risk()
    actor.receive(BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 3), NOW)
    assert reason_of(actor.receive(command(), NOW)) is Refusal.STALE_BOOK
    actor.receive(BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 4), NOW)
    assert reason_of(actor.receive(command(), NOW)) is Refusal.STALE_BOOK
    actor.receive(touch(), NOW)
    assert reason_of(actor.receive(command(), NOW)) is NONE


def test_open_orders_are_bounded_by_instrument_and_by_account() -> None:
    for bounds, account in ((limits(open_orders_max=2), None), (None, AccountLimits(open_orders_max=2))):
        actor = risk(bounds, account)
        answers = [reason_of(actor.receive(command(command=n, quantity_lots=1), NOW)) for n in range(3)]
        assert answers == [NONE, NONE, Refusal.OPEN_ORDERS]


def test_open_notional_is_bounded_by_quote_asset() -> None:
    actor = risk(None, AccountLimits(open_notional_max={"BBB": 20 * BID}))
    answers = [reason_of(actor.receive(command(command=n), NOW)) for n in range(3)]
    assert answers == [NONE, NONE, Refusal.NOTIONAL]


def test_the_order_rate_is_bounded_in_every_window() -> None:
    actor = risk(None, AccountLimits(order_rate=2, order_rate_window_ns=1_000))
    asked = [(0, NOW), (1, NOW + 400), (2, NOW + 999), (3, NOW + 1_000), (4, NOW + 1_399), (5, NOW + 1_400)]
    answers = [reason_of(actor.receive(command(command=n, quantity_lots=1), now)) for n, now in asked]
    assert answers == [NONE, NONE, Refusal.ORDER_RATE, NONE, Refusal.ORDER_RATE, NONE]


def test_reducing_orders_are_exempt_from_rate_and_position_but_not_from_size_collar_and_expiry() -> None:
    actor = risk(limits(position_lots_max=5), AccountLimits(order_rate=1, order_rate_window_ns=SECOND))
    actor.receive(position(40), NOW - 1)
    sell = {"side": SELL, "price_ticks": ASK}
    assert reason_of(actor.receive(command(command=0, **sell), NOW)) is NONE
    assert reason_of(actor.receive(command(command=1, **sell), NOW)) is NONE
    assert reason_of(actor.receive(command(command=2, **sell, quantity_lots=101), NOW)) is not NONE
    assert reason_of(actor.receive(command(command=3, side=SELL, price_ticks=11_000), NOW)) is Refusal.PRICE_COLLAR
    assert reason_of(actor.receive(command(command=4, **sell, expires_ns=NOW), NOW)) is Refusal.EXPIRED
    assert reason_of(actor.receive(command(command=5, **sell, reduce_only=True, quantity_lots=20), NOW)) is NONE
    # 40 are being sold: one more would be a short.
    last = command(command=6, **sell, reduce_only=True, quantity_lots=1)
    assert reason_of(actor.receive(last, NOW)) is Refusal.NOT_REDUCING


def test_an_order_that_meets_our_own_is_refused() -> None:
    actor = risk()
    assert reason_of(actor.receive(command(side=SELL, price_ticks=10_000), NOW)) is NONE
    crossing = command(command=1, owner="other", price_ticks=10_000)
    assert reason_of(actor.receive(crossing, NOW)) is Refusal.SELF_TRADE
    assert reason_of(actor.receive(command(command=2, price_ticks=9_999), NOW)) is NONE


@pytest.mark.parametrize("state", TradingState)
@pytest.mark.parametrize("reducing", [False, True])
def test_orders_pass_as_the_table_of_states_says(state: TradingState, reducing: bool) -> None:
    actor = risk(None, AccountLimits(owner_states={"maker": state}))
    actor.receive(position(20), NOW - 1)
    side, price = (SELL, ASK) if reducing else (BUY, BID)
    passes = state is TradingState.ACTIVE or (state is TradingState.REDUCING and reducing)
    expected = NONE if passes else Refusal.TRADING_STATE
    assert reason_of(actor.receive(command(side=side, price_ticks=price), NOW)) is expected
    assert reason_of(actor.receive(command(owner="other", command=1, side=side, price_ticks=price), NOW)) is NONE


def test_a_command_delivered_twice_reserves_once() -> None:
    actor = risk()
    assert reason_of(actor.receive(command(), NOW)) is NONE
    assert actor.receive(command(), NOW) == ()
    assert actor.view()["worst_long_lots"] == {0: 10}


# A late feed

LATE, MS = limits(feed_lag_ns_max=2 * SECOND), 1_000_000


@pytest.mark.parametrize(
    ("lag_ns", "uncertainty_ns", "reason"),
    [
        (3 * SECOND, 5 * MS, Refusal.FEED_LATE),
        (2 * SECOND + 1, 0, Refusal.FEED_LATE),
        (2 * SECOND, 0, NONE),
        (3 * SECOND, SECOND, NONE),  # it may be two seconds: the clock's uncertainty is in our favor
        (-1, 0, NONE),  # not known
        (0, 0, NONE),
    ],
)
def test_a_late_feed_refuses_what_increases(lag_ns: int, uncertainty_ns: int, reason: Refusal) -> None:
    actor = risk(LATE)
    actor.receive(FeedAge(0, lag_ns, uncertainty_ns, 7), NOW)
    assert reason_of(actor.receive(command(), NOW)) is reason


def test_a_late_feed_holds_up_nothing_that_reduces() -> None:
    actor = risk(LATE)
    actor.receive(position(40), NOW - 1)
    actor.receive(FeedAge(0, 3 * SECOND, 0, 7), NOW)
    assert reason_of(actor.receive(command(side=SELL, price_ticks=ASK, quantity_lots=40), NOW)) is NONE
    assert reason_of(actor.receive(command(command=1), NOW)) is Refusal.FEED_LATE


def test_the_last_word_on_a_feeds_age_counts_and_no_old_one() -> None:
    actor = risk(LATE)
    late, well = FeedAge(0, 3 * SECOND, 0, 7), FeedAge(0, 5 * MS, 0, 7)
    far = {"expires_ns": NOW + 100 * SECOND, "received_ns": 0}

    def asked(number: int, at_ns: int) -> Refusal:
        actor.receive(touch(received_ns=at_ns), at_ns)
        return reason_of(actor.receive(command(command=number, quantity_lots=1, **far), at_ns))

    actor.receive(late, NOW)
    assert asked(0, NOW + 15 * SECOND - 1) is Refusal.FEED_LATE
    assert asked(1, NOW + 15 * SECOND) is NONE
    actor.receive(late, NOW + 15 * SECOND)
    actor.receive(well, NOW + 16 * SECOND)
    assert asked(2, NOW + 16 * SECOND) is NONE
    actor.receive(late, NOW + 16 * SECOND)
    actor.receive(EngineStarted(0, 2), NOW + 16 * SECOND)
    assert actor.books[0].late_until_ns == 0, "of the run before"


def test_a_feeds_age_may_be_left_unlooked_at() -> None:
    actor = risk(limits(feed_lag_ns_max=0), AccountLimits(latency=LatencyLimits(feed_ns=())))
    actor.receive(FeedAge(0, 3_000 * SECOND, 0, 7), NOW)
    actor.receive(FeedAge(77, 3_000 * SECOND, 0, 7), NOW)
    assert reason_of(actor.receive(command(), NOW)) is NONE
