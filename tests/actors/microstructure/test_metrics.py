"""Each metric's reducer against its formula over the whole list."""

from itertools import pairwise
from math import exp
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.microstructure.flow import OrderFlow
from actors.microstructure.shape import depth_imbalance, imbalance, rank_weights, weighted_mid
from actors.microstructure.window import MomentWindow, Window

PRICE = st.integers(1, 6)
QUANTITY = st.integers(1, 10**13)
TOP = st.tuples(PRICE, QUANTITY, PRICE, QUANTITY)


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=60), st.integers(1, 9))
def test_window_equals_the_last_values(values: list[int], size: int) -> None:
    window, plain = MomentWindow(size), Window(size)
    for count, value in enumerate(values, 1):
        window.push(value)
        plain.push(value)
        last = values[max(0, count - size) : count]
        assert window.total == plain.total == sum(last)
        assert window.squares == sum(value * value for value in last)
        assert window.full == plain.full == (count >= size)
        assert window.newest == value
        mean, deviation = window.moments()
        assert mean == window.mean() == pytest.approx(fmean(last), abs=1e-9)
        assert deviation == pytest.approx(pstdev(last), rel=1e-9, abs=1e-6)


def test_window_does_not_drift() -> None:
    window = MomentWindow(3)
    for value in [10**18, -(10**18), 1] * 10_000 + [7, 7, 7]:
        window.push(value)
    assert window.moments() == (7.0, 0.0)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=40), st.integers(1, 5))
def test_moments_that_were_kept_equal_those_taken_anew(values: list[int], size: int) -> None:
    """Few different values, so that many a push replaces a value by an equal one and keeps what was computed."""
    window = MomentWindow(size)
    for value in values:
        window.push(value)
        assert window.moments() == MomentWindow(size, list(window.values), window.at).moments()
    window.clear()
    assert window.moments() == (0.0, 0.0)


def order_flow(tops: list[tuple[int, int, int, int]]) -> list[int]:
    """e_n as printed in the paper, one for each pair of neighbors."""
    events = []
    for before, after in pairwise(tops):
        bid0, bid_quantity0, ask0, ask_quantity0 = before
        bid, bid_quantity, ask, ask_quantity = after
        events.append(
            (bid >= bid0) * bid_quantity
            - (bid <= bid0) * bid_quantity0
            - (ask <= ask0) * ask_quantity
            + (ask >= ask0) * ask_quantity0
        )
    return events


@settings(max_examples=200)
@given(st.lists(TOP, min_size=1, max_size=40), st.integers(1, 9))
def test_order_flow_equals_the_papers_sum(tops: list[tuple[int, int, int, int]], size: int) -> None:
    flow = OrderFlow(Window(size))
    for count, top in enumerate(tops, 1):
        flow.update(*top)
        assert flow.window.total == sum(order_flow(tops[:count])[-size:])


@pytest.mark.parametrize(
    ("after", "event"),
    [
        ((100, 15, 101, 10), 5),  # bid queue grows
        ((100, 10, 101, 4), 6),  # ask queue shrinks
        ((101, 3, 102, 9), 3 + 10),  # both prices rise
        ((99, 3, 101, 10), -10),  # the bid is gone
        ((100, 10, 101, 10), 0),
    ],
)
def test_order_flow_of_single_events(after: tuple[int, int, int, int], event: int) -> None:
    flow = OrderFlow(Window(5))
    flow.update(100, 10, 101, 10)
    flow.update(*after)
    assert flow.window.total == event


@given(st.lists(QUANTITY, min_size=1, max_size=20), st.lists(QUANTITY, min_size=1, max_size=20))
def test_depth_imbalance_equals_the_weighted_sum(bids: list[int], asks: list[int]) -> None:
    def side(quantities: list[int]) -> float:
        return sum(exp(-0.2 * rank) * quantity for rank, quantity in enumerate(quantities))

    expected = (side(bids) - side(asks)) / (side(bids) + side(asks))
    assert depth_imbalance(rank_weights(0.2), tuple(bids), tuple(asks)) == pytest.approx(expected, abs=1e-4)


@given(TOP)
def test_imbalance_and_weighted_mid(top: tuple[int, int, int, int]) -> None:
    bid, bid_quantity, ask, ask_quantity = top
    share = bid_quantity / (bid_quantity + ask_quantity)
    assert imbalance(bid_quantity, ask_quantity) == pytest.approx(2 * share - 1, abs=1e-12)
    assert weighted_mid(*top) == pytest.approx(share * ask + (1 - share) * bid)
    assert min(bid, ask) <= weighted_mid(*top) <= max(bid, ask)


def test_imbalance_points_to_the_heavier_side() -> None:
    assert imbalance(30, 10) == 0.5
    assert weighted_mid(100, 30, 101, 10) == 100.75
    assert depth_imbalance((2, 1), (1, 9), (4,)) == (11 - 8) / 19
    assert depth_imbalance((2, 1), (), ()) == 0.0
