"""A start whose questions find no room in the venue's rate limit waits for it, and not for ever."""

from pathlib import Path

import pytest

from gateway.doors.budget import Budget
from gateway.doors.window import QUERY, Purpose
from ops import engine as ops_engine
from ops.assembly import VENUE
from ops.engine import Engine
from ops.preflight import StartFailed
from ops.standby import make_coordinator
from ops.state import StateDirectory
from tests.faults.harness import Play, playing

OPEN_ORDERS_WEIGHT = 6


class Full(Budget):
    """No room for a list of open orders, so many times; as a minute that is used up refuses it."""

    times = 0

    def request(self, now_ns: int, purpose: Purpose, weight: int) -> bool:
        if weight == OPEN_ORDERS_WEIGHT and self.times:
            self.times -= 1
            self.refused[QUERY] += 1
            return False
        return super().request(now_ns, purpose, weight)


async def start(play: Play, times: int) -> bool:
    """Of an engine whose first lists are refused."""
    state = StateDirectory(play.folder / "state")
    coordinator = make_coordinator(play.config.coordination, state.path)
    try:
        await coordinator.open()
        engine = Engine(play.config, state, coordinator)
        engine.rest.budget(VENUE).__class__ = Full
        engine.rest.budget(VENUE).times = times  # type: ignore[attr-defined]  # as the line above has made it
        try:
            started = await engine.start(play.stopped)
            await engine.stop("the test is over", 5.0)
            return started
        finally:
            await engine.close()
    finally:
        await coordinator.close()
        state.close()


async def test_a_start_waits_for_room_in_the_rate_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Seven refusals: the eighth question leaves after six seconds of back-off, in the second wait."""
    monkeypatch.setattr(ops_engine, "START_S_MAX", 4.0)
    async with playing(tmp_path) as play:
        assert await start(play, 7)
    assert "start_waits" in caplog.text


async def test_a_start_that_finds_no_room_at_all_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops_engine, "START_S_MAX", 0.5)
    monkeypatch.setattr(ops_engine, "START_WAITS_MAX", 2)
    async with playing(tmp_path) as play:
        with pytest.raises(StartFailed, match=r"orders were not ready within 1 s: "):
            await start(play, 1_000_000)
