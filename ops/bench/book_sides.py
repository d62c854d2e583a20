"""Our own sides of `bench book`: the actors as they run, and the same with less and less of what they check.

A side is a step (frame bytes to best bid and ask, timed), and how its answer reads in the stream's price decimals.
"""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any, NamedTuple

from actors.market_data import FeedConnection, MarketData
from actors.orderbook import Book, Orderbook, live
from actors.orderbook.entry import Entry
from bus.actor import Handler
from bus.messages import (
    ConnectionUp,
    DepthUpdate,
    Frame,
    Instrument,
    Message,
    Outcome,
    SnapshotAnswer,
    SnapshotRequest,
)
from bus.messages.feed import Batch, DepthDiff, FeedEvent, MarketCodec
from gateway.market import VenueMarket
from ops.bench.book_frames import DepthStream, Top

CONNECTION = 0
VENUE = 0
NUMBER = 0
SECOND_NS = 1_000_000_000
STEP_NS = SECOND_NS // 10
FIRST_NS = 60 * SECOND_NS  # after the opening


class Side(NamedTuple):
    """block: takes frames, appends what each took in ns, and returns an answer each. read: an answer as a Top, untimed."""

    block: Callable[[list[bytes], list[int]], list[Any]]
    read: Callable[[Any], Top]
    close: Callable[[], object] = lambda: None


def stepwise(step: Callable[[bytes], Any]) -> Callable[[list[bytes], list[int]], list[Any]]:
    """A block of single calls, each timed."""

    def block(frames: list[bytes], times: list[int]) -> list[Any]:
        answers = []
        for frame in frames:
            start = perf_counter_ns()
            answer = step(frame)
            times.append(perf_counter_ns() - start)
            answers.append(answer)
        return answers

    return block


class Unshown(Orderbook):
    """Checks every update and makes neither view nor touch of it, as no peer does: best bid and ask are asked for instead."""

    def _publish(self, entry: Entry, now_ns: int, first: bool) -> tuple[Message, ...]:
        return self._conflate(entry, now_ns)


class Desk:
    """Market data and an orderbook on plain calls, with a clock of their own; a snapshot is answered at once."""

    def __init__(self, market: VenueMarket, stream: DepthStream, orderbook: type[Orderbook]) -> None:
        self.now_ns = SECOND_NS
        self.stream = stream
        connection = FeedConnection(codec=market.codec(), venue=VENUE, rule=market.rule)
        self.market_data = MarketData({CONNECTION: connection}, stream.levels)
        self.orderbook = orderbook(stream.levels, shapes={VENUE: market.shape(stream.levels)})
        instrument = bare_instrument(stream)
        for message in (instrument, ConnectionUp(CONNECTION, 1, self.now_ns)):
            self.take(message)
        for payload in stream.opening:
            self.frame(payload)
        if live(self.entry) is None:
            raise AssertionError(f"the book of {stream.venue} is not LIVE after its opening")

    @property
    def entry(self) -> Entry:
        return self.orderbook.entries[NUMBER]

    def take(self, message: Message) -> None:
        """To whoever of the two takes it, and on until nothing more is said."""
        waiting = [message]
        while waiting:
            each = waiting.pop(0)
            if isinstance(each, SnapshotRequest):
                waiting.append(self._answer(each))
                continue
            for actor in (self.market_data, self.orderbook):
                handler = actor.handlers.get(type(each))
                if handler is not None:
                    waiting += handler(each, self.now_ns)

    def frame(self, payload: bytes) -> None:
        self.now_ns += STEP_NS
        self.take(Frame(CONNECTION, self.now_ns, payload, 1))

    def _answer(self, request: SnapshotRequest) -> SnapshotAnswer:
        counted = (request.actor, request.counter, request.generation)
        return SnapshotAnswer(*counted, Outcome.RESULT, request.instrument, self.now_ns, "", self.stream.snapshot)


def actors_side(market: VenueMarket, stream: DepthStream, orderbook: type[Orderbook]) -> Side:
    """What the host calls for a frame, without the mailboxes; then best bid and ask of the LIVE book."""
    desk = Desk(market, stream, orderbook)
    entry = desk.entry

    def touch() -> tuple[int, int, int, int]:
        book = live(entry)
        assert book is not None
        return book.touch()

    handlers: dict[type[Message], Handler] = {**desk.orderbook.handlers, Frame: desk.market_data.frame}
    return Side(stepwise(hops(handlers, touch)), reader(stream))


