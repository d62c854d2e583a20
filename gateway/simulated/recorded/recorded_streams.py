"""What was recorded goes out again, in the words of the venue's market streams: ids and values as they were, times of now. No sockets."""

from ..core.decimals import parse_decimal
from ..core.orders import PublicTrade
from ..payload import Instant, Payload
from ..spot.market_payloads import depth_snapshot
from ..spot.publisher import PARTIAL_LEVELS, SPEEDS
from ..streams import StreamHub
from ..tape import AggregateTrade, SymbolTape
from .capture import RecordedAggregate, RecordedDepth, RecordedTicker, RecordedTrade
from .recorded_book import RecordedBook

SLOW_DEPTH_NS = 1_000_000_000  # cadence of @depth


class _SlowDepth:
    """Recorded 100 ms diffs merged for the one-second stream."""

    def __init__(self) -> None:
        self.first_id: int | None = None
        self.sent_ns = 0
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def add(self, diff: RecordedDepth) -> None:
        if self.first_id is None:
            self.first_id = diff.U
        self.bids.update(diff.b)
        self.asks.update(diff.a)

    def clear(self, now_ns: int) -> None:
        self.first_id, self.sent_ns = None, now_ns
        self.bids, self.asks = {}, {}


class RecordedStreams:
    """One symbol's."""

    def __init__(self, symbol: str, book: RecordedBook, hub: StreamHub) -> None:
        self._symbol = symbol
        self._name = symbol.lower()
        self._book = book
        self._hub = hub
        self._slow = _SlowDepth()

    def send_depth(self, diff: RecordedDepth, now_ns: int) -> None:
        """`diff` has just been applied to the book."""
        self._send_batch(0, diff.U, diff.u, diff.b, diff.a, now_ns)
        slow = self._slow
        slow.add(diff)
        if now_ns - slow.sent_ns >= SLOW_DEPTH_NS:
            first_id = diff.U if slow.first_id is None else slow.first_id
            self._send_batch(1, first_id, diff.u, list(slow.bids.items()), list(slow.asks.items()), now_ns)
            slow.clear(now_ns)

    def _send_batch(
        self,
        cadence: int,
        first_id: int,
        last_id: int,
        bids: list[tuple[str, str]],
        asks: list[tuple[str, str]],
        now_ns: int,
    ) -> None:
        event: Payload = {
            "e": "depthUpdate",
            "E": Instant(now_ns),
            "s": self._symbol,
            "U": first_id,
            "u": last_id,
            "b": bids,
            "a": asks,
        }
        for speed in SPEEDS[cadence]:
            self._hub.tell(f"{self._name}@depth{speed}", event)
            for levels in PARTIAL_LEVELS:
                topic = f"{self._name}@depth{levels}{speed}"
                if self._hub.has_listeners(topic):
                    self._hub.tell(topic, depth_snapshot(*self._book.depth(levels)))

    def send_ticker(self, ticker: RecordedTicker) -> None:
        event: Payload = {
            "u": ticker.u,
            "s": ticker.s,
            "b": ticker.b,
            "B": ticker.B,
            "a": ticker.a,
            "A": ticker.A,
        }
        self._hub.tell(f"{self._name}@bookTicker", event)

    def send_trade(self, trade: RecordedTrade | RecordedAggregate, now_ns: int) -> None:
        is_single = isinstance(trade, RecordedTrade)
        kind = "trade" if is_single else "aggTrade"
        event: Payload = {"e": kind, "E": Instant(now_ns), "s": trade.s, "p": trade.p, "q": trade.q}
        if isinstance(trade, RecordedTrade):
            event |= {"t": trade.t}
        else:
            event |= {"a": trade.a, "f": trade.f, "l": trade.l}
        event |= {"T": Instant(now_ns), "m": trade.m, "M": True}
        self._hub.tell(f"{self._name}@{kind}", event)


def keep(tape: SymbolTape, trade: RecordedTrade | RecordedAggregate, now_ns: int, *, with_singles: bool) -> None:
    """Put it on the tape. Candles are of single trades; of aggregates where the recording has no single ones."""
    price, quantity = parse_decimal(trade.p), parse_decimal(trade.q)
    if isinstance(trade, RecordedTrade):
        tape.add(PublicTrade(trade.s, trade.t, price, quantity, trade.m, now_ns))
        return
    tape.aggregates.append(AggregateTrade(trade.s, trade.a, price, quantity, trade.f, trade.l, now_ns, trade.m))
    if not with_singles:
        tape.candles.add(PublicTrade(trade.s, trade.l, price, quantity, trade.m, now_ns))
