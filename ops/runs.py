"""One process of an engine over time: it stands by, trades for as long as its term lasts, and stands by again.

A run that an actor's failure ended is followed by another one, which recovers as any start does (ops.supervision). Too many
of them, and the last one only cancels.
"""

import asyncio
from typing import Any

import click

from bus.messages import ActorsRestarted, StopPolicy
from gateway.doors.coordination.contract import Coordinator, Waiting
from ops import events
from ops.ending import Stopped
from ops.engine import DEPOSED_STOP_S, Engine
from ops.hosts import Placement
from ops.report import idle_report, live_line, report, standing_by_line, summary
from ops.sections import Config
from ops.state import StateDirectory
from ops.supervision import Crash, Intensity

GIVE_UP_S = 10.0
"""Of the last run, beyond a term's time to live: who has not come to lead by then finds another instance leading, whose affair
our orders are. Chosen."""


class Runs:
    """seconds: of all terms and what lies between them, counted from when it first trades or stands by.

    policy: of the stop that ends it, instead of the configuration's. result: the last run's report; code: 1 if any of them ended badly. live: lines for a person on stdout.
    """

    def __init__(
        self,
        config: Config,
        state: StateDirectory,
        coordinator: Coordinator,
        placement: Placement,
        seconds: float | None,
        *,
        live: bool,
        policy: StopPolicy | None = None,
    ) -> None:
        self._policy = StopPolicy[config.stop.policy.upper()] if policy is None else policy
        self._config, self._state, self._coordinator, self._placement = config, state, coordinator, placement
        self._seconds, self._live = seconds, live
        self._intensity = Intensity(config.supervision)
        self._restarted: ActorsRestarted | None = None
        self._crash: Crash | None = None
        """After which nothing is made anew."""
        self._counting = False
        self._reason = "signal"
        self.code = 0
        self.result: dict[str, Any] = {}

    async def once(self, stopped: Stopped) -> bool:
        """Stand by, trade, end. True: the term is over and nobody told us to stop, so stand by again."""
        if self._crash is not None:
            await self._give_up(self._crash)
            return False
        engine = self._engine()
        engine.restarted, self._restarted = self._restarted, None
        engine.standby.told = lambda waiting: self._standing_by(waiting, stopped)
        try:
            if await engine.start(stopped):
                await self._trade(engine, stopped)
            elif not self.result:
                self.result = idle_report(engine)
            if engine.supervision.crash is not None:
                self._follow(engine.supervision.crash, stopped)
                return True
            return engine.deposed.is_set() and not stopped.is_set() and not engine.failure.done()
        finally:
            await engine.close()

    async def _trade(self, engine: Engine, stopped: Stopped) -> None:
        watch = asyncio.ensure_future(_watch(engine)) if self._live else None
        self._count(stopped)
        broken = await engine.wait(None, stopped)
        if watch is not None:
            watch.cancel()
        if engine.supervision.crash is not None:
            return  # nothing of it can be asked to cancel
        if engine.deposed.is_set():
            await engine.stop("leadership lost", DEPOSED_STOP_S)
            unresolved = 0  # the successor's: he cancels and books what we could not
        else:
            unresolved = await self._stop(engine, broken, stopped)
        self.result = report(engine)
        if engine.supervision.quarantines:
            self.code = 1
        if self._live:
            click.echo(summary(self.result))
        if broken or unresolved or engine.positions_left:
            self.code = 1
        if engine.supervisor.failures or engine.supervisor.differences:
            self.code = 1

    async def _stop(self, engine: Engine, broken: str, stopped: Stopped) -> int:
        """What is broken is only canceled: nobody should trade on its word."""
        reason = broken or (self._reason if stopped.is_set() else "an operator")
        policy = StopPolicy.CANCEL if broken else self._policy
        return await engine.stop(reason, self._config.stop.deadline_s, policy, stopped.again)

    def _engine(self) -> Engine:
        return Engine(self._config, self._state, self._coordinator, self._placement, self._intensity)

    def _follow(self, crash: Crash, stopped: Stopped) -> None:
        """What comes after a run that ended like a crash. Told to stop, what is left to do is cancel."""
        self.code = 1
        attempt = 0 if stopped.is_set() else self._intensity.take(crash.now_ns)
        if attempt:
            self._restarted = ActorsRestarted(self._placement.host.actors, attempt, f"{crash.receiver}: {crash.text}")
            return
        self._crash = crash
        if not stopped.is_set():
            events.critical("restarts_used_up", actor=crash.receiver, error=crash.text, remedy="look at poison_kept")

    async def _give_up(self, crash: Crash) -> None:
        """One more run, which trades nothing: it finds out what works at the venue, cancels it, and ends."""
        engine, too_late, unresolved = self._engine(), asyncio.Event(), -1
        engine.failed = crash.told
        asyncio.get_running_loop().call_later(GIVE_UP_S + self._config.coordination.ttl_ms / 1e3, too_late.set)
        try:
            if await engine.start(too_late) and engine.supervision.crash is None:
                unresolved = await engine.stop(f"{crash.receiver} failed")
                self.result = report(engine)
        finally:
            if unresolved:
                events.critical("orders_left", remedy="touchline cancel-all, or cancel at the venue by hand")
            await engine.close()

    def _standing_by(self, waiting: Waiting, stopped: asyncio.Event) -> None:
        """Called whenever what we wait for has changed."""
        self._count(stopped)
        if self._live:
            click.echo(standing_by_line(waiting))

    def _count(self, stopped: asyncio.Event) -> None:
        """The seconds begin, unless they have: of a second term there is only what is left of them."""
        if self._seconds is not None and not self._counting:
            asyncio.get_running_loop().call_later(self._seconds, self._time_is_up, stopped)
        self._counting = True

    def _time_is_up(self, stopped: asyncio.Event) -> None:
        if not stopped.is_set():
            self._reason = "time is up"
            stopped.set()


async def _watch(engine: Engine) -> None:
    seconds = 0
    while True:
        await asyncio.sleep(1.0)
        seconds += 1
        click.echo(live_line(engine, seconds))
