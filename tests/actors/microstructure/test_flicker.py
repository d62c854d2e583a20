"""Flicker against a plain count over all views, and what is no flip."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.microstructure.flicker import FLIPS_MAX, UNTRADED, Flicker
from actors.microstructure.shape import VIEW_LEVELS

SPAN_NS = 10


def plain(views: list[tuple[int, tuple[int, ...], int | None]], side: int, flips_min: int) -> list[int]:
    """The prices that flicker after the last view. A view: (received_ns, best prices, price of a trade before it)."""
    flips: list[tuple[int, int]] = []
    for (_, before, _), (at_ns, now, traded) in pairwise(views):
        ends = [levels[-1] * side for levels in (before, now) if len(levels) == VIEW_LEVELS]
        for price in {*before, *now}:
            seen = all(price * side >= end for end in ends)
            gone = price not in now
            consumed = gone and traded is not None and price * side >= traded * side
            if (price in before) != (price in now) and seen and not consumed:
                flips.append((at_ns, price))
    last_ns = views[-1][0]
    recent = [price for at_ns, price in flips if at_ns > last_ns - SPAN_NS]
    return sorted({price for price in recent if recent.count(price) >= flips_min}, reverse=side > 0)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.sets(st.integers(1, 24), min_size=1, max_size=24), st.none() | st.integers(1, 24)
        ),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([1, -1]),
    st.integers(1, 4),
)
def test_flicker_equals_the_plain_count(
    steps: list[tuple[int, set[int], int | None]], side: int, flips_min: int
) -> None:
    flicker, views, at_ns = Flicker.over(side, flips_min, SPAN_NS), [], 100
    for step_ns, levels, traded in steps:
        at_ns += step_ns
        prices = tuple(sorted(levels, reverse=side > 0)[:VIEW_LEVELS])
        if traded is not None:
            flicker.trade(traded)
        flicker.look(prices, at_ns, flicker.take_traded())
        views.append((at_ns, prices, traded))
        flicker.expire(at_ns)
        assert sorted(flicker.flickering, reverse=side > 0) == plain(views, side, flips_min)


def flickering(*views: tuple[int, ...], side: int = 1) -> list[int]:
    """Prices with two flips or more."""
    flicker = Flicker.over(side, 2, 1_000)
    for at_ns, prices in enumerate(views):
        flicker.look(prices, at_ns, flicker.take_traded())
    return list(flicker.flickering)


def test_a_level_that_comes_and_goes_flickers() -> None:
    assert flickering((100, 98), (100, 99, 98), (100, 98)) == [99]


def test_a_level_that_comes_and_stays_does_not() -> None:
    assert flickering((100, 98), (100, 99, 98), (100, 99, 98)) == []


def test_levels_beyond_the_last_one_watched_did_not_come_or_go() -> None:
    """A new best bid pushes the last level out of sight, and its end brings it back."""
    full = tuple(range(VIEW_LEVELS, 0, -1))
    assert flickering(full, (VIEW_LEVELS + 1, *full[:-1]), full) == [VIEW_LEVELS + 1]


def test_levels_that_come_into_sight_did_not_appear() -> None:
    """Two best bids go, so that two more show at the end."""
    flicker = Flicker.over(1, 2, 1_000)
    flicker.look(tuple(range(30, 30 - VIEW_LEVELS, -1)), 0, UNTRADED)
    flicker.look(tuple(range(28, 28 - VIEW_LEVELS, -1)), 1, UNTRADED)
    assert flicker.counts == {29: 1, 30: 1}


def test_the_last_level_in_sight_can_go() -> None:
    flicker = Flicker.over(1, 2, 1_000)
    full = tuple(range(30, 30 - VIEW_LEVELS, -1))
    flicker.look(full, 0, UNTRADED)
    flicker.look((*full[:-1], full[-1] - 1), 1, UNTRADED)
    assert flicker.counts == {full[-1]: 1}


def test_the_deepest_trade_counts() -> None:
    flicker = Flicker.over(1, 2, 1_000)
    flicker.look((100, 99, 98), 0, UNTRADED)
    flicker.trade(98)
    flicker.trade(100)
    flicker.look((97,), 1, flicker.take_traded())
    assert flicker.counts == {97: 1}


@pytest.mark.parametrize(("traded", "flips"), [(99, 1), (98, 1), (100, 2), (None, 2)])
def test_a_level_that_a_trade_reached_was_not_canceled(traded: int | None, flips: int) -> None:
    flicker = Flicker.over(1, 2, 1_000)
    flicker.look((100, 97), 0, UNTRADED)
    flicker.look((100, 99, 97), 1, flicker.take_traded())
    if traded is not None:
        flicker.trade(traded)
    flicker.look((100, 97), 2, flicker.take_traded())
    assert flicker.counts[99] == flips


def test_a_storm_of_flips_is_bounded() -> None:
    flicker = Flicker.over(1, 2, 10**9)
    for number in range(2 * FLIPS_MAX):
        flicker.look(((100, 99) if number % 2 else (100,)), number, UNTRADED)
    assert len(flicker.flips.values) <= FLIPS_MAX
    assert flicker.counts == {99: len(flicker.flips.values)}
