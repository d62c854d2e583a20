"""How Coinbase's level2 channel proves itself: by the numbers of the connection's frames alone. Pure."""

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict


class CoinbaseRule:
    """A SyncRule. The snapshot comes on the stream; `sequence_num` counts every frame of the connection, all channels.

    An update bears no number of its product's: it is the next one when no frame of the connection is missing, which is
    for whoever counts them (`Batch.sequence`) to say. So here a later frame is the next, and nothing is a gap.
    A number means nothing on another connection: each counts its own from 0. Trade ids: consecutive for each product
    (seen so in recorded trades: docs/venues/coinbase.md).
    """

    snapshot = SnapshotSource.STREAM
    numbering = Numbering.CONNECTION
    trade_ids = TradeIds.CONSECUTIVE
    comparable = False

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        """Never: a snapshot on the stream stands exactly where it came."""
        return False

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        return self.follow(diff, snapshot_last)

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.last > sequence:
            return Verdict.NEXT
        return Verdict.DUPLICATE if diff.last == sequence else Verdict.STALE


COINBASE = CoinbaseRule()
