"""Make before break: a connection's next generation opens beside it, symbols move over, and the old one is let go. Pure.

Where ids mean the same on every connection, both generations feed the same books and the ids tell what was heard twice.
Elsewhere a symbol moves when its whole book comes on the new one, and from then on it hears nothing else.
"""

from actors.market_data.depth import Depth
from actors.market_data.numbers import Opening
from actors.market_data.phases import TRANSITIONS, RollEvent, RollState
from actors.market_data.resync import Resync, leave, mix
from actors.market_data.state import Counters, Feed, roll_counter
from actors.market_data.sync import SyncEvent, Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    Message,
    ReleaseConnection,
    RollConnection,
    SetTimer,
)

SECOND_NS = 1_000_000_000
OVERLAP_NS = 3 * SECOND_NS  # chosen: thirty diffs of a busy symbol
OVERLAP_MAX_NS = 15 * SECOND_NS  # chosen: a symbol that has not moved by then is quiet, or was refused
LOOK_AGAIN_NS = SECOND_NS
ROLL_TIMEOUT_NS = 20 * SECOND_NS  # chosen: dialing and subscribing, with the door's own attempts
ROLL_TIMEOUTS_DOUBLED = 5  # to ten minutes
LIFE_USED_PPM = 900_000  # of the venue's life of a connection; less a spread, so that not all roll in the same minute
LIFE_SPREAD_PPM = 100_000


