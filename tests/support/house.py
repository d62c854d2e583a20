"""The whole engine in memory for tests: real actors, real order door, real codec; a virtual clock, and no network.

`House` plays the outside: it hands in what a venue says, and shows what every mailbox carried and what the order door
wrote. Nothing happens that a test does not do.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bus.actor import Actor, Handler
from bus.clock import VirtualClock
from bus.codec import TYPE_OF_TAG, decode_any
from bus.host import Host, Receiver
from bus.loopback import LoopbackMailboxes
from bus.mailbox import Mailbox, Mailboxes
from bus.messages import (
    HEADER_SIZE,
    Alert,
    Balance,
    ConnectionUp,
    EngineStarted,
    Frame,
    Instrument,
    Message,
    Outcome,
    PrivateStreamUp,
    QueryAnswer,
    QueryKind,
    SnapshotAnswer,
    SnapshotRequest,
    TakeCheckpoint,
    VenueQuery,
)
from bus.timers import Timers
from gateway.binance_spot.signing import HmacSigner
from gateway.doors.coordination.loopback import LoopbackDoor
from gateway.doors.order import Identity, OrderDoor
from gateway.doors.venue_time import VenueTime
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.config import parse
from ops.sections import Config
from ops.spot import BinanceSpotOrders
from ops.supervision import Intensity, Supervision
from ops.topology import DOORS, ROUTES, routing

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000

BTC = Instrument(
    instrument=0,
    version=1,
    account=ACCOUNT,
    venue=VENUE,
    venue_symbol="BTCUSDT",
    base_asset="BTC",
    quote_asset="USDT",
    price_scale=8,
    quantity_scale=8,
    base_scale=8,
    quote_scale=8,
    tick=1_000_000,  # 0.01
    lot=1_000,  # 0.00001
    min_price_ticks=1,
    max_price_ticks=100_000_000,
    min_lots=1,
    max_lots=900_000_000,
    min_notional=500_000_000,  # 5 USDT
    max_notional=0,
    max_orders=200,
)

CONFIG = """
[venue]
kind = "binance-spot"
rest = "http://venue.test"
streams = "ws://venue.test"
websocket_api = "ws://venue.test/ws-api/v3"

[[instrument]]
symbol = "BTCUSDT"
order_max = "1"
position_max = "2"
position_min = "-2"

[strategy.parameters]
quantity_lots = 100
max_position_lots = 1000
min_position_lots = -1000
"""


class Journal:
    """Records in memory, as (message, raw)."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, int, bytes]] = []

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.records.append((kind, offset, now_ns, body))
        return len(self.records) - 1

    def messages(self) -> list[Message]:
        return [decode_any(body[HEADER_SIZE:]) for _, _, _, body in self.records]


class Wire:
    """The order door's socket: what it wrote, parsed."""

    open = True
    buffered = 0

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write_all(self, payloads: list[bytes]) -> None:
        self.written += payloads

    def write(self, payload: bytes) -> None:
        """A question about the venue's time: no request of ours."""

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.written]


class Tap:
    """Mailboxes that remember what they carried: (receiver, message), in order."""

    def __init__(self, inner: Mailboxes) -> None:
        self._inner = inner
        self.carried: list[tuple[str, Message]] = []

    def open(self, name: str) -> Mailbox:
        send, receive = self._inner.open(name)

        def remember(raw: bytes) -> None:
            self.carried.append((name, decode_any(raw[HEADER_SIZE:])))
            send(raw)

        return Mailbox(remember, receive)

    def close(self) -> None:
        self._inner.close()