def unchecked_side(market: VenueMarket, stream: DepthStream) -> Side:
    """The same two hops with the same messages; nothing is looked up, compared or refused."""
    codec, book = market.codec(), begun(market, stream)
    decode = codec.decode_frame

    def read(frame: Frame, now_ns: int) -> tuple[Message, ...]:
        return tuple(
            [
                DepthUpdate(
                    NUMBER,
                    1,
                    diff.first,
                    diff.last,
                    frame.received_ns,
                    diff.bid_prices,
                    diff.bid_quantities,
                    diff.ask_prices,
                    diff.ask_quantities,
                    diff.checksum,
                )
                for diff in diffs(decode(frame.payload))
            ]
        )

    def take(update: DepthUpdate, now_ns: int) -> tuple[Message, ...]:
        book.apply(update.bid_prices, update.bid_quantities, update.ask_prices, update.ask_quantities)
        return ()

    handlers: dict[type[Message], Handler] = {Frame: read, DepthUpdate: take}
    tell_scales(codec, stream)
    return Side(stepwise(hops(handlers, book.touch)), reader(stream))


def hops(handlers: Mapping[type[Message], Handler], touch: Callable[[], Any]) -> Callable[[bytes], Any]:
    """A frame to its handler, what that emits to theirs, then best bid and ask."""
    now_ns = FIRST_NS
    take_frame = handlers[Frame]

    def step(payload: bytes) -> Any:
        nonlocal now_ns
        now_ns += STEP_NS
        for message in take_frame(Frame(CONNECTION, now_ns, payload, 1), now_ns):
            handlers[type(message)](message, now_ns)
        return touch()

    return step


def bare_side(market: VenueMarket, stream: DepthStream) -> Side:
    """Codec and book, and nothing between."""
    codec, book = market.codec(), begun(market, stream)
    decode = codec.decode_frame

    def step(payload: bytes) -> tuple[int, int, int, int]:
        for diff in diffs(decode(payload)):
            book.apply(diff.bid_prices, diff.bid_quantities, diff.ask_prices, diff.ask_quantities)
        return book.touch()

    tell_scales(codec, stream)
    return Side(stepwise(step), reader(stream))


def our_sides(market: VenueMarket, stream: DepthStream) -> dict[str, Side]:
    return {
        "touchline_us": actors_side(market, stream, Unshown),
        "shown_us": actors_side(market, stream, Orderbook),
        "unchecked_us": unchecked_side(market, stream),
        "bare_us": bare_side(market, stream),
    }


OURS = {
    "touchline_us": "frame to best bid and ask of a LIVE book: synchronizer, book, every check",
    "shown_us": "the same, with the touch and the view of 20 levels a side that the engine makes of each update",
    "unchecked_us": "the same messages and book without sequence, validity or any other check",
    "bare_us": "codec and book alone",
}


def begun(market: VenueMarket, stream: DepthStream) -> Book:
    """A book as the actors hold it after the opening."""
    return Desk(market, stream, Orderbook).entry.book


def diffs(event: FeedEvent | Batch) -> Sequence[DepthDiff]:
    if type(event) is DepthDiff:
        return (event,)
    assert isinstance(event, Batch)
    return [each for each in event.events if isinstance(each, DepthDiff)]


def tell_scales(codec: MarketCodec, stream: DepthStream) -> None:
    codec.set_scales(stream.symbol, stream.scales)


def reader(stream: DepthStream) -> Callable[[tuple[int, int, int, int]], Top]:
    unit = 10 ** (stream.scales.price - stream.decimals)
    return lambda touch: (touch[0] // unit, touch[2] // unit)


def bare_instrument(stream: DepthStream) -> Instrument:
    return Instrument(
        instrument=NUMBER, version=1, account=0, venue=VENUE, venue_symbol=stream.symbol, base_asset="", quote_asset="",
        price_scale=stream.scales.price, quantity_scale=stream.scales.quantity, base_scale=8, quote_scale=8, tick=1, lot=1,
        min_price_ticks=0, max_price_ticks=0, min_lots=0, max_lots=0, min_notional=0, max_notional=0, max_orders=0,
    )  # fmt: skip
