"""What every process of an engine has: clock, collector, timers, REST door, supervisor's ear, and a way to end.

`Node` is the base of the engine that trades (ops.engine). It holds no rule about orders and no key.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from actors.strategy import StrategyActor
from bus.actor import Actor
from bus.clock import EngineClock
from bus.collector import Collector
from bus.host import Host
from bus.log import INPUT_SEGMENT_BYTES, RecordLog
from bus.mailbox import Tap, ZmqMailboxes, ipc_endpoint
from bus.messages import Instrument
from bus.pump import Pump
from bus.standstill import Standstill
from bus.timers import Timers
from gateway.doors.feed import FeedDoor
from gateway.doors.order import SessionRefused
from gateway.doors.rest import RestDoor, RestFailed, VenueAccount
from gateway.doors.venue_time import VenueTime
from gateway.doors.websocket import ConnectFailed
from ops import events
from ops.assembly import build_actors
from ops.feeds import is_traded, label, planned, sources
from ops.hosts import ALONE, Placement
from ops.limits import LimitsFile
from ops.neighbors import Neighbors
from ops.poison import PoisonBox
from ops.public import Public
from ops.sections import Config
from ops.state import StateDirectory
from ops.strategy_guard import StrategyGuard
from ops.supervision import Intensity, Supervision
from ops.supervisor import Supervisor
from ops.telemetry import TELEMETRY_MAILBOX, Reader, StandbyReader, Telemetry
from ops.venue_clock import VenueClock
from ops.venues import LIMITS

WARM_UP_S = 3.0
"""Until caches, buffers and code paths have settled and the heap is frozen; chosen."""
RSS_AT_S = 10.0
"""Memory at the end of a run is compared with memory at this age."""
SWITCH_S = 0.0002
"""How long a helper thread (index, sync, checkpoint) may keep the interpreter when a frame has come; Python's own 5 ms
would be the tail of every latency. Chosen: ten times a warm cascade."""
STALL_S = 0.5
"""The loop was not free for this long: no order was canceled meanwhile, whatever the market did; chosen."""
BEHIND_WARNING_NS = 250_000_000
"""A frame that waited longer than an eighth of what an intent may be old; chosen."""
BEHIND_AGAIN_S = 10


class Node:
    """One process. A subclass makes `host` and `pump`, and says what a start and a stop are."""

    host: Host
    pump: Pump
    feed: FeedDoor
    neighbors: Neighbors

    def __init__(
        self,
        config: Config,
        state: StateDirectory,
        placement: Placement = ALONE,
        intensity: Intensity | None = None,
        hidden: Sequence[str] = (),
    ) -> None:
        """placement: which of the actors run here, and where the others do. intensity: of restarts, over the runs of this
        process. hidden: credentials.
        """
        self.config, self.state, self.placement = config, state, placement
        self.clock = EngineClock()
        self.collector = Collector()
        self.supervisor = Supervisor()
        self.venue_time = VenueTime()
        self.timers = Timers()
        self.standstill = Standstill(self.clock.now_ns)
        self.sources = sources(config)
        addresses = {source.number: source.addresses.rest for source in self.sources}
        costs = {source.number: LIMITS[source.name]() for source in self.sources if source.name in LIMITS}
        self.rest = RestDoor(addresses, self.clock.now_ns, self.venue_time, costs)
        for address, budget in self.rest.budgets.items():
            budget.on_hold = partial(_tell_hold, self.clock.now_ns, address)
        self.limits = LimitsFile(state.limits, self.rest.budgets, self.clock.now_ns)
        self.publics = {source.number: Public(self.rest, source) for source in self.sources}
        self.instruments: dict[int, Instrument] = {}
        self.actors: list[Actor[Any]] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.supervision = Supervision(
            self.actors,
            lambda names: build_actors(config, list(self.instruments.values()), names),
            config.strategy.owner,
            intensity or Intensity(config.supervision),
            PoisonBox(state.poison, hidden),
        )
        self.strategy_guard = StrategyGuard(
            config.strategy.budget_us, config.strategy.hang_ms, self.supervision.quarantine
        )
        self.input_log: RecordLog | None = None
        self._first_offset = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._closers: list[Callable[[], object]] = []
        self._mailboxes = ZmqMailboxes()
        self.recent = events.Recent()
        self._closers.append(self.recent.close)
        self.rss_at_10s = 0.0
        self.stalls = 0
        self.stall_max_s = 0.0
        self._warm = False
        self._behind_again_s = 0

    def _guard_strategy(self) -> None:
        """Before any of its code runs. A host without one is not disturbed by a timer."""
        if "strategy" in self.placement.host.actors:
            self.strategy_guard.start()
            self._closers.append(self.strategy_guard.stop)

    def _supervise(self) -> None:
        """Once there are actors and a host."""
        self.supervision.attach(self.host)
        self.supervision.reopen = self.feed.drop
        self.supervision.renewed = self._show_host
        for actor in self.actors:
            if isinstance(actor, StrategyActor):
                self.strategy_guard.attach(self.host, actor)

    def _open_input_log(self) -> None:
        persistence = self.config.persistence
        if persistence.input_log:
            self.input_log = RecordLog(
                self.state.input_log,
                segment_bytes=INPUT_SEGMENT_BYTES,
                retain=persistence.input_log_segments,
                reserve=True,
            )
            self._first_offset = max(self._first_offset, self.input_log.last_offset)
            self._closers.append(self.input_log.close)

    def _open_neighbors(self) -> None:
        """Sockets to and from the other hosts; nothing is said or heard until `neighbors.listen`. Raises BusError."""
        self.neighbors = Neighbors(self.placement, self._mailboxes, self.clock.now_ns, self._fail)
        self._closers.append(self.neighbors.stop)

    def _know(self, instruments: list[Instrument]) -> None:
        """What is traded and looked at, by their lasting numbers; and how people are told of each."""
        self.instruments = {row.instrument: row for row in instruments}
        self.supervisor.symbols = {row.instrument: label(self.sources[row.venue], row) for row in instruments}

    @property
    def traded(self) -> dict[int, Instrument]:
        """By number, the instruments whose orders, positions and bands there are."""
        return {number: row for number, row in self.instruments.items() if is_traded(row)}

    def _make_feed(self) -> None:
        """The door, before the host that asks it. A host without market data has one without connections."""
        here = "market_data" in self.placement.host.actors
        self.feed = FeedDoor(planned(self.config, list(self.instruments.values())) if here else {}, self.clock.now_ns)

    def _attach_doors(self, accounts: Mapping[int, VenueAccount]) -> None:
        """Those that every host with books has, once there is a pump. accounts: by venue number, who asks about one."""

        def trouble(detail: str) -> None:
            events.warning("feed_door", detail=detail)

        budgets = {source.addresses.streams: self.rest.budget(source.number) for source in self.sources}
        self.feed.attach(self.pump.post, self.standstill.beat, trouble, budgets=budgets)
        self.rest.attach(self.pump.post, {source.number: source.market for source in self.sources}, accounts)

    def _open_feed(self) -> None:
        """Dial market data, for as long as the node lives.

        A process that stood still drops every connection: frames in the sockets' buffers would bear the time at which
        they are read. Only a new connection's frames are fresh.
        """
        self.standstill.start(lambda: self.feed.drop("this process stood still"))
        self._closers.append(self.standstill.stop)
        self._run(self._guard(self.feed.run()))

    def _ask_clocks(self, asked_elsewhere: Collection[int] = ()) -> None:
        """Estimate venues' clocks from now on, for whoever receives their frames here. asked_elsewhere: venues by number."""
        for number, public in self.publics.items():
            if number not in asked_elsewhere:
                bound_ms = self.config.venue.clock_offset_max_ms
                clock = VenueClock(public, self.clock.now_ns, self.pump.post_here, bound_ms)
                self._run(self._guard(clock.run()))

    def _open_telemetry(self) -> None:
        """Let consoles on this machine look on, over DIR/telemetry.ipc, until the end: they see a process that waits."""
        endpoint = ipc_endpoint(self.state.path, TELEMETRY_MAILBOX)
        tap = Tap(self._mailboxes, TELEMETRY_MAILBOX, endpoint)
        self.telemetry = Telemetry(StandbyReader(self), tap, lambda: self.host.waiting if hasattr(self, "host") else 0)
        self._closers.append(self.telemetry.close)
        self._closers.append(lambda: Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True))

    def _show_host(self) -> None:
        """From now on consoles see the actors. Once the host is made."""
        self.telemetry.source = Reader(self)

    def feed_close(self) -> None:
        if hasattr(self, "feed"):
            self.feed.close()

    # -- while it runs --------------------------------------------------------------------------------------------

    async def wait(self, seconds: float | None, stopped: asyncio.Event) -> str:
        """Until `seconds` have passed, `stopped` is set, an operator's stop is done, or something broke.

        Returns what broke, or "".
        """
        await self._until(seconds, stopped, self.supervisor.quiet)
        return self.failure.result() if self.failure.done() else ""

    async def _until(self, seconds: float | None, *happenings: asyncio.Event) -> None:
        """Until one of the events, a failure or the time is there."""
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in happenings]
        await asyncio.wait([*waiting, self.failure], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waiting:
            wait.cancel()

    async def _housekeeping(self) -> None:
        """Once a second, off the hot path: warm-up, stalls, and what only a poll can see."""
        self.pump.lag.start()
        seconds = 0
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 1.0
            await asyncio.sleep(1.0)
            if (late := loop.time() - due) > STALL_S:
                self.stalls += 1
                self.stall_max_s = max(self.stall_max_s, late)
                events.critical(
                    "engine_stalled", seconds=f"{late:.1f}", remedy="a hook that blocks, or the machine stood still"
                )
            seconds += 1
            if seconds == RSS_AT_S:
                self.rss_at_10s = resident_mb()
            if not self._warm and seconds >= WARM_UP_S:
                self._warm = True
                self.collector.warm_up_done()
                self._closers.append(self.collector.restore)
            self._look_behind(seconds)
            self._each_second(seconds)

    def _look_behind(self, seconds: int) -> None:
        """Frames waited: what was decided on them was decided late. Said at once, then while it lasts every ten seconds."""
        edge = self.host.edge
        worst_ns, edge.worst_ns = edge.worst_ns, 0
        if worst_ns < BEHIND_WARNING_NS or seconds < self._behind_again_s:
            return
        self._behind_again_s = seconds + BEHIND_AGAIN_S
        events.warning(
            "engine_behind",
            frame_age_ms=round(worst_ns / 1e6, 1),
            batches=edge.batches,
            remedy="fewer symbols, a lighter strategy, a free core, or market data on another host",
        )

    def _each_second(self, seconds: int) -> None:
        """What a kind of node looks after besides; `seconds` since its start."""

    async def _guard(self, work: Any) -> None:
        """Run a door for as long as the node lives; an end of it is a failure of the node."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except (SessionRefused, RestFailed) as error:
            self._fail(str(error))
        except ConnectFailed as error:
            self._fail(f"[venue] websocket_api: {error}; check the URL and the network")
        except Exception as error:  # noqa: BLE001 - any other end of a door must stop the node, with its reason
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        events.critical("engine_failed", reason=reason)
        if not self.failure.done():
            self.failure.set_result(reason)

    def _run(self, work: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _await_room(self, stopped: asyncio.Event) -> None:
        """Before the first request of a run: a start costs weight and openings, and earlier ones may have used them up."""
        first = self.sources[0]
        budget = self.rest.budget(first.number)
        if budget.costs is not None:
            weight = budget.costs.start_weight(len(first.symbols), first.levels)
            await self.limits.wait_for_room(budget, weight, stopped)
        self._closers.append(self.limits.close)
        self._run(self._guard(self.limits.run()))

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _free(self) -> None:
        """What `__init__` and the start took, last first."""
        await self.rest.close()
        for close in reversed(self._closers):
            close()
        self._mailboxes.close()

    # -- what it tells --------------------------------------------------------------------------------------------

    def views(self) -> dict[str, dict[str, Any]]:
        """Each actor's view; between cascades only."""
        return {actor.name: actor.view() for actor in self.actors}


def _tell_hold(now_ns: Callable[[], int], address: str, what: str, until_ns: int) -> None:
    """The venue wants less of us. A ban stops cancels too: a person must know."""
    seconds = f"{(until_ns - now_ns()) / 1e9:.1f}"
    if what == "banned":
        remedy = "nothing leaves this machine for the venue; orders that work can be canceled from another address"
        events.critical("venue_banned", address=address, seconds=seconds, remedy=remedy)
    else:
        events.warning("venue_rate_limit", address=address, what=what, seconds=seconds)


def resident_mb() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
