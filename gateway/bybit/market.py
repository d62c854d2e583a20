"""Bybit v5 market data in the shape of every venue (gateway/market.py). Pure. Rules: docs/venues/bybit.md.

A category is a venue of its own: the same symbol means another market in each, on another path, with another book.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec, Scales
from gateway.bybit.codec import BybitCodec
from gateway.bybit.rule import LINEAR, SPOT
from gateway.bybit.symbols import PAGE, read_instruments
from gateway.market import Addresses, ConnectionPlan, Limits
from gateway.text import count_ns

DEPTHS = (50, 200, 1_000)
"""Levels a side of the topics, besides 1 (docs, "Orderbook"): pushed every 20, 100 and 200 ms."""
STREAMS_MAX = 180
"""Topics a connection. Chosen: 60 symbols of three, a request each, are asked for in 7.5 s at the door's pace, and a book that
is not here after 10 s is asked for again. All args of a connection may have 21,000 characters (docs, "Connect", "Args
limits"); these have 6,660 (`"orderbook.1000.1000000BABYDOGEUSDT",` has 37). A request of spot may have 10 args."""
RECENT = {"spot": 60, "linear": 1_000}  # docs, "Get Recent Public Trades": most of a page
PING = b'{"op":"ping"}'
PING_S = 20.0  # docs, "Connect": "we recommend that you send the ping heartbeat packet every 20 seconds"

BYBIT_COM = Addresses("https://api.bybit.com", "wss://stream.bybit.com")


class Bybit:
    """A VenueMarket: "bybit" is its spot market, "bybit-linear" its USDT and USDC contracts."""

    # 500 openings in 5 min (docs, "Connect", "IP limits"). 600 requests in 5 s of an IP (docs, "Rate limit"). Frames a
    # second: chosen, the venue names none. No life is documented. Every ping is answered; 30 s is chosen, half a ping more.
    limits = Limits(STREAMS_MAX, 0, 10.0, 0.0, 500, 300.0, 600, 5.0, silence_s=30.0)
    addresses = BYBIT_COM
    first_scales = Scales()

    def __init__(self, category: Literal["spot", "linear"] = "spot") -> None:
        self.category = category
        spot = category == "spot"
        self.name = "bybit" if spot else f"bybit-{category}"
        self.rule = SPOT if spot else LINEAR
        self.streams: tuple[Stream, ...] = (Stream.DEPTH, Stream.QUOTE, Stream.TRADE)
        if not spot:
            self.streams += (Stream.MARK,)

    def shape(self, levels: int) -> BookShape:
        """The venue keeps its view at the topic's depth and deletes what falls out. So nothing is left to truncate, but the
        view moves with the touch: behind a full side's last level nothing is known."""
        return BookShape(_depth(levels))

    def codec(self) -> MarketCodec:
        return BybitCodec(numbered=self.category == "spot")

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        """A request a symbol: one topic that the venue does not know costs its whole request."""
        kinds = tuple(stream for stream in streams if stream in self.streams)
        share = STREAMS_MAX // max(1, len(kinds))
        parts = [tuple(venue_symbols[at : at + share]) for at in range(0, len(venue_symbols), share)]
        return tuple(
            ConnectionPlan(
                f"/v5/public/{self.category}",
                part,
                kinds,
                tuple(_say("subscribe", [_topic(kind, symbol, levels) for kind in kinds], symbol) for symbol in part),
                PING,
                PING_S,
            )
            for part in parts
        )

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        topics, asked = [_topic(stream, venue_symbol, levels)], f"{venue_symbol}:{request_id}"
        return tuple(_say(what, topics, asked) for what in ("unsubscribe", "subscribe"))

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        return ""

    def snapshot_weight(self, levels: int) -> int:
        return 0

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """The latest ones: the venue takes no id. Whether they reach back to `from_id` shows in the answer, where ids tell."""
        most = min(limit, RECENT[self.category])
        return f"/v5/market/recent-trade?category={self.category}&symbol={venue_symbol}&limit={most}"

    def time_path(self) -> str:
        return "/v5/market/time"

    def read_time(self, body: bytes) -> int | Garbage:
        try:
            answer = _time(body)
            if answer.retCode or answer.result is None:
                return Garbage(f"time: retCode {answer.retCode} {answer.retMsg[:100]}")
            return count_ns(answer.result.timeNano, 1)
        except (ValueError, RecursionError) as error:
            return Garbage(f"time: {error}")

    def metadata_paths(self) -> tuple[str, ...]:
        return (f"/v5/market/instruments-info?category={self.category}&limit={PAGE}",)

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies[0], wanted, account=account, venue=venue)


class _Clock(msgspec.Struct):
    timeNano: str


class _Time(msgspec.Struct):
    retCode: int
    retMsg: str = ""
    result: _Clock | None = None


_time = msgspec.json.Decoder(_Time).decode


def _topic(stream: Stream, venue_symbol: str, levels: int) -> str:
    if stream == Stream.DEPTH:
        return f"orderbook.{_depth(levels)}.{venue_symbol}"
    return f"{_TOPICS[stream]}.{venue_symbol}"


def _depth(levels: int) -> int:
    return next((depth for depth in DEPTHS if levels <= depth), DEPTHS[-1])


_TOPICS = {Stream.QUOTE: "orderbook.1", Stream.TRADE: "publicTrade", Stream.MARK: "tickers"}


def _say(what: str, topics: list[str], asked: str) -> bytes:
    return msgspec.json.encode({"req_id": asked, "op": what, "args": topics})
