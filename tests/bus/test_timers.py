"""Timers by (actor, counter): replaced, canceled, fired once, and never piled up."""

import pytest

from bus import timers as timers_module
from bus.messages import CancelTimer, SetTimer, TimerFired
from bus.timers import Timers


def set_timer(timers: Timers, counter: int, fires_ns: int, generation: int = 0, actor: str = "a") -> None:
    message = SetTimer(actor, counter, generation, fires_ns)
    assert timers.handlers[SetTimer](message, 0) == ()


def cancel(timers: Timers, counter: int, actor: str = "a") -> None:
    assert timers.handlers[CancelTimer](CancelTimer(actor, counter), 0) == ()


def counters(fired: list[TimerFired]) -> list[int]:
    return [timer.counter for timer in fired]


def test_timers_fire_when_due_earliest_first_and_once() -> None:
    timers = Timers()
    for counter, fires_ns in ((1, 30), (2, 10), (3, 20), (4, 10)):
        set_timer(timers, counter, fires_ns)
    assert timers.next_ns() == 10
    assert timers.due(9) == []
    assert counters(timers.due(20)) == [2, 4, 3]  # equal times: in the order they were set
    assert timers.due(20) == []
    assert timers.next_ns() == 30
    assert timers.due(1_000) == [TimerFired("a", 1, 0, 30)]
    assert timers.next_ns() is None


def test_a_second_one_with_the_same_name_replaces_the_first() -> None:
    timers = Timers()
    set_timer(timers, 1, 10, generation=1)
    set_timer(timers, 1, 50, generation=2)
    set_timer(timers, 1, 40, generation=3, actor="b")
    assert timers.next_ns() == 40
    assert timers.due(45) == [TimerFired("b", 1, 3, 40)]
    assert timers.due(50) == [TimerFired("a", 1, 2, 50)]


def test_a_replacement_may_be_earlier() -> None:
    timers = Timers()
    set_timer(timers, 1, 50)
    set_timer(timers, 1, 10, generation=2)
    assert timers.due(100) == [TimerFired("a", 1, 2, 10)]


def test_an_equal_timer_set_twice_fires_once() -> None:
    timers = Timers()
    set_timer(timers, 1, 10)
    set_timer(timers, 1, 10)
    assert counters(timers.due(10)) == [1]
    assert timers.due(10) == []


def test_a_canceled_timer_does_not_fire_and_canceling_nothing_is_no_error() -> None:
    timers = Timers()
    set_timer(timers, 1, 10)
    set_timer(timers, 2, 20)
    cancel(timers, 1)
    cancel(timers, 1)
    cancel(timers, 9)
    assert timers.next_ns() == 20
    assert counters(timers.due(100)) == [2]
    set_timer(timers, 1, 30)
    assert counters(timers.due(100)) == [1]


def test_timers_moved_a_hundred_thousand_times_take_no_room() -> None:
    timers = Timers()
    for number in range(100_000):
        set_timer(timers, number % 10, 1_000_000 - number)
    assert len(timers._heap) <= 2 * 10 + 65
    assert len(timers.due(10_000_000)) == 10


def test_a_leak_is_refused_at_the_limit_but_moving_one_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers_module, "TIMERS_MAX", 100)
    timers = Timers()
    for counter in range(100):
        set_timer(timers, counter, 10)
    with pytest.raises(OverflowError, match="100 timers are set; a may not set another"):
        set_timer(timers, 100, 10)
    set_timer(timers, 50, 5)
    assert counters(timers.due(5)) == [50]
    set_timer(timers, 100, 10)
