"""The order door's second way, and the venue's limits at both: scripted venues over real sockets."""

import asyncio
import socket
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bus.messages import Outcome, PrivateStreamSuspected, PrivateStreamUp, Refusal, RequestAnswered, RequestSent
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.doors import order as order_door
from gateway.doors import order_rest
from gateway.doors import session as order_session
from gateway.doors.budget import Budget
from gateway.doors.websocket import ConnectFailed
from gateway.doors.window import QUERY
from gateway.market import ORDERS, WEIGHT, RateLimit
from tests.gateway.doors.http_venue import Play, answer, cut, never, serving
from tests.gateway.doors.order_entry import CLOCK, SECRET, Desk, cancel, desk_at, scripted, second_way, submit
from tests.gateway.doors.peers import until
from tests.gateway.doors.test_order import CANCEL, SUBMIT, stall, up

S = 1_000_000_000
OK = b'{"symbol":"BTCUSDT","orderId":77,"clientOrderId":"x","status":"CANCELED"}'
TOO_MUCH = b'{"code":-1003,"msg":"Too much request weight used."}'
TOO_MANY_ORDERS = b'{"code":-1015,"msg":"Too many new orders."}'
PAGE = b"<html><head><title>504 Gateway Time-out</title></head></html>"


def nowhere() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return "http://{}:{}".format(*taken.getsockname())


async def the_answer(desk: Desk) -> RequestAnswered:
    await until(lambda: desk.of(RequestAnswered))
    [told] = desk.of(RequestAnswered)
    assert isinstance(told, RequestAnswered)
    return told


# -- cancels while the session is down --------------------------------------------------------------------------------


async def test_a_cancel_goes_by_rest_at_once_while_there_is_no_session() -> None:
    async with serving(answer(200, OK)) as venue, desk_at("ws://127.0.0.1:1", run=False) as desk:
        async with second_way(desk, venue.url):
            desk.ask(cancel("tl3"))
            told = await the_answer(desk)
        assert (told.request, told.client_order_id, told.outcome, told.venue_order_id) == (
            CANCEL,
            "tl3",
            Outcome.RESULT,
            77,
        )
        assert [type(message) for message in desk.said] == [RequestSent, RequestAnswered]
        assert [type(message).__name__ for message in desk.journal.messages] == ["CancelOrder"]
        [request] = venue.asked
        query = parse_qs(request.query_string)
        assert (request.method, request.path) == ("DELETE", "/api/v3/order")
        assert (query["symbol"], query["origClientOrderId"]) == (["BTCUSDT"], ["tl3"])
        assert SECRET not in request.query_string
        assert desk.door.cancels_sent == 1


async def test_with_a_session_it_goes_there_unless_what_was_written_waits() -> None:
    async with (
        serving(answer(200, OK)) as venue,
        scripted() as (socket_venue, url),
        desk_at(url) as desk,
        second_way(desk, venue.url),
    ):
        await up(desk)
        desk.ask(cancel("tl1"))
        await until(lambda: socket_venue.asked("order.cancel"))
        assert venue.asked == []
        stall(desk)
        desk.ask(cancel("tl2"))
        await until(lambda: venue.asked)


async def test_a_new_order_never_goes_while_the_private_stream_is_down() -> None:
    for orders in (False, True):
        async with (
            serving(answer(200, OK)) as venue,
            desk_at("ws://127.0.0.1:1", run=False) as desk,
            second_way(desk, venue.url, orders=orders),
        ):
            desk.ask(submit("tl1"))
            assert (await the_answer(desk)).refusal is Refusal.NOT_CONNECTED
            assert venue.asked == []
            assert desk.journal.messages == []


