"""Recorded frames: every one is read, the numbers chain, the book is never crossed and keeps the topic's depth."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.messages.feed import DepthDiff, DepthReset, Notice
from gateway.bybit.market import Bybit
from gateway.bybit.slow import slow_frame

RECORDING = Path(__file__).parents[4] / "shared" / "data" / "captures" / "bybit-btc-2026.jsonl.gz"
DEPTH = 50


def frames() -> Iterator[bytes]:
    if not RECORDING.exists():
        pytest.skip("recorded captures are not beside the repository")
    with gzip.open(RECORDING, "rt", encoding="utf-8") as file:
        assert json.loads(next(file))["venue"] == Bybit().name
        for line in file:
            yield json.loads(line)[3].encode()


def test_every_recorded_frame_is_read_and_chains() -> None:
    codec, rule = Bybit().codec(), Bybit().rule
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    last, read = 0, 0
    for frame in frames():
        event = codec.decode_frame(frame)
        assert event == slow_frame(frame, {}, numbered=True)
        if isinstance(event, Notice):
            assert event.kind == "subscribe"
            continue
        if isinstance(event, DepthReset):
            body = event.body
            bids = dict(zip(body.bid_prices, body.bid_quantities, strict=True))
            asks = dict(zip(body.ask_prices, body.ask_quantities, strict=True))
            last = body.last
        else:
            assert isinstance(event, DepthDiff)
            assert event.previous == last
            assert not rule.follow(event, last)
            last = event.last
            for side, prices, quantities in (
                (bids, event.bid_prices, event.bid_quantities),
                (asks, event.ask_prices, event.ask_quantities),
            ):
                for price, quantity in zip(prices, quantities, strict=True):
                    side.update({price: quantity}) if quantity else side.pop(price)
        read += 1
        assert (len(bids), len(asks)) == (DEPTH, DEPTH)
        assert max(bids) < min(asks)
    assert read == 9
