"""Recorded frames: every one is read, the connection's numbers have no hole, the book is never crossed."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.messages.feed import Batch, DepthDiff, DepthReset, Notice
from gateway.coinbase.market import Coinbase
from gateway.coinbase.slow import slow_frame

RECORDING = Path(__file__).parents[4] / "shared" / "data" / "captures" / "coinbase-btc-2026.jsonl.gz"


def frames() -> Iterator[bytes]:
    if not RECORDING.exists():
        pytest.skip("recorded captures are not beside the repository")
    with gzip.open(RECORDING, "rt", encoding="utf-8") as file:
        assert json.loads(next(file))["venue"] == Coinbase().name
        for line in file:
            yield json.loads(line)[3].encode()


def test_every_recorded_frame_is_read_and_follows() -> None:
    codec = Coinbase().codec()
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    kinds: list[type] = []
    for number, frame in enumerate(frames()):
        batch = codec.decode_frame(frame)
        assert batch == slow_frame(frame, {})
        assert isinstance(batch, Batch)
        assert batch.sequence == number
        (event,) = batch.events
        kinds.append(type(event))
        if isinstance(event, DepthReset):
            body = event.body
            bids = dict(zip(body.bid_prices, body.bid_quantities, strict=True))
            asks = dict(zip(body.ask_prices, body.ask_quantities, strict=True))
        elif isinstance(event, DepthDiff):
            for side, prices, quantities in (
                (bids, event.bid_prices, event.bid_quantities),
                (asks, event.ask_prices, event.ask_quantities),
            ):
                for price, quantity in zip(prices, quantities, strict=True):
                    side.update({price: quantity}) if quantity else side.pop(price, None)
        assert max(bids) < min(asks)
    assert kinds == [DepthReset, DepthDiff, DepthDiff, Notice, *[DepthDiff] * 8]
