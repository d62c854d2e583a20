"""Market data: raw frames in, a gapless depth stream a book can trust out. Pure. HOT PATH: `frame`.

The one path that counts is a LIVE diff: decode, one dict look-up, one compare, one DepthUpdate. Everything else
(buffering, gaps, garbage) lies behind it in `_events`; how a book becomes LIVE again lies in `resync`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from actors.market_data.alerts import AlertGate
from actors.market_data.resync import SNAPSHOT_LEVELS, Resync, leave, update
from actors.market_data.rule import SyncRule, Verdict
from actors.market_data.state import Counters, Feed, FeedConnection, MarketDataState
from actors.market_data.sync import Buffered, SyncEvent, Synchronizer, SyncState
from bus.actor import NOTHING, Actor
from bus.messages import (
    AlertLevel,
    BestQuote,
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthUpdate,
    EngineStarted,
    Frame,
    Instrument,
    Message,
    Outcome,
    SnapshotAnswer,
    TimerFired,
    TradePrint,
)
from bus.messages.feed import DepthDiff, Garbage, Notice, QuoteEvent, TradeEvent

BUFFER_MAX = 2_000  # diffs an instrument keeps for its snapshot: 200 s at 100 ms; beyond it the buffer starts over
BROKEN = (BookReason.CROSSED, BookReason.TOP_MISMATCH, BookReason.SNAPSHOT_TOO_OLD)
"""What only the orderbook says of a book; market data hears it and resynchronizes."""


class MarketData(Actor[MarketDataState]):
    """Keyed by connection number: each connection has one codec and feeds the books of one venue."""

    name = "market_data"
    State = MarketDataState

    def __init__(self, connections: Mapping[int, FeedConnection], snapshot_levels: int = SNAPSHOT_LEVELS) -> None:
        self.feeds = {number: Feed(number, plan) for number, plan in connections.items()}
        self.synchronizers: dict[int, Synchronizer] = {}
        self.counters = Counters()
        self.alerts = AlertGate(self.name)
        self.resync = Resync(self.name, snapshot_levels)
        self.handlers = {
            Frame: self.frame,
            SnapshotAnswer: self.snapshot_answer,
            TimerFired: self.timer_fired,
            BookStateChanged: self.book_state_changed,
            ConnectionUp: self.connection_up,
            ConnectionDown: self.connection_down,
            Instrument: self.instrument,
            EngineStarted: self.engine_started,
        }
        self._events: dict[type, Callable[[Feed, Any, int, int], tuple[Message, ...]]] = {
            DepthDiff: self._diff,
            QuoteEvent: self._quote,
            TradeEvent: self._trade,
            Notice: self._notice,
            Garbage: self._garbage,
        }

    def frame(self, message: Frame, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        feed.state.frames += 1
        event = feed.decode(message.payload)
        if type(event) is DepthDiff:
            sync = feed.symbols.get(event.venue_symbol)
            if sync is not None and event.first == sync.expected:
                previous = sync.sequence
                sync.sequence = last = event.last
                sync.expected = last + 1
                return (
                    DepthUpdate(
                        sync.number,
                        sync.version,
                        previous,
                        last,
                        message.received_ns,
                        event.bid_prices,
                        event.bid_quantities,
                        event.ask_prices,
                        event.ask_quantities,
                    ),
                )
        return self._events[type(event)](feed, event, message.received_ns, now_ns)

    def _diff(self, feed: Feed, diff: DepthDiff, received_ns: int, now_ns: int) -> tuple[Message, ...]:
        """A diff that is not simply the next one: buffered, stale, overlapping, or behind a gap."""
        sync = feed.symbols.get(diff.venue_symbol)
        if sync is None:
            return self._unknown(diff.venue_symbol, now_ns)
        if sync.state == SyncState.LIVE:
            return self._live_diff(sync, feed.rule, diff, received_ns, now_ns)
        if sync.state == SyncState.DOWN:
            self.counters.unsynced += 1
            return NOTHING
        emitted: tuple[Message, ...] = NOTHING
        if len(sync.buffer) >= BUFFER_MAX:
            sync.buffer.clear()
            sync.overflows += 1
            emitted = self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_buffer_full", sync.number)
        sync.buffer.append(Buffered(received_ns, diff))
        if sync.held is not None:
            return emitted + self._join_held(sync, feed.rule, now_ns)
        return emitted

    def _live_diff(
        self, sync: Synchronizer, rule: SyncRule, diff: DepthDiff, received_ns: int, now_ns: int
    ) -> tuple[Message, ...]:
        verdict = rule.follow(diff, sync.sequence)
        if verdict == Verdict.STALE:
            sync.stale += 1
            return NOTHING
        if verdict == Verdict.NEXT:
            previous, sync.sequence, sync.expected = sync.sequence, diff.last, diff.last + 1
            return (update(sync, previous, received_ns, diff),)
        sync.gaps += 1
        invalid = leave(sync, SyncEvent.GAP, BookReason.SEQUENCE_GAP)
        sync.buffer.append(Buffered(received_ns, diff))
        detail = f"expected={sync.sequence + 1} received={diff.first}"
        alert = self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_gap", sync.number, detail)
        return (*invalid, *self.resync.attempt(sync, now_ns), *alert)

    def _quote(self, feed: Feed, event: QuoteEvent, received_ns: int, now_ns: int) -> tuple[Message, ...]:
        """Sent on while SYNCING too: the orderbook keeps it until it reaches that update id."""
        sync = feed.symbols.get(event.venue_symbol)
        if sync is None:
            return self._unknown(event.venue_symbol, now_ns)
        if sync.state == SyncState.DOWN:
            self.counters.unsynced += 1
            return NOTHING
        return (
            BestQuote(
                sync.number,
                sync.version,
                event.last,
                received_ns,
                event.bid,
                event.bid_quantity,
                event.ask,
                event.ask_quantity,
            ),
        )

    def _trade(self, feed: Feed, event: TradeEvent, received_ns: int, now_ns: int) -> tuple[Message, ...]:
        sync = feed.symbols.get(event.venue_symbol)
        if sync is None:
            return self._unknown(event.venue_symbol, now_ns)
        last = sync.last_trade_id
        if event.trade_id <= last:
            sync.trades_repeated += 1  # after a reconnection; a trade is printed once
            return NOTHING
        if last:
            sync.trades_missed += event.trade_id - last - 1
        sync.last_trade_id = event.trade_id
        return (
            TradePrint(
                sync.number,
                sync.version,
                event.trade_id,
                received_ns,
                event.venue_ns,
                event.price,
                event.quantity,
                event.aggressor,
            ),
        )

    def _notice(self, feed: Feed, event: Notice, _received_ns: int, now_ns: int) -> tuple[Message, ...]:
        self.counters.notices += 1
        if event.kind != "serverShutdown":
            return NOTHING
        detail = f"connection={feed.state.connection} {event.detail}".strip()
        return self.alerts.alert(now_ns, AlertLevel.WARNING, "venue_shutdown", -1, detail)

    def _garbage(self, feed: Feed, event: Garbage, _received_ns: int, now_ns: int) -> tuple[Message, ...]:
        self.counters.garbage += 1
        detail = f"connection={feed.state.connection} {event.detail}"
        return self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_garbage", -1, detail)

    def _unknown(self, venue_symbol: str, now_ns: int) -> tuple[Message, ...]:
        self.counters.unknown_symbols += 1
        return self.alerts.alert(now_ns, AlertLevel.INFO, "unknown_symbol", -1, f"symbol={venue_symbol}")

    def snapshot_answer(self, message: SnapshotAnswer, now_ns: int) -> tuple[Message, ...]:
        sync = self.synchronizers.get(message.counter)
        if sync is None or sync.generation != message.generation or sync.state != SyncState.ASKED:
            self.counters.late_answers += 1
            return NOTHING
        feed = self.feeds[sync.connection]
        if message.outcome != Outcome.RESULT:
            return self.resync.fail(sync, message.reason, self.alerts, now_ns)
        body = feed.codec.decode_snapshot(message.payload, sync.instrument.venue_symbol)
        if isinstance(body, Garbage):
            self.counters.garbage += 1
            return self.resync.fail(sync, body.detail, self.alerts, now_ns)
        if sync.buffer:
            return self.resync.join(sync, feed.rule, body, message.received_ns, self.alerts, now_ns)
        return self.resync.hold(sync, body, message.received_ns, now_ns)

    def _join_held(self, sync: Synchronizer, rule: SyncRule, now_ns: int) -> tuple[Message, ...]:
        assert sync.held is not None
        return self.resync.join(sync, rule, sync.held, sync.held_ns, self.alerts, now_ns)

    def timer_fired(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        sync = self.synchronizers.get(message.counter)
        if sync is None or sync.generation != message.generation:
            return NOTHING
        if sync.state == SyncState.BUFFERING:
            return self.resync.ask(sync, now_ns)
        if sync.state == SyncState.HELD:
            return self._join_held(sync, self.feeds[sync.connection].rule, now_ns)
        return NOTHING  # a quiet timer that the first diff overtook

    def book_state_changed(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """Our own words come back here too; only the orderbook's concern us."""
        if message.state != BookState.INVALID or message.reason not in BROKEN:
            return NOTHING
        sync = self.synchronizers.get(message.instrument)
        if sync is None or sync.state != SyncState.LIVE:
            return NOTHING
        sync.broken += 1
        leave(sync, SyncEvent.BREAK, message.reason)
        return self.resync.attempt(sync, now_ns)

    def connection_up(self, message: ConnectionUp, now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        feed.state.generation = message.generation
        invalid: list[Message] = []
        started: list[Message] = []
        for sync in feed.symbols.values():
            invalid += leave(sync, SyncEvent.UP, BookReason.CONNECTION_LOST)
            started += self.resync.start(sync, now_ns)
        return (*invalid, *started)

    def connection_down(self, message: ConnectionDown, _now_ns: int) -> tuple[Message, ...]:
        feed = self.feeds[message.connection]
        if message.generation < feed.state.generation:
            self.counters.late_connections += 1  # the end of a socket that has been replaced
            return NOTHING
        return self._lose(feed)

    def engine_started(self, _message: EngineStarted, _now_ns: int) -> tuple[Message, ...]:
        """After a recovery no connection of the checkpoint exists any more."""
        return tuple(message for feed in self.feeds.values() for message in self._lose(feed))

    def _lose(self, feed: Feed) -> tuple[Message, ...]:
        """INVALID for every book of the connection that was not known to be down, LIVE or not."""
        feed.state.generation = 0
        invalid: list[Message] = []
        for sync in feed.symbols.values():
            if sync.state != SyncState.DOWN:
                leave(sync, SyncEvent.LOST, BookReason.CONNECTION_LOST)
                reason = BookReason.CONNECTION_LOST
                invalid.append(BookStateChanged(sync.number, BookState.INVALID, reason, sync.sequence))
        return tuple(invalid)

    def instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        """A new instrument starts to synchronize; a new version of a known one is used from the next update on."""
        sync = self.synchronizers.get(message.instrument)
        if sync is not None:
            return self._new_version(sync, message, now_ns)
        for number, feed in self.feeds.items():
            if feed.carries(message):
                sync = Synchronizer(message, number, message.instrument, message.version)
                self.synchronizers[message.instrument] = feed.symbols[message.venue_symbol] = sync
                if not feed.state.generation:
                    return NOTHING
                sync.advance(SyncEvent.UP)
                return self.resync.start(sync, now_ns)
        return NOTHING  # of a venue or a connection that another market data actor serves

    def _new_version(self, sync: Synchronizer, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        """Other scales give every price another meaning: the book is built anew."""
        old, sync.instrument, sync.version = sync.instrument, message, message.version
        same = (old.price_scale, old.quantity_scale) == (message.price_scale, message.quantity_scale)
        if same or sync.state == SyncState.DOWN:
            return NOTHING
        invalid = leave(sync, SyncEvent.CHANGE, BookReason.INSTRUMENT_CHANGED)
        return (*invalid, *self.resync.attempt(sync, now_ns))

    def checkpoint(self) -> MarketDataState:
        connections = [feed.state for feed in self.feeds.values()]
        return MarketDataState(connections, list(self.synchronizers.values()), self.counters, self.alerts)

    def restore(self, state: MarketDataState) -> None:
        """Connections are matched by number; ops must hand over the same ones."""
        self.counters, self.alerts = state.counters, state.alerts
        for connection in state.connections:
            self.feeds[connection.connection].state = connection
        self.synchronizers = {sync.number: sync for sync in state.synchronizers}
        for feed in self.feeds.values():
            feed.symbols = {}
        for sync in state.synchronizers:
            self.feeds[sync.connection].symbols[sync.instrument.venue_symbol] = sync

    def view(self) -> dict[str, Any]:
        """Totals, and each instrument's own by number."""
        syncs = self.synchronizers.values()
        totals: dict[str, Any] = {"frames": sum(feed.state.frames for feed in self.feeds.values())}
        totals.update(msgspec.structs.asdict(self.counters))
        for field in ("gaps", "resyncs", "stale", "overflows", "failures", "broken", "trades_missed"):
            totals[field] = sum(getattr(sync, field) for sync in syncs)
        totals["instruments"] = {sync.number: sync.summary() for sync in syncs}
        return totals
