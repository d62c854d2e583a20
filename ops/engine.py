"""The engine: one process with all actors, from configuration to a clean stop.

Order of a start: state directory and lock; the venue's clock and instruments; recovery (checkpoint, journal tail);
epoch; host; order door (private stream first); feed door. Order of a stop: strategies quiet, orders canceled and
proven gone, doors closed, last checkpoint, logs synced.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.portfolio import Portfolio
from bus.actor import Actor
from bus.checkpoint import FORMAT, Checkpoint, Checkpoints, CheckpointWriter, collect
from bus.clock import EngineClock
from bus.collector import Collector
from bus.host import Host, Receiver
from bus.log import INPUT_SEGMENT_BYTES, JOURNAL_SEGMENT_BYTES, RecordLog, Syncer
from bus.mailbox import ZmqMailboxes, ipc_endpoint
from bus.messages import CheckpointTaken, EngineStarted, Instrument, StopRequested, WallAdjusted
from bus.pump import Pump
from bus.timers import Timers
from bus.vocabulary_lock import vocabulary_hash
from gateway.binance_spot.errors import SigningKeyError
from gateway.doors.coordination.door import CoordinationDoor
from gateway.doors.feed import FeedDoor
from gateway.doors.order import Identity, OrderDoor, SessionRefused
from gateway.doors.rest import RestDoor, RestFailed
from gateway.doors.store import JournalIndex
from gateway.doors.venue_time import VenueTime
from gateway.doors.websocket import ConnectFailed
from ops import events
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.config import Config, ConfigError, credentials, decimal_units
from ops.control import CONTROL_MAILBOX
from ops.preflight import StartFailed, check_clock, read_instruments
from ops.recovery import RECOVERED, Recovered, recover
from ops.registry import register
from ops.state import StateDirectory
from ops.supervisor import Supervisor
from ops.topology import routing
from ops.venues import BinanceSpotOrders, BinanceSpotRest, signer, stream_url

HOST = 0
START_S_MAX = 30.0
"""From connecting to orders ready: Binance's slowest query has 10 s, and three follow each other; chosen."""
WARM_UP_S = 3.0
"""Until caches, buffers and code paths have settled and the heap is frozen; chosen."""
RSS_AT_S = 10.0
"""Memory at the end of a run is compared with memory at this age."""
SWITCH_S = 0.0002
"""How long a helper thread (index, sync, checkpoint) may keep the interpreter when a frame has come; Python's own 5 ms
would be the tail of every latency. Chosen: ten times a warm cascade."""
STALL_S = 0.5
"""The loop was not free for this long: no order was canceled meanwhile, whatever the market did; chosen."""
STOP_S = 5.0
WALL_CHECK_S = 10.0
WALL_STEP_NS = 10_000_000
"""A wall clock that moved less than this against engine time is not worth an input."""


