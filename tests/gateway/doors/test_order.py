"""The order door's commit point and connection, on scripted venues over real sockets."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import InvalidState

from bus.log import LogFull
from bus.messages import (
    ClockEstimate,
    Instrument,
    Outcome,
    PrivateStreamDown,
    PrivateStreamUp,
    Refusal,
    RequestAnswered,
    RequestKind,
    RequestSent,
)
from gateway.doors import order as order_door
from gateway.doors import session as order_session
from gateway.doors import venue_time
from gateway.doors.order import SessionRefused
from gateway.doors.websocket import ConnectFailed, WebSocket, connect
from tests.gateway.doors.order_entry import (
    BTC,
    CLOCK,
    EPOCH,
    SECRET,
    Desk,
    KeptJournal,
    cancel,
    desk_at,
    scripted,
    submit,
)
from tests.gateway.doors.peers import LIMIT_S, frame, handshake_answer, until

SUBMIT, CANCEL = RequestKind.SUBMIT, RequestKind.CANCEL


async def up(desk: Desk, generation: int = 1) -> None:
    await until(lambda: len(desk.of(PrivateStreamUp)) >= generation or (desk.task and desk.task.done()))
    assert desk.task is not None
    if desk.task.done():
        desk.task.result()


# -- the commit point -------------------------------------------------------------------------------------------------


async def test_the_journal_has_the_request_before_the_peer_has_a_byte_of_it() -> None:
    """The peer is a plain socket, read without a turn of the loop: what it holds at each append is what was written."""
    at_append: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        journal = KeptJournal(lambda: at_append.append(held(peer)))
        async with desk_at("ws://{}:{}".format(*listener.getsockname()), journal=journal, run=False) as desk:
            desk.task = asyncio.create_task(desk.door.run())
            peer = await asyncio.to_thread(accept, listener)
            await up(desk)
            held(peer)
            for request in (submit("tl1"), cancel("tl0")):
                desk.ask(request)
                assert at_append.pop() == b""
                assert at_append == []
                assert len(held(peer)) > 100
            peer.close()
        assert [type(message).__name__ for message in journal.messages] == ["SubmitOrder", "CancelOrder"]


def accept(listener: socket.socket) -> socket.socket:
    """Accept, shake hands, and answer the subscription; then do not block."""
    peer, _ = listener.accept()
    peer.sendall(handshake_answer(peer.recv(4096)))
    peer.recv(4096)
    answer = b'{"id":"session.subscribe","status":200,"result":{"subscriptionId":0}}'
    peer.sendall(b"\x81" + bytes([len(answer)]) + answer)
    peer.setblocking(False)
    return peer


def held(peer: socket.socket) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return peer.recv(1 << 16)
    return b""


def full(desk: Desk) -> None:
    def fail() -> None:
        raise LogFull(Path("journal"), 1, 28)

    desk.journal.before = fail


def stall(desk: Desk) -> None:
    """Write, without a turn of the loop, until the kernel takes no more: the peer in this process cannot read."""
    open_socket = desk.door._socket
    assert open_socket is not None
    while not open_socket.buffered:
        open_socket.write(b'{"id":"x","method":"stall","much":"%b"}' % (b"x" * 100_000))


def fill(desk: Desk) -> None:
    desk.door._in_flight = {(SUBMIT, str(n)): (0, CLOCK.now_ns()) for n in range(order_door.IN_FLIGHT_MAX)}


def lose_lease(desk: Desk) -> None:
    desk.door.lease_left_ns = lambda: 0


def fail_disk(desk: Desk) -> None:
    desk.door.disk_failed = lambda: True


def disconnect(desk: Desk) -> None:
    assert desk.door._socket is not None
    desk.door._socket.abort("gone")


def unsubscribe(desk: Desk) -> None:
    desk.door._subscribed = False


def nothing(desk: Desk) -> None:
    pass


@pytest.mark.parametrize(
    ("what", "changes", "refusal"),
    [
        (nothing, {"expires_ns": 1}, Refusal.EXPIRED),
        (nothing, {"epoch": EPOCH - 1}, Refusal.EPOCH),
        (nothing, {"epoch": EPOCH + 1}, Refusal.EPOCH),
        (stall, {}, Refusal.WRITE_BUFFER),
        (fill, {}, Refusal.WRITE_BUFFER),
        (disconnect, {}, Refusal.NOT_CONNECTED),
        (unsubscribe, {}, Refusal.NOT_CONNECTED),
        (fail_disk, {}, Refusal.DISK),
        (full, {}, Refusal.DISK),
        (lose_lease, {}, Refusal.LEASE),
    ],
)
async def test_a_submit_that_may_not_go_is_refused_at_once_unwritten_and_unjournaled(
    what: Callable[[Desk], None], changes: dict[str, Any], refusal: Refusal
) -> None:
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        what(desk)
        desk.said.clear()
        desk.ask(submit("tl9", **changes))
        desk.journal.before = lambda: None
        [answer] = [
            message for message in desk.said if type(message) is RequestAnswered and message.client_order_id == "tl9"
        ]
        assert (answer.outcome, answer.refusal, answer.reason) == (Outcome.REFUSED, refusal, refusal.name)
        assert (answer.request, answer.code) == (SUBMIT, 0)
        assert desk.of(RequestSent) == []
        assert desk.journal.messages == []
        assert (desk.door.orders_sent, desk.door.refused) == (0, 1)
        await asyncio.sleep(0.01)
        assert venue.asked("order.place") == []


@pytest.mark.parametrize("what", [fail_disk, full, lose_lease, fill])
async def test_a_cancel_goes_whatever_disk_and_lease_say(what: Callable[[Desk], None]) -> None:
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        what(desk)
        desk.ask(cancel("tl3"))
        await until(lambda: venue.asked("order.cancel"))
        assert [sent.client_order_id for sent in desk.of(RequestSent)] == ["tl3"]
        assert desk.answers() == []
        assert desk.door.unjournaled_cancels == (1 if what is full else 0)


async def test_a_cancel_without_a_connection_is_refused() -> None:
    async with scripted() as (_, url), desk_at(url) as desk:
        await up(desk)
        disconnect(desk)
        desk.said.clear()
        desk.ask(cancel("tl3"))
        [answer] = desk.of(RequestAnswered)
        assert (answer.outcome, answer.refusal) == (Outcome.REFUSED, Refusal.NOT_CONNECTED)


# -- what was written and never answered ------------------------------------------------------------------------------


async def test_a_cut_with_requests_in_flight_makes_each_ambiguous_once_then_the_stream_down_then_up() -> None:
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        desk.ask(submit("tl1"), submit("tl2"), cancel("tl0"))
        await until(lambda: len(venue.requests) >= 4)
        desk.said.clear()
        venue.peers[-1].cut()
        await until(lambda: desk.of(PrivateStreamUp))
        assert desk.answers() == [
            (SUBMIT, "tl1", "AMBIGUOUS"),
            (SUBMIT, "tl2", "AMBIGUOUS"),
            (CANCEL, "tl0", "AMBIGUOUS"),
        ]
        kinds = [type(message) for message in desk.said if type(message) is not ClockEstimate]
        assert kinds == [RequestAnswered] * 3 + [PrivateStreamDown, PrivateStreamUp]
        [down], [again] = desk.of(PrivateStreamDown), desk.of(PrivateStreamUp)
        assert (down.generation, again.generation) == (1, 2)
        desk.ask(submit("tl4"))
        assert [sent.client_order_id for sent in desk.of(RequestSent)] == ["tl4"]


async def test_an_answer_overdue_is_ambiguous_and_the_late_one_is_handed_on_as_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_door, "ANSWER_S_MAX", 0.03)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        desk.ask(submit("tl1"))
        await until(lambda: desk.answers())
        assert desk.answers() == [(SUBMIT, "tl1", "AMBIGUOUS")]
        venue.push({"id": "stl1", "status": 200, "result": {"symbol": "BTCUSDT", "orderId": 9, "clientOrderId": "tl1"}})
        await until(lambda: len(desk.answers()) == 2)
        assert desk.answers()[1] == (SUBMIT, "tl1", "RESULT")
        assert desk.door.ambiguous == 1


@pytest.mark.parametrize("event", ["serverShutdown", "eventStreamTerminated"])
async def test_a_stream_that_the_venue_ends_is_opened_anew(event: str) -> None:
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        desk.ask(submit("tl1"))
        await until(lambda: venue.asked("order.place"))
        venue.push({"event": {"e": event, "E": 1}})
        await up(desk, generation=2)
        assert desk.answers() == [(SUBMIT, "tl1", "AMBIGUOUS")]
        assert [down.reason for down in desk.of(PrivateStreamDown)] == [event]


class Full(Exception):
    """As bus.errors.InputsFull, at a moment of the test's choice."""


