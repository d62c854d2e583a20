"""The host falls behind its feed: every delta is applied, views between are skipped and counted, nothing else waits."""

from typing import Any

from bus.clock import VirtualClock
from bus.codec import decode_any
from bus.edge import BATCH_MAX, BEHIND_NS
from bus.host import Host
from bus.loopback import LoopbackMailboxes
from bus.messages import (
    HEADER_SIZE,
    BookView,
    ConnectionUp,
    Frame,
    FrameBatch,
    Instrument,
    Message,
    Outcome,
    SnapshotAnswer,
    SnapshotRequest,
)
from ops.assembly import build_actors
from ops.bench.market import Market
from ops.bench.setup import config
from ops.bench.stand_in import INSTRUMENT
from ops.topology import ROUTES, routing
from tests.gateway.doors.peers import until
from tests.ops.test_live_books import VENUES, agree
from tests.support.live_books import watching

ACTORS = ("market_data", "orderbook", "microstructure")
BURST = 10 * BATCH_MAX
"""Ten times what is taken at once."""


class Ear:
    """Hears what the page routes to a door of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[Message] = []
        routed = [kind for kind, names in ROUTES.items() if name in names]
        self.handlers = dict.fromkeys(routed, self._hear)

    def _hear(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self.heard.append(message)
        return ()


class Log:
    """An input log in memory."""

    def __init__(self) -> None:
        self.records: list[tuple[int, bytes]] = []

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.records.append((now_ns, body))
        return len(self.records) - 1


class Desk:
    """Market data, book and signals of one instrument on a host, LIVE; frames are posted, time is ours."""

    def __init__(self) -> None:
        self.market, self.log, self.clock = Market(3), Log(), VirtualClock(1_000_000_000)
        instruments: list[Instrument] = [INSTRUMENT]
        self.actors = {actor.name: actor for actor in build_actors(config(), instruments, ACTORS)}
        self.rest, self.doors = Ear("rest_door"), [Ear("feed_door"), Ear("timers"), Ear("supervisor")]
        receivers = [*self.actors.values(), self.rest, *self.doors]
        names = [receiver.name for receiver in receivers]
        self.host = Host(receivers, routing(names), LoopbackMailboxes(), self.clock.now_ns, input_log=self.log)

    def begin(self) -> None:
        self.take(INSTRUMENT, ConnectionUp(0, 1, self.clock.now_ns()))
        self.post_frames(1)
        self.host.run(1_000)
        (request,) = [message for message in self.rest.heard if isinstance(message, SnapshotRequest)]
        counted = (request.actor, request.counter, request.generation, Outcome.RESULT, 0, self.clock.now_ns(), "")
        self.take(SnapshotAnswer(*counted, self.market.snapshot()))

    def take(self, *messages: Message) -> None:
        for message in messages:
            self.host.post(message)
            self.host.run(1_000)

    def post_frames(self, count: int) -> None:
        for frame in self.market.frames(count):
            self.host.post(Frame(0, self.clock.now_ns(), frame, 1))

    @property
    def book(self) -> Any:
        return self.actors["orderbook"].entries[0]  # type: ignore[attr-defined]  # it is the orderbook

    def shown(self, name: str) -> int:
        return self.host.received()[name]


def test_a_burst_is_applied_whole_and_shown_once_a_batch() -> None:
    """Goal: the same book as one by one; a tenth and less of the views; each skipped one counted, each frame's age too."""
    prompt, late = Desk(), Desk()
    for desk in (prompt, late):
        desk.begin()
    before = {name: desk.shown("microstructure") for name, desk in (("prompt", prompt), ("late", late))}
    for _ in range(BURST):
        prompt.post_frames(1)
        prompt.host.run(1_000)
    late.post_frames(BURST)
    late.clock.advance(BEHIND_NS)
    late.host.run(BURST)
    assert late.host.waiting == 0
    for desk in (prompt, late):
        book = desk.book.book
        assert {price: quantity for price, quantity in book.bids.items() if price >= book.bid_horizon} == {
            price * 1_000_000: quantity
            for price, quantity in desk.market._bids.items()
            if price * 1_000_000 >= book.bid_horizon
        }
        assert desk.book.sequence == desk.market.sequence
    assert prompt.shown("microstructure") - before["prompt"] == BURST
    assert late.shown("microstructure") - before["late"] == BURST // BATCH_MAX
    edge, views = late.host.edge, late.actors["market_data"].view()
    assert (edge.batches, edge.batched) == (BURST // BATCH_MAX, BURST)
    assert views["conflated"] == BURST - BURST // BATCH_MAX
    assert late.actors["orderbook"].view()["books"][0]["conflated"] == BURST - BURST // BATCH_MAX
    assert edge.worst_ns == BEHIND_NS
    assert (prompt.host.failures, late.host.failures) == (0, 0)


def test_what_is_shown_after_a_batch_is_the_last_of_it() -> None:
    desk = Desk()
    desk.begin()
    heard: list[Message] = []
    cell = desk.host._cells["microstructure"]
    handlers = dict(cell.handlers)
    cell.handlers = {
        **handlers,
        BookView: lambda view, now_ns: (heard.append(view), handlers[BookView](view, now_ns))[1],
    }
    desk.post_frames(BATCH_MAX)
    desk.clock.advance(BEHIND_NS)
    desk.host.run(BATCH_MAX)
    (view,) = heard
    assert isinstance(view, BookView)
    assert view.update_id == desk.market.sequence
    assert view.bid_prices[0] == desk.market.best_bid * 1_000_000


def test_a_replay_of_the_log_meets_the_same_batches_and_sends_the_same() -> None:
    desk = Desk()
    desk.begin()
    desk.post_frames(BURST)
    desk.clock.advance(BEHIND_NS)
    desk.host.run(BURST)
    again = Desk()
    for now_ns, body in desk.log.records:
        again.clock.set(now_ns)
        again.host.take(decode_any(body[4 + HEADER_SIZE :]))
    kinds = [type(decode_any(body[4 + HEADER_SIZE :])) for _, body in desk.log.records]
    assert kinds.count(FrameBatch) == BURST // BATCH_MAX
    assert again.host.digest == desk.host.digest
    assert again.book.sequence == desk.market.sequence


def test_what_is_not_market_data_waits_for_one_batch_at_most() -> None:
    """Goal: control, reports of orders and timers go before the next batch, however many frames wait: they are classes above."""
    desk = Desk()
    desk.begin()
    desk.post_frames(BURST)
    desk.clock.advance(BEHIND_NS)
    desk.host.run(1)
    left = desk.host.waiting
    desk.host.post(ConnectionUp(0, 1, desk.clock.now_ns()))
    desk.host.run(1)
    assert desk.host.waiting == left, "the one that came last was taken, and no frame before it"


async def test_a_burst_on_a_real_socket_is_seen_and_leaves_the_true_book() -> None:
    """Goal: frames of one read are taken together when they wait; the book is the venue's at the end."""
    async with watching(VENUES[0]) as (venue, server, books):
        await until(lambda: books.live)
        await agree(venue, books)
        venue.silent = True
        told = []
        for _ in range(3_000):
            venue.book.change()
            told.append(venue.shared.diff(venue.book, 0))
        (talk,) = [talk for talk in server.talks if not talk.ended.is_set()]
        await talk.send(*told)
        await until(lambda: books.entry.sequence == venue.shared.update_id(venue.book))
        await agree(venue, books)
        assert books.host.edge.batches > 0
        assert books.entry.conflated == books.market_data["conflated"] > 0
        assert (books.market_data["gaps"], books.market_data["resyncs"], books.host.failures) == (0, 0, 0)
        assert books.host.edge.ages.max_ns >= BEHIND_NS


def test_the_touch_after_a_batch_is_not_older_than_its_frames() -> None:
    """Goal: risk measures a touch's age by received_ns: a conflated one bears the last frame's."""
    desk = Desk()
    desk.begin()
    for frame in desk.market.frames(4):
        desk.host.post(Frame(0, desk.clock.now_ns(), frame, 1))
        desk.clock.advance(BEHIND_NS)
    desk.host.run(1)
    assert desk.book.received_ns == desk.clock.now_ns() - BEHIND_NS
