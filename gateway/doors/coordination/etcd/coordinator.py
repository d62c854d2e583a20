"""The contract of coordination, on etcd."""

import time
from collections.abc import Callable

from gateway.doors.coordination.contract import (
    REASON_LENGTH_MAX,
    Band,
    BandAnswer,
    Cooldown,
    Leader,
    Picture,
    TermOver,
    Unreachable,
    Waiting,
    check_account,
    check_name,
    judge_band,
    unnoticed,
)
from gateway.doors.coordination.etcd import values, wire
from gateway.doors.coordination.etcd.calls import Calls, TlsFiles
from gateway.doors.coordination.etcd.campaign import Candidate, verify
from gateway.doors.coordination.etcd.watch import EtcdWatching, News
from gateway.doors.coordination.etcd.wire import Request
from gateway.doors.coordination.lease import NS
from gateway.doors.coordination.term import Term

ROUNDS_MAX = 100
"""Compare-and-swaps of one operation. Each lost round is another's success: that many at once are no longer traders."""
FORGOTTEN_NS = 3_600_000_000_000
"""How long a cooldown stays after its end, by our wall clock; clocks of instances differ by far less. Chosen."""
FORGOTTEN_MAX = 20  # of them in one transaction; etcd takes 128 operations


class EtcdCoordinator:
    """See contract.Coordinator. ttl_ns is rounded up to whole seconds, which is what etcd counts leases in."""

    def __init__(self, endpoints: tuple[str, ...], holder: str, ttl_ns: int, tls: TlsFiles | None = None) -> None:
        """Raises Misconfigured."""
        self.private = False
        self._ttl_s = -(-ttl_ns // NS)
        self._calls = Calls(endpoints, self._ttl_s, tls)
        self._candidate = Candidate(self._calls, check_name("holder", holder), self._ttl_s)
        self._watching: list[EtcdWatching] = []

    async def open(self) -> None:
        self._calls.open()

    async def close(self) -> None:
        for watching in self._watching:
            await watching.close()
        await self._candidate.close()
        await self._calls.close()

    async def campaign(
        self, scope: str, above: Callable[[], int], waiting: Callable[[Waiting], None] = unnoticed
    ) -> Term:
        return await self._candidate.campaign(check_name("scope", scope), above, waiting)

    async def resign(self, term: Term) -> None:
        await self._candidate.resign(term)

    async def observe(self, scope: str) -> Leader | None:
        return values.leader(scope, await self._read("observe", wire.key("leader", check_name("scope", scope))))

    def watch(self, group: str, scope: str, changed: Callable[[Picture], None]) -> EtcdWatching:
        leader = wire.key("leader", check_name("scope", scope))
        check_name("group", group)
        ranges = ((leader, b""), wire.prefix("cooldown", group), wire.prefix("band", group))

        async def look() -> Picture:
            reads = wire.read(*(wire.range_of(*one) for one in ranges))
            leaders, cooldowns, bands = wire.found(await self._calls.txn("watch", wire.txn([], reads, [])))
            return Picture(values.leader(scope, leaders), values.cooldowns(cooldowns), values.bands(bands))

        watching = EtcdWatching(News(self._calls, ranges, self._ttl_s / 2), look, changed)
        self._watching = [*(one for one in self._watching if not one.closed), watching]
        return watching

    async def hold_cooldown(self, group: str, symbol: str, until_ns: int, reason: str) -> Cooldown:
        path = wire.key("cooldown", check_name("group", group), check_name("symbol", symbol))
        wanted = Cooldown(symbol, until_ns, reason[:REASON_LENGTH_MAX])
        value = values.encode(values.CooldownValue(wanted.until_ns, wanted.reason))
        for _ in range(ROUNDS_MAX):
            found = await self._read("hold a cooldown", *wire.prefix("cooldown", group))
            mine = next((one for one in found if one.key == path), None)
            if mine is not None and (there := values.cooldown(mine)).until_ns >= until_ns:
                return there
            gone_ns = time.time_ns() - FORGOTTEN_NS
            gone = [one for one in found if one is not mine and values.cooldown(one).until_ns < gone_ns][:FORGOTTEN_MAX]
            compare = [wire.modified_at(one.key, one.mod_revision) for one in gone]
            compare.append(wire.modified_at(path, 0 if mine is None else mine.mod_revision))
            then = [*(wire.delete(one.key) for one in gone), wire.put(path, value)]
            if (await self._calls.txn("hold a cooldown", wire.txn(compare, then, []))).succeeded:
                return wanted
        raise self._contended("hold a cooldown")

    async def cooldowns(self, group: str) -> tuple[Cooldown, ...]:
        return values.cooldowns(
            await self._read("read cooldowns", *wire.prefix("cooldown", check_name("group", group)))
        )

    async def put_band(self, term: Term, group: str, symbol: str, bid_max: int, ask_min: int) -> BandAnswer:
        path = wire.key("band", check_name("group", group), check_name("symbol", symbol), term.scope)
        below = wire.prefix("band", group, symbol)
        leader = wire.key("leader", term.scope)
        mine = Band(symbol, term.scope, bid_max, ask_min)
        value = values.encode(values.BandValue(bid_max, ask_min))
        look = wire.txn([], wire.read(wire.range_of(leader), wire.range_of(*below)), [])
        for _ in range(ROUNDS_MAX):
            seen = await self._calls.txn("put a band", look)
            leaders, bands = wire.found(seen)
            verify(term, leaders)
            answer = judge_band(mine, values.bands(bands))
            if not answer.granted:
                return answer
            # Whoever writes a band here after our look makes this fail: of two that meet, one is admitted.
            compare = [wire.created_at(leader, term.token), wire.unwritten_since(*below, seen.header.revision)]
            if (await self._calls.txn("put a band", wire.txn(compare, [wire.put(path, value)], []))).succeeded:
                return answer
        raise self._contended("put a band")

    async def drop_band(self, term: Term, group: str, symbol: str) -> None:
        path = wire.key("band", check_name("group", group), check_name("symbol", symbol), term.scope)
        await self._fenced("drop a band", term, wire.delete(path))

    async def bands(self, group: str, symbol: str = "") -> tuple[Band, ...]:
        below = [check_name("group", group), *([check_name("symbol", symbol)] if symbol else [])]
        return values.bands(await self._read("read bands", *wire.prefix("band", *below)))

    async def put_account(self, term: Term, state: bytes) -> None:
        await self._fenced("leave the account", term, wire.put(wire.key("account", term.scope), check_account(state)))

    async def get_account(self, scope: str) -> bytes | None:
        found = await self._read("read the account", wire.key("account", check_name("scope", scope)))
        return bytes(found[0].value) if found else None

    async def _fenced(self, operation: str, term: Term, write: Request) -> None:
        """A write that only happens while the leader's key is this term's. Raises TermOver."""
        leader = wire.key("leader", term.scope)
        answer = await self._calls.txn(
            operation,
            wire.txn([wire.created_at(leader, term.token)], [write], wire.read(wire.range_of(leader))),
        )
        if not answer.succeeded:
            verify(term, wire.found(answer)[0])
            raise TermOver(term.scope, term.epoch, "the store says so")

    async def _read(self, operation: str, begin: bytes, end: bytes = b"") -> list[wire.KeyValue]:
        answer = await self._calls.txn(operation, wire.txn([], wire.read(wire.range_of(begin, end)), []))
        return wire.found(answer)[0]

    def _contended(self, operation: str) -> Unreachable:
        return Unreachable(
            f"etcd at {self._calls.endpoint.address}", operation, f"lost {ROUNDS_MAX} rounds against other writers"
        )