async def test_an_answer_that_could_not_be_posted_is_not_lost() -> None:
    """The host takes no more at the first of two: that one is answered at the next sweep, and each only once."""
    async with scripted() as (_, url), desk_at(url) as desk:
        await up(desk)
        desk.ask(submit("tl1"), submit("tl2"))
        full_at = [0, 1]

        def post(message: Any) -> None:
            if len(desk.answers()) in full_at:
                raise Full
            desk.said.append(message)

        desk.door.attach(post, lambda: 77)
        while full_at:
            with pytest.raises(Full):
                desk.door._sweep(CLOCK.now_ns() + 1, "overdue")
            full_at.pop(0)
        desk.door._sweep(CLOCK.now_ns() + 1, "overdue")
        assert sorted(desk.answers()) == [(SUBMIT, "tl1", "AMBIGUOUS"), (SUBMIT, "tl2", "AMBIGUOUS")]


@pytest.mark.parametrize("error", [RuntimeError("the handle is closed"), InvalidState("connection is closing")])
async def test_a_write_that_raises_leaves_every_journaled_request_ambiguous_and_ends_the_connection(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop raises RuntimeError for a handle it has closed, the protocol's core InvalidState: some of it may have left."""
    cascade: list[Callable[[int], None]] = []

    def fail(payloads: object) -> None:
        raise error

    async with scripted() as (_, url), desk_at(url) as desk:
        await up(desk)
        desk.door.attach(desk.said.append, lambda: 77, cascade.append)
        desk.ask(submit("tl1"), cancel("tl0"))
        assert len(desk.journal.messages) == 2
        assert desk.door._socket is not None
        monkeypatch.setattr(desk.door._socket, "write_all", fail)
        desk.said.clear()
        [flush] = cascade
        flush(CLOCK.now_ns())
        assert [type(message) for message in desk.said] == [RequestAnswered, RequestAnswered, PrivateStreamDown]
        assert desk.answers() == [(SUBMIT, "tl1", "AMBIGUOUS"), (CANCEL, "tl0", "AMBIGUOUS")]
        assert all(str(error) in answer.reason for answer in desk.of(RequestAnswered))
        await up(desk, generation=1)
        assert [again.generation for again in desk.of(PrivateStreamUp)] == [2]


# -- what cannot be read ----------------------------------------------------------------------------------------------

GARBAGE = b'{"subscriptionId":0,"event":{"e":"executionReport","s":"BTCUSDT","C":"tl1","q":"not a number"}}'


async def test_an_unreadable_event_causes_one_new_proof_and_the_stream_stays() -> None:
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        venue.push(GARBAGE)
        await until(lambda: len(desk.of(PrivateStreamUp)) == 2)
        assert [message.generation for message in desk.of(PrivateStreamUp)] == [1, 2]
        assert desk.of(PrivateStreamDown) == []
        assert desk.door.unreadable == 1
        assert desk.troubles[0].startswith("unreadable: ")
        assert len(venue.peers) == 1


async def test_many_unreadable_events_cause_few_proofs_but_the_last_is_proved_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_session, "PROVE_AGAIN_NS", 200_000_000)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        for _ in range(50):
            venue.push(GARBAGE)
        await until(lambda: desk.door.unreadable == 50)
        await until(lambda: len(desk.of(PrivateStreamUp)) == 3)
        first, second = (message.received_ns for message in desk.of(PrivateStreamUp)[1:])
        assert second - first >= 200_000_000
        await asyncio.sleep(0.25)
        assert len(desk.of(PrivateStreamUp)) == 3  # nothing new came: nothing new is asked


