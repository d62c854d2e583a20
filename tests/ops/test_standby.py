"""Standing by: whom it waits for, what keeps a term alive, and how a term ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.doors.coordination.contract import (
    Coordinator,
    EpochsExhausted,
    Leader,
    Misconfigured,
    Unreachable,
    Waiting,
    check_name,
)
from gateway.doors.coordination.local import LocalCoordinator
from gateway.doors.coordination.term import Term
from ops import standby as standing_by
from ops.config import parse
from ops.sections import CoordinationSection
from ops.standby import Pulse, Standby, holder_name, make_coordinator, scope_of, store_name
from tests.gateway.doors.coordination.backends import soon, until
from tests.support.house import CONFIG

TTL_NS = 2_000_000_000


async def nothing() -> None:
    """Nothing to refresh."""


@asynccontextmanager
async def instance(folder: Path, holder: str) -> AsyncIterator[tuple[Coordinator, Standby]]:
    coordinator = LocalCoordinator(folder / "coordination.sqlite", holder, TTL_NS)
    await coordinator.open()
    try:
        yield coordinator, Standby(coordinator, "scope", TTL_NS)
    finally:
        await coordinator.close()


def test_names_can_stand_in_the_store() -> None:
    assert check_name("holder", holder_name()) == holder_name()
    assert check_name("scope", scope_of(parse(CONFIG))) == "binance-spot:main"


async def test_alone_it_wins_and_its_term_has_time_left(tmp_path: Path) -> None:
    async with instance(tmp_path, "a") as (_, one):
        assert one.left_ns() == 0
        term = await soon(one.win(lambda: 41, nothing, asyncio.Event()))
        assert term is not None
        assert term.epoch == 42
        assert 0 < one.left_ns() <= TTL_NS
        assert one.leader is None


async def test_it_says_for_whom_it_waits_and_takes_over_when_he_resigns(tmp_path: Path) -> None:
    async with instance(tmp_path, "a") as (_, first), instance(tmp_path, "b") as (_, second):
        assert await soon(first.win(lambda: 0, nothing, asyncio.Event()))
        told: list[Waiting] = []
        second.told = told.append
        waits = asyncio.ensure_future(second.win(lambda: 0, nothing, asyncio.Event()))
        await until(lambda: told)
        assert told[-1] == Waiting(Leader("scope", 1, "a"), "")
        await first.resign()
        term = await soon(waits)
        assert term is not None
        assert term.epoch > 1


async def test_a_stop_ends_the_wait_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with instance(tmp_path, "a") as (_, first), instance(tmp_path, "b") as (_, second):
        assert await soon(first.win(lambda: 0, nothing, asyncio.Event()))
        stopped = asyncio.Event()
        second.told = lambda leader: stopped.set()
        assert await soon(second.win(lambda: 0, nothing, stopped)) is None
        await first.resign()
        async with instance(tmp_path, "c") as (_, third):
            assert await soon(third.win(lambda: 0, nothing, asyncio.Event()))


async def test_while_it_waits_what_was_prepared_is_kept_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_by, "REFRESH_S", 0.01)
    async with instance(tmp_path, "a") as (_, first), instance(tmp_path, "b") as (_, second):
        assert await soon(first.win(lambda: 0, nothing, asyncio.Event()))
        refreshed: list[int] = []

        async def refresh() -> None:
            refreshed.append(1)
            if len(refreshed) == 3:
                await first.resign()

        assert await soon(second.win(lambda: 0, refresh, asyncio.Event()))
        assert len(refreshed) >= 3


async def test_a_pulse_that_stops_lets_the_term_run_out(tmp_path: Path) -> None:
    """The host is broken, or the loop stood still: the backend gets no word of life, and the term ends by itself."""
    async with instance(tmp_path, "a") as (_, one):
        pulse = asyncio.ensure_future(one.pulse.run())
        await soon(one.win(lambda: 0, nothing, asyncio.Event()))
        one.pulse.whole = lambda: False
        assert await soon(one.until_over()) == "not kept alive in time: the host made no progress"
        assert one.left_ns() <= 0
        pulse.cancel()


def test_a_pulse_is_alive_for_half_a_time_to_live() -> None:
    now = [0]
    pulse = Pulse(TTL_NS, lambda: now[0])
    now[0] = TTL_NS // 2 - 1
    assert pulse.alive()
    now[0] += 1
    assert not pulse.alive()
    pulse.whole = lambda: False
    pulse.beat()
    assert not pulse.alive()
    pulse.whole = lambda: True
    pulse.beat()
    assert pulse.alive()


async def test_a_term_whose_keeper_is_gone_ends_by_our_own_clock() -> None:
    one = Standby(Refusing(), "scope", TTL_NS)
    one.term = Term("scope", 5, "a", 1, standing_by.boottime_ns() + 20_000_000)
    assert await soon(one.until_over()) == "its time ran out before a keep-alive was granted"


class Refusing(Coordinator):
    """A store that cannot be asked."""

    async def campaign(self, scope: str, above: Callable[[], int], waiting: Callable[[Waiting], None]) -> Term:
        raise EpochsExhausted(scope)

    async def resign(self, term: Term) -> None:
        raise Unreachable("somewhere", "resign", "cut off")


async def test_a_campaign_that_cannot_be_won_says_why() -> None:
    with pytest.raises(EpochsExhausted, match=r"give .* another label"):
        await soon(Standby(Refusing(), "scope", TTL_NS).win(lambda: 0, nothing, asyncio.Event()))


async def test_a_stop_does_not_fail_because_nobody_hears_that_we_resign() -> None:
    one = Standby(Refusing(), "scope", TTL_NS)
    one.term = Term("scope", 5, "a", 1, 1 << 62)
    await soon(one.resign())
    assert one.left_ns() == 0


def test_a_shared_file_in_a_folder_that_does_not_exist_is_refused_and_not_made(tmp_path: Path) -> None:
    section = CoordinationSection(path=str(tmp_path / "misspelt" / "coordination.sqlite"))
    with pytest.raises(Misconfigured, match=r"\[coordination\] path: .*its folder does not exist; correct the path"):
        make_coordinator(section, tmp_path / "state")
    assert not (tmp_path / "misspelt").exists()


def test_a_store_says_whether_others_can_see_it(tmp_path: Path) -> None:
    sections = (
        CoordinationSection(),
        CoordinationSection(path="/srv/c.sqlite"),
        CoordinationSection(backend="etcd", endpoints=("a:1", "b:2")),
    )
    assert [store_name(section, Path("/state")) for section in sections] == [
        "private /state/coordination.sqlite",
        "shared /srv/c.sqlite",
        "etcd a:1,b:2",
    ]


def test_only_a_file_that_nobody_named_is_private(tmp_path: Path) -> None:
    def private(path: str) -> bool:
        made = make_coordinator(CoordinationSection(path=path), tmp_path / "state")
        assert isinstance(made, LocalCoordinator)
        return made.private

    assert [private(path) for path in ("", str(tmp_path / "shared.sqlite"))] == [True, False]
