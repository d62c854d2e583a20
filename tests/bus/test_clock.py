import time
from itertools import pairwise

import pytest

from bus.clock import Clock, ClockWentBack, EngineClock, VirtualClock, boottime_ns


def test_engine_time_starts_at_wall_time_and_never_goes_back() -> None:
    clock: Clock = EngineClock()
    seen = [clock.now_ns() for _ in range(1_000)]
    assert abs(time.time_ns() - seen[-1]) < 1_000_000_000
    assert all(a <= b for a, b in pairwise(seen))


def test_a_step_of_the_wall_clock_leaves_engine_time_alone_and_shows_as_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = EngineClock()
    before = clock.now_ns()
    wall_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() - 5_000_000_000)
    assert abs(clock.wall_offset_ns() + 5_000_000_000) < 100_000_000
    assert before <= clock.now_ns() < before + 5_000_000_000


def test_boottime_advances() -> None:
    before = boottime_ns()
    time.sleep(0.002)
    assert boottime_ns() - before >= 2_000_000


def test_virtual_time_stands_until_moved() -> None:
    clock = VirtualClock(5)
    assert (clock.now_ns(), clock.now_ns()) == (5, 5)
    clock.set(9)
    clock.set(9)
    clock.advance(1)
    assert clock.now_ns() == 10


def test_virtual_time_refuses_to_go_back() -> None:
    clock = VirtualClock(5)
    with pytest.raises(ClockWentBack) as caught:
        clock.set(4)
    assert (caught.value.now_ns, caught.value.asked_ns, clock.now_ns()) == (5, 4, 5)
