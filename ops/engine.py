"""The engine: one process with all actors, from configuration to a clean stop.

Order of a start: state directory and lock; the venue's clock, instruments and epochs; recovery (checkpoint, journal tail);
leadership of the account, and with it the epoch; host; what other instances hold; order door (private stream first);
feed door. Order of a stop: strategies quiet, orders canceled and proven gone, leadership resigned, doors closed, last
checkpoint, logs synced. A term that ends by itself is such a stop, shorter, and the process stands by again.
"""

import asyncio
import sys

from actors.orders import Orders
from actors.portfolio import Portfolio
from actors.strategy import StrategyActor
from bus.checkpoint import Checkpoints
from bus.host import Host, Receiver
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    CheckpointTaken,
    EngineStarted,
    Instrument,
    LeadershipLost,
    LeadershipWon,
    StopPolicy,
    WallAdjusted,
)
from bus.pump import Pump
from gateway.binance_spot.errors import SigningKeyError
from gateway.doors.coordination.contract import Coordinator, TermOver
from gateway.doors.window import QUERY
from ops import events, poison
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.checkpointing import Checkpointing
from ops.commanded import Commanded, control_file
from ops.config import ConfigError, credentials, decimal_units
from ops.doors import coordination_door, order_door, store_door
from ops.ending import Ending
from ops.futures_engine import Futures
from ops.heartbeat import Heartbeat
from ops.hosts import ALONE, Placement
from ops.metadata import Metadata
from ops.node import SWITCH_S, Node
from ops.preflight import StartFailed, check_clock, read_instruments, read_last_epoch
from ops.records import Records
from ops.recovery import recover
from ops.registry import register
from ops.sections import MS, Config
from ops.standby import Standby, scope_of, store_name
from ops.state import StateDirectory
from ops.supervision import Intensity
from ops.topology import routing
from ops.venues import account_rest, order_entry, signer

START_S_MAX = 30.0
"""From connecting to orders ready: Binance's slowest query has 10 s, and three follow each other; chosen."""
START_WAITS_MAX = 6
"""So many times that, while the venue's rate limit leaves no room for the questions: limits are counted by the minute. Chosen."""
STOP_S = 5.0
DEPOSED_STOP_S = 2.0
"""Of a run whose term is over: cancels still help the successor, who does not wait for them; chosen."""
WALL_CHECK_S = 10
WALL_STEP_NS = 10_000_000
"""A wall clock that moved less than this against engine time is not worth an input."""


