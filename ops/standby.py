"""Standing by: the campaign for the account, the pulse that keeps the term alive, and its end.

One coordinator a process; each run that may trade has one term. While another instance leads, this one waits, says for
whom, and keeps what it has prepared fresh.
"""

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    CoordinationError,
    Coordinator,
    Leader,
    Misconfigured,
    Waiting,
    unnoticed,
)
from gateway.doors.coordination.term import Term
from ops import events
from ops.sections import MS, Config, CoordinationSection

PRIVATE_STORE = "coordination.sqlite"
"""In the state directory, of a configuration that names no shared store."""
HOLDER_LENGTH_MAX = 64
"""Of our own name; the contract's bound of any name."""
REFRESH_S = 600.0
"""Between two readings of clock and instruments while standing by: a venue changes filters in days; chosen."""
BEATS_A_TTL = 8
"""Beats of the pulse in a time to live; half a time to live without one, and the term is not kept alive; chosen."""
REASON_S_MAX = 0.05
"""How long after its time the backend may say why a term ended; the door refuses by the time alone. Chosen."""
RESIGN_S_MAX = 2.0
"""A stop waits no longer for the store: the term runs out by itself. Chosen."""


def holder_name() -> str:
    """Host and process, as a name that can stand in a key."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "host"
    process = f":{os.getpid()}"
    return host[: HOLDER_LENGTH_MAX - len(process)] + process


def scope_of(config: Config) -> str:
    """What is led: one account at one venue."""
    return f"{config.venue.kind}:{config.coordination.account}"


def make_coordinator(section: CoordinationSection, state: Path) -> Coordinator:
    """The backend that the configuration names. Its library is imported here alone: a local run needs no etcd.

    Raises Misconfigured: the folder of a shared file does not exist. Made here, a misspelt one would be a store for us alone.
    """
    ttl_ns = section.ttl_ms * MS
    if section.backend == "etcd":
        from gateway.doors.coordination.etcd import EtcdCoordinator, TlsFiles

        tls = TlsFiles(section.ca_file, section.cert_file, section.key_file) if section.ca_file else None
        return EtcdCoordinator(section.endpoints, holder_name(), ttl_ns, tls)
    from gateway.doors.coordination.local import LocalCoordinator

    path = Path(section.path) if section.path else state / PRIVATE_STORE
    if section.path and not path.parent.is_dir():
        raise Misconfigured(
            "[coordination] path", f"{path}: its folder does not exist; correct the path, or make it first"
        )
    return LocalCoordinator(path, holder_name(), ttl_ns, private=not section.path)


def store_name(section: CoordinationSection, state: Path) -> str:
    """Where the store is, for the log: who reads it sees whether two instances can know of each other."""
    if section.backend == "etcd":
        return f"etcd {','.join(section.endpoints)}"
    return f"shared {section.path}" if section.path else f"private {state / PRIVATE_STORE}"


class Pulse:
    """Whether the loop turns and the host is whole: what a keep-alive asks before it claims that we live."""

    def __init__(self, ttl_ns: int, now_ns: Callable[[], int] = boottime_ns) -> None:
        self._ttl_ns, self._now_ns = ttl_ns, now_ns
        self._beat_ns = now_ns()
        self.whole: Callable[[], bool] = lambda: True

    def beat(self) -> None:
        if self.whole():
            self._beat_ns = self._now_ns()

    def alive(self) -> bool:
        """A beat within the last half of a time to live."""
        return self._now_ns() - self._beat_ns < self._ttl_ns // 2

    async def run(self) -> None:
        """Beat until canceled."""
        while True:
            self.beat()
            await asyncio.sleep(self._ttl_ns / BEATS_A_TTL / 1e9)


class Standby:
    """The campaign of one run, and its term. told: called with what it waits for, whenever that has changed."""

    def __init__(self, coordinator: Coordinator, scope: str, ttl_ns: int) -> None:
        self._coordinator, self.scope = coordinator, scope
        self.pulse = Pulse(ttl_ns)
        self.term: Term | None = None
        self.leader: Leader | None = None
        self.told: Callable[[Waiting], None] = unnoticed

    async def win(
        self, above: Callable[[], int], refresh: Callable[[], Awaitable[None]], stopped: asyncio.Event
    ) -> Term | None:
        """Wait until the account is ours; None when `stopped` came first. refresh: called every REFRESH_S meanwhile.

        Raises what the campaign raises (EpochsExhausted, Refused), and what `above` and `refresh` raise.
        """
        campaign = asyncio.ensure_future(self._coordinator.campaign(self.scope, above, self._waiting))
        asked = asyncio.ensure_future(stopped.wait())
        try:
            while not stopped.is_set():
                await asyncio.wait({campaign, asked}, timeout=REFRESH_S, return_when=asyncio.FIRST_COMPLETED)
                if campaign.done():
                    return self._won(campaign.result())
                if not stopped.is_set():
                    await refresh()
            return None
        finally:
            asked.cancel()
            if not campaign.done():
                campaign.cancel()
                with suppress(asyncio.CancelledError, CoordinationError):
                    await campaign

    def _won(self, term: Term) -> Term:
        self.term = term
        term.alive = self.pulse.alive
        return term

    def _waiting(self, waiting: Waiting) -> None:
        self.leader = waiting.leader
        if waiting.trouble:
            events.warning("coordination_unreachable", reason=waiting.trouble)
        if waiting.leader is not None:
            events.info("standing_by", leader=waiting.leader.holder, epoch=waiting.leader.epoch)
        self.told(waiting)

    def left_ns(self) -> int:
        """Of the term, by a fresh reading of boottime; 0 or less: nothing new may be sent. HOT PATH."""
        term = self.term
        return 0 if term is None else term.left_ns(boottime_ns())

    async def until_over(self) -> str:
        """Waits for the end of our term, by whoever notices it first; returns the reason."""
        term = self.term
        assert term is not None, "nobody leads before the campaign is won"
        while True:
            left_s = self.left_ns() / 1e9
            with suppress(TimeoutError):
                async with asyncio.timeout(max(left_s, 0.0) + REASON_S_MAX):
                    return await term.until_over()
            if self.left_ns() <= 0:
                term.end("its time ran out before a keep-alive was granted")

    async def abandon(self, reason: str) -> None:
        """The run is over like a crash: what it sent may still be on its way. So the term runs out by itself, as after a
        SIGKILL, and our own next campaign waits for that too; but not where the store is this state directory's alone.
        """
        if self._coordinator.private:
            await self.resign()
        elif self.term is not None:
            self.term.end(reason)

    async def resign(self) -> None:
        """After our orders are proven gone. What fails here only makes a successor wait for the term's end."""
        term, self.term = self.term, None
        if term is None or term.reason:
            return
        try:
            async with asyncio.timeout(RESIGN_S_MAX):
                await self._coordinator.resign(term)
        except (CoordinationError, TimeoutError) as error:
            events.warning("not_resigned", reason=str(error) or f"no answer in {RESIGN_S_MAX:g} s")
