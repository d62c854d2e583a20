"""What may still be sent to a venue: windows, reserves, what the venue says, and what outlives a run."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.doors.budget import BAN_NS_DEFAULT, HOLD_NS_DEFAULT, HOLD_NS_MAX, HOLD_NS_MIN, SPARING_NS, Budget, Held
from gateway.doors.window import CANCEL, NEW, QUERY, REDUCE, Kept, Purpose
from gateway.market import CONNECTIONS, ORDERS, WEIGHT, RateLimit, Used

S = 1_000_000_000
START = 1_700_000_100 * S  # the beginning of a minute and of five
MINUTE = 60 * S


class Costs(BinanceSpotLimits):
    """Small enough to be filled."""

    limits = (
        RateLimit(WEIGHT, MINUTE, 100),
        RateLimit(ORDERS, 10 * S, 20),
        RateLimit(ORDERS, 86_400 * S, 1_000),
        RateLimit(CONNECTIONS, 300 * S, 10),
    )


def budget() -> Budget:
    return Budget(Costs())


def used(whose: Budget, kind: str, seconds: int) -> int:
    [count] = [count for name, length, count, _ in whose.view() if (name, length) == (kind, seconds)]
    return count


@pytest.mark.parametrize(("purpose", "most"), [(CANCEL, 100), (REDUCE, 95), (QUERY, 90), (NEW, 80)])
def test_each_purpose_leaves_room_for_those_before_it(purpose: Purpose, most: int) -> None:
    one = budget()
    assert sum(one.request(START, purpose, 1) for _ in range(200)) == most
    assert one.refused[purpose] == 200 - most
    before = [other for other in Purpose if other < purpose]
    assert all(one.request(START, other, 1) for other in before)


def test_new_orders_stop_where_reducing_ones_go_on_and_cancels_always_go() -> None:
    one = budget()
    assert sum(one.order(START, False) for _ in range(50)) == 18
    assert sum(one.order(START, True) for _ in range(50)) == 2
    assert one.orders_free_ns(START, NEW) == START + 10 * S
    assert all(one.cancel(START) for _ in range(80))  # to the brim
    assert not one.order(START + 11 * S, True)  # the minute's weight is used up by them
    assert one.orders_free_ns(START + 11 * S, REDUCE) == START + MINUTE


def test_beyond_the_brim_cancels_are_spared_as_after_a_429_but_not_for_a_guess() -> None:
    """What the venue would certainly refuse, and ban for; what an earlier run may have spent is not certain."""
    one = budget()
    assert all(one.cancel(START) for _ in range(100))
    assert one.cancel(START)  # our count may be wrong by one: the venue says so, if it is not
    assert [at for at in range(1, 60) if one.cancel(START + at * S)] == [10, 20, 30, 40, 50]
    assert one.cancels_free_ns(START + 51 * S) == START + MINUTE
    assert one.cancel(START + MINUTE)
    guessed = budget()
    guessed.restore([Kept(WEIGHT, MINUTE, START, 50, 500)], Held(), START)
    assert all(guessed.cancel(START) for _ in range(50))


def test_a_window_begins_anew_at_the_venues_own_time() -> None:
    one = budget()
    one.set_clock(5 * S)  # the venue is ahead: its minute ends sooner by our clock
    assert one.request(START, QUERY, 90)
    assert not one.request(START + 54 * S, QUERY, 1)
    assert one.free_ns(START + 54 * S, QUERY, 1) == START + 55 * S
    assert one.request(START + 55 * S, QUERY, 90)


def test_the_venues_higher_count_is_taken_and_a_lower_one_is_not() -> None:
    one = budget()
    one.request(START, QUERY, 10)
    one.learn([Used(WEIGHT, MINUTE, 0, 70)], START)
    assert used(one, WEIGHT, 60) == 70
    one.learn([Used(WEIGHT, MINUTE, 0, 30)], START)
    assert used(one, WEIGHT, 60) == 70
    one.learn([Used(WEIGHT, MINUTE, 200, 30), Used("NONSENSE", MINUTE, 1, 1)], START)
    assert one.request(START, NEW, 90)  # the limit is another one now


def test_an_answer_from_before_a_window_says_nothing_of_it() -> None:
    one = budget()
    one.request(START, QUERY, 1)
    one.request(START + MINUTE, QUERY, 1)
    one.learn([Used(WEIGHT, MINUTE, 0, 99)], START + MINUTE - 1)
    assert used(one, WEIGHT, 60) == 1


def test_orders_that_filled_are_given_back_by_the_venues_word() -> None:
    one = budget()
    assert sum(one.order(START, False) for _ in range(18)) == 18
    one.learn([Used(ORDERS, 10 * S, 20, 3)], START, unanswered=5)
    assert used(one, ORDERS, 10) == 8
    assert one.order(START, False)


def test_a_hold_stops_everything_but_a_cancel_now_and_then() -> None:
    one = budget()
    until = one.hold(START, START + 30 * S)
    assert until == START + 30 * S
    assert "held for 30.0 s" in one.reason(START)
    assert not one.order(START + 29 * S, True)
    assert one.orders_free_ns(START, REDUCE) == until
    assert not one.request(START, QUERY, 1)
    assert one.free_ns(START, QUERY, 1) == until
    assert not one.cancel(START)  # it was just told
    assert one.cancels_free_ns(START) == START + SPARING_NS
    passed = [at for at in range(30) if one.cancel(START + at * S)]
    assert passed == [10, 20]
    assert one.order(until, False)
    assert one.reason(until) == ""


def test_one_cancel_that_was_done_frees_the_others() -> None:
    one = budget()
    one.hold(START, START + 30 * S)
    assert one.cancel(START + SPARING_NS)
    one.cancels_pass(START)  # one that was on its way before we were told
    assert not one.cancel(START + SPARING_NS)
    one.cancels_pass(START + SPARING_NS)
    assert all(one.cancel(START + SPARING_NS) for _ in range(20))
    one.hold(START + 12 * S, START + 40 * S)
    assert not one.cancel(START + 13 * S)


def test_a_ban_stops_cancels_and_openings_too() -> None:
    one = budget()
    until = one.hold(START, 0, banned=True)
    assert until == START + BAN_NS_DEFAULT
    one.cancels_pass(START + 1)
    assert not one.cancel(until - 1)
    assert one.cancels_free_ns(START) == until
    assert one.opening_free_ns(START, CANCEL) == until
    assert one.free_ns(START, CANCEL, 1) == until
    assert one.cancel(until)


def test_the_order_count_stops_orders_alone() -> None:
    one = budget()
    one.order(START, False)
    assert one.hold(START, 0, orders=True) == START + 10 * S  # the shorter window's end, where the venue does not say
    assert not one.order(START, True)
    assert one.request(START, QUERY, 1)
    assert one.cancel(START)


def test_a_shorter_hold_does_not_end_a_longer_one_and_none_lasts_for_ever() -> None:
    one = budget()
    one.hold(START, START + 30 * S)
    one.hold(START, START + 10 * S)
    assert one.held.held_ns == START + 30 * S
    assert one.hold(START, START + 10 * HOLD_NS_MAX) == START + HOLD_NS_MAX
    assert Budget().hold(START, 0) == START + HOLD_NS_DEFAULT


def test_openings_are_counted_and_market_data_leaves_one_for_orders() -> None:
    one = budget()
    for _ in range(9):
        assert one.opening_free_ns(START, NEW) == START
        one.open(START)
    assert one.opening_free_ns(START, NEW) == START + 300 * S
    assert one.opening_free_ns(START, CANCEL) == START
    one.open(START)
    assert one.opening_free_ns(START, CANCEL) == START + 300 * S


def test_without_limits_everything_passes_until_the_venue_says_stop() -> None:
    one = Budget()
    assert one.order(START, False)
    assert one.cancel(START)
    assert one.request(START, NEW, 10**9)
    one.hold(START, START + S)
    assert not one.order(START, False)


def test_what_fits_no_window_goes_in_an_empty_one() -> None:
    one = budget()
    assert one.request(START, NEW, 500)
    assert not one.request(START, NEW, 500)
    assert one.request(START + MINUTE, NEW, 500)


def test_a_limit_of_one_lets_one_through() -> None:
    """Nine tenths of it are nothing: new orders would have waited for ever."""
    one = budget()
    one.set_limits([RateLimit(ORDERS, 10 * S, 1)])
    assert [one.order(START, False), one.order(START, False), one.order(START + 10 * S, False)] == [True, False, True]


def test_limits_that_make_no_sense_are_left_out() -> None:
    one = budget()
    one.set_limits([RateLimit(WEIGHT, 0, 5), RateLimit(WEIGHT, MINUTE, 0), RateLimit("PUZZLES", MINUTE, 5)])
    assert one.view() == budget().view()


def test_a_time_that_is_over_or_now_is_no_reason_to_go_on_at_once() -> None:
    """Retry-After: 0, or a clock that is off: a venue that says "too much" is not asked again in the same millisecond."""
    one = budget()
    assert one.hold(START, START) == one.hold(START, START - 5 * S) == START + HOLD_NS_MIN
    assert not one.request(START + HOLD_NS_MIN - 1, QUERY, 1)
    assert one.hold(START, START - S, banned=True) == START + HOLD_NS_MIN


def test_a_count_below_nothing_is_no_count() -> None:
    one = budget()
    one.order(START, False)
    one.learn([Used(ORDERS, 10 * S, 0, -(10**12)), Used(WEIGHT, MINUTE, 0, -5)], START)
    assert (used(one, ORDERS, 10), used(one, WEIGHT, 60)) == (1, 1)
    one.restore([Kept(ORDERS, 10 * S, START, -(10**12), 0), Kept(WEIGHT, MINUTE, START, 0, -(10**12))], Held(), START)
    assert (used(one, ORDERS, 10), used(one, WEIGHT, 60)) == (1, 1)


def test_what_reached_nobody_is_given_back_in_its_own_window_alone() -> None:
    one = budget()
    one.request(START, QUERY, 90)
    one.give_back(START, 90)
    assert one.request(START, QUERY, 90)
    one.request(START + MINUTE, QUERY, 10)
    one.give_back(START, 90)  # counted in the minute before
    assert used(one, WEIGHT, 60) == 10
    assert one.order(START + MINUTE, False)
    one.give_back(START + MINUTE, 1, order=True)
    assert (used(one, WEIGHT, 60), used(one, ORDERS, 10)) == (10, 0)


# -- over a restart ---------------------------------------------------------------------------------------------------


def again(one: Budget, now_ns: int, rows: list[Kept]) -> Budget:
    """Another run's, from what was written: through bytes, as a file has them."""
    raw = msgspec.json.encode((rows, one.held))
    kept, held = msgspec.json.decode(raw, type=tuple[list[Kept], Held])
    after = budget()
    after.restore(kept, held, now_ns)
    return after


