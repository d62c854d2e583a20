"""The average price that filters measure by: over its window, and no longer."""

from gateway.simulated.core.average import AveragePrice

MINUTE_NS = 60_000_000_000


def test_it_weighs_what_traded_in_the_window() -> None:
    average = AveragePrice(5)
    assert average.value(0) is None
    average.add(100, 1, 0)
    average.add(200, 3, MINUTE_NS)
    assert average.value(2 * MINUTE_NS) == 175
    assert average.value(5 * MINUTE_NS + 1) == 200
    assert average.value(60 * MINUTE_NS) == 200, "nothing in the window: the last price"


def test_it_forgets_although_nobody_asks() -> None:
    """Goal: memory is bounded by the window, not by how long the market goes on. Method: a day of a trade a minute."""
    average = AveragePrice(5)
    for minute in range(1_440):
        average.add(100, 1, minute * MINUTE_NS)
    assert len(average._seconds) <= 6
    assert average.value(1_440 * MINUTE_NS) == 100
