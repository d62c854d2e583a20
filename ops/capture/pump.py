"""Runs market data and orderbook to completion in virtual time: the smallest host that can rebuild a book."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from actors.market_data import MarketData
from actors.orderbook import Orderbook
from bus.messages import (
    BestQuote,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    Frame,
    Instrument,
    Message,
    SetTimer,
    SnapshotAnswer,
    SnapshotRequest,
    TimerFired,
    TradePrint,
)

NEVER_NS = 1 << 62


Receiver = Callable[[Any, int], tuple[Message, ...]]
"""As an actor's `receive`."""


class Pump:
    """requests: outstanding snapshot requests by instrument. updated, loaded: told of what the orderbook has taken.

    listeners: what else receives a kind of message, after the two actors; of TimerFired, those that are not for market data.
    """

    def __init__(
        self,
        market_data: MarketData,
        orderbook: Orderbook,
        updated: Callable[[DepthUpdate], None],
        loaded: Callable[[DepthSnapshot], None],
        listeners: Mapping[type[Message], Receiver],
    ) -> None:
        self.now_ns = 0
        self.requests: dict[int, SnapshotRequest] = {}
        self.timers: dict[tuple[str, int], SetTimer] = {}
        self._next_ns = NEVER_NS
        self._market_data = market_data
        self._orderbook = orderbook
        self._updated = updated
        self._loaded = loaded
        feeds, books = market_data.handlers, orderbook.handlers
        self._routes: dict[type[Message], tuple[Receiver, ...]] = {
            **{kind: (feeds[kind],) for kind in (Frame, SnapshotAnswer, ConnectionUp, ConnectionDown)},
            **{kind: (books[kind], feeds[kind]) for kind in (Instrument, BookStateChanged)},
            **{kind: (books[kind],) for kind in (TradePrint, BestQuote)},
            TimerFired: (self._timer_fired,),
            DepthSnapshot: (self._depth_snapshot,),
            DepthUpdate: (self._depth_update,),
            SnapshotRequest: (self._request,),
            SetTimer: (self._set_timer,),
        }
        self._other_timers = listeners.get(TimerFired)
        for kind, listener in listeners.items():
            if kind is not TimerFired:
                self._routes[kind] = (*self._routes.get(kind, ()), listener)

    def advance(self, now_ns: int) -> None:
        """Time never goes back, though records may; due timers fire first."""
        if now_ns > self.now_ns:
            self.now_ns = now_ns
        while self._next_ns <= self.now_ns:
            self.fire(*min(self.timers, key=lambda timer: self.timers[timer].fires_ns))

    def fire(self, actor: str, counter: int) -> None:
        """Fire a timer, due or not; nothing when there is none."""
        timer = self.timers.pop((actor, counter), None)
        self._next_ns = min((other.fires_ns for other in self.timers.values()), default=NEVER_NS)
        if timer is not None:
            self.post(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))

    def post(self, message: Message) -> None:
        """One input and its whole cascade. What nobody here takes (touches, alerts) is left."""
        routes, now_ns = self._routes, self.now_ns
        queue: deque[Message] = deque()
        while True:
            for receive in routes.get(type(message), ()):
                queue += receive(message, now_ns)
            if not queue:
                return
            message = queue.popleft()

    def _depth_update(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        assert isinstance(message, DepthUpdate)
        emitted = self._orderbook.receive(message, now_ns)
        self._updated(message)
        return emitted

    def _depth_snapshot(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        assert isinstance(message, DepthSnapshot)
        emitted = self._orderbook.receive(message, now_ns)
        self._loaded(message)
        return emitted

    def _request(self, message: Message, _now_ns: int) -> tuple[Message, ...]:
        assert isinstance(message, SnapshotRequest)
        self.requests[message.instrument] = message
        return ()

    def _timer_fired(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        assert isinstance(message, TimerFired)
        if message.actor == self._market_data.name:
            return self._market_data.receive(message, now_ns)
        assert self._other_timers is not None, "who set a timer listens for it"
        return self._other_timers(message, now_ns)

    def _set_timer(self, message: Message, _now_ns: int) -> tuple[Message, ...]:
        assert isinstance(message, SetTimer)
        self.timers[message.actor, message.counter] = message
        self._next_ns = min(self._next_ns, message.fires_ns)
        return ()
