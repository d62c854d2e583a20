"""A loop that stood still is told of once, by whoever looks first."""

import asyncio

from bus.standstill import STANDSTILL_NS, Standstill

LIMIT_S = 60.0
NOW_NS = 1_000_000_000_000


class Clock:
    """Shows STANDSTILL_NS more at each look."""

    def __init__(self) -> None:
        self.looks = 0

    def now_ns(self) -> int:
        self.looks += 1
        return NOW_NS + self.looks * STANDSTILL_NS


async def test_it_is_told_once_by_whoever_looks_first() -> None:
    told: list[int] = []
    watch = Standstill(lambda: NOW_NS)
    watch.start(lambda: told.append(1))
    assert watch.beat(NOW_NS + STANDSTILL_NS)
    later_ns = NOW_NS + 2 * STANDSTILL_NS + 1
    assert [watch.beat(later_ns), watch.beat(later_ns)] == [False, True]
    assert (told, watch.count) == ([1], 1)
    watch.stop()


async def test_nothing_is_a_standstill_unless_somebody_watches() -> None:
    watch = Standstill(lambda: NOW_NS)
    assert watch.beat(NOW_NS)
    watch.start(lambda: None)
    watch.stop()
    assert watch.beat(NOW_NS + 2 * STANDSTILL_NS)
    assert watch.count == 0


async def test_a_loop_without_inputs_shows_by_itself_that_it_turns() -> None:
    clock = Clock()
    watch = Standstill(clock.now_ns)
    watch.start(lambda: None)
    async with asyncio.timeout(LIMIT_S):
        while clock.looks < 4:
            await asyncio.sleep(0.01)
    watch.stop()
    assert watch.count == 0


async def test_it_may_be_told_to_end_by_what_it_tells() -> None:
    clock = Clock()
    watch = Standstill(clock.now_ns)
    watch.start(watch.stop)
    clock.looks += 1
    async with asyncio.timeout(LIMIT_S):
        while not watch.count:
            await asyncio.sleep(0.01)
    looks = clock.looks
    await asyncio.sleep(0.3)
    assert clock.looks == looks, "nothing is armed any more"
