"""Joins a snapshot and the buffered diffs, and mends a gap with late ones, on paper: nothing is emitted before it fits. Pure."""

from typing import NamedTuple

from actors.market_data.sync import NEVER, Buffered, Synchronizer
from bus.messages import DepthSnapshot, DepthUpdate
from bus.messages.feed import NO_CHECKSUM, UNNUMBERED, DepthBody, DepthDiff, Numbering, SyncRule, Verdict

OLD_NS = 1_000_000_000  # chosen: stamps of one connection run back by less; a frame of an earlier connection is older
HEAL_MAX = 64  # chosen: diffs that may stand behind a gap for a late one to mend it; 6 s at 100 ms


class Bridge(NamedTuple):
    """The diffs that continue a snapshot, up to the first hole if there is one. stale: how many were at or before it."""

    kept: list[Buffered]
    stale: int
    hole: int = -1


def bridge(rule: SyncRule, snapshot_last: int, buffer: list[Buffered]) -> Bridge:
    sequence = snapshot_last
    kept: list[Buffered] = []
    for index, item in enumerate(buffer):
        verdict = judge(rule, item.diff, sequence, bare=not kept, more=_same_frame(kept, item))
        if verdict == Verdict.GAP:
            return Bridge(kept, index - len(kept), index)
        if verdict == Verdict.NEXT:
            kept.append(item)
            sequence = stands_at(item.diff, sequence)
    return Bridge(kept, len(buffer) - len(kept))


def mend(rule: SyncRule, sync: Synchronizer) -> list[Buffered] | None:
    """Everything buffered behind a gap that continues the book, in an order without a hole; None while there is one."""
    left = sync.buffer
    if len(left) > HEAL_MAX:
        return None
    if rule.numbering == Numbering.CONNECTION:
        left = sorted(left, key=_frame)
        if not _in_time(left, sync.stamp_ns):
            return None  # one of them is of another connection, or its number was damaged
    chain: list[Buffered] = []
    sequence, bare = sync.sequence, sync.sequence == sync.bare_at
    found = True
    while left and found:
        found, rest = False, []
        for item in left:
            verdict = judge(rule, item.diff, sequence, bare=bare, more=_same_frame(chain, item))
            if verdict == Verdict.NEXT:
                chain.append(item)
                sequence, bare, found = stands_at(item.diff, sequence), False, True
            elif verdict == Verdict.GAP:
                rest.append(item)
        left = rest
    if chain:  # a later id with an earlier stamp is of a count that is over, and comes once more
        left = [item for item in left if item.diff.venue_ns >= chain[-1].diff.venue_ns]
    return None if left else chain


def judge(rule: SyncRule, diff: DepthDiff, sequence: int, *, bare: bool, more: bool) -> Verdict:
    """What the diff is to a book at `sequence`. bare: nothing has followed its snapshot. more: of a frame that it is in already."""
    verdict = rule.bridge(diff, sequence) if bare else rule.follow(diff, sequence)
    return Verdict.NEXT if more and verdict == Verdict.DUPLICATE else verdict


def _same_frame(taken: list[Buffered], item: Buffered) -> bool:
    return bool(taken) and item.frame != UNNUMBERED and item.frame == taken[-1].frame


def _frame(item: Buffered) -> int:
    return item.frame


def _in_time(items: list[Buffered], stamp_ns: int) -> bool:
    """Do the venue's own stamps run as the numbers do?"""
    for item in items:
        if item.diff.venue_ns < stamp_ns - OLD_NS:
            return False
        stamp_ns = max(stamp_ns, item.diff.venue_ns)
    return True


def stands_at(diff: DepthDiff, sequence: int) -> int:
    """The book's sequence after the diff. Where the venue has no number, each diff is one."""
    return diff.last if diff.last != UNNUMBERED else sequence + 1


def update(sync: Synchronizer, received_ns: int, diff: DepthDiff) -> DepthUpdate:
    """The diff as the book takes it; `sync` stands behind it afterwards."""
    previous = sync.sequence
    sync.stand(stands_at(diff, previous))
    sync.stamp_ns, sync.bare_at = diff.venue_ns, NEVER
    sync.overlaps += UNNUMBERED != diff.previous < previous
    return DepthUpdate(
        sync.number,
        sync.version,
        previous,
        sync.sequence,
        received_ns,
        diff.bid_prices,
        diff.bid_quantities,
        diff.ask_prices,
        diff.ask_quantities,
        sync.checksum(diff.checksum),
    )


def snapshot(sync: Synchronizer, body: DepthBody, received_ns: int, checksum: int = NO_CHECKSUM) -> DepthSnapshot:
    """The book as it begins; `sync` stands at it afterwards, `sequence` being the body's or one more than before."""
    sync.stamp_ns = 0
    sync.begin(body.last if body.last != UNNUMBERED else sync.sequence + 1)
    return DepthSnapshot(
        sync.number,
        sync.version,
        sync.sequence,
        received_ns,
        body.bid_prices,
        body.bid_quantities,
        body.ask_prices,
        body.ask_quantities,
        sync.checksum(checksum),
    )
