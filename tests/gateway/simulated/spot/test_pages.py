"""A page of a long list is found without looking at all of it."""

import pytest

from gateway.simulated.spot.pages import index_of, page

ROWS = range(0, 200_000, 2)


@pytest.mark.parametrize(
    ("is_onward", "first", "expected"),
    [
        (False, 0, [199_992, 199_994, 199_996, 199_998]),
        (True, 0, [0, 2, 4, 6]),
        (True, 99_999, [100_000, 100_002, 100_004, 100_006]),
        (True, 199_997, [199_998]),
        (True, 10**9, []),
    ],
)
def test_no_more_rows_are_looked_at_than_it_takes(is_onward: bool, first: int, expected: list[int]) -> None:
    """Goal: the work of a page is that of its rows. Method: 100,000 rows; count those whose number or content is read."""
    looked: list[int] = []

    def number_of(row: int) -> int:
        looked.append(row)
        return row

    def fits(row: int) -> bool:
        looked.append(row)
        return True

    start = index_of(ROWS, first, number_of)
    assert page(ROWS, 4, fits, is_onward=is_onward, first=start) == expected
    assert len(looked) <= 4 + 17


def test_what_does_not_fit_does_not_count() -> None:
    assert page(ROWS, 3, lambda row: row % 3 == 0, is_onward=True) == [0, 6, 12]
    assert page(ROWS, 3, lambda row: row % 3 == 0, is_onward=False) == [199_986, 199_992, 199_998]
    assert page([], 3, lambda row: True, is_onward=False) == []
