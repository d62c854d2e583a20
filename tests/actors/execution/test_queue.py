"""What lies ahead: each rule by itself, and what holds of both whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.execution.queue import (
    UNKNOWN,
    Queue,
    after_trade,
    averse_after_level,
    behind,
    proportional_after_level,
    reach_head,
    see_level,
    see_trade,
    see_trade_beyond,
    settle,
)

OWN = 5


def standing(ahead: int, others: int) -> Queue:
    """A settled order of 5 with `ahead` in front of it, in a level of `others` and itself."""
    return Queue(ahead, ahead, others + OWN, settled=True)


@pytest.mark.parametrize(
    ("ahead", "others", "expected"), [(10, 30, 10), (10, 10, 10), (10, 4, 4), (10, 0, 0), (0, 30, 0)]
)
def test_risk_averse_takes_every_cancel_to_be_behind(ahead: int, others: int, expected: int) -> None:
    assert averse_after_level(ahead, others) == expected


@pytest.mark.parametrize(
    ("ahead", "before", "traded", "others", "expected"),
    [
        (10, 40, 0, 20, 5),  # half of the level left: half of what is ahead
        (10, 40, 0, 39, 10),  # 9.75: parts count as ahead
        (10, 10, 0, 6, 6),  # last in the queue: all that leaves was ahead
        (0, 40, 0, 10, 0),  # at the head: all that leaves was behind
        (10, 40, 5, 35, 10),  # the decrease was traded, and is off already
        (10, 40, 5, 28, 8),  # of the 35 the trades left, 28 are there
        (10, 40, 8, 40, 10),  # traded and replenished: nobody is known to have left
        (10, 20, 0, 50, 10),  # joined behind
        (10, 40, 50, 3, 3),  # more traded than was shown: never more ahead than there are others
        (0, 0, 0, 0, 0),
    ],
)
def test_proportional_spreads_what_was_not_traded_over_the_level(
    ahead: int, before: int, traded: int, others: int, expected: int
) -> None:
    assert proportional_after_level(ahead, before, traded, others) == expected


@pytest.mark.parametrize(("ahead", "traded", "expected"), [(10, 4, 6), (10, 10, 0), (10, 99, 0), (0, 1, 0)])
def test_trades_take_from_the_front(ahead: int, traded: int, expected: int) -> None:
    assert after_trade(ahead, traded) == expected


def test_until_it_is_settled_all_that_is_displayed_is_ahead_and_no_trade_is_taken_off() -> None:
    queue = Queue()
    see_level(queue, 20, OWN)
    see_trade(queue, 7)
    assert (queue.ahead, queue.proportional, behind(queue, OWN)) == (20, 20, 0)
    see_level(queue, 32, OWN)
    settle(queue, OWN)
    assert (queue.ahead, queue.proportional, behind(queue, OWN)) == (27, 27, 0)


def test_a_traded_decrease_counts_once() -> None:
    queue = standing(20, 40)
    see_trade(queue, 8)
    see_level(queue, 40 + OWN - 8, OWN)
    assert (queue.ahead, queue.proportional, behind(queue, OWN)) == (12, 12, 20)


def test_what_was_canceled_beside_the_trades_is_spread() -> None:
    queue = standing(20, 40)
    see_trade(queue, 8)
    see_level(queue, 24 + OWN, OWN)
    assert (queue.ahead, queue.proportional, behind(queue, OWN)) == (12, 9, 15)


def test_an_own_execution_means_that_nobody_is_ahead_even_where_nothing_was_known() -> None:
    queue = Queue()
    reach_head(queue)
    assert (queue.ahead, queue.proportional, queue.displayed, behind(queue, OWN)) == (0, 0, UNKNOWN, 0)
    see_level(queue, 30, OWN)
    assert (queue.ahead, queue.proportional, behind(queue, OWN)) == (0, 0, 25)


events = st.lists(st.tuples(st.sampled_from(["level", "trade", "beyond"]), st.integers(0, 60)), max_size=30)


@given(st.integers(0, 60), events, st.integers(0, OWN))
def test_whatever_comes_the_estimates_stay_within_the_level_and_in_order(
    displayed: int, day: list[tuple[str, int]], own: int
) -> None:
    """Never negative, never above the others displayed at the last level, never growing, risk-averse >= proportional."""
    queue = Queue()
    see_level(queue, displayed, own)
    settle(queue, own)
    for kind, quantity in day:
        before = (queue.ahead, queue.proportional)
        if kind == "level":
            see_level(queue, quantity, own)
        elif kind == "trade":
            see_trade(queue, quantity)
        else:
            see_trade_beyond(queue)
        others = max(queue.displayed - own, 0)
        assert 0 <= queue.proportional <= queue.ahead <= others
        assert queue.ahead <= before[0]
        assert queue.proportional <= before[1]
        assert 0 <= behind(queue, own) <= others
