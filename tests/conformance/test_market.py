"""What every venue's folder promises of its plans, frames, paths and limits."""

import json
import math
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bus.messages import Stream
from bus.messages.feed import Garbage, SnapshotSource
from gateway.market import VenueMarket
from gateway.text import SymbolError
from ops.capture.verify import config_name
from ops.venues import LEVELS, MARKETS
from tests.conformance.rows import ROWS, Row

DOCS = Path(__file__).parents[2] / "docs" / "venues"
ALL = tuple(Stream)
by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def symbols_of(row: Row, count: int) -> list[str]:
    """Names in the venue's manner, each another one."""
    base, _, _ = row.symbols[0].partition(row.symbols[0][:3])
    rest = row.symbols[0][3:]
    return [f"{base}C{number:03d}{rest}" for number in range(count)]


def levels_of(market: VenueMarket) -> int:
    return LEVELS[config_name(market.name)][0]


def test_every_registered_venue_has_a_row() -> None:
    names = {config_name(row.market().name) for row in ROWS}
    assert names == {config_name(make().name) for make in MARKETS.values()}


@by_row
@pytest.mark.parametrize("count", [1, 10, 1_000])
def test_a_plan_is_within_the_limits_and_each_depth_lies_on_one_connection(row: Row, count: int) -> None:
    market = row.market()
    limits = market.limits
    symbols = symbols_of(row, count)
    plans = market.plan(symbols, market.streams, levels_of(market))
    depths = Counter(symbol for plan in plans for symbol in plan.venue_symbols if Stream.DEPTH in plan.streams)
    assert depths == Counter(symbols)
    for plan in plans:
        assert len(plan.venue_symbols) * len(plan.streams) <= limits.streams_max
        assert not limits.symbols_max or len(plan.venue_symbols) <= limits.symbols_max
        assert (plan.keepalive_s > 0) == bool(plan.keepalive)
    for stream in market.streams:
        carried = Counter(s for plan in plans if stream in plan.streams for s in plan.venue_symbols)
        assert carried == Counter(symbols)
    room = min(limits.symbols_max or limits.streams_max, limits.streams_max // len(market.streams))
    routes = len({urlsplit(plan.path).path for plan in plans})
    assert len(plans) <= routes * math.ceil(count / room)


@by_row
def test_nothing_wished_is_nothing_dialed(row: Row) -> None:
    market = row.market()
    assert market.plan([], ALL, levels_of(market)) == ()


@by_row
def test_what_is_said_is_json_and_names_the_symbol(row: Row) -> None:
    """Where the streams stand in the path, nothing needs to be said."""
    market = row.market()
    symbol = row.symbols[0]
    for plan in market.plan([symbol], market.streams, levels_of(market)):
        said = plan.path + "".join(frame.decode() for frame in plan.opening)
        assert symbol.lower() in said.lower()
        assert all(isinstance(json.loads(frame), dict) for frame in plan.opening)
    for stream in market.streams:
        frames = market.renew(symbol, stream, levels_of(market), 77)
        if not frames:
            assert stream == Stream.MARK, "spot has none; everything else ends, and begins again"
            continue
        assert len(frames) >= 2
        assert all(symbol.lower() in frame.decode().lower() for frame in frames)
        assert json.loads(frames[0]) != json.loads(frames[-1])
        assert market.renew(symbol, stream, levels_of(market), 77) == frames


@by_row
def test_paths_are_what_the_rule_says(row: Row) -> None:
    market = row.market()
    symbol = row.symbols[0]
    path = market.snapshot_path(symbol, levels_of(market))
    assert bool(path) == (market.rule.snapshot == SnapshotSource.REST)
    assert (symbol in path) == bool(path)
    assert bool(path) == (market.snapshot_weight(levels_of(market)) > 0)
    trades = market.trades_path(symbol, 7, 10)
    assert not trades or symbol in trades
    assert market.metadata_paths()
    for each in (*filter(None, (path, trades)), market.time_path(), *market.metadata_paths()):
        assert each.startswith("/")


@by_row
def test_deeper_snapshots_weigh_no_less(row: Row) -> None:
    market = row.market()
    weights = [market.snapshot_weight(levels) for levels in (1, 100, 500, 1_000, 5_000)]
    assert weights == sorted(weights)
    assert market.snapshot_weight(levels_of(market)) <= market.limits.weight


@by_row
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"serverTime":"x"}', b"\xff", b'{"result":{}}'])
def test_time_and_metadata_that_cannot_be_read_are_named(row: Row, body: bytes) -> None:
    market = row.market()
    assert isinstance(market.read_time(body), Garbage)
    with pytest.raises(SymbolError):
        market.read_instruments([body] * len(market.metadata_paths()), row.symbols, 0, 0)


@by_row
def test_addresses_are_the_venues_own_and_encrypted(row: Row) -> None:
    rest, streams = row.market().addresses
    assert (urlsplit(rest).scheme, urlsplit(streams).scheme) == ("https", "wss")


@by_row
def test_each_number_of_the_limits_can_be_kept(row: Row) -> None:
    limits = row.market().limits
    assert limits.streams_max > 0
    assert limits.frames_per_s > 0
    assert limits.connects > 0
    assert limits.connects_s > 0
    assert limits.weight > 0
    assert limits.weight_s > 0
    assert limits.life_s == 0 or limits.life_s >= 3_600
    assert limits.silence_s >= 0


@by_row
def test_a_shape_holds_what_was_asked_for(row: Row) -> None:
    market = row.market()
    shape = market.shape(levels_of(market))
    assert shape.depth == 0 or shape.depth >= min(levels_of(market), LEVELS[config_name(market.name)][1])
    assert (shape.checksum is None) == (shape.checksum_levels == 0)


@by_row
def test_there_is_a_page_of_rules_limits_and_what_was_verified(row: Row) -> None:
    text = (DOCS / f"{row.document}.md").read_text(encoding="utf-8").lower()
    for word in ("limit", "verified", "snapshot"):
        assert word in text
