"""A whole world on one virtual clock: the engine in memory, the simulated venue's own core, and the lines between them.

Real on both sides: the actors, the order door and its codec here; matching, ledger, signatures and payloads there. Only
the sockets are replaced, by lines with seeded delays that may lose an answer, say a thing twice, or break. The same seed
is the same run, to the byte.
"""

import heapq
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from bus.mailbox import Mailboxes
from bus.messages import (
    CheckpointTaken,
    ClockEstimate,
    ConnectionDown,
    ConnectionUp,
    Frame,
    Instrument,
    Message,
    OrdersQuiet,
    Outcome,
    PrivateStreamUp,
    QueryAnswer,
    SnapshotAnswer,
    SnapshotRequest,
    StopRequested,
    TakeCheckpoint,
    VenueQuery,
)
from gateway.binance_spot.market import BinanceSpot
from gateway.binance_spot.queries import decode_query
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_spot.symbols import read_instruments
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import AccountId
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.crowd.profiles import SymbolProfile, profile
from gateway.simulated.desk import Desk
from gateway.simulated.evidence import Evidence
from gateway.simulated.faults.clock import VenueClock
from gateway.simulated.faults.engine import FaultEngine
from gateway.simulated.faults.spec import Specs, fault
from gateway.simulated.limits import RequestLimits
from gateway.simulated.market import GeneratedMarket
from gateway.simulated.operations import NOBODY, Call, Proof
from gateway.simulated.payload import TimeUnit, encode
from gateway.simulated.signing import Credential, KeyRing
from gateway.simulated.spot.api import VenueApi
from gateway.simulated.spot.faulted import faulted_face
from gateway.simulated.spot.market_payloads import exchange_info
from gateway.simulated.spot.publisher import BookPublisher
from gateway.simulated.spot.session import Session
from gateway.simulated.spot.table import OPERATIONS, ROUTES
from gateway.simulated.spot.user_streams import UserStreams
from gateway.simulated.spot.websocket_api import WebSocketApiClient
from gateway.simulated.streams import StreamClient
from ops.assembly import ACCOUNT, VENUE
from ops.binance import SPOT, BinanceRest
from ops.config import decimal_text, parse
from ops.sections import Config
from tests.support.house import MS, START_NS, House, Wire

SYMBOLS = ("BTCUSDT", "ETHUSDT")
CLIENT = AccountId("client")
BALANCES = {"BTC": 10, "ETH": 100, "USDT": 1_000_000}
BACKGROUND_NS = 20 * MS
SECOND_NS = 1_000 * MS
QUEUED_MAX = 20_000

CONFIG = """
[venue]
kind = "binance-spot"
rest = "http://venue.test"
streams = "ws://venue.test"
websocket_api = "ws://venue.test/ws-api/v3"
snapshot_levels = 500

[[instrument]]
symbol = "BTCUSDT"
order_max = "0.01"
position_max = "0.02"
position_min = "-0.02"

[[instrument]]
symbol = "ETHUSDT"
order_max = "0.1"
position_max = "0.2"
position_min = "-0.2"

[strategy.parameters]
quantity_lots = 100
max_position_lots = 1000
min_position_lots = -1000
skew_ticks = 1.0
"""
"""As `touchline demo` writes it."""


class Faults(msgspec.Struct, frozen=True):
    """Probabilities, each of one event. cut_s: mean seconds between two cuts of a connection or holes in a book, 0:
    never. Delays in ms."""

    lose_answer: float = 0.0
    lose_request: float = 0.0
    say_twice: float = 0.0
    fail_query: float = 0.0
    cut_s: float = 0.0
    delay_ms: tuple[float, float] = (1.0, 5.0)


NONE = Faults()
ROUGH = Faults(lose_answer=0.05, lose_request=0.03, say_twice=0.1, fail_query=0.1, cut_s=4.0, delay_ms=(0.5, 60.0))

LONG = Faults(lose_answer=0.05, lose_request=0.03, say_twice=0.1, fail_query=0.1, cut_s=15.0, delay_ms=(0.5, 60.0))
"""Bad lines that leave time to trade between two cuts."""


class Line:
    """The venue's end of one connection to us: what it sends comes later, in order, or not at all once it is cut.

    up: what the venue sends still comes to us. reaches: what we sent still comes to the venue; bytes that a killed
    process left to its kernel do.
    """

    address = "127.0.0.1"

    def __init__(self, world: "World", deliver: Callable[[bytes], None]) -> None:
        self.connected_ns = world.now_ns
        self.up = True
        self.reaches = True
        self._world, self._deliver, self._last_ns = world, deliver, 0

    def send(self, payload: bytes) -> None:
        """Answers (they begin with their id) may be lost, events may come twice."""
        world = self._world
        answer = payload.startswith(b'{"id":')
        if answer and world.chance(world.faults.lose_answer):
            return
        times = 2 if not answer and b"executionReport" in payload and world.chance(world.faults.say_twice) else 1
        for _ in range(times):
            self._last_ns = max(self._last_ns, world.now_ns + world.delay_ns())
            world.at(self._last_ns, lambda: self._arrive(payload))

    def _arrive(self, payload: bytes) -> None:
        if self.up:
            self._deliver(payload)


