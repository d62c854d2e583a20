"""`bench feed`: a frame's bytes to its book's touch, view and signals, with 1, 10, 100 and 1,000 instruments on one host.

Market data, orderbook and microstructure on a real host, mailboxes on. Every instrument gets the same seeded stream under
its own name, so that what differs is only how many there are: caches, dictionaries, memory. Which one speaks next is
drawn at random. Counts run interleaved in blocks in one process: trust the ratios. `hops_us` says where it goes: the
median of each actor at the smallest and at the largest count. Memory is what the actors' own objects take
(tracemalloc, in a second pass of its own), with LEVELS levels a side in each book.
"""

import gc
import tracemalloc
from collections.abc import Sequence
from random import Random
from time import perf_counter_ns
from typing import Any

import msgspec

from bus.actor import NOTHING, Handler
from bus.clock import EngineClock
from bus.host import Host, Receiver
from bus.mailbox import ZmqMailboxes
from bus.messages import ConnectionUp, Frame, Instrument, Message, Outcome, SnapshotAnswer, SnapshotRequest
from bus.timers import Timers
from ops.assembly import build_actors
from ops.bench.market import LEVELS, SYMBOL, Market
from ops.bench.setup import config
from ops.bench.stand_in import INSTRUMENT
from ops.bench.tick import percentiles
from ops.feeds import feed_connections
from ops.topology import ROUTES, routing

COUNTS = (1, 10, 100, 1_000)
SYMBOLS_MAX = 5_000
"""About 300 kB each; chosen."""
BLOCK = 200
ACTORS = ("market_data", "orderbook", "microstructure")
START_S_MAX = 3_600
"""Engine time in which all books must be LIVE: snapshots are paced by the venue's weight."""


class RestDoor:
    """Keeps snapshot requests until they are answered; hears nothing else."""

    name = "rest_door"

    def __init__(self) -> None:
        self.asked: list[SnapshotRequest] = []
        routed = [kind for kind, names in ROUTES.items() if self.name in names]
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(routed, self._hear)

    def _hear(self, request: Message, _now_ns: int) -> tuple[Message, ...]:
        if isinstance(request, SnapshotRequest):
            self.asked.append(request)
        return NOTHING


class FeedRig:
    """`count` instruments of one venue on one host, on as many connections as its limits ask for, all LIVE."""

    def __init__(self, count: int, stream: Sequence[bytes], snapshot: bytes, seed: int) -> None:
        self.symbols = [f"S{number:05d}USDT" for number in range(count)]
        self.clock, self.skew_ns = EngineClock(), 0
        self._stream, self._snapshot, self._random = stream, snapshot, Random(seed)
        self._next = [0] * count
        instruments = [
            msgspec.structs.replace(INSTRUMENT, instrument=number, venue_symbol=symbol)
            for number, symbol in enumerate(self.symbols)
        ]
        self.actors = build_actors(config(), instruments, ACTORS)
        connections = feed_connections(config(), instruments)
        self._connection = {symbol: number for number, plan in connections.items() for symbol in plan.venue_symbols}
        self.rest, self.timers = RestDoor(), Timers()
        self._mailboxes = ZmqMailboxes()
        receivers: list[Receiver] = [*self.actors, self.rest, self.timers]
        names = (*ACTORS, "rest_door", "timers")
        self.host = Host(receivers, routing(names), self._mailboxes, self.now_ns)
        self._begin(instruments)

    def now_ns(self) -> int:
        return self.clock.now_ns() + self.skew_ns

    def _begin(self, instruments: Sequence[Instrument]) -> None:
        """As a start: instruments, the connection, a frame and a snapshot of each; engine time runs until all are LIVE."""
        ups = [ConnectionUp(number, 1, self.now_ns()) for number in dict.fromkeys(self._connection.values())]
        self._take(*instruments, *ups)
        for number in range(len(self.symbols)):
            self._take(self._frame(number))
        for _ in range(START_S_MAX):
            asked, self.rest.asked = self.rest.asked, []
            for request in asked:
                self._take(self._answer(request))
            if self._live() == len(self.symbols):
                return
            self.skew_ns += 1_000_000_000
            self._take(*self.timers.due(self.now_ns()))
        raise AssertionError(f"{self._live()} of {len(self.symbols)} books are LIVE")

    def _live(self) -> int:
        books = next(actor.view() for actor in self.actors if actor.name == "orderbook")["books"]
        return sum(book["state"] == "LIVE" for book in books.values())

    def _answer(self, request: SnapshotRequest) -> SnapshotAnswer:
        counted = (request.actor, request.counter, request.generation)
        return SnapshotAnswer(*counted, Outcome.RESULT, request.instrument, self.now_ns(), "", self._snapshot)

    def _take(self, *messages: Message) -> None:
        for message in messages:
            self.host.post(message)
            self.host.run(1_000)

    def _frame(self, number: int) -> Frame:
        at = self._next[number]
        self._next[number] = at + 1
        symbol = self.symbols[number]
        payload = self._stream[at].replace(SYMBOL.encode(), symbol.encode())
        payload = payload.replace(SYMBOL.lower().encode(), symbol.lower().encode())
        return Frame(self._connection[symbol], self.now_ns(), payload, 1)

    def block(self, frames: int, times: list[int]) -> None:
        """Time this many frames, each from before its input is posted until its cascade is done."""
        host = self.host
        for _ in range(frames):
            number = self._random.randrange(len(self.symbols))
            frame = self._frame(number)
            start = perf_counter_ns()
            host.post(frame)
            host.run(1)
            times.append(perf_counter_ns() - start)
        self._take(*self.timers.due(self.now_ns()))

    def hops_us(self) -> dict[str, float]:
        return {
            name: round(row.quantile(0.5) / 1e3, 2) for name, row in self.host.histograms().items() if name in ACTORS
        }

    def close(self) -> None:
        self._mailboxes.close()


def run(frames: int, counts: Sequence[int] = COUNTS, seed: int = 1) -> dict[str, Any]:
    """`frames` frames of each count. Returns the JSON object of the command."""
    market = Market(seed)
    first = market.frame()
    snapshot = market.snapshot()
    stream = [first, *market.frames(frames + 2 * BLOCK)]  # enough for a lone instrument
    rigs = {count: FeedRig(count, stream, snapshot, seed) for count in counts}
    times: dict[int, list[int]] = {count: [] for count in counts}
    for rig in rigs.values():
        rig.block(BLOCK, [])  # warm code paths, unmeasured
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for done in range(0, frames, BLOCK):
            for count, rig in rigs.items():
                rig.block(min(BLOCK, frames - done), times[count])
            gc.collect(1)
    finally:
        gc.enable()
        gc.unfreeze()
    base = percentiles(times[counts[0]])["p50"]
    result: dict[str, Any] = {
        "frames": len(times[counts[0]]),
        "levels_a_side": LEVELS,
        "symbols": {
            str(count): percentiles(times[count]) | {"ratio": round(percentiles(times[count])["p50"] / base, 2)}
            for count in counts
        },
        "hops_us": {str(count): rigs[count].hops_us() for count in (counts[0], counts[-1])},
    }
    for rig in rigs.values():
        rig.close()
    most = min(counts[-1], 100)
    result["memory_kb_per_book"] = round(_memory_kb(most, stream, snapshot, seed) / most, 1)
    return result


def _memory_kb(count: int, stream: Sequence[bytes], snapshot: bytes, seed: int) -> float:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        rig = FeedRig(count, stream, snapshot, seed)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        rig.close()
    finally:
        tracemalloc.stop()
    return (after - before) / 1e3
