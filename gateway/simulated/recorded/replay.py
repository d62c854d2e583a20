"""The replayed market: a capture's depth, tickers and trades go out again at their pace, and fill our clients' orders.

Update ids, trade ids and values stay as recorded; only event times are stamped anew. A symbol's streams begin with its
snapshot, so that a client can bridge from `GET /api/v3/depth`. At the end of the capture the books stand still.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from ..connection import Clock
from ..core.book import TopOfBook
from ..core.decimals import SCALE, parse_decimal
from ..core.errors import BadRequest
from ..core.filters import SymbolRules
from ..core.matching import MatchingEngine
from ..core.orders import BACKGROUND, Side
from ..crowd.regimes import Regime
from ..market import Users
from ..payload import Levels
from ..streams import StreamHub
from ..tape import Tape
from .capture import (
    Event,
    RecordedAggregate,
    RecordedDepth,
    RecordedSnapshot,
    RecordedTicker,
    RecordedTrade,
    Timed,
    read_events,
    survey,
)
from .recorded_book import RecordedBook
from .recorded_streams import RecordedStreams, keep

DEPOSIT = 10**12 * SCALE  # practically unlimited
WAIT_NS_MIN = 1_000_000  # chosen: shorter waits are not worth a timer
FRAMES_AT_ONCE_MAX = 100  # chosen: behind its pace, the replay lets the doors work this often


class ReplayMarket:
    """Raises CaptureError from the constructor when the file cannot be replayed."""

    def __init__(self, engine: MatchingEngine, path: Path, speed: float, clock: Clock, users: Users) -> None:
        found = survey(path)
        self.engine = engine
        self.hub = StreamHub(list(found.rules))
        self.users = users
        self.tape = Tape()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.ended = asyncio.Event()
        self._clock = clock
        self._speed = speed
        self._with_trades = found.with_trades
        self._books: dict[str, RecordedBook] = {}
        self._streams: dict[str, RecordedStreams] = {}
        for symbol, rules in found.rules.items():
            book = self._books[symbol] = RecordedBook()
            self._streams[symbol] = RecordedStreams(symbol, book, self.hub)
            engine.list_instrument(rules, book)
            for asset in (rules.base, rules.quote):
                engine.ledger.deposit(BACKGROUND, asset, DEPOSIT)
        self._events = read_events(path)
        self._position_ns = self._skip_to_snapshot(self._events)

    def _skip_to_snapshot(self, events: Iterator[Timed]) -> int:
        """Play up to the first snapshot at once, so that there is a book when the doors open; return its time."""
        for timed in events:
            self._play(timed.event)
            if isinstance(timed.event, RecordedSnapshot) and timed.event.symbol in self._books:
                return timed.received_ns
        raise AssertionError("the survey saw a snapshot")

    def rules(self) -> list[SymbolRules]:
        return [instrument.rules for instrument in self.engine.instruments.values()]

    def depth(self, symbol: str, limit: int) -> tuple[int, Levels, Levels]:
        return self._live(symbol).depth(limit)

    def top(self, symbol: str) -> TopOfBook:
        return self._live(symbol).top()

    def _live(self, symbol: str) -> RecordedBook:
        self.engine.instrument(symbol)
        book = self._books[symbol]
        if book.update_id is None:
            raise BadRequest(-1112, "No orders on book for symbol.")
        return book

    def publish(self, now_ns: int) -> None:
        executions, _, touched = self.engine.drain()
        self.users.publish_executions(executions, now_ns)
        self.users.publish_balances(touched, now_ns)

    def background_order(self, symbol: str, side: Side, quantity: int, now_ns: int) -> int:
        """Act on our clients' resting orders like a recorded trade at the best price; the recorded book stays."""
        top = self._live(symbol).top()
        price = top.ask_price if side is Side.BUY else top.bid_price
        return self._trade(symbol, price, quantity, side is Side.SELL, now_ns)

    def set_regime(self, regime: Regime | None, symbol: str | None = None) -> None:
        raise BadRequest(-1130, "Data sent for parameter 'regime' is not valid; a replay has no crowd.")

    def regimes(self) -> dict[str, Regime]:
        return {}

    async def run(self) -> None:
        start_ns, burst = time.monotonic_ns(), 0  # its pace is its own: the venue's clock may be set wrong on purpose
        for timed in self._events:
            paused_ns = await self._wait_while_paused()
            start_ns += paused_ns
            due_ns = start_ns + int((timed.received_ns - self._position_ns) / self._speed)
            wait_ns = due_ns - time.monotonic_ns()
            burst += 1
            if wait_ns >= WAIT_NS_MIN or burst >= FRAMES_AT_ONCE_MAX:
                burst = 0
                await asyncio.sleep(max(0.0, wait_ns / 1e9))
            self._play(timed.event)
        self.flowing.clear()
        self.ended.set()

    async def _wait_while_paused(self) -> int:
        """Return how long the flow was paused, in nanoseconds."""
        if self.flowing.is_set():
            return 0
        since_ns = time.monotonic_ns()
        await self.flowing.wait()
        return time.monotonic_ns() - since_ns

    def _play(self, event: Event) -> None:
        now_ns = self._clock()
        if isinstance(event, RecordedDepth):
            self._play_depth(event, now_ns)
        elif isinstance(event, RecordedTicker):
            self._play_ticker(event)
        elif isinstance(event, RecordedTrade | RecordedAggregate):
            self._play_trade(event, now_ns)
        elif isinstance(event, RecordedSnapshot):
            self._play_snapshot(event)

    def _play_snapshot(self, snapshot: RecordedSnapshot) -> None:
        """Start a book; later snapshots only repair one that the recording left with a gap."""
        book = self._books.get(snapshot.symbol)
        if book is not None and (book.update_id is None or book.is_gapped):
            book.load(snapshot.lastUpdateId, snapshot.bids, snapshot.asks)

    def _play_depth(self, diff: RecordedDepth, now_ns: int) -> None:
        book = self._books.get(diff.s)
        if book is None or not book.apply(diff.U, diff.u, diff.b, diff.a):
            return
        self._streams[diff.s].send_depth(diff, now_ns)

    def _play_ticker(self, ticker: RecordedTicker) -> None:
        book = self._books.get(ticker.s)
        if book is None or book.update_id is None:
            return
        top = TopOfBook(*(parse_decimal(text) for text in (ticker.b, ticker.B, ticker.a, ticker.A)))
        book.see_top(ticker.u, top)
        self._streams[ticker.s].send_ticker(ticker)

    def _play_trade(self, trade: RecordedTrade | RecordedAggregate, now_ns: int) -> None:
        """Aggregates fill orders only where the capture has no single trades, or each trade would count twice."""
        book = self._books.get(trade.s)
        if book is None or book.update_id is None:
            return
        keep(self.tape.of(trade.s), trade, now_ns, with_singles=trade.s in self._with_trades)
        self._streams[trade.s].send_trade(trade, now_ns)
        if isinstance(trade, RecordedAggregate) and trade.s in self._with_trades:
            return
        price, quantity = parse_decimal(trade.p), parse_decimal(trade.q)
        self.engine.see_trade(trade.s, price, quantity, now_ns)
        self._trade(trade.s, price, quantity, trade.m, now_ns)

    def _trade(self, symbol: str, price: int, quantity: int, buyer_is_maker: bool, now_ns: int) -> int:
        """Fill what the trade fills and tell the clients; return the quantity."""
        fills = self._books[symbol].see_trade(price, quantity, buyer_is_maker=buyer_is_maker)
        for order, filled in fills:
            self.engine.fill_resting(order, order.price, filled, now_ns)
        if self.engine.executions:  # fills, or a stop that the trade triggered
            self.publish(now_ns)
        return sum(filled for _, filled in fills)