class WorldWire(Wire):
    """The engine's end of the order connection: what it writes reaches the venue later, in order, or is lost."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world, self._last_ns = world, 0

    def write(self, payload: bytes) -> None:
        world, client, line = self._world, self._world.client, self._world.orders
        if world.chance(world.faults.lose_request):
            return
        self._last_ns = max(self._last_ns, world.now_ns + world.delay_ns())
        text = payload.decode()
        world.at(self._last_ns, lambda: client.handle(text) if line.reaches else None)

    def write_all(self, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            self.write(payload)

    def abort(self, reason: str) -> None:
        self._world.cut_orders(reason)


class World:
    """One run. `run` lets time pass; `house` is the engine, `matching` the venue's truth."""

    def __init__(
        self,
        seed: int = 1,
        faults: Faults = NONE,
        mailboxes: Mailboxes | None = None,
        *,
        tapped: bool = False,
        config: str = CONFIG,
        change: Callable[[Config], Config] = lambda config: config,
    ) -> None:
        self.seed, self.faults = seed, faults
        self.begun = False
        self.random = Random(f"world:{seed}")
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0
        profiles = [found for symbol in SYMBOLS if (found := profile(symbol)) is not None]
        first, *more = instruments(profiles)
        self.house = House(config, mailboxes, first, change=change, more=more, tapped=tapped)
        self.clock = self.house.clock
        self._open_venue(profiles)
        by_number = {row.instrument: row for row in self.house.instruments}
        self.rest = BinanceRest(SPOT, HmacSigner("key", "s" * 64), parse(config).venue, by_number)
        self.house.wire = self.wire = WorldWire(self)
        self.house.door._socket, self.house.door._subscribed = None, False
        self.feed_generation = 0
        self.requests_failed = 0
        self.cuts = 0
        self.cutting = faults.cut_s > 0

    def _open_venue(self, profiles: Sequence[SymbolProfile]) -> None:
        self.matching = MatchingEngine(SpotSettlement(Ledger()))
        users = UserStreams(self.matching)
        self.market = GeneratedMarket(self.matching, list(profiles), self.seed, self.clock.now_ns, users, BookPublisher)
        self.matching.open_account(CLIENT, FeeRates())
        for asset, amount in BALANCES.items():
            self.matching.ledger.deposit(CLIENT, asset, amount * 10**8)
        evidence = Evidence()
        self.api = VenueApi(self.market, users, (CLIENT,), evidence)
        limits, clock = RequestLimits(), VenueClock(self.clock.now_ns)
        self.venue_faults = FaultEngine(
            clock, lambda wait_ns, action: self.at(self.now_ns + wait_ns, action), self.seed
        )
        self.desk = Desk("spot", self.api, self.market, limits, self.venue_faults, evidence, self.clock.now_ns)
        self.venue_faults.open(faulted_face(self.api, self.market, users, limits, lambda: []))
        self.keys = KeyRing()
        self.keys.add("key", Credential(CLIENT, b"s" * 64, None))

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return self.clock.now_ns()

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._events, (at_ns, self._order, action))
        assert len(self._events) < QUEUED_MAX, "somebody talks without end"

    def later(self, ms: float, action: Callable[[], None]) -> None:
        self.at(self.now_ns + int(ms * MS), action)

    def _in_this_life(self, ms: float, action: Callable[[], None]) -> None:
        """`later`, unless the engine has been killed by then."""
        house = self.house
        self.later(ms, lambda: action() if self.house is house else None)

    def delay_ns(self) -> int:
        low, high = self.faults.delay_ms
        return int(self.random.uniform(low, high) * MS)

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let that long pass, or less when `until` holds. Returns whether it did."""
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while not until():
            due = [ns for ns in (self.house.timers.next_ns(), self._events[0][0] if self._events else None) if ns]
            if not due or min(due) > end_ns:
                self.clock.set(end_ns)
                return until()
            self.clock.set(max(min(due), self.now_ns))
            self.house.post(*self.house.timers.due(self.now_ns))
            while self._events and self._events[0][0] <= self.now_ns:
                heapq.heappop(self._events)[2]()
            self._serve()
        return True

    # -- the engine's run -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """As the engine starts: what is traded, the epoch, the venue's clock; then its connections open."""
        self._background()
        self._sweep()
        if self.cutting:
            self._plan_cut()
        self.begin()

    def begin(self) -> None:
        """What each process does first."""
        self.begun = True
        house = self.house
        self._in_this_life(5, self.connect_orders)
        self._in_this_life(7, self.connect_feed)
        house.post(ClockEstimate(VENUE, 0, MS))
        house.begin()

    def stop(self, reason: str = "the test is over") -> None:
        self.cutting = False
        self.house.post(StopRequested(reason, self.now_ns + 60 * SECOND_NS))

    def is_ready(self) -> bool:
        return bool(self.house.actor("orders").view()["phase"] == "READY")

    def finish(self) -> bool:
        """Stop, and let what is left to do be done. False: it does not come to an end."""
        self.stop()
        return self.run(90.0, self.is_quiet)

    def is_quiet(self) -> bool:
        return any(isinstance(message, OrdersQuiet) for message in self.house.asked)

    def connect_orders(self) -> None:
        """A new connection: subscribe first, then reports flow."""
        house = self.house
        door = house.door
        self.orders = Line(self, self._hear)
        self.client = WebSocketApiClient(
            self.orders,  # type: ignore[arg-type]  # a line has what the client uses of a Connection
            self.desk,
            self.api,
            self.keys,
            self.clock.now_ns,
            lambda authenticate: Session(
                self.orders,  # type: ignore[arg-type]  # as above
                self.api.users,
                authenticate,
                TimeUnit.MILLISECOND,
                returns_limits=True,
            ),
        )
        self.wire._last_ns = 0
        self.client.handle(door._venue.subscribe(self.now_ns // MS).decode())
        door._socket, door._subscribed = self.wire, True  # type: ignore[assignment]  # as after a logon
        door.generation += 1
        house.post(PrivateStreamUp(ACCOUNT, door.generation, self.now_ns))

    def cut_orders(self, reason: str = "cut") -> None:
        """The connection breaks: what was on its way in either direction is gone."""
        if not self.orders.up:
            return
        self.cuts += 1
        self.orders.up = self.orders.reaches = False
        self.client.leave()
        self.house.door._on_close(reason)
        self.house.host.run(1_000)
        self._in_this_life(self.random.uniform(50, 1_500), self.connect_orders)

    def connect_feed(self) -> None:
        self.feed = Line(self, lambda payload: self.house.post(Frame(0, self.now_ns, payload)))
        self.reader = StreamClient(self.feed, self.market.hub, is_combined=True)  # type: ignore[arg-type]  # as above
        names = [symbol.lower() for symbol in SYMBOLS]
        self.reader.subscribe(f"{name}@{kind}" for name in names for kind in ("depth@100ms", "bookTicker", "trade"))
        self.feed_generation += 1
        self.house.post(ConnectionUp(0, self.feed_generation, self.now_ns))

    def cut_feed(self, reason: str = "cut") -> None:
        if not self.feed.up:
            return
        self.cuts += 1
        self.feed.up = False
        self.reader.leave()
        self.house.post(ConnectionDown(0, self.feed_generation, reason))
        self._in_this_life(self.random.uniform(20, 800), self.connect_feed)

    def lose_frame(self) -> None:
        """The venue leaves one diff out: a hole in the sequence of one book."""
        symbol = self.random.choice(SYMBOLS)
        self.venue_faults.set(Specs((fault(kind="market-drop", symbol=symbol, stream="depth", count=1),)))

    def person(self, symbol: str, side: str, quantity: str, client_order_id: str, price: str = "") -> dict[str, Any]:
        """Somebody trades by hand on our account: a market order, or a limit order at `price`. Returns the venue's answer."""
        params = {"symbol": symbol, "side": side, "type": "LIMIT" if price else "MARKET", "quantity": quantity}
        params |= {"newClientOrderId": client_order_id, "newOrderRespType": "FULL"}
        params |= {"price": price, "timeInForce": "GTC"} if price else {}
        operation = OPERATIONS[ROUTES["POST", "/api/v3/order"]]
        answer: Any = operation.run(self.api, Call(CLIENT, params, self.now_ns))
        self.market.publish(self.now_ns)
        return dict(answer)

    def take(self, symbol: str, side: Any, quantity: int) -> int:
        """The crowd sends a market order; quantity in 10^-8. Returns what it executed."""
        executed = self.market.background_order(symbol, side, quantity, self.now_ns)
        self.market.publish(self.now_ns)
        return executed

    def _hear(self, payload: bytes) -> None:
        self.house.door._on_frame(payload)
        self.house.host.run(1_000)

    def _background(self) -> None:
        self.market.advance(self.now_ns)
        self.at(self.now_ns + BACKGROUND_NS, self._background)

    def _sweep(self) -> None:
        """What the door's own watch does: give up on overdue answers, and on a suspected stream."""
        self.at(self.now_ns + SECOND_NS // 2, self._sweep)
        self.house.door._sweep(self.now_ns - 10 * SECOND_NS, "no answer in 10 s")
        self.house.door._renew_if_due(self.now_ns)
        self.house.host.run(1_000)

    def _plan_cut(self) -> None:
        def cut() -> None:
            if self.cutting:
                self._plan_cut()
                self.random.choices((self.cut_orders, self.cut_feed, self.lose_frame), (5, 3, 2))[0]()

        self.later(self.random.expovariate(1 / self.faults.cut_s) * 1_000, cut)

    # -- the REST side --------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Requests to the REST door and the checkpoint writer get their one answer each, later."""
        asked, self.house.asked = self.house.asked, []
        for message in asked:
            if isinstance(message, VenueQuery | SnapshotRequest):
                self._request(message, self.now_ns)
            elif isinstance(message, TakeCheckpoint):
                self._checkpoint(self.house)
            else:
                self.house.asked.append(message)

    def _request(self, request: VenueQuery | SnapshotRequest, asked_ns: int) -> None:
        house = self.house
        self.at(asked_ns + self.delay_ns(), lambda: self._reach(house, request, asked_ns))

    def _checkpoint(self, house: House) -> None:
        """As if the writer had written it."""
        taken = CheckpointTaken(house.host.offset, 1_000, MS, "")
        self._in_this_life(3, lambda: house.post(taken))

    def _reach(self, house: House, request: VenueQuery | SnapshotRequest, asked_ns: int) -> None:
        """The request is at the venue; its answer is of this moment and arrives later, if the asker still lives."""
        status, body = (503, b"") if self.chance(self.faults.fail_query) else self._ask(request)
        self.requests_failed += status == 503

        def arrive() -> None:
            if house is not self.house:
                return
            if isinstance(request, SnapshotRequest):
                house.post(self._snapshot(request, status, body))
            else:
                house.post(self._query(request, status, body, asked_ns))

        self.at(self.now_ns + self.delay_ns(), arrive)

    def _ask(self, request: VenueQuery | SnapshotRequest) -> tuple[int, bytes]:
        """The real path and its parameters, through the venue's own table of operations."""
        if isinstance(request, SnapshotRequest):
            path = BinanceSpot().snapshot_path(request.venue_symbol, request.levels)
        else:
            path = self.rest.query_path(request, self.now_ns // MS)
        route, _, query = path.partition("?")
        operation, params = OPERATIONS[ROUTES["GET", route]], dict(parse_qsl(query))
        try:
            account = NOBODY if operation.proof is Proof.NONE else CLIENT
            return 200, encode(operation.run(self.api, Call(account, params, self.now_ns)))
        except VenueError as error:
            return error.status, encode({"code": error.code, "msg": error.message})

    def _snapshot(self, request: SnapshotRequest, status: int, body: bytes) -> SnapshotAnswer:
        good = status == 200
        head = (request.actor, request.counter, request.generation, Outcome.RESULT if good else Outcome.AMBIGUOUS)
        return SnapshotAnswer(*head, request.instrument, self.now_ns, "" if good else "503", body if good else b"")

    def _query(self, query: VenueQuery, status: int, body: bytes, asked_ns: int) -> QueryAnswer:
        return decode_query(query, status, body, asked_ns, self.now_ns, tuple(self.house.instruments))

    # -- what is true ---------------------------------------------------------------------------------------------

    def venue_ledger(self) -> dict[str, str]:
        """Asset -> what the venue has of ours, as decimal text."""
        ledger = self.matching.ledger
        return {
            asset: decimal_text(ledger.free[CLIENT][asset] + ledger.locked[CLIENT][asset], 8)
            for asset in ledger.assets(CLIENT)
        }

    def our_ledger(self) -> dict[str, str]:
        totals = self.house.actor("portfolio").view()["ledger"]
        return {asset: decimal_text(units, 8) for asset, units in sorted(totals.items())}

    def working_at_venue(self) -> list[str]:
        return [order.client_order_id for order in self.matching.registry.open_orders(CLIENT)]

    def digest(self) -> tuple[int, int]:
        """Of everything sent, and how many inputs caused it."""
        return self.house.host.digest, self.house.host.offset


def instruments(profiles: Sequence[SymbolProfile]) -> list[Instrument]:
    """Read off the venue's own exchangeInfo, as a start does."""
    body = encode(exchange_info([row.rules for row in profiles], START_NS))
    return list(read_instruments(body, [row.rules.symbol for row in profiles], account=ACCOUNT, venue=VENUE))


def encoded(message: Message) -> bytes:
    return msgspec.msgpack.encode(message)
