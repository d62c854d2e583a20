"""Which of the last answers is believed: the surest, unless a later one contradicts it."""

import pytest

from bus.messages import ClockEstimate
from gateway.doors.venue_time import KEPT_MAX, Heard, VenueTime, estimate, is_unsure, keep, surest

MS = 1_000_000
SECOND = 1_000_000_000


def told(offset_ms: float, uncertainty_ms: float) -> ClockEstimate:
    return ClockEstimate(3, int(offset_ms * MS), int(uncertainty_ms * MS))


def heard(*rows: tuple[float, float, int]) -> tuple[Heard, ...]:
    """Rows of (offset ms, uncertainty ms, second), each taken as the door takes it."""
    kept: tuple[Heard, ...] = ()
    for offset_ms, uncertainty_ms, second in rows:
        kept = keep(kept, Heard(told(offset_ms, uncertainty_ms), second * SECOND))
    return kept


def test_the_truth_lies_within_the_bounds_wherever_the_venue_stamped_its_answer() -> None:
    asked_ns, answered_ns, offset_ns = 10 * SECOND, 10 * SECOND + 700 * MS, 123 * MS
    for stamped_ns in (asked_ns, (asked_ns + answered_ns) // 2, answered_ns):
        got = estimate(3, asked_ns, answered_ns, (stamped_ns + offset_ns) // MS)
        assert abs(got.offset_ns - offset_ns) <= got.uncertainty_ns
        assert got.uncertainty_ns == 350 * MS + 500_000


@pytest.mark.parametrize(
    ("rows", "now_s", "best"),
    [
        ([(7, 2, 0)], 0, told(7, 2)),
        ([(7, 2, 0)], 10, told(7, 2.5)),  # 50 ppm
        ([(7, 2, 0), (300, 350, 10)], 10, told(7, 2.5)),  # one slow answer replaces nothing
        ([(300, 350, 0), (7, 2, 10)], 10, told(7, 2)),
        ([(7, 2, 0), (8, 2.5, 10)], 10, told(8, 2.5)),  # of equals the latest
        ([(7, 2, 0), (8, 2.6, 10)], 10, told(7, 2.5)),
        ([(7, 2, 0), (9, 4, 60)], 60, told(9, 4)),  # age makes the good one worse
        ([(7, 2, 0), (900, 350, 10)], 10, told(900, 350)),  # no overlap: a clock was set, and the old one is void
        ([(7, 2, 0), (900, 350, 10), (400, 350, 20)], 20, told(400, 350)),  # and stays so, though these overlap both
    ],
)  # fmt: skip
def test_the_surest_of_what_agrees_is_believed(
    rows: list[tuple[float, float, int]], now_s: int, best: ClockEstimate
) -> None:
    assert surest(heard(*rows), now_s * SECOND) == best


def test_only_the_last_few_are_kept() -> None:
    kept = heard(*((7, 2, second) for second in range(3 * KEPT_MAX)))
    assert [row.at_ns // SECOND for row in kept] == list(range(2 * KEPT_MAX, 3 * KEPT_MAX))


@pytest.mark.parametrize(
    ("fresh_ms", "best_ms", "unsure"),
    [
        (300, 300, True),  # the first one, and slow
        (200, 200, False),  # the first one, from the other end of the world
        (250, 200, False),
        (10, 4, True),
        (8, 4, False),
        (4, 0.5, False),  # not worth a question
        (5.1, 0.5, True),
    ],
)
def test_a_slow_answer_is_worth_another_question(fresh_ms: float, best_ms: float, unsure: bool) -> None:
    assert is_unsure(told(0, fresh_ms), told(0, best_ms)) is unsure


def test_venue_time_is_engine_time_moved_by_the_offset() -> None:
    venue_time = VenueTime()
    assert venue_time.milliseconds(5 * SECOND) == 5_000
    venue_time.take(told(-7, 2))
    assert venue_time.milliseconds(5 * SECOND) == 4_993
