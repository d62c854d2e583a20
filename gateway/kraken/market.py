"""Kraken Spot's market data in the shape of every venue (gateway/market.py). Pure. WebSocket v2."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec
from gateway.kraken.checksum import CHECKSUM_LEVELS, book_checksum
from gateway.kraken.codec import FIRST_SCALES, KrakenCodec
from gateway.kraken.rule import KRAKEN
from gateway.kraken.symbols import read_instruments
from gateway.market import Addresses, ConnectionPlan, Limits

DEPTHS = (10, 25, 100, 500, 1_000)
"""Levels a side that can be asked for (docs, "Book"). Only of ten does the checksum cover all."""
CHANNELS = {Stream.DEPTH: "book", Stream.QUOTE: "ticker", Stream.TRADE: "trade"}
PATH = "/v2"
SYMBOLS_A_FRAME = 100  # chosen: a subscription names a list, and how long it may be is not documented
SECOND_NS = 1_000_000_000


class Kraken:
    """A VenueMarket."""

    name = "kraken-v2"
    addresses = Addresses("https://api.kraken.com", "wss://ws.kraken.com")
    rule = KRAKEN
    # 150 openings in 10 min and IP, else it is banned for 10 min (docs, "Spot WebSocket Introduction"). No number is
    # documented of symbols a connection or of our frames a second ("Exceeded msg rate" depends on the load): chosen. REST:
    # one public request a second is safe (support, "What are the API rate limits"). A subscribed connection gets a
    # heartbeat about each second; "if no message of any kind arrives within 5 s, reconnect" (docs, "Reconnection").
    limits = Limits(600, 200, 5.0, 0.0, 150, 600.0, 1, 1.0, silence_s=5.0, time_error_s=0.5)
    streams = tuple(CHANNELS)
    first_scales = FIRST_SCALES

    def shape(self, levels: int) -> BookShape:
        return BookShape(depth_for(levels), CHECKSUM_LEVELS, book_checksum)

    def codec(self) -> MarketCodec:
        return KrakenCodec()

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        kinds = tuple(stream for stream in streams if stream in CHANNELS)
        parts = _parts(venue_symbols, self.limits.symbols_max)
        return tuple(ConnectionPlan(PATH, tuple(part), kinds, _opening(part, kinds, levels)) for part in parts)

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        return (
            _request("unsubscribe", stream, (venue_symbol,), levels, request_id),
            _request("subscribe", stream, (venue_symbol,), levels, request_id),
        )

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        """None: the REST depth bears neither stamp nor checksum, so that no stream fits it."""
        return ""

    def snapshot_weight(self, levels: int) -> int:
        return 0

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """None: past trades are asked for since a time, not from an id (docs, "Get Recent Trades")."""
        return ""

    def time_path(self) -> str:
        return "/0/public/Time"

    def read_time(self, body: bytes) -> int | Garbage:
        """The venue says whole seconds, cut off: the middle of that second, true within half of one."""
        try:
            answer = msgspec.json.decode(body, type=_TimeAnswer)
        except (ValueError, RecursionError) as error:
            return Garbage(f"Time: {error}")
        if not 0 < answer.result.unixtime < (1 << 63) // SECOND_NS:
            return Garbage(f"Time: unixtime: {answer.result.unixtime} does not fit")
        return answer.result.unixtime * SECOND_NS + SECOND_NS // 2

    def metadata_paths(self) -> tuple[str, ...]:
        return ("/0/public/AssetPairs",)

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies[0], wanted, account, venue)


class _Time(msgspec.Struct):
    unixtime: int


class _TimeAnswer(msgspec.Struct):
    result: _Time


def depth_for(levels: int) -> int:
    """The least depth of the venue's that holds so many levels; its deepest when none does."""
    return next((depth for depth in DEPTHS if depth >= levels), DEPTHS[-1])


def _opening(venue_symbols: Sequence[str], kinds: Sequence[Stream], levels: int) -> tuple[bytes, ...]:
    asked = [(kind, part) for kind in kinds for part in _parts(venue_symbols, SYMBOLS_A_FRAME)]
    return tuple(_request("subscribe", kind, part, levels, number) for number, (kind, part) in enumerate(asked, 1))


def _parts(venue_symbols: Sequence[str], share: int) -> list[Sequence[str]]:
    return [venue_symbols[at : at + share] for at in range(0, len(venue_symbols), share)]


def _request(method: str, stream: Stream, venue_symbols: Sequence[str], levels: int, request_id: int) -> bytes:
    """A trade's snapshot is not asked for: fifty old prints would enter the windows as if they were new."""
    params: dict[str, Any] = {"channel": CHANNELS[stream], "symbol": list(venue_symbols)}
    if stream is Stream.DEPTH:
        params["depth"] = depth_for(levels)
    if stream is Stream.QUOTE:
        params["event_trigger"] = "bbo"
    if method == "subscribe":
        params["snapshot"] = stream is not Stream.TRADE
    return msgspec.json.encode({"method": method, "params": params, "req_id": request_id})
