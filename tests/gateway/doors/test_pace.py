"""Openings within the venue's budget, which counts those of other doors and of earlier runs too."""

import asyncio

import pytest

from bus.clock import VirtualClock
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.doors import pace
from gateway.doors.budget import Budget
from gateway.doors.pace import Dials
from gateway.market import CONNECTIONS, RateLimit

S = 1_000_000_000
START = 1_700_000_100 * S


class Few(BinanceSpotLimits):
    limits = (RateLimit(CONNECTIONS, 300 * S, 10),)


async def test_an_opening_waits_for_room_says_so_once_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, budget, told = VirtualClock(START), Budget(Few()), list[str]()

    async def sleep(seconds: float) -> None:
        clock.advance(int(seconds * 1e9) + 1)

    for _ in range(8):
        budget.open(START)  # the order door's, or an earlier run's
    dials = Dials((100, 1.0, asyncio.get_running_loop().time), budget, clock.now_ns, told.append)
    monkeypatch.setattr(pace.asyncio, "sleep", sleep)
    await dials.turn()
    assert (clock.now_ns() - START, told) == (1, [])  # the ninth; the tenth is the order connection's
    await dials.turn()
    assert clock.now_ns() - START >= 300 * S
    assert told == ["dialed in 300.0 s: the venue's limit of openings was reached"]
    assert budget.view()[0][2] == 1
