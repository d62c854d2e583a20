"""What only the file of one machine can do to its users: be locked, be elsewhere, be old, outlive a reboot."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.doors.coordination.contract import CoordinationError, Leader, Misconfigured, Refused, Unreachable, Waiting
from gateway.doors.coordination.local import LocalCoordinator, store
from gateway.doors.coordination.local import coordinator as coordinating
from tests.gateway.doors.coordination.backends import LONG_NS, SECOND_NS, Backend, above, campaigning, soon, until
from tests.support.holder import EPOCH


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Backend]:
    one = Backend("local", str(tmp_path / "new folder" / "coordination.sqlite"), "local")
    yield one
    await one.close()


def database(backend: Backend) -> sqlite3.Connection:
    return sqlite3.connect(backend.address, isolation_level=None)


async def test_a_dead_holder_leads_until_its_time_is_over_because_its_last_order_may_still_come(
    machine: Backend,
) -> None:
    with machine.process("dead", LONG_NS) as holder:
        epoch = (await holder.hear())["epoch"]
        one = await machine.start("b")
        holder.kill()
    assert await one.observe(machine.scope) == Leader(machine.scope, epoch, "dead")
    with closing(database(machine)) as hand:
        hand.execute("UPDATE terms SET deadline_ns = 1")
    assert (await soon(one.campaign(machine.scope, above))).epoch == epoch + 1


async def test_in_a_file_of_one_state_directory_the_next_process_leads_at_once(machine: Backend) -> None:
    """It has the journal of the dead one, and so knows what may still come."""
    with machine.process("dead", LONG_NS) as holder:
        epoch = (await holder.hear())["epoch"]
        holder.kill()
    one = LocalCoordinator(Path(machine.address), "b", LONG_NS, private=True)
    await one.open()
    try:
        assert (await soon(one.campaign(machine.scope, above))).epoch == epoch + 1
    finally:
        await one.close()


async def test_a_term_of_another_boot_is_over(machine: Backend) -> None:
    """Boottime begins anew: a deadline from before means nothing. The lock is held to prove that it is not asked."""
    _, term = await machine.leader()
    with closing(database(machine)) as hand:
        hand.execute("UPDATE terms SET boot_id = 'before the power failed'")
    other = await machine.start("b")
    assert await other.observe(machine.scope) is None
    assert (await soon(other.campaign(machine.scope, above))).epoch == term.epoch + 1


def remove(backend: Backend) -> None:
    """As a person does it who wants to begin anew."""
    for path in Path(backend.address).parent.glob("coordination.sqlite*"):
        if path.is_file():
            path.unlink()


async def test_a_file_that_is_removed_under_its_leader_lets_nobody_in_beside_him(machine: Backend) -> None:
    one, term = await machine.leader(ttl_ns=SECOND_NS)
    remove(machine)
    other = await machine.start("b")
    heard: list[Waiting] = []
    campaign = asyncio.create_task(other.campaign(machine.scope, above, heard.append))
    assert "was replaced or removed" in await soon(term.until_over())
    await until(lambda: heard)
    assert "leads by an older file" in heard[-1].trouble
    assert not campaign.done()
    with pytest.raises(Refused, match="was replaced or removed"):
        await soon(one.campaign(machine.scope, above))
    await one.close()  # which is what an engine does then
    assert (await soon(campaign)).epoch == EPOCH + 1


async def test_locks_of_terms_past_do_not_pile_up(machine: Backend) -> None:
    one = await machine.start("a")
    for _ in range(3):
        await one.resign(await soon(one.campaign(machine.scope, above)))
    locks = Path(machine.address + ".locks")
    assert [path.name for path in locks.iterdir()] == [f"{machine.scope}.{EPOCH + 3}"]


async def test_a_claim_that_was_killed_before_its_commit_is_no_obstacle(machine: Backend) -> None:
    one = await machine.start("a")
    (Path(machine.address + ".locks") / f"{machine.scope}.{EPOCH + 1}").touch()
    assert (await soon(one.campaign(machine.scope, above))).epoch == EPOCH + 1


async def test_a_file_that_another_holds_is_unreachable_and_then_back(
    machine: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S_MAX", 0.05)
    one, term = await machine.leader(ttl_ns=SECOND_NS)
    waiting: list[Waiting] = []
    with closing(database(machine)) as hand:
        hand.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match=r"put a band: no answer from .*sqlite: database is locked"):
            await one.put_band(term, machine.group, "BTCUSDT", 1, 0)
        assert "database is locked" in await soon(term.until_over())
        campaign = asyncio.create_task(one.campaign(machine.scope, above, waiting.append))
        await until(lambda: waiting and waiting[-1].trouble)
        hand.execute("ROLLBACK")
        assert (await soon(campaign)).epoch == term.epoch + 1


async def test_a_claim_that_commits_behind_its_cancel_is_taken_back(
    machine: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, claimed = await machine.start("a"), threading.Event()
    assert isinstance(one, LocalCoordinator)
    real = one._store.claim

    def claim(*arguments: Any) -> Any:
        claimed.set()
        return real(*arguments)

    monkeypatch.setattr(one._store, "claim", claim)
    with closing(database(machine)) as hand:
        hand.execute("BEGIN IMMEDIATE")
        campaign = asyncio.create_task(one.campaign(machine.scope, above))
        await until(claimed.is_set)
        campaign.cancel()
        with pytest.raises(asyncio.CancelledError):
            await campaign
        hand.execute("ROLLBACK")
        await until(lambda: hand.execute("SELECT epoch, deadline_ns FROM terms").fetchall() == [(EPOCH + 1, 0)])
    other = await machine.start("b")
    assert (await soon(other.campaign(machine.scope, above))).epoch == EPOCH + 2


async def test_an_operation_that_fails_after_its_caller_has_gone_is_nobodys_exception(
    machine: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at a stop that does not wait for the store any longer."""
    monkeypatch.setattr(store, "BUSY_S_MAX", 0.05)
    one, term = await machine.leader()
    unheard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unheard.append(context))
    with closing(database(machine)) as hand:
        hand.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await one.put_account(term, b"state")
        with pytest.raises(Unreachable):
            await one.put_account(term, b"behind it")
        hand.execute("ROLLBACK")
    gc.collect()
    assert unheard == []


