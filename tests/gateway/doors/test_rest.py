"""The REST door against a real HTTP server: one answer a request, whatever the venue does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bus.clock import EngineClock
from bus.messages import (
    Message,
    Outcome,
    QueryAnswer,
    QueryKind,
    SnapshotAnswer,
    SnapshotRequest,
    TradesAnswer,
    TradesRequest,
    VenueQuery,
)
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.binance_spot.market import BinanceSpot
from gateway.binance_spot.signing import HmacSigner
from gateway.doors import budget, http
from gateway.doors.budget import Budget
from gateway.doors.rest import IN_FLIGHT_MAX, MARKET_IN_FLIGHT_MAX, RestDoor, RestFailed
from gateway.doors.venue_time import VenueTime
from ops.binance import SPOT, BinanceRest
from ops.sections import VenueSection
from tests.gateway.doors.http_venue import Play, answer, never, serving
from tests.gateway.doors.peers import LIMIT_S, until
from tests.support.house import BTC

CLOCK = EngineClock()
SECRET = "the-secret-that-never-shows"


@asynccontextmanager
async def door_to(url: str, *others: str) -> AsyncIterator[tuple[RestDoor, list[Message]]]:
    answers: list[Message] = []
    door = RestDoor(dict(enumerate((url, *others))), CLOCK.now_ns, VenueTime())
    section = VenueSection("binance-spot", url, url, url)
    account = BinanceRest(SPOT, HmacSigner("the-key", SECRET), section, {0: BTC})
    door.attach(answers.append, dict.fromkeys(range(3), BinanceSpot()), {0: account})
    await door.open()
    try:
        yield door, answers
    finally:
        await door.close()


def snapshot(counter: int = 1, seconds: float = LIMIT_S, venue: int = 0) -> SnapshotRequest:
    return SnapshotRequest("market_data", counter, 3, CLOCK.now_ns() + int(seconds * 1e9), venue, 0, "BTCUSDT", 100)


def trades(counter: int = 1, seconds: float = LIMIT_S, venue: int = 0) -> TradesRequest:
    return TradesRequest("market_data", counter, 3, CLOCK.now_ns() + int(seconds * 1e9), venue, 0, "BTCUSDT", 7, 50)


def query(kind: QueryKind, counter: int = 1, seconds: float = LIMIT_S, instrument: int = 0) -> VenueQuery:
    deadline_ns = CLOCK.now_ns() + int(seconds * 1e9)
    return VenueQuery("orders", counter, 7, deadline_ns, 0, 0, kind, instrument, "tl1")


def ask(door: RestDoor, *requests: SnapshotRequest | TradesRequest | VenueQuery) -> None:
    for request in requests:
        assert door.handlers[type(request)](request, CLOCK.now_ns()) == ()


async def test_a_snapshot_is_handed_on_untouched_to_its_asker() -> None:
    body = b'{"lastUpdateId":5,"bids":[],"asks":[]}'
    async with serving(answer(200, body)) as venue, door_to(venue.url + "/") as (door, answers):
        ask(door, snapshot(counter=9))
        await until(lambda: answers)
        (got,) = answers
        assert isinstance(got, SnapshotAnswer)
        assert (got.actor, got.counter, got.generation, got.outcome) == ("market_data", 9, 3, Outcome.RESULT)
        assert (got.instrument, got.payload, got.reason) == (0, body, "")
        assert venue.asked[0].path_qs == "/api/v3/depth?symbol=BTCUSDT&limit=100"
        assert "X-MBX-APIKEY" not in venue.asked[0].headers  # a public question needs no key


async def test_a_query_is_signed_and_its_reading_handed_on() -> None:
    async with serving(answer(200, b"[]")) as venue, door_to(venue.url) as (door, answers):
        ask(door, query(QueryKind.OPEN_ORDERS))
        await until(lambda: answers)
        (got,) = answers
        assert isinstance(got, QueryAnswer)
        assert (got.outcome, got.reports, got.generation) == (Outcome.RESULT, (), 7)
        assert venue.asked[0].headers["X-MBX-APIKEY"] == "the-key"
        assert "signature=" in venue.asked[0].query_string
        assert SECRET not in str(venue.asked[0].headers) + venue.asked[0].query_string


@pytest.mark.parametrize(
    ("status", "snapshot_outcome", "query_outcome"),
    [
        (400, Outcome.REFUSED, Outcome.REFUSED),
        (302, Outcome.REFUSED, Outcome.AMBIGUOUS),
        (500, Outcome.REFUSED, Outcome.AMBIGUOUS),
        (503, Outcome.REFUSED, Outcome.AMBIGUOUS),
    ],
)
async def test_a_bad_status_is_one_answer_with_its_number(
    status: int, snapshot_outcome: Outcome, query_outcome: Outcome
) -> None:
    async with serving(answer(status, b"the body")) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot(), query(QueryKind.ORDER))
        await until(lambda: len(answers) == 2)
        by_type = {type(message): message for message in answers}
        told_snapshot, told_query = by_type[SnapshotAnswer], by_type[QueryAnswer]
        assert isinstance(told_snapshot, SnapshotAnswer)
        assert isinstance(told_query, QueryAnswer)
        assert (told_snapshot.outcome, told_query.outcome) == (snapshot_outcome, query_outcome)
        assert str(status) in told_snapshot.reason
        assert str(status) in told_query.reason
        assert (told_query.found, told_query.reports) == (True, ())  # nobody said that the order does not exist


async def test_a_redirect_is_not_followed_with_the_api_key() -> None:
    async with serving(answer(200, b"[]")) as elsewhere:
        moved = answer(302, b"", Location=elsewhere.url + "/api/v3/openOrders")
        async with serving(moved) as venue, door_to(venue.url) as (door, answers):
            ask(door, query(QueryKind.OPEN_ORDERS))
            await until(lambda: answers)
            assert len(venue.asked) == 1
        assert elsewhere.asked == []


async def test_a_deadline_is_kept_and_the_outcome_ambiguous() -> None:
    async with serving(never) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot(seconds=0.05), query(QueryKind.BALANCES, seconds=0.05), query(QueryKind.ORDER, 2, -1))
        await until(lambda: len(answers) == 3)
        assert [message.outcome for message in answers] == [Outcome.AMBIGUOUS] * 3  # type: ignore[attr-defined]
        assert all("no answer in" in message.reason for message in answers)  # type: ignore[attr-defined]


async def test_a_venue_that_cannot_be_reached_is_ambiguous() -> None:
    async with serving(never) as venue:
        url = venue.url
    async with door_to(url) as (door, answers):
        ask(door, query(QueryKind.ORDER))
        await until(lambda: answers)
        assert answers[0].outcome is Outcome.AMBIGUOUS  # type: ignore[attr-defined]
        assert answers[0].found  # type: ignore[attr-defined]  # a network error is no evidence of anything
        with pytest.raises(RestFailed, match=url):
            await door.get(0, lambda: "/api/v3/time", 1.0)


@pytest.mark.parametrize(("code", "held"), [(-1003, True), (-1015, False)])
async def test_too_much_is_obeyed_whoever_sends_it(code: int, held: bool) -> None:
    """The dead man's switch posts as orders do, and reads no code of a refusal."""
    async with serving(answer(429, f'{{"code":{code}}}'.encode(), Retry_After="30")) as venue:
        address = http.Http(venue.url, CLOCK.now_ns, Budget(BinanceSpotLimits()))
        await address.open()
        await address.send("POST", lambda: "/fapi/v1/countdownCancelAll", LIMIT_S, {}, lambda: None)
        await address.close()
        assert bool(address.held(CLOCK.now_ns())) is held
        assert not address.budget.order(CLOCK.now_ns(), True)


