"""Market streams of one perpetual: diffs, partial books, best quotes, trades, mark prices, liquidations. No sockets here.

Update ids are shared by all symbols on the venue, so those of one symbol jump: here the n-th change of the book has the id
n * ID_STEP + its symbol's own offset, and what others would have done in between is passed over. `U` is therefore not the
previous `u` + 1; `pu` is the stream's own previous `u`.
"""

from collections.abc import Callable

from ..core.book import DepthBatch, PriceTimeBook, TopOfBook
from ..core.orders import PublicTrade
from ..payload import Levels, Payload
from ..streams import StreamHub
from ..tape import AggregateTrade
from . import market_payloads
from .text import Figures

DEPTH_NS = (100_000_000, 250_000_000, 500_000_000)
SPEEDS = (("@100ms",), ("", "@250ms"), ("@500ms",))
"""What depth streams are called by cadence (docs, "Diff. Book Depth Streams": 250ms, 500ms, 100ms; 250 without a name)."""
PARTIAL_LEVELS = (5, 10, 20)  # docs, "Partial Book Depth Streams"
ID_STEP = 16  # chosen: more than the symbols that a venue of ours has
TICKER_REPEAT_NS = 1_000_000_000  # chosen: a bookTicker at least this often, when the book moves at all


def shared_id(update_id: int, offset: int) -> int:
    """Return the id of a symbol's n-th change among all symbols' ids."""
    return update_id * ID_STEP + offset


class PerpetualPublisher:
    def __init__(self, symbol: str, book: PriceTimeBook, hub: StreamHub, figures: Figures, offset: int) -> None:
        self._symbol = symbol
        self._book = book
        self._hub = hub
        self._figures = figures
        self._offset = offset % ID_STEP
        self._name = symbol.lower()
        self._top = book.top()
        self._moved_in_batch = False
        self._ticker_ns = 0

    @property
    def update_id(self) -> int:
        return self._id(self._book.update_id)

    def _id(self, update_id: int) -> int:
        return shared_id(update_id, self._offset)

    # ---- trades

    def publish_trade(self, trade: PublicTrade, now_ns: int) -> None:
        self._tell("trade", lambda: market_payloads.trade_event(trade, self._figures, now_ns))

    def publish_aggregate(self, aggregate: AggregateTrade, now_ns: int) -> None:
        self._tell("aggTrade", lambda: market_payloads.aggregate_event(aggregate, self._figures, now_ns))

    # ---- the book

    def publish_top(self, now_ns: int) -> None:
        top = self._book.top()
        if top != self._top:
            self._moved_in_batch = True
            self._send_ticker(top, now_ns)

    def flush_depth(self, cadence: int, now_ns: int) -> None:
        batch, update_id = self._book.batches[cadence], self._book.update_id
        if update_id == batch.flushed_id:
            return
        if cadence == 0 and (self._moved_in_batch or now_ns - self._ticker_ns >= TICKER_REPEAT_NS):
            self._send_ticker(self._book.top(), now_ns)
            self._moved_in_batch = False
        for speed in SPEEDS[cadence]:
            self._tell(f"depth{speed}", lambda: self._diff(batch, now_ns))
            for levels in PARTIAL_LEVELS:
                self._send_partial(f"depth{levels}{speed}", levels, batch, now_ns)
        batch.clear(update_id)

    def _diff(self, batch: DepthBatch, now_ns: int) -> Payload:
        bids, asks = sorted(batch.bids.items(), reverse=True), sorted(batch.asks.items())
        return self._depth_event(batch.flushed_id, bids, asks, now_ns)

    def _send_partial(self, channel: str, levels: int, batch: DepthBatch, now_ns: int) -> None:
        def event() -> Payload:
            _, bids, asks = self._book.depth(levels)
            return self._depth_event(batch.flushed_id, bids, asks, now_ns)

        self._tell(channel, event)

    def _depth_event(self, before_id: int, bids: Levels, asks: Levels, now_ns: int) -> Payload:
        ids = self._id(before_id + 1), self._id(self._book.update_id), self._id(before_id)
        return market_payloads.depth_event(self._symbol, ids, bids, asks, self._figures, now_ns)

    def _send_ticker(self, top: TopOfBook, now_ns: int) -> None:
        self._top, self._ticker_ns = top, now_ns
        self._tell(
            "bookTicker",
            lambda: market_payloads.book_ticker_event(self._symbol, self.update_id, top, self._figures, now_ns),
        )

    def _tell(self, channel: str, event: Callable[[], Payload]) -> None:
        """Make the event only where somebody listens."""
        topic = f"{self._name}@{channel}"
        if self._hub.has_listeners(topic):
            self._hub.tell(topic, event())
