"""How OKX's `books` stream hangs together: each update names the one before it. Pure."""

from bus.messages.feed import NO_CHECKSUM, UNNUMBERED, DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict

STALE_WITHIN = 10_000_000
"""Ids below the book's that are taken for old news: hours of the busiest instrument recorded (BTC-USDT moved 7 to 93 in
100 ms). Further below, the venue has begun to count anew and the update that says so was lost: that is a gap. Chosen."""


class OkxRule:
    """A SyncRule (docs, "Order book channel", "Sequence ID"; read 2026-11).

    The snapshot comes on the stream, prevSeqId -1. An update continues the book when its prevSeqId is the book's seqId,
    also when both are equal (nothing changed for a minute) and when its seqId is lower (the venue counts anew after
    maintenance). Ids jump, so anything else that ends behind the book is a gap. Messages without ids (2022) have only a
    checksum: with one they continue, without one nothing proves them.
    comparable: "the set of sequence ID received by users is the same if users are connecting to the same channel through
    multiple websocket connections" (docs). trade_ids: a message adds up a taker's fills at one price and bears the last
    one's id (docs, "Trades channel"), so its ids rise but skip.
    """

    snapshot = SnapshotSource.STREAM
    numbering = Numbering.SYMBOL
    trade_ids = TradeIds.INCREASING
    comparable = True

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        return False

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        return self.follow(diff, snapshot_last)

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.previous == sequence:
            return Verdict.NEXT
        if diff.last == UNNUMBERED:
            return Verdict.GAP if diff.checksum == NO_CHECKSUM else Verdict.NEXT
        if diff.last == sequence:
            return Verdict.DUPLICATE
        return Verdict.STALE if sequence - STALE_WITHIN < diff.last < sequence else Verdict.GAP


OKX = OkxRule()
