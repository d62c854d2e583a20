"""Whose market data are wanted, and by which connections: the venue that trades, and those that are looked at.

Numbers say the same in every run: a venue's is its place (the trading one, then the [[feed]] rows), a connection's is the
venue's times CONNECTIONS_MAX and its place in the venue's plan, so that more symbols of one venue renumber no other's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from actors.market_data import FeedConnection
from bus.messages import Instrument, Stream
from bus.messages.feed import BookShape
from gateway.doors.connection import Planned
from gateway.market import Addresses, VenueMarket
from ops.sections import Config
from ops.venues import MARKETS

NOBODY = -1
"""The account of an instrument that is looked at: nobody trades it here, so no actor that trades knows it."""
CONNECTIONS_MAX = 1_000
"""Of one venue; chosen: a venue's whole list of symbols fits."""

SNAPSHOT_PART = 2
"""Snapshots may use one part in so many of a venue's request weight: cancels and queries need the rest. Chosen."""


class Source(NamedTuple):
    """One venue's market data. number: of the venue, 0 for the one that trades. name: as the configuration has it."""

    number: int
    name: str
    market: VenueMarket
    addresses: Addresses
    symbols: tuple[str, ...]
    levels: int

    @property
    def streams(self) -> tuple[Stream, ...]:
        return self.market.streams


def sources(config: Config) -> tuple[Source, ...]:
    """By venue number."""
    venue = config.venue
    traded = tuple(row.symbol for row in config.instrument)
    first = Source(
        0, venue.kind, MARKETS[venue.kind](), Addresses(venue.rest, venue.streams), traded, venue.snapshot_levels
    )
    rows = [
        Source(number, row.venue, MARKETS[row.venue](), Addresses(row.rest, row.streams), row.symbols, row.levels)
        for number, row in enumerate(config.feed, 1)
    ]
    return (first, *rows)


def planned(config: Config, instruments: Sequence[Instrument]) -> dict[int, Planned]:
    """By connection number, what the feed door dials for these instruments."""
    found = {}
    for source in sources(config):
        symbols = [row.venue_symbol for row in instruments if row.venue == source.number]
        plans = source.market.plan(symbols, source.streams, source.levels) if symbols else ()
        assert len(plans) <= CONNECTIONS_MAX, (source.market.name, len(plans))
        for place, plan in enumerate(plans):
            number = source.number * CONNECTIONS_MAX + place
            found[number] = Planned(source.market, source.addresses.streams, plan, source.levels)
    return found


def feed_connections(config: Config, instruments: Sequence[Instrument]) -> dict[int, FeedConnection]:
    """The same connections as market data knows them: one codec each, for it may number the frames it has read."""
    return {number: _feed_connection(number, wanted) for number, wanted in planned(config, instruments).items()}


def _feed_connection(number: int, wanted: Planned) -> FeedConnection:
    market, plan = wanted.market, wanted.plan
    limits = market.limits
    return FeedConnection(
        market.codec(),
        number // CONNECTIONS_MAX,
        market.rule,
        plan.venue_symbols,
        plan.streams,
        market.snapshot_weight(wanted.levels),
        int(limits.weight * 60.0 / limits.weight_s) // SNAPSHOT_PART,
        int(limits.life_s * 1e9),
        wanted.levels,
        bool(market.trades_path(plan.venue_symbols[0], 1, 1)),
    )


def shapes(config: Config) -> dict[int, BookShape]:
    """By venue number, what its books are like."""
    wanted = {source.number: (source.market.shape(source.levels), source.levels) for source in sources(config)}
    return {
        number: shape if shape.levels else shape._replace(levels=levels) for number, (shape, levels) in wanted.items()
    }


def is_traded(instrument: Instrument) -> bool:
    """Whether orders may go: it is of the configured account, not only looked at."""
    return instrument.account != NOBODY


def label(source: Source, instrument: Instrument) -> str:
    """How people are told of it: a symbol alone is one that is traded."""
    return instrument.venue_symbol if is_traded(instrument) else f"{source.name}:{instrument.venue_symbol}"
