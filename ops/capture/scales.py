"""In what scales a recording's figures are read: of its metadata if they were recorded, else as fine as its figures are."""

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
        self._first = market.first_scales
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

    def learn(self, codec: MarketCodec, record: Record, records: Iterable[Record]) -> dict[str, Scales]:
        """Read this record and all that follow for their decimals alone, so that one more run suffices."""
        scales: dict[str, Scales] = {}
        self._read(codec, record, scales)
        for later in records:
            self._read(codec, later, scales)
        return scales

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


def _events(event: FeedEvent | Batch) -> tuple[FeedEvent, ...]:
    return event.events if isinstance(event, Batch) else (event,)


def _told(event: FeedEvent | Batch) -> set[str]:
    """Symbols whose figures were read. One that is too fine is not told any scales before it is known what it needs."""
    events = [each for each in _events(event) if not isinstance(each, Finer | Garbage)]
    return {symbol for each in events if (symbol := getattr(each, "venue_symbol", ""))}
