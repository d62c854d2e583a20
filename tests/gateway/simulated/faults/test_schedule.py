"""When a fault hits: the rules as a table, and that nothing but seed and chances decides."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.faults.schedule import Schedule
from gateway.simulated.faults.spec import ScheduleSpec


def hits(chances: int, seed: str = "s", **rules: Any) -> list[int]:
    """The numbers, from 1, of the chances that hit; one a second from second 1 on."""
    schedule = Schedule(ScheduleSpec(**rules), seed)
    return [number for number in range(1, chances + 1) if schedule.hit(float(number))]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"after": 3}, [4, 5, 6, 7, 8, 9, 10]),
        ({"every": 4}, [4, 8]),
        ({"after": 1, "every": 3}, [4, 7, 10]),
        ({"count": 2}, [1, 2]),
        ({"after": 2, "every": 2, "count": 2}, [4, 6]),
        ({"from_s": 3.0}, [3, 4, 5, 6, 7, 8, 9, 10]),
        ({"until_s": 3.0}, [1, 2]),
        ({"from_s": 3.0, "until_s": 8.0, "after": 2, "every": 2}, [6]),
        ({"probability": 0.0}, []),
        ({"after": 99}, []),
    ],
)
def test_the_rules(rules: dict[str, Any], expected: list[int]) -> None:
    """What falls outside of the window is no chance: `after` and `every` count within."""
    assert hits(10, **rules) == expected


def test_a_fault_is_over_with_its_count_or_its_window() -> None:
    schedule = Schedule(ScheduleSpec(count=1, until_s=5.0), "s")
    assert not schedule.is_over(4.9)
    assert schedule.is_over(5.0)
    assert schedule.hit(1.0)
    assert schedule.is_over(1.0)
    assert (schedule.chances, schedule.hits) == (1, 1)


RULES = st.fixed_dictionaries(
    {
        "probability": st.floats(0.0, 1.0),
        "after": st.integers(0, 20),
        "every": st.integers(1, 6),
        "count": st.none() | st.integers(1, 10),
    }
)


@given(seed=st.text(max_size=8), rules=RULES, draws=st.lists(st.booleans(), max_size=60))
def test_hits_are_a_function_of_seed_and_chances(seed: str, rules: dict[str, Any], draws: list[bool]) -> None:
    """Goal: what a hit draws for itself moves no later hit. Method: the same chances, with and without such draws."""
    schedule = Schedule(ScheduleSpec(**rules), seed)
    found = []
    for number, draw in enumerate(draws, 1):
        if schedule.hit(0.0):
            found.append(number)
            if draw:
                schedule.draws.random()
    assert found == [n for n in hits(len(draws), seed, **rules) if n <= len(draws)]


@given(seed=st.text(max_size=8), low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0))
def test_a_higher_probability_hits_where_the_lower_one_does(seed: str, low: float, high: float) -> None:
    """Every chance draws once, whatever the rules: so two runs can be compared fault by fault."""
    low, high = sorted((low, high))
    assert set(hits(50, seed, probability=low)) <= set(hits(50, seed, probability=high))


def test_another_seed_is_another_run() -> None:
    runs = {tuple(hits(64, str(seed), probability=0.5)) for seed in range(8)}
    assert len(runs) == 8