async def test_questions_that_reached_nobody_use_nothing_up() -> None:
    """Ten minutes without a network, asking all the time; then the answer that ends UNKNOWN may not have to wait."""
    address = http.Http("http://127.0.0.1:1", CLOCK.now_ns, Budget(BinanceSpotLimits()))
    await address.open()
    for _ in range(3):
        with pytest.raises(RestFailed):
            await address.get(lambda: "/api/v3/account?signature=x", LIMIT_S)
    await address.close()
    assert max(count for _, _, count, _ in address.budget.view()) == 0


async def test_a_connection_cut_in_the_middle_of_the_body_is_ambiguous() -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"[{")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(half) as venue, door_to(venue.url) as (door, answers):
        ask(door, query(QueryKind.OPEN_ORDERS))
        await until(lambda: answers)
        assert answers[0].outcome is Outcome.AMBIGUOUS  # type: ignore[attr-defined]


async def test_an_answer_that_is_no_http_names_no_question(caplog: pytest.LogCaptureFixture) -> None:
    """A question about the account bears its signature in its address, and reasons are shown and logged."""

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x16\x03\x01 no http at all " + b"x" * 4_000 + b"\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with listener:
        url = "http://{}:{}".format(*listener.sockets[0].getsockname()[:2])
        async with door_to(url) as (door, answers):
            ask(door, query(QueryKind.OPEN_ORDERS), trades())
            await until(lambda: len(answers) == 2)
    for each in answers:
        assert each.outcome is Outcome.AMBIGUOUS  # type: ignore[attr-defined]
        reason = each.reason  # type: ignore[attr-defined]
        assert reason
        assert len(reason) <= http.REASON_MAX
        assert not any(secret in reason + caplog.text for secret in ("signature", "the-key", SECRET))


