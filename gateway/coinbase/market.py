"""Coinbase Advanced's market data in the shape of every venue (gateway/market.py). Pure. Rules: docs/venues/coinbase.md."""

from collections.abc import Sequence

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec, Scales
from gateway.coinbase.codec import CoinbaseCodec
from gateway.coinbase.rule import COINBASE
from gateway.coinbase.symbols import read_instruments
from gateway.market import Addresses, ConnectionPlan, Limits
from gateway.text import count_ns

CHANNELS = {Stream.DEPTH: "level2", Stream.TRADE: "market_trades", Stream.QUOTE: "ticker"}
HEARTBEATS = "heartbeats"
"""Always subscribed: other channels close after 60-90 s without an update (docs, "WebSocket Channels")."""

SYMBOLS_MAX = 10
"""Products a connection. Chosen, the venue names no limit: one hole in the numbers costs all of a connection's books a
snapshot of several MB each."""
WHOLE = 1_000_000
"""Levels a side that no snapshot has: each is the whole of its side (45,000 in all is a large one)."""
MS_NS = 1_000_000
TRADES_MAX = 250  # chosen; the venue names no largest page

COINBASE_COM = Addresses("https://api.coinbase.com", "wss://advanced-trade-ws.coinbase.com")


class Coinbase:
    """A VenueMarket."""

    name = "coinbase"
    addresses = COINBASE_COM
    rule = COINBASE
    # 8 connections and 8 unauthenticated messages a second of an IP (docs, "Advanced Trade WebSocket Rate Limits"); each
    # opening says four, so two openings a second are what fits. REST: 10 public requests a second of an IP (docs,
    # "Advanced Trade API Rate Limits"). A heartbeat comes every second; five is chosen. No life is documented.
    limits = Limits(SYMBOLS_MAX * len(CHANNELS) + 1, SYMBOLS_MAX, 8.0, 0.0, 2, 1.0, 10, 1.0, silence_s=5.0)
    streams = tuple(CHANNELS)
    first_scales = Scales()

    def shape(self, levels: int) -> BookShape:
        """The whole book, whatever is asked for: the venue deletes what goes, and sends no checksum."""
        return BookShape(levels=WHOLE)

    def codec(self) -> MarketCodec:
        return CoinbaseCodec()

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        """A message for each channel, as the venue wants it; the first must come within 5 s of opening."""
        kinds = tuple(stream for stream in streams if stream in CHANNELS)
        parts = [tuple(venue_symbols[at : at + SYMBOLS_MAX]) for at in range(0, len(venue_symbols), SYMBOLS_MAX)]
        return tuple(
            ConnectionPlan(
                "", part, kinds, (*(_say("subscribe", CHANNELS[kind], part) for kind in kinds), _SUBSCRIBE_HEARTBEATS)
            )
            for part in parts
        )

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        """The venue's requests bear no id."""
        return tuple(_say(what, CHANNELS[stream], (venue_symbol,)) for what in ("unsubscribe", "subscribe"))

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        return ""

    def snapshot_weight(self, levels: int) -> int:
        return 0

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """The latest ones: the venue takes times, not ids. Whether they reach back to `from_id` shows in the answer."""
        return f"/api/v3/brokerage/market/products/{venue_symbol}/ticker?limit={min(limit, TRADES_MAX)}"

    def time_path(self) -> str:
        return "/api/v3/brokerage/time"

    def read_time(self, body: bytes) -> int | Garbage:
        try:
            return count_ns(_time(body).epochMillis, MS_NS)
        except (ValueError, RecursionError) as error:
            return Garbage(f"time: {error}")

    def metadata_paths(self) -> tuple[str, ...]:
        return ("/api/v3/brokerage/market/products?product_type=SPOT",)

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies[0], wanted, account=account, venue=venue)


class _Time(msgspec.Struct):
    epochMillis: str


_time = msgspec.json.Decoder(_Time).decode


def _say(what: str, channel: str, products: tuple[str, ...]) -> bytes:
    return msgspec.json.encode({"type": what, "product_ids": products, "channel": channel})


_SUBSCRIBE_HEARTBEATS = msgspec.json.encode({"type": "subscribe", "channel": HEARTBEATS})
