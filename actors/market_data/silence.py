"""What is done about a stream that fell silent: said, renewed with growing delays, and at last its connection dialed anew.

`watch` knows when a silence is too long; the sweep here looks at every instrument each LOOK_NS, SLICE of them at a time: at
1,000 instruments that is a look of 100 each 50 ms instead of one that holds up everything else. Pure.

A depth stream that falls silent with everything else on its connection is not renewed alone: the connection is dialed anew.
Of a connection that has been dialed anew for this the next time comes later and later.
"""

from collections.abc import Mapping

import msgspec

from actors.market_data.alerts import AlertGate
from actors.market_data.depth import Depth
from actors.market_data.state import Feed
from actors.market_data.sync import Synchronizer, SyncState
from actors.market_data.watch import LOOK_NS, Ending, StreamWatch
from bus.messages import (
    AlertLevel,
    BookReason,
    Message,
    ReleaseConnection,
    Resubscribe,
    SetTimer,
    Stream,
    StreamChanged,
)

DEPTH, LIVE, STALE = Stream.DEPTH, SyncState.LIVE, SyncState.STALE
SLICE = 100  # chosen: 0.16 ms a look on a busy 2-core machine, 1.6 us an instrument; a thousand at once would hold up a frame 1.6
SWEEP = -(1 << 40)
"""Counter of the sweep's timer; instruments, connections and venues have others (see `state`)."""
RENEW_DELAYS_NS = (5_000_000_000, 10_000_000_000, 20_000_000_000)
"""After each renewal, until the next one; chosen: a venue answers a subscription within 1 s. Behind them a depth stream's
connection is dialed anew, and renewals go on each RENEW_SLOW_NS; of other streams they end."""
RENEW_SLOW_NS = 60_000_000_000
RENEWALS_AT_ONCE = 8  # chosen: of one look; each is two frames of the few a second that a venue takes
TOGETHER_NS = 1_000_000_000  # chosen: whatever spoke last within this of the silent stream fell silent with it
RELEASE_NS, RELEASE_NS_MAX = 60_000_000_000, 1_800_000_000_000  # chosen: until the next release; doubled each time
CALM_PAUSES = 2
"""Pauses without a release after which the next one is a first one again."""
MS = 1_000_000
LATE_NS = LOOK_NS // 2
"""A sweep that comes so much too late, or after frames that waited, proves nothing: it is we who were silent."""


class Cut(msgspec.Struct):
    """A connection that was dialed anew for its silence. generation: the one that was given up; until_ns: not again before.

    spoke_ns: the last word of anyone on it, as of looked_ns. Once a look: when all are silent, each of them asks.
    """

    connection: int
    generation: int = 0
    until_ns: int = 0
    pause_ns: int = RELEASE_NS
    spoke_ns: int = 0
    looked_ns: int = -1

    def together(self, feed: Feed, last_ns: int, now_ns: int) -> bool:
        """Has no other instrument of this connection spoken since, though there are others?"""
        if self.looked_ns != now_ns:
            self.looked_ns = now_ns
            streams = feed.plan.streams
            words = [sync.vigil.words(sync.depth_ns) for sync in feed.symbols.values()]
            self.spoke_ns = max(said[stream] for said in words for stream in streams)
        return self.spoke_ns <= last_ns + TOGETHER_NS and len(feed.symbols) > 1


