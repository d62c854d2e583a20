"""What only etcd can do to its clients: freeze, die, lose answers, refuse; and clusters with dead members."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    Band,
    CoordinationError,
    Leader,
    Misconfigured,
    Picture,
    Refused,
    TermOver,
    Unreachable,
    Waiting,
)
from gateway.doors.coordination.etcd import EtcdCoordinator, TlsFiles, calls, wire
from gateway.doors.coordination.etcd.watch import EtcdWatching, News
from ops.etcd import EtcdNode, ServerFiles, free_ports
from tests.gateway.doors.certificates import authority
from tests.gateway.doors.coordination.backends import LONG_NS, SECOND_NS, Backend, above, campaigning, soon, until
from tests.support.holder import EPOCH


async def by_hand(node: EtcdNode, then: list[Any]) -> None:
    """A transaction as an operator's tool would send it."""
    async with grpc.aio.insecure_channel(node.endpoint) as channel:
        await wire.KVStub(channel).Txn(wire.txn([], then, []), timeout=5)


async def test_a_frozen_etcd_ends_the_term_by_the_holders_own_clock(cluster: Backend, own_etcd: EtcdNode) -> None:
    one, term = await cluster.leader(ttl_ns=SECOND_NS)
    watching = one.watch(cluster.group, cluster.scope, lambda picture: None)
    own_etcd.freeze()
    reason = await soon(term.until_over())
    assert "no answer" in reason or "the host was stopped" in reason  # so a machine that stood still ends it as well
    assert term.left_ns(boottime_ns()) <= 0
    with pytest.raises(Unreachable, match=f"{own_etcd.endpoint}.*DEADLINE_EXCEEDED.*see that it runs"):
        await one.cooldowns(cluster.group)
    assert "DEADLINE_EXCEEDED" in watching.trouble
    own_etcd.thaw()
    assert await one.cooldowns(cluster.group) == ()
    assert (await soon(one.campaign(cluster.scope, above))).epoch == term.epoch + 1
    await until(lambda: watching.trouble == "")


async def test_watches_and_campaigns_outlive_a_killed_etcd(cluster: Backend, own_etcd: EtcdNode) -> None:
    """Killed and started again on its data: what was agreed is still there, and news arrive again."""
    one, term = await cluster.leader(ttl_ns=SECOND_NS)
    await one.put_band(term, cluster.group, "BTCUSDT", 90, 100)
    held = await one.hold_cooldown(cluster.group, "BTCUSDT", 1 << 62, "stopped out")
    second = await cluster.start("b")
    pictures: list[Picture] = []
    second.watch(cluster.group, cluster.scope, pictures.append)
    heard: list[Waiting] = []
    campaign = asyncio.create_task(second.campaign(cluster.scope, above, heard.append))
    await until(lambda: heard and pictures)
    term.alive = lambda: False
    own_etcd.kill()
    await until(lambda: heard[-1].trouble)
    own_etcd.start()
    new = await soon(campaign)
    assert new.epoch == term.epoch + 1
    longer = await one.hold_cooldown(cluster.group, "ETHUSDT", 1 << 62, "after the outage")
    now = Picture(Leader(cluster.scope, new.epoch, "b"), (held, longer), (Band("BTCUSDT", cluster.scope, 90, 100),))
    await until(lambda: pictures[-1] == now)
    assert heard[0] == Waiting(Leader(cluster.scope, EPOCH + 1, "a"), "")


async def test_a_store_that_lost_its_data_lets_nobody_in_before_the_last_leaders_time_is_over(
    cluster: Backend, own_etcd: EtcdNode
) -> None:
    """He may not have heard of it yet, and may trade until his own clock ends the term."""
    _, term = await cluster.leader()
    second = await cluster.start("b")
    heard: list[Waiting] = []
    campaign = asyncio.create_task(second.campaign(cluster.scope, above, heard.append))
    await until(lambda: heard)
    own_etcd.stop()
    own_etcd.start()
    await until(lambda: "has lost its data" in heard[-1].trouble)
    assert (term.reason, campaign.done()) == ("", False)
    campaign.cancel()


