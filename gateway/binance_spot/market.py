"""Binance Spot's market data in the shape of every venue (gateway/market.py). Pure. Binance US is a configuration of it."""

from collections.abc import Sequence

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec, Scales
from gateway.binance_spot.codec import BinanceSpotCodec
from gateway.binance_spot.limits import DEPTH_WEIGHTS, depth_weight
from gateway.binance_spot.queries import decode_time
from gateway.binance_spot.rule import BINANCE_SPOT
from gateway.binance_spot.symbols import read_instruments
from gateway.market import Addresses, ConnectionPlan, Limits

STREAM_NAMES = {Stream.DEPTH: "depth@100ms", Stream.QUOTE: "bookTicker", Stream.TRADE: "trade"}
PATH_MAX = 2_000  # characters of streams in a URL, chosen: the venue refused 8,005 in 2019 (third party's measurement)
NAMES_MAX = 256  # streams of one SUBSCRIBE, chosen: 437 of them, about 8,000 bytes, got no answer (third party, 2020);
# and 4 of these frames, under the 5 a second that the venue takes, carry all that a connection may
KEYED_TRADES = frozenset(("binance-us",))
"""Whose old trades need a key (docs of Binance US, "Old trade lookup (MARKET_DATA)")."""

BINANCE_COM = Addresses("https://api.binance.com", "wss://stream.binance.com:9443")
BINANCE_US = Addresses("https://api.binance.us", "wss://stream.binance.us:9443")


class BinanceSpot:
    """A VenueMarket."""

    rule = BINANCE_SPOT
    # Streams a connection, 5 frames a second, 24 h, 300 openings in 5 min (docs, web-socket-streams, "General information");
    # 6,000 weight a minute (docs, LIMITS); a ping comes every 20 s, but no frame need ever.
    limits = Limits(1_024, 0, 5.0, 86_400.0, 300, 300.0, 6_000, 60.0)
    streams = tuple(STREAM_NAMES)
    first_scales = Scales()

    def __init__(
        self,
        name: str = "binance-spot",
        addresses: Addresses = BINANCE_COM,
    ) -> None:
        self.name, self.addresses = name, addresses

    def shape(self, levels: int) -> BookShape:
        return BookShape()

    def codec(self) -> MarketCodec:
        return BinanceSpotCodec()

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        kinds = tuple(stream for stream in streams if stream in STREAM_NAMES)
        share = self.limits.streams_max // max(len(kinds), 1)
        starts = range(0, len(venue_symbols) if kinds else 0, share)
        return tuple(_connection(venue_symbols[at : at + share], kinds) for at in starts)

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        names = [f"{venue_symbol.lower()}@{STREAM_NAMES[stream]}"]
        return _request("UNSUBSCRIBE", names, request_id), _request("SUBSCRIBE", names, request_id)

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        return f"/api/v3/depth?symbol={venue_symbol}&limit={min(levels, DEPTH_WEIGHTS[-1][0])}"

    def snapshot_weight(self, levels: int) -> int:
        return depth_weight(levels)

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """historicalTrades: weight 25, at most 1,000, no signature (docs, "Old trade lookup")."""
        if self.name in KEYED_TRADES:
            return ""
        return f"/api/v3/historicalTrades?symbol={venue_symbol}&fromId={from_id}&limit={min(limit, 1_000)}"

    def time_path(self) -> str:
        return "/api/v3/time"

    def read_time(self, body: bytes) -> int | Garbage:
        return decode_time(body)

    def metadata_paths(self) -> tuple[str, ...]:
        return ("/api/v3/exchangeInfo",)

    def metadata_paths_of(self, venue_symbols: Sequence[str]) -> tuple[str, ...]:
        """A few kB, weight 20, where the whole list has about 10 MB; one symbol that is not listed refuses them all
        (-1121; docs, "Exchange information"). More symbols than a URL holds: the whole list.
        """
        names = "%2C".join(f"%22{symbol}%22" for symbol in venue_symbols)
        path = f"/api/v3/exchangeInfo?symbols=%5B{names}%5D"
        return (path,) if len(path) <= PATH_MAX else self.metadata_paths()

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies[0], wanted, account=account, venue=venue)


def _connection(venue_symbols: Sequence[str], kinds: tuple[Stream, ...]) -> ConnectionPlan:
    """Few streams are named in the path, so that nothing needs to be said; many are subscribed to after opening."""
    names = [f"{symbol.lower()}@{STREAM_NAMES[kind]}" for symbol in venue_symbols for kind in kinds]
    named = f"/stream?streams={'/'.join(names)}"
    if len(named) <= PATH_MAX:
        return ConnectionPlan(named, tuple(venue_symbols), kinds, ())
    parts = [names[at : at + NAMES_MAX] for at in range(0, len(names), NAMES_MAX)]
    opening = tuple(_request("SUBSCRIBE", part, number) for number, part in enumerate(parts, 1))
    return ConnectionPlan("/stream", tuple(venue_symbols), kinds, opening)


def _request(method: str, names: Sequence[str], request_id: int) -> bytes:
    return msgspec.json.encode({"method": method, "params": names, "id": request_id})
