"""In what scales a recording's figures are read: of its metadata if they were recorded, else as fine as its figures are.

Where a venue writes every figure with all the decimals that its instrument has (Kraken: its checksum is made of them), they
are as fine as any two frames say: one that says otherwise alone is damaged.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from bus.messages import Instrument
from bus.messages.feed import Batch, FeedEvent, Finer, Garbage, MarketCodec, Scales
from gateway.market import VenueMarket
from ops.capture.reader import Record
from ops.capture.recorded import Metadata


class Figures:
    """finer: what an earlier run of the same recording has learnt."""

    def __init__(self, market: VenueMarket, finer: Mapping[str, Scales]) -> None:
        self.metadata = Metadata(market)
        self._market, self._first = market, market.first_scales
        self._uniform = market.first_scales == Scales(0, 0)
        self._finer = dict(finer)

    def instrument(self, symbol: str, number: int, venue: int) -> Instrument:
        """Of the recorded metadata if they list it, grown to what its figures need; else as bare as can be."""
        listed = self.metadata.instrument(symbol, venue) or bare_instrument(symbol, self._first)
        scales = finest(Scales(listed.price_scale, listed.quantity_scale), self._finer.get(symbol, Scales(0, 0)))
        return msgspec.structs.replace(
            listed, instrument=number, version=1, venue=venue, price_scale=scales.price, quantity_scale=scales.quantity
        )

    def of(self, symbol: str) -> Scales:
        instrument = self.instrument(symbol, 0, 0)
        return Scales(instrument.price_scale, instrument.quantity_scale)

    def settled(self, symbol: str) -> bool:
        """Is a figure that is finer than these scales a damaged one?"""
        return self._uniform and symbol in self._finer

    def learn(self, codec: MarketCodec, record: Record, records: Iterable[Record]) -> dict[str, Scales]:
        """Read this record and all that follow for their decimals alone, so that one more run suffices. `codec` knows them then."""
        following = itertools.chain([record], records)
        scales: dict[str, Scales] = {}
        if self._uniform:
            scales = self._learn_uniform(following)
            for symbol, found in scales.items():
                codec.set_scales(symbol, found)
            return scales
        for each in following:
            self._read(codec, each, scales)
        return scales

    def _learn_uniform(self, records: Iterable[Record]) -> dict[str, Scales]:
        """A codec that was told scales finds only books too fine: a symbol without one is as fine as its trades."""
        untold, told = self._market.codec(), self._market.codec()
        books: dict[str, tuple[Counter[int], Counter[int]]] = {}
        trades: dict[str, Scales] = {}
        for record in records:
            if record.kind == "rest":
                self.metadata.take(record.address, record.text)
            payload = record.text.encode()
            event = untold.decode_frame(payload) if record.kind == "recv" else None
            if not isinstance(event, Finer):
                continue
            symbol, shown = event.venue_symbol, event.scales
            if symbol not in books:
                books[symbol], trades[symbol] = (Counter(), Counter()), Scales(0, 0)
                told.set_scales(symbol, Scales(0, 0))
            if isinstance(told.decode_frame(payload), Finer):
                for figures, decimals in zip(books[symbol], shown, strict=True):
                    figures[decimals] += 1
            else:
                trades[symbol] = finest(trades[symbol], shown)
        return {
            symbol: Scales(_usual(prices), _usual(quantities)) if prices else trades[symbol]
            for symbol, (prices, quantities) in books.items()
        }

    def _read(self, codec: MarketCodec, record: Record, scales: dict[str, Scales]) -> None:
        if record.kind == "rest":
            self.metadata.take(record.address, record.text)
        if record.kind != "recv":
            return
        payload = record.text.encode()
        event = codec.decode_frame(payload)
        new = [symbol for symbol in _told(event) if symbol not in scales]
        for symbol in new:
            scales[symbol] = self.of(symbol)
            codec.set_scales(symbol, scales[symbol])
        if new:
            event = codec.decode_frame(payload)
        while finer := next((each for each in _events(event) if isinstance(each, Finer)), None):
            symbol = finer.venue_symbol
            grown = finest(finer.scales, scales.get(symbol) or self.of(symbol))
            if grown == scales.get(symbol):
                raise AssertionError(f"line {record.line}: the codec asks for {grown} and has them")
            scales[symbol] = grown
            codec.set_scales(symbol, grown)
            event = codec.decode_frame(payload)


def bare_instrument(symbol: str, scales: Scales) -> Instrument:
    """Without filters: one tick and one lot a unit."""
    return Instrument(
        instrument=0,
        version=1,
        account=0,
        venue=0,
        venue_symbol=symbol,
        base_asset="",
        quote_asset="",
        price_scale=scales.price,
        quantity_scale=scales.quantity,
        base_scale=scales.quantity,
        quote_scale=scales.price,
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


def finest(one: Scales, other: Scales) -> Scales:
    return Scales(max(one.price, other.price), max(one.quantity, other.quantity))


def _usual(told: Counter[int]) -> int:
    """The most decimals that two frames show; that one does, where no two agree."""
    return max((decimals for decimals, frames in told.items() if frames > 1), default=max(told))


def _events(event: FeedEvent | Batch) -> tuple[FeedEvent, ...]:
    return event.events if isinstance(event, Batch) else (event,)


def _told(event: FeedEvent | Batch) -> set[str]:
    """Symbols whose figures were read. One that is too fine is not told any scales before it is known what it needs."""
    events = [each for each in _events(event) if not isinstance(each, Finer | Garbage)]
    return {symbol for each in events if (symbol := getattr(each, "venue_symbol", ""))}
