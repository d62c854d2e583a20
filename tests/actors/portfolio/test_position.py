"""The position against exact fractions, and the identity that no unit is ever lost."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.portfolio.position import (
    Position,
    average_price,
    pay_base_fee,
    pay_quote_fee,
    trade,
    unrealized,
    value,
)
from bus.messages import Side

BUY, SELL = Side.BUY, Side.SELL

Step = tuple[Side, int, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.integers(1, 10**9),
        st.integers(0, 10**12),
        st.integers(-99, 99),
        st.integers(-99, 99),
    ),
    max_size=30,
)


def played(steps: list[Step]) -> Position:
    position = Position(7)
    for side, quantity, quote, base_fee, quote_fee in steps:
        trade(position, side, quantity, quote)
        pay_base_fee(position, base_fee)
        pay_quote_fee(position, quote_fee)
    return position


class Exact:
    """Average cost in fractions: the textbook, without rounding."""

    def __init__(self) -> None:
        self.quantity, self.average, self.realized = 0, Fraction(0), Fraction(0)

    def trade(self, side: Side, quantity: int, quote: int) -> None:
        price = Fraction(quote, quantity)
        signed = side * quantity
        if self.quantity * signed >= 0:
            cost = self.average * self.quantity + price * signed
            self.quantity += signed
            self.average = cost / self.quantity
            return
        closing = min(quantity, abs(self.quantity))
        self.realized += closing * (price - self.average) * (1 if self.quantity > 0 else -1)
        self.quantity += signed
        if self.quantity * signed > 0:
            self.average = price
        elif self.quantity == 0:
            self.average = Fraction(0)


@given(steps=STEPS)
def test_realized_minus_cost_is_the_cash_flow(steps: list[Step]) -> None:
    position = played(steps)
    cash = sum(-side * quote - quote_fee for side, _, quote, _, quote_fee in steps)
    assert position.realized - position.cost == cash
    assert position.quantity == sum(side * quantity - base_fee for side, quantity, _, base_fee, _ in steps)


@given(steps=STEPS, price=st.integers(1, 10**7))
def test_realized_plus_unrealized_is_cash_plus_what_is_held(steps: list[Step], price: int) -> None:
    position = played(steps)
    position.bid = position.ask = price
    cash = sum(-side * quote - quote_fee for side, _, quote, _, quote_fee in steps)
    held = value(position.quantity, price, 2, 8, 8)
    assert position.realized + unrealized(position, 2, 8, 8) == cash + held


@given(steps=STEPS)
def test_realized_agrees_with_exact_fractions_within_a_unit_a_step(steps: list[Step]) -> None:
    position, exact = Position(7), Exact()
    for side, quantity, quote, _, _ in steps:
        trade(position, side, quantity, quote)
        exact.trade(side, quantity, quote)
    assert position.quantity == exact.quantity
    assert abs(position.realized - exact.realized) <= 2 * len(steps)
    assert abs(position.cost - exact.average * exact.quantity) <= 2 * len(steps)


@given(steps=STEPS)
def test_nothing_held_costs_nothing(steps: list[Step]) -> None:
    position = played(steps)
    if position.quantity:
        trade(position, SELL if position.quantity > 0 else BUY, abs(position.quantity), 5)
    assert (position.quantity, position.cost) == (0, 0)


@pytest.mark.parametrize(
    ("steps", "quantity", "cost", "realized"),
    [
        ([(BUY, 10, 1000)], 10, 1000, 0),
        ([(BUY, 10, 1000), (BUY, 10, 1200)], 20, 2200, 0),
        ([(BUY, 10, 1000), (SELL, 4, 500)], 6, 600, 100),
        ([(BUY, 3, 100), (SELL, 1, 50)], 2, 67, 17),  # a third of 100 is released as 33
        ([(BUY, 10, 1000), (SELL, 15, 1800)], -5, -600, 200),  # through zero: 10 closed, 5 opened
        ([(SELL, 10, 1000), (BUY, 4, 300)], -6, -600, 100),
        ([(SELL, 10, 1000), (BUY, 10, 1100)], 0, 0, -100),
    ],
)
def test_average_cost(steps: list[tuple[Side, int, int]], quantity: int, cost: int, realized: int) -> None:
    position = Position(7)
    for side, units, quote in steps:
        trade(position, side, units, quote)
    assert (position.quantity, position.cost, position.realized) == (quantity, cost, realized)


def test_a_base_fee_leaves_the_cost_with_the_rest() -> None:
    position = Position(7)
    trade(position, BUY, 1_000, 50_000)
    pay_base_fee(position, 1)
    assert (position.quantity, position.cost, position.realized) == (999, 50_000, 0)


def test_a_base_fee_that_takes_all_is_a_loss() -> None:
    position = Position(7)
    trade(position, BUY, 1, 50)
    pay_base_fee(position, 1)
    assert (position.quantity, position.cost, position.realized) == (0, 0, -50)


def test_a_base_fee_through_zero_leaves_a_short_that_cost_nothing() -> None:
    position = Position(7)
    trade(position, BUY, 1, 50)
    pay_base_fee(position, 3)
    assert (position.quantity, position.cost, position.realized) == (-2, 0, -50)


def test_a_position_is_valued_at_the_side_it_would_be_closed_at() -> None:
    """1 unit of 10^-8 base, prices with 2 decimals, quote with 8: the price is the value in cents."""
    position = Position(7)
    trade(position, BUY, 100_000_000, 2_000_000_000_000)
    position.bid, position.ask = 2_001_000, 2_002_000
    assert unrealized(position, 2, 8, 8) == 1_000_000_000
    assert average_price(position, 2, 8, 8) == pytest.approx(2_000_000.0)
    trade(position, SELL, 200_000_000, 4_000_000_000_000)
    assert unrealized(position, 2, 8, 8) == -2_000_000_000
