import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.core.decimals import NotDecimal, TooPrecise, decimal_text, parse_decimal


@given(st.integers(0, 10**24))
def test_text_and_back(amount: int) -> None:
    assert parse_decimal(decimal_text(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", 10**8), ("0.1", 10**7), (".5", 5 * 10**7), ("5.", 5 * 10**8), ("0.123456780000", 12_345_678)],
)
def test_accepted_texts(text: str, amount: int) -> None:
    assert parse_decimal(text) == amount


@pytest.mark.parametrize("text", ["", ".", "-1", "+1", "1e5", "1,5", "\u0661", "1.2.3", "nan", "9" * 21, " 1"])
def test_refused_texts(text: str) -> None:
    with pytest.raises(NotDecimal):
        parse_decimal(text)


def test_a_ninth_decimal_is_too_precise() -> None:
    with pytest.raises(TooPrecise):
        parse_decimal("0.123456789")
