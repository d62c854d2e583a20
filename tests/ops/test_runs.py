"""One process over several terms: what it counts, and what it tells a person."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.doors.coordination.contract import Leader, Waiting
from gateway.doors.coordination.local import LocalCoordinator
from ops import runs as module
from ops.config import parse
from ops.ending import Stopped
from ops.hosts import ALONE
from ops.report import standing_by_line
from ops.runs import Runs
from ops.standby import Standby
from ops.state import StateDirectory
from tests.support.house import CONFIG

SECONDS = 1.0
"""Of the run under test: it ends by these alone."""


class TermsOf:
    """In place of an engine on a venue: a first term that is lost at once, and a second that lasts until it is told to stop."""

    def __init__(self, *arguments: Any) -> None:
        self.standby = Standby(arguments[2], "scope", 2_000_000_000)
        self.deposed, self.failure = asyncio.Event(), asyncio.get_running_loop().create_future()
        self.supervisor = type("Heard", (), {"failures": 0, "differences": ()})
        self.supervision = type("Whole", (), {"crash": None, "quarantines": 0})
        self.positions_left = ""
        self.asked: list[str] = []
        terms.append(self)

    async def start(self, stopped: asyncio.Event) -> bool:
        return True

    async def wait(self, seconds: float | None, stopped: asyncio.Event) -> str:
        assert seconds is None, "a term has no seconds of its own"
        if len(terms) == 1:
            self.deposed.set()
        else:
            await stopped.wait()
        return ""

    async def stop(self, reason: str, seconds: float = 0.0, *_: object) -> int:
        self.asked.append(reason)
        return 0

    async def close(self) -> None:
        """Nothing was taken."""


terms: list[TermsOf] = []


async def test_the_seconds_are_of_all_terms_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count begins with the first term and is not begun anew: one call of the loop ends the second."""
    monkeypatch.setattr(module, "Engine", TermsOf)
    monkeypatch.setattr(module, "report", lambda engine: {})
    terms.clear()
    loop, counts = asyncio.get_running_loop(), list[float]()
    call_later = loop.call_later

    def counted(delay: float, call: Any, *arguments: Any) -> asyncio.TimerHandle:
        if getattr(call, "__name__", "") == "_time_is_up":
            counts.append(delay)
        return call_later(delay, call, *arguments)

    monkeypatch.setattr(loop, "call_later", counted)
    state, stopped = StateDirectory(tmp_path), Stopped()
    coordinator = LocalCoordinator(tmp_path / "c.sqlite", "me", 2_000_000_000)
    runs = Runs(parse(CONFIG), state, coordinator, ALONE, SECONDS, live=False)
    assert await runs.once(stopped), "the first term was lost, so it stands by again"
    assert not await runs.once(stopped)
    state.close()
    assert ([term.asked for term in terms], counts) == ([["leadership lost"], ["time is up"]], [SECONDS])


def test_a_standby_says_when_its_store_cannot_be_asked() -> None:
    leader = Leader("scope", 7, "them:1")
    assert [
        standing_by_line(waiting)
        for waiting in (
            Waiting(leader, ""),
            Waiting(None, ""),
            Waiting(leader, "no answer"),
            Waiting(None, "no answer"),
        )
    ] == [
        "standing by: them:1 leads (epoch 7)",
        "standing by: nobody is known to lead",
        "standing by: the store cannot be asked (no answer); them:1 led when it last answered",
        "standing by: the store cannot be asked (no answer); who leads is not known",
    ]