class Engine(Node):
    """One engine. `start`, then `wait`, then `stop`; whatever happens in between, `close` frees what was taken."""

    def __init__(
        self,
        config: Config,
        state: StateDirectory,
        coordinator: Coordinator,
        placement: Placement = ALONE,
        intensity: Intensity | None = None,
    ) -> None:
        keys = credentials(config.venue)
        try:
            self.signer = signer(*keys)
        except SigningKeyError as error:
            raise ConfigError(f"[venue] private_key_file: {config.venue.private_key_file}: {error}") from None
        super().__init__(config, state, placement, intensity, [line for text in keys for line in text.splitlines()])
        self.futures = Futures(self, self.signer)
        self.coordinator = coordinator
        self.standby = Standby(coordinator, scope_of(config), config.coordination.ttl_ms * MS)
        self.supervisor.store = store_name(config.coordination, state.path)
        self.deposed = asyncio.Event()
        """Our term is over: this run must end, and the process may stand by again."""
        self.restarted: ActorsRestarted | None = None
        """What of the run before this one has failed: told once this one has begun."""
        self.failed: ActorFailed | None = None
        """What failed too often: this run trades nothing."""
        self.term_watch: asyncio.Task[None] | None = None
        self.heartbeat = Heartbeat(state.path)
        self._closers.append(self.heartbeat.close)
        self.positions_left = ""
        """By a stop that should have closed them."""
        self._wall_offset_ns = 0
        self._lost_facts = 0
        self._venue_epoch = 0

    # -- start ----------------------------------------------------------------------------------------------------

    async def start(self, stopped: asyncio.Event) -> bool:
        """False: `stopped` was set, or the term ended, before anything could be sent. Raises StartFailed, StateError,
        ConfigError, CoordinationError.

        Trading begins by itself once orders are ready.
        """
        sys.setswitchinterval(SWITCH_S)
        control_file(self.state.path).unlink(missing_ok=True)  # of a killed one: nobody would hear a command through it
        venue = self.config.venue
        events.info("venue", kind=venue.kind, testnet=venue.testnet, rest=venue.rest, orders=venue.order_entry)
        await self.rest.open()
        await self._await_room(stopped)
        if stopped.is_set():
            return False
        self._guard_strategy()
        await self._prepare()
        self._open_telemetry()
        self._run(self._guard(self.standby.pulse.run()))
        self._run(self._guard(self.heartbeat.run()))
        if not await self._lead(stopped):
            return False
        self._open_logs()
        self.order_venue = order_entry(self.signer, self.config.venue, self.traded, ACCOUNT, VENUE)
        self.order_door = order_door(self)
        self.coordination_door = coordination_door(self)
        self._make_host()
        try:
            await self._first_inputs()
        except TermOver as error:
            events.critical("leadership_lost", epoch=self.epoch, reason=error.reason)
            self.deposed.set()
            return False
        self.term_watch = asyncio.create_task(self._guard(self._watch_term()))
        self._run(self._guard(self.order_door.run()))
        for work in self.futures.work():
            self._run(self._guard(work))
        self.neighbors.listen(self.pump)  # its first words are the instruments and the start
        if "market_data" in self.placement.host.actors:
            self._open_feed()
            self._ask_clocks(asked_elsewhere=(VENUE,))  # of the venue that trades the order door asks
        if self.config.venue.metadata_interval_s:
            orders = next(actor for actor in self.actors if isinstance(actor, Orders))
            metadata = Metadata.of(
                self, lambda number: orders.view()["working_on"].get(number, 0), self.records.index.describe
            )
            self._run(self._guard(metadata.run()))
        self._run(self._guard(self._housekeeping()))
        try:
            await self._until_ready(stopped)
        except StartFailed as error:
            # Without a session nothing can be canceled: a person need not wait for what cannot come.
            error.unresolved = await self.stop("the start failed", STOP_S if self.order_door.generation else 0.1)
            raise
        return True

    async def _prepare(self) -> None:
        """All that can be had before anybody leads: the venue's clock, instruments and epochs, and what this directory knows.

        Raises StartFailed, StateError, ConfigError.
        """
        clock_estimate = await check_clock(self.rest, self.clock.now_ns, self.config.venue)
        self.venue_time.take(clock_estimate)
        found = await asyncio.gather(*(read_instruments(self.rest, source) for source in self.sources))
        await self.futures.check()
        self._venue_epoch = await read_last_epoch(
            self.rest,
            self.signer,
            self._venue_ms,
            self.config.venue,
            self.sources[VENUE].symbols,
            self.config.orders.prefix,
        )
        numbered: list[Instrument] = []
        for source, rows in zip(self.sources, found, strict=True):
            numbered += register(self.state.instruments, source.name, rows)
        self._know(numbered)
        for row in self.traded.values():
            held = row.venue_symbol if row.settle_asset else row.base_asset
            self.supervisor.scales |= {held: row.base_scale, row.quote_asset: row.quote_scale}
            self.supervisor.held_in[row.instrument] = held, row.base_scale
        self.actors[:] = build_actors(self.config, list(self.instruments.values()), self.placement.host.actors)
        recovered = recover(self.state, self.actors)
        self.fills_before = next(actor.fill_number for actor in self.actors if isinstance(actor, Portfolio))
        self.clock_estimate, self.recovered = clock_estimate, recovered

    def _venue_ms(self) -> int:
        return self.venue_time.milliseconds(self.clock.now_ns())

    async def _prepare_again(self) -> None:
        """While standing by. A venue that cannot be asked now may be back when it matters."""
        try:
            await self._prepare()
        except StartFailed as error:
            events.warning("standby_not_fresh", reason=str(error))

    async def _lead(self, stopped: asyncio.Event) -> bool:
        """Wait until the account is ours; its term's epoch is this run's. False: told to stop before that."""

        def above() -> int:
            return self.state.epoch_floor(max(self.recovered.epoch, self._venue_epoch), self.clock.now_ns())

        term = await self.standby.win(above, self._prepare_again, stopped)
        if term is None:
            return False
        self.epoch = term.epoch
        self.state.keep_epoch(term.epoch)
        if self.standby.leader is not None:  # it was waited for: what was measured before may be long ago
            self.clock_estimate = await check_clock(self.rest, self.clock.now_ns, self.config.venue)
            self.venue_time.take(self.clock_estimate)
        poison.tell(self.state.poison)
        self.recovered.tell(self.epoch)
        self._first_offset = self.recovered.offset
        return True

    async def _first_inputs(self) -> None:
        """What the actors must know before the run begins: instruments, our term and what was left, cooldowns, peers."""
        left = await self.coordination_door.inherit()
        epoch, state = (left.epoch, left.state) if left is not None else (0, None)
        for instrument in self.instruments.values():
            self.host.post(instrument)
        if not decimal_units(self.config.risk.daily_loss_max, 8, "[risk] daily_loss_max"):
            events.warning("no_loss_limit", remedy="set [risk] daily_loss_max")
        holder = self.coordination_door.term.holder
        self.pump.post(self.clock_estimate, LeadershipWon(ACCOUNT, self.epoch, holder, epoch, state))
        await self.coordination_door.open(self.pump.post)
        self.pump.post(EngineStarted(ACCOUNT, self.epoch))
        self.commanded.look()
        self.pump.post(*(word for word in (self.failed, self.restarted) if word is not None))
        for actor in self.actors:
            if isinstance(actor, StrategyActor) and actor.user.unread:
                self.supervision.quarantine(actor.user.unread)
        await self.futures.begin(state.wallet_ns if state is not None else 0)

    async def _watch_term(self) -> None:
        """Says the end of our term to the actors, once: nothing new is approved any more, and the run ends."""
        reason = await self.standby.until_over()
        self.pump.post(LeadershipLost(ACCOUNT, self.epoch, reason))
        self.deposed.set()

    def _open_logs(self) -> None:
        self.records = Records(self.state, self.config.persistence)
        self._closers.append(self.records.close)
        self.journal = self.records.journal
        self._first_offset = max(self._first_offset, self.journal.last_offset)
        self._open_input_log()
        for instrument in self.traded.values():
            self.records.index.describe(instrument)

    def _make_host(self) -> None:
        loop = asyncio.get_running_loop()
        self._open_neighbors()
        self._make_feed()
        checkpoints = Checkpoints(self._checkpoint)
        doors: list[Receiver] = [self.order_door, self.rest, self.feed, self.coordination_door, store_door(self)]
        receivers = [*self.actors, *doors, self.timers, checkpoints, self.supervision, self.supervisor]
        self.host = Host(
            receivers,
            routing(self.placement.names),
            self._mailboxes,
            self.clock.now_ns,
            journal=self.journal,
            input_log=self.input_log,
            number=self.placement.number,
            first_offset=self._first_offset,
            remotes=self.neighbors.remotes(),
        )
        self._supervise()
        checkpoints.attach(self.host.after_cascade)
        self.pump = Pump(self.host, self.timers, self.clock, self.collector, self.standstill)
        self.pump.on_broken = self._broken
        self.neighbors.attach(self.host, self.pump, list(self.instruments))
        self.standby.pulse.whole = self.heartbeat.whole = lambda: not (self.pump.stopped or self.host.broken)
        self.heartbeat.progress, self.heartbeat.waiting = lambda: self.host.offset, lambda: self.host.waiting

        def written(taken: CheckpointTaken) -> None:
            loop.call_soon_threadsafe(self.pump.post, taken)

        writer = self.records.checkpoint_writer(written)
        self.checkpointing = Checkpointing(self, self.records, self.epoch, writer)
        self.order_door.attach(
            self.pump.post, lambda: self.host.offset, self.host.after_burst("order_door"), lambda: self.host.cause
        )
        self._attach_doors({VENUE: account_rest(self.signer, self.config.venue, self.order_venue.instruments)})
        self.pump.at_quiet(self.journal.touch_ahead)
        if self.input_log is not None:
            self.pump.at_quiet(self.input_log.touch_ahead)
        self.commanded = Commanded(self, self._mailboxes)
        self._closers.append(self.supervisor.answers.close)
        self._show_host()

    def _checkpoint(self, now_ns: int) -> None:
        self.checkpointing.take(now_ns)

    def _broken(self, reason: str) -> None:
        self.supervision.broke(reason)
        self._fail(reason)

    async def _until_ready(self, stopped: asyncio.Event) -> None:
        ends = (self.supervisor.ready, stopped, self.deposed)
        refused, waited_s = self.rest.budget(VENUE).refused, 0.0
        for _ in range(START_WAITS_MAX):
            before = refused[QUERY]
            waited_s += START_S_MAX
            await self._until(START_S_MAX, *ends)
            if self.failure.done() or any(end.is_set() for end in ends) or refused[QUERY] == before:
                break
            events.warning("start_waits", refused=refused[QUERY] - before, reason="the venue's rate limit has no room")
        if self.supervision.crash is not None:
            return
        if self.failure.done():
            raise StartFailed(self.failure.result())
        if not any(end.is_set() for end in ends):
            raise StartFailed(
                f"orders were not ready within {waited_s:.0f} s: the venue did not answer the start-up queries, "
                "or an order of an earlier run could not be resolved; see the log above"
            )

    # -- while it runs --------------------------------------------------------------------------------------------

    async def wait(self, seconds: float | None, stopped: asyncio.Event) -> str:
        """As `Node.wait`; the end of our term ends it as well."""
        await self._until(seconds, stopped, self.supervisor.quiet, self.deposed)
        return self.failure.result() if self.failure.done() else ""

    def _each_second(self, seconds: int) -> None:
        self.neighbors.wait_line(seconds)
        self.commanded.look()
        if self.host.journal_failures > self._lost_facts:
            self._lost_facts = self.host.journal_failures
            events.critical(
                "journal_failed", facts_not_journaled=self._lost_facts, remedy="free disk space, then restart"
            )
        if seconds % WALL_CHECK_S == 0 and abs(self.clock.wall_offset_ns() - self._wall_offset_ns) > WALL_STEP_NS:
            self._wall_offset_ns = self.clock.wall_offset_ns()
            self.pump.post(WallAdjusted(self._wall_offset_ns))

    # -- stop -----------------------------------------------------------------------------------------------------

    async def stop(
        self,
        reason: str,
        seconds: float = STOP_S,
        policy: StopPolicy = StopPolicy.CANCEL,
        hurry: asyncio.Event | None = None,
    ) -> int:
        """See ops.ending. Returns how many of our orders may still work against our will (-1: not known)."""
        ending = Ending(self, policy, seconds, hurry or asyncio.Event())
        unresolved = await ending.run(reason)
        self.positions_left = ending.left
        self.pump.stop()  # what is reported from here on is what was taken, and nothing more is
        return unresolved

    async def close(self) -> None:
        """Free everything, whatever state it is in. Takes a last checkpoint when there is something to save."""
        await self._end_tasks()
        if hasattr(self, "coordination_door"):
            await self.coordination_door.close()
            if self.supervision.crash is not None:
                await self.standby.abandon(f"the run ended: {self.supervision.crash.receiver} raised")
        else:
            await self.standby.resign()  # won, perhaps, and nothing was sent
        if hasattr(self, "host"):
            self.feed_close()
            self.order_door.close()
            await asyncio.sleep(0)
            self.pump.stop()
            self.checkpointing.close(self.clock.now_ns())
        await self._free()
        control_file(self.state.path).unlink(missing_ok=True)
