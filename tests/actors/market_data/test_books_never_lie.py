"""Market data and orderbook together against a venue that knows the truth, under every fault a feed can have."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.market_data import FeedConnection, MarketData
from actors.orderbook import Orderbook, live
from bus.messages import (
    BestQuote,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    Frame,
    Message,
    Outcome,
    SetTimer,
    SnapshotAnswer,
    SnapshotRequest,
    TimerFired,
)
from bus.messages.feed import DepthBody, DepthDiff, QuoteEvent
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import NUMBER, SYMBOL, VENUE, TableCodec, instrument

FAULTS = (
    "none",
    "none",
    "none",
    "none",
    "drop",
    "twice",
    "late",
    "quote",
    "snapshot",
    "old snapshot",
    "refuse",
    "timer",
    "reconnect",
)
Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.integers(1, 3), st.integers(0, 19), st.integers(0, 4)),
    min_size=1,
    max_size=80,
)


class Venue:
    """The truth: two sides that never cross, one id for each change, every past book remembered by id."""

    def __init__(self) -> None:
        self.levels: dict[int, int] = {90: 5, 110: 5}
        self.last = 0
        self.past: dict[int, dict[int, int]] = {0: dict(self.levels)}

    def diff(self, changes: int, where: int, quantity: int) -> DepthDiff:
        """Bids live at 80-99, asks at 101-120."""
        first, touched = self.last + 1, {}
        for number in range(changes):
            place = (where * 7 + number * 11) % 40
            price = 80 + place if place < 20 else 81 + place
            self.levels[price] = touched[price] = quantity
            self.last += 1
            self.past[self.last] = {price: amount for price, amount in self.levels.items() if amount}
        bids = {price: amount for price, amount in touched.items() if price < 100}
        asks = {price: amount for price, amount in touched.items() if price > 100}
        return DepthDiff(
            SYMBOL, first, self.last, 0, tuple(bids), tuple(bids.values()), tuple(asks), tuple(asks.values()), first - 1
        )

    def sides(self, last: int):
        levels = self.past[last]
        bids = sorted(((p, q) for p, q in levels.items() if p < 100), reverse=True)
        asks = sorted((p, q) for p, q in levels.items() if p > 100)
        return bids, asks

    def body(self, last: int) -> DepthBody:
        bids, asks = self.sides(last)
        return DepthBody(
            last,
            tuple(p for p, _ in bids),
            tuple(q for _, q in bids),
            tuple(p for p, _ in asks),
            tuple(q for _, q in asks),
        )

    def quote(self) -> QuoteEvent:
        bids, asks = self.sides(self.last)
        return QuoteEvent(SYMBOL, self.last, *(bids[0] if bids else (0, 0)), *(asks[0] if asks else (0, 0)))


class World:
    """Both actors, the venue, and a network that misbehaves as told."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.codec = TableCodec()
        self.market_data = MarketData({1: FeedConnection(self.codec, VENUE, BINANCE_SPOT)})
        self.orderbook = Orderbook()
        self.now_ns = 0
        self.generation = 1
        self.request: SnapshotRequest | None = None
        self.timer: SetTimer | None = None
        self.delayed: list[DepthDiff] = []
        self.said: BookState = BookState.INVALID
        for message in (instrument(), ConnectionUp(1, 1, 0)):
            self.post(message)

    def post(self, message: Message) -> None:
        self.now_ns += 1
        queue = deque([message])
        while queue:
            message = queue.popleft()
            if isinstance(message, BookStateChanged):
                self.said = message.state
            if isinstance(message, SnapshotRequest):
                self.request = message
            elif isinstance(message, SetTimer):
                self.timer = message
            for actor in (self.orderbook, self.market_data):
                book_only = isinstance(message, DepthSnapshot | DepthUpdate | BestQuote)
                if type(message) in actor.handlers and not (book_only and actor is self.market_data):
                    queue.extend(actor.receive(message, self.now_ns))
            if isinstance(message, BookStateChanged):
                continue
        self.check()

    def check(self) -> None:
        """What the orderbook believes is what the venue had at that id; what it said last is what it believes."""
        entry = self.orderbook.entries.get(NUMBER)
        book = live(entry) if entry else None
        assert (book is not None) == (self.said == BookState.LIVE)
        if book is not None and entry is not None:
            bids, asks = book.levels(100)
            expected_bids, expected_asks = self.venue.sides(entry.sequence)
            assert list(zip(*bids, strict=True)) == expected_bids
            assert list(zip(*asks, strict=True)) == expected_asks
            assert entry.tops.mismatches == 0

    def frame(self, event) -> None:
        self.post(Frame(1, self.now_ns, self.codec.put(event)))

    def answer(self, last: int, outcome: Outcome = Outcome.RESULT) -> None:
        request, self.request = self.request, None
        if request is None:
            return
        payload = self.codec.put(self.venue.body(last))
        self.post(SnapshotAnswer("market_data", NUMBER, request.generation, outcome, NUMBER, self.now_ns, "", payload))

    def step(self, fault: str, changes: int, where: int, quantity: int) -> None:
        if fault == "snapshot":
            self.answer(self.venue.last)
        elif fault == "old snapshot":
            self.answer(max(0, self.venue.last - where))
        elif fault == "refuse":
            self.answer(0, Outcome.AMBIGUOUS)
        elif fault == "quote":
            self.frame(self.venue.quote())
        elif fault == "timer":
            self.fire()
        elif fault == "reconnect":
            self.reconnect()
        else:
            self.deliver(fault, self.venue.diff(changes, where, quantity))

    def deliver(self, fault: str, diff: DepthDiff) -> None:
        if fault == "late":
            self.delayed.append(diff)
            return
        if fault != "drop":
            self.frame(diff)
        if fault == "twice":
            self.frame(diff)
        while self.delayed:
            self.frame(self.delayed.pop())

    def fire(self) -> None:
        timer, self.timer = self.timer, None
        if timer is not None:
            self.now_ns = max(self.now_ns, timer.fires_ns)
            self.post(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))

    def reconnect(self) -> None:
        self.post(ConnectionDown(1, self.generation, "test"))
        self.delayed.clear()
        self.generation += 1
        self.post(ConnectionUp(1, self.generation, self.now_ns))

    def heal(self) -> None:
        """A network without faults: diffs arrive, timers fire, requests are answered."""
        self.delayed.clear()
        for turn in range(40):
            self.frame(self.venue.diff(1, turn, 1 + turn % 3))
            self.fire()
            self.answer(self.venue.last)


@settings(max_examples=250, deadline=None)
@given(STEPS)
def test_a_live_book_is_the_venues_book_and_comes_back_by_itself(steps: list[Step]) -> None:
    world = World()
    for step in steps:
        world.step(*step)
    world.heal()
    assert world.said == BookState.LIVE
