"""OKX's market data in the shape of every venue (gateway/market.py). Pure. Spot, perpetual swaps and futures alike."""

from collections.abc import Sequence

import msgspec

from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape, Garbage, MarketCodec, Scales
from gateway.market import Addresses, ConnectionPlan, Limits
from gateway.okx.checksum import CHECKSUM_LEVELS, book_checksum
from gateway.okx.codec import OkxCodec
from gateway.okx.rule import OKX
from gateway.okx.slow import MS_NS, Millis
from gateway.okx.symbols import KINDS, read_instruments

CHANNELS = {Stream.DEPTH: "books", Stream.QUOTE: "bbo-tbt", Stream.TRADE: "trades", Stream.MARK: "mark-price"}
DEPTH = 400  # docs, "Order book channel"; 98 recorded updates of BTC-USDT left just as many a side, each
FUNDING = "funding-rate"
SWAP = "-SWAP"
PATH = "/ws/v5/public"
PING = b"ping"
PING_S = 20.0  # the venue hangs up after 30 s without a frame of its own or of ours (docs, "Connect")


class Okx:
    """A VenueMarket."""

    name = "okx"
    addresses = Addresses("https://www.okx.com", "wss://ws.okx.com:8443")
    rule = OKX
    # "Many 400 depth level channels: through multiple connections, each of less than 30" (docs, "Order book channel"), of
    # up to five channels a symbol. 3 openings a second and IP, 480 subscribe or unsubscribe requests an hour and connection
    # (docs, "Connect"); of frames a second nothing is said: chosen. REST: 10 in 2 s (docs, "Get system time").
    limits = Limits(145, 29, 3.0, 0.0, 3, 1.0, 10, 2.0, silence_s=30.0)
    streams = tuple(CHANNELS)
    first_scales = Scales()

    def shape(self, levels: int) -> BookShape:
        """The venue's view has 400 levels a side and moves with the touch: behind a full side's last one nothing is known.
        The checksum is none today, and covered 25 of them once."""
        return BookShape(DEPTH, CHECKSUM_LEVELS, book_checksum)

    def codec(self) -> MarketCodec:
        return OkxCodec()

    def plan(self, venue_symbols: Sequence[str], streams: Sequence[Stream], levels: int) -> tuple[ConnectionPlan, ...]:
        """One request a connection, so that its 480 an hour are left for renewals. levels: the venue has 400 for all."""
        kinds = tuple(stream for stream in streams if stream in CHANNELS)
        share = self.limits.symbols_max
        parts = [venue_symbols[at : at + share] for at in range(0, len(venue_symbols), share)]
        return tuple(ConnectionPlan(PATH, tuple(part), kinds, _opening(part, kinds), PING, PING_S) for part in parts)

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        channels = _channels(venue_symbol, stream)
        if not channels:
            return ()
        args = [{"channel": channel, "instId": venue_symbol} for channel in channels]
        return tuple(_request(operation, args, request_id) for operation in ("unsubscribe", "subscribe"))

    def snapshot_path(self, venue_symbol: str, levels: int) -> str:
        """None: the stream begins with its own snapshot, and only that one's seqId is the stream's."""
        return ""

    def snapshot_weight(self, levels: int) -> int:
        return 0

    def trades_path(self, venue_symbol: str, from_id: int, limit: int) -> str:
        """None: history-trades gives single fills, the stream sums of them by their last id: joined, some count twice."""
        return ""

    def time_path(self) -> str:
        return "/api/v5/public/time"

    def read_time(self, body: bytes) -> int | Garbage:
        try:
            answer = msgspec.json.decode(body, type=_TimeAnswer, strict=False)
        except (ValueError, RecursionError) as error:
            return Garbage(f"time: {error}")
        if len(answer.data) != 1:
            return Garbage(f"time: data: {len(answer.data)} of them")
        return answer.data[0].ts * MS_NS

    def metadata_paths(self) -> tuple[str, ...]:
        return tuple(f"/api/v5/public/instruments?instType={kind}" for kind in KINDS)

    def read_instruments(
        self, bodies: Sequence[bytes], wanted: Sequence[str], account: int, venue: int
    ) -> list[Instrument]:
        return read_instruments(bodies, wanted, account, venue)


class _Time(msgspec.Struct):
    ts: Millis


class _TimeAnswer(msgspec.Struct):
    data: list[_Time]


def _channels(venue_symbol: str, stream: Stream) -> tuple[str, ...]:
    """Spot has neither mark price nor funding, futures no funding."""
    if stream is not Stream.MARK:
        return (CHANNELS[stream],)
    if venue_symbol.endswith(SWAP):
        return CHANNELS[stream], FUNDING
    return (CHANNELS[stream],) if venue_symbol.count("-") == 2 else ()


def _opening(venue_symbols: Sequence[str], kinds: Sequence[Stream]) -> tuple[bytes, ...]:
    args = [
        {"channel": channel, "instId": symbol}
        for symbol in venue_symbols
        for kind in kinds
        for channel in _channels(symbol, kind)
    ]
    return (_request("subscribe", args, 1),)


def _request(operation: str, args: list[dict[str, str]], request_id: int) -> bytes:
    return msgspec.json.encode({"id": str(request_id), "op": operation, "args": args})