def test_what_was_used_outlives_the_process() -> None:
    one = budget()
    one.request(START, QUERY, 60)
    one.open(START)
    one.hold(START, START + 90 * S, banned=True)
    after = again(one, START + S, one.kept(START, last=True))
    assert used(after, WEIGHT, 60) == 60
    assert used(after, CONNECTIONS, 300) == 1
    assert not after.cancel(START + S)
    assert again(one, START + MINUTE, one.kept(START, last=True)).view()[0][2] == 0  # that minute is over


def test_a_killed_run_may_have_spent_as_much_again_as_in_its_fastest_second() -> None:
    one = budget()
    one.kept(START)
    one.request(START, QUERY, 20)
    rows = one.kept(START + S)
    after = again(one, START + 2 * S, rows)
    assert used(after, WEIGHT, 60) == 40
    assert not after.request(START + 2 * S, NEW, 41)
    after.learn([Used(WEIGHT, MINUTE, 100, 23)], START + 2 * S)  # the venue knows better
    assert used(after, WEIGHT, 60) == 23
    assert after.request(START + 2 * S, NEW, 41)


def test_a_start_is_written_down_before_it_is_spent() -> None:
    one = budget()
    one.request(START, QUERY, 5)
    after = again(one, START + S, one.reserve(30, 2))
    assert (used(after, WEIGHT, 60), used(after, CONNECTIONS, 300)) == (35, 2)
    twice = again(after, START + 2 * S, after.reserve(30, 2))
    assert used(twice, WEIGHT, 60) == 65  # a second one that was killed at once, too


