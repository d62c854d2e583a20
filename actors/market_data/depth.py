"""A depth event that is not simply the next one: buffered, repeated, late, ahead, behind a gap, or a whole book. Pure.

What a diff is to a book is the venue's rule's to say (`SyncRule`); what follows from it is the same for every venue.
"""

from collections.abc import Iterable

from actors.market_data.alerts import AlertGate
from actors.market_data.bridge import bridge, judge, mend, update
from actors.market_data.resync import Resync, go_live, leave, replay
from actors.market_data.state import Counters, Feed
from actors.market_data.sync import NEVER, Buffered, SyncEvent, Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import AlertLevel, BookReason, BookState, BookStateChanged, Frame, Message
from bus.messages.feed import UNNUMBERED, DepthDiff, DepthReset, Numbering, SnapshotSource, SyncRule, Verdict

BUFFER_MAX = 2_000  # diffs an instrument keeps for a snapshot on its way: 200 s at 100 ms; beyond it they start over
WAITING_MAX = 64  # and while none is on its way: a later snapshot is younger than they are, only a late diff needs them
AHEAD_MAX = 20  # chosen: diffs a new generation may be ahead of the old one before that is a gap; 2 s at 100 ms
AHEAD_NS = 10_000_000_000  # chosen: a REST snapshot is ahead of its stream by what the stream is late; more, and it was misread
LIVE, STALE = SyncState.LIVE, SyncState.STALE


