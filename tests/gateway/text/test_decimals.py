"""One text to an integer: what Decimal reads of a plain decimal, to the last digit, or a refusal that says which."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.text import BadDecimal, TooFine, decimal_text, decimals_of, units

SCALES = st.integers(0, 18)
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
TEXTS = st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,20})?", fullmatch=True) | st.text(
    alphabet="0123456789.-+eE_ \u0661\u00b2", max_size=50
)


@given(TEXTS, SCALES)
@example("9223372036.854775807", 9)
@example("9223372036.854775808", 9)
@example("1." + "0" * 46, 0)
@example("1." + "0" * 47, 0)
@example(".123456789", 8)
def test_a_text_is_read_exactly_or_refused_for_what_it_is(text: str, scale: int) -> None:
    plain = PLAIN.fullmatch(text) is not None and len(text) <= 48
    needed = decimals_of(text.rstrip("0")) if "." in text else 0
    if plain and needed > scale:
        with pytest.raises(TooFine) as error:
            units(text, scale)
        assert (error.value.decimals, str(error.value)) == (needed, text)
    elif plain and Decimal(text).scaleb(scale) < 2**63:
        assert Decimal(units(text, scale)).scaleb(-scale) == Decimal(text)
    else:
        with pytest.raises(BadDecimal) as refused:
            units(text, scale)
        assert type(refused.value) is BadDecimal
        assert str(refused.value) == text[:48]


@given(st.integers(-(2**63), 2**63 - 1), SCALES)
def test_the_shortest_text_says_the_same_number(amount: int, scale: int) -> None:
    text = decimal_text(amount, scale)
    assert Decimal(text).scaleb(scale) == amount
    assert not re.search(r"\.$|\.[0-9]*0$|[eE+]", text)
