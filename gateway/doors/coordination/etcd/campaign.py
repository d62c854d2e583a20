"""Becoming the leader of a scope, on etcd: one key on our lease, and the epoch's counter written in the same transaction.

A candidate waits for the key to go, then asks for a lease and tries. Whatever the transaction answered, the key is read
back: it is ours when it hangs on our lease. So a lost answer neither loses a term nor makes one up. What did not become
a term gives its lease back, whether it lost, failed or was canceled.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    CoordinationError,
    Leader,
    TermOver,
    Unreachable,
    Waiting,
    next_epoch,
)
from gateway.doors.coordination.etcd import values, wire
from gateway.doors.coordination.etcd.calls import Calls
from gateway.doors.coordination.etcd.watch import News
from gateway.doors.coordination.lease import NS, deadline_ns, keep
from gateway.doors.coordination.term import Term


class Held(NamedTuple):
    """What keeps a term."""

    lease: int
    keeper: asyncio.Task[None]


class Candidate:
    """One instance's campaigns and the terms they won."""

    def __init__(self, calls: Calls, holder: str, ttl_s: int) -> None:
        self._calls, self._holder, self._ttl_s = calls, holder, ttl_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[Term, Held] = {}  # terms that are neither resigned nor over
        self._lost_ns: dict[str, int] = {}  # scope -> boottime at which its counter was found missing; 0: it is there

    async def close(self) -> None:
        """Ends all terms for ourselves; waits for leases on their way back."""
        for term, held in self._held.items():
            term.end("coordination was closed")
            held.keeper.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def campaign(self, scope: str, above: Callable[[], int], waiting: Callable[[Waiting], None]) -> Term:
        told: Waiting | None = None
        leader: Leader | None = None
        with News(self._calls, ((wire.key("leader", scope), b""),), self._ttl_s / 2) as news:
            while True:
                news.taken()
                try:
                    outcome = await self._try(scope, above)
                except Unreachable as error:
                    now = Waiting(leader, str(error))
                else:
                    if isinstance(outcome, Term):
                        return outcome
                    leader = outcome
                    now = Waiting(leader, "")
                if now != told:
                    told = now
                    waiting(now)
                await news.wait()

    async def _try(self, scope: str, above: Callable[[], int]) -> Term | Leader | None:
        """Our term; or who leads; or None when another was quicker and is gone again: its going is news."""
        path, counter = wire.key("leader", scope), wire.key("epoch", scope)
        answer = await self._calls.txn(
            "look for a leader", wire.txn([], wire.read(wire.range_of(path), wire.range_of(counter)), [])
        )
        leaders, counters = wire.found(answer)
        self._mind_lost_data(scope, bool(counters))
        if leaders:
            return values.leader(scope, leaders)
        epoch = next_epoch(scope, values.epoch(counters), above())
        granted = await self._calls.grant(self._ttl_s)
        term = None
        try:
            found = await self._claim(path, counter, counters[0].mod_revision if counters else 0, epoch, granted.lease)
            if found and found[0].lease == granted.lease:
                ttl_ns = granted.ttl_s * NS
                won = Term(scope, epoch, self._holder, found[0].create_revision, deadline_ns(granted.asked_ns, ttl_ns))
                if won.left_ns(boottime_ns()) > 0:
                    term = won
        finally:
            if term is None:
                await self._give_back(granted.lease)
        if term is None:
            return values.leader(scope, found)
        keeper = self._behind(keep(term, ttl_ns, lambda: self._renew(term, granted.lease)), "coordination-keep")
        self._held[term] = Held(granted.lease, keeper)
        keeper.add_done_callback(lambda _: self._held.pop(term, None))
        return term

    def _mind_lost_data(self, scope: str, counted: bool) -> None:
        """A counter is never removed. Where we saw one and it is gone, so is the leader's key, and he may not know yet.

        Raises Unreachable for a time to live: his term has run out then, for he cannot renew it.
        """
        now_ns = boottime_ns()
        if counted:
            self._lost_ns[scope] = 0
        elif scope in self._lost_ns:
            lost_ns = self._lost_ns[scope] = self._lost_ns[scope] or now_ns
            if now_ns < lost_ns + self._ttl_s * NS:
                where = f"etcd at {self._calls.endpoint.address}"
                raise Unreachable(
                    where, "look for a leader", "it has lost its data; an earlier leader's time must run out"
                )

    async def _claim(self, path: bytes, counter: bytes, counted_at: int, epoch: int, lease: int) -> list[Any]:
        """The leader's key after our try, as another read finds it."""
        value = values.encode(values.LeaderValue(epoch, self._holder))
        claim = wire.txn(
            [wire.created_at(path, 0), wire.modified_at(counter, counted_at)],
            [wire.put(path, value, lease), wire.put(counter, values.encode(epoch))],
            [],
        )
        with suppress(Unreachable):  # it may have happened: read back
            await self._calls.txn("claim leadership", claim)
        answer = await self._calls.txn("verify leadership", wire.txn([], wire.read(wire.range_of(path)), []))
        return wire.found(answer)[0]

    async def _renew(self, term: Term, lease: int) -> int:
        """The new deadline. Raises TermOver when lease or key are no longer ours: someone may have deleted the key."""
        kept = await self._calls.keep_alive(lease)
        if kept.ttl_s == 0:
            raise TermOver(term.scope, term.epoch, "the lease has expired at the store")
        path = wire.key("leader", term.scope)
        answer = await self._calls.txn("verify leadership", wire.txn([], wire.read(wire.range_of(path)), []))
        verify(term, wire.found(answer)[0])
        return deadline_ns(kept.asked_ns, kept.ttl_s * NS)

    async def resign(self, term: Term) -> None:
        held = self._held.pop(term, None)
        term.end("resigned")
        if held is not None:
            await self._calls.revoke(held.lease)

    async def _give_back(self, lease: int) -> None:
        """Goes on to its end even when the campaign is canceled meanwhile."""
        await asyncio.shield(self._behind(self._revoke(lease), "coordination-give-back"))

    async def _revoke(self, lease: int) -> None:
        with suppress(CoordinationError):  # then it expires by itself
            await self._calls.revoke(lease)

    def _behind(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def verify(term: Term, leaders: list[Any]) -> None:
    """Raises TermOver unless the key that the store has is this term's."""
    if not leaders:
        raise TermOver(term.scope, term.epoch, "the store has no leader")
    if leaders[0].create_revision != term.token:
        other = values.leader(term.scope, leaders)
        assert other is not None
        raise TermOver(term.scope, term.epoch, f"{other.holder} leads with epoch {other.epoch}")
