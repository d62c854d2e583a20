"""A venue's clock, asked over REST on a real port: each estimate holds the truth, with what the venue itself leaves open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bus.messages import ClockEstimate
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from gateway.market import Addresses
from ops import public, venue_clock
from ops.feeds import Source
from ops.public import Public, Unanswered
from ops.venue_clock import VenueClock
from ops.venues import MARKETS
from tests.support.house import MS, START_NS
from tests.support.scripted import scripted

S = 1_000 * MS
OFFSET_NS = 137 * MS


class Clocks:
    """Ours, in real time; and the venue's, which is ahead of it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.delays_s: list[float] = []
        self.body: bytes | None = None
        self.offset_ns = OFFSET_NS

    def now_ns(self) -> int:
        return START_NS + int(self.loop.time() * 1e9)

    def venue_ns(self) -> int:
        return self.now_ns() + self.offset_ns

    async def answer(self, request: web.Request) -> web.Response:
        if self.delays_s:
            await asyncio.sleep(self.delays_s.pop(0))
        if self.body is not None:
            return web.Response(body=self.body)
        if request.path == "/0/public/Time":
            return web.json_response({"error": [], "result": {"unixtime": self.venue_ns() // S}})
        return web.json_response({"serverTime": self.venue_ns() // MS})


@asynccontextmanager
async def asked(name: str, offset_max_ms: int = 500) -> AsyncIterator[tuple[VenueClock, Clocks, list[ClockEstimate]]]:
    clocks, posted = Clocks(), list[ClockEstimate]()
    pages = dict.fromkeys(("/api/v3/time", "/0/public/Time", "/fapi/v1/time"), clocks.answer)
    async with scripted(pages=pages) as venue:
        rest = RestDoor({3: venue.rest}, clocks.now_ns, VenueTime())
        await rest.open()
        source = Source(3, name, MARKETS[name](), Addresses(venue.rest, ""), (), 100)
        try:
            yield VenueClock(Public(rest, source), clocks.now_ns, posted.append, offset_max_ms), clocks, posted
        finally:
            await rest.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "SPACING_S", 0.001)
    monkeypatch.setattr(venue_clock, "INTERVAL_S", 0.02)


@pytest.mark.parametrize(("name", "least_ns"), [("binance-spot", MS), ("binance-usdm", MS), ("kraken", 500 * MS)])
async def test_the_truth_lies_within_the_bounds(name: str, least_ns: int) -> None:
    async with asked(name) as (clock, _, posted):
        for _ in range(3):
            await clock.look()
            await asyncio.sleep(0.23)  # another part of a whole second
        for told in posted:
            assert told.venue == 3
            assert abs(told.offset_ns - OFFSET_NS) <= told.uncertainty_ns
            assert least_ns <= told.uncertainty_ns < least_ns + 250 * MS


async def test_a_slow_answer_is_asked_again_and_replaces_nothing() -> None:
    async with asked("binance-spot") as (clock, clocks, posted):
        await clock.look()
        clocks.delays_s = [0.2]
        await clock.look()
        assert clocks.delays_s == []
        assert posted[1].uncertainty_ns < 50 * MS


async def test_a_venue_of_whole_seconds_is_not_asked_again_for_what_no_answer_tells() -> None:
    async with asked("kraken") as (clock, clocks, posted):
        for _ in range(4):
            await clock.look()
        assert len(posted) == 4
        questions = []
        for _ in range(5):  # an answer that is late on a busy machine is asked for again, and rightly
            clocks.delays_s = [0.0] * 3
            await clock.look()
            questions.append(3 - len(clocks.delays_s))
        assert min(questions) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"serverTime":-5}', b'{"serverTime":"x"}'])
async def test_what_is_no_time_is_no_estimate(body: bytes) -> None:
    async with asked("binance-spot") as (clock, clocks, posted):
        clocks.body = body
        with pytest.raises(Unanswered):
            await clock.look()
        assert posted == []


async def test_it_goes_on_after_trouble_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    async with asked("binance-spot") as (clock, clocks, posted):
        clocks.body = b""
        task = asyncio.create_task(clock.run())
        await asyncio.sleep(0.1)
        clocks.body = None
        async with asyncio.timeout(60):
            while len(posted) < 2:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert caplog.text.count("venue_clock_unread") == 1


async def test_a_clock_that_is_off_is_said_when_it_is_certain(caplog: pytest.LogCaptureFixture) -> None:
    async with asked("binance-spot", offset_max_ms=200) as (clock, clocks, posted):
        await clock.look()
        assert caplog.text == ""
        clocks.offset_ns = 2 * S
        await clock.look()
        await clock.look()
        assert caplog.text.count("venue_clock_off") == 1
        assert abs(posted[-1].offset_ns - 2 * S) <= posted[-1].uncertainty_ns, "what was known before is void"


async def test_a_venue_without_a_time_endpoint_has_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked("binance-spot") as (clock, _, posted):
        monkeypatch.setattr(clock._market, "time_path", lambda: "")
        async with asyncio.timeout(60):
            await clock.run()
        assert posted == []
