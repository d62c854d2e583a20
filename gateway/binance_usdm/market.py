"""Binance USD-M futures' market data in the shape of every venue (gateway/market.py). Pure.

Since 2026-04-23 streams are routed by their path ("Important WebSocket Change Notice"): books and best quotes under
/public, trades and mark prices under /market; what is asked for under the wrong one stays silent. So each group of
symbols has two connections.
"""

from collections.abc import Sequence

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec
from gateway.binance_usdm.codec import BinanceUsdmCodec
from gateway.binance_usdm.rule import BINANCE_USDM
from gateway.binance_usdm.slow import FIRST, MS_NS, Millis
from gateway.binance_usdm.symbols import read_instruments
from gateway.market import Addresses, ConnectionPlan, Limits

STREAM_NAMES = {
    Stream.DEPTH: "depth@100ms",
    Stream.QUOTE: "bookTicker",
    Stream.TRADE: "aggTrade",
    Stream.MARK: "markPrice@1s",
}
ROUTES = (("/public/stream", (Stream.DEPTH, Stream.QUOTE)), ("/market/stream", (Stream.TRADE, Stream.MARK)))
DEPTHS = ((5, 2), (10, 2), (20, 2), (50, 2), (100, 5), (500, 10), (1_000, 20))
"""Levels that may be asked for, and the request's weight (docs, "Order Book")."""
TRADES_MAX = 1_000  # of one answer (docs, "Compressed/Aggregate Trades List"); weight 20
PATH_MAX = 2_000  # characters of streams in a URL, chosen: the venue refused 8,005 in 2019 (third party's measurement)
NAMES_MAX = 200  # streams of one SUBSCRIBE, chosen: 437 of them, about 8,000 bytes, got no answer (third party, spot)


class _Time(msgspec.Struct):
    serverTime: Millis


class BinanceUsdm:
    """A VenueMarket."""

    name = "binance-usdm"
    addresses = Addresses("https://fapi.binance.com", "wss://fstream.binance.com")
    rule = BINANCE_USDM
    # 1,024 streams a connection, 10 frames a second, 24 h (docs, "Websocket Market Streams"). Openings: not documented
    # here, spot's 300 in 5 min. 2,400 weight a minute (exchangeInfo, recording of 2021). No frame need ever come.
    limits = Limits(1_024, 0, 10.0, 86_400.0, 300, 300.0, 2_400, 60.0)
    streams = tuple(STREAM_NAMES)
    first_scales = FIRST

    def shape(self, levels: int) -> BookShape:
        return BookShape()

    def codec(self) -> MarketCodec:
        return BinanceUsdmCodec()

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        plans: list[ConnectionPlan] = []
        for path, carried in ROUTES:
            kinds = tuple(stream for stream in streams if stream in carried)
            share = self.limits.streams_max // max(len(kinds), 1)
            starts = range(0, len(venue_symbols) if kinds else 0, share)
            plans += [_connection(path, venue_symbols[at : at + share], kinds) for at in starts]
        return tuple(plans)

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        names = [f"{venue_symbol.lower()}@{STREAM_NAMES[stream]}"]
        return _request("UNSUBSCRIBE", names, request_id), _request("SUBSCRIBE", names, request_id)

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        return f"/fapi/v1/depth?symbol={venue_symbol}&limit={_depth(levels)[0]}"

    def snapshot_weight(self, levels: int) -> int:
        return _depth(levels)[1]

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """Aggregates, numbered as the stream's: without a hole."""
        return f"/fapi/v1/aggTrades?symbol={venue_symbol}&fromId={from_id}&limit={min(limit, TRADES_MAX)}"

    def time_path(self) -> str:
        return "/fapi/v1/time"

    def read_time(self, body: bytes) -> int | Garbage:
        try:
            return msgspec.json.decode(body, type=_Time).serverTime * MS_NS
        except (ValueError, RecursionError) as error:
            return Garbage(f"time: {error}")

    def metadata_paths(self) -> tuple[str, ...]:
        return ("/fapi/v1/exchangeInfo",)

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies[0], wanted, account, venue)


def _depth(levels: int) -> tuple[int, int]:
    """The least of the venue's depths that has as many levels, else its greatest; and the weight."""
    return next((row for row in DEPTHS if levels <= row[0]), DEPTHS[-1])


def _connection(path: str, venue_symbols: Sequence[str], kinds: tuple[Stream, ...]) -> ConnectionPlan:
    """Few streams are named in the path, so that nothing needs to be said; many are subscribed to after opening."""
    names = [f"{symbol.lower()}@{STREAM_NAMES[kind]}" for symbol in venue_symbols for kind in kinds]
    named = f"{path}?streams={'/'.join(names)}"
    if len(named) <= PATH_MAX:
        return ConnectionPlan(named, tuple(venue_symbols), kinds, ())
    parts = [names[at : at + NAMES_MAX] for at in range(0, len(names), NAMES_MAX)]
    opening = tuple(_request("SUBSCRIBE", part, number) for number, part in enumerate(parts, 1))
    return ConnectionPlan(path, tuple(venue_symbols), kinds, opening)


def _request(method: str, names: Sequence[str], request_id: int) -> bytes:
    return msgspec.json.encode({"method": method, "params": names, "id": request_id})
