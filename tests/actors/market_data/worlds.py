"""Market data and orderbook together, against a venue that knows the truth and a network that does not deliver it."""

from collections import deque
from zlib import crc32

from actors.market_data import FeedConnection, MarketData
from actors.orderbook import Orderbook, live
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    Frame,
    Message,
    Outcome,
    Resubscribe,
    SetTimer,
    SnapshotAnswer,
    SnapshotRequest,
    TimerFired,
)
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    BookShape,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Levels,
    Notice,
    Numbering,
    Scales,
    SnapshotSource,
    SyncRule,
)
from tests.actors.market_data.feeds import NUMBER, SYMBOL, VENUE, TableCodec, instrument

Sides = tuple[list[tuple[int, int]], list[tuple[int, int]]]


def checksum(bids: Levels, asks: Levels, _scales: Scales) -> int:
    return crc32(repr((tuple(bids[0]), tuple(bids[1]), tuple(asks[0]), tuple(asks[1]))).encode())


SHAPE = BookShape(0, 100, checksum)


class TrueFeed:
    """Two sides that never cross, one id for each change, every past book remembered by id. Bids 80-99, asks 101-120."""

    def __init__(self, numbering: Numbering) -> None:
        self.numbering = numbering
        self.levels: dict[int, int] = {90: 5, 110: 5}
        self.last = 0
        self.past: dict[int, dict[int, int]] = {0: dict(self.levels)}

    def diff(self, changes: int, where: int, quantity: int) -> DepthDiff:
        first, touched = self.last + 1, {}
        for number in range(changes):
            place = (where * 7 + number * 11) % 40
            price = 80 + place if place < 20 else 81 + place
            self.levels[price] = touched[price] = quantity
            self.last += 1
            self.past[self.last] = {price: amount for price, amount in self.levels.items() if amount}
        bids = {price: amount for price, amount in touched.items() if price < 100}
        asks = {price: amount for price, amount in touched.items() if price > 100}
        numbered, told = self.numbering == Numbering.SYMBOL, self.numbering != Numbering.CHECKSUM
        return DepthDiff(
            SYMBOL, first if told else self.last, self.last, 0, tuple(bids), tuple(bids.values()), tuple(asks),
            tuple(asks.values()), first - 1 if numbered else UNNUMBERED, self.checksum(),
        )  # fmt: skip

    def checksum(self) -> int:
        body = self.body(self.last)
        whole = (body.bid_prices, body.bid_quantities), (body.ask_prices, body.ask_quantities)
        return checksum(*whole, Scales()) if self.numbering == Numbering.CHECKSUM else -1

    def sides(self, last: int) -> Sides:
        levels = self.past[last]
        bids = sorted(((p, q) for p, q in levels.items() if p < 100), reverse=True)
        return bids, sorted((p, q) for p, q in levels.items() if p > 100)

    def body(self, last: int) -> DepthBody:
        bids, asks = self.sides(last)
        prices = tuple(p for p, _ in bids), tuple(p for p, _ in asks)
        return DepthBody(last, prices[0], tuple(q for _, q in bids), prices[1], tuple(q for _, q in asks))

    def reset(self) -> DepthReset:
        return DepthReset(SYMBOL, 0, self.body(self.last), self.checksum())


