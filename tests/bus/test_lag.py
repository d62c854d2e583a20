"""LoopLag: a loop that does not turn, inputs that queue, and nothing to say when neither happens."""

import asyncio
import time
from collections.abc import Callable

from bus.actor import NOTHING
from bus.clock import EngineClock
from bus.host import Host, Routing
from bus.lag import PROBE_NS, PROBES_A_SECOND, SUDDEN_NS, LagProbe
from bus.loopback import LoopbackMailboxes
from bus.messages import Frame, LoopLag, Message
from bus.pump import BATCH, Pump
from bus.timers import Timers

LIMIT_S = 60.0


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.001)


class Slow:
    """Takes frames, each for a while, and hears how late they are."""

    name = "slow"

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.lags: list[int] = []
        self.handlers = {Frame: self._frame, LoopLag: self._lag}

    def _frame(self, _frame: Message, _now_ns: int) -> tuple[Message, ...]:
        time.sleep(self.takes_s)
        return NOTHING

    def _lag(self, lag: LoopLag, _now_ns: int) -> tuple[Message, ...]:
        self.lags.append(lag.lag_ns)
        return NOTHING


def pump_of(slow: Slow) -> Pump:
    routing = Routing({Frame: ("slow",), LoopLag: ("slow",)}, (), (), (), ((LoopLag,), (Frame,)))
    clock = EngineClock()
    return Pump(Host([slow], routing, LoopbackMailboxes(), clock.now_ns), Timers(), clock)


async def test_a_loop_that_stood_still_is_told_as_soon_as_it_turns() -> None:
    slow = Slow()
    pump = pump_of(slow)
    pump.lag.start()
    await asyncio.sleep(0)
    time.sleep(0.2)
    await until(lambda: slow.lags)
    assert slow.lags[0] >= 200_000_000 - PROBE_NS
    pump.stop()


async def test_inputs_that_queue_are_lag_although_the_loop_turns() -> None:
    """Each batch gives the loop a turn, so no timer is late by more than one; the last frame waits for all of them."""
    slow = Slow()
    slow.takes_s = 0.001
    pump = pump_of(slow)
    pump.lag.start()
    pump.post(*(Frame(0, 0, b"") for _ in range(6 * BATCH)))
    await until(lambda: slow.lags and max(slow.lags) > 3 * BATCH * 1_000_000)
    pump.stop()


async def test_nothing_is_told_after_the_end() -> None:
    slow = Slow()
    pump = pump_of(slow)
    pump.lag.start()
    pump.stop()
    await asyncio.sleep(2 * PROBE_NS / 1e9)
    assert slow.lags == []


class Ticks:
    """Time as the probe reads it, told step by step."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


async def test_it_is_told_once_a_second_and_when_it_is_suddenly_twice_as_much() -> None:
    """The probe's own step is called by hand, so that lateness is what the test says."""
    now, told = Ticks(), list[int]()
    probe = LagProbe(now, lambda now_ns: 0, lambda lag: told.append(lag.lag_ns))
    probe.start()

    def step(late_ns: int) -> None:
        now.now_ns += PROBE_NS + late_ns
        probe._probe()

    for _ in range(PROBES_A_SECOND):
        step(1_000)
    assert told == [1_000]
    step(SUDDEN_NS + 1)
    assert told == [1_000, SUDDEN_NS + 1]
    step(SUDDEN_NS + 2)
    assert len(told) == 2, "as bad as before is told when its second is over"
    for _ in range(PROBES_A_SECOND - 1):
        step(0)
    assert told[2:] == [SUDDEN_NS + 2]
    probe.stop()
