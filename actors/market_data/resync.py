"""How a book comes (back) to LIVE: attempts, spaced and bounded; the bridge; and leaving LIVE. Pure.

An attempt is one snapshot request, or where the venue's books come on the stream, one subscription. The first is made at
once, the next after delays that grow, because each costs request weight that cancels may need.
"""

from collections.abc import Sequence

from actors.market_data.alerts import AlertGate
from actors.market_data.bridge import bridge, snapshot, update
from actors.market_data.budget import Budget
from actors.market_data.state import Feed, budget_counter
from actors.market_data.sync import LONG_AGO_NS, Buffered, SyncEvent, Synchronizer, SyncState
from bus.messages import (
    AlertLevel,
    BookReason,
    BookState,
    BookStateChanged,
    Message,
    Resubscribe,
    SetTimer,
    SnapshotRequest,
    Stream,
)
from bus.messages.feed import NO_CHECKSUM, DepthBody, SnapshotSource

SNAPSHOT_LEVELS = 1_000  # a side; weight 50 of 6,000 a minute (docs, depth); 5,000 levels would cost 250
REQUEST_DEADLINE_NS = 5_000_000_000  # chosen: the door answers AMBIGUOUS by then
UNANSWERED_NS = 10_000_000_000  # chosen: an answer is a market input; a host far behind drops the oldest of those
STREAM_DEADLINE_NS = 10_000_000_000  # chosen: a subscription's book is here by then; the fattest has some MB (Coinbase)
QUIET_BRIDGE_NS = 2_000_000_000  # chosen: a snapshot asked after the subscription and no diff for so long is the book
CALM_NS = 60_000_000_000  # LIVE for so long forgets the attempts; chosen: a venue counts subscriptions by the hour
REST_CALM_NS = (
    2_000_000_000  # the same where a snapshot is asked for over REST: its weight has a budget of its own; chosen
)
SECOND_NS = 1_000_000_000
ATTEMPT_DELAYS_NS = (
    0,
    SECOND_NS // 4,
    SECOND_NS // 2,
    SECOND_NS,
    2 * SECOND_NS,
    4 * SECOND_NS,
    8 * SECOND_NS,
    16 * SECOND_NS,
)
"""Wait before the nth attempt since the last calm, give or take a quarter. After them: an Alert, and one each SLOW_NS."""
SLOW_NS = 30_000_000_000  # 100 weight a minute and instrument, for ever: an unattended engine comes back by itself
WAITING = (SyncState.BUFFERING, SyncState.INVALID)


