"""How a venue's diff stream and its snapshot fit together. Pure functions of update ids; one object a venue."""

from enum import IntEnum
from typing import Protocol

from bus.messages.feed import DepthDiff


class Verdict(IntEnum):
    """What a diff is to a book at some sequence."""

    NEXT = 0
    STALE = 1
    GAP = 2


class SyncRule(Protocol):
    """Two questions; everything else about synchronizing is the same for every venue that numbers its updates."""

    def too_old(self, snapshot_last: int, first_buffered: int) -> bool:
        """Does the snapshot end before the stream we hold begins?"""
        ...

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        """What the diff is to a book at `sequence`."""
        ...


class BinanceSpotRule:
    """Binance Spot, "How to manage a local order book correctly" (docs read 2026-11).

    Refetch when lastUpdateId < first U. Drop u <= lastUpdateId. The first kept has U <= lastUpdateId + 1 <= u; from
    then on U == previous u + 1 is normal, U > id + 1 is a gap. U <= id < u (an overlap) is applied: its quantities
    are absolute, so nothing is lost; the first event after the bridge is usually one.
    """

    def too_old(self, snapshot_last: int, first_buffered: int) -> bool:
        return snapshot_last < first_buffered

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.last <= sequence:
            return Verdict.STALE
        return Verdict.NEXT if diff.first <= sequence + 1 else Verdict.GAP


BINANCE_SPOT = BinanceSpotRule()
