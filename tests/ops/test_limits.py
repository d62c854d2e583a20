"""DIR/limits.json: what is used outlives the process, and a start waits for room."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from bus.clock import VirtualClock
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.doors.budget import Budget
from gateway.doors.window import NEW, QUERY
from gateway.market import CONNECTIONS
from ops import limits
from ops.limits import LimitsFile

S = 1_000_000_000
START = 1_700_000_100 * S
ADDRESS = "https://venue.test"
MINUTE = 60 * S


class Run:
    """One process's limits, on a clock of the test's; nothing of it is said to end."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.path = folder / "limits.json"
        self.clock = clock
        self.budget = Budget(BinanceSpotLimits())
        self.file = LimitsFile(self.path, {ADDRESS: self.budget, "https://other.test": Budget()}, clock.now_ns)

    @property
    def weight(self) -> int:
        return self.budget.view()[0][2]

    async def start(self, weight: int = 150) -> None:
        """With the waiting done by the clock: each look is a second later."""
        await self.file.wait_for_room(self.budget, weight, asyncio.Event())


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, clock: VirtualClock) -> list[float]:
    """Sleeping makes time pass; how long it was, in all."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(int(seconds * 1e9) + 1)

    monkeypatch.setattr(limits.asyncio, "sleep", sleep)
    return slept


def test_what_was_used_is_there_after_an_end(tmp_path: Path, clock: VirtualClock) -> None:
    first = Run(tmp_path, clock)
    first.budget.request(START, QUERY, 1_000)
    first.budget.hold(START, START + 90 * S)
    first.file.close()
    second = Run(tmp_path, clock)
    assert second.weight == 1_000
    assert second.budget.held.held_ns == START + 90 * S
    assert list(json.loads(second.path.read_bytes())["addresses"]) == [ADDRESS]  # the other one counts nothing


async def test_after_a_kill_what_came_since_the_last_word_is_assumed(
    tmp_path: Path, clock: VirtualClock, waits: list[float]
) -> None:
    """It spends ten a turn, is written down meanwhile, spends ten more and is gone."""
    first = Run(tmp_path, clock)
    await first.start(weight=0)
    running = asyncio.create_task(first.file.run())
    while len(waits) < 3 or not Run(tmp_path, clock).weight:
        first.budget.request(clock.now_ns(), QUERY, 10)
        await asyncio.to_thread(lambda: None)
    running.cancel()
    await asyncio.wait([running])
    first.budget.request(clock.now_ns(), QUERY, 10)
    first.file._write(first.file._present())
    first.budget.request(clock.now_ns(), QUERY, 10)
    assert Run(tmp_path, clock).weight >= first.weight


async def test_starts_that_are_killed_at_once_are_counted_and_the_last_one_waits(
    tmp_path: Path, clock: VirtualClock, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """A crash loop: each one dies in the moment after it was let in. They slow down by what they may have spent."""
    caplog.set_level(logging.WARNING)
    starts = 0
    while not waits and starts < 1_000:
        await Run(tmp_path, clock).start()
        starts += 1
    assert 30 < starts < 5_400 / 150 + 2
    assert clock.now_ns() >= START + MINUTE
    assert [record.message.split()[0] for record in caplog.records] == ["start_waits"]
    assert "REQUEST_WEIGHT/60s=" in caplog.text


async def test_openings_hold_a_start_up_too(tmp_path: Path, clock: VirtualClock, waits: list[float]) -> None:
    for _ in range(140):
        await Run(tmp_path, clock).start(weight=1)
    assert sum(waits) == pytest.approx(5 * 60, abs=1)  # until the five minutes were over, once
    assert not waits or clock.now_ns() >= START + 5 * MINUTE


async def test_two_hundred_starts_in_fifteen_minutes_are_not_slowed_down(
    tmp_path: Path, clock: VirtualClock, waits: list[float]
) -> None:
    """With what a start, twenty orders, their cancels and some questions weigh, and the venue's count after the first answer."""
    truth, window = 0, 0
    for _ in range(200):
        run = Run(tmp_path, clock)
        await run.start()
        if clock.now_ns() // MINUTE != window:
            window, truth = clock.now_ns() // MINUTE, 0
        for weight in (1, 149, 100):
            assert run.budget.request(clock.now_ns(), QUERY, weight)
            truth += weight
            told = run.budget.costs
            assert told is not None
            run.budget.learn(told.used({"x-mbx-used-weight-1m": str(truth)}), clock.now_ns())
        for _ in range(2):
            run.budget.open(clock.now_ns())
        clock.advance(4_500_000_000)
    assert waits == []


async def test_a_told_stop_ends_the_waiting(tmp_path: Path, clock: VirtualClock) -> None:
    run = Run(tmp_path, clock)
    run.budget.hold(START, START + 90 * S, banned=True)
    stopped = asyncio.Event()
    stopped.set()
    await run.file.wait_for_room(run.budget, 150, stopped)


async def test_a_start_that_weighs_more_than_a_window_waits_for_half_of_one(
    tmp_path: Path, clock: VirtualClock, waits: list[float]
) -> None:
    run = Run(tmp_path, clock)
    run.budget.request(START, NEW, 2_000)
    await run.start(weight=100_000)
    assert waits == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version":1,"written_ns":1,"addresses":{"https://venue.test":{"windows":[7]}}}']
)
def test_a_file_that_cannot_be_read_is_said_and_not_believed(
    text: str, tmp_path: Path, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "limits.json").write_text(text)
    assert Run(tmp_path, clock).weight == 0
    assert "limits_not_read" in caplog.text


def test_a_file_of_tomorrow_is_left_alone(tmp_path: Path, clock: VirtualClock) -> None:
    row = {"kind": CONNECTIONS, "interval_ns": 300 * S, "start_ns": START, "count": 250, "ahead": 0}
    told = {"version": 2, "written_ns": START, "addresses": {ADDRESS: {"windows": [row], "held": [0, 0, 0]}}}
    (tmp_path / "limits.json").write_text(json.dumps(told))
    assert all(count == 0 for _, _, count, _ in Run(tmp_path, clock).budget.view())


def test_a_disk_that_takes_nothing_is_said_once(
    tmp_path: Path, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(tmp_path, clock)
    (tmp_path / "limits.json.part").mkdir()
    run.file.close()
    run.file.close()
    assert caplog.text.count("limits_not_written") == 1
