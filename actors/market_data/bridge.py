"""Joins a snapshot and the buffered diffs, on paper: nothing is emitted before it is known to fit. Pure."""

from typing import NamedTuple

from actors.market_data.rule import SyncRule, Verdict
from actors.market_data.sync import Buffered, Synchronizer
from bus.messages import DepthSnapshot
from bus.messages.feed import DepthBody


class Bridge(NamedTuple):
    """A snapshot and the diffs that continue it without a hole. stale: how many were at or before it."""

    body: DepthBody
    kept: list[Buffered]
    stale: int

    def snapshot(self, sync: Synchronizer, received_ns: int) -> DepthSnapshot:
        body = self.body
        return DepthSnapshot(
            sync.number,
            sync.version,
            body.last,
            received_ns,
            body.bid_prices,
            body.bid_quantities,
            body.ask_prices,
            body.ask_quantities,
        )


def bridge(rule: SyncRule, body: DepthBody, buffer: list[Buffered]) -> Bridge | int:
    """The bridge, or the index of the first diff behind a hole."""
    sequence = body.last
    kept: list[Buffered] = []
    for index, item in enumerate(buffer):
        verdict = rule.follow(item.diff, sequence)
        if verdict == Verdict.GAP:
            return index
        if verdict == Verdict.NEXT:
            kept.append(item)
            sequence = item.diff.last
    return Bridge(body, kept, len(buffer) - len(kept))
