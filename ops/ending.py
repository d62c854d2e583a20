"""How a run ends: its policy for orders and positions, its deadlines, and a person who is told to wait no longer.

    CANCEL    everything is canceled and seen gone
    KEEP      what works is left working, each order of it proven; the next start finds it
    FLATTEN   canceled, every position closed within the collar, then as CANCEL

A second signal makes any of them a CANCEL with HURRY_S.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from bus.messages import AnswerKind, StopPolicy, StopRequested
from ops import events

if TYPE_CHECKING:
    from ops.engine import Engine

HURRY_S = 2.0
"""For the cancels of a stop that was asked for twice; chosen: a venue's usual answer, some times over."""
GRACE_S = 1.0
"""Beyond a deadline that the actors keep themselves; chosen."""
CLOSE_AT_VENUE = "orders of ours may still work at the venue: start again on the same --state, or touchline cancel-all"


class Stopped(asyncio.Event):
    """Set by the first signal; `again` by the second."""

    def __init__(self) -> None:
        super().__init__()
        self.again = asyncio.Event()

    def signal(self) -> None:
        (self.again if self.is_set() else self).set()


class Ending:
    """One stop of one engine: told, waited for, and its term given back. left: positions that a stop should have closed and did not, in words; "": none."""

    def __init__(self, engine: "Engine", policy: StopPolicy, seconds: float, hurry: asyncio.Event) -> None:
        self._engine, self._policy, self._seconds, self._hurry = engine, policy, seconds, hurry
        self.left = ""

    async def run(self, reason: str) -> int:
        """See it through. Returns how many of our orders may still work against our will (-1: not known)."""
        engine, supervisor = self._engine, self._engine.supervisor
        events.info("stopping", reason=reason, policy=self._policy.name)
        if self._policy is StopPolicy.FLATTEN:
            await self._flatten(reason)
            self._policy = StopPolicy.CANCEL
        seconds = HURRY_S if self._hurry.is_set() else self._seconds
        self._ask(reason, seconds, StopPolicy.CANCEL if self._hurry.is_set() else self._policy)
        await self._wait(supervisor.quiet, seconds)
        if not supervisor.quiet.is_set() and self._hurry.is_set() and not engine.pump.stopped:
            events.warning("stopping_now", reason="told to stop again", policy=StopPolicy.CANCEL.name)
            self._ask("told to stop again", HURRY_S, StopPolicy.CANCEL)
            self._hurry = asyncio.Event()  # it was heeded
            await self._wait(supervisor.quiet, HURRY_S)
        self._tell()
        if supervisor.unresolved == 0:
            engine.heartbeat.end()
        if engine.term_watch is not None:
            engine.term_watch.cancel()
        if supervisor.unresolved == 0 and not engine.deposed.is_set():
            await engine.futures.disarm()
        if supervisor.unresolved == supervisor.kept == 0 and not engine.deposed.is_set():
            # Nothing of ours can meet a successor: he is let in at once. Else the term runs out by itself, and our bands stay.
            await engine.coordination_door.leave()
            await engine.standby.resign()
        return supervisor.unresolved

    async def _flatten(self, reason: str) -> None:
        """Until the exits' answer, their deadline, or whatever makes them unable to give one."""
        engine, supervisor = self._engine, self._engine.supervisor
        seconds = float(engine.config.stop.flatten_s)
        self._ask(reason, seconds, StopPolicy.FLATTEN)
        await self._wait(supervisor.flattened, seconds)
        answer = supervisor.flat
        if answer is None or answer.kind is not AnswerKind.DONE:
            self.left = answer.text if answer is not None else "it was not waited for, or nobody answered"

    def _ask(self, reason: str, seconds: float, policy: StopPolicy) -> None:
        engine = self._engine
        engine.pump.post(StopRequested(reason, engine.clock.now_ns() + int(seconds * 1e9), policy))

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        """Until it happens, the time is over, the term ends, the engine breaks, or somebody wants it over."""
        engine = self._engine
        happenings = [event, self._hurry, *([engine.deposed] if self._policy is StopPolicy.FLATTEN else ())]
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(one.wait()) for one in happenings]
        # A failure that is there already is why we stop: cancels may still be answered.
        broken = [] if engine.failure.done() else [engine.failure]
        await asyncio.wait([*waits, *broken], timeout=seconds + GRACE_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _tell(self) -> None:
        supervisor = self._engine.supervisor
        if self.left:
            events.critical("positions_left", detail=self.left, remedy="start again, or touchline flatten CONFIG")
        if supervisor.unresolved:
            events.critical("stopped", unresolved=supervisor.unresolved, remedy=CLOSE_AT_VENUE)
        else:
            kept = {"kept": supervisor.kept} if supervisor.kept else {}
            events.info("stopped", unresolved=0, **kept)