async def test_a_body_above_the_limit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_BYTES_MAX", 10_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1_000))

    async with serving(endless) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot())
        await until(lambda: answers)
        assert answers[0].outcome is Outcome.AMBIGUOUS  # type: ignore[attr-defined]
        assert "longer than 10000 bytes" in answers[0].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [
        (429, {"Retry_After": "30"}, 30),
        (418, {"Retry_After": "120"}, 120),
        (429, {}, 60),
        (429, {"Retry_After": "?"}, 60),
        (429, {"Retry_After": "inf"}, 60),
        (429, {"Retry_After": "-inf"}, 60),
        (429, {"Retry_After": "nan"}, 60),
        (429, {"Retry_After": "-5"}, 60),
        (418, {"Retry_After": "Sun, 22 Nov 2026 18:00:00 GMT"}, 120),
        (418, {"Retry_After": "1e300"}, 259_200),  # the longest ban there is
    ],
)
async def test_a_rate_limit_is_held_for_as_long_as_the_venue_says(
    status: int, told: dict[str, str], seconds: int
) -> None:
    async with serving(answer(status, **told)) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot(1))
        await until(lambda: answers)
        held = [*answers]
        ask(door, snapshot(2), query(QueryKind.BALANCES, 3))
        assert len(answers) == 3  # at once: nothing was asked
        for message in answers[1:]:
            assert message.outcome is Outcome.REFUSED  # type: ignore[attr-defined]
            assert f"held for {seconds}.0 s" in message.reason or f"held for {seconds - 1}." in message.reason  # type: ignore[attr-defined]
        assert (len(venue.asked), door.holds, door.refused, len(held)) == (1, 1, 2, 1)


async def test_after_the_hold_it_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "HOLD_NS_MIN", 0)
    async with serving(answer(429, Retry_After="0.05")) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot(1))
        await until(lambda: answers)
        await asyncio.sleep(0.06)
        ask(door, snapshot(2))
        await until(lambda: len(venue.asked) == 2)


