"""Rounding by name, against exact fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from actors.strategy import price_of, ticks_aggressive, ticks_passive
from bus.messages import Side

PRICES = st.integers(0, 10**15) | st.floats(0, 10**9)


@given(st.sampled_from(Side), PRICES, st.integers(1, 10**6))
def test_passive_and_aggressive_ticks_enclose_the_price(side: Side, price: float, tick: int) -> None:
    passive, aggressive = ticks_passive(side, price, tick), ticks_aggressive(side, price, tick)
    assert (Fraction(price) - price_of(passive, tick)) * side >= 0
    assert (price_of(aggressive, tick) - Fraction(price)) * side >= 0
    on_grid = Fraction(price) % tick == 0
    assert (aggressive - passive) * side == (0 if on_grid else 1)