class Rolls:
    """Openings and closings of connections. What it knows of one is in the feed's state."""

    def __init__(self, actor: str, seed: int, depth: Depth, resync: Resync, counters: Counters) -> None:
        self.actor = actor
        self.seed = seed
        self.depth = depth
        self.resync = resync
        self.counters = counters

    def up(self, feed: Feed, message: ConnectionUp, now_ns: int) -> tuple[Message, ...]:
        if message.overlaps and feed.state.openings:
            return self._beside(feed, message.generation, now_ns)
        _advance(feed, RollEvent.UP)
        feed.state.openings = [Opening(message.generation)]
        feed.state.generation = message.generation
        lost, begun = self._begin_anew(feed, feed.books, now_ns, subscribed=True)
        return (*lost, *begun, *self._live_on(feed, now_ns))

    def _begin_anew(
        self, feed: Feed, syncs: list[Synchronizer], now_ns: int, *, subscribed: bool
    ) -> tuple[list[Message], list[Message]]:
        """These books listen to the generation in use from now on, and know nothing: the losses, then the attempts."""
        lost: list[Message] = []
        begun: list[Message] = []
        for sync in syncs:
            lost += leave(sync, SyncEvent.UP, BookReason.CONNECTION_LOST, now_ns)
            sync.opening, sync.overlapping = feed.state.generation, False
            begun += self.resync.start(sync, feed, now_ns, subscribed=subscribed)
        return lost, begun

    def _live_on(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """One generation, until its life is nearly over."""
        state, life_ns = feed.state, feed.plan.life_ns
        state.since_ns, state.asked = now_ns, 0
        state.timer += 1
        if not life_ns:
            return NOTHING
        spread = mix(feed.number, state.generation, self.seed) % LIFE_SPREAD_PPM
        fires_ns = now_ns + life_ns * (LIFE_USED_PPM - spread) // 1_000_000
        return (SetTimer(self.actor, roll_counter(feed.number), state.timer, fires_ns),)

    def ask(self, feed: Feed, reason: str, now_ns: int) -> tuple[Message, ...]:
        """Have the next generation opened, and look after a while whether it came. The old one lives on meanwhile."""
        _advance(feed, RollEvent.ROLL)
        state = feed.state
        delay_ns = ROLL_TIMEOUT_NS << min(state.asked, ROLL_TIMEOUTS_DOUBLED)
        state.asked += 1
        return (
            RollConnection(feed.number, state.generation, reason),
            self._timer(feed, now_ns + delay_ns),
        )

    def closing(self, feed: Feed, generation: int, reason: str, now_ns: int) -> tuple[Message, ...]:
        """The venue says that it will end a connection. Asked already, or of the one that is let go: nothing is new."""
        if feed.state.roll != RollState.OPEN or generation not in (0, feed.state.generation):
            return NOTHING
        return self.ask(feed, reason, now_ns)

    def _beside(self, feed: Feed, generation: int, now_ns: int) -> tuple[Message, ...]:
        lost: tuple[Message, ...] = NOTHING
        if feed.overlapping:
            lost = self._newer_lost(feed, now_ns)
        _advance(feed, RollEvent.BESIDE)
        feed.state.openings.append(Opening(generation))
        feed.state.since_ns = now_ns
        for sync in feed.books:
            sync.overlapping = True
            sync.open_path()
        return (*lost, self._timer(feed, now_ns + OVERLAP_NS))

    def timer_fired(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        state = feed.state
        if state.roll == RollState.OVERLAP:
            unmoved = any(sync.opening != feed.newest for sync in feed.books)
            if unmoved and now_ns - state.since_ns < OVERLAP_MAX_NS:
                return (self._timer(feed, now_ns + LOOK_AGAIN_NS),)
            return self._release(feed, now_ns)
        return self.ask(feed, "life" if state.roll == RollState.OPEN else f"asked={state.asked}", now_ns)

    def _release(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        old = feed.state.generation
        _advance(feed, RollEvent.RELEASE)
        moved = self._take_over(feed, now_ns, subscribed=False)
        return (*moved, ReleaseConnection(feed.number, old, "rolled"), *self._live_on(feed, now_ns))

    def _take_over(self, feed: Feed, now_ns: int, *, subscribed: bool) -> tuple[Message, ...]:
        """The newer generation is the one in use, let go or ended by the venue. A symbol whose book has not come on it has none."""
        state = feed.state
        state.rolls += 1
        del state.openings[0]
        state.generation = state.openings[0].generation
        unmoved: list[Synchronizer] = []
        settled: list[Message] = []
        for sync in feed.books:
            if feed.rule.comparable or sync.opening == state.generation:
                sync.opening = state.generation
                settled += self.depth.settle(feed, sync, now_ns)
            else:
                unmoved.append(sync)
        lost, begun = self._begin_anew(feed, unmoved, now_ns, subscribed=subscribed)
        return (*lost, *settled, *begun)

    def down(self, feed: Feed, message: ConnectionDown, now_ns: int) -> tuple[Message, ...]:
        generations = [opening.generation for opening in feed.state.openings]
        if message.generation not in generations:
            self.counters.late_connections += 1  # the end of a socket that has been replaced, or never opened
            return NOTHING
        if len(generations) == 1:
            return self.lose(feed, now_ns)
        if message.generation == generations[0]:
            _advance(feed, RollEvent.OLDER_LOST)
            return (*self._take_over(feed, now_ns, subscribed=True), *self._live_on(feed, now_ns))
        lost = self._newer_lost(feed, now_ns)
        _advance(feed, RollEvent.NEWER_LOST)
        return (*lost, self._timer(feed, now_ns + ROLL_TIMEOUT_NS))

    def _newer_lost(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """Back to the old one. What had moved away from it has missed what it told meanwhile."""
        gone = feed.state.openings.pop().generation
        feed.state.since_ns = now_ns
        moved: list[Synchronizer] = []
        for sync in feed.books:
            if sync.opening == gone and not feed.rule.comparable:
                moved.append(sync)
                continue
            sync.opening, sync.overlapping = feed.state.generation, not feed.rule.comparable
            sync.before = sync.sequence
            if sync.state in (SyncState.LIVE, SyncState.STALE):
                sync.buffer.clear()  # the old one has yet to tell it
            sync.open_path()
        lost, begun = self._begin_anew(feed, moved, now_ns, subscribed=False)
        return (*lost, *begun)

    def lose(self, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """INVALID for every book of the connection that was not known to be down, LIVE or not."""
        _advance(feed, RollEvent.LOST)
        state = feed.state
        state.generation, state.openings = 0, []
        state.timer += 1
        invalid: list[Message] = []
        for sync in feed.books:
            if sync.state != SyncState.INIT:
                leave(sync, SyncEvent.LOST, BookReason.CONNECTION_LOST, now_ns)
                sync.opening, sync.overlapping = 0, False
                reason = BookReason.CONNECTION_LOST
                invalid.append(BookStateChanged(sync.number, BookState.INVALID, reason, sync.sequence))
        return tuple(invalid)

    def _timer(self, feed: Feed, fires_ns: int) -> SetTimer:
        feed.state.timer += 1
        return SetTimer(self.actor, roll_counter(feed.number), feed.state.timer, fires_ns)


def _advance(feed: Feed, event: RollEvent) -> None:
    """The one place where a connection's state moves."""
    feed.state.roll = TRANSITIONS[feed.state.roll, event]
