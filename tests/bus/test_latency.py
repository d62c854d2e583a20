import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.latency import (
    BUCKETS,
    RELATIVE_ERROR_MAX,
    VALUE_NS_MAX,
    Histogram,
    bucket_index,
    bucket_lower_ns,
    bucket_upper_ns,
)

values_ns = st.integers(0, VALUE_NS_MAX) | st.integers(0, 100_000)


@given(st.integers(0, 2**63 - 1))
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrow(value: int) -> None:
    index = bucket_index(value)
    lower, upper = bucket_lower_ns(index), bucket_upper_ns(index)
    assert 0 <= index < BUCKETS
    assert lower <= value <= upper
    assert upper - lower <= lower * RELATIVE_ERROR_MAX


def test_buckets_follow_each_other_without_gap() -> None:
    assert [bucket_lower_ns(i + 1) - bucket_upper_ns(i) for i in range(BUCKETS - 1)] == [1] * (BUCKETS - 1)
    assert bucket_upper_ns(BUCKETS - 1) == 2**63 - 1


@given(st.lists(values_ns, min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_quantiles_are_at_most_a_sixteenth_above_the_sorted_data(values: list[int], p: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    true = sorted(values)[max(1, math.ceil(p * len(values))) - 1]
    assert true <= histogram.quantile(p) <= true * (1 + RELATIVE_ERROR_MAX)
    assert max(values) <= histogram.max_ns <= max(values) * (1 + RELATIVE_ERROR_MAX)
    assert histogram.count == len(values)


@given(st.integers(0, 2**63 - 1))
def test_the_inlined_increment_of_the_docstring_counts_the_same(v: int) -> None:
    counts = Histogram().counts
    e = v.bit_length() - 5
    if e > 0:
        counts[(e << 4) + (v >> e)] += 1
    else:
        counts[v] += 1
    assert counts.index(1) == bucket_index(v)


def test_values_out_of_range_are_clamped() -> None:
    histogram = Histogram()
    histogram.record(-7)
    histogram.record(10**15)
    assert (histogram.quantile(0.0), histogram.max_ns) == (0, VALUE_NS_MAX)


def test_summary_is_in_microseconds() -> None:
    histogram = Histogram()
    for _ in range(1_000):
        histogram.record(31)
    histogram.record(5_000_000)
    assert histogram.to_summary() == {
        "p50": 0.031,
        "p90": 0.031,
        "p99": 0.031,
        "p999": 0.031,
        "max": pytest.approx(5_000, rel=RELATIVE_ERROR_MAX),
        "count": 1_001,
    }


def test_an_empty_histogram_says_zero_and_clearing_keeps_the_list() -> None:
    histogram = Histogram()
    counts = histogram.counts
    histogram.record(5)
    histogram.clear()
    assert histogram.counts is counts
    assert set(histogram.to_summary().values()) == {0}


def test_counts_restore_a_histogram() -> None:
    histogram = Histogram()
    histogram.record(1_234)
    assert Histogram(histogram.counts).to_summary() == histogram.to_summary()
