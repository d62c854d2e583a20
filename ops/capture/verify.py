"""Rebuilds a capture's books with the very actors that trade, and checks them against what the venue said itself.

Frames go in as they were recorded. A recorded REST snapshot is the answer to the request that market data has
outstanding for its symbol, at the place where it was recorded. Where market data asks and the capture has no further
snapshot, that book stays down, and the verification fails.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qs, urlsplit

import msgspec

from actors.market_data import FeedConnection, MarketData
from actors.market_data.sync import SyncState
from actors.orderbook import Orderbook
from bus.messages import ConnectionUp, DepthUpdate, Frame, Instrument, Message, Outcome, SnapshotAnswer
from bus.messages.feed import Batch, DepthBody, FeedEvent, Garbage, MarketCodec, Scales, TradeEvent
from gateway.binance_spot.codec import PRICE_SCALE, QUANTITY_SCALE, BinanceSpotCodec
from ops.capture.pump import Pump, Receiver
from ops.capture.reader import Capture, Record, read_capture

SUPPORTED_VENUES: dict[str, Callable[[], MarketCodec]] = {
    "binance-spot": BinanceSpotCodec,
    "binance-us": BinanceSpotCodec,
}
TOPS_HEADER = ("received_ns", "symbol", "update_id", "bid", "bid_quantity", "ask", "ask_quantity")
CONNECTION = 1  # a capture says nothing of reconnections, so all of it is one connection
VENUE = 1
PROGRESS_RECORDS = 5_000


class UnsupportedVenue(Exception):
    """The capture is of a venue whose books cannot be rebuilt yet."""

    def __init__(self, venue: str) -> None:
        super().__init__(f"venue {venue!r} is not supported yet; supported: {', '.join(SUPPORTED_VENUES)}")


class Checked(msgspec.Struct):
    """How many were compared, how many differed."""

    checked: int = 0
    failed: int = 0


class VerifyResult(msgspec.Struct):
    """books: instruments whose book went LIVE. unsynced: symbols left with a gap, a refused book or an unfit snapshot."""

    venue: str
    records: int = 0
    books: int = 0
    gaps: int = 0
    resyncs: int = 0
    checksums: Checked = msgspec.field(default_factory=Checked)
    tops: Checked = msgspec.field(default_factory=Checked)
    crossed: int = 0
    updates: int = 0
    garbage: int = 0
    unsynced: list[str] = []

    @property
    def holds(self) -> bool:
        """A capture in which no book could be built has verified nothing."""
        failed = self.checksums.failed + self.tops.failed + self.crossed + len(self.unsynced)
        return not failed and self.books > 0

    def public(self) -> dict[str, Any]:
        """What `--json` prints."""
        fields = ("venue", "records", "books", "gaps", "resyncs", "checksums", "tops", "crossed")
        return {field: msgspec.to_builtins(getattr(self, field)) for field in fields}


def verify(path: Path, tops: TextIO | None = None, progress: Callable[[int], None] | None = None) -> VerifyResult:
    """Run the whole capture. Raises BadCapture or UnsupportedVenue. tops: takes a CSV row for each applied update."""
    capture, codec = supported_capture(path)
    return Verifier(codec, tops).run(capture, progress)


def supported_capture(path: Path) -> tuple[Capture, MarketCodec]:
    """Open a capture whose books can be rebuilt, with its venue's codec. Raises BadCapture or UnsupportedVenue."""
    capture = read_capture(path)
    if capture.venue not in SUPPORTED_VENUES:
        raise UnsupportedVenue(capture.venue)
    return capture, SUPPORTED_VENUES[capture.venue]()


class _MemoCodec:
    """The verifier looks at a frame first, for symbols it has not seen; the actor then gets the same event."""

    def __init__(self, codec: MarketCodec) -> None:
        self._codec = codec
        self._payload: bytes = b""
        self._event: FeedEvent | Batch = Garbage("nothing read yet")

    def decode_frame(self, payload: bytes) -> FeedEvent | Batch:
        if payload is not self._payload:
            self._event = self._codec.decode_frame(payload)
            self._payload = payload
        return self._event

    def decode_snapshot(self, payload: bytes, venue_symbol: str = "") -> DepthBody | Garbage:
        return self._codec.decode_snapshot(payload, venue_symbol)

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        return self._codec.decode_trades(payload, venue_symbol)

    def set_scales(self, venue_symbol: str, scales: Scales) -> None:
        self._codec.set_scales(venue_symbol, scales)


