"""Whether the streams live, what the tape lacks and how late the feed is: everything that the sweep looks after. Pure.

`watch` and `silence` judge streams, `trades` and `backfill` mend the tape, `ages` tells the lag; here they meet the
connections and the books.
"""

from collections.abc import Mapping

import msgspec

from actors.market_data.ages import NO_STAMP, UNKNOWN, lag_of
from actors.market_data.alerts import AlertGate
from actors.market_data.backfill import Backfill, Line
from actors.market_data.depth import Depth
from actors.market_data.silence import LATE_NS, Watchdog, carrier
from actors.market_data.state import Feed
from actors.market_data.sync import Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import (
    AlertLevel,
    ClockEstimate,
    Frame,
    Message,
    Stream,
    TimerFired,
    TradesAnswer,
    TradesMissed,
)
from bus.messages.feed import TradeEvent


class LivenessState(msgspec.Struct):
    """clocks: the last estimate of each venue's."""

    watchdog: Watchdog
    backfill: Backfill
    clocks: list[ClockEstimate] = []


class Liveness:
    """feeds, syncs: the actor's own, by number. lines: the tapes, with whose they are."""

    def __init__(
        self,
        actor: str,
        feeds: Mapping[int, Feed],
        syncs: Mapping[int, Synchronizer],
        depth: Depth,
        alerts: AlertGate,
    ) -> None:
        self.actor = actor
        self.feeds = feeds
        self.syncs = syncs
        self.depth = depth
        self.alerts = alerts
        self.watchdog, self.backfill = Watchdog(), Backfill()
        self.clocks: dict[int, ClockEstimate] = {}
        self.lines: dict[int, Line] = {}

    def state(self) -> LivenessState:
        return LivenessState(self.watchdog, self.backfill, list(self.clocks.values()))

    def restore(self, state: LivenessState) -> None:
        """Feeds and synchronizers are back."""
        self.watchdog, self.backfill = state.watchdog, state.backfill
        self.clocks = {clock.venue: clock for clock in state.clocks}
        self.lines = {}
        for sync in self.syncs.values():
            self.line(sync)

    def started(self, now_ns: int) -> tuple[Message, ...]:
        """A run begins: no connection is open, no timer runs, and no answer to an earlier run's question comes."""
        self.watchdog.running = False
        return tuple(message for feed in self.feeds.values() for message in self.down(feed, now_ns))

    def line(self, sync: Synchronizer) -> None:
        """An instrument is known, or has a new version."""
        feed = carrier(self.feeds, sync, Stream.TRADE)
        if feed is None:
            return
        sync.tape.ids = feed.rule.trade_ids
        self.lines[sync.number] = Line(sync.tape, sync.instrument, feed.plan.trades_offered, feed.codec)

    # Connections

    def joined(self, sync: Synchronizer, now_ns: int) -> None:
        """A new instrument: of the connections that are open its streams are expected."""
        self.line(sync)
        for feed in self.feeds.values():
            if feed.state.generation and feed.symbols.get(sync.instrument.venue_symbol) is sync:
                sync.vigil.begin(_streams(feed, sync), now_ns)

    def up(self, feed: Feed, since_ns: int, overlaps: bool, now_ns: int) -> tuple[Message, ...]:
        """A generation is open since then. Without an overlap prints may be missing before it."""
        for sync in feed.symbols.values():
            streams = _streams(feed, sync)
            sync.vigil.begin(streams, since_ns)
            if not overlaps and Stream.TRADE in streams:
                sync.tape.sever()
        return self.watchdog.start(self.actor, len(self.syncs), now_ns)

    def down(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """No generation is open. Of instruments whose depth lives elsewhere nobody else says that prints are missing."""
        missed: list[Message] = []
        for sync in feed.symbols.values():
            streams = _streams(feed, sync)
            sync.vigil.rest(streams)
            if Stream.TRADE in streams:
                sync.tape.sever()
                if sync.connection != feed.number and sync.tape.begun:
                    missed.append(TradesMissed(sync.number, now_ns, 0, 0, 0))
        return tuple(missed)

    # Words

    def trade(self, sync: Synchronizer, event: TradeEvent, frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """A print that is not simply the next one."""
        line = self.lines[sync.number]
        restarted, last_id = line.tape.restarted, line.tape.last_id
        told = self.backfill.trade(line, event, frame.received_ns, now_ns)
        if line.tape.restarted != restarted:
            detail = f"last_id={last_id} trade_id={event.trade_id}"
            told += self.alerts.alert(now_ns, AlertLevel.WARNING, "trades_restarted", sync.number, detail)
        return (*told, *self.backfill.turns(self.actor, self.lines, now_ns))

    def trades_answer(self, message: TradesAnswer, now_ns: int) -> tuple[Message, ...]:
        told = self.backfill.answer(self.actor, self.lines, message, now_ns)
        return (*told, *self.backfill.turns(self.actor, self.lines, now_ns))

    def clock(self, message: ClockEstimate, _now_ns: int) -> tuple[Message, ...]:
        self.clocks[message.venue] = message
        return NOTHING

    def waited(self, received_ns: int, now_ns: int) -> None:
        """Frames waited for us since then: a few ms are nothing, but what waits long makes every stream seem silent."""
        if now_ns - received_ns > LATE_NS:
            self.watchdog.behind_ns = now_ns

    def view(self) -> dict[str, int]:
        return {
            "renewals": self.watchdog.renewals,
            "releases": self.watchdog.releases,
            "trades_late_answers": self.backfill.late,
            "trades_failed": self.backfill.failed,
            "trades_restarted": sum(line.tape.restarted for line in self.lines.values()),
        }

    # The sweep

    def sweep(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        watchdog = self.watchdog
        if message.generation != watchdog.generation:
            return NOTHING
        told: list[Message] = []
        blind = watchdog.blind(message.fires_ns, now_ns)
        for sync in watchdog.slice(list(self.syncs.values())):
            if not blind and sync.vigil.look(sync.depth_ns, now_ns, sync.state == SyncState.STALE):
                told += watchdog.judge(self.feeds, sync, self.depth, self.alerts, now_ns)
            if sync.state == SyncState.LIVE:
                told += self._age(sync, now_ns)
            elif sync.state == SyncState.SNAPSHOT:
                told += self.depth.resync.unanswered(sync, self.feeds[sync.connection], now_ns)
        told += self.backfill.expire(self.actor, self.lines, now_ns)
        any_up = any(feed.state.generation for feed in self.feeds.values())
        return (*told, *watchdog.again(self.actor, len(self.syncs), any_up, now_ns))

    def _age(self, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        clock = self.clocks.get(sync.instrument.venue)
        lag_ns = lag_of(sync.worst_ns, clock)
        uncertainty_ns = clock.uncertainty_ns if clock is not None else 0
        heard_ns = max(sync.depth_ns, sync.live_ns)  # LIVE by a snapshot alone: nothing was to be heard before
        age = sync.age.say(sync.number, lag_ns, uncertainty_ns, now_ns - heard_ns, now_ns)
        if age is not None or lag_ns == UNKNOWN:
            sync.worst_ns = NO_STAMP  # said; or one damaged stamp, which must not hide the next ones
        return NOTHING if age is None else (age,)


def _streams(feed: Feed, sync: Synchronizer) -> tuple[Stream, ...]:
    """What this connection carries of the instrument: its depth only if it is the one that has it."""
    if sync.connection == feed.number:
        return feed.plan.streams
    return tuple(stream for stream in feed.plan.streams if stream != Stream.DEPTH)