class Watchdog(msgspec.Struct):
    """The sweep, and the renewals. at: the next slice's first instrument. behind_ns: when frames last waited. Own checkpoint."""

    generation: int = 0
    running: bool = False
    at: int = 0
    behind_ns: int = 0
    cuts: list[Cut] = []
    room: int = RENEWALS_AT_ONCE
    renewals: int = 0
    releases: int = 0

    # The timer

    def start(self, actor: str, instruments: int, now_ns: int) -> tuple[Message, ...]:
        """A connection is up: sweep from now on."""
        return () if self.running else self._next(actor, instruments, now_ns)

    def _next(self, actor: str, instruments: int, now_ns: int) -> tuple[Message, ...]:
        self.running = True
        self.generation += 1
        slices = max(1, -(-instruments // SLICE))
        return (SetTimer(actor, SWEEP, self.generation, now_ns + LOOK_NS // slices),)

    def slice(self, syncs: list[Synchronizer]) -> list[Synchronizer]:
        """The instruments whose turn it is."""
        if self.at >= len(syncs):
            self.at = 0
        self.room = RENEWALS_AT_ONCE
        taken = syncs[self.at : self.at + SLICE]
        self.at += SLICE
        return taken

    def again(self, actor: str, instruments: int, any_up: bool, now_ns: int) -> tuple[Message, ...]:
        """The next sweep's timer, while any connection is up."""
        self.running = any_up
        return self._next(actor, instruments, now_ns) if any_up else ()

    def blind(self, fires_ns: int, now_ns: int) -> bool:
        """Were we ourselves late, so that a silence may be ours?"""
        return now_ns - fires_ns > LATE_NS or now_ns - self.behind_ns <= 2 * LOOK_NS

    # What is said and asked

    def judge(
        self, feeds: Mapping[int, Feed], sync: Synchronizer, depth: Depth, alerts: AlertGate, now_ns: int
    ) -> list[Message]:
        """A closer look at an instrument: what fell silent, what speaks again, what is to be renewed."""
        out: list[Message] = []
        words = sync.vigil.words(sync.depth_ns)
        for watch in sync.vigil.watches:
            stream = watch.stream
            feed = carrier(feeds, sync, stream)
            if feed is None or not feed.state.generation or feed.overlapping:
                continue
            if watch.silent and words[stream] > watch.last_ns and not (stream == DEPTH and sync.state == STALE):
                out.append(self._speaks(sync, watch, words[stream], now_ns))
                continue
            late = watch.overdue(now_ns)
            if stream == DEPTH:
                if sync.state not in (LIVE, STALE):
                    continue  # it is being built anew, by attempts of its own
                if late and sync.state == LIVE:
                    out += depth.stale(sync, BookReason.SILENT)
            if not watch.silent and (late or (stream == DEPTH and sync.state == STALE)):
                out += self._silent(sync, watch, "" if late else "contradicted", alerts, now_ns)
            if watch.silent:
                out += self._renew(feed, sync, watch, now_ns)
        return out

    def _silent(
        self, sync: Synchronizer, watch: StreamWatch, why: str, alerts: AlertGate, now_ns: int
    ) -> tuple[Message, ...]:
        """Say that it is, and why it is thought so. The book's own word, where it is one's, has been said before."""
        detail = why or f"limit_ms={watch.limit_ns() // MS} beside={watch.beside}"
        silence_ns = max(now_ns - watch.last_ns, 0)
        watch.silent, watch.renewals = True, 0
        sync.vigil.built = sync.bridges + sync.resets
        level = AlertLevel.WARNING if watch.stream == DEPTH else AlertLevel.INFO
        text = f"stream={watch.stream.name} silent_ms={silence_ns // MS} usual_ms={watch.usual_ns // MS} {detail}"
        changed = StreamChanged(sync.number, watch.stream, False, silence_ns, watch.usual_ns, detail)
        return (changed, *alerts.alert(now_ns, level, "stream_silent", sync.number, text))

    def _speaks(self, sync: Synchronizer, watch: StreamWatch, last_ns: int, now_ns: int) -> StreamChanged:
        """How a book's silence ended is told by what became of the book."""
        ending = Ending.CONTINUED
        if watch.stream == DEPTH and (sync.state != LIVE or sync.bridges + sync.resets != sync.vigil.built):
            ending = Ending.RENEWED if sync.resets and sync.state == LIVE else Ending.BROKEN
        usual_ns = watch.usual_ns
        silence_ns = watch.speak(last_ns, ending, now_ns)
        return StreamChanged(sync.number, watch.stream, True, silence_ns, usual_ns, ending.name.lower())

    def _renew(self, feed: Feed, sync: Synchronizer, watch: StreamWatch, now_ns: int) -> tuple[Message, ...]:
        """What is to be done now about a silent stream: nothing, one renewal, or a new connection."""
        cut = self._cut(feed.number)
        if now_ns < watch.renew_ns or (cut.generation == feed.state.generation and now_ns < cut.until_ns):
            return ()  # a renewal has still time, or the connection is on its way out
        done, delays = watch.renewals, len(RENEW_DELAYS_NS)
        if watch.stream == DEPTH:
            together = not done and cut.together(feed, watch.last_ns, now_ns)
            if together and now_ns < cut.until_ns:
                return ()
            if together or (done == delays and now_ns >= cut.until_ns):
                return self._release(feed, cut, watch, now_ns)
        elif done >= delays:
            return ()
        if not self.room:
            return ()
        self.room -= 1
        self.renewals += 1
        watch.renewals = done + 1
        watch.renew_ns = now_ns + (RENEW_DELAYS_NS[done] if done < delays else RENEW_SLOW_NS)
        reason = f"silent_ms={(now_ns - watch.last_ns) // MS} renewal={done + 1}"
        return (Resubscribe(feed.number, sync.instrument.venue_symbol, watch.stream, reason),)

    def _cut(self, connection: int) -> Cut:
        for cut in self.cuts:
            if cut.connection == connection:
                return cut
        self.cuts.append(Cut(connection))
        return self.cuts[-1]

    def _release(self, feed: Feed, cut: Cut, watch: StreamWatch, now_ns: int) -> tuple[Message, ...]:
        """Dial the connection anew: it costs every book that it feeds, so the next time comes later and later."""
        calm = now_ns - cut.until_ns >= CALM_PAUSES * cut.pause_ns
        cut.pause_ns = RELEASE_NS if calm else min(2 * cut.pause_ns, RELEASE_NS_MAX)
        cut.generation, cut.until_ns = feed.state.generation, now_ns + cut.pause_ns
        watch.renewals += 1
        watch.renew_ns = now_ns + RENEW_SLOW_NS
        self.releases += 1
        reason = f"silent_ms={(now_ns - watch.last_ns) // MS} renewals={watch.renewals - 1}"
        return (ReleaseConnection(feed.number, feed.state.generation, reason),)


def carrier(feeds: Mapping[int, Feed], sync: Synchronizer, stream: Stream) -> Feed | None:
    """The connection that has this stream of the instrument."""
    if stream == DEPTH:
        return feeds[sync.connection]
    symbol = sync.instrument.venue_symbol
    for feed in feeds.values():
        if stream in feed.plan.streams and feed.symbols.get(symbol) is sync:
            return feed
    return None
