"""What closing costs about, by the levels shown. One BTC lot is 0.00001; prices and amounts have 8 decimals."""

from ops.cost import closings
from ops.telemetry import BoardRow, Ladder, Listing

BTC = Listing(3, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 1_000_000, 1_000)
ONE = 10**8
BOOK = Ladder(3, 1, 1, 1, (99 * ONE, 98 * ONE), (ONE, ONE), (101 * ONE, 102 * ONE), (ONE, ONE))


def told(position: int, ladder: Ladder | None = BOOK) -> list[str]:
    rows = (BoardRow(3, 1, 0, 0, position, 0.0, 0, 0), BoardRow(9, 1, 0, 0, 5, 0.0, 0, 0))
    return [row.line for row in closings(rows, {3: BTC}, {3: ladder} if ladder else {})]


def test_it_goes_down_the_levels_that_it_would_take() -> None:
    assert told(ONE // 2) == ["sell BTCUSDT 0.5 at about 99: 0.5 USDT worse than the mid, and the venue's fee"]
    assert told(2 * ONE) == ["sell BTCUSDT 2 at about 98.5: 3 USDT worse than the mid, and the venue's fee"]
    assert told(-2 * ONE) == ["buy back BTCUSDT 2 at about 101.5: 3 USDT worse than the mid, and the venue's fee"]


def test_more_than_is_shown_is_said() -> None:
    assert "and more than the levels shown" in told(3 * ONE)[0]


def test_without_a_book_there_is_no_price() -> None:
    unknown = ["sell BTCUSDT 1: its book is not shown, the price is not known"]
    assert told(ONE, None) == unknown
    assert told(ONE, Ladder(3, 3, 1, 1)) == unknown


def test_nothing_held_costs_nothing() -> None:
    assert told(0) == []