async def test_a_rate_limit_is_obeyed_although_its_body_never_ends() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=429, headers={"Retry-After": "30"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.sleep(60)
        return response

    async with serving(slow) as venue, door_to(venue.url) as (door, answers):
        ask(door, snapshot(1, seconds=0.1))
        await until(lambda: answers)
        ask(door, snapshot(2))
        assert "held for" in answers[1].reason  # type: ignore[attr-defined]


async def test_too_many_requests_at_once_are_refused_and_all_are_answered_once() -> None:
    go = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await go.wait()
        return web.Response(body=b"[]")

    async with serving(wait) as venue, door_to(venue.url) as (door, answers):
        ask(door, *(query(QueryKind.BALANCES, counter) for counter in range(IN_FLIGHT_MAX + 3)))
        assert [message.outcome for message in answers] == [Outcome.REFUSED] * 3  # type: ignore[attr-defined]
        assert "under way" in answers[0].reason  # type: ignore[attr-defined]
        go.set()
        await until(lambda: len(answers) == IN_FLIGHT_MAX + 3)
        assert sorted(message.counter for message in answers) == list(range(IN_FLIGHT_MAX + 3))  # type: ignore[attr-defined]
        ask(door, query(QueryKind.BALANCES, 99))
        await until(lambda: len(answers) == IN_FLIGHT_MAX + 4)


async def test_market_data_leave_half_of_the_room_to_questions_about_orders() -> None:
    """A thousand books ask; a question about an order goes at once, and past them on the wire."""
    go = asyncio.Event()

    async def wait_for_books(request: web.Request) -> web.Response:
        if "openOrders" not in request.path:
            await go.wait()
        return web.Response(body=b"[]")

    async with serving(wait_for_books) as venue, door_to(venue.url) as (door, answers):
        ask(door, *(snapshot(counter) for counter in range(MARKET_IN_FLIGHT_MAX - 1)))
        ask(door, trades(500), snapshot(501), trades(502))
        assert [type(message) for message in answers] == [SnapshotAnswer, TradesAnswer]
        assert {message.reason for message in answers} == {
            f"{MARKET_IN_FLIGHT_MAX} requests of market data are under way"
        }  # type: ignore[attr-defined]
        ask(door, query(QueryKind.OPEN_ORDERS, 600))
        await until(lambda: len(answers) == 3)
        assert isinstance(answers[2], QueryAnswer)
        assert answers[2].outcome is Outcome.RESULT
        go.set()
        await until(lambda: len(answers) == MARKET_IN_FLIGHT_MAX + 3)
        assert sorted(m.counter for m in answers) == [*range(MARKET_IN_FLIGHT_MAX - 1), 500, 501, 502, 600]  # type: ignore[attr-defined]


async def test_trades_are_handed_on_untouched_to_their_asker() -> None:
    async with serving(answer(200, b"[1]")) as venue, door_to(venue.url) as (door, answers):
        ask(door, trades(9))
        await until(lambda: answers)
        (got,) = answers
        assert isinstance(got, TradesAnswer)
        assert (got.actor, got.counter, got.generation, got.outcome) == ("market_data", 9, 3, Outcome.RESULT)
        assert (got.instrument, got.payload, got.reason) == (0, b"[1]", "")
        assert venue.asked[0].path_qs == "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=7&limit=50"


@pytest.mark.parametrize(
    ("play", "outcome", "told"),
    [(answer(500), Outcome.REFUSED, "status 500"), (never, Outcome.AMBIGUOUS, "no answer in")],
)
async def test_trades_that_do_not_come_are_one_answer_too(play: Play, outcome: Outcome, told: str) -> None:
    async with serving(play) as venue, door_to(venue.url) as (door, answers):
        ask(door, trades(seconds=0.1))
        await until(lambda: answers)
        await asyncio.sleep(0.05)
        (got,) = answers
        assert isinstance(got, TradesAnswer)
        assert (got.outcome, told in got.reason, got.payload) == (outcome, True, b"")


async def test_a_venues_rate_limit_holds_that_venue_alone() -> None:
    """Two numbers of one address are one venue to its rate limit; another address is another venue."""
    async with (
        serving(answer(429, Retry_After="30")) as limited,
        serving(answer(200, b"{}")) as other,
        door_to(other.url, limited.url, limited.url + "/") as (door, answers),
    ):
        ask(door, snapshot(1, venue=1))
        await until(lambda: answers)
        ask(door, snapshot(2, venue=1), trades(3, venue=2))
        assert [("held for" in m.reason) for m in answers[1:]] == [True, True]  # type: ignore[attr-defined]
        ask(door, snapshot(4, venue=0), query(QueryKind.BALANCES, 5))
        await until(lambda: len(answers) == 5)
        assert (len(limited.asked), len(other.asked), door.holds, door.refused) == (1, 2, 1, 2)


async def test_a_venue_that_hangs_takes_no_place_of_another() -> None:
    async with (
        serving(never) as hanging,
        serving(answer(200, b"{}")) as other,
        door_to(other.url, hanging.url) as (door, answers),
    ):
        ask(door, *(snapshot(counter, 60.0, venue=1) for counter in range(MARKET_IN_FLIGHT_MAX)))
        ask(door, snapshot(99, venue=0))
        await until(lambda: answers)
        assert [message.counter for message in answers] == [99]  # type: ignore[attr-defined]


async def test_what_a_venue_does_not_offer_is_refused_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer(200)) as venue, door_to(venue.url) as (door, answers):
        monkeypatch.setattr(BinanceSpot, "trades_path", lambda *_: "")
        ask(door, trades(1), snapshot(2, venue=8), trades(3, venue=8))
        await until(lambda: len(answers) == 3)
        assert {m.counter: m.reason for m in answers} == {  # type: ignore[attr-defined]
            1: "the venue does not offer it",
            2: "venue 8 is not asked for that here",
            3: "venue 8 is not asked for that here",
        }
        assert venue.asked == []


