"""How Kraken's book stream hangs together: no ids at all, a checksum with every message. Pure."""

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict


class KrakenRule:
    """A SyncRule (docs, "Book", "Book checksum (v2)"; read 2026-11).

    The snapshot comes on the stream. A diff's number is the venue's stamp in us, which never ran back in 1,434 recorded
    messages: an older one is stale. One with the same stamp may be news, and applied twice it changes nothing. Whether
    a message is missing is told by the checksum of the book after it, never by a number: there is no GAP here.
    trade_ids: "a sequence number, unique per book" (docs, "Trade"); that none is left out is not said.
    """

    snapshot = SnapshotSource.STREAM
    numbering = Numbering.CHECKSUM
    trade_ids = TradeIds.INCREASING
    comparable = False

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        return False

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        return self.follow(diff, snapshot_last)

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        return Verdict.STALE if diff.last < sequence else Verdict.NEXT


KRAKEN = KrakenRule()