async def test_after_the_time_of_a_leader_that_was_lost_with_the_data_another_leads(
    cluster: Backend, own_etcd: EtcdNode
) -> None:
    _, term = await cluster.leader(ttl_ns=SECOND_NS)
    second = await cluster.start("b", SECOND_NS)
    async with campaigning(second, cluster.scope) as campaign:
        own_etcd.stop()
        own_etcd.start()
        await soon(campaign)
    assert await soon(term.until_over())


async def test_news_come_from_the_watch_not_from_the_poll(cluster: Backend, own_etcd: EtcdNode) -> None:
    """Under a time to live whose half nothing here waits for; once before and once after an outage."""
    one = await cluster.start("a")
    pictures: list[Picture] = []
    one.watch(cluster.group, cluster.scope, pictures.append)
    await until(lambda: pictures)
    other = await cluster.start("b")
    held = await other.hold_cooldown(cluster.group, "BTCUSDT", 1 << 62, "before")
    await until(lambda: pictures[-1].cooldowns == (held,))
    own_etcd.kill()
    own_etcd.start()
    await other.hold_cooldown(cluster.group, "ETHUSDT", 1 << 62, "after")
    await until(lambda: len(pictures[-1].cooldowns) == 2)


async def test_a_campaign_may_begin_before_its_etcd(own_etcd: EtcdNode, cluster: Backend) -> None:
    own_etcd.kill()
    one = await cluster.start("a")
    heard: list[Waiting] = []
    campaign = asyncio.create_task(one.campaign(cluster.scope, above, heard.append))
    await until(lambda: heard)
    own_etcd.start()
    assert (await soon(campaign)).epoch == EPOCH + 1
    assert heard[0].leader is None
    assert own_etcd.endpoint in heard[0].trouble


async def test_a_dead_member_is_passed_over(etcd: EtcdNode, tmp_path: Path) -> None:
    dead = f"127.0.0.1:{free_ports(1)[0]}"
    several = Backend("etcd", f"{dead},{etcd.endpoint}", tmp_path.name)
    one, term = await several.leader(ttl_ns=SECOND_NS)
    pictures: list[Picture] = []
    one.watch(several.group, several.scope, pictures.append)
    await one.put_band(term, several.group, "BTCUSDT", 90, 100)
    await until(lambda: pictures and pictures[-1].bands)
    deadline_ns = term.deadline_ns
    await until(lambda: term.deadline_ns > deadline_ns)
    await several.close()


async def test_a_member_that_freezes_is_left_with_the_term_and_the_watch(
    cluster: Backend, own_etcd: EtcdNode, etcd: EtcdNode
) -> None:
    """Two nodes that are no cluster stand for two members: the second simply has nothing yet."""
    both = Backend("etcd", f"{own_etcd.endpoint},{etcd.endpoint}", cluster.scope)
    one = await both.start("a", 4 * SECOND_NS)
    pictures: list[Picture] = []
    watching = one.watch(both.group, both.scope, pictures.append)
    assert isinstance(watching, EtcdWatching)
    await until(lambda: pictures)
    own_etcd.freeze()
    other = await Backend("etcd", etcd.endpoint, cluster.scope).start("b")
    await other.hold_cooldown(both.group, "LOOKED", 1 << 62, "found by looking, which also finds the second node")
    await until(lambda: pictures[-1].cooldowns)
    watching._news._look_s = LONG_NS  # from the next look on, nothing is found by looking
    await other.hold_cooldown(both.group, "PERHAPS", 1 << 62, "before or behind that look")
    await until(lambda: len(pictures[-1].cooldowns) == 2)
    await other.hold_cooldown(both.group, "TOLD", 1 << 62, "by the watch on the second node")
    await until(lambda: len(pictures[-1].cooldowns) == 3)
    await other.close()
    await both.close()