class Engine:
    """One engine. `start`, then `wait`, then `stop`; whatever happens in between, `close` frees what was taken."""

    def __init__(self, config: Config, state: StateDirectory) -> None:
        self.config, self.state = config, state
        self.clock = EngineClock()
        self.collector = Collector()
        self.supervisor = Supervisor()
        self.venue_time = VenueTime()
        self.timers = Timers()
        self.rest = RestDoor(config.venue.rest, self.clock.now_ns, self.venue_time)
        self.instruments: dict[int, Instrument] = {}
        self.actors: list[Actor[Any]] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        try:
            self._signer = signer(*credentials(config.venue))
        except SigningKeyError as error:
            raise ConfigError(f"[venue] private_key_file: {config.venue.private_key_file}: {error}") from None
        self._tasks: list[asyncio.Task[None]] = []
        self._closers: list[Callable[[], object]] = []
        self._mailboxes = ZmqMailboxes()
        self.rss_at_10s = 0.0
        self.stalls = 0
        self.stall_max_s = 0.0
        self._warm = False
        self._wall_offset_ns = 0

    # -- start ----------------------------------------------------------------------------------------------------

    async def start(self, stopped: asyncio.Event) -> None:
        """Returns early when `stopped` is set. Raises StartFailed, StateError, ConfigError.

        Trading begins by itself once orders are ready.
        """
        sys.setswitchinterval(SWITCH_S)
        await self.rest.open()
        clock_estimate = await check_clock(self.rest, self.clock.now_ns, self.config.venue)
        self.venue_time.take(clock_estimate)
        symbols = [row.symbol for row in self.config.instrument]
        found = await read_instruments(self.rest, symbols)
        numbered = register(self.state.instruments, self.config.venue.kind, found)
        self.instruments = {instrument.instrument: instrument for instrument in numbered}
        self.supervisor.symbols = {number: row.venue_symbol for number, row in self.instruments.items()}
        self.actors = build_actors(self.config, list(self.instruments.values()))
        recovered = recover(self.state, self.actors)
        self.fills_before = next(actor.fill_number for actor in self.actors if isinstance(actor, Portfolio))
        self.epoch = self.state.raise_epoch(recovered.epoch, self.clock.now_ns())
        self._log_recovery(recovered)
        self._open_logs()
        self._make_order_door()
        self._make_host(recovered)
        for instrument in self.instruments.values():
            self.host.post(instrument)
        if not decimal_units(self.config.risk.daily_loss_max, 8, "[risk] daily_loss_max"):
            events.warning("no_loss_limit", remedy="set [risk] daily_loss_max")
        self.pump.post(clock_estimate, EngineStarted(ACCOUNT, self.epoch))
        self._run(self._guard(self.order_door.run()))
        self.feed = FeedDoor(0, self._stream_url(), self.pump.post, self.clock.now_ns)
        self.feed.on_trouble = lambda detail: events.warning("feed_door", detail=detail)
        self._run(self._guard(self.feed.run()))
        self._run(self._guard(self._housekeeping()))
        try:
            await self._until_ready(stopped)
        except StartFailed as error:
            # Without a session nothing can be canceled: a person need not wait for what cannot come.
            error.unresolved = await self.stop("the start failed", STOP_S if self.order_door.generation else 0.1)
            raise

    def _log_recovery(self, recovered: Recovered) -> None:
        for problem in recovered.problems:
            events.warning("recovery_problem", detail=problem)
        events.info(
            "recovered",
            checkpoint=recovered.checkpoint_offset,
            journal_records=recovered.records,
            last_epoch=recovered.epoch,
            epoch=self.epoch,
        )
        self._first_offset = recovered.offset

    def _open_logs(self) -> None:
        persistence = self.config.persistence
        self.journal = RecordLog(self.state.journal, segment_bytes=JOURNAL_SEGMENT_BYTES, reserve=True)
        self._closers.append(self.journal.close)
        self.input_log: RecordLog | None = None
        self._first_offset = max(self._first_offset, self.journal.last_offset)
        if persistence.input_log:
            self.input_log = RecordLog(
                self.state.input_log,
                segment_bytes=INPUT_SEGMENT_BYTES,
                retain=persistence.input_log_segments,
                reserve=True,
            )
            self._first_offset = max(self._first_offset, self.input_log.last_offset)
            self._closers.append(self.input_log.close)
        self.syncer = Syncer(self.journal, persistence.sync_interval_ms)
        self._closers.append(self.syncer.stop)
        self.index = JournalIndex(self.state.store, self.state.journal, tuple(self.instruments.values()))
        self._closers.append(self.index.close)

    def _make_order_door(self) -> None:
        identity = Identity(HOST, ACCOUNT, VENUE, self.epoch)
        venue = BinanceSpotOrders(self._signer, self.config.venue, self.instruments, ACCOUNT, VENUE)
        door = OrderDoor(
            self.config.venue.websocket_api, venue, identity, self.journal, self.venue_time, self.clock.now_ns
        )
        door.disk_failed = lambda: self.syncer.failed or self.journal.full or self.host.journal_failures > 0
        door.on_trouble = lambda detail: events.warning("order_door", detail=detail)
        self.order_door = door

    def _make_host(self, recovered: Recovered) -> None:
        loop = asyncio.get_running_loop()
        checkpoints = Checkpoints(self._take_checkpoint)
        receivers: list[Receiver] = [
            *self.actors, self.order_door, self.rest, CoordinationDoor(), self.timers, checkpoints, self.supervisor,
        ]  # fmt: skip
        self.host = Host(
            receivers,
            routing(),
            self._mailboxes,
            self.clock.now_ns,
            journal=self.journal,
            input_log=self.input_log,
            number=HOST,
            first_offset=self._first_offset,
        )
        checkpoints.attach(self.host.after_cascade)
        self.pump = Pump(self.host, self.timers, self.clock, self.collector)
        self.pump.on_broken = self._fail

        def written(taken: CheckpointTaken) -> None:
            loop.call_soon_threadsafe(self.pump.post, taken)

        self.writer = CheckpointWriter(self.state.checkpoints, written, self._secure)
        self.order_door.attach(self.pump.post, lambda: self.host.offset, self.host.after_burst("order_door"))
        self.rest.attach(BinanceSpotRest(self._signer, self.config.venue, self.instruments), self.pump.post)
        self.pump.at_quiet(self.journal.touch_ahead)
        if self.input_log is not None:
            self.pump.at_quiet(self.input_log.touch_ahead)
        outside = self._mailboxes.open_outside(CONTROL_MAILBOX, ipc_endpoint(self.state.path, CONTROL_MAILBOX))
        self.pump.listen(
            outside, lambda count, reason: events.warning("outside_message_refused", count=count, reason=reason)
        )

    def _take_checkpoint(self, now_ns: int) -> None:
        """Between inputs. What cannot be saved must not stop the engine: the journal alone recovers it."""
        offset = self.host.offset
        spoilt = sorted(self.host.failed.intersection(RECOVERED))
        if self.host.broken or spoilt:
            # A fold that raised half way must not become the truth of the next start.
            reason = self.host.broken or f"{', '.join(spoilt)} failed: the next start folds the journal again"
            self._checkpoint_failed(offset, reason)
            return
        try:
            states = collect(self.actors)
        except (msgspec.EncodeError, TypeError, ValueError, OverflowError) as error:
            self._checkpoint_failed(offset, f"a state cannot be encoded: {error}")
            return
        self.writer.write(
            Checkpoint(
                FORMAT,
                vocabulary_hash(),
                HOST,
                self.epoch,
                offset,
                now_ns,
                self.host.digest,
                self.journal.next_number,
                states,
            )
        )

    def _checkpoint_failed(self, offset: int, reason: str) -> None:
        if not self.pump.stopped:
            self.host.post(CheckpointTaken(offset, 0, 0, reason))

    def _secure(self, checkpoint: Checkpoint) -> None:
        """On the writer's thread: a checkpoint that outlives a power loss must not know more than the journal."""
        self.journal.sync()

    def _stream_url(self) -> str:
        return stream_url(self.config.venue, [row.symbol for row in self.config.instrument])

    async def _until_ready(self, stopped: asyncio.Event) -> None:
        await self._until(START_S_MAX, self.supervisor.ready, stopped)
        if self.failure.done():
            raise StartFailed(self.failure.result())
        if not self.supervisor.ready.is_set() and not stopped.is_set():
            raise StartFailed(
                f"orders were not ready within {START_S_MAX:.0f} s: the venue did not answer the start-up queries, "
                "or an order of an earlier run could not be resolved; see the log above"
            )

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
        """Once a second, off the hot path: warm-up, wall clock, what only a poll can see."""
        seconds = 0.0
        lost_facts = 0
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
            seconds += 1.0
            if seconds == RSS_AT_S:
                self.rss_at_10s = resident_mb()
            if self.host.journal_failures > lost_facts:
                lost_facts = self.host.journal_failures
                events.critical(
                    "journal_failed", facts_not_journaled=lost_facts, remedy="free disk space, then restart"
                )
            if not self._warm and seconds >= WARM_UP_S:
                self._warm = True
                self.collector.warm_up_done()
                self._closers.append(self.collector.restore)
            if seconds % WALL_CHECK_S == 0 and abs(self.clock.wall_offset_ns() - self._wall_offset_ns) > WALL_STEP_NS:
                self._wall_offset_ns = self.clock.wall_offset_ns()
                self.pump.post(WallAdjusted(self._wall_offset_ns))

    async def _guard(self, work: Any) -> None:
        """Run a door for as long as the engine lives; an end of it is a failure of the engine."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except (SessionRefused, RestFailed) as error:
            self._fail(str(error))
        except ConnectFailed as error:
            self._fail(f"[venue] websocket_api: {error}; check the URL and the network")
        except Exception as error:  # noqa: BLE001 - any other end of a door must stop the engine, with its reason
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        events.critical("engine_failed", reason=reason)
        if not self.failure.done():
            self.failure.set_result(reason)

    def _run(self, work: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    # -- stop -----------------------------------------------------------------------------------------------------

    async def stop(self, reason: str, seconds: float = STOP_S) -> int:
        """Cancel everything and see it gone. Returns how many of our orders may still work (-1: not known)."""
        events.info("stopping", reason=reason)
        self.pump.post(StopRequested(reason, self.clock.now_ns() + int(seconds * 1e9)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + 1.0):
                await self.supervisor.quiet.wait()
        if self.supervisor.unresolved:
            events.critical(
                "stopped",
                unresolved=self.supervisor.unresolved,
                remedy="orders of ours may still work at the venue: start again on the same --state, or cancel there",
            )
        else:
            events.info("stopped", unresolved=0)
        self.pump.stop()  # what is reported from here on is what was taken, and nothing more is
        return self.supervisor.unresolved

    async def close(self) -> None:
        """Free everything, whatever state it is in. Takes a last checkpoint when there is something to save."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "host"):
            self.feed_close()
            self.order_door.close()
            await asyncio.sleep(0)
            self.pump.stop()
            self._take_checkpoint(self.clock.now_ns())
            self.writer.close()
        await self.rest.close()
        for close in reversed(self._closers):
            close()
        self._mailboxes.close()
        (self.state.path / f"{CONTROL_MAILBOX}.ipc").unlink(missing_ok=True)

    def feed_close(self) -> None:
        if hasattr(self, "feed"):
            self.feed.close()

    # -- what it tells --------------------------------------------------------------------------------------------

    def views(self) -> dict[str, dict[str, Any]]:
        """Each actor's view; between cascades only."""
        return {actor.name: actor.view() for actor in self.actors}


def resident_mb() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
