"""The ladder of lateness: up at once, down one step at a time, deterministic, the same after a restart."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.risk.ladder import CLOCK, FRESH_NS, LOOP, SAMPLES, STEPS, Ladder, LadderState, Measure
from actors.risk.limits import LatencyLimits
from bus.messages import LimitsTightened, TradingState

NOW = 1_000_000_000_000
MS = 1_000_000
ROW = (10 * MS, 20 * MS, 40 * MS, 80 * MS)
LIMITS = LatencyLimits(
    feed_ns=ROW, acknowledgement_ns=ROW, loop_ns=ROW, clock_ns=ROW, widen_ticks=3, widen_ppm=50, calm_ns=1_000 * MS
)


def ladder(limits: LatencyLimits = LIMITS) -> Ladder:
    return Ladder(limits)


@pytest.mark.parametrize("measure", [LOOP, CLOCK])
@pytest.mark.parametrize(
    ("value_ms", "step"), [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (40, 3), (79, 3), (80, 4), (9_999, 4)]
)
def test_a_measure_stands_where_its_thresholds_say(measure: Measure, value_ms: int, step: int) -> None:
    one = ladder()
    one.hear(measure, value_ms * MS, NOW)
    assert one.judge(NOW) is (step > 0)
    assert one.step == step
    assert one.state is STEPS[step].state


def test_the_worst_measure_decides_and_is_named() -> None:
    one = ladder()
    one.hear(LOOP, 15 * MS, NOW)
    one.hear_feed(7, 45 * MS, NOW)
    one.hear_feed(8, 5 * MS, NOW)
    assert one.judge(NOW)
    assert one.said() == LimitsTightened(3, 6, 1, "feed 45 ms, from 40 ms on step 3", 100)


def test_a_step_is_left_one_at_a_time_and_only_below_half_of_its_threshold() -> None:
    one = ladder()
    one.hear(LOOP, 100 * MS, NOW)
    one.judge(NOW)
    steps = []
    for second, value in enumerate((41, 41, 39, 39, 21, 19, 19, 9, 9, 4, 4), start=1):
        now_ns = NOW + second * 1_000 * MS
        one.hear(LOOP, value * MS, now_ns)
        one.judge(now_ns)
        steps.append(one.step)
    # 41: not below 80/2. 39: below it, for a second. 21: not below 40/2. 9: not yet below 10/2, which step 1 asks for.
    assert steps == [4, 4, 3, 3, 3, 2, 2, 1, 1, 0, 0]


def test_calm_that_is_interrupted_begins_anew() -> None:
    one = ladder()
    one.hear(LOOP, 25 * MS, NOW)
    one.judge(NOW)
    for tenth, value in enumerate((1, 1, 1, 12, 1, 1, 1, 1, 1, 1, 1, 1, 1), start=1):
        now_ns = NOW + tenth * 100 * MS
        one.hear(LOOP, value * MS, now_ns)
        assert one.judge(now_ns) is False
    one.hear(LOOP, MS, NOW + 1_400 * MS)
    assert one.judge(NOW + 1_400 * MS) is True
    assert one.step == 1


def test_a_measure_of_which_nothing_is_heard_holds_no_step() -> None:
    one = ladder()
    one.hear(LOOP, 90 * MS, NOW)
    one.judge(NOW)
    now_ns = NOW
    for _ in range(40):
        now_ns += 500 * MS
        one.judge(now_ns)
        assert one.step == 4 or now_ns > NOW + FRESH_NS
    assert one.step == 0


def test_a_lost_book_has_no_lag() -> None:
    one = ladder()
    one.hear_feed(0, 90 * MS, NOW)
    one.forget_feed(0)
    assert one.judge(NOW) is False
    one.hear_feed(0, 90 * MS, NOW)
    one.hear_feed(0, -1, NOW)  # not known
    assert one.judge(NOW) is False


def test_acknowledgements_count_by_their_median_so_that_lost_ones_alone_move_nothing() -> None:
    one, two = ladder(), ladder()
    steps = []
    for _ in range(5):
        one.hear_acknowledgement(2_000 * MS, NOW)
        one.judge(NOW)
        steps.append(one.step)
    assert steps == [0, 0, 0, 0, 4], "four are too few to say"
    for n in range(100):
        two.hear_acknowledgement(2_000 * MS if n % 9 in (1, 3, 6, 8) else MS, NOW)
        assert not two.judge(NOW)


def test_answers_of_before_a_silence_stop_nobody_again() -> None:
    """On the last step nothing is sent, so nothing is answered. When that silence has ended it, the first quick answer must
    not bring the old median back.
    """
    one = ladder()
    for _ in range(SAMPLES):
        one.hear_acknowledgement(5_000 * MS, NOW)
    one.judge(NOW)
    assert one.state is TradingState.CANCEL_ONLY
    later = NOW + FRESH_NS + 1
    while one.step:
        one.judge(later)
        later += 1_000 * MS
    one.hear_acknowledgement(2 * MS, later)
    assert not one.judge(later)
    assert one.view()["acknowledgement"] == -1


@given(st.lists(st.integers(0, 120), max_size=60))
def test_only_a_slow_answer_can_be_news(took: list[int]) -> None:
    """Asking after each answer, or only when it says so, is the same."""
    one, other = ladder(), ladder()
    for value in took:
        if one.hear_acknowledgement(value * MS, NOW):
            one.judge(NOW)
        other.hear_acknowledgement(value * MS, NOW)
        other.judge(NOW)
        assert one.step == other.step


def test_memory_of_answers_is_bounded() -> None:
    two = ladder()
    for _ in range(100):
        two.hear_acknowledgement(MS, NOW)
    assert len(two.samples) == SAMPLES


def test_a_measure_without_thresholds_is_not_looked_at() -> None:
    one = ladder(LatencyLimits(loop_ns=()))
    one.hear(LOOP, 1 << 40, NOW)
    assert one.judge(NOW) is False


@pytest.mark.parametrize("row", [(1, 2, 3), (0, 1, 2, 3), (1, 2, 2, 3), (4, 3, 2, 1)])
def test_thresholds_are_four_and_rise(row: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        LatencyLimits(feed_ns=row)


def test_the_table_never_loosens_upward() -> None:
    for lower, higher in pairwise(STEPS):
        assert (lower.widen, lower.bounded, lower.state) <= (higher.widen, higher.bounded, higher.state)
    assert STEPS[0] == (0, False, TradingState.ACTIVE)


events = st.lists(
    st.tuples(st.sampled_from([*Measure]), st.integers(0, 120), st.integers(0, 3_000)), min_size=1, max_size=60
)


@given(events, st.integers(0, 60))
def test_it_is_deterministic_and_a_restart_changes_nothing(steps: list[tuple[Measure, int, int]], at: int) -> None:
    """Never down by more than one, never below the worst fresh measure, and a copy restored at any point goes on alike."""
    one, other, now_ns = ladder(), ladder(), NOW
    for n, (measure, value, wait) in enumerate(steps):
        now_ns += wait * MS
        if n == at:
            other = ladder()
            saved = msgspec.msgpack.encode(one.saved())
            other.restore(msgspec.msgpack.decode(saved, type=LadderState))
        before = one.step
        for each in (one, other):
            if measure is Measure.FEED:
                each.hear_feed(0, value * MS, now_ns)
            elif measure is Measure.ACKNOWLEDGEMENT:
                each.hear_acknowledgement(value * MS, now_ns)
            else:
                each.hear(measure, value * MS, now_ns)
            each.judge(now_ns)
        assert one.step >= before - 1
        if measure in (LOOP, CLOCK, Measure.FEED):
            assert one.step >= sum(value * MS >= bound for bound in ROW)
        assert one.saved() == other.saved()
        assert one.in_flight_max == (1 if STEPS[one.step].bounded else 0)
