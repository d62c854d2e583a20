"""The coordination door on both backends: requests of the bus become operations of the store, and its picture inputs."""

import asyncio
import time
from typing import Any

import pytest

from bus.codec import encode
from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    AccountState,
    BandPublished,
    CooldownObserved,
    CooldownPublished,
    Message,
    Outcome,
    PeersObserved,
    PublishAccount,
    PublishBand,
    PublishCooldown,
)
from gateway.doors.coordination import door as coordination_door
from gateway.doors.coordination.contract import Band, Coordinator, TermOver, Unreachable
from gateway.doors.coordination.door import CoordinationDoor, Unreadable
from gateway.doors.coordination.loopback import LoopbackDoor
from gateway.doors.coordination.term import Term
from tests.gateway.doors.coordination.backends import Backend, soon, until
from tests.support.house import BTC

SECOND_NS = 1_000_000_000
STATE = AccountState(0, 3, ("BTC",), (5,), ("BTCUSDT",), (5,), (1,), (0,), (9,), ((9,),), (1,), (0,))


class Desk:
    """A door of one scope, and all it posted."""

    def __init__(self, coordinator: Coordinator, term: Term, group: str) -> None:
        self.coordinator, self.term = coordinator, term
        self.said: list[Message] = []
        self.door = CoordinationDoor(coordinator, term, group, {0: BTC}, time.time_ns)
        self.counter = 0

    def ask(self, kind: type[Message], *fields: Any, seconds: float = 30.0) -> None:
        self.counter += 1
        head = ("coordination", self.counter, 4, time.time_ns() + int(seconds * SECOND_NS))
        assert self.door.handlers[kind](kind(*head, *fields), 0) == ()

    def of(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.said if type(message) is kind]

    async def hear(self, kind: type[Message]) -> Any:
        """The next answer of this kind; the earlier ones were taken."""
        await until(lambda: self.of(kind))
        message = self.of(kind)[0]
        self.said.remove(message)
        return message


async def desk(backend: Backend, name: str) -> Desk:
    coordinator, term = await backend.leader(f"{backend.scope}.{name}", name)
    made = Desk(coordinator, term, backend.group)
    await soon(made.door.open(made.said.append))
    return made


async def test_it_begins_with_what_others_hold(backend: Backend) -> None:
    first = await desk(backend, "a")
    assert first.said == [PeersObserved(0, 0, 0, 0)]
    until_ns = time.time_ns() + 60 * SECOND_NS
    first.ask(PublishBand, 0, 100, 120)
    await first.hear(BandPublished)
    first.ask(PublishCooldown, 0, until_ns, "loss")
    await first.hear(CooldownPublished)
    second = await desk(backend, "b")
    assert second.said == [CooldownObserved(0, until_ns, "loss"), PeersObserved(0, 1, 100, 120)]
    for one in (first, second):
        await one.door.close()


async def test_a_band_is_granted_or_refused_with_what_it_would_meet(backend: Backend) -> None:
    first, second = await desk(backend, "a"), await desk(backend, "b")
    first.ask(PublishBand, 0, 100, 120)
    granted = await first.hear(BandPublished)
    assert granted == BandPublished("coordination", 1, 4, Outcome.RESULT, 0, 100, 120, 0, 0, "")
    second.ask(PublishBand, 0, 120, 0)
    refused = await second.hear(BandPublished)
    assert (refused.outcome, refused.theirs_bid_max, refused.theirs_ask_min) == (Outcome.REFUSED, 100, 120)
    second.ask(PublishBand, 0, 119, 101)
    assert (await second.hear(BandPublished)).outcome is Outcome.RESULT
    await until(lambda: first.of(PeersObserved)[-1] == PeersObserved(0, 1, 119, 101))
    await second.door.leave()
    await until(lambda: first.of(PeersObserved)[-1] == PeersObserved(0, 0, 0, 0))
    for one in (first, second):
        await one.door.close()