class Verifier:
    """Market data and orderbook over one capture, in virtual time. listeners: who else hears their messages."""

    def __init__(
        self,
        codec: MarketCodec,
        tops: TextIO | None = None,
        listeners: Mapping[type[Message], Receiver] | None = None,
    ) -> None:
        self.codec = _MemoCodec(codec)
        self.market_data = MarketData({CONNECTION: FeedConnection(self.codec, VENUE)})
        self.orderbook = Orderbook()
        self.pump = Pump(self.market_data, self.orderbook, self._updated, listeners or {})
        self.numbers: dict[str, int] = {}
        self.symbols: list[str] = []
        self.updates = 0
        self._rows = csv.writer(tops, lineterminator="\n") if tops else None
        if self._rows:
            self._rows.writerow(TOPS_HEADER)
        self.pump.post(ConnectionUp(CONNECTION, 1, 0))

    def run(self, capture: Capture, progress: Callable[[int], None] | None = None) -> VerifyResult:
        """All of it. Raises BadCapture at a record that is none."""
        result = VerifyResult(capture.venue)
        for record in capture.records:
            self.take(record)
            result.records += 1
            if progress and result.records % PROGRESS_RECORDS == 0:
                progress(result.records)
        self.conclude(result)
        return result

    def take(self, record: Record) -> None:
        """One record, at its time. What we sent ourselves tells nothing."""
        if record.kind == "recv":
            self.pump.advance(record.received_ns)
            payload = record.text.encode()
            self._meet(getattr(self.codec.decode_frame(payload), "venue_symbol", None))
            self.pump.post(Frame(CONNECTION, record.received_ns, payload))
        elif record.kind == "rest":
            self.pump.advance(record.received_ns)
            symbol = depth_symbol(record.address)
            if symbol:
                self._meet(symbol)
                self._answer(self.numbers[symbol], record)

    def conclude(self, result: VerifyResult) -> None:
        result.updates = self.updates
        result.garbage = self.market_data.counters.garbage
        for sync in self.market_data.synchronizers.values():
            result.books += sync.bridges > 0
            result.gaps += sync.gaps
            result.resyncs += sync.resyncs
            if sync.state != SyncState.LIVE and (sync.gaps or sync.broken or sync.failures):
                result.unsynced.append(sync.instrument.venue_symbol)
        for entry in self.orderbook.entries.values():
            result.tops.checked += entry.tops.checks
            result.tops.failed += entry.tops.mismatches
            result.crossed += entry.crossed

    def _meet(self, symbol: str | None) -> None:
        """Captures hold no filters we need: each symbol gets the venue's text precision, one tick and one lot a unit."""
        if symbol is None or symbol in self.numbers:
            return
        number = self.numbers[symbol] = len(self.symbols)
        self.symbols.append(symbol)
        self.pump.post(bare_instrument(number, symbol))

    def _answer(self, number: int, record: Record) -> None:
        """The snapshot answers the outstanding request. One that nobody asked for (the book is LIVE) is left aside.

        Market data may still be spacing its attempts where the recorder did not: then its timer fires now.
        """
        request = self.pump.requests.pop(number, None)
        if request is None and self.market_data.synchronizers[number].state == SyncState.BUFFERING:
            self.pump.fire(self.market_data.name, number)
            request = self.pump.requests.pop(number, None)
        if request is not None:
            body = record.text.encode()
            self.pump.post(
                SnapshotAnswer(
                    request.actor,
                    request.counter,
                    request.generation,
                    Outcome.RESULT,
                    request.instrument,
                    record.received_ns,
                    "",
                    body,
                )
            )

    def _updated(self, update: DepthUpdate) -> None:
        """The orderbook has applied an update (from the stream, or from the buffer at a bridge) and stands by it."""
        self.updates += 1
        if self._rows is None:
            return
        bid, bid_quantity, ask, ask_quantity = self.orderbook.entries[update.instrument].book.touch()
        self._rows.writerow(
            (
                update.received_ns,
                self.symbols[update.instrument],
                update.last_sequence,
                plain(bid, PRICE_SCALE) if bid_quantity else "",
                plain(bid_quantity, QUANTITY_SCALE) if bid_quantity else "",
                plain(ask, PRICE_SCALE) if ask_quantity else "",
                plain(ask_quantity, QUANTITY_SCALE) if ask_quantity else "",
            )
        )


def depth_symbol(address: str) -> str | None:
    """The symbol of a depth request's path and query; None for any other request."""
    parts = urlsplit(address)
    symbols = parse_qs(parts.query).get("symbol")
    return symbols[0].upper() if symbols and parts.path.endswith("/depth") else None


def bare_instrument(number: int, symbol: str) -> Instrument:
    return Instrument(
        instrument=number,
        version=1,
        account=0,
        venue=VENUE,
        venue_symbol=symbol,
        base_asset="",
        quote_asset="",
        price_scale=PRICE_SCALE,
        quantity_scale=QUANTITY_SCALE,
        base_scale=QUANTITY_SCALE,
        quote_scale=PRICE_SCALE,
        tick=1,
        lot=1,
        min_price_ticks=0,
        max_price_ticks=0,
        min_lots=0,
        max_lots=0,
        min_notional=0,
        max_notional=0,
        max_orders=0,
    )


def plain(units: int, scale: int) -> str:
    """Units of 10^-scale as the shortest plain decimal: no exponent, no trailing zeros."""
    whole, fraction = divmod(units, 10**scale)
    return f"{whole}.{fraction:0{scale}d}".rstrip("0").rstrip(".") if fraction else str(whole)
