"""The contract of coordination on one machine: a SQLite file and a thread; no server."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    REASON_LENGTH_MAX,
    Band,
    BandAnswer,
    Cooldown,
    CoordinationError,
    Leader,
    Picture,
    Refused,
    Unreachable,
    Waiting,
    check_account,
    check_name,
    unnoticed,
)
from gateway.doors.coordination.lease import deadline_ns, keep
from gateway.doors.coordination.local.store import Claimed, LocalStore
from gateway.doors.coordination.local.watch import POLL_S, LocalWatching
from gateway.doors.coordination.term import Term

OPERATION_S_MAX = 4.0
"""One operation; then Unreachable. Twice what a transaction waits for another's."""
PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR)
"""Errors after which the same may succeed."""

P = ParamSpec("P")
T = TypeVar("T")


class LocalCoordinator:
    """See contract.Coordinator."""

    def __init__(self, path: Path, holder: str, ttl_ns: int, *, private: bool = False) -> None:
        """private: the file is of one state directory (see store). Raises Misconfigured."""
        self._path, self._holder, self._ttl_ns = path, check_name("holder", holder), ttl_ns
        self.private = private
        self._make = partial(LocalStore, path, private=private)
        self._store = self._make()
        self._thread = ThreadPoolExecutor(1, "coordination")
        self._watching: list[LocalWatching] = []
        self._held: dict[Term, asyncio.Task[None]] = {}
        self._undoing: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        await self._do("open", self._store.open)

    async def close(self) -> None:
        for watching in self._watching:
            await watching.close()
        for term, keeper in self._held.items():
            term.end("coordination was closed")
            keeper.cancel()
        await asyncio.gather(*self._held.values(), *self._undoing, return_exceptions=True)
        if not self._closed:
            self._closed = True
            with suppress(CoordinationError):  # a disk that hangs: the kernel frees the locks with the process
                await self._do("close", self._store.close)
            self._thread.shutdown(wait=False)

    async def campaign(
        self, scope: str, above: Callable[[], int], waiting: Callable[[Waiting], None] = unnoticed
    ) -> Term:
        check_name("scope", scope)
        told: Waiting | None = None
        leader: Leader | None = None
        while True:
            try:
                leader = await self.observe(scope)
                if leader is None and (term := await self._claim(scope, above())) is not None:
                    return term
                now = Waiting(leader, "")
            except Unreachable as error:
                now = Waiting(leader, str(error))
            if now != told:
                told = now
                waiting(now)
            await asyncio.sleep(POLL_S)

    async def _claim(self, scope: str, above: int) -> Term | None:
        """Our term, or None when another was quicker."""
        claim = asyncio.ensure_future(self._do("campaign", self._store.claim, scope, above, self._holder, self._ttl_ns))
        try:
            claimed = await asyncio.shield(claim)
        except asyncio.CancelledError:
            self._undo(scope, claim)
            raise
        if claimed is None:
            return None
        term = Term(scope, claimed.epoch, self._holder, claimed.epoch, deadline_ns(claimed.asked_ns, self._ttl_ns))
        if term.left_ns(boottime_ns()) <= 0:
            return None  # it took longer than a time to live, and runs out by itself
        keeper = asyncio.create_task(keep(term, self._ttl_ns, lambda: self._renew(term)), name="coordination-keep")
        self._held[term] = keeper
        keeper.add_done_callback(lambda _: self._held.pop(term, None))
        return term

    def _undo(self, scope: str, claim: "asyncio.Future[Claimed | None]") -> None:
        """A campaign that is canceled while its claim is on the way leaves no term behind."""

        async def undo() -> None:
            with suppress(CoordinationError):  # then it runs out by itself
                if (claimed := await claim) is not None:
                    await self._do("resign", self._store.release, scope, claimed.epoch)

        task = asyncio.create_task(undo(), name="coordination-undo")
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)

    async def _renew(self, term: Term) -> int:
        return deadline_ns(await self._do("keep alive", self._store.renew, term, self._ttl_ns), self._ttl_ns)

    async def resign(self, term: Term) -> None:
        keeper = self._held.pop(term, None)
        term.end("resigned")
        if keeper is not None:
            await self._do("resign", self._store.release, term.scope, term.epoch)

    async def observe(self, scope: str) -> Leader | None:
        return await self._do("observe", self._store.leader, check_name("scope", scope))

    def watch(self, group: str, scope: str, changed: Callable[[Picture], None]) -> LocalWatching:
        names = (check_name("group", group), check_name("scope", scope))
        watching = LocalWatching(self._make, *names, self._ttl_ns / 2e9, changed)
        self._watching = [*(one for one in self._watching if not one.closed), watching]
        return watching

    async def hold_cooldown(self, group: str, symbol: str, until_ns: int, reason: str) -> Cooldown:
        wanted = Cooldown(check_name("symbol", symbol), until_ns, reason[:REASON_LENGTH_MAX])
        return await self._do("hold a cooldown", self._store.hold_cooldown, check_name("group", group), wanted)

    async def cooldowns(self, group: str) -> tuple[Cooldown, ...]:
        return await self._do("read cooldowns", self._store.cooldowns, check_name("group", group))

    async def put_band(self, term: Term, group: str, symbol: str, bid_max: int, ask_min: int) -> BandAnswer:
        mine = Band(check_name("symbol", symbol), term.scope, bid_max, ask_min)
        return await self._do("put a band", self._store.put_band, term, check_name("group", group), mine)

    async def drop_band(self, term: Term, group: str, symbol: str) -> None:
        await self._do("drop a band", self._store.drop_band, term, check_name("group", group), symbol)

    async def bands(self, group: str, symbol: str = "") -> tuple[Band, ...]:
        bands = await self._do("read bands", self._store.bands, check_name("group", group))
        return tuple(band for band in bands if symbol in ("", band.symbol))

    async def put_account(self, term: Term, state: bytes) -> None:
        await self._do("leave the account", self._store.put_account, term, check_account(state))

    async def get_account(self, scope: str) -> bytes | None:
        return await self._do("read the account", self._store.get_account, check_name("scope", scope))

    async def _do(self, operation: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In the thread, one after the other. Raises the contract's errors."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.run_in_executor(self._thread, lambda: work(*args, **kwargs))
        done.add_done_callback(look_away)  # who waits for it may be gone by then
        try:
            async with asyncio.timeout(OPERATION_S_MAX):
                return await asyncio.shield(done)
        except TimeoutError:
            raise Unreachable(str(self._path), operation, f"no answer within {OPERATION_S_MAX:.0f} s") from None
        except (sqlite3.Error, OSError) as error:
            raise named(error, str(self._path), operation) from error


def look_away(done: "asyncio.Future[Any]") -> None:
    """The outcome of an operation that nobody waits for any more."""
    if not done.cancelled():
        done.exception()


def named(error: sqlite3.Error | OSError, where: str, operation: str) -> CoordinationError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; the rest is detail
    if code in PASSING:
        return Unreachable(where, operation, str(error))
    return Refused(where, operation, str(error), getattr(error, "sqlite_errorname", type(error).__name__))
