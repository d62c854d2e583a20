"""What happened goes out: market streams to the hub, private events to user data subscriptions. No sockets here.

Consistency of ids: a bookTicker always describes the book exactly at its `u`, since it is only ever built between two
commands of the engine; so where its `u` equals a depth event's `u`, both tell the same top.
"""

from ..core.book import DepthBatch, PriceTimeBook, TopOfBook
from ..core.orders import PublicTrade
from ..streams import StreamHub
from ..tape import AggregateTrade
from .market_payloads import aggregate_event, book_ticker_event, depth_event, depth_snapshot, trade_event

TICKER_REPEAT_NS = 1_000_000_000  # a bookTicker at least this often, when the book moves at all
SPEEDS = (("@100ms",), ("", "@1000ms"))
"""What depth streams are called by cadence (web-socket-streams.md: "1000ms or 100ms")."""
PARTIAL_LEVELS = (5, 10, 20)  # web-socket-streams.md, "Partial Book Depth Streams"


class BookPublisher:
    """Streams of one generated symbol's trades and book: trades and tickers at once, depth in batches of 100 ms and 1 s."""

    def __init__(self, symbol: str, book: PriceTimeBook, hub: StreamHub) -> None:
        self._symbol = symbol
        self._book = book
        self._hub = hub
        name = symbol.lower()
        self._ticker_topic = f"{name}@bookTicker"
        self._trade_topic = f"{name}@trade"
        self._aggregate_topic = f"{name}@aggTrade"
        self._depth_topics = [tuple(f"{name}@depth{speed}" for speed in speeds) for speeds in SPEEDS]
        self._partial_topics = [
            [(f"{name}@depth{levels}{speed}", levels) for levels in PARTIAL_LEVELS for speed in speeds]
            for speeds in SPEEDS
        ]
        self._top = book.top()
        self._moved_in_batch = False
        self._ticker_ns = 0

    def publish_trade(self, trade: PublicTrade, now_ns: int) -> None:
        if self._hub.has_listeners(self._trade_topic):
            self._hub.tell(self._trade_topic, trade_event(trade, now_ns))

    def publish_aggregate(self, aggregate: AggregateTrade, now_ns: int) -> None:
        if self._hub.has_listeners(self._aggregate_topic):
            self._hub.tell(self._aggregate_topic, aggregate_event(aggregate, now_ns))

    def publish_top(self, now_ns: int) -> None:
        """Send a bookTicker if the best bid or ask has changed; to be called after every command."""
        top = self._book.top()
        if top != self._top:
            self._moved_in_batch = True
            self._send_ticker(top, now_ns)

    def flush_depth(self, cadence: int, now_ns: int) -> None:
        """Send the changes of batch `cadence` (0: 100 ms, 1: 1 s); nothing while the book is quiet."""
        batch = self._book.batches[cadence]
        update_id = self._book.update_id
        if update_id == batch.flushed_id:
            return
        if cadence == 0 and (self._moved_in_batch or now_ns - self._ticker_ns >= TICKER_REPEAT_NS):
            self._send_ticker(self._book.top(), now_ns)
            self._moved_in_batch = False
        self._send_depth(batch, update_id, self._depth_topics[cadence], now_ns)
        self._send_partial(cadence)
        batch.clear(update_id)

    def _send_depth(self, batch: DepthBatch, update_id: int, topics: tuple[str, ...], now_ns: int) -> None:
        wanted = [topic for topic in topics if self._hub.has_listeners(topic)]
        if not wanted:
            return
        bids = sorted(batch.bids.items(), reverse=True)
        asks = sorted(batch.asks.items())
        event = depth_event(self._symbol, batch.flushed_id + 1, update_id, bids, asks, now_ns)
        for topic in wanted:
            self._hub.tell(topic, event)

    def _send_partial(self, cadence: int) -> None:
        for topic, levels in self._partial_topics[cadence]:
            if self._hub.has_listeners(topic):
                self._hub.tell(topic, depth_snapshot(*self._book.depth(levels)))

    def _send_ticker(self, top: TopOfBook, now_ns: int) -> None:
        self._top = top
        self._ticker_ns = now_ns
        if self._hub.has_listeners(self._ticker_topic):
            self._hub.tell(self._ticker_topic, book_ticker_event(self._symbol, self._book.update_id, top))
