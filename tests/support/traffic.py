"""Recordings of a book that is known to be true, written by the venues' own writers: lines of a capture, and the truth.

`Traffic` is one connection's worth of one or several symbols: subscription, snapshot, diffs with quotes, trades and
heartbeats in between. Where a venue's books begin with a REST body, the body is taken at one moment and recorded later.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from bus.messages.feed import SnapshotSource
from gateway.market import VenueMarket
from gateway.simulated.wire import TrueBook, Wire

START_NS = 1_790_000_000_000_000_000
STEP_NS = 100_000_000
Line = list[Any]
"""[received_ns, kind, address, text]"""
Side = dict[int, int]


class Truth(NamedTuple):
    """What the book is after the line received then: the venue's id of it, quantities by price in the wire's decimals."""

    update_id: int | None
    bids: Side
    asks: Side

    @property
    def top(self) -> tuple[int, int, int, int]:
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]


class Symbol:
    """One symbol's book and writer. depth: levels a side that the stream tells, 0: all."""

    def __init__(self, name: str, wire: Wire, book: TrueBook, depth: int) -> None:
        self.name, self.wire, self.book, self.depth = name, wire, book, depth
        self.truths: dict[int, Truth] = {}
        self.trades = 0

    def truth(self) -> Truth:
        bids, asks = sorted(self.book.bids.items(), reverse=True), sorted(self.book.asks.items())
        if self.depth:
            bids, asks = bids[: self.depth], asks[: self.depth]
        return Truth(self.wire.update_id(self.book), dict(bids), dict(asks))


class Traffic:
    """lines: so far. `truths` of a symbol: by received_ns of the line that made the book so."""

    def __init__(self, market: VenueMarket, symbols: Sequence[Symbol], seed: int, address: str = "ws") -> None:
        self.market, self.random, self.address = market, Random(seed), address
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.lines: list[Line] = []
        self.now_ns = START_NS
        self.rest = market.rule.snapshot == SnapshotSource.REST

    def open(self) -> None:
        for symbol in self.symbols.values():
            for frame in symbol.wire.accepted():
                self.receive(frame)

    def receive(self, frame: bytes) -> int:
        self.now_ns += STEP_NS
        self.lines.append([self.now_ns, "recv", self.address, frame.decode()])
        return self.now_ns

    def snapshot(self, symbol: Symbol) -> Callable[[], None]:
        """Take it now; record it when the returned function is called. On the stream both are one moment."""
        body = symbol.wire.snapshot(symbol.book, self.now_ns)
        if self.rest:
            path = self.market.snapshot_path(symbol.name, 1_000)

            def record() -> None:
                self.now_ns += STEP_NS
                self.lines.append([self.now_ns, "rest", path, body.decode()])

            return record
        at = self.receive(body)
        symbol.truths[at] = symbol.truth()
        return lambda: None

    def change(self, symbol: Symbol, changes: int) -> None:
        """So many changes of the true book, told in one diff."""
        for _ in range(changes):
            symbol.book.change()
        at = self.receive(symbol.wire.diff(symbol.book, self.now_ns))
        symbol.truths[at] = symbol.truth()

    def chatter(self, symbol: Symbol) -> None:
        """A frame that changes no book."""
        kind = self.random.randrange(3)
        if kind == 0:
            frame = symbol.wire.quote(symbol.book, self.now_ns)
        elif kind == 1:
            symbol.trades += 1
            bid, *_ = symbol.book.top
            frame = symbol.wire.trade(symbol.trades, bid, self.random.randrange(1, 10**6), False, self.now_ns)
        else:
            frame = symbol.wire.heartbeat(self.now_ns)
        if frame is not None:
            self.receive(frame)


def written(market: VenueMarket, symbols: Sequence[Symbol], seed: int = 1, updates: int = 60) -> Traffic:
    """An undamaged recording: every symbol synchronized once, then `updates` diffs of each, a second snapshot two thirds in.

    The later snapshot is what a damaged book comes back by; nobody needs it while nothing is wrong.
    """
    traffic = Traffic(market, symbols, seed)
    random = traffic.random
    traffic.open()
    for symbol in traffic.symbols.values():
        if traffic.rest:
            traffic.change(symbol, 3)
        record = traffic.snapshot(symbol)
        if traffic.rest:
            traffic.change(symbol, 2)
        record()
    for number in range(updates):
        for symbol in traffic.symbols.values():
            if number == updates * 2 // 3:
                traffic.snapshot(symbol)()
            traffic.change(symbol, random.randrange(1, 6))
            if random.random() < 0.5:
                traffic.chatter(symbol)
    return traffic
