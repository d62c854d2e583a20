"""One page of a long list: of what is asked for, the first rows or the last ones. Pure.

There may be 100,000 rows, and nothing else is served meanwhile; so no more of them are looked at than it takes.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

Row = TypeVar("Row")


def page(
    rows: Sequence[Row], limit: int, fits: Callable[[Row], bool], *, is_onward: bool, first: int = 0
) -> Sequence[Row]:
    """Return at most `limit` rows that fit, in their order: the earliest from index `first` on if `is_onward`, else the last ones."""
    if is_onward:
        return list(islice(filter(fits, islice(rows, first, None)), limit))
    return list(islice(filter(fits, reversed(rows)), limit))[::-1]


def index_of(rows: Sequence[Row], number: int, number_of: Callable[[Row], int]) -> int:
    """Return the index of the first row with that number or a higher one; the numbers must ascend."""
    return bisect_left(rows, number, key=number_of)
