"""The generated market: order flow, books and their streams under one roof; and what every market offers the doors."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from .connection import Clock
from .core.book import PriceTimeBook, TopOfBook
from .core.errors import invalid_symbol
from .core.filters import SymbolRules
from .core.matching import MatchingEngine
from .core.orders import BACKGROUND, AccountId, Execution, NewOrder, OrderType, PublicTrade, Side
from .crowd.flow import OrderFlow
from .crowd.profiles import SymbolProfile
from .payload import Levels
from .streams import StreamHub
from .tape import AggregateTrade, Tape

DEPTH_NS = (100_000_000, 1_000_000_000)  # cadences of @depth@100ms and @depth
LAG_NS_MAX = 1_000_000_000  # chosen: after a longer stall the flow skips ahead instead of catching up in a burst
STEPS_AT_ONCE_MAX = 200  # chosen: the doors get the event loop back at least this often


class Users(Protocol):
    """Who is told of the accounts' events."""

    def publish_executions(self, executions: list[Execution], now_ns: int) -> None: ...

    def publish_balances(self, touched: dict[AccountId, dict[str, None]], now_ns: int) -> None: ...

    def publish_deposit(self, account: AccountId, asset: str, amount: int, now_ns: int) -> None: ...


class Publisher(Protocol):
    """The market streams of one generated symbol."""

    def publish_trade(self, trade: PublicTrade, now_ns: int) -> None: ...

    def publish_aggregate(self, aggregate: AggregateTrade, now_ns: int) -> None:
        """What one taker order traded at one price."""

    def publish_top(self, now_ns: int) -> None:
        """To be called after every command."""

    def flush_depth(self, cadence: int, now_ns: int) -> None:
        """Send the changes of `cadence`, an index of DEPTH_NS; nothing while the book is quiet."""


class Market(Protocol):
    """What the doors need of a market, generated or replayed."""

    engine: MatchingEngine
    hub: StreamHub
    users: Users
    tape: Tape
    flowing: asyncio.Event
    """Set while the background moves."""

    def rules(self) -> list[SymbolRules]: ...

    def depth(self, symbol: str, limit: int) -> tuple[int, Levels, Levels]: ...

    def top(self, symbol: str) -> TopOfBook: ...

    def publish(self, now_ns: int) -> None:
        """Send out all that the last commands did."""

    def background_order(self, symbol: str, side: Side, quantity: int, now_ns: int) -> int:
        """Send a market order by the crowd; return what it executed."""

    async def run(self) -> None:
        """Move the background until canceled."""


class GeneratedMarket:
    """`open_publisher` makes a symbol's publisher: the streams of the face this market is for."""

    def __init__(
        self,
        engine: MatchingEngine,
        profiles: list[SymbolProfile],
        seed: int,
        clock: Clock,
        users: Users,
        open_publisher: Callable[[str, PriceTimeBook, StreamHub], Publisher],
    ) -> None:
        self.engine = engine
        self.hub = StreamHub([p.rules.symbol for p in profiles])
        self.users = users
        self._open_publisher = open_publisher
        self.tape = Tape()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._clock = clock
        self._books: dict[str, PriceTimeBook] = {}
        self._publishers: dict[str, Publisher] = {}
        self._flows: list[OrderFlow] = []
        now_ns = clock()
        self._flushed_ns = [now_ns, now_ns]
        for profile in profiles:
            self._open(profile, seed, now_ns)

    def _open(self, profile: SymbolProfile, seed: int, now_ns: int) -> None:
        symbol = profile.rules.symbol
        book = self._books[symbol] = PriceTimeBook(symbol)
        self.engine.list_instrument(profile.rules, book)
        flow = OrderFlow(self.engine, book, profile, seed)
        flow.fill_book(now_ns)
        self.engine.drain()
        for batch in book.batches:
            batch.clear(book.update_id)
        self._flows.append(flow)
        self._publishers[symbol] = self._open_publisher(symbol, book, self.hub)

    def rules(self) -> list[SymbolRules]:
        return [instrument.rules for instrument in self.engine.instruments.values()]

    def depth(self, symbol: str, limit: int) -> tuple[int, Levels, Levels]:
        return self._book(symbol).depth(limit)

    def top(self, symbol: str) -> TopOfBook:
        return self._book(symbol).top()

    def _book(self, symbol: str) -> PriceTimeBook:
        if symbol not in self._books:
            raise invalid_symbol()
        return self._books[symbol]

    def publish(self, now_ns: int) -> None:
        executions, trades, touched = self.engine.drain()
        self.users.publish_executions(executions, now_ns)
        self.users.publish_balances(touched, now_ns)
        for trade in trades:
            self._publishers[trade.symbol].publish_trade(trade, now_ns)
        for aggregate in self.tape.add(trades):
            self._publishers[aggregate.symbol].publish_aggregate(aggregate, now_ns)
        for publisher in self._publishers.values():
            publisher.publish_top(now_ns)

    def background_order(self, symbol: str, side: Side, quantity: int, now_ns: int) -> int:
        self._book(symbol)
        order = self.engine.place(NewOrder(BACKGROUND, symbol, "", side, OrderType.MARKET, quantity), now_ns)
        return order.executed

    async def run(self) -> None:
        while True:
            now_ns = self._clock()
            self.advance(now_ns)
            due_ns = min(f + d for f, d in zip(self._flushed_ns, DEPTH_NS, strict=True))
            if self.flowing.is_set():
                due_ns = min(due_ns, *(flow.next_ns for flow in self._flows))
            await asyncio.sleep(max(0.0, (due_ns - self._clock()) / 1e9))

    def advance(self, now_ns: int) -> None:
        """Do all that is due by `now_ns`: the crowd's orders, then the depth batches."""
        if self.flowing.is_set():
            self._step_flows(now_ns)
        for cadence, period_ns in enumerate(DEPTH_NS):
            if now_ns - self._flushed_ns[cadence] >= period_ns:
                self._flushed_ns[cadence] = now_ns
                for publisher in self._publishers.values():
                    publisher.flush_depth(cadence, now_ns)

    def _step_flows(self, now_ns: int) -> None:
        for flow in self._flows:
            flow.next_ns = max(flow.next_ns, now_ns - LAG_NS_MAX)
        for _ in range(STEPS_AT_ONCE_MAX):
            flow = min(self._flows, key=lambda f: f.next_ns)
            if flow.next_ns > now_ns:
                return
            flow.step()
            self.publish(now_ns)