class Depth:
    """The depth stream off the fast path. Holds no state of its own."""

    def __init__(self, resync: Resync, counters: Counters, alerts: AlertGate) -> None:
        self.resync = resync
        self.counters = counters
        self.alerts = alerts

    def diff(self, feed: Feed, sync: Synchronizer, diff: DepthDiff, frame: Frame, now_ns: int) -> tuple[Message, ...]:
        if not self._listens(feed, sync, frame.generation, whole=False):
            return NOTHING
        sync.heard(frame.received_ns, diff.venue_ns)
        if feed.overlapping and frame.generation == feed.newest:
            sync.opening = frame.generation  # only of comparable ids: else it has moved already
        if sync.state in (LIVE, STALE):
            return self._follow(feed, sync, diff, frame, now_ns)
        return self._keep(feed, sync, Buffered(frame.received_ns, diff, feed.frame), now_ns)

    def _listens(self, feed: Feed, sync: Synchronizer, generation: int, *, whole: bool) -> bool:
        """Is this word of a generation that the symbol takes its depth from? Ids that mean the same need no choice."""
        if sync.state == SyncState.INIT or sync.connection != feed.number:
            self.counters.unsynced += 1
            return False
        if not generation or generation == sync.opening:
            return True
        if generation == feed.newest and (whole or feed.rule.comparable):
            return True
        if feed.rule.comparable and not whole:
            return True  # an older one's; its ids tell what it is
        self.counters.elsewhere += 1
        return False

    def _follow(
        self, feed: Feed, sync: Synchronizer, diff: DepthDiff, frame: Frame, now_ns: int
    ) -> tuple[Message, ...]:
        """The book is LIVE, or STALE and may resume."""
        sequence, rule = sync.sequence, feed.rule
        twice = feed.overlapping or 0 < frame.generation < feed.state.generation
        if diff.last == diff.previous == sequence:  # UNNUMBERED is no sequence
            return self._resumed(sync, NOTHING, now_ns)  # the venue says that nothing has changed (OKX)
        bare, more = sequence == sync.bare_at, feed.frame != UNNUMBERED and feed.frame == sync.frame
        verdict = judge(rule, diff, sequence, bare=bare, more=more)
        if feed.late:
            verdict = Verdict.STALE  # the book is younger than the gap that this frame left
        elif not twice and rule.numbering != Numbering.CONNECTION:
            answer = self._of_damaged_numbers(feed, sync, verdict, Buffered(frame.received_ns, diff), now_ns)
            if answer is not None:
                return answer
            if verdict == Verdict.DUPLICATE and bare and sync.before == NEVER:
                verdict = Verdict.NEXT  # it changes nothing, or is news if the snapshot's number was one too high
        if verdict == Verdict.NEXT:
            sync.frame, sync.doubt = feed.frame, NEVER
            if sync.overlapping and not feed.overlapping and frame.received_ns > feed.state.since_ns:
                # Frames come in order, so nothing of a generation that is gone comes behind this one.
                sync.overlapping = False
                sync.open_path()
            passed: tuple[Message, ...] = (update(sync, frame.received_ns, diff),)
            if sync.buffer:
                passed += self._catch_up(feed, sync)
            return self._resumed(sync, passed, now_ns) if sync.state == STALE else passed
        if verdict == Verdict.GAP:
            if feed.overlapping and rule.comparable and frame.generation == feed.newest:
                return self._ahead(feed, sync, Buffered(frame.received_ns, diff, feed.frame), now_ns)
            return self._gap(feed, sync, Buffered(frame.received_ns, diff, feed.frame), now_ns)
        if twice:
            sync.overlapped += 1
        elif verdict == Verdict.DUPLICATE:
            sync.duplicates += 1
        else:
            sync.stale += 1
        return NOTHING

    def _of_damaged_numbers(
        self, feed: Feed, sync: Synchronizer, verdict: Verdict, item: Buffered, now_ns: int
    ) -> tuple[Message, ...] | None:
        """What an old diff says against the book's own number; None: nothing.

        One that ends inside the last update proves that the update's number was damaged. One that ends before its stream's own
        snapshot, behind a REST one for too long, or too far behind any book may be an old one repeated, or true, and the
        book's number wrong or of a count that is over. Then the book is STALE, and the next diff decides: one that continues
        the old one proves the book wrong, one that continues the book proves it right.
        """
        diff, streamed = item.diff, sync.before == NEVER
        decided = verdict == Verdict.NEXT and feed.rule.numbering == Numbering.CHECKSUM  # by the checksum itself
        if sync.doubt != NEVER and not decided and _continues(feed.rule, diff, sync.doubt):
            return self._gap(feed, sync, item, now_ns, mendable=streamed)
        if verdict == Verdict.STALE and diff.last > sync.before and not streamed:
            return self._gap(feed, sync, item, now_ns, mendable=False)
        early = verdict == Verdict.STALE and (streamed or _never_reached(sync, now_ns))
        restarted = verdict == Verdict.GAP and UNNUMBERED != diff.last < sync.sequence
        if not (early or restarted):
            return None
        sync.doubt = diff.last
        sync.stale += 1
        return self.stale(sync, BookReason.CONTRADICTED)

    def _resumed(self, sync: Synchronizer, passed: tuple[Message, ...], now_ns: int) -> tuple[Message, ...]:
        """A STALE book whose stream goes on without a hole was right all the time."""
        if sync.state != STALE:
            return passed
        before = passed[0].previous_sequence if passed else sync.sequence  # type: ignore[attr-defined]  # updates
        sync.advance(SyncEvent.RESUME)
        sync.live_ns = now_ns
        return (
            BookStateChanged(sync.number, BookState.SYNCING, BookReason.RESUMED, before),
            *passed,
            BookStateChanged(sync.number, BookState.LIVE, BookReason.RESUMED, sync.sequence),
        )

    def _gap(
        self, feed: Feed, sync: Synchronizer, item: Buffered, now_ns: int, *, mendable: bool = True
    ) -> tuple[Message, ...]:
        sync.gaps += 1
        ahead = [*sync.buffer, item]
        detail = f"at={sync.sequence} first={item.diff.first} last={item.diff.last} previous={item.diff.previous}"
        mendable = mendable and feed.rule.numbering == Numbering.SYMBOL
        lost = self.refuse(feed, sync, BookReason.SEQUENCE_GAP, now_ns, mendable=mendable)
        sync.buffer.extend(ahead)
        return (*lost, *self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_gap", sync.number, detail))

    def refuse(
        self, feed: Feed, sync: Synchronizer, reason: BookReason, now_ns: int, *, mendable: bool
    ) -> tuple[Message, ...]:
        """An update of a LIVE or STALE book was lost. It stands as it stood, and is mended or built anew."""
        invalid = leave(sync, SyncEvent.GAP, reason, now_ns)
        sync.intact = mendable
        return (*invalid, *self.resync.attempt(sync, feed, now_ns))

    def refuse_all(
        self, feed: Feed, syncs: Iterable[Synchronizer], reason: BookReason, now_ns: int, *, mendable: bool
    ) -> tuple[Message, ...]:
        """An update of anyone of them was lost: every INVALID first, then what is done about it."""
        invalid: list[Message] = []
        begun: list[Message] = []
        for sync in syncs:
            if sync.state in (LIVE, STALE):
                sync.gaps += reason == BookReason.SEQUENCE_GAP
                first, *rest = self.refuse(feed, sync, reason, now_ns, mendable=mendable)
                invalid.append(first)
                begun += rest
                continue
            sync.intact = sync.intact and mendable
            asked = feed.rule.snapshot == SnapshotSource.REST
            if asked or (feed.rule.numbering == Numbering.CONNECTION and not mendable):
                sync.buffer.clear()  # of a connection, the numbers may be others from here on
            if asked and sync.state in (SyncState.SNAPSHOT, SyncState.REPLAY):
                begun += self.resync.fail(sync, feed, "a frame is missing behind it", now_ns)
        return (*invalid, *begun)

    def _keep(self, feed: Feed, sync: Synchronizer, item: Buffered, now_ns: int) -> tuple[Message, ...]:
        """For the snapshot to come, or for the late diff that makes one needless."""
        emitted: tuple[Message, ...] = NOTHING
        buffer = sync.buffer
        awaited = sync.state in (SyncState.SNAPSHOT, SyncState.REPLAY) and feed.rule.snapshot == SnapshotSource.REST
        if len(buffer) >= (BUFFER_MAX if awaited else WAITING_MAX):
            sync.intact = False
            if awaited:
                buffer.clear()
                sync.overflows += 1
                emitted = self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_buffer_full", sync.number)
            else:
                del buffer[0]
        buffer.append(item)
        if sync.held is not None:
            return emitted + self.resync.join(sync, feed, sync.held, sync.held_ns, now_ns)
        if sync.intact and feed.rule.numbering == Numbering.SYMBOL:
            return emitted + self.heal(feed, sync, now_ns)
        return emitted

    def heal(self, feed: Feed, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        """LIVE without a snapshot, if what was missing has come late."""
        chain = mend(feed.rule, sync)
        if chain is None:
            return NOTHING
        if sync.sequence == sync.bare_at and any(item.diff.last == sync.sequence for item in sync.buffer):
            return NOTHING  # these lead up to the snapshot's number: it may be too high, and the book without them
        if feed.rule.numbering == Numbering.SYMBOL and not (chain and all(_numbered(item) for item in chain)):
            return NOTHING  # a diff without an id continues whatever it meets
        sync.reordered += 1
        sync.advance(SyncEvent.HEAL)
        syncing = BookStateChanged(sync.number, BookState.SYNCING, BookReason.REORDERED, sync.sequence)
        return (syncing, *replay(sync, chain, BookReason.REORDERED, now_ns))

    def _ahead(self, feed: Feed, sync: Synchronizer, item: Buffered, now_ns: int) -> tuple[Message, ...]:
        """The newer of two generations is ahead: what lies between is on its way on the older one."""
        if len(sync.buffer) >= AHEAD_MAX:
            return self._gap(feed, sync, item, now_ns)
        sync.buffer.append(item)
        return NOTHING

    def _catch_up(self, feed: Feed, sync: Synchronizer) -> tuple[Message, ...]:
        """Pass on what the newer generation told ahead and the book has reached by now."""
        passed: list[Message] = []
        while sync.buffer:
            item = sync.buffer[0]
            verdict = feed.rule.follow(item.diff, sync.sequence)
            if verdict == Verdict.GAP:
                break
            del sync.buffer[0]
            if verdict == Verdict.NEXT:
                passed.append(update(sync, item.received_ns, item.diff))
            else:
                sync.overlapped += 1
        return tuple(passed)

    def settle(self, feed: Feed, sync: Synchronizer, now_ns: int) -> tuple[Message, ...]:
        """Only the newer generation is left: what the book cannot reach now, it misses."""
        sync.overlapping = not feed.rule.comparable  # until nothing of the older one waits: see `_follow`
        sync.before = sync.sequence  # the other one may have cut its diffs elsewhere
        if sync.state not in (LIVE, STALE):
            return NOTHING
        for item in sync.buffer:
            if feed.rule.follow(item.diff, sync.sequence) == Verdict.GAP:
                sync.buffer.remove(item)
                return self._gap(feed, sync, item, now_ns)
        sync.buffer.clear()
        sync.open_path()
        return NOTHING

    def reset(
        self, feed: Feed, sync: Synchronizer, event: DepthReset, frame: Frame, now_ns: int
    ) -> tuple[Message, ...]:
        """A whole book on the stream. It replaces whatever was held, LIVE or not, and needs no word in between."""
        if not self._listens(feed, sync, frame.generation, whole=True):
            return NOTHING
        sync.depth_ns = frame.received_ns  # not its stamp: of a quiet pair (Kraken) that is its last change, and no lag
        moved = 0 < sync.opening < frame.generation
        trusted = sync.state in (LIVE, STALE)
        if feed.late and (trusted or feed.incomplete):
            sync.stale += 1  # the book is younger, or would not be whole
            return NOTHING
        if moved:
            sync.opening = frame.generation
            if trusted and feed.rule.comparable and event.body.last <= sync.sequence:
                sync.overlapped += 1  # the book is ahead of it, and goes on with either generation's diffs
                return NOTHING
        sync.resets += 1
        sync.rolled += moved and trusted
        sync.frame = feed.frame
        kept = bridge(feed.rule, event.body.last, _behind(sync, feed)).kept if sync.buffer else []
        sync.advance(SyncEvent.RESET)
        reason = BookReason.ROLLED if moved and trusted else BookReason.SNAPSHOT_BRIDGED
        begun = go_live(sync, event.body, frame.received_ns, kept, reason, now_ns, event.checksum)
        if sync.sequence == sync.bare_at:
            sync.before = NEVER  # nothing of this stream ends before the book that begins it
        return begun

    def broken(self, feed: Feed, sync: Synchronizer, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """The orderbook refused its book, and said so to everyone."""
        sync.broken += 1
        again: tuple[Message, ...] = NOTHING
        if message.sequence != sync.sequence:
            # More went out behind the refused update, perhaps a new book: nobody may take that for the word LIVE.
            again = (BookStateChanged(sync.number, BookState.INVALID, message.reason, sync.sequence),)
        leave(sync, SyncEvent.BREAK, message.reason, now_ns)
        return (*again, *self.resync.attempt(sync, feed, now_ns))

    def stale(self, sync: Synchronizer, reason: BookReason) -> tuple[Message, ...]:
        """The liveness watch's word: the book is kept and not believed until its stream goes on."""
        if sync.state not in (LIVE, STALE):
            return NOTHING
        self.silence(sync)
        return (BookStateChanged(sync.number, BookState.STALE, reason, sync.sequence),)

    def silence(self, sync: Synchronizer) -> None:
        sync.silences += sync.state == LIVE
        sync.advance(SyncEvent.SILENT)


def _never_reached(sync: Synchronizer, now_ns: int) -> bool:
    return sync.sequence == sync.bare_at and now_ns - sync.live_ns >= AHEAD_NS


def _continues(rule: SyncRule, diff: DepthDiff, doubt: int) -> bool:
    """Does it continue the old diff that ended at `doubt`? That one once more does not."""
    return diff.last != doubt and rule.follow(diff, doubt) == Verdict.NEXT


def _numbered(item: Buffered) -> bool:
    return item.diff.last != UNNUMBERED


def _behind(sync: Synchronizer, feed: Feed) -> list[Buffered]:
    """What may continue a book that comes now: where frames are numbered, only those that are younger; without any number
    (OKX in 2022), nothing: it came before."""
    if feed.rule.numbering == Numbering.CONNECTION and feed.frame != UNNUMBERED:
        return [item for item in sync.buffer if item.frame > feed.frame]
    return [item for item in sync.buffer if _numbered(item)]
