"""What fills do to a position: rows worked out by hand, and that money is neither made nor lost whatever is traded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.usdm.positions import Position, signed_amount

ROWS = [
    # fills (quantity, price) -> quantity, entry price, realized, unrealized at 110
    ([(2, 100)], 2, 100, 0, 20),
    ([(1, 100), (1, 104)], 2, 102, 0, 16),
    ([(2, 100), (-1, 105)], 1, 100, 5, 10),
    ([(2, 100), (-2, 105)], 0, 0, 10, 0),
    ([(2, 100), (-3, 105)], -1, 105, 10, -5),
    ([(-2, 100)], -2, 100, 0, -20),
    ([(-2, 100), (1, 90)], -1, 100, 10, -10),
    ([(-2, 100), (1, 120)], -1, 100, -20, -10),
    ([(-2, 100), (5, 120)], 3, 120, -40, -30),
    ([(1, 100), (-1, 90), (-1, 80), (1, 70)], 0, 0, 0, 0),
]


@pytest.mark.parametrize(("fills", "quantity", "entry", "realized", "unrealized"), ROWS)
def test_a_position_after_its_fills(
    fills: list[tuple[int, int]], quantity: int, entry: int, realized: int, unrealized: int
) -> None:
    position = Position()
    total = 0
    for contracts, price in fills:
        total += position.trade(contracts * SCALE, price * abs(contracts) * SCALE)
    assert position.quantity == quantity * SCALE
    assert position.entry_price == entry * SCALE
    assert total == position.realized == realized * SCALE
    assert position.unrealized(110 * SCALE) == unrealized * SCALE


fills = st.lists(
    st.tuples(
        st.integers(-50_000, 50_000).filter(bool).map(lambda n: n * SCALE // 1_000),
        st.integers(1, 10_000_000).map(lambda n: n * SCALE // 100),
    ),
    max_size=40,
)


@given(fills)
def test_realized_pnl_less_cost_is_what_was_paid(trades: list[tuple[int, int]]) -> None:
    """Goal: no rounding makes or loses money. Method: realized PnL less the cost left is exactly the cash that went in and out."""
    position = Position()
    cash = 0
    for quantity, price in trades:
        amount = price * abs(quantity) // SCALE
        cash += -amount if quantity > 0 else amount
        position.trade(quantity, amount)
    assert position.realized - position.cost == cash
    assert position.quantity == sum(quantity for quantity, _ in trades)


@given(fills, st.integers(1, 10_000_000).map(lambda n: n * SCALE // 100))
def test_a_flat_position_costs_nothing(trades: list[tuple[int, int]], price: int) -> None:
    position = Position()
    for quantity, at in trades:
        position.trade(quantity, at * abs(quantity) // SCALE)
    if position.quantity:
        position.trade(-position.quantity, price * abs(position.quantity) // SCALE)
    assert (position.quantity, position.cost, position.entry_price) == (0, 0, 0)


def test_a_part_of_a_short_is_worth_its_negative() -> None:
    assert signed_amount(3 * SCALE, -2 * SCALE) == -6 * SCALE
