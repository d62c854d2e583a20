"""A codec that reads what the test put into it, and short builders of feed values."""

from typing import Any

import msgspec

from actors.market_data import FeedConnection, MarketData
from bus.actor import Actor
from bus.messages import Frame, Instrument, Message, Outcome, SnapshotAnswer, SnapshotRequest
from bus.messages.feed import (
    Batch,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Garbage,
    Numbering,
    Scales,
    SnapshotSource,
    SyncRule,
    TradeIds,
    Verdict,
)
from gateway.binance_spot.rule import BINANCE_SPOT

VENUE = 3
SYMBOL = "BTCUSDT"
NUMBER = 7


class TableCodec:
    """`put` stores a value and returns the payload that stands for it."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.scales: dict[str, Scales] = {}

    def put(self, value: FeedEvent | Batch | DepthBody) -> bytes:
        self.values.append(value)
        return str(len(self.values) - 1).encode()

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        return self.values[int(payload)]

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        return self.values[int(payload)]

    def decode_trades(self, payload: bytes, venue_symbol: str) -> Any:
        return self.values[int(payload)]

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self.scales[venue_symbol] = scales


class Rule:
    """A synthetic venue: ids that follow from each other one by one, whatever it is that proves its stream.

    Where the proof is not of the symbol's ids, nothing that is younger is a gap.
    """

    def __init__(
        self, snapshot: SnapshotSource, numbering: Numbering, trade_ids=TradeIds.CONSECUTIVE, comparable: bool = False
    ) -> None:
        self.snapshot, self.numbering = snapshot, numbering
        self.trade_ids, self.comparable = trade_ids, comparable

    def too_old(self, snapshot_last: int, first: DepthDiff) -> bool:
        return snapshot_last < first.first - 1

    def bridge(self, diff: DepthDiff, snapshot_last: int) -> Verdict:
        if diff.last <= snapshot_last:
            return Verdict.STALE
        tells = self.numbering != Numbering.CHECKSUM  # frames without a hole do not make an old snapshot a new one
        return Verdict.GAP if tells and diff.first > snapshot_last + 1 else Verdict.NEXT

    def follow(self, diff: DepthDiff, sequence: int) -> Verdict:
        if diff.last <= sequence:
            return Verdict.DUPLICATE if diff.last == sequence else Verdict.STALE
        return Verdict.NEXT if diff.first == sequence + 1 or self._unproven else Verdict.GAP

    @property
    def _unproven(self) -> bool:
        return self.numbering != Numbering.SYMBOL


def instrument(number: int = NUMBER, symbol: str = SYMBOL, version: int = 1, venue: int = VENUE, scale: int = 8):
    return Instrument(number, version, 1, venue, symbol, "BTC", "USDT", scale, 8, 8, 8, 1, 1, 0, 0, 0, 0, 0, 0, 0)


def diff(first: int, last: int, bids=(), asks=(), symbol: str = SYMBOL) -> DepthDiff:
    """bids, asks: ((price, quantity), ...)."""
    return DepthDiff(
        symbol,
        first,
        last,
        0,
        tuple(price for price, _ in bids),
        tuple(quantity for _, quantity in bids),
        tuple(price for price, _ in asks),
        tuple(quantity for _, quantity in asks),
        previous=first - 1,
    )


def reset(last: int, bids=((100, 5),), asks=((101, 5),), symbol: str = SYMBOL, checksum: int = -1) -> DepthReset:
    return DepthReset(symbol, 0, body(last, bids, asks), checksum)


def body(last: int, bids=((100, 5),), asks=((101, 5),)) -> DepthBody:
    return DepthBody(
        last,
        tuple(price for price, _ in bids),
        tuple(quantity for _, quantity in bids),
        tuple(price for price, _ in asks),
        tuple(quantity for _, quantity in asks),
    )


class Desk:
    """A market data actor, its codec, and the verbs of a test. Time moves by one nanosecond a verb unless told."""

    def __init__(self, rule: SyncRule = BINANCE_SPOT, **plan: Any) -> None:
        self.codec = TableCodec()
        self.plans = {1: FeedConnection(self.codec, VENUE, rule, **plan)}
        self.actor = MarketData(self.plans)
        self.now_ns = 1_000
        self.inputs: list[tuple[Message, int]] = []
        self.heard: list[Message] = []
        self.request: SnapshotRequest | None = None

    def send(self, message: Message) -> tuple[Message, ...]:
        self.now_ns += 1
        self.inputs.append((message, self.now_ns))
        emitted = self.actor.receive(message, self.now_ns)
        self.heard += emitted
        for item in emitted:
            if isinstance(item, SnapshotRequest):
                self.request = item
        return emitted

    def frame(self, event: FeedEvent | Batch, generation: int = 0) -> tuple[Message, ...]:
        return self.send(Frame(1, self.now_ns, self.codec.put(event), generation))

    def answer(self, snapshot: DepthBody | Garbage, outcome: Outcome = Outcome.RESULT) -> tuple[Message, ...]:
        request = self.request
        assert request is not None
        payload = self.codec.put(snapshot)
        return self.send(
            SnapshotAnswer(
                request.actor,
                request.counter,
                request.generation,
                outcome,
                request.instrument,
                self.now_ns,
                "",
                payload,
            )
        )


def copy_of(actor: Actor[Any], fresh: Actor[Any]) -> Actor[Any]:
    """`fresh`, restored from the encoded checkpoint of `actor`: nothing can be shared."""
    encoded = msgspec.msgpack.encode(actor.checkpoint())
    fresh.restore(msgspec.msgpack.decode(encoded, type=actor.State))
    return fresh


def names(messages: tuple[Message, ...]) -> list[str]:
    return [type(message).__name__ for message in messages]