async def test_a_disk_that_hangs_does_not_hold_the_caller(machine: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than one operation may take; the lock stands for the disk."""
    one, term = await machine.leader()
    monkeypatch.setattr(coordinating, "OPERATION_S_MAX", 0.05)
    with closing(database(machine)) as hand:
        hand.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match="no answer within"):
            await one.put_account(term, b"state")
        hand.execute("ROLLBACK")
    monkeypatch.undo()
    await one.put_account(term, b"newer")
    assert await one.get_account(machine.scope) == b"newer"


async def test_a_file_of_another_version_is_refused(machine: Backend) -> None:
    await machine.start("a")
    with closing(database(machine)) as hand:
        hand.execute(f"PRAGMA user_version={store.SCHEMA_VERSION + 1}")
    with pytest.raises(Misconfigured, match="made by another version"):
        await machine.start("b")


@pytest.mark.parametrize("path", ["/proc/coordination.sqlite", "/dev/null/coordination.sqlite"])
async def test_a_place_where_nothing_can_be_written_is_named(path: str) -> None:
    with pytest.raises(Misconfigured, match=rf"\[coordination\] path: {path}"):
        await LocalCoordinator(Path(path), "a", SECOND_NS).open()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "coordination.sqlite"
    path.write_text("something else " * 100)
    with pytest.raises(Misconfigured, match="not a database"):
        await LocalCoordinator(path, "a", SECOND_NS).open()


async def test_a_file_system_that_machines_may_share_is_refused(
    machine: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "REMOTE", {store.file_system(tmp_path)})
    with pytest.raises(Misconfigured, match='backend = "etcd"'):
        await machine.start("a")


def test_file_systems_are_told_by_the_longest_mount() -> None:
    assert store.file_system(Path("/proc/self")) == "proc"
    assert store.file_system(Path("/")) != "proc"


async def test_a_broken_file_is_refused_not_retried(machine: Backend) -> None:
    one = await machine.start("a")
    with closing(database(machine)) as hand:
        hand.execute("DROP TABLE bands")
    with pytest.raises(Refused, match="no such table: bands"):
        await one.bands(machine.group)


async def test_many_may_make_the_file_at_once(tmp_path: Path) -> None:
    instances = [LocalCoordinator(tmp_path / "coordination.sqlite", f"i{number}", SECOND_NS) for number in range(8)]
    failed = await asyncio.gather(*(one.open() for one in instances), return_exceptions=True)
    assert failed == [None] * 8
    for one in instances:
        await one.close()


async def test_a_watch_survives_what_happens_to_its_file(machine: Backend) -> None:
    one = await machine.start("a", SECOND_NS)
    watching = one.watch(machine.group, machine.scope, lambda picture: None)
    await until(lambda: watching.seen_ns)
    with closing(database(machine)) as hand:
        hand.execute("ALTER TABLE bands RENAME TO gone")
        await until(lambda: "no such table" in watching.trouble)
        hand.execute("ALTER TABLE gone RENAME TO bands")
        await until(lambda: watching.trouble == "")


async def test_a_dead_leader_leaves_the_picture_without_a_write(machine: Backend) -> None:
    with machine.process("dead", SECOND_NS) as holder:
        await holder.hear()
        one = await machine.start("b", SECOND_NS)
        leaders: list[Leader | None] = []
        one.watch(machine.group, machine.scope, lambda picture: leaders.append(picture.leader))
        await until(lambda: leaders and leaders[-1] is not None)
        holder.kill()
        await until(lambda: leaders[-1] is None)


async def test_a_campaign_goes_on_when_the_file_is_back(machine: Backend) -> None:
    _, term = await machine.leader()
    one = await machine.start("b")
    async with campaigning(one, machine.scope) as campaign:
        with closing(database(machine)) as hand:
            hand.execute("UPDATE terms SET deadline_ns = 0")
        assert (await soon(campaign)).epoch == term.epoch + 1


def test_every_error_is_one_of_the_tree() -> None:
    codes = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT)
    errors = [sqlite3.OperationalError("said") for _ in codes]
    for error, code in zip(errors, codes, strict=True):
        error.sqlite_errorcode, error.sqlite_errorname = code, "NAME"
    named = [coordinating.named(error, "file", "work") for error in (*errors, OSError(28, "No space left on device"))]
    assert [type(one) for one in named] == [Unreachable, Refused, Refused, Refused]
    assert all(isinstance(one, CoordinationError) for one in named)