async def test_a_mistake_of_our_own_is_answered_too() -> None:
    """A question about an instrument that nobody configured cannot be phrased; its asker must not wait for ever."""
    async with serving(answer(200, b"[]")) as venue, door_to(venue.url) as (door, answers):
        ask(door, query(QueryKind.TRADES, instrument=77))
        await until(lambda: answers)
        assert answers[0].outcome is Outcome.AMBIGUOUS  # type: ignore[attr-defined]
        assert "the door failed" in answers[0].reason  # type: ignore[attr-defined]
        assert venue.asked == []


async def test_a_reading_that_raises_is_answered_once_and_names_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer(200, b"[]")) as venue, door_to(venue.url) as (door, answers):

        def fail(*_: object) -> QueryAnswer:
            raise AssertionError("a codec's mistake")

        monkeypatch.setattr(door._accounts[0], "read_query", fail)
        ask(door, query(QueryKind.OPEN_ORDERS))
        await until(lambda: answers and not door._tasks)
        await asyncio.sleep(0)
        (got,) = answers
        assert isinstance(got, QueryAnswer)
        assert (got.outcome, got.counter, got.found) == (Outcome.AMBIGUOUS, 1, True)
        assert got.reason == "the door failed: AssertionError: a codec's mistake"


async def test_an_answer_is_posted_once_even_when_what_it_causes_raises() -> None:
    """A cascade that raises out of `post` is no failure of the request: a second answer would contradict the first."""
    posted: list[Message] = []
    raised: list[object] = []

    def post(message: Message) -> None:
        posted.append(message)
        raise OverflowError("a cascade's mistake")

    async with serving(answer(200)) as venue, door_to(venue.url) as (door, _):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context["exception"]))
        door._post = post
        ask(door, snapshot())
        await until(lambda: posted and not door._tasks)
        await asyncio.sleep(0)
        assert [type(message) for message in posted] == [SnapshotAnswer]
        assert [str(error) for error in raised] == ["a cascade's mistake"]


async def test_a_question_is_signed_when_it_goes_not_when_it_is_asked() -> None:
    """All connections are taken; what waits behind them bears the time at which it left, and proves no more than that."""
    go = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await go.wait()
        return web.Response(body=b"[]")

    async with serving(wait) as venue, door_to(venue.url) as (door, answers):
        ask(door, *(query(QueryKind.BALANCES, counter) for counter in range(http.CONNECTIONS_MAX)))
        await until(lambda: len(venue.asked) == http.CONNECTIONS_MAX)
        ask(door, query(QueryKind.OPEN_ORDERS, counter=99))
        await asyncio.sleep(0.02)
        freed_ns = CLOCK.now_ns()
        go.set()
        await until(lambda: len(answers) == http.CONNECTIONS_MAX + 1)
        (got,) = [message for message in answers if isinstance(message, QueryAnswer) and message.counter == 99]
        assert got.outcome is Outcome.RESULT
        assert got.asked_ns >= freed_ns
        (asked,) = [request for request in venue.asked if "openOrders" in request.path]
        assert int(asked.query["timestamp"]) == got.asked_ns // 1_000_000


async def test_what_waits_for_a_connection_is_refused_when_the_rate_limit_is_reached_meanwhile() -> None:
    go = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await go.wait()
        return web.Response(status=429, body=b"{}", headers={"Retry-After": "30"})

    async with serving(wait) as venue, door_to(venue.url) as (door, answers):
        ask(
            door,
            *(query(QueryKind.BALANCES, counter) for counter in range(http.CONNECTIONS_MAX + 3)),
            query(QueryKind.ORDER, 99),
        )
        await until(lambda: len(venue.asked) == http.CONNECTIONS_MAX)
        go.set()
        await until(lambda: len(answers) == http.CONNECTIONS_MAX + 4)
        assert len(venue.asked) == http.CONNECTIONS_MAX
        assert [message.outcome for message in answers] == [Outcome.REFUSED] * len(answers)  # type: ignore[attr-defined]
        assert sum("held for" in message.reason for message in answers) == 4  # type: ignore[attr-defined]
