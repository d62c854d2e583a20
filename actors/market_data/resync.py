"""How a book comes (back) to LIVE: attempts, spaced and bounded; the bridge; and leaving LIVE. Pure.

An attempt is one snapshot request. It is made at once when the last one is long ago, else after a delay that grows,
because each costs request weight that cancels may need.
"""

from actors.market_data.alerts import AlertGate
from actors.market_data.bridge import Bridge, bridge
from actors.market_data.rule import SyncRule
from actors.market_data.sync import SyncEvent, Synchronizer, SyncState
from bus.messages import (
    AlertLevel,
    BookReason,
    BookState,
    BookStateChanged,
    DepthUpdate,
    Message,
    SetTimer,
    SnapshotRequest,
)
from bus.messages.feed import DepthBody, DepthDiff

SNAPSHOT_LEVELS = 1_000  # a side; weight 50 of 6,000 a minute (docs, depth); 5,000 levels would cost 250
REQUEST_DEADLINE_NS = 5_000_000_000  # chosen: the door answers AMBIGUOUS by then
QUIET_BRIDGE_NS = 2_000_000_000  # chosen: a snapshot asked after the subscription and no diff for so long is the book
CALM_NS = 60_000_000_000  # no attempt for so long forgets the earlier ones; else a flapping feed would eat the weight
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
"""Wait before the nth attempt since the last calm. After them: an Alert, and one attempt each SLOW_NS."""
SLOW_NS = 30_000_000_000  # 100 weight a minute and instrument, for ever: an unattended engine comes back by itself


class Resync:
    """What may be done to a synchronizer besides passing its diffs on. Holds no state of its own."""

    def __init__(self, actor: str, snapshot_levels: int) -> None:
        self.actor = actor
        self.snapshot_levels = snapshot_levels

    def start(self, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        """The connection is up (`sync` has been advanced): say so, and make the first attempt."""
        state = BookStateChanged(sync.number, BookState.SYNCING, BookReason.START, sync.sequence)
        return (state, *self.attempt(sync, now_ns))

    def attempt(self, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        """Ask for a snapshot, now or after this attempt's delay. Disowns whatever was asked before."""
        if now_ns - sync.attempted_ns >= CALM_NS:
            sync.attempts = 0
        number = sync.attempts
        sync.attempts = number + 1
        sync.attempted_ns = now_ns
        sync.generation += 1
        if number == 0:
            return self.ask(sync, now_ns)
        used = number >= len(ATTEMPT_DELAYS_NS)
        delay_ns = SLOW_NS if used else ATTEMPT_DELAYS_NS[number]
        timer = SetTimer(self.actor, sync.number, sync.generation, now_ns + delay_ns)
        if number != len(ATTEMPT_DELAYS_NS):
            return (timer,)
        return (BookStateChanged(sync.number, BookState.INVALID, BookReason.SNAPSHOT_FAILED, sync.sequence), timer)

    def ask(self, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        sync.advance(SyncEvent.ASK)
        return (
            SnapshotRequest(
                self.actor,
                sync.number,
                sync.generation,
                now_ns + REQUEST_DEADLINE_NS,
                sync.instrument.venue,
                sync.number,
                sync.instrument.venue_symbol,
                self.snapshot_levels,
            ),
        )

    def fail(self, sync: Synchronizer, reason: str, alerts: AlertGate, now_ns: int) -> tuple[Message, ...]:
        """This attempt is over. Diffs go on being buffered."""
        sync.advance(SyncEvent.FAIL)
        sync.failures += 1
        next_attempt = self.attempt(sync, now_ns)
        level = AlertLevel.CRITICAL if sync.attempts > len(ATTEMPT_DELAYS_NS) else AlertLevel.WARNING
        detail = f"attempts={sync.attempts} reason={reason}"
        return (*next_attempt, *alerts.alert(now_ns, level, "snapshot_failed", sync.number, detail))

    def hold(self, sync: Synchronizer, body: DepthBody, received_ns: int, now_ns: int) -> tuple[Message, ...]:
        """A snapshot before any diff: the first diff proves it, or QUIET_BRIDGE_NS of silence does."""
        sync.advance(SyncEvent.HOLD)
        sync.held, sync.held_ns = body, received_ns
        return (SetTimer(self.actor, sync.number, sync.generation, now_ns + QUIET_BRIDGE_NS),)

    def join(
        self, sync: Synchronizer, rule: SyncRule, body: DepthBody, received_ns: int, alerts: AlertGate, now_ns: int
    ) -> tuple[Message, ...]:
        """Go LIVE with everything the book needs, or emit none of it and try again."""
        held = sync.state == SyncState.HELD
        if not held and rule.too_old(body.last, sync.buffer[0].diff.first):
            return self.fail(sync, "snapshot older than the buffer", alerts, now_ns)
        result = bridge(rule, body, sync.buffer)
        if isinstance(result, int):
            # A hole behind the snapshot. What came before the hole is of no use to a later snapshot.
            sync.gaps += 0 if held else 1
            del sync.buffer[:result]
            return self.fail(sync, "hole behind the snapshot", alerts, now_ns)
        return go_live(sync, result, received_ns)


def go_live(sync: Synchronizer, result: Bridge, received_ns: int) -> tuple[Message, ...]:
    """The snapshot, the buffered diffs that continue it, and only then the word that the book is LIVE."""
    sync.advance(SyncEvent.BRIDGE)
    sync.stale += result.stale
    sync.bridges += 1
    sync.buffer.clear()
    messages: list[Message] = [result.snapshot(sync, received_ns)]
    sequence = result.body.last
    for item in result.kept:
        messages.append(update(sync, sequence, item.received_ns, item.diff))
        sequence = item.diff.last
    sync.sequence, sync.expected = sequence, sequence + 1
    messages.append(BookStateChanged(sync.number, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, sequence))
    return tuple(messages)


def leave(sync: Synchronizer, event: SyncEvent, reason: BookReason) -> tuple[Message, ...]:
    """Advance out of whatever state it is in, disown what was asked. () when the book was not LIVE anyway."""
    was_live = sync.state == SyncState.LIVE
    sync.advance(event)
    sync.buffer.clear()
    sync.generation += 1
    if not was_live:
        return ()
    return (BookStateChanged(sync.number, BookState.INVALID, reason, sync.sequence),)


def update(sync: Synchronizer, previous: int, received_ns: int, diff: DepthDiff) -> DepthUpdate:
    """The diff as the book takes it; `previous` is the sequence it continues."""
    return DepthUpdate(
        sync.number,
        sync.version,
        previous,
        diff.last,
        received_ns,
        diff.bid_prices,
        diff.bid_quantities,
        diff.ask_prices,
        diff.ask_quantities,
    )
