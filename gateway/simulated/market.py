"""The generated market: order flow, books and their streams under one roof; and what every market offers the doors."""

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heapreplace
from typing import Protocol

from .connection import Clock
from .core.book import PriceTimeBook, TopOfBook
from .core.errors import invalid_symbol
from .core.filters import TRADING, SymbolRules
from .core.matching import MatchingEngine
from .core.orders import BACKGROUND, AccountId, Execution, NewOrder, OrderType, PublicTrade, Side
from .crowd.flow import OrderFlow
from .crowd.profiles import SymbolProfile
from .crowd.regimes import Regime
from .flow_clock import FlowClock
from .payload import Levels
from .streams import StreamHub
from .tape import AggregateTrade, Tape

DEPTH_NS = (100_000_000, 1_000_000_000)  # cadences of @depth@100ms and @depth
LAG_NS_MAX = 1_000_000_000  # chosen: after a longer stall the flow skips ahead instead of catching up in a burst
STEPS_AT_ONCE_MAX = 100  # chosen: about 5 ms; the doors get the event loop back at least this often
BURST_S = 0.001  # chosen: as fast as possible, the doors get the event loop back this often
HALT_LOOK_NS = 100_000_000  # chosen: how often the crowd of a halted symbol looks whether it may go on
STEPS_BETWEEN_LOOKS = 10  # chosen: at the clock, within a burst


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
        """Send the changes of `cadence`, an index of the market's depth cadences; nothing while the book is quiet."""


class Market(Protocol):
    """What the doors need of a market, generated or replayed."""

    engine: MatchingEngine
    hub: StreamHub
    users: Users
    tape: Tape
    flowing: asyncio.Event
    """Set while the background moves."""
    ended: asyncio.Event
    """Set when there is nothing more to come: at the end of a replay, never for a crowd."""

    def rules(self) -> list[SymbolRules]: ...

    def depth(self, symbol: str, limit: int) -> tuple[int, Levels, Levels]: ...

    def top(self, symbol: str) -> TopOfBook: ...

    def publish(self, now_ns: int) -> None:
        """Send out all that the last commands did."""

    def background_order(self, symbol: str, side: Side, quantity: int, now_ns: int) -> int:
        """Send a market order by the crowd; return what it executed."""

    def set_regime(self, regime: Regime | None, symbol: str | None = None) -> None:
        """From now on, for one symbol or all; None: as scheduled. Raises VenueError for a symbol that is not traded, and
        where the background is no crowd.
        """

    def regimes(self) -> dict[str, Regime]:
        """Return the present one of each symbol; none where the background is no crowd."""

    async def run(self) -> None:
        """Move the background until canceled."""


