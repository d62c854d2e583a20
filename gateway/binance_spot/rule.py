"""How Binance Spot's diff stream and its REST snapshot fit together. Pure."""

from bus.messages.feed import DepthDiff, Numbering, SnapshotSource, TradeIds, Verdict


class BinanceSpotRule:
    """A SyncRule: "How to manage a local order book correctly" (docs read 2026-11).

    Refetch when lastUpdateId < first U. Drop u <= lastUpdateId. The first kept has U <= lastUpdateId + 1 <= u; from
    then on U == previous u + 1 is normal, U > id + 1 is a gap. U <= id < u (an overlap) is applied: its quantities
    are absolute, so nothing is lost; the first event after the bridge is usually one.
    """

    snapshot = SnapshotSource.REST
    numbering = Numbering.SYMBOL
    trade_ids = TradeIds.CONSECUTIVE
    comparable = True

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        return snapshot_last < first.first

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        return self.follow(diff, snapshot_last)

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.last > sequence:
            return Verdict.NEXT if diff.first <= sequence + 1 else Verdict.GAP
        return Verdict.DUPLICATE if diff.last == sequence else Verdict.STALE


BINANCE_SPOT = BinanceSpotRule()
