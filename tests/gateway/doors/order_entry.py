"""The order door between a real journal of a test's choice and real venues: scripted ones, and the simulated one."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bus.clock import EngineClock
from bus.codec import decode_any
from bus.messages import (
    HEADER_SIZE,
    CancelOrder,
    ClockEstimate,
    Instrument,
    Message,
    RequestAnswered,
    RequestKind,
    Side,
    SubmitOrder,
)
from gateway.binance_spot.signing import HmacSigner, Signer
from gateway.doors.budget import Budget
from gateway.doors.http import Http
from gateway.doors.order import Identity, OrderDoor
from gateway.doors.order_rest import OrderRest
from gateway.doors.venue_time import VenueTime
from gateway.doors.websocket import Patience
from ops.binance import SPOT, BinanceRest
from ops.sections import VenueSection
from ops.spot import BinanceSpotOrders
from tests.gateway.doors.peers import LIMIT_S, Peer, frame, server
from tests.support.house import BTC

CLOCK = EngineClock()
EPOCH = 5
SECRET = "a-secret-that-must-never-show-anywhere"
KEY = "a-key"
PRICE_TICKS, LOTS = 5_000_000, 100  # 50,000.00 for 0.001

Reply = Callable[[dict[str, Any]], dict[str, Any] | bytes | None]
"""A request to its answer: a dict gets the request's id; bytes go out as they are; None: never answered."""


class KeptJournal:
    """A journal in memory that does what `before` does at each append."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.messages: list[Message] = []
        self.before = before

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.before()
        self.messages.append(decode_any(body[HEADER_SIZE:]))
        return len(self.messages) - 1


class Desk:
    """A door and all it said."""

    def __init__(self, door: OrderDoor, journal: KeptJournal) -> None:
        self.door, self.journal = door, journal
        self.said: list[Message] = []
        self.troubles: list[str] = []
        door.attach(self.said.append, lambda: 77)
        door.on_trouble = self.troubles.append
        self.task: asyncio.Task[None] | None = None

    def ask(self, *requests: SubmitOrder | CancelOrder) -> None:
        for request in requests:
            assert self.door.handlers[type(request)](request, CLOCK.now_ns()) == ()

    def of(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.said if type(message) is kind]

    def answers(self) -> list[tuple[RequestKind, str, str]]:
        """(request, client order id, outcome) of every answer."""
        return [(a.request, a.client_order_id, a.outcome.name) for a in self.of(RequestAnswered)]


def submit(client_order_id: str = "tl0001", **changes: Any) -> SubmitOrder:
    fields: dict[str, Any] = {
        "account": 0, "venue": 0, "instrument": 0, "version": 1, "owner": "main", "client_order_id": client_order_id,
        "epoch": EPOCH, "command": 1, "side": Side.BUY, "price_ticks": PRICE_TICKS, "quantity_lots": LOTS,
        "post_only": True, "reduce_only": False, "update_id": 1, "received_ns": 0,
        "expires_ns": CLOCK.now_ns() + 60_000_000_000,
    }  # fmt: skip
    return SubmitOrder(**(fields | changes))


def cancel(client_order_id: str = "tl0001") -> CancelOrder:
    return CancelOrder(0, 0, 0, client_order_id, client_order_id + "x1", 0, 1, 0)


@asynccontextmanager
async def desk_at(
    url: str,
    signer: Signer | None = None,
    instruments: Mapping[int, Instrument] | None = None,
    journal: KeptJournal | None = None,
    *,
    run: bool = True,
    known: ClockEstimate | None = None,
    budget: Budget | None = None,
) -> AsyncIterator[Desk]:
    """A running door at `url`. With `run` its task may still be under way: wait for what the test needs.

    known: what the engine knew of the venue's clock before it made the door. budget: of the venue's limits.
    """
    section = VenueSection("binance-spot", url, url, url)
    venue = BinanceSpotOrders(signer or HmacSigner(KEY, SECRET), section, instruments or {0: BTC}, 0, 0)
    journal = journal or KeptJournal()
    patience = Patience(LIMIT_S, LIMIT_S, LIMIT_S, 0.05)
    venue_time = VenueTime()
    if known is not None:
        venue_time.take(known)
    door = OrderDoor(url, venue, Identity(0, 0, 0, EPOCH), journal, venue_time, CLOCK.now_ns, patience, budget)
    desk = Desk(door, journal)
    for instrument in (instruments or {0: BTC}).values():
        door.handlers[Instrument](instrument, 0)
    if run:
        desk.task = asyncio.create_task(door.run())
    try:
        yield desk
    finally:
        if desk.task is not None:
            desk.task.cancel()
            await asyncio.wait([desk.task])
        if door._socket is not None:
            door._socket.abort("the test is over")
        await asyncio.sleep(0)


@asynccontextmanager
async def second_way(
    desk: Desk, url: str, signer: Signer | None = None, *, orders: bool = False
) -> AsyncIterator[Http]:
    """The same door with REST at `url` beside its session. orders: new orders go by it too."""
    section = VenueSection("binance-spot", url, url, url)
    assert isinstance(desk.door._venue, BinanceSpotOrders)
    venue = BinanceRest(SPOT, signer or HmacSigner(KEY, SECRET), section, desk.door._venue.instruments)
    http = Http(url, CLOCK.now_ns, desk.door.budget)
    await http.open()
    desk.door.use_rest(OrderRest(http, venue, CLOCK.now_ns, desk.door._time.milliseconds), for_orders=orders)
    try:
        yield http
    finally:
        desk.door.close()
        await http.close()


class ScriptedVenue:
    """Says yes to sessions and whatever `reply` says to the rest; remembers requests, one list a connection."""

    def __init__(self, reply: Reply = lambda request: None) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []
        self.peers: list[Peer] = []
        self._subscriptions = itertools.count()

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["method"] == method]

    def push(self, payload: dict[str, Any] | bytes) -> None:
        """A word on the private stream of the present connection."""
        self.peers[-1].writer.write(frame(payload if isinstance(payload, bytes) else json.dumps(payload).encode()))

    async def play(self, peer: Peer) -> None:
        await peer.handshake()
        self.peers.append(peer)
        while True:
            opcode, payload = await peer.read_frame()
            if opcode != 1:
                continue
            request = json.loads(payload)
            self.requests.append(request)
            answer = self.reply(request)
            if answer is None and request["method"].startswith("userDataStream.subscribe"):
                answer = {"status": 200, "result": {"subscriptionId": next(self._subscriptions)}}
            if isinstance(answer, dict):
                answer = json.dumps({"id": request["id"], **answer}).encode()
            if answer is not None:
                peer.writer.write(frame(answer))


@asynccontextmanager
async def scripted(reply: Reply = lambda request: None) -> AsyncIterator[tuple[ScriptedVenue, str]]:
    venue = ScriptedVenue(reply)
    async with server(venue.play) as url:
        yield venue, url
