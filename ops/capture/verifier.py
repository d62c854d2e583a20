"""One run over a capture: the very actors that trade, in virtual time, and what the recording itself says against them.

Frames go in as they were recorded. A recorded REST snapshot is the answer to the request that market data has
outstanding for its symbol; one that nobody waits for is kept until somebody does. Where market data asks and the capture
has no further snapshot, that book stays down, and the verification fails.
"""

from collections.abc import Callable, Mapping
from typing import TextIO, cast

from actors.market_data import FeedConnection, MarketData
from actors.market_data.resync import WAITING
from actors.market_data.sync import SyncState
from actors.orderbook import Orderbook
from bus.messages import (
    BookState,
    DepthSnapshot,
    DepthUpdate,
    Frame,
    Instrument,
    Message,
    Outcome,
    SnapshotAnswer,
)
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    BookShape,
    DepthBody,
    DepthDiff,
    DepthReset,
    FeedEvent,
    Finer,
    Garbage,
    MarketCodec,
    MarkEvent,
    Notice,
    Numbering,
    QuoteEvent,
    Scales,
    SnapshotSource,
    TradeEvent,
)
from gateway.market import VenueMarket
from ops.capture.learnt import NOTHING_LEARNT, SYMBOLS_MAX, Learnt, RunAgain
from ops.capture.pump import Pump, Receiver
from ops.capture.reader import BadCapture, Capture, Record
from ops.capture.recorded import SnapshotAddress, SnapshotOf, subscribed_depth
from ops.capture.result import VerifyResult
from ops.capture.scales import Figures, finest
from ops.capture.sources import Source, Sources
from ops.capture.tops import TopsWriter

PROGRESS_RECORDS = 5_000
LEVELS = 1_000
"""A side, of a REST snapshot whose address does not say; what the engine asks for."""
ALL_LEVELS = 1 << 30
"""A book that comes on the stream is told as far as it goes: no horizon."""
LEVELS_MAX = 1 << 20
"""A side: none is forgotten, because nothing here lives long. Chosen; Coinbase's whole books have about 45,000."""
NOBODY = -1
Told = DepthDiff | DepthReset | QuoteEvent | TradeEvent | MarkEvent
TELLS_BOOK: dict[type, bool] = {
    DepthDiff: True, DepthReset: True, QuoteEvent: False, TradeEvent: False, MarkEvent: False,
}  # fmt: skip
STANDS = (BookState.SYNCING, BookState.LIVE, BookState.STALE)
"""A book that takes updates. One that is STALE here was silent in the recording, and this update is its next word."""


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
        """What was read before was read in other scales."""
        self._payload = b""
        self._codec.set_scales(venue_symbol, scales)


