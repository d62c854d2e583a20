"""How Binance USD-M's diff stream and its REST snapshot fit together. Pure."""

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict


class BinanceUsdmRule:
    """A SyncRule: "How to manage a local order book correctly" (docs of USD-M futures, read 2026-11).

    Drop u < lastUpdateId. The first kept has U <= lastUpdateId <= u (no + 1, unlike spot); from then on `pu` is the
    previous event's u. Ids are shared by all symbols, so U is not the previous u + 1.

    One case is ours: pu == lastUpdateId. Then nothing of this symbol lies between the snapshot and the event, whose U is
    larger; the documents would have us fetch again until an event happens to end where a snapshot does.
    """

    snapshot = SnapshotSource.REST
    numbering = Numbering.SYMBOL
    trade_ids = TradeIds.CONSECUTIVE
    comparable = True

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        return snapshot_last < first.first and snapshot_last != first.previous

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        """An event that ends just at the snapshot is taken: it is the first that the documents keep, and changes nothing."""
        if diff.last < snapshot_last:
            return Verdict.STALE
        continues = diff.first <= snapshot_last or diff.previous == snapshot_last
        return Verdict.NEXT if continues else Verdict.GAP

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.last > sequence:
            return Verdict.NEXT if diff.previous == sequence else Verdict.GAP
        return Verdict.DUPLICATE if diff.last == sequence else Verdict.STALE


BINANCE_USDM = BinanceUsdmRule()