class GeneratedMarket:
    """`open_publisher` makes a symbol's publisher: the streams of the face this market is for, as are `hub` (spot's unless given)
    and `depth_ns`, the cadences of its depth streams.

    `speed`: how many times faster than the venue's clock the crowd lives; `regime`: of every symbol, None: as scheduled.
    """

    def __init__(
        self,
        engine: MatchingEngine,
        profiles: list[SymbolProfile],
        seed: int,
        clock: Clock,
        users: Users,
        open_publisher: Callable[[str, PriceTimeBook, StreamHub], Publisher],
        *,
        hub: StreamHub | None = None,
        depth_ns: tuple[int, ...] = DEPTH_NS,
        speed: float = 1.0,
        regime: Regime | None = Regime.CALM,
    ) -> None:
        self.engine = engine
        self.hub = StreamHub([p.rules.symbol for p in profiles]) if hub is None else hub
        self.users = users
        self.events = 0
        self._open_publisher = open_publisher
        self.tape = Tape()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.ended = asyncio.Event()
        self._clock = clock
        self._books: dict[str, PriceTimeBook] = {}
        self._publishers: dict[str, Publisher] = {}
        self._flows: dict[str, OrderFlow] = {}
        now_ns = clock()
        self._flow_clock = FlowClock(speed, now_ns)
        self._depth_ns = depth_ns
        self._flushed_ns = [now_ns] * len(depth_ns)
        self._advanced_ns = now_ns
        for profile in profiles:
            self._open(profile, seed, now_ns)
        self.set_regime(regime)
        # Whose event is next; the order of symbols decides between equals.
        self._due = [(flow.next_ns, index, symbol) for index, (symbol, flow) in enumerate(self._flows.items())]
        heapify(self._due)

    def _open(self, profile: SymbolProfile, seed: int, now_ns: int) -> None:
        symbol = profile.rules.symbol
        book = self._books[symbol] = PriceTimeBook(symbol, cadences=len(self._depth_ns))
        self.engine.list_instrument(profile.rules, book)
        flow = self._flows[symbol] = OrderFlow(self.engine, book, profile, seed)
        flow.fill_book(now_ns)
        self.engine.drain()
        for batch in book.batches:
            batch.clear(book.update_id)
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

    # ---- the crowd's mood

    def set_regime(self, regime: Regime | None, symbol: str | None = None) -> None:
        if symbol is not None:
            self._book(symbol)
        for name, flow in self._flows.items():
            if symbol in (None, name):
                flow.set_regime(regime)

    def regimes(self) -> dict[str, Regime]:
        return {symbol: flow.regime for symbol, flow in self._flows.items()}

    # ---- what happened goes out

    def publish(self, now_ns: int) -> None:
        self._publish(now_ns, {})

    def _publish(self, now_ns: int, touched_symbols: dict[str, None]) -> None:
        """Look only at the books that can have changed: those named, and those of the orders and trades there were."""
        executions, trades, touched = self.engine.drain()
        if executions:
            self.users.publish_executions(executions, now_ns)
            touched_symbols.update((execution.order.symbol, None) for execution in executions)
        if touched:
            self.users.publish_balances(touched, now_ns)
        if trades:
            for trade in trades:
                self._publishers[trade.symbol].publish_trade(trade, now_ns)
                touched_symbols[trade.symbol] = None
            for aggregate in self.tape.add(trades):
                self._publishers[aggregate.symbol].publish_aggregate(aggregate, now_ns)
        for symbol in touched_symbols:
            self._publishers[symbol].publish_top(now_ns)

    def background_order(self, symbol: str, side: Side, quantity: int, now_ns: int) -> int:
        self._book(symbol)
        order = self.engine.place(NewOrder(BACKGROUND, symbol, "", side, OrderType.MARKET, quantity), now_ns)
        return order.executed

    # ---- time

    async def run(self) -> None:
        while True:
            if self._flow_clock.is_unbounded and self.flowing.is_set():
                self._burst()
                await asyncio.sleep(0)
                continue
            self.advance(self._clock())
            await asyncio.sleep(max(0.0, (self.due_ns() - self._clock()) / 1e9))

    def due_ns(self) -> int:
        """Return when `advance` has something to do, by the venue's clock."""
        due_ns = min(flushed + period for flushed, period in zip(self._flushed_ns, self._depth_ns, strict=True))
        if self.flowing.is_set():
            due_ns = min(due_ns, self._flow_clock.venue_ns(self._due[0][0]))
        return due_ns

    def advance(self, now_ns: int) -> None:
        """Do what is due by `now_ns`, at most STEPS_AT_ONCE_MAX events: the crowd's orders, then the depth batches.

        A clock that was set back (a fault may) stops nothing: what was due is due from now on.
        """
        if now_ns < self._advanced_ns:
            self._flow_clock.resume(now_ns, self._due[0][0])
        self._advanced_ns = now_ns
        if self.flowing.is_set():
            self._catch_up(now_ns)
        self._flush(now_ns)

    def _catch_up(self, now_ns: int) -> None:
        first_ns = self._due[0][0]
        if now_ns - self._flow_clock.venue_ns(first_ns) > LAG_NS_MAX:
            self._flow_clock.resume(now_ns - LAG_NS_MAX, first_ns)
        until_ns = self._flow_clock.flow_ns(now_ns)
        for _ in range(STEPS_AT_ONCE_MAX):
            if self._due[0][0] > until_ns:
                return
            self._step(now_ns)

    def _burst(self) -> None:
        """As much as can be done in BURST_S, whatever time it is for the crowd. (A loop's own time may stand still in a turn.)"""
        until_s = time.monotonic() + BURST_S
        while time.monotonic() < until_s:
            now_ns = self._clock()
            for _ in range(STEPS_BETWEEN_LOOKS):
                self._step(now_ns)
            self._flow_clock.resume(now_ns, self._due[0][0])
        self._flush(self._clock())

    def _step(self, now_ns: int) -> None:
        flow_ns, index, symbol = self._due[0]
        flow = self._flows[symbol]
        if self.engine.instruments[symbol].rules.status == TRADING:
            flow.step(min(now_ns, self._flow_clock.venue_ns(flow_ns)))
        else:
            flow.next_ns += HALT_LOOK_NS
        heapreplace(self._due, (flow.next_ns, index, symbol))
        self.events += 1
        self._publish(now_ns, {symbol: None})

    def _flush(self, now_ns: int) -> None:
        for cadence, period_ns in enumerate(self._depth_ns):
            if not 0 <= now_ns - self._flushed_ns[cadence] < period_ns:
                self._flushed_ns[cadence] = now_ns
                for publisher in self._publishers.values():
                    publisher.flush_depth(cadence, now_ns)
