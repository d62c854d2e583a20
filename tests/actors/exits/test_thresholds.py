"""The prices that decide, against exact arithmetic: what closing there would leave."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from actors.exits import ExitsSettings
from actors.exits.thresholds import FAR, draw, price_of_gain
from tests.actors.exits.builders import SETTINGS, instrument

BTC = instrument(price_scale=8, quantity_scale=8, base_scale=8, quote_scale=8)
positions = st.integers(1, 10**12) | st.integers(-(10**12), -1)
prices = st.integers(10**6, 10**13)
fees = st.integers(0, 10**9)
rates = st.integers(0, 50_000)


def gain(position: int, cost: int, paid: int, fee_ppm: int, price: int) -> Fraction:
    """Quote units that closing all of it at `price` leaves, after every fee: the formula as it is told."""
    worth = Fraction(abs(position) * price, 10**8)
    side = 1 if position > 0 else -1
    return side * worth - cost - paid - worth * fee_ppm / 1_000_000


@given(positions, prices, fees, rates, st.integers(-500, 500))
def test_the_price_leaves_what_was_asked_for_and_one_unit_worse_does_not(
    position: int, entry: int, paid: int, fee_ppm: int, gain_bps: int
) -> None:
    cost = position * entry // 10**8 or (1 if position > 0 else -1)
    price = price_of_gain(position, cost, paid, gain_bps, fee_ppm, BTC)
    wanted = Fraction(abs(cost) * gain_bps, 10_000)
    side = 1 if position > 0 else -1
    assert gain(position, cost, paid, fee_ppm, price) >= wanted
    assert gain(position, cost, paid, fee_ppm, price - side) < wanted


@given(positions, prices, fees)
def test_the_prices_lie_in_their_order_on_either_side(position: int, entry: int, paid: int) -> None:
    cost = position * entry // 10**8 or (1 if position > 0 else -1)
    settings = ExitsSettings(
        **(
            SETTINGS
            | {"pressure_threshold": 0.5, "pressure_stop_bps": 40, "maker_fee_ppm": 1_000, "taker_fee_ppm": 1_000}
        )
    )
    at = draw(position, position, cost, paid, BTC, settings)
    gaining = [at.stop_run_away, at.stop, at.pressed, at.even, at.armed]
    assert gaining == sorted(gaining, reverse=at.side < 0)
    assert (at.target - at.released) * at.side >= 0
    assert (at.even - at.even_run_away) * at.side >= 0


def test_what_is_switched_off_is_never_reached() -> None:
    for side in (1, -1):
        at = draw(side * 100, side * 100, side * 1_000_000, 0, instrument(), ExitsSettings(stop_loss_bps=100))
        assert (at.target, at.released, at.armed) == (side * FAR,) * 3
        assert (at.even_run_away, at.pressed, at.stop_run_away) == (-side * FAR,) * 3
        assert (at.even, at.stop) == (10_000, 10_000 - side * 100)


def test_a_position_without_a_cost_reaches_nothing() -> None:
    """All of the cost may have gone with what was sold: there is no average price to measure from."""
    at = draw(3, 3, 0, 0, instrument(), ExitsSettings(**SETTINGS))
    assert (at.target, at.even, at.stop) == (FAR, FAR, -FAR)


def test_a_cost_left_on_a_few_units_fits_a_checkpoint() -> None:
    at = draw(1, 1, 10**18, 0, BTC, ExitsSettings(**SETTINGS))
    assert (at.target, at.even_run_away, at.stop) == (FAR, FAR, FAR)
