"""Texts to integers, many at once: what the fast route reads is exact, and what it does not read is no figure."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus.messages.feed import Scales
from gateway.text import BadDecimal, TooFine, best_first, fast_units, finer_scales, read_exactly, read_side

DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=10)
PLAIN = st.builds(lambda whole, part: f"{whole}.{part}" if part else whole, DIGITS, st.one_of(st.just(""), DIGITS))
ODD = st.sampled_from(
    ("", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e5", "nan", " 1", "e", ",", "1e8,1", "٣", "007", "0")
)
SCALES = st.sampled_from(((8, 8), (10, 0), (2, 5), (0, 0), (12, 8)))


@given(st.lists(st.one_of(PLAIN, ODD), max_size=12), st.integers(0, 12))
@example(["1", "1e8,1"], 8)
@example(["90071992.54740991", "90071992.54740992"], 8)
def test_what_the_fast_route_reads_is_what_each_text_says(texts: list[str], decimals: int) -> None:
    read = fast_units(texts, decimals)
    if read is not None:
        assert read == tuple(int(Decimal(text).scaleb(decimals)) for text in texts)
        assert all(Decimal(number).scaleb(-decimals) == Decimal(text) for number, text in zip(read, texts, strict=True))


@given(st.lists(st.tuples(PLAIN, PLAIN), max_size=8), SCALES)
def test_both_routes_read_the_same_or_refuse_the_same(levels: list[tuple[str, str]], pair: tuple[int, int]) -> None:
    scales = Scales(*pair)
    texts = [text for level in levels for text in level]
    try:
        expected = read_exactly(texts, scales)
    except BadDecimal as error:
        with pytest.raises(type(error)):
            read_side(texts, scales)
    else:
        assert read_side(texts, scales) == expected


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=8))
def test_finer_scales_hold_what_was_too_fine(levels: list[tuple[str, str]]) -> None:
    texts = [text for level in levels for text in level]
    try:
        needed = finer_scales(texts, Scales(0, 0))
    except TooFine:
        raise
    except BadDecimal:
        return  # more than 64 bits
    read_side(texts, needed)
    assert needed == (
        max(len(price.partition(".")[2].rstrip("0")) for price in texts[::2]),
        max(len(quantity.partition(".")[2].rstrip("0")) for quantity in texts[1::2]),
    )


def test_the_fast_route_takes_what_the_venue_writes() -> None:
    """Otherwise all the properties above would hold of a route that always declines."""
    assert fast_units(["78856.05", "0.0476177", "0", "90071992.54740991"], 8) == (
        7885605000000,
        4761770,
        0,
        2**53 - 1,
    )
    assert fast_units(["0.0000098765"], 10) == (98765,)
    assert fast_units([], 8) == ()


@pytest.mark.parametrize("text", ["90071992.54740992", "0.000000001", "", "1e5", "-1", "nan", "007", ".5", "5.", "1,2"])
def test_the_fast_route_declines_what_it_cannot_prove(text: str) -> None:
    assert fast_units(["1", text, "2"], 8) is None


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["1", "2", "x", "3"], "level 1: 'x', '3'"),
        (["1", "-2", "3", "4"], "level 0: '1', '-2'"),
        (["1", "0.123456789", "y", "4"], "level 1: 'y', '4'"),
    ],
)
def test_what_is_no_decimal_is_named_with_its_level(texts: list[str], named: str) -> None:
    with pytest.raises(BadDecimal) as error:
        read_side(texts, Scales())
    assert str(error.value) == named


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), max_size=12), st.booleans())
def test_a_whole_side_is_best_first_without_empty_levels_whatever_came(
    levels: list[tuple[int, int]], descending: bool
) -> None:
    prices, quantities = tuple(price for price, _ in levels), tuple(quantity for _, quantity in levels)
    told = sorted(((price, quantity) for price, quantity in dict(levels).items() if quantity), reverse=descending)
    assert list(zip(*best_first((prices, quantities), descending), strict=True)) == told