@pytest.mark.parametrize(
    ("play", "outcome", "code"),
    [
        (answer(200, OK), Outcome.RESULT, 0),
        (answer(200, OK[:-9]), Outcome.AMBIGUOUS, 0),
        (answer(200, b""), Outcome.AMBIGUOUS, 0),
        (answer(202, OK), Outcome.AMBIGUOUS, 0),
        (answer(302, b"", Location="http://127.0.0.1:1/"), Outcome.AMBIGUOUS, 0),
        (answer(400, b'{"code":-2011,"msg":"Unknown order sent."}'), Outcome.REFUSED, -2011),
        (answer(400, b"{"), Outcome.AMBIGUOUS, 0),
        (answer(403, PAGE), Outcome.REFUSED, 403),
        (answer(504, PAGE), Outcome.AMBIGUOUS, 0),
        (answer(500, b'{"code":-2011,"msg":"Unknown order sent."}'), Outcome.AMBIGUOUS, -2011),
        (cut, Outcome.AMBIGUOUS, 0),
        (never, Outcome.AMBIGUOUS, 0),
    ],
)
async def test_whatever_comes_back_is_one_answer(
    play: Play, outcome: Outcome, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_rest, "ANSWER_S_MAX", 0.2)
    async with serving(play) as venue, desk_at("ws://127.0.0.1:1", run=False) as desk, second_way(desk, venue.url):
        desk.ask(cancel("tl3"))
        told = await the_answer(desk)
        assert (told.outcome, told.code) == (outcome, code)
        assert "signature" not in told.reason
        assert len(desk.of(RequestSent)) == 1
        await asyncio.sleep(0.01)
        assert len(desk.of(RequestAnswered)) == 1


async def test_a_cancel_that_reached_nobody_is_refused_by_ourselves_and_may_be_tried_again() -> None:
    async with desk_at("ws://127.0.0.1:1", run=False) as desk, second_way(desk, nowhere()):
        desk.ask(cancel("tl3"))
        told = await the_answer(desk)
        assert (told.outcome, told.refusal, told.code) == (Outcome.REFUSED, Refusal.NOT_CONNECTED, 0)
        assert desk.of(RequestSent) == []


async def test_cancels_that_reached_nobody_use_nothing_up() -> None:
    """No network for a while: each is tried again and again, and none may be missing when there is one."""
    budget = Budget(BinanceSpotLimits())
    async with desk_at("ws://127.0.0.1:1", run=False, budget=budget) as desk, second_way(desk, nowhere()):
        for number in range(20):
            desk.ask(cancel(f"tl{number}"))
        assert max(count for _, _, count, _ in budget.view()) == 20
        await until(lambda: len(desk.of(RequestAnswered)) == 20)
        assert max(count for _, _, count, _ in budget.view()) == 0