async def test_a_claim_whose_answer_is_lost_is_read_back(cluster: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await cluster.start("a")
    assert isinstance(one, EtcdCoordinator)
    real, lost = one._calls.txn, []

    async def txn(operation: str, request: Any) -> Any:
        answer = await real(operation, request)
        if operation == "claim leadership":
            lost.append(operation)
            raise Unreachable("etcd", operation, "the answer was lost")
        return answer

    monkeypatch.setattr(one._calls, "txn", txn)
    term = await soon(one.campaign(cluster.scope, above))
    assert (lost, term.epoch, term.reason) == (["claim leadership"], EPOCH + 1, "")
    assert await one.observe(cluster.scope) == Leader(cluster.scope, term.epoch, "a")


async def test_a_claim_that_never_arrived_is_made_again(
    cluster: Backend, own_etcd: EtcdNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease goes back; the look that follows finds nobody and tries again, under the same epoch."""
    monkeypatch.setattr(News, "wait", lambda self: asyncio.sleep(0))
    one = await cluster.start("a")
    assert isinstance(one, EtcdCoordinator)
    real, lost = one._calls.txn, []

    async def txn(operation: str, request: Any) -> Any:
        if operation == "claim leadership" and not lost:
            lost.append(operation)
            raise Unreachable("etcd", operation, "it never arrived")
        return await real(operation, request)

    monkeypatch.setattr(one._calls, "txn", txn)
    assert (await soon(one.campaign(cluster.scope, above))).epoch == EPOCH + 1
    async with grpc.aio.insecure_channel(own_etcd.endpoint) as channel:
        leases = await wire.LeaseStub(channel).LeaseLeases(wire.etcdrpc.LeaseLeasesRequest(), timeout=5)
    assert (lost, len(leases.leases)) == (["claim leadership"], 1)


async def test_a_leaders_key_that_someone_deletes_ends_the_term(cluster: Backend, own_etcd: EtcdNode) -> None:
    _, term = await cluster.leader(ttl_ns=SECOND_NS)
    await by_hand(own_etcd, [wire.delete(wire.key("leader", cluster.scope))])
    assert await soon(term.until_over()) == "the store has no leader"


async def test_a_value_that_we_never_wrote_is_refused_by_name(cluster: Backend, own_etcd: EtcdNode) -> None:
    one = await cluster.start("a")
    await by_hand(own_etcd, [wire.put(wire.key("band", cluster.group, "BTCUSDT", "other"), b"nonsense")])
    with pytest.raises(Refused, match=f"/touchline/1/band/{cluster.group}/BTCUSDT/other.*delete the key"):
        await one.bands(cluster.group)


async def test_an_etcd_with_no_space_left_says_so(tmp_path: Path) -> None:
    """Its quota is raised or its data removed by a person: this is no outage that passes."""
    with EtcdNode(tmp_path / "etcd", options=("--quota-backend-bytes", "100000")) as node:
        small = Backend("etcd", node.endpoint, tmp_path.name)
        one, term = await small.leader()

        async def fill() -> None:
            for _ in range(10):
                await one.put_account(term, b"x" * 100_000)

        with pytest.raises(Refused, match="space exceeded"):
            await fill()
        await small.close()


async def test_tls_and_client_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "OPERATION_S_MAX", 0.5)
    files = authority(tmp_path)
    with EtcdNode(tmp_path / "etcd", ServerFiles(files.ca, files.cert, files.key)) as node:

        async def look(tls: TlsFiles | None) -> Leader | None:
            one = EtcdCoordinator((node.endpoint,), "a", SECOND_NS, tls)
            await one.open()
            try:
                return await one.observe("scope")
            finally:
                await one.close()

        ours = TlsFiles(str(files.ca), str(files.cert), str(files.key))
        assert await look(ours) is None
        for strangers in (
            None,
            TlsFiles(ours.ca),
            TlsFiles(str(authority(tmp_path / "other").ca), ours.cert, ours.key),
        ):
            with pytest.raises(Unreachable):
                await look(strangers)


def test_tls_files_that_cannot_be_read_are_named() -> None:
    with pytest.raises(Misconfigured, match=r"\[coordination\] ca_file: missing.pem: cannot be read"):
        EtcdCoordinator(("127.0.0.1:2379",), "a", SECOND_NS, TlsFiles("missing.pem"))


def test_endpoints_are_checked() -> None:
    with pytest.raises(Misconfigured, match="is not on this machine"):
        EtcdCoordinator(("etcd.example:2379",), "a", SECOND_NS)


def test_the_generated_code_warns_nobody_and_is_named_when_missing() -> None:
    """In a process of its own: what is imported once warns only once."""
    module = "gateway.doors.coordination.etcd"
    subprocess.run([sys.executable, "-W", "error", "-c", f"import {module}"], check=True)
    without = f"import sys; sys.modules['etcd3'] = None\nimport {module}"
    told = subprocess.run([sys.executable, "-c", without], check=False, capture_output=True, text=True)
    assert 'pip install "touchline[etcd]"' in told.stderr.splitlines()[-1]


async def test_a_contended_operation_ends(cluster: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever always writes in between would else hold us for ever."""
    one, term = await cluster.leader()
    assert isinstance(one, EtcdCoordinator)
    real = one._calls.txn
    refused = await real("nothing", wire.txn([wire.created_at(b"/none", 1)], [], []))

    async def txn(operation: str, request: Any) -> Any:
        return refused if request.success and request.compare else await real(operation, request)

    monkeypatch.setattr(one._calls, "txn", txn)
    for work in (
        one.put_band(term, cluster.group, "BTCUSDT", 1, 0),
        one.hold_cooldown(cluster.group, "BTCUSDT", 1 << 62, ""),
    ):
        with pytest.raises(CoordinationError, match="lost 100 rounds"):
            await work
    monkeypatch.undo()


class Scripted(wire.etcdrpc.LeaseServicer):
    """A member that answers each keep-alive with the next of a script: a status, a time to live, or nothing at all.

    Behind its end nothing: on a busy machine an attempt may have timed out on its way here, and is made again.
    """

    def __init__(self, *script: grpc.StatusCode | int | None) -> None:
        self.left = list(script)

    async def LeaseKeepAlive(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        answer = self.left.pop(0) if self.left else None
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "scripted")
        elif answer is not None:
            yield wire.etcdrpc.LeaseKeepAliveResponse(ID=1, TTL=answer)


@asynccontextmanager
async def answering(*script: grpc.StatusCode | int | None) -> AsyncIterator[tuple[calls.Calls, Scripted]]:
    member, server = Scripted(*script), grpc.aio.server()
    wire.etcdrpc.add_LeaseServicer_to_server(member, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    ours = calls.Calls((f"127.0.0.1:{port}",), 1.0, None)
    ours.open()
    yield ours, member
    await ours.close()
    await server.stop(None)


@pytest.mark.parametrize("status", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN"])
async def test_a_keep_alive_is_repeated_over_what_passes(status: str) -> None:
    """UNKNOWN is what etcd says while its cluster elects a leader."""
    async with answering(grpc.StatusCode[status], grpc.StatusCode[status], 5) as (ours, member):
        kept = await ours.keep_alive(1)
    assert (kept.ttl_s, member.left) == (5, [])


async def test_a_keep_alive_is_not_repeated_over_what_stays() -> None:
    async with answering(grpc.StatusCode.PERMISSION_DENIED, 5) as (ours, member):
        with pytest.raises(Refused, match=r"keep a lease alive: etcd at .* refused: PERMISSION_DENIED scripted"):
            await ours.keep_alive(1)
    assert member.left == [5]


async def test_a_keep_alive_without_an_answer_renews_nothing() -> None:
    async with answering(None) as (ours, _):
        with pytest.raises(Unreachable, match="ended without an answer"):
            await ours.keep_alive(1)


async def test_a_band_is_fenced_by_the_very_write(cluster: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The term ends behind the look and before the write."""
    one, term = await cluster.leader()
    assert isinstance(one, EtcdCoordinator)
    real = one._calls.txn

    async def txn(operation: str, request: Any) -> Any:
        if operation == "put a band" and request.success[0].HasField("request_put"):
            await one.resign(term)
        return await real(operation, request)

    monkeypatch.setattr(one._calls, "txn", txn)
    with pytest.raises(TermOver, match="the store has no leader"):
        await one.put_band(term, cluster.group, "BTCUSDT", 1, 0)
    assert await one.bands(cluster.group) == ()


async def test_an_abandoned_wait_is_no_campaign(cluster: Backend) -> None:
    first, term = await cluster.leader()
    second = await cluster.start("b")
    async with campaigning(second, cluster.scope):
        pass
    await first.resign(term)
    assert await first.observe(cluster.scope) is None