# -- time -------------------------------------------------------------------------------------------------------------


async def test_the_venues_clock_is_estimated_between_asking_and_hearing() -> None:
    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "time":
            return None
        return {"status": 200, "result": {"serverTime": CLOCK.now_ns() // 1_000_000 + 5_000}}

    async with scripted(reply) as (_, url), desk_at(url) as desk:
        await until(lambda: desk.of(ClockEstimate))
        [clock] = desk.of(ClockEstimate)
        assert abs(clock.offset_ns - 5_000_000_000) <= clock.uncertainty_ns + 1_000_000
        assert 0 < clock.uncertainty_ns < 1_000_000_000


async def test_a_late_answer_to_an_old_question_never_passes_for_a_fresh_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A venue that answers `time` after the next one would be due: an estimate from the wrong pair would be a lie."""
    monkeypatch.setattr(order_session, "TIME_INTERVAL_S", 0.02)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await until(lambda: venue.asked("time"))
        stamp_ms = CLOCK.now_ns() // 1_000_000
        await asyncio.sleep(0.1)
        assert len(venue.asked("time")) == 1
        venue.push({"id": "session.time", "status": 200, "result": {"serverTime": stamp_ms}})
        await until(lambda: desk.of(ClockEstimate))
        [clock] = desk.of(ClockEstimate)
        assert abs(clock.offset_ns) <= clock.uncertainty_ns
        await until(lambda: len(venue.asked("time")) == 2)


async def test_a_session_that_never_tells_the_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer that got lost would else be waited for as long as the session lives, and requests stamped by an old estimate."""
    monkeypatch.setattr(order_session, "TIME_ANSWER_NS_MAX", 50_000_000)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await until(lambda: len(desk.of(PrivateStreamUp)) == 2)
        [down] = desk.of(PrivateStreamDown)[:1]
        assert "the time" in down.reason
        assert len(venue.peers) >= 2


async def test_a_refused_question_for_the_time_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_session, "TIME_INTERVAL_S", 0.0)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    refused = {"status": 429, "error": {"code": -1003, "msg": "Too much request weight used."}}
    async with (
        scripted(lambda request: refused if request["method"] == "time" else None) as (venue, url),
        desk_at(url) as desk,
    ):
        await until(lambda: len(venue.asked("time")) >= 3)
        assert desk.of(ClockEstimate) == []


async def test_one_slow_answer_does_not_replace_a_good_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_session, "TIME_INTERVAL_S", 0.02)
    monkeypatch.setattr(order_session, "SWEEP_S", 0.01)
    questions = 0

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal questions
        questions += request["method"] == "time"
        if request["method"] != "time" or questions > 1:
            return None
        return {"status": 200, "result": {"serverTime": CLOCK.now_ns() // 1_000_000 + 5_000}}

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await until(lambda: questions == 2)
        await asyncio.sleep(0.2)
        stamp_ms = CLOCK.now_ns() // 1_000_000 + 5_000  # the way there took the time: 100 ms off, within its bounds
        venue.push({"id": "session.time", "status": 200, "result": {"serverTime": stamp_ms}})
        await until(lambda: len(desk.of(ClockEstimate)) == 2)
        good, after = desk.of(ClockEstimate)
        assert after.offset_ns == good.offset_ns
        assert good.uncertainty_ns < after.uncertainty_ns < 100_000_000


async def test_an_estimate_from_before_the_door_is_not_replaced_by_a_slow_answer() -> None:
    """The start asks over REST, before the door is made."""
    before = ClockEstimate(0, 5_000_000_000, 1_000_000)
    async with scripted() as (venue, url), desk_at(url, known=before) as desk:
        await until(lambda: venue.asked("time"))
        await asyncio.sleep(0.1)
        stamp_ms = CLOCK.now_ns() // 1_000_000 + 5_000
        venue.push({"id": "session.time", "status": 200, "result": {"serverTime": stamp_ms}})
        await until(lambda: desk.of(ClockEstimate))
        assert desk.of(ClockEstimate)[0].offset_ns == before.offset_ns


async def test_after_a_slow_answer_the_time_is_asked_again_at_once_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(venue_time, "UNSURE_NS", 0)  # every answer is slow

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] != "time":
            return None
        return {"status": 200, "result": {"serverTime": CLOCK.now_ns() // 1_000_000}}

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await until(lambda: len(desk.of(ClockEstimate)) == 1 + order_session.TIME_AGAIN_MAX)
        await asyncio.sleep(0.05)
        assert len(venue.asked("time")) == 1 + order_session.TIME_AGAIN_MAX


# -- the session ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text"),
    [(-1022, "Signature for this request is not valid."), (-2015, "Invalid API-key."), (-1021, "Timestamp outside.")],
)
async def test_a_refused_session_says_what_to_check_and_shows_no_secret(code: int, text: str) -> None:
    refused = {"status": 400, "error": {"code": code, "msg": text}}
    async with scripted(lambda request: refused) as (_, url), desk_at(url) as desk:
        assert desk.task is not None
        with pytest.raises(SessionRefused) as failure:
            await asyncio.wait_for(desk.task, LIMIT_S)
        told = str(failure.value)
        assert text in told
        assert str(code) in told
        assert re.search(r"check the API key, its permissions and its secret, and .*clock", told)
        assert SECRET not in told + repr(failure.value) + repr(desk.door) + repr(desk.door._venue) + repr(
            vars(desk.door)
        )
        assert desk.said == []


async def test_a_session_refused_after_a_good_one_is_tried_again() -> None:
    """At the start our credentials are wrong; later the venue is having a bad moment."""
    subscriptions = 0

    def reply(request: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal subscriptions
        subscriptions += request["method"].startswith("userDataStream")
        return {"status": 500, "error": {"code": -1000, "msg": "?"}} if subscriptions == 2 else None

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await up(desk)
        venue.peers[-1].cut()
        await up(desk, generation=2)
        assert subscriptions == 3
        assert desk.troubles[0].startswith("attempt 1: the venue refused subscribe")


async def test_a_venue_that_cannot_be_reached_at_first_is_told_after_a_few_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_session, "reconnect_delay", lambda attempt: 0.001)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = "ws://{}:{}".format(*taken.getsockname())
    async with desk_at(url) as desk:
        assert desk.task is not None
        with pytest.raises(ConnectFailed, match=url):
            await asyncio.wait_for(desk.task, LIMIT_S)
        assert len(desk.troubles) == order_session.FIRST_ATTEMPTS_MAX - 1
        assert all("Connect call failed" in text for text in desk.troubles)


async def test_a_venue_that_went_away_later_is_dialed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_session, "reconnect_delay", lambda attempt: 0.001)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        monkeypatch.setattr(desk.door, "_url", "ws://127.0.0.1:1")
        venue.peers[-1].cut()
        await until(lambda: len(desk.troubles) > 3 * order_session.FIRST_ATTEMPTS_MAX)
        monkeypatch.setattr(desk.door, "_url", url)
        await up(desk, generation=2)


async def test_a_venue_that_never_answers_the_subscription_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_session, "SESSION_S", (0.02,))
    monkeypatch.setattr(order_session, "reconnect_delay", lambda attempt: 0.001)
    async with scripted(lambda request: b'{"id":null,"status":400}') as (_, url), desk_at(url) as desk:
        assert desk.task is not None
        with pytest.raises(ConnectFailed, match=r"no answer to subscribe in 0\.02 s"):
            await asyncio.wait_for(desk.task, LIMIT_S)


