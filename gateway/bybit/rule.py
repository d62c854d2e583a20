"""How Bybit's order book topics prove themselves: a number of each topic's messages. Pure."""

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict

LATE_MAX = 1_000
"""Messages behind which a diff is no late copy of an old one (20 s at the 20 ms of 50 levels): the count began anew, and
what said so was lost. Chosen: a book that took a new count for old news would stand still and look well."""


class BybitRule:
    """A SyncRule: "Orderbook" (docs read 2026-11). `u` rises by one with each message of a topic; a snapshot replaces.

    u = 1 is a restart of the service: its snapshot replaces as any other; a diff that bears it proves the snapshot lost.
    comparable: nothing says that two connections count alike, so no.
    """

    snapshot = SnapshotSource.STREAM
    numbering = Numbering.SYMBOL
    comparable = False

    def __init__(self, trade_ids: TradeIds) -> None:
        self.trade_ids = trade_ids

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        """Never: a snapshot on the stream stands exactly where it came."""
        return False

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        return self.follow(diff, snapshot_last)

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        behind = sequence - diff.last
        if behind == -1:
            return Verdict.NEXT
        if behind == 0:
            return Verdict.DUPLICATE
        return Verdict.STALE if 0 < behind <= LATE_MAX and diff.last != 1 else Verdict.GAP


SPOT = BybitRule(TradeIds.INCREASING)
"""Trade ids are numbers that all symbols share (docs v3, "Public trade")."""
LINEAR = BybitRule(TradeIds.OPAQUE)
"""Trade ids are UUIDs."""
