"""A question that nothing is heard of is asked again beside the first one, and one answer is taken."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from bus.clock import EngineClock
from bus.messages import QueryAnswer, QueryKind, VenueQuery
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.binance_spot.signing import HmacSigner
from gateway.doors import http
from gateway.doors.budget import Budget
from gateway.doors.rest import RestDoor, RestFailed
from gateway.doors.venue_time import VenueTime
from gateway.market import WEIGHT
from ops.binance import SPOT, BinanceRest
from ops.sections import VenueSection
from tests.gateway.doors.http_venue import Play, answer, never, serving
from tests.gateway.doors.peers import LIMIT_S, until
from tests.support.house import BTC

CLOCK = EngineClock()
FULL = 5_400
"""Of 6,000 what questions may use."""
LEFT_OVER = 4_800
"""And what new orders may, and whoever asks again."""
PATH = "/api/v3/openOrders?symbol=BTCUSDT"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "AGAIN_S", 0.2)


def deaf(times: int, then: Play) -> Play:
    """Hears so many questions and says nothing; answers those after them."""
    heard = 0

    async def play(request: web.Request) -> web.StreamResponse:
        nonlocal heard
        heard += 1
        return await (never if heard <= times else then)(request)

    return play


async def asked(play: Play, ask: Callable[[http.Http], object], used: int = 0) -> tuple[http.Http, int]:
    """The address when it was asked, and how many questions came to the venue."""
    async with serving(play) as venue:
        address = http.Http(venue.url, CLOCK.now_ns, Budget(BinanceSpotLimits()))
        address.budget.spend(CLOCK.now_ns(), used)
        await address.open()
        try:
            await ask(address)  # type: ignore[misc]  # a coroutine of any kind
        finally:
            await address.close()
        return address, len(venue.asked)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_answer_costs_a_question_more(lost: int) -> None:
    """And each of them counts at the venue."""

    async def ask(address: http.Http) -> None:
        assert await address.get(lambda: PATH, LIMIT_S) == (200, b"[]")

    address, questions = await asked(deaf(lost, answer(200, b"[]")), ask)
    assert questions == address.repeated + 1 >= lost + 1  # more where the machine stood still


@pytest.mark.parametrize(("again", "questions"), [(True, 3), (False, 1)])
async def test_a_venue_that_says_nothing_is_asked_three_times_and_no_more(again: bool, questions: int) -> None:
    async def ask(address: http.Http) -> None:
        with pytest.raises(RestFailed, match="no answer in"):
            await address.get(lambda: PATH, 1.2, again=again)

    address, came = await asked(never, ask)
    assert came == questions
    assert {kind: count for kind, _, count, _ in address.budget.view()}[WEIGHT] == questions * 6


async def test_an_answer_that_has_begun_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten megabytes take longer than a word."""
    monkeypatch.setattr(http, "AGAIN_S", 1.0)

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "4"})
        await response.prepare(request)
        for byte in (b"[", b" ", b" ", b"]"):
            await response.write(byte)
            await asyncio.sleep(0.4 * http.AGAIN_S)
        return response

    async def ask(address: http.Http) -> None:
        assert await address.get(lambda: PATH, LIMIT_S) == (200, b"[  ]")

    _, questions = await asked(slow, ask)
    assert questions == 1


async def test_a_slow_venue_is_not_asked_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its answers usually take is known after the first."""
    monkeypatch.setattr(http, "AGAIN_FACTOR", 1_000.0)

    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2 * http.AGAIN_S)
        return web.Response(body=b"[]")

    async def ask(address: http.Http) -> None:
        await address.get(lambda: PATH, LIMIT_S)
        known = address.repeated
        for _ in range(3):
            await address.get(lambda: PATH, LIMIT_S)
        assert address.repeated == known

    await asked(late, ask)


async def test_without_room_in_the_limit_the_first_one_is_waited_for() -> None:
    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2 * http.AGAIN_S)
        return web.Response(body=b"[]")

    async def ask(address: http.Http) -> None:
        assert await address.get(lambda: PATH, LIMIT_S) == (200, b"[]")

    address, questions = await asked(late, ask, used=FULL - 6)
    assert (questions, address.repeated) == (1, 0)


async def test_one_that_is_asked_again_leaves_the_questions_room_to_those_that_were_never_asked() -> None:
    """Above what new orders may use it goes once, however long nothing is heard."""

    async def ask(address: http.Http) -> None:
        with pytest.raises(RestFailed, match="no answer in"):
            await address.get(lambda: PATH, 1.2)

    address, questions = await asked(never, ask, used=LEFT_OVER)
    assert (questions, address.repeated) == (1, 0)


async def test_questions_that_hang_take_no_connection_of_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them on three connections, and as many orders as may be under way: all come to the venue."""
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 2)
    monkeypatch.setattr(http, "ORDER_CONNECTIONS_MAX", 3)
    most = 2 * http.TIMES_MAX + 3

    async with serving(never) as venue:
        address = http.Http(venue.url, CLOCK.now_ns)
        await address.open()
        work: list[asyncio.Task[object]] = []
        try:
            work += [asyncio.create_task(address.get(lambda: PATH, LIMIT_S)) for _ in range(2)]
            await until(lambda: len(venue.asked) == 2 * http.TIMES_MAX)
            sent = [address.send("POST", lambda: "/api/v3/order", LIMIT_S, {}, lambda: None) for _ in range(3)]
            work += [asyncio.create_task(one) for one in sent]
            await until(lambda: len(venue.asked) == most)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await address.close()


async def test_an_answer_of_several_questions_proves_what_was_so_at_the_first() -> None:
    """Nobody can say which of them was answered: a later time would prove what the venue never said."""
    times: list[int] = []

    class Account(BinanceRest):
        def query_path(self, query: VenueQuery, timestamp_ms: int) -> str:
            times.append(timestamp_ms)
            return super().query_path(query, timestamp_ms)

    async with serving(deaf(1, answer(200, b"[]"))) as venue:
        answers: list[QueryAnswer] = []
        door = RestDoor({0: venue.url}, CLOCK.now_ns, VenueTime())
        section = VenueSection("binance-spot", venue.url, venue.url, venue.url)
        account = Account(SPOT, HmacSigner("the-key", "the-secret"), section, {0: BTC})
        door.attach(answers.append, {}, {0: account})  # type: ignore[arg-type]  # nothing else is asked
        await door.open()
        try:
            now_ns = CLOCK.now_ns()
            query = VenueQuery("orders", 1, 7, now_ns + int(LIMIT_S * 1e9), 0, 0, QueryKind.OPEN_ORDERS, 0, "")
            door.handlers[VenueQuery](query, now_ns)
            await until(lambda: answers)
        finally:
            await door.close()
        assert len(times) == 2
        assert (
            times[0] <= answers[0].asked_ns // 1_000_000 <= times[0] + 1 < times[1]
        )  # each is signed for its own time
