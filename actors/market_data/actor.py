"""Market data: raw frames in, a gapless depth stream a book can trust out. Pure. HOT PATH: `frame`.

The one path that counts is a LIVE diff: decode, one dict look-up, one compare, one DepthUpdate. Everything else about
depth lies behind it in `depth`; how a book becomes LIVE again in `resync`; connections that are rolled over in `rolls`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.market_data.alerts import AlertGate
from actors.market_data.budget import Budget
from actors.market_data.checksums import differs_too_often
from actors.market_data.conflation import conflate
from actors.market_data.depth import Depth
from actors.market_data.events import Events
from actors.market_data.liveness import Liveness, LivenessState
from actors.market_data.passing import Passing
from actors.market_data.resync import CALM_NS, REST_CALM_NS, SNAPSHOT_LEVELS, WAITING, Resync, leave
from actors.market_data.rolls import Rolls
from actors.market_data.silence import SWEEP
from actors.market_data.state import (
    ConnectionState,
    Counters,
    Feed,
    FeedConnection,
    budget_counter,
    roll_counter,
)
from actors.market_data.sync import COUNTS, SyncEvent, Synchronizer, SyncState
from bus.actor import NOTHING, Actor
from bus.messages import (
    AlertLevel,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    ConnectionDown,
    ConnectionUp,
    DepthUpdate,
    EngineStarted,
    Frame,
    FrameBatch,
    Instrument,
    Message,
    Outcome,
    SnapshotAnswer,
    Stream,
    TimerFired,
    TradesAnswer,
)
from bus.messages.feed import (
    DepthDiff,
    Garbage,
    Numbering,
    Scales,
    SnapshotSource,
)

BROKEN = (
    BookReason.CROSSED,
    BookReason.TOP_MISMATCH,
    BookReason.SNAPSHOT_TOO_OLD,
    BookReason.CHECKSUM,
    BookReason.RESTARTED,
)
"""What only the orderbook says of a book, or who makes it anew; market data hears it and resynchronizes."""


class MarketDataState(msgspec.Struct):
    """Everything, in order of arrival."""

    connections: list[ConnectionState]
    synchronizers: list[Synchronizer]
    budgets: list[Budget]
    counters: Counters
    alerts: AlertGate
    liveness: LivenessState


class MarketData(Actor[MarketDataState]):
    """Keyed by connection number: each connection has one codec and feeds the books of one venue.

    seed: of the jitter of attempts and rolls. Connections of one venue share one budget of request weight.
    """

    name = "market_data"
    State = MarketDataState
    state_version = 2

    def __init__(
        self, connections: Mapping[int, FeedConnection], snapshot_levels: int = SNAPSHOT_LEVELS, seed: int = 0
    ) -> None:
        self.feeds = {number: Feed(number, plan) for number, plan in connections.items()}
        self.synchronizers: dict[int, Synchronizer] = {}
        self.snapshot_levels = snapshot_levels
        self.seed = seed
        self._assemble(Counters(), AlertGate(self.name))
        self.handlers = {
            Frame: self.frame,
            FrameBatch: self.frame_batch,
            SnapshotAnswer: self.snapshot_answer,
            TimerFired: self.timer_fired,
            BookStateChanged: self.book_state_changed,
            ConnectionUp: self.connection_up,
            ConnectionDown: self.connection_down,
            Instrument: self.instrument,
            EngineStarted: self.engine_started,
            TradesAnswer: self.trades_answer,
            ClockEstimate: self.clock_estimate,
        }

    def _assemble(self, counters: Counters, alerts: AlertGate) -> None:
        """Everything that counts and alerts does so in the same two places."""
        self.counters, self.alerts = counters, alerts
        self.resync = Resync(self.name, self.snapshot_levels, self.seed, alerts)
        self.resync.levels = {feed.venue: feed.plan.levels for feed in self.feeds.values() if feed.plan.levels}
        for feed in self.feeds.values():
            plan = feed.plan
            self.resync.budgets.setdefault(feed.venue, Budget(feed.venue, plan.snapshot_weight, plan.weight_a_minute))
        self.depth = Depth(self.resync, counters, alerts)
        self.rolls = Rolls(self.name, self.seed, self.depth, self.resync, counters)
        self.liveness = Liveness(self.name, self.feeds, self.synchronizers, self.depth, alerts)
        self.passing = Passing(counters, self.liveness)
        self.events = Events(self.depth, self.passing, self.rolls, counters, alerts).handlers

    def frame(self, message: Frame, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        feed.state.frames += 1
        event = feed.decode(message.payload)
        if type(event) is DepthDiff:
            sync = feed.symbols.get(event.venue_symbol)
            last = event.last
            if sync is not None and event.previous == sync.expected != last:
                sync.before = previous = sync.sequence
                sync.sequence = sync.expected = last
                sync.depth_ns = received_ns = message.received_ns
                if received_ns - event.venue_ns > sync.worst_ns:
                    sync.worst_ns = received_ns - event.venue_ns
                return (
                    DepthUpdate(
                        sync.number,
                        sync.version,
                        previous,
                        last,
                        received_ns,
                        event.bid_prices,
                        event.bid_quantities,
                        event.ask_prices,
                        event.ask_quantities,
                        event.checksum,
                    ),
                )
        return self.events[type(event)](feed, event, message, now_ns)

    def frame_batch(self, message: FrameBatch, now_ns: int) -> tuple[Message, ...]:
        """Frames that waited, in order; nothing in between is shown."""
        emitted: list[Message] = []
        for frame in message.frames:
            emitted += self.frame(frame, now_ns)
        self.liveness.waited(message.frames[0].received_ns, now_ns)
        self.counters.frame_batches += 1
        self.counters.conflated += conflate(emitted)
        return tuple(emitted)

    def snapshot_answer(self, message: SnapshotAnswer, now_ns: int) -> tuple[Message, ...]:
        sync = self.synchronizers.get(message.counter)
        if sync is None or sync.generation != message.generation or sync.state != SyncState.SNAPSHOT:
            self.counters.late_answers += 1
            return NOTHING
        feed = self.feeds[sync.connection]
        if message.outcome != Outcome.RESULT:
            return self.resync.fail(sync, feed, message.reason, now_ns)
        body = feed.codec.decode_snapshot(message.payload, sync.instrument.venue_symbol)
        if isinstance(body, Garbage):
            self.counters.garbage += 1
            return self.resync.fail(sync, feed, body.detail, now_ns)
        if sync.buffer:
            return self.resync.join(sync, feed, body, message.received_ns, now_ns)
        return self.resync.hold(sync, body, message.received_ns, now_ns)

    def timer_fired(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        """Counters are instruments; below zero, connections and venues (`roll_counter`, `budget_counter`), and the sweep."""
        counter = message.counter
        if counter == SWEEP:
            return self.liveness.sweep(message, now_ns)
        sync = self.synchronizers.get(counter)
        if sync is not None:
            return self._timer_of(sync, message.generation, now_ns)
        for feed in self.feeds.values():
            if counter == roll_counter(feed.number) and message.generation == feed.state.timer:
                return self.rolls.timer_fired(feed, now_ns)
        for budget in self.resync.budgets.values():
            if counter == budget_counter(budget.venue) and message.generation == budget.timer:
                return self.resync.weight_is_there(budget, self.synchronizers, now_ns)
        return NOTHING

    def _timer_of(self, sync: Synchronizer, generation: int, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[sync.connection]
        if sync.generation != generation:
            return NOTHING
        if sync.state in WAITING and not sync.waiting:
            return self.resync.ask(sync, feed, now_ns)
        if sync.state == SyncState.SNAPSHOT and feed.rule.snapshot == SnapshotSource.STREAM:
            return self.resync.fail(sync, feed, "no book on the stream", now_ns)
        if sync.held is not None:
            return self.resync.join(sync, feed, sync.held, sync.held_ns, now_ns)
        return NOTHING  # a quiet timer that the first diff overtook

    def book_state_changed(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """Our own words come back here too; only the orderbook's concern us."""
        sync = self.synchronizers.get(message.instrument)
        if sync is None:
            return NOTHING
        if sync.state not in (SyncState.LIVE, SyncState.STALE):
            if message.reason in BROKEN:
                # An update of the same input, before the one that was missed: no late one mends that.
                sync.intact = False
            return NOTHING
        if message.state == BookState.STALE:
            self.depth.silence(sync)  # trades or quotes went through the book; our own word finds it STALE already
            return NOTHING
        if message.state != BookState.INVALID or message.reason not in BROKEN:
            return NOTHING
        feed = self.feeds[sync.connection]
        alert: tuple[Message, ...] = NOTHING
        provable = feed.rule.numbering == Numbering.SYMBOL and sync.believed
        if provable and message.reason == BookReason.CHECKSUM and differs_too_often(sync, message, now_ns):
            sync.believed = False
            detail = f"breaks={len(sync.checksum_breaks)} at={message.sequence}"
            alert = self.alerts.alert(now_ns, AlertLevel.CRITICAL, "checksum_not_believed", sync.number, detail)
        return (*self.depth.broken(feed, sync, message, now_ns), *alert)

    def connection_up(self, message: ConnectionUp, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        overlaps = message.overlaps and bool(feed.state.openings)
        return (*self.rolls.up(feed, message, now_ns), *self.liveness.up(feed, message.received_ns, overlaps, now_ns))

    def connection_down(self, message: ConnectionDown, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        lost = self.rolls.down(feed, message, now_ns)
        return lost if feed.state.generation else (*lost, *self.liveness.down(feed, now_ns))

    def engine_started(self, _message: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """After a recovery no connection of the checkpoint exists any more, and no timer of it runs."""
        for budget in self.resync.budgets.values():
            budget.waiting, budget.timer_set = [], False
        lost = [message for feed in self.feeds.values() for message in self.rolls.lose(feed, now_ns)]
        return (*lost, *self.liveness.started(now_ns))

    def trades_answer(self, message: TradesAnswer, now_ns: int) -> tuple[Message, ...]:
        return self.liveness.trades_answer(message, now_ns)

    def clock_estimate(self, message: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        return self.liveness.clock(message, now_ns)

    def instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        """A new instrument starts to synchronize; a new version of a known one is used from the next update on."""
        sync = self.synchronizers.get(message.instrument)
        if sync is not None:
            return self._new_version(sync, message, now_ns)
        carrying = [feed for feed in self.feeds.values() if feed.carries(message)]
        home = next((feed for feed in carrying if Stream.DEPTH in feed.plan.streams), None)
        if home is None:
            return NOTHING  # of a venue or a connection that another market data actor serves
        sync = Synchronizer(message, home.number, message.instrument, message.version)
        sync.calm_ns = REST_CALM_NS if home.rule.snapshot == SnapshotSource.REST else CALM_NS
        self.synchronizers[message.instrument] = sync
        for feed in carrying:
            feed.symbols[message.venue_symbol] = sync
        self._set_scales(message)
        self.liveness.joined(sync, now_ns)
        if not home.state.generation:
            return NOTHING
        sync.opening, sync.overlapping = home.newest, home.overlapping and home.rule.comparable
        sync.advance(SyncEvent.UP)
        return self.resync.start(sync, home, now_ns)

    def _new_version(self, sync: Synchronizer, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        """Other scales give every price another meaning: the book is built anew."""
        old, sync.instrument, sync.version = sync.instrument, message, message.version
        self._set_scales(message)
        self.liveness.line(sync)
        if (old.price_scale, old.quantity_scale) == (message.price_scale, message.quantity_scale):
            return NOTHING
        missed = sync.tape.give_up(message, now_ns)
        waits = sync.state in (SyncState.INIT, SyncState.SNAPSHOT)
        if waits:  # what is on its way will be read in the new scales; what has been read is of no use
            sync.buffer.clear()
            sync.intact = False
            return missed
        invalid = leave(sync, SyncEvent.CHANGE, BookReason.INSTRUMENT_CHANGED, now_ns)
        sync.attempts = 0
        return (*invalid, *missed, *self.resync.attempt(sync, self.feeds[sync.connection], now_ns))

    def _set_scales(self, instrument: Instrument) -> None:
        scales = Scales(instrument.price_scale, instrument.quantity_scale)
        for feed in self.feeds.values():
            if feed.carries(instrument):
                feed.codec.set_scales(instrument.venue_symbol, scales)

    def checkpoint(self) -> MarketDataState:
        connections = [feed.state for feed in self.feeds.values()]
        budgets = list(self.resync.budgets.values())
        syncs, liveness = list(self.synchronizers.values()), self.liveness.state()
        return MarketDataState(connections, syncs, budgets, self.counters, self.alerts, liveness)

    def restore(self, state: MarketDataState) -> None:
        """Connections are matched by number; ops must hand over the same ones."""
        self.synchronizers = {sync.number: sync for sync in state.synchronizers}
        self._assemble(state.counters, state.alerts)
        for budget in state.budgets:
            if budget.venue in self.resync.budgets:
                self.resync.budgets[budget.venue].resume(budget)
        for connection in state.connections:
            self.feeds[connection.connection].state = connection
        for feed in self.feeds.values():
            carried = [sync for sync in state.synchronizers if feed.carries(sync.instrument)]
            feed.symbols = {sync.instrument.venue_symbol: sync for sync in carried}
        for sync in state.synchronizers:
            self._set_scales(sync.instrument)
        self.liveness.restore(state.liveness)

    def view(self) -> dict[str, Any]:
        """Totals, and each instrument's own by number."""
        syncs = self.synchronizers.values()
        totals: dict[str, Any] = {"frames": sum(feed.state.frames for feed in self.feeds.values())}
        totals["rolls"] = sum(feed.state.rolls for feed in self.feeds.values())
        totals.update(msgspec.structs.asdict(self.counters))
        for field in ("resyncs", *COUNTS):
            totals[field] = totals.get(field, 0) + sum(getattr(sync, field) for sync in syncs)
        totals.update(self.liveness.view())
        totals["connections"] = {feed.number: _summary(feed) for feed in self.feeds.values()}
        totals["weight_spent"] = {budget.venue: budget.spent for budget in self.resync.budgets.values()}
        totals["instruments"] = {sync.number: sync.summary() for sync in syncs}
        return totals


def _summary(feed: Feed) -> dict[str, Any]:
    """For people."""
    state = feed.state
    openings = [opening.generation for opening in state.openings]
    return {"state": state.roll.name, "openings": openings, "frames": state.frames, "rolls": state.rolls}