class Verifier:
    """learnt: by earlier runs of the same recording. tops: takes a CSV row for each applied update. listeners: who else
    hears the actors' messages."""

    def __init__(
        self,
        market: VenueMarket,
        learnt: Learnt = NOTHING_LEARNT,
        tops: TextIO | None = None,
        listeners: Mapping[type[Message], Receiver] | None = None,
    ) -> None:
        self.market, rule = market, market.rule
        self.codec = _MemoCodec(market.codec())
        self._shapes: dict[int, BookShape] = dict.fromkeys(range(learnt.symbols), market.shape(LEVELS))
        feeds = {number: FeedConnection(self.codec, number, rule) for number in range(learnt.symbols)}
        self.market_data = MarketData(feeds)
        self._streamed = rule.snapshot == SnapshotSource.STREAM
        self.orderbook = Orderbook(ALL_LEVELS if self._streamed else LEVELS, LEVELS_MAX, self._shapes)
        self.pump = Pump(self.market_data, self.orderbook, self._updated, self._loaded, listeners or {})
        self.instruments: list[Instrument] = []
        self.updates = self.garbage = self.lost = 0
        self._numbers: dict[str, int] = {}
        self._figures = Figures(market, learnt.scales)
        self._sources = Sources(rule.numbering, self.pump.post, learnt.ends)
        self._several = learnt.ends is not None  # addresses tell one book
        self._snapshots = SnapshotAddress(market)
        self._depths: dict[str, int] = {}
        self._spare: dict[str, tuple[Record, SnapshotOf]] = {}
        self._scaled: set[str] = set()
        self._begun_without: set[str] = set()
        self._without_ids: set[str] = set()
        self._rows = TopsWriter(tops) if tops else None

    def run(self, capture: Capture, progress: Callable[[int], None] | None = None) -> VerifyResult:
        """All of it. Raises BadCapture at a record that is none, RunAgain."""
        result = VerifyResult(capture.venue)
        for record in capture.records:
            try:
                self.take(record)
            except RunAgain as again:
                if again.scales:
                    again.scales = self._figures.learn(self.codec, record, capture.records)
                raise
            result.records += 1
            if progress and result.records % PROGRESS_RECORDS == 0:
                progress(result.records)
        self.conclude(result)
        return result

    def take(self, record: Record) -> None:
        """One record, at its time. Raises as `run` does."""
        if record.kind == "recv":
            self.pump.advance(record.received_ns)
            self._frame(record)
        elif record.kind == "rest":
            self.pump.advance(record.received_ns)
            self._body(record)
        else:
            self._subscribed(record.text)
        if self._spare and self.pump.requests:
            self._offer()

    def conclude(self, result: VerifyResult) -> None:
        result.updates, result.garbage, result.lost = self.updates, self.garbage, self.lost
        for sync in self.market_data.synchronizers.values():
            begun = sync.bridges + sync.resets > 0
            entry = self.orderbook.entries[sync.number]
            result.books += begun
            result.gaps += sync.gaps
            result.resyncs += sync.resyncs
            result.duplicates += sync.duplicates
            result.stale += sync.stale
            result.reordered += sync.reordered
            result.live += entry.state == BookState.LIVE
            result.tops.checked += entry.tops.checks
            result.tops.failed += entry.tops.mismatches
            result.checksums.checked += entry.checksums.checks
            result.checksums.failed += entry.checksums.failures
            result.crossed += entry.crossed
            down = entry.state not in (BookState.LIVE, BookState.STALE)
            if down and (begun or sync.gaps or sync.broken or sync.failures):
                result.unsynced.append(sync.instrument.venue_symbol)
        result.unsynced += sorted(self._begun_without)
        result.proof = self._proof(result)

    def _proof(self, result: VerifyResult) -> list[str]:
        """Of books that were built. Ids are none where no book has any."""
        built = [
            sync.instrument.venue_symbol
            for sync in self.market_data.synchronizers.values()
            if sync.bridges + sync.resets
        ]
        numbering = self.market.rule.numbering
        held = {
            "ids": numbering == Numbering.SYMBOL and any(symbol not in self._without_ids for symbol in built),
            "connection numbers": numbering == Numbering.CONNECTION and bool(built),
            "checksums": result.checksums.checked > 0,
            "tops": result.tops.checked > 0,
        }
        return [name for name, said in held.items() if said]

    # -- frames ---------------------------------------------------------------------------------------------------

    def _frame(self, record: Record) -> None:
        payload = record.text.encode()
        event = self.codec.decode_frame(payload)
        source = self._sources.of(record.address)
        tells_book = TELLS_BOOK.get(type(event))
        if tells_book is None:
            self._look(record, event, payload, source)
            return
        told = cast(Told, event)
        symbol = told.venue_symbol
        if symbol not in (source.told if tells_book else source.openings):
            self._introduce(record, told, payload, source)
        opening = source.openings.get(symbol)
        if opening is not None:
            self.pump.post(Frame(opening.connection, record.received_ns, payload, opening.generation))
        if type(told) is DepthDiff and told.last == told.previous != UNNUMBERED:
            self._unchanged(told, record.received_ns)
        if self._several:
            self._sources.after(source, record.line, record.received_ns)

    def _look(self, record: Record, event: FeedEvent | Batch, payload: bytes, source: Source) -> None:
        """What is not simply one book update, quote or trade."""
        events = event.events if isinstance(event, Batch) else (event,)
        if any(self._scaled_for(each) for each in events if isinstance(each, Finer)):
            self._frame(record)
            return
        if isinstance(event, Batch):
            self._number(event.sequence, source, record.received_ns)
        for each in events:
            if type(each) in TELLS_BOOK:
                told = cast(Told, each)
                if told.venue_symbol not in (source.told if TELLS_BOOK[type(told)] else source.openings):
                    self._introduce(record, told, payload, source)
            elif isinstance(each, Garbage | Finer):
                self.garbage += 1
                unproven = self.market.rule.numbering == Numbering.CHECKSUM or self._without_ids
                self.lost += bool(each.venue_symbol or unproven)
            elif isinstance(each, Notice):
                self._subscribed(record.text)
        if isinstance(
            event, Batch | Garbage | Finer
        ):  # every opening hears it: numbers count all of a connection's frames
            for connection, generation in source.openings.values():
                self.pump.post(Frame(connection, record.received_ns, payload, generation))
        if self._several:
            self._sources.after(source, record.line, record.received_ns)

    def _scaled_for(self, event: Finer) -> bool:
        """Read the symbol in its own scales from now on, if it was not. Raises RunAgain when they are not enough, unless
        that is known: then the figure is damaged, and False."""
        symbol, known = event.venue_symbol, self._figures.of(event.venue_symbol)
        if symbol in self._scaled or finest(known, event.scales) != known:
            if self._figures.settled(symbol):
                return False
            raise RunAgain(scales={symbol: event.scales})
        self._scale(symbol, known)
        return True

    def _number(self, sequence: int, source: Source, now_ns: int) -> None:
        """0 begins a connection: the address was dialed anew, unless it has only just begun."""
        if sequence == 0 and source.number > 0:
            self._sources.restart(source, now_ns)
        source.number = sequence

    def _introduce(self, record: Record, event: Told, payload: bytes, source: Source) -> None:
        """The source tells of this symbol's book, or of its trades and quotes, for the first time."""
        symbol, tells_book = event.venue_symbol, TELLS_BOOK[type(event)]
        if symbol not in self._numbers:
            if self._streamed and not isinstance(event, DepthReset):
                if tells_book:
                    self._begun_without.add(symbol)
                return  # of what depth its book is, only its snapshot says
            self._meet(symbol, event, record.received_ns)
            again = self.codec.decode_frame(payload)
            for each in again.events if isinstance(again, Batch) else (again,):
                if isinstance(each, Finer):
                    self._scaled_for(each)
        if isinstance(event, DepthReset) and event.body.last == UNNUMBERED:
            self._without_ids.add(symbol)
        if tells_book:
            self._sources.tell(source, symbol, record.line, record.received_ns)
        else:
            self._sources.accompany(source, symbol)

    def _meet(self, symbol: str, event: Told | None, now_ns: int) -> None:
        number = len(self.instruments)
        if number == len(self._shapes):
            if number == SYMBOLS_MAX:
                raise BadCapture(f"it has more than {SYMBOLS_MAX} symbols")
            raise RunAgain(symbols=True)
        instrument = self._figures.instrument(symbol, number, number)
        levels = self._depths.get(symbol, 0)
        if not levels and isinstance(event, DepthReset):
            levels = max(len(event.body.bid_prices), len(event.body.ask_prices))
        self._shapes[number] = self.market.shape(levels or LEVELS)
        self._numbers[symbol] = number
        self.instruments.append(instrument)
        self._begun_without.discard(symbol)
        self._scale(symbol, Scales(instrument.price_scale, instrument.quantity_scale))
        self._sources.begin(symbol, number, now_ns)
        self.pump.post(instrument)

    def _scale(self, symbol: str, scales: Scales) -> None:
        self._scaled.add(symbol)
        self.codec.set_scales(symbol, scales)

    def _subscribed(self, text: str) -> None:
        found = subscribed_depth(text)
        if found:
            self._depths.update(dict.fromkeys(*found))

    # -- REST bodies ----------------------------------------------------------------------------------------------

    def _body(self, record: Record) -> None:
        of = self._snapshots.read(record.address)
        if of is None:
            self._figures.metadata.take(record.address, record.text)
            return
        if of.venue_symbol not in self._numbers:
            self._meet(of.venue_symbol, None, record.received_ns)
        if not self._answer(record, of):
            self._spare[of.venue_symbol] = record, of

    def _answer(self, record: Record, of: SnapshotOf) -> bool:
        """It answers the outstanding request. Market data may still be spacing its attempts where the recorder did not:
        then its timer fires now. False: nobody waits for it."""
        number = self._numbers[of.venue_symbol]
        if self.market_data.synchronizers[number].state in WAITING:
            self.pump.requests.pop(number, None)  # given up: its answer would be nobody's
            self.pump.fire(self.market_data.name, number)
        request = self.pump.requests.pop(number, None)
        if request is None:
            return False
        self.orderbook.snapshot_levels = of.levels or LEVELS
        counted = (request.actor, request.counter, request.generation, Outcome.RESULT, request.instrument)
        self.pump.post(SnapshotAnswer(*counted, record.received_ns, "", record.text.encode()))
        return True

    def _offer(self) -> None:
        """Somebody waits, and a snapshot that came too early may be the one. What the book had passed already is not."""
        for number in list(self.pump.requests):
            sync = self.market_data.synchronizers[number]
            symbol = sync.instrument.venue_symbol
            spare = self._spare.pop(symbol, None)
            if spare is not None:
                body = self.codec.decode_snapshot(spare[0].text.encode(), symbol)
                if isinstance(body, DepthBody) and body.last >= sync.sequence:
                    self._answer(*spare)

    # -- what the actors said -------------------------------------------------------------------------------------

    def _updated(self, update: DepthUpdate) -> None:
        """The orderbook has taken an update, from the stream or from the buffer at a bridge."""
        self._stands(update.instrument, update.received_ns, update.last_sequence)

    def _loaded(self, snapshot: DepthSnapshot) -> None:
        """A snapshot that comes on the stream is an update as any other; one from REST is none."""
        if self._streamed:
            self._stands(snapshot.instrument, snapshot.received_ns, snapshot.sequence)

    def _stands(self, number: int, received_ns: int, sequence: int) -> None:
        entry = self.orderbook.entries[number]
        if entry.state not in STANDS:
            return
        self.updates += 1
        if self._rows is not None:
            instrument = self.instruments[number]
            scales = (instrument.price_scale, instrument.quantity_scale)
            update_id = self.update_id(number, sequence)
            self._rows.row(received_ns, instrument.venue_symbol, update_id, entry.book.touch(), *scales)

    def _unchanged(self, diff: DepthDiff, received_ns: int) -> None:
        """The venue's word that nothing has changed for long (OKX): an update event that passes no levels on."""
        sync = self.market_data.synchronizers.get(self._numbers.get(diff.venue_symbol, NOBODY))
        if sync is not None and sync.state == SyncState.LIVE and sync.sequence == diff.last:
            self._stands(sync.number, received_ns, diff.last)

    def update_id(self, number: int, sequence: int) -> int | str:
        """The venue's integer; "" where it has none, and the sequence is our own or a time."""
        without = self.market.rule.numbering == Numbering.CHECKSUM
        return "" if without or self.instruments[number].venue_symbol in self._without_ids else sequence