def test_what_a_start_said_it_would_spend_is_counted_once_when_it_is_killed() -> None:
    """The venue tells no count of openings, so what is guessed of them would add up, start by start."""
    one = budget()
    one.reserve(30, 2)
    one.request(START, QUERY, 10)
    one.open(START)
    one.open(START)
    after = again(one, START + S, one.kept(START + S))
    assert (used(after, WEIGHT, 60), used(after, CONNECTIONS, 300)) == (30, 2)  # the rest may be on its way
    one.request(START + S, QUERY, 25)
    after = again(one, START + 2 * S, one.kept(START + 2 * S))
    assert used(after, WEIGHT, 60) == 40  # five more than it had said: as many again
    rests = [kept.ahead for second in range(3, 9) for kept in one.kept(START + second * S) if kept.kind == WEIGHT]
    assert rests == [2, 1, 0, 0, 0, 0]


def test_a_start_that_needs_less_than_it_said_does_not_owe_the_rest() -> None:
    one = budget()
    one.reserve(32, 2)
    for second in range(1, 9):
        rows = one.kept(START + second * S)
    assert {row.ahead for row in rows} == {0}


def test_what_was_counted_before_the_word_came_is_kept() -> None:
    """restore after the first requests of this run: both are in the window."""
    one = budget()
    one.request(START, QUERY, 5)
    one.restore([Kept(WEIGHT, MINUTE, START, 10, 3)], Held(), START)
    assert used(one, WEIGHT, 60) == 18


def test_a_date_far_off_holds_nobody() -> None:
    one = budget()
    one.restore([], Held(START + 2 * HOLD_NS_MAX, START - 1, START + S), START)
    assert one.held == Held(0, 0, START + S)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["new", "reduce", "cancel", "query", "market"]), st.integers(0, 5 * S), st.integers(1, 30)
        ),
        max_size=200,
    )
)
def test_nothing_but_cancels_ever_exceeds_a_window(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is asked for in whatever order: by the venue's windows, orders and questions stay within their shares."""
    one = budget()
    now, minute, spent, orders = START, 0, 0, {0: 0}
    for kind, later, weight in steps:
        now += later
        if now // MINUTE != minute:
            minute, spent = now // MINUTE, 0
        ten = now // (10 * S)
        orders.setdefault(ten, 0)
        if kind in ("new", "reduce"):
            went = one.order(now, kind == "reduce")
            orders[ten] += went
            spent += went
            assert not went or spent <= (95 if kind == "reduce" else 80)
        elif kind == "cancel":
            went = one.cancel(now)
            spent += went
            assert went or spent > 100
        else:
            fresh = spent == 0
            went = one.request(now, QUERY if kind == "query" else NEW, weight)
            spent += weight * went
            assert not went or fresh or spent <= (90 if kind == "query" else 80)
        assert orders[ten] <= 20
