"""Where an order may stand, and whether it may stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.execution import ExecutionSettings
from actors.execution.phases import Phase
from actors.execution.pricing import Verdict, backoff_ns, judge, left_alone, passive_price
from actors.execution.slots import Order
from bus.messages import Side
from tests.actors.execution.builders import MS, SECOND, touch

KEEP, MOVE, URGENT = Verdict
BUY, SELL = Side.BUY, Side.SELL


def order(side: Side, ticks: int, leaves: int = 10, quantity: int = 10) -> Order:
    return Order(0, "x0", 0, 0, int(side), ticks, quantity, leaves, Phase.WORKING, 0)


@pytest.mark.parametrize(
    ("side", "wished", "bid", "ask", "tick", "expected"),
    [
        (BUY, 100, 90, 101, 1, 100),
        (BUY, 101, 90, 101, 1, 100),
        (BUY, 500, 90, 101, 1, 100),
        (BUY, 500, 90, 0, 1, 500),
        (BUY, 20, 90, 101, 10, 10),
        (BUY, 20, 90, 100, 10, 9),
        (SELL, 91, 90, 101, 1, 91),
        (SELL, 90, 90, 101, 1, 91),
        (SELL, 1, 90, 101, 1, 91),
        (SELL, 1, 0, 101, 1, 1),
        (SELL, 1, 95, 101, 10, 10),
        (SELL, 1, 100, 111, 10, 11),
    ],
)
def test_the_best_price_that_does_not_meet_the_other_side(
    side: Side, wished: int, bid: int, ask: int, tick: int, expected: int
) -> None:
    assert passive_price(side, wished, touch(bid, ask), tick) == expected


@given(st.sampled_from(Side), st.integers(1, 500), st.integers(1, 400), st.integers(1, 100), st.integers(1, 7))
def test_a_passive_price_never_takes_and_never_improves_on_the_wish(
    side: Side, wished: int, bid: int, spread: int, tick: int
) -> None:
    ask = bid + spread
    ticks = passive_price(side, wished, touch(bid, ask), tick)
    assert ticks * tick < ask if side > 0 else ticks * tick > bid
    assert (wished - ticks) * side >= 0
    taking = (ticks + side) * tick >= ask if side > 0 else (ticks + side) * tick <= bid
    assert ticks == wished or taking  # moved no farther than it had to be


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("toward", "lots", "leaves", "verdict"),
    [
        (0, 10, 10, KEEP),
        (1, 10, 10, KEEP),
        (2, 10, 10, MOVE),
        (-1, 10, 10, URGENT),
        (0, 12, 10, KEEP),
        (0, 13, 10, MOVE),
        (0, 10, 12, KEEP),
        (0, 10, 13, URGENT),
        (0, 10, 3, KEEP),  # partly filled: it keeps its place in the queue
        (2, 5, 10, URGENT),
    ],
)
def test_hysteresis_toward_the_touch_and_none_away_from_it(
    side: Side, toward: int, lots: int, leaves: int, verdict: Verdict
) -> None:
    settings = ExecutionSettings(reprice_ticks=2, quantity_change_ppm=250_000)
    stands = order(side, 100, leaves, max(leaves, 10))
    assert judge(stands, 100 + side * toward, lots, settings) is verdict


@pytest.mark.parametrize(
    ("bid", "bid_quantity", "ask", "expected"),
    [
        (99, 50, 104, True),  # the ask came from 110, the best bid is behind us
        (100, 10, 104, True),  # the best bid is us
        (100, 11, 104, False),  # somebody stands with us
        (101, 50, 104, False),  # somebody stands before us
        (99, 50, 105, False),  # not far enough
        (99, 50, 0, False),
        (0, 0, 104, False),
    ],
)
def test_left_alone_when_the_other_side_came_near_and_nobody_stands_with_us(
    bid: int, bid_quantity: int, ask: int, expected: bool
) -> None:
    now = touch(bid, ask, bid_quantity=bid_quantity)
    assert left_alone(order(BUY, 100), now, 110, 1, 1, 5) is expected


@pytest.mark.parametrize(("bid", "ask", "ask_quantity", "expected"), [(96, 101, 9, True), (96, 100, 11, False)])
def test_left_alone_mirrors_for_a_sell(bid: int, ask: int, ask_quantity: int, expected: bool) -> None:
    assert left_alone(order(SELL, 100), touch(bid, ask, ask_quantity=ask_quantity), 90, 1, 1, 5) is expected


def test_the_back_off_doubles_from_100_ms_to_5_s() -> None:
    waits = [backoff_ns(n, ExecutionSettings()) for n in (1, 2, 3, 6, 7, 8, 500)]
    assert waits == [100 * MS, 200 * MS, 400 * MS, 3_200 * MS, 5 * SECOND, 5 * SECOND, 5 * SECOND]
