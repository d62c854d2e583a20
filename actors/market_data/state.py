"""What market data is built from and what it remembers beside the synchronizers."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from actors.market_data.alerts import AlertGate
from actors.market_data.rule import BINANCE_SPOT, SyncRule
from actors.market_data.sync import Synchronizer
from bus.messages import Instrument
from bus.messages.feed import Batch, FeedEvent, MarketCodec


class FeedConnection(NamedTuple):
    """What ops says of one connection. venue_symbols: which of the venue's instruments it carries; () is all."""

    codec: MarketCodec
    venue: int
    venue_symbols: tuple[str, ...] = ()
    rule: SyncRule = BINANCE_SPOT


class Counters(msgspec.Struct):
    """Of all instruments together; the rest is counted in each Synchronizer."""

    unknown_symbols: int = 0
    garbage: int = 0
    notices: int = 0
    unsynced: int = 0
    late_answers: int = 0
    late_connections: int = 0


class ConnectionState(msgspec.Struct):
    """generation 0: down."""

    connection: int
    generation: int = 0
    frames: int = 0


class MarketDataState(msgspec.Struct):
    """Everything, in order of arrival."""

    connections: list[ConnectionState]
    synchronizers: list[Synchronizer]
    counters: Counters
    alerts: AlertGate


class Feed:
    """One connection at work: the bound decoder and its instruments by venue symbol."""

    __slots__ = ("codec", "decode", "rule", "state", "symbols", "venue", "venue_symbols")

    def __init__(self, connection: int, plan: FeedConnection) -> None:
        self.codec = plan.codec
        self.decode: Callable[[bytes], FeedEvent | Batch] = plan.codec.decode_frame
        self.rule = plan.rule
        self.venue = plan.venue
        self.venue_symbols = frozenset(plan.venue_symbols)
        self.symbols: dict[str, Synchronizer] = {}
        self.state = ConnectionState(connection)

    def carries(self, instrument: Instrument) -> bool:
        named = self.venue_symbols
        return instrument.venue == self.venue and (not named or instrument.venue_symbol in named)