async def test_a_lost_answer_to_the_subscription_costs_no_more_than_the_first_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each attempt is given more time than the one before it; one that is answered ends that."""
    monkeypatch.setattr(order_session, "SESSION_S", (0.02, 0.05, LIMIT_S))
    monkeypatch.setattr(order_session, "reconnect_delay", lambda attempt: 0.001)
    lost = 0

    def reply(request: dict[str, Any]) -> bytes | None:
        nonlocal lost
        if request["method"] != "userDataStream.subscribe.signature" or lost == 2:
            return None
        lost += 1
        return b'{"id":null,"status":400}'

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await up(desk)
        assert [text.rpartition(": ")[2] for text in desk.troubles] == [
            f"no answer to subscribe in {seconds} s" for seconds in (0.02, 0.05)
        ]
        assert len(venue.peers) == 3


async def test_a_venue_that_hangs_up_during_the_logon_is_dialed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hang_ups = 0

    def reply(request: dict[str, Any]) -> None:
        nonlocal hang_ups
        if hang_ups < 2:
            hang_ups += 1
            venue.peers[-1].cut()

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await up(desk)
        assert hang_ups == 2
        assert desk.of(PrivateStreamDown) == []  # it was never up


async def test_a_subscription_that_ends_in_its_own_segment_is_no_session() -> None:
    """The answer and the close frame arrive together: nobody may believe in a stream that is gone."""
    subscriptions = 0

    def reply(request: dict[str, Any]) -> None:
        nonlocal subscriptions
        if request["method"].startswith("userDataStream"):
            subscriptions += 1
            if subscriptions == 1:
                yes = b'{"id":"session.subscribe","status":200,"result":{"subscriptionId":0}}'
                venue.peers[-1].writer.write(frame(yes) + frame(b"", 8))

    async with scripted(reply) as (venue, url), desk_at(url) as desk:
        await up(desk)
        assert len(venue.peers) == 2
        assert [message.generation for message in desk.of(PrivateStreamUp)] == [1]
        assert desk.of(PrivateStreamDown) == []


async def test_the_late_end_of_an_old_connection_does_not_touch_the_new_one() -> None:
    async with scripted() as (_, url), desk_at(url) as desk:
        await up(desk)
        old = desk.door._socket
        assert isinstance(old, WebSocket)
        new = await connect(url, desk.door._on_open, desk.door._on_frame, desk.door._on_end)
        desk.ask(submit("tl1"))
        assert [answer.refusal for answer in desk.of(RequestAnswered)] == [Refusal.NOT_CONNECTED]  # not subscribed yet
        old.abort("late")
        assert desk.door._socket is new
        assert new.open
        assert desk.of(PrivateStreamDown) == []
        assert not desk.door._down.is_set()


async def test_an_order_is_phrased_by_the_version_it_was_approved_with_or_not_at_all() -> None:
    coarser = msgspec.structs.replace(BTC, version=2, tick=BTC.tick * 10, lot=BTC.lot * 10, quantity_scale=7)
    async with scripted() as (venue, url), desk_at(url) as desk:
        await up(desk)
        desk.ask(submit("tl1"))
        desk.door.handlers[Instrument](coarser, 0)
        desk.ask(submit("tl2"), submit("tl3", version=2))
        await until(lambda: len([r for r in venue.requests if r["method"] == "order.place"]) == 2)
        sent = [r["params"] for r in venue.requests if r["method"] == "order.place"]
        [refused] = desk.of(RequestAnswered)
    assert (refused.client_order_id, refused.refusal) == ("tl2", Refusal.INSTRUMENT_VERSION)
    first, second = sent
    assert Decimal(second["price"]) == 10 * Decimal(first["price"])
    assert Decimal(second["quantity"]) == 100 * Decimal(first["quantity"]), "ten lots of ten times, in a tenth's scale"


async def test_another_venues_clock_is_not_the_one_that_requests_are_stamped_by() -> None:
    async with scripted() as (_, url), desk_at(url) as desk:
        desk.door.handlers[ClockEstimate](ClockEstimate(3, 10**12, 1), 0)
        assert desk.door._time.offset_ns == 0
        desk.door.handlers[ClockEstimate](ClockEstimate(0, 10**9, 1), 0)
        assert desk.door._time.offset_ns == 10**9
