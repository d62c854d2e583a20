"""The venue's decimal text: exact or refused, never rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.binance_spot.decimals import UNITS_MAX, BadDecimal, decimal_text, signed_units, units

BAD = ["", ".", "1.", ".5", ".12345678", "-1", "+1", " 1", "1 ", "1_0", "nan", "NaN", "inf", "Infinity", "1e-7", "1E5"]
BAD += [
    "1e400",
    "0x10",
    "1.123456789",
    "1.000000000",
    "1.2.3",
    "1,5",
    "\u0661",
    "1.0000000\u0661",
    "²",
    "null",
    "1\n",
    "1.0\x00",
]
BAD += ["92233720368.54775808", "99999999999999999999999999999", "-0.00000001", "--1", "12345678.-1234567"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_plain_decimal_of_eight_places_is_refused(text: str) -> None:
    with pytest.raises(BadDecimal):
        units(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.00000000", 0),
        ("10", 1_000_000_000),
        ("0.0024", 240_000),
        ("1.5", 150_000_000),
        ("00.50000000", 50_000_000),
        ("0.00000001", 1),
        ("92233720368.54775807", UNITS_MAX),
    ],
)
def test_a_plain_decimal_is_read_exactly(text: str, amount: int) -> None:
    assert units(text) == amount


def test_a_rebate_is_a_negative_fee() -> None:
    assert signed_units("-0.00000150") == -150
    assert signed_units("0.00000150") == 150


@given(st.integers(0, UNITS_MAX))
def test_text_and_back_is_the_same_amount(amount: int) -> None:
    assert units(decimal_text(amount)) == amount


@given(st.text(alphabet="0123456789.-+eE naif_\u0661", max_size=24))
def test_whatever_is_accepted_equals_decimal(text: str) -> None:
    try:
        amount = units(text)
    except BadDecimal:
        return
    assert Decimal(text) * 10**8 == amount
