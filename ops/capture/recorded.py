"""What a recording says beside its book updates: REST bodies by their address, depths by what was subscribed."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from bus.messages import Instrument
from gateway.market import VenueMarket
from gateway.text import SymbolError

_SYMBOL, _LEVELS = "SYMBOL", 1_000


class SnapshotOf(NamedTuple):
    """Whose depth a REST body is. levels: what was asked for a side, 0: the address does not say."""

    venue_symbol: str
    levels: int


class SnapshotAddress:
    """Tells depth snapshots of a venue from other REST bodies: by the path and the parameters that the engine would use."""

    def __init__(self, market: VenueMarket) -> None:
        parts = urlsplit(market.snapshot_path(_SYMBOL, _LEVELS))
        self._path = parts.path
        named = {values[0]: name for name, values in parse_qs(parts.query).items()}
        self._symbol, self._levels = named.get(_SYMBOL, ""), named.get(str(_LEVELS), "")

    def read(self, address: str) -> SnapshotOf | None:
        """address: path and query, or a whole URL."""
        parts = urlsplit(address)
        if not self._path or not parts.path.endswith(self._path):
            return None
        query = parse_qs(parts.query)
        symbols, levels = query.get(self._symbol), query.get(self._levels, ["0"])[0]
        if not symbols:
            return None
        return SnapshotOf(symbols[0].upper(), int(levels) if levels.isdecimal() else 0)


class Metadata:
    """The venue's metadata as they were recorded, if they were."""

    def __init__(self, market: VenueMarket) -> None:
        self._market = market
        self._wanted = [_named(path) for path in market.metadata_paths()]
        self._bodies: dict[int, bytes] = {}

    def take(self, address: str, body: str) -> bool:
        """Keep it if it is one of them; the last of its address counts."""
        path, query = _named(address)
        for number, (wanted, parameters) in enumerate(self._wanted):
            if path.endswith(wanted) and parameters <= query:
                self._bodies[number] = body.encode()
                return True
        return False

    def instrument(self, venue_symbol: str, venue: int) -> Instrument | None:
        """None: they are not all here, are of an older form, or do not list it; the recording's own figures decide then."""
        if not self._wanted or len(self._bodies) < len(self._wanted):
            return None
        bodies = [self._bodies[number] for number in range(len(self._wanted))]
        try:
            return self._market.read_instruments(bodies, [venue_symbol], 0, venue)[0]
        except SymbolError:
            return None


def _named(address: str) -> tuple[str, set[tuple[str, str]]]:
    parts = urlsplit(address)
    return parts.path, {(name, values[0]) for name, values in parse_qs(parts.query).items()}


class _Asked(msgspec.Struct):
    """Of a subscription to books: `symbol` is one name or several."""

    channel: str = ""
    symbol: str | list[str] = ""
    depth: int = 0


class _Subscription(msgspec.Struct):
    params: _Asked | None = None
    result: _Asked | None = None


_subscription = msgspec.json.Decoder(_Subscription).decode


def subscribed_depth(text: str) -> tuple[Sequence[str], int] | None:
    """The symbols and the levels a side that a subscription, or its acknowledgement, names; None: it is neither."""
    if '"depth"' not in text:
        return None
    try:
        frame = _subscription(text)
    except ValueError:
        return None
    asked = frame.result or frame.params
    if asked is None or asked.channel != "book" or asked.depth <= 0:
        return None
    return [asked.symbol] if isinstance(asked.symbol, str) else asked.symbol, asked.depth