class Outside:
    """A door's place that only remembers what it was asked."""

    def __init__(self, name: str, house: "House") -> None:
        self.name = name
        kinds = [kind for kind, names in ROUTES.items() if name in names]
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(kinds, self._remember)
        self._house = house

    def _remember(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self._house.asked.append(message)
        return ()


class House:
    """One engine. `post` runs an input to completion, with every input that it causes."""

    def __init__(
        self,
        config: str = CONFIG,
        mailboxes: Mailboxes | None = None,
        instrument: Instrument = BTC,
        *,
        epoch: int = 1,
        change: Callable[[Config], Config] = lambda config: config,
        before: Callable[[list[Actor[Any]]], object] = lambda actors: None,
        more: Sequence[Instrument] = (),
        tapped: bool = True,
        clock: VirtualClock | None = None,
        journal: "Journal | None" = None,
        first_offset: int = 0,
        coordination: LoopbackDoor | None = None,
        intensity: Intensity | None = None,
    ) -> None:
        """more: further instruments, each with a row in `config`. tapped: False for long runs that read no story.

        clock, journal, first_offset: of the run before, when this one is a restart. coordination: where others are.
        intensity: of restarts, over several runs.
        """
        self.clock = clock or VirtualClock(START_NS)
        self.mailboxes = mailboxes or LoopbackMailboxes()
        self.tap = Tap(self.mailboxes)
        self.journal, self.input_log, self.wire = journal or Journal(), Journal(), Wire()
        self.instrument, self.epoch = instrument, epoch
        self.instruments = [instrument, *more]
        settings = change(parse(config))
        self.actors = build_actors(settings, self.instruments)
        before(self.actors)
        self.supervision = Supervision(
            self.actors,
            lambda names: build_actors(settings, self.instruments, names),
            settings.strategy.owner,
            intensity or Intensity(settings.supervision),
            None,
        )
        self.timers = Timers()
        self.asked: list[Message] = []
        self.door = self._make_door(parse(config))
        self.coordination = coordination or LoopbackDoor({row.instrument: row for row in self.instruments})
        real = ("order_door", "coordination_door", "timers", "supervision")
        outside = [Outside(name, self) for name in DOORS if name not in real]
        receivers: list[Receiver] = [
            *self.actors,
            self.door,
            self.coordination,
            self.timers,
            self.supervision,
            *outside,
        ]
        carrier: Mailboxes = self.tap if tapped else self.mailboxes
        self.host = Host(
            receivers,
            routing(),
            carrier,
            self.clock.now_ns,
            journal=self.journal,
            input_log=self.input_log,
            first_offset=first_offset,
        )
        self.door.attach(self.host.post, lambda: self.host.offset, self.host.after_burst("order_door"))
        self.coordination.attach(self.host.post)
        self.supervision.attach(self.host)

    def _make_door(self, config: Config) -> OrderDoor:
        by_number: Mapping[int, Instrument] = {row.instrument: row for row in self.instruments}
        venue = BinanceSpotOrders(HmacSigner("key", "s" * 64), config.venue, by_number, ACCOUNT, VENUE)
        identity = Identity(0, ACCOUNT, VENUE, self.epoch)
        door = OrderDoor("ws://venue.test", venue, identity, self.journal, VenueTime(), self.clock.now_ns)
        door._socket, door._subscribed = self.wire, True  # type: ignore[assignment]  # as after a logon
        return door

    def actor(self, name: str) -> Any:
        return next(actor for actor in self.actors if actor.name == name)

    def post(self, *messages: Message) -> None:
        for message in messages:
            self.host.post(message)
            self.host.run(1_000)

    def wait(self, ms: float) -> None:
        """Let time pass, timer by timer."""
        until = self.clock.now_ns() + int(ms * MS)
        while (next_ns := self.timers.next_ns()) is not None and next_ns <= until:
            self.clock.set(max(next_ns, self.clock.now_ns()))
            self.post(*self.timers.due(self.clock.now_ns()))
        self.clock.set(until)

    def said(self, kind: type[Message]) -> list[Any]:
        """Every message of one type that any mailbox carried, each once, in order."""
        seen: list[Any] = []
        for _, message in self.tap.carried:
            if type(message) is kind and (not seen or seen[-1] is not message) and message not in seen:
                seen.append(message)
        return seen

    def story(self) -> list[str]:
        """`receiver < Message` for everything carried since `forget`, in order."""
        return [f"{receiver} < {type(message).__name__}" for receiver, message in self.tap.carried]

    def forget(self) -> None:
        self.tap.carried.clear()
        self.asked.clear()
        self.wire.written.clear()

    def alerts(self) -> list[str]:
        return [message.event for message in self.asked if isinstance(message, Alert)]

    # -- the outside ----------------------------------------------------------------------------------------------

    def start(self, balances: tuple[Balance, ...] = ()) -> None:
        """From nothing to trading: instrument, epoch, private stream, an empty account, a book."""
        self.begin()
        self.post(PrivateStreamUp(ACCOUNT, 1, self.clock.now_ns()))
        self.answer_queries(balances)
        self.post(ConnectionUp(0, 1, self.clock.now_ns()))

    def begin(self) -> None:
        """The first inputs of a run: instruments, its term, and its beginning."""
        term = self.coordination.begin(ACCOUNT, self.epoch)
        self.post(*self.instruments, *term, EngineStarted(ACCOUNT, self.epoch))

    def answer_queries(self, balances: tuple[Balance, ...] = (), **found: tuple[Any, ...]) -> None:
        """Answer every account query until none is asked: nothing open, nothing traded, these balances.

        `found` holds reports by query kind: OPEN_ORDERS=(...), TRADES=(...), ORDER=(...).
        """
        for _ in range(50):
            queries = [message for message in self.asked if isinstance(message, VenueQuery)]
            if not queries:
                return
            self.asked = [message for message in self.asked if not isinstance(message, VenueQuery)]
            for query in queries:
                self.clock.advance(MS)
                self.post(self._answer(query, balances, found.get(query.kind.name, ())))
        raise AssertionError("the engine asks for ever")

    def _answer(self, query: VenueQuery, balances: tuple[Balance, ...], reports: tuple[Any, ...]) -> QueryAnswer:
        if query.kind is QueryKind.ORDER and query.client_order_id:
            reports = tuple(row for row in reports if row.client_order_id == query.client_order_id)
        elif query.venue_order_id:
            reports = tuple(row for row in reports if row.venue_order_id == query.venue_order_id)
        asked_ns = self.clock.now_ns() - MS
        return QueryAnswer(
            actor=query.actor,
            counter=query.counter,
            generation=query.generation,
            outcome=Outcome.RESULT,
            kind=query.kind,
            instrument=query.instrument,
            client_order_id=query.client_order_id,
            asked_ns=asked_ns,
            received_ns=self.clock.now_ns(),
            reason="",
            found=bool(reports) or query.kind is not QueryKind.ORDER,
            complete=True,
            reports=reports,
            balances=balances if query.kind is QueryKind.BALANCES else (),
        )

    def frame(self, stream: str, **data: Any) -> bytes:
        """A combined-stream frame's bytes."""
        return json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode()

    def depth(self, first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
        return self.frame(
            "btcusdt@depth@100ms",
            e="depthUpdate",
            E=self.clock.now_ns() // MS,
            s="BTCUSDT",
            U=first,
            u=last,
            b=bids,
            a=asks,
        )

    def receive(self, payload: bytes) -> None:
        """A frame on the market data connection."""
        self.post(Frame(0, self.clock.now_ns(), payload))

    def answer_snapshot(self, last: int, bids: list[list[str]], asks: list[list[str]]) -> None:
        """Answer the one outstanding snapshot request."""
        [request] = [message for message in self.asked if isinstance(message, SnapshotRequest)]
        self.asked.remove(request)
        body = json.dumps({"lastUpdateId": last, "bids": bids, "asks": asks}).encode()
        head = (request.actor, request.counter, request.generation, Outcome.RESULT, request.instrument)
        self.post(SnapshotAnswer(*head, self.clock.now_ns(), "", body))

    def venue_says(self, payload: dict[str, Any]) -> None:
        """A frame on the order door's connection."""
        self.door._on_frame(json.dumps(payload).encode())
        self.host.run(1_000)

    def checkpoints_asked(self) -> list[TakeCheckpoint]:
        return [message for message in self.asked if isinstance(message, TakeCheckpoint)]


def encoded(message: msgspec.Struct) -> bytes:
    return msgspec.msgpack.encode(message)


__all__ = ["BTC", "CONFIG", "MS", "START_NS", "TYPE_OF_TAG", "House", "Journal", "Tap", "Wire", "encoded"]
