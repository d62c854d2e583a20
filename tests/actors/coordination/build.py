"""One coordination actor with its time, and a store that says what a test wants it to."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from actors.coordination import ALL, Coordination, CoordinationSettings
from actors.coordination.actor import CoordinationState
from bus.messages import (
    BandPublished,
    BandWanted,
    EngineStarted,
    Instrument,
    LeadershipWon,
    Message,
    OrdersReady,
    OrderStatus,
    OrderUpdate,
    Outcome,
    PeersObserved,
    PublishBand,
    Refusal,
    SetTimer,
    Side,
    TimerFired,
)

INSTRUMENT = Instrument(7, 1, 0, 0, "BTCUSDT", "BTC", "USDT", 2, 6, 8, 8, 10, 100, 1, 10**9, 1, 10**9, 0, 0, 200)
"""One tick is 10 price units."""
SETTINGS = CoordinationSettings(account=0)
MS = 1_000_000
START = 1_000_000 * MS
EVERYTHING = (ALL, 1)

M = TypeVar("M", bound=Message)


def update(key: str, side: Side, price_ticks: int, status: OrderStatus = OrderStatus.ACCEPTED) -> OrderUpdate:
    return OrderUpdate(
        1, 0, 0, 7, 1, "maker", key, 900, 1, side, price_ticks, 10, 0, 10, status, False, Refusal.NONE, 0
    )  # fmt: skip


def every(messages: Any, kind: type[M]) -> list[M]:
    return [message for message in messages if type(message) is kind]


@dataclass
class Bench:
    settings: CoordinationSettings = SETTINGS
    now_ns: int = START
    said: list[Message] = field(default_factory=list)
    timers: dict[int, SetTimer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.actor = Coordination(self.settings)

    def feed(self, *messages: Message) -> list[Message]:
        """Hand them in, in order; everything said."""
        said: list[Message] = []
        for message in messages:
            said += self.actor.receive(message, self.now_ns)
        for timer in every(said, SetTimer):
            self.timers[timer.counter] = timer
        self.said += said
        return said

    def wait(self, ns: int) -> list[Message]:
        end_ns = self.now_ns + ns
        said: list[Message] = []
        while due := [timer for timer in self.timers.values() if timer.fires_ns <= end_ns]:
            timer = min(due, key=lambda timer: (timer.fires_ns, timer.counter))
            del self.timers[timer.counter]
            self.now_ns = max(self.now_ns, timer.fires_ns)
            said += self.feed(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))
        self.now_ns = end_ns
        return said

    def restart(self) -> None:
        """A new process from this one's checkpoint."""
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.actor.checkpoint()), type=CoordinationState)
        self.actor = Coordination(self.settings)
        self.actor.restore(state)
        self.timers.clear()

    def begin(self, epoch: int = 5, peers: int = 0, bid_max: int = 0, ask_min: int = 0) -> list[Message]:
        term = LeadershipWon(0, epoch, "we")
        return self.feed(INSTRUMENT, term, PeersObserved(7, peers, bid_max, ask_min), EngineStarted(0, epoch))

    def ready(self, peers: int = 0, bid_max: int = 0, ask_min: int = 0) -> "Bench":
        """Orders are proven, and the first band is granted."""
        self.begin(5, peers, bid_max, ask_min)
        self.grant(self.feed(OrdersReady(0, 5, 0, 0, 0)))
        return self

    def want(self, side: Side, price: int, *, nearest: bool = False) -> list[Message]:
        return self.feed(BandWanted(7, int(side), price, nearest))

    def grant(self, said: list[Message]) -> list[Message]:
        return self.answer(said, Outcome.RESULT)

    def answer(self, said: list[Message], outcome: Outcome, bid_max: int = 0, ask_min: int = 0) -> list[Message]:
        """The store's word on the one band asked for among `said`."""
        [asked] = every(said, PublishBand)
        head = (asked.actor, asked.counter, asked.generation, outcome, asked.instrument)
        return self.feed(BandPublished(*head, asked.bid_max, asked.ask_min, bid_max, ask_min, ""))

    @property
    def held(self) -> tuple[int, int]:
        """What risk may use."""
        row = self.actor.view()["bands"][7]
        return row["bid_max"], row["ask_min"]


def asked_for(said: list[Message]) -> list[tuple[int, int]]:
    return [(band.bid_max, band.ask_min) for band in every(said, PublishBand)]