class World:
    """Both actors in virtual time. checks: what must hold after every input; requests and timers wait for the test.

    frames: the connection's numbers, by generation. said: the last word on the book. words: how often each state was said.
    """

    def __init__(self, rule: SyncRule) -> None:
        self.rule = rule
        self.venue = TrueFeed(rule.numbering)
        self.codec = TableCodec()
        self.market_data = MarketData({1: FeedConnection(self.codec, VENUE, rule)}, seed=1)
        self.orderbook = Orderbook(shapes={VENUE: SHAPE})
        self.now_ns = 0
        self.frames: dict[int, int] = {}
        self.timers: dict[int, SetTimer] = {}
        self.request: SnapshotRequest | None = None
        self.wanted: Resubscribe | None = None
        self.others: list[Message] = []
        self.said = BookState.INVALID
        self.reasons: list[BookReason] = []
        self._open = False
        for message in (instrument(), ConnectionUp(1, 1, 0)):
            self.post(message)
        self.first_reset = rule.snapshot == SnapshotSource.STREAM
        self.deliver(self.wrap(Notice("subscribed", "")))  # the first number: whatever is lost, it is behind it

    def post(self, message: Message) -> None:
        self.now_ns += 1
        queue = deque([message])
        while queue:
            message = queue.popleft()
            self._hear(message)
            for actor in (self.orderbook, self.market_data):
                if type(message) in actor.handlers:
                    emitted = actor.receive(message, self.now_ns)
                    if actor is self.market_data:
                        self._check_order(emitted)
                    queue.extend(emitted)
        self._check_book()

    def _hear(self, message: Message) -> None:
        if isinstance(message, BookStateChanged):
            self.said = message.state
            self.reasons.append(message.reason)
        elif isinstance(message, SnapshotRequest):
            self.request = message
        elif isinstance(message, Resubscribe):
            self.wanted = message
        elif isinstance(message, SetTimer):
            self.timers[message.counter] = message
        else:
            self.others.append(message)

    def _check_order(self, emitted: tuple[Message, ...]) -> None:
        """Updates only behind a snapshot or a resumption, and a refusal before anything else."""
        for message in emitted:
            if isinstance(message, DepthSnapshot):
                self._open = True
            elif isinstance(message, BookStateChanged) and message.state != BookState.LIVE:
                self._open = message.reason in (BookReason.REORDERED, BookReason.RESUMED)
            elif isinstance(message, DepthUpdate):
                assert self._open, "an update of a book that nobody believes"
        refused = [at for at, item in enumerate(emitted) if _is_refusal(item)]
        assert not refused or refused[0] == 0, emitted

    def _check_book(self) -> None:
        """What the orderbook believes is what the venue had at that id; what was said last is what it believes."""
        entry = self.orderbook.entries.get(NUMBER)
        book = live(entry) if entry else None
        assert (book is not None) == (self.said == BookState.LIVE)
        if book is not None and entry is not None:
            bids, asks = book.levels(100)
            assert (list(zip(*bids, strict=True)), list(zip(*asks, strict=True))) == self.venue.sides(entry.sequence)

    # What comes from outside

    def wrap(self, event: FeedEvent, generation: int = 1) -> FeedEvent | Batch:
        """As the venue sends it: where it numbers a connection's frames, each takes the next number."""
        if self.rule.numbering != Numbering.CONNECTION:
            return event
        number = self.frames.get(generation, 0)
        self.frames[generation] = number + 1
        return Batch((event,), number)

    def deliver(self, event: FeedEvent | Batch, generation: int = 1) -> None:
        self.post(Frame(1, self.now_ns, self.codec.put(event), generation))

    def answer(self, body: DepthBody | None, outcome: Outcome = Outcome.RESULT) -> None:
        request, self.request = self.request, None
        if request is not None:
            payload = self.codec.put(body) if body else b""
            generation = request.generation
            self.post(SnapshotAnswer("market_data", NUMBER, generation, outcome, NUMBER, self.now_ns, "", payload))

    def fire(self, counter: int = NUMBER) -> None:
        timer = self.timers.pop(counter, None)
        if timer is not None:
            self.now_ns = max(self.now_ns, timer.fires_ns)
            self.post(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))

    def stream_book(self, generation: int = 1) -> None:
        """The fruit of a subscription, if one is wanted."""
        if self.wanted is not None or self.first_reset:
            self.wanted, self.first_reset = None, False
            self.deliver(self.wrap(self.venue.reset(), generation), generation)


def _is_refusal(message: Message) -> bool:
    reasons = (BookReason.SEQUENCE_GAP, BookReason.GARBAGE)
    return isinstance(message, BookStateChanged) and message.state == BookState.INVALID and message.reason in reasons
