"""A side's rows to integers: in any scales what is read is what Decimal reads, and what is not exactly rows is not read."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus.messages.feed import Levels, Scales
from gateway.text import read_exactly, read_levels

WIDTHS = st.sampled_from((2, 3, 4))
SCALES = st.builds(Scales, st.integers(0, 18), st.integers(0, 18))
Rows = list[list[str]]


def written(rows: Rows) -> bytes:
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()[1:-1]


def of_scale(scale: int) -> st.SearchStrategy[str]:
    """What the fast route holds: below 2^53 units."""
    return st.integers(0, 2**53 - 1).map(lambda amount: f"{Decimal(amount).scaleb(-scale):f}")


@st.composite
def sides(draw: st.DrawFn) -> tuple[int, Scales, Rows]:
    """The texts behind price and quantity are a venue's counts; where both scales are one they are read along with them."""
    width, scales = (
        draw(WIDTHS),
        draw(st.one_of(SCALES, st.builds(lambda scale: Scales(scale, scale), st.integers(0, 12)))),
    )
    count = st.integers(0, min(2_000, (2**53 - 1) // 10**scales.price)).map(str)
    row = st.tuples(of_scale(scales.price), of_scale(scales.quantity), *[count] * (width - 2)).map(list)
    return width, scales, draw(st.lists(row, max_size=8))


def by_decimal(rows: Rows, scales: Scales) -> Levels:
    return (
        tuple([int(Decimal(row[0]).scaleb(scales.price)) for row in rows]),
        tuple([int(Decimal(row[1]).scaleb(scales.quantity)) for row in rows]),
    )


@given(sides())
@example((2, Scales(8, 8), [["90071992.54740991", "0"]]))
@example((4, Scales(9, 0), [["0.000012345", "9007199254740991", "0", "12"]]))
def test_what_fits_is_read_in_any_scales_and_equals_decimal(side: tuple[int, Scales, Rows]) -> None:
    width, scales, rows = side
    assert read_levels(written(rows), width, scales) == by_decimal(rows, scales)


odd = st.text(alphabet='0123456789.-+eEn"[]:, \u0661\\', max_size=26) | st.sampled_from(
    ["nan", "1e5", "-1", "+1", "1.123456789", "01", "1.0.0", ".5", "5.", "", '1","2', '"],["', "90071992.54740992"]
)


@given(sides(), odd, st.integers(0, 1), st.integers(0, 7))
def test_no_odd_text_is_ever_read_as_another_number(
    side: tuple[int, Scales, Rows], text: str, place: int, rank: int
) -> None:
    width, scales, rows = side
    if rows:
        rows[rank % len(rows)][place] = text
    levels = read_levels(written(rows), width, scales)
    if levels is not None:
        texts = [text for row in rows for text in row[:2]]
        assert levels == by_decimal(rows, scales) == read_exactly(texts, scales)


@given(
    sides(),
    st.integers(0, 10_000),
    st.binary(max_size=3) | st.from_regex(rb"[0-9.\",\[\]]{1,3}", fullmatch=True),
    st.integers(0, 4),
)
def test_damaged_rows_are_read_as_json_and_decimal_read_them_or_not_at_all(
    side: tuple[int, Scales, Rows], at: int, put: bytes, cut: int
) -> None:
    width, scales, rows = side
    text = written(rows)
    at %= len(text) + 1
    damaged = text[:at] + put + text[at + cut :]
    levels = read_levels(damaged, width, scales)
    if levels is not None:
        read: Rows = json.loads(b"[" + damaged + b"]")
        assert {len(row) for row in read} <= {width}
        assert levels == by_decimal(read, scales) == read_exactly([text for row in read for text in row[:2]], scales)


@pytest.mark.parametrize("scales", [Scales(8, 8), Scales(9, 0), Scales(2, 8)])
@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("put", [b"7", b".", b"7.", b".7"])
def test_digits_between_the_texts_are_never_read_over(scales: Scales, width: int, put: bytes) -> None:
    """At every place of two rows: where it is inside a text the text has changed, elsewhere it is JSON no more."""
    text = written([["1.5", "20", "0", "3"][:width], ["2", "0", "0", "1"][:width]])
    for at in range(len(text) + 1):
        damaged = text[:at] + put + text[at:]
        try:
            read: Rows = json.loads(b"[" + damaged + b"]")
            told = read_exactly([text for row in read for text in row[:2]], scales)
        except (ValueError, TypeError):  # no JSON, no texts, or no decimals
            told = None
        levels = read_levels(damaged, width, scales)
        assert levels in (told, None), damaged


@pytest.mark.parametrize(
    ("scales", "price", "quantity"),
    [
        (Scales(8, 8), "1.123456789", "1"),
        (Scales(8, 8), "45035996.000000001", "1"),  # times 10^8 a double rounds the last digit away
        (Scales(8, 0), "1", "4503599627370495.9"),
        (Scales(8, 0), "1", "1.5"),
        (Scales(0, 8), "9007199254740992", "1"),
        (Scales(-1, 8), "10", "1"),
        (Scales(8, 19), "10", "0"),
    ],
)
def test_what_a_double_would_round_is_declined(scales: Scales, price: str, quantity: str) -> None:
    assert read_levels(written([["1", "2"], [price, quantity]]), 2, scales) is None


@pytest.mark.parametrize("scales", [Scales(8, 8), Scales(10, 8), Scales(8, 0)])
@pytest.mark.parametrize("width", [2, 3, 4])
def test_recorded_texts_are_taken(scales: Scales, width: int) -> None:
    """Otherwise the properties that allow None would hold of a route that always declines."""
    row = ["2683.8", "3", "0", "12"][:width]
    assert read_levels(written([row, row]), width, scales) == by_decimal([row, row], scales)
    assert read_levels(b"", width, scales) == ((), ())


def test_more_rows_than_its_limit_are_left_to_the_slow_route() -> None:
    row = b'["1","2"]'
    assert read_levels(b",".join([row] * 10_000), 2, Scales()) == ((10**8,) * 10_000, (2 * 10**8,) * 10_000)
    assert read_levels(b",".join([row] * 10_001), 2, Scales()) is None