async def test_a_band_that_is_on_its_way_when_we_leave_is_dropped_too(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, go = await desk(backend, "a"), asyncio.Event()
    put = one.coordinator.put_band

    async def slow(*asked: Any) -> Any:
        await go.wait()
        return await put(*asked)

    monkeypatch.setattr(one.coordinator, "put_band", slow)
    one.ask(PublishBand, 0, 100, 120)
    leaving = asyncio.ensure_future(one.door.leave())
    await asyncio.sleep(0)
    go.set()
    await leaving
    assert (await one.hear(BandPublished)).outcome is Outcome.RESULT
    assert await one.coordinator.bands(backend.group) == ()
    await one.door.close()


async def test_a_cooldown_answers_with_the_end_that_is_in_force(backend: Backend) -> None:
    first, second = await desk(backend, "a"), await desk(backend, "b")
    until_ns = time.time_ns() + 60 * SECOND_NS
    first.ask(PublishCooldown, 0, until_ns + 1, "long")
    await first.hear(CooldownPublished)
    await until(lambda: second.of(CooldownObserved) == [CooldownObserved(0, until_ns + 1, "long")])
    second.ask(PublishCooldown, 0, until_ns, "short")
    answer = await second.hear(CooldownPublished)
    assert (answer.outcome, answer.until_ns, answer.reason) == (Outcome.RESULT, until_ns + 1, "long")
    for one in (first, second):
        await one.door.close()


async def test_what_a_leader_leaves_his_successor_inherits_with_its_epoch(backend: Backend) -> None:
    first = await desk(backend, "a")
    assert await soon(first.door.inherit()) is None
    first.ask(PublishAccount, STATE)
    assert await first.hear(AccountPublished) == AccountPublished("coordination", 1, 4, Outcome.RESULT, 3, "")
    await first.door.close()
    await first.coordinator.resign(first.term)
    coordinator, term = await backend.leader(first.term.scope, "b")
    after = Desk(coordinator, term, backend.group)
    assert await soon(after.door.inherit()) == AccountHandedOver(0, first.term.epoch, STATE)
    assert term.epoch > first.term.epoch


async def test_a_term_that_is_over_writes_nothing_and_is_told_so(backend: Backend) -> None:
    one = await desk(backend, "a")
    await one.coordinator.resign(one.term)
    one.ask(PublishBand, 0, 100, 120)
    band = await one.hear(BandPublished)
    assert (band.outcome, band.theirs_bid_max, band.theirs_ask_min) == (Outcome.REFUSED, 0, 0)
    assert "the term of epoch" in band.reason
    one.ask(PublishAccount, STATE)
    assert (await one.hear(AccountPublished)).outcome is Outcome.REFUSED
    with pytest.raises(TermOver):
        await soon(Desk(one.coordinator, one.term, backend.group).door.open(one.said.append))
    await one.door.close()


async def test_what_the_store_holds_and_we_cannot_read_stops_the_start(backend: Backend) -> None:
    one = await desk(backend, "a")
    for left in (b"\xc1 no message", encode(PeersObserved(0, 0, 0, 0))):
        await one.coordinator.put_account(one.term, left)
        with pytest.raises(Unreadable, match=r"cannot be read: .*; start the newer version"):
            await soon(one.door.inherit())
    await one.door.close()


class Silent:
    """A store that never answers, or fails at once."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.asked = error, 0

    async def put_band(self, *_: object) -> Band:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await asyncio.sleep(3_600)
        raise AssertionError

    async def get_account(self, scope: str) -> bytes | None:
        self.asked += 1
        if self.asked < 3:
            raise Unreachable("somewhere", "read", "cut off")
        return None


def silent(store: Silent) -> Desk:
    return Desk(store, Term("s", 5, "we", 1, 1 << 62), "g")  # type: ignore[arg-type]  # only what is asked


@pytest.mark.parametrize(
    ("error", "told"),
    [(None, "no answer before the deadline"), (Unreachable("etcd", "put", "cut off"), "put: no answer from etcd: cut off")],
)  # fmt: skip
async def test_no_answer_is_ambiguous(error: Exception | None, told: str) -> None:
    one = silent(Silent(error))
    one.door._post = one.said.append
    one.ask(PublishBand, 0, 100, 120, seconds=0.05)
    answer = await one.hear(BandPublished)
    assert (answer.outcome, answer.bid_max, answer.ask_min) == (Outcome.AMBIGUOUS, 100, 120)
    assert answer.reason.startswith(told)
    assert one.door.unanswered == 1
    await one.door.close()


async def test_requests_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination_door, "IN_FLIGHT_MAX", 2)
    store = Silent()
    one = silent(store)
    one.door._post = one.said.append
    for _ in range(3):
        one.ask(PublishBand, 0, 100, 120)
    [answer] = one.of(BandPublished)
    assert (answer.counter, answer.outcome) == (3, Outcome.REFUSED)
    assert "2 requests are under way" in answer.reason
    await one.door.close()
    assert store.asked <= 2


async def test_a_start_asks_until_it_knows_what_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination_door, "RETRY_S", 0.01)
    troubles: list[str] = []
    one = silent(Silent())
    one.door.on_trouble = troubles.append
    assert await soon(one.door.inherit()) is None
    assert len(troubles) == 2
    one = silent(Silent())
    one.term.end("cut off")
    with pytest.raises(TermOver, match="cut off"):
        await soon(one.door.inherit())


def test_the_stand_in_takes_what_the_door_takes() -> None:
    assert set(LoopbackDoor({0: BTC}).handlers) == set(silent(Silent()).door.handlers)