class Resync:
    """What may be done to a synchronizer besides passing its diffs on. budgets, levels (of a snapshot): by venue."""

    def __init__(self, actor: str, snapshot_levels: int, seed: int, alerts: AlertGate) -> None:
        self.actor = actor
        self.snapshot_levels = snapshot_levels
        self.seed = seed
        self.alerts = alerts
        self.budgets: dict[int, Budget] = {}
        self.levels: dict[int, int] = {}

    def start(self, sync: Synchronizer, feed: Feed, now_ns: int, *, subscribed: bool = True) -> tuple[Message, ...]:
        """The connection is up (`sync` has been advanced): say so, and make the first attempt."""
        if now_ns - sync.attempted_ns >= CALM_NS:
            sync.attempts = 0
        state = BookStateChanged(sync.number, BookState.SYNCING, BookReason.START, sync.sequence)
        return (state, *self.attempt(sync, feed, now_ns, subscribed=subscribed))

    def attempt(self, sync: Synchronizer, feed: Feed, now_ns: int, *, subscribed: bool = False) -> tuple[Message, ...]:
        """Ask for a snapshot, now or after this attempt's delay. Disowns whatever was asked before.

        subscribed: the connection has just been, so that a book that comes on the stream needs only be waited for.
        """
        sync.attempted_ns = now_ns
        sync.generation += 1
        sync.waiting = False
        if subscribed and feed.rule.snapshot == SnapshotSource.STREAM:
            return self._await_stream(sync, now_ns)  # it cost nothing, and does not count
        number = sync.attempts
        sync.attempts = number + 1
        if number == 0:
            return self.ask(sync, feed, now_ns)
        used = number >= len(ATTEMPT_DELAYS_NS)
        delay_ns = jittered(SLOW_NS if used else ATTEMPT_DELAYS_NS[number], sync.number, number, self.seed)
        timer = SetTimer(self.actor, sync.number, sync.generation, now_ns + delay_ns)
        if number != len(ATTEMPT_DELAYS_NS):
            return (timer,)
        sync.intact = False
        return (BookStateChanged(sync.number, BookState.INVALID, BookReason.SNAPSHOT_FAILED, sync.sequence), timer)

    def ask(self, sync: Synchronizer, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """The attempt itself; of a REST snapshot when there is weight for it, else when its turn comes."""
        if feed.rule.snapshot == SnapshotSource.STREAM:
            renewal = self._renew(sync, feed)
            return (renewal, *self._await_stream(sync, now_ns))
        renewals = (self._renew(sync, feed),) if sync.refused else ()
        budget = self.budgets[feed.venue]
        if budget.waiting or not budget.take(now_ns):
            sync.waiting = True
            if sync.number not in budget.waiting:  # it may have been lost meanwhile, and keeps its place
                budget.waiting.append(sync.number)
            return (*renewals, *self._wait(budget, now_ns))
        return (*renewals, self._request(sync, now_ns))

    def weight_is_there(self, budget: Budget, syncs: dict[int, Synchronizer], now_ns: int) -> tuple[Message, ...]:
        """The budget's timer: those who wait, in their order, as far as the weight goes."""
        budget.timer_set = False
        requests: list[Message] = []
        while budget.waiting:
            sync = syncs[budget.waiting[0]]
            wanted = sync.waiting and sync.state in WAITING  # else healed, lost or asked anew while it waited
            if wanted and not budget.take(now_ns):
                break
            del budget.waiting[0]
            if wanted:
                requests.append(self._request(sync, now_ns))
        return (*requests, *self._wait(budget, now_ns))

    def _wait(self, budget: Budget, now_ns: int) -> tuple[Message, ...]:
        if budget.timer_set or not budget.waiting:
            return ()
        budget.timer_set = True
        budget.timer += 1
        fires_ns = max(budget.ready_ns(), now_ns)
        return (SetTimer(self.actor, budget_counter(budget.venue), budget.timer, fires_ns),)

    def _request(self, sync: Synchronizer, now_ns: int) -> Message:
        sync.advance(SyncEvent.ASK)
        sync.waiting = False
        sync.attempted_ns = now_ns
        return SnapshotRequest(
            self.actor,
            sync.number,
            sync.generation,
            now_ns + REQUEST_DEADLINE_NS,
            sync.instrument.venue,
            sync.number,
            sync.instrument.venue_symbol,
            self.levels.get(sync.instrument.venue, self.snapshot_levels),
        )

    def _renew(self, sync: Synchronizer, feed: Feed) -> Message:
        reason = "refused" if sync.refused else f"attempt={sync.attempts}"
        sync.refused = False
        return Resubscribe(feed.number, sync.instrument.venue_symbol, Stream.DEPTH, reason)

    def _await_stream(self, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        sync.advance(SyncEvent.ASK)
        return (SetTimer(self.actor, sync.number, sync.generation, now_ns + STREAM_DEADLINE_NS),)

    def fail(self, sync: Synchronizer, feed: Feed, reason: str, now_ns: int) -> tuple[Message, ...]:
        """This attempt is over. Diffs go on being buffered."""
        sync.advance(SyncEvent.FAIL)
        sync.failures += 1
        next_attempt = self.attempt(sync, feed, now_ns)
        level = AlertLevel.CRITICAL if sync.attempts > len(ATTEMPT_DELAYS_NS) else AlertLevel.WARNING
        detail = f"attempts={sync.attempts} reason={reason}"
        return (*next_attempt, *self.alerts.alert(now_ns, level, "snapshot_failed", sync.number, detail))

    def unanswered(self, sync: Synchronizer, feed: Feed, now_ns: int) -> tuple[Message, ...]:
        """Give up a request whose answer was lost on its way. What comes on the stream has a timer."""
        rest = sync.state == SyncState.SNAPSHOT and feed.rule.snapshot == SnapshotSource.REST
        if not rest or now_ns - sync.attempted_ns < UNANSWERED_NS:
            return ()
        return self.fail(sync, feed, "no answer", now_ns)

    def hold(self, sync: Synchronizer, body: DepthBody, received_ns: int, now_ns: int) -> tuple[Message, ...]:
        """A snapshot before any diff: the first diff proves it, or QUIET_BRIDGE_NS of silence does."""
        sync.advance(SyncEvent.HOLD)
        sync.held, sync.held_ns, sync.intact = body, received_ns, False
        return (SetTimer(self.actor, sync.number, sync.generation, now_ns + QUIET_BRIDGE_NS),)

    def join(
        self, sync: Synchronizer, feed: Feed, body: DepthBody, received_ns: int, now_ns: int
    ) -> tuple[Message, ...]:
        """Go LIVE with everything the book needs, or emit none of it and try again."""
        held = sync.state == SyncState.REPLAY
        if not held and feed.rule.too_old(body.last, sync.buffer[0].diff):
            return self.fail(sync, feed, "snapshot older than the buffer", now_ns)
        result = bridge(feed.rule, body.last, sync.buffer)
        if result.hole >= 0:
            # A hole behind the snapshot. What came before the hole is of no use to a later snapshot.
            sync.gaps += 0 if held else 1
            sync.intact = False
            del sync.buffer[: result.hole]
            return self.fail(sync, feed, "hole behind the snapshot", now_ns)
        sync.stale += result.stale
        sync.bridges += 1
        sync.advance(SyncEvent.BRIDGE)
        return go_live(sync, body, received_ns, result.kept, BookReason.SNAPSHOT_BRIDGED, now_ns)


def go_live(
    sync: Synchronizer,
    body: DepthBody,
    received_ns: int,
    kept: Sequence[Buffered],
    reason: BookReason,
    now_ns: int,
    checksum: int = NO_CHECKSUM,
) -> tuple[Message, ...]:
    """The snapshot, the diffs that continue it, and only then the word that the book is LIVE (`sync` has been advanced)."""
    begun = snapshot(sync, body, received_ns, checksum)
    return (begun, *replay(sync, kept, reason, now_ns))


def replay(sync: Synchronizer, kept: Sequence[Buffered], reason: BookReason, now_ns: int) -> tuple[Message, ...]:
    """Diffs that continue the book where it stands, and the word that it is LIVE."""
    messages: list[Message] = []
    for item in kept:
        messages.append(update(sync, item.received_ns, item.diff))
        sync.frame = item.frame
    sync.buffer.clear()
    sync.waiting = sync.intact = False
    sync.live_at = sync.sequence
    if sync.live_ns == LONG_AGO_NS:
        sync.live_ns = now_ns  # a book that replaces a LIVE one goes on with its calm
    sync.open_path()
    messages.append(BookStateChanged(sync.number, BookState.LIVE, reason, sync.sequence))
    return tuple(messages)


def leave(sync: Synchronizer, event: SyncEvent, reason: BookReason, now_ns: int) -> tuple[Message, ...]:
    """Advance out of whatever state it is in, disown what was asked. () when nobody believed the book or waited for it."""
    was = sync.state
    sync.advance(event)
    sync.buffer.clear()
    sync.generation += 1
    sync.waiting = sync.intact = False
    if was not in (SyncState.LIVE, SyncState.STALE):
        return ()
    if now_ns - sync.live_ns >= sync.calm_ns:
        sync.attempts = 0
    sync.live_ns = LONG_AGO_NS
    return (BookStateChanged(sync.number, BookState.INVALID, reason, sync.sequence),)


def jittered(delay_ns: int, number: int, attempt: int, seed: int) -> int:
    """The delay, give or take a quarter: books that broke together do not come back together. Same input, same delay."""
    return delay_ns * (750 + mix(number, attempt, seed) % 501) // 1_000


def mix(*values: int) -> int:
    """Well-spread 64 bits of a few integers (the finalizer of splitmix64: Steele, Lea and Flood 2014)."""
    mixed = 0x9E3779B97F4A7C15
    for value in values:
        mixed = (mixed ^ value) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 31) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 29
    return mixed
