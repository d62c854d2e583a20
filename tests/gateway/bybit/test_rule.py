"""Bybit's rule as a table: what a diff is to a book, and what a count that begins anew is."""

import pytest

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict
from gateway.bybit.rule import LATE_MAX, LINEAR, SPOT


def diff(u: int) -> DepthDiff:
    return DepthDiff("BTCUSDT", u, u, 0, (), (), (), (), u - 1)


@pytest.mark.parametrize(
    ("u", "sequence", "verdict"),
    [
        (101, 100, Verdict.NEXT),
        (2, 1, Verdict.NEXT),
        (100, 100, Verdict.DUPLICATE),
        (1, 1, Verdict.DUPLICATE),
        (99, 100, Verdict.STALE),
        (5_000 - LATE_MAX, 5_000, Verdict.STALE),
        (102, 100, Verdict.GAP),
        (1, 100, Verdict.GAP),  # a restart whose snapshot is lost
        (4_999 - LATE_MAX, 5_000, Verdict.GAP),  # the same, and more was lost than that
    ],
)
def test_what_a_diff_is_to_a_book(u: int, sequence: int, verdict: Verdict) -> None:
    assert SPOT.follow(diff(u), sequence) == SPOT.bridge(diff(u), sequence) == verdict


def test_a_restart_that_nobody_heard_of_is_found_at_its_first_diff_for_ever_short_of_a_late_copy() -> None:
    """Whatever the book stood at, some diff of the first LATE_MAX + 1 after a lost restart ends the wrong book."""
    for sequence in (2, LATE_MAX, LATE_MAX + 2, 10**9):
        verdicts = {SPOT.follow(diff(u), sequence) for u in range(1, LATE_MAX + 2)}
        assert Verdict.GAP in verdicts


def test_a_snapshot_on_the_stream_is_never_too_old() -> None:
    assert not SPOT.too_old(5, diff(900))


def test_what_the_categories_have_in_common_and_what_not() -> None:
    for rule in (SPOT, LINEAR):
        assert (rule.snapshot, rule.numbering, rule.comparable) == (SnapshotSource.STREAM, Numbering.SYMBOL, False)
    assert (SPOT.trade_ids, LINEAR.trade_ids) == (TradeIds.INCREASING, TradeIds.OPAQUE)
