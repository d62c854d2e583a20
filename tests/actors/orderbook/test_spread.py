"""The spread window against a list of everything that happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orderbook.spread import BUCKET_NS, BUCKETS, NO_SPREAD, SpreadWindow

STEPS = st.lists(
    st.tuples(st.integers(0, 3 * BUCKET_NS), st.one_of(st.just(NO_SPREAD), st.integers(1, 9))), min_size=1, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_window_equals_the_list_of_all_pieces(steps: list[tuple[int, int]]) -> None:
    """Oracle: cut all of history into pieces of constant spread and keep those of the last BUCKETS buckets."""
    window, now_ns, current, pieces = SpreadWindow(), 5, NO_SPREAD, []
    for elapsed_ns, spread in steps:
        if current != NO_SPREAD and elapsed_ns:
            pieces.append((now_ns, now_ns + elapsed_ns, current))
        now_ns += elapsed_ns
        window.observe(now_ns, spread)
        current = spread
    window.observe(now_ns + 5 * BUCKET_NS, 1_000)
    if current != NO_SPREAD:
        pieces.append((now_ns, now_ns + 5 * BUCKET_NS, current))
    end = now_ns + 5 * BUCKET_NS
    first_bucket_ns = (end - BUCKETS * BUCKET_NS) // BUCKET_NS * BUCKET_NS + BUCKET_NS
    kept = [(max(start, first_bucket_ns), stop, spread) for start, stop, spread in pieces if stop > first_bucket_ns]
    summary = window.summary()
    if not kept:
        assert summary == {}
        return
    duration_ns = sum(stop - start for start, stop, _ in kept)
    assert summary["min"] == min(spread for _, _, spread in kept)
    assert summary["max"] == max(spread for _, _, spread in kept)
    weighted = sum((stop - start) * spread for start, stop, spread in kept)
    assert summary["mean"] == pytest.approx(weighted / duration_ns)


def test_time_without_a_spread_counts_for_nothing() -> None:
    window = SpreadWindow()
    window.observe(0, 10)
    window.observe(100, NO_SPREAD)
    window.observe(900, 20)
    window.observe(1_000, NO_SPREAD)
    assert window.summary()["mean"] == 15


def test_old_buckets_are_forgotten() -> None:
    window = SpreadWindow()
    window.observe(0, 10)
    window.observe(BUCKET_NS, 2)
    window.observe(100 * BUCKET_NS, 3)
    assert window.summary()["max"] == 2
    assert len(window.buckets) == BUCKETS