async def test_an_order_that_is_too_much_holds_orders_although_its_answer_breaks_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_rest, "ANSWER_S_MAX", 0.2)

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=429, headers={"Retry-After": "30"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.sleep(60)
        return response

    async with (
        serving(slow) as rest,
        scripted() as (_, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
        second_way(desk, rest.url, orders=True),
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        assert (await the_answer(desk)).outcome is Outcome.AMBIGUOUS
        desk.ask(submit("tl2"))
        assert desk.of(RequestAnswered)[1].refusal is Refusal.RATE_LIMIT


async def test_many_cancels_wait_for_no_question() -> None:
    """Every place that questions have is taken by one that is never answered."""
    go = asyncio.Event()

    async def play(request: web.Request) -> web.Response:
        if request.method == "GET":
            await go.wait()
        return web.Response(body=OK)

    async with (
        serving(play) as venue,
        desk_at("ws://127.0.0.1:1", run=False) as desk,
        second_way(desk, venue.url) as http,
    ):
        asking = [asyncio.create_task(http.get(lambda: "/api/v3/time", 60.0)) for _ in range(30)]
        desk.ask(*(cancel(f"tl{number}") for number in range(40)))
        await until(lambda: len(desk.of(RequestAnswered)) == 40)
        go.set()
        await asyncio.gather(*asking)


# -- new orders by REST -----------------------------------------------------------------------------------------------


async def test_orders_go_by_rest_where_the_configuration_says_so() -> None:
    async with serving(answer(200, OK)) as venue, scripted() as (socket_venue, url), desk_at(url) as desk:
        async with second_way(desk, venue.url, orders=True):
            await up(desk)
            desk.ask(submit("tl1"), cancel("tl0"))
            await until(lambda: len(desk.of(RequestAnswered)) == 2)
        assert {(row.method, row.path) for row in venue.asked} == {
            ("POST", "/api/v3/order"),
            ("DELETE", "/api/v3/order"),
        }
        assert socket_venue.asked("order.place") == socket_venue.asked("order.cancel") == []
        assert [type(message).__name__ for message in desk.journal.messages] == ["SubmitOrder", "CancelOrder"]
        assert sorted(desk.answers()) == [(SUBMIT, "tl1", "RESULT"), (CANCEL, "tl0", "RESULT")]


async def test_an_order_whose_kept_connection_dies_is_ambiguous_and_never_sent_twice() -> None:
    """Goal: the library sends what is safe to repeat again on a fresh connection, and a new order is not."""

    async def play(request: web.Request) -> web.StreamResponse:
        if request.query["newClientOrderId"] == "tl1":
            return web.Response(body=OK)
        return await cut(request)

    async with (
        serving(play) as rest,
        scripted() as (_, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
        second_way(desk, rest.url, orders=True),
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        await the_answer(desk)
        desk.ask(submit("tl2"))
        await until(lambda: len(desk.of(RequestAnswered)) == 2)
        assert desk.of(RequestAnswered)[1].outcome is Outcome.AMBIGUOUS
        await asyncio.sleep(0.05)
        assert [request.query["newClientOrderId"] for request in rest.asked] == ["tl1", "tl2"]
        assert len(desk.of(RequestSent)) == len(desk.of(RequestAnswered)) == 2


async def test_the_journal_has_the_order_before_the_venue_does() -> None:
    journaled: list[int] = []

    async def play(request: web.Request) -> web.Response:
        journaled.append(len(desk.journal.messages))
        return web.Response(body=OK)

    async with serving(play) as venue, scripted() as (_, url), desk_at(url) as desk:
        async with second_way(desk, venue.url, orders=True):
            await up(desk)
            desk.ask(submit("tl1"))
            await the_answer(desk)
        assert journaled == [1]


async def test_the_deadline_is_of_the_cascade_and_ends_before_the_lease() -> None:
    async with serving(answer(200, OK)) as venue, scripted() as (_, url), desk_at(url) as desk:
        async with second_way(desk, venue.url, orders=True):
            await up(desk)
            desk.door.lease_left_ns = lambda: 300_000_000
            before_ms = CLOCK.now_ns() // 1_000_000
            desk.ask(submit("tl1"))
            await the_answer(desk)
        query = parse_qs(venue.asked[0].query_string)
        assert query["recvWindow"] == ["300"]
        assert before_ms <= int(query["timestamp"][0]) <= CLOCK.now_ns() // 1_000_000


async def test_an_order_whose_lease_ended_on_the_way_never_leaves() -> None:
    left = [10 * S, 0]  # at the check, and at the leaving
    async with (
        serving(answer(200, OK)) as venue,
        scripted() as (_, url),
        desk_at(url) as desk,
        second_way(desk, venue.url, orders=True),
    ):
        await up(desk)
        desk.door.lease_left_ns = lambda: left.pop(0)
        desk.ask(submit("tl1"))
        told = await the_answer(desk)
        assert (told.outcome, told.refusal, told.code) == (Outcome.REFUSED, Refusal.LEASE, 0)
        assert (venue.asked, desk.of(RequestSent)) == ([], [])


async def test_an_order_that_the_venue_wants_no_more_on_its_way_is_told_until_when() -> None:
    async with (
        serving(answer(200, OK)) as venue,
        scripted() as (_, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
        second_way(desk, venue.url, orders=True),
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        until_ns = desk.door.budget.hold(CLOCK.now_ns(), CLOCK.now_ns() + 30 * S)  # before its task has run
        told = await the_answer(desk)
        assert (told.outcome, told.refusal, told.retry_ns) == (Outcome.REFUSED, Refusal.RATE_LIMIT, until_ns)
        assert (venue.asked, desk.of(RequestSent)) == ([], [])


async def test_too_many_unanswered_orders_by_rest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_rest, "UNDER_WAY_MAX", 2)
    async with (
        serving(never) as venue,
        scripted() as (_, url),
        desk_at(url) as desk,
        second_way(desk, venue.url, orders=True),
    ):
        await up(desk)
        desk.ask(submit("tl1"), submit("tl2"), submit("tl3"))
        told = await the_answer(desk)
        assert (told.client_order_id, told.refusal) == ("tl3", Refusal.WRITE_BUFFER)


# -- the venue's limits -----------------------------------------------------------------------------------------------


class Few(BinanceSpotLimits):
    limits = (RateLimit(WEIGHT, 60 * S, 6_000), RateLimit(ORDERS, 86_400 * S, 4))


def refusing(status: int, code: int, retry_ms: int = 0) -> Any:
    """A WebSocket venue that says so to every order and cancel."""
    error: dict[str, Any] = {"code": code, "msg": "too much"} | ({"data": {"retryAfter": retry_ms}} if retry_ms else {})

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        return {"status": status, "error": error} if request["method"].startswith("order.") else None

    return reply


async def test_an_order_without_room_is_refused_at_once_with_the_time_to_come_back() -> None:
    async with scripted() as (venue, url), desk_at(url, budget=Budget(Few())) as desk:
        await up(desk)
        desk.ask(submit("tl1"), submit("tl2"), submit("tl3"), submit("tl4"))
        told = await the_answer(desk)
        assert (told.client_order_id, told.outcome, told.refusal) == ("tl4", Outcome.REFUSED, Refusal.RATE_LIMIT)
        assert told.retry_ns > CLOCK.now_ns()
        desk.ask(submit("tl5", reduce_only=True), cancel("tl1"))
        await until(lambda: venue.asked("order.cancel"))
        assert [row["params"]["newClientOrderId"] for row in venue.asked("order.place")] == ["tl1", "tl2", "tl3", "tl5"]
        assert "tl4" not in str(desk.journal.messages)


@pytest.mark.parametrize("offset_ns", [0, 5 * S])
async def test_no_order_leaves_before_the_venue_wants_it(offset_ns: int) -> None:
    """retryAfter is the venue's time; ours may be another."""
    retry_ms = (CLOCK.now_ns() + offset_ns) // 1_000_000 + 60_000
    async with (
        scripted(refusing(429, -1003, retry_ms)) as (venue, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
    ):
        await up(desk)
        desk.door._time.offset_ns = offset_ns
        desk.ask(submit("tl1"))
        first = await the_answer(desk)
        assert first.refusal is Refusal.VENUE_REJECTED
        assert abs(first.retry_ns - (retry_ms * 1_000_000 - offset_ns)) < 1_000_000
        desk.ask(submit("tl2"), submit("tl3", reduce_only=True), cancel("tl0"))
        later = desk.of(RequestAnswered)[1:]
        assert [answer.refusal for answer in later] == [Refusal.RATE_LIMIT] * 3
        assert all(CLOCK.now_ns() < answer.retry_ns <= first.retry_ns for answer in later)
        assert len(venue.asked("order.place")) == 1


async def test_too_many_orders_hold_orders_and_nothing_else() -> None:
    async with (
        scripted(refusing(429, -1015)) as (venue, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        await the_answer(desk)
        desk.ask(submit("tl2"), cancel("tl0"))
        assert desk.of(RequestAnswered)[1].refusal is Refusal.RATE_LIMIT
        await until(lambda: venue.asked("order.cancel"))
        assert desk.door.budget.request(CLOCK.now_ns(), QUERY, 1)


async def test_a_ban_stops_cancels_and_questions_too_and_a_person_hears_of_it() -> None:
    heard: list[tuple[str, int]] = []
    budget = Budget(BinanceSpotLimits())
    budget.on_hold = lambda what, until_ns: heard.append((what, until_ns))
    async with (
        serving(answer(200, OK)) as rest,
        scripted(refusing(418, -1003)) as (_, url),
        desk_at(url, budget=budget) as desk,
        second_way(desk, rest.url) as http,
    ):
        await up(desk)
        desk.ask(cancel("tl1"))
        first = await the_answer(desk)
        desk.ask(cancel("tl2"))
        assert desk.of(RequestAnswered)[1].refusal is Refusal.RATE_LIMIT
        assert "held for" in http.held(CLOCK.now_ns())
        assert heard == [("banned", first.retry_ns)]


@pytest.mark.parametrize(("status", "body"), [(429, TOO_MUCH), (418, TOO_MUCH), (429, PAGE)])
async def test_what_rest_was_told_holds_for_the_session(status: int, body: bytes) -> None:
    async with (
        serving(answer(status, body, Retry_After="30")) as rest,
        scripted() as (venue, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
        second_way(desk, rest.url) as http,
    ):
        await up(desk)
        await http.get(lambda: "/api/v3/time", 5.0)
        desk.ask(submit("tl1"), cancel("tl0"))
        assert [told.refusal for told in desk.of(RequestAnswered)] == [Refusal.RATE_LIMIT] * 2
        assert venue.asked("order.place") == []


async def test_too_many_orders_by_rest_hold_orders_alone() -> None:
    async with (
        serving(answer(429, TOO_MANY_ORDERS, Retry_After="30")) as rest,
        scripted() as (_, url),
        desk_at(url, budget=Budget(BinanceSpotLimits())) as desk,
        second_way(desk, rest.url, orders=True) as http,
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        told = await the_answer(desk)
        assert (told.outcome, told.code) == (Outcome.REFUSED, -1015)
        assert 29 * S < told.retry_ns - CLOCK.now_ns() <= 30 * S
        assert http.held(CLOCK.now_ns()) == ""
        desk.ask(submit("tl2"))
        assert desk.of(RequestAnswered)[1].refusal is Refusal.RATE_LIMIT


async def test_answers_tell_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_door, "LEARN_NS", 0)
    minute = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 4_800}
    result = {"symbol": "BTCUSDT", "orderId": 9, "clientOrderId": "tl1"}

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        return {"status": 200, "result": result, "rateLimits": [minute]} if request["method"] == "order.place" else None

    async with scripted(reply) as (_, url), desk_at(url, budget=Budget(BinanceSpotLimits())) as desk:
        await up(desk)
        desk.ask(submit("tl1"))
        await the_answer(desk)
        desk.ask(submit("tl2"))
        assert desk.of(RequestAnswered)[1].refusal is Refusal.RATE_LIMIT


# -- the session and the limits ---------------------------------------------------------------------------------------


async def test_a_logon_refused_for_too_much_is_tried_again_when_the_venue_wants_it() -> None:
    """The credentials may be good: it is no reason to end the run, at its start either."""
    times = 0

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal times
        times += request["method"].startswith("userDataStream")
        retry_ms = CLOCK.now_ns() // 1_000_000 + 150
        error = {"code": -1003, "msg": "Too much request weight used.", "data": {"retryAfter": retry_ms}}
        return {"status": 429, "error": error} if times == 1 else None

    async with scripted(reply) as (venue, url), desk_at(url, budget=Budget(BinanceSpotLimits())) as desk:
        await up(desk)
        assert len(venue.peers) == 2
        assert any("rate limit" in text for text in desk.troubles)


@pytest.mark.parametrize(("status", "banned"), [(429, False), (418, True)])
async def test_an_opening_that_is_refused_is_not_repeated_before_its_time(status: int, banned: bool) -> None:
    async with serving(answer(status, b"", Retry_After="30")) as venue:
        url = venue.url.replace("http", "ws")
        budget = Budget(BinanceSpotLimits())
        async with desk_at(url, budget=budget, run=False) as desk:
            with pytest.raises(ConnectFailed):
                await desk.door._dial()
            now_ns = CLOCK.now_ns()
            assert 29 * S < desk.door._dial_ns(now_ns, 2) - now_ns <= 30 * S
            assert budget.cancel(now_ns) is not banned  # REST is not concerned by a refused opening


async def test_a_suspected_stream_is_given_up_and_opened_anew_but_not_a_young_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_session, "RENEW_NS", 300_000_000)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.02)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        suspect = desk.door.handlers[PrivateStreamSuspected]
        suspect(PrivateStreamSuspected(0, 1, "silent", renew=False), CLOCK.now_ns())
        suspect(PrivateStreamSuspected(0, 7, "of another generation", renew=True), CLOCK.now_ns())
        suspect(PrivateStreamSuspected(0, 1, "silent", renew=True), CLOCK.now_ns())
        assert len(desk.of(PrivateStreamUp)) == 1
        assert desk.door.renewals == 0
        await up(desk, generation=2)
        first, second = (row.received_ns for row in desk.of(PrivateStreamUp))
        assert second - first >= 300_000_000
        assert (desk.door.renewals, len(venue.peers)) == (1, 2)


async def test_a_venue_that_never_answers_the_second_logon_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection and says nothing: what was on its way is AMBIGUOUS, orders are refused, cancels go by REST."""
    monkeypatch.setattr(order_session, "SESSION_S", (0.05,))
    monkeypatch.setattr(order_session, "reconnect_delay", lambda attempt: 0.001)
    silent = False

    def reply(request: dict[str, Any]) -> dict[str, Any] | bytes | None:
        return b'{"id":null,"status":400}' if silent else None

    async with (
        serving(answer(200, OK)) as rest,
        scripted(reply) as (venue, url),
        desk_at(url) as desk,
        second_way(desk, rest.url),
    ):
        await up(desk)
        desk.ask(submit("tl1"))
        silent = True
        venue.peers[-1].cut()
        await until(lambda: len(venue.peers) > 3)
        assert desk.answers() == [(SUBMIT, "tl1", "AMBIGUOUS")]
        desk.ask(submit("tl2"), cancel("tl1"))
        await until(lambda: len(desk.of(RequestAnswered)) == 3)
        assert desk.answers()[1:] == [(SUBMIT, "tl2", "REFUSED"), (CANCEL, "tl1", "RESULT")]
        assert desk.of(RequestAnswered)[1].refusal is Refusal.NOT_CONNECTED
        silent = False
        await up(desk, generation=2)
