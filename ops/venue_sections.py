"""What a configuration says of venues: their addresses, and the rows of data to look at. Defaults are filled in here."""

import re
from urllib.parse import urlsplit

import msgspec

from gateway.doors.coordination.contract import Misconfigured
from ops.sections import Config, FeedSection, VenueSection
from ops.venues import LEVELS, MARKETS, ORDER_ENTRY, TESTNETS

SYMBOLS_MAX = 2_000
"""Of one row: more than a venue lists of one kind. Chosen."""
LABEL_MAX = 63
"""Characters between two dots of a host's name (RFC 1035, 2.3.4): longer or empty ones raise before anything is looked up."""
HTTP, WEBSOCKET = ("http", "https"), ("ws", "wss")


def complete(config: Config) -> Config:
    """The same with every address, and every number of levels. Raises Misconfigured naming the field."""
    section, rows = config.venue, config.feed
    return msgspec.structs.replace(config, venue=_venue(section), feed=[_feed(config, row) for row in rows])


def _venue(section: VenueSection) -> VenueSection:
    written = {"rest": section.rest, "streams": section.streams, "websocket_api": section.websocket_api}
    if section.testnet:
        return _testnet(section, written)
    if any(written.values()):
        for key, url in written.items():
            _check_url(f"[venue] {key}", url, HTTP if key == "rest" else WEBSOCKET, "the other addresses")
        return section
    rest, streams = MARKETS[section.kind]().addresses
    return msgspec.structs.replace(section, rest=rest, streams=streams, websocket_api=ORDER_ENTRY[section.kind])


def _testnet(section: VenueSection, written: dict[str, str]) -> VenueSection:
    """Its own addresses: one of them beside others' would be orders in one place by the prices of another."""
    for key, url in written.items():
        if url:
            raise Misconfigured(
                f"[venue] {key}", "stands beside testnet = true, which names its own; remove it, or testnet"
            )
    if section.kind not in TESTNETS:
        known = ", ".join(TESTNETS)
        raise Misconfigured("[venue] testnet", f"{section.kind} has no test network; known: {known}; remove it")
    rest, streams, websocket_api = TESTNETS[section.kind]
    return msgspec.structs.replace(section, rest=rest, streams=streams, websocket_api=websocket_api)


def _feed(config: Config, row: FeedSection) -> FeedSection:
    _check_symbols(config, row)
    _check_once(config, row)
    rest, streams = MARKETS[row.venue]().addresses
    if row.rest or row.streams:
        for key, url, schemes in (("rest", row.rest, HTTP), ("streams", row.streams, WEBSOCKET)):
            _check_url(f"[[feed]] {row.venue} {key}", url, schemes, "the other address")
        rest, streams = row.rest, row.streams
    usual, most = LEVELS[row.venue]
    if not 0 <= row.levels <= most:
        raise Misconfigured(
            f"[[feed]] {row.venue} levels", f"{row.levels} is out of range; write 1 to {most}, or leave it out"
        )
    return msgspec.structs.replace(row, rest=rest, streams=streams, levels=row.levels or usual)


def _check_symbols(config: Config, row: FeedSection) -> None:
    field = f"[[feed]] {row.venue} symbols"
    if not 1 <= len(row.symbols) <= SYMBOLS_MAX:
        raise Misconfigured(field, f"there are {len(row.symbols)}; name 1 to {SYMBOLS_MAX}")
    for symbol in row.symbols:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/_.:-]{1,39}", symbol):
            raise Misconfigured(
                field, f"{symbol!r} is not a symbol; write it as the venue does, like BTC/USD or BTC-USDT"
            )
        if row.symbols.count(symbol) > 1:
            raise Misconfigured(field, f"{symbol} stands twice; remove one")
        if row.venue == config.venue.kind and any(symbol == traded.symbol for traded in config.instrument):
            raise Misconfigured(field, f"{symbol} is traded: its market data come anyway; remove it here")


def _check_once(config: Config, row: FeedSection) -> None:
    if sum(other.venue == row.venue for other in config.feed) > 1:
        raise Misconfigured("[[feed]] venue", f"{row.venue} stands twice; write its symbols into one row")


def _check_url(field: str, url: str, schemes: tuple[str, str], others: str) -> None:
    if not url:
        raise Misconfigured(field, f"is missing beside {others}; write it too, or none of them for the venue's own")
    if url.split("://")[0] not in schemes or "://" not in url:
        raise Misconfigured(field, f"{url!r} is not a URL that starts with {schemes[0]}:// or {schemes[1]}://")
    if not _has_address(url):
        raise Misconfigured(field, f"{url!r} has no host, or a port that is none; write {schemes[1]}://HOST[:PORT]")


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?|::1", host) is None:
            return False
        labels_fit = ":" in host or all(0 < len(label) <= LABEL_MAX for label in host.split("."))
        return labels_fit and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
