"""From a configuration to connections: whose, by which numbers, with what on them."""

import msgspec
import pytest

from bus.messages import Instrument, Stream
from bus.messages.feed import Numbering
from ops.config import ConfigError, parse
from ops.feeds import CONNECTIONS_MAX, NOBODY, feed_connections, is_traded, label, planned, shapes, sources
from ops.sections import Config
from ops.venues import LEVELS, MARKETS, ORDER_ENTRY
from tests.support.house import BTC, CONFIG

ROWS = """
[[feed]]
venue = "okx"
symbols = ["BTC-USDT", "BTC-USDT-SWAP"]

[[feed]]
venue = "binance-usdm"
symbols = ["BTCUSDT"]
levels = 500
"""
ADDRESSES = 'rest = "http://venue.test"\nstreams = "ws://venue.test"\nwebsocket_api = "ws://venue.test/ws-api/v3"\n'


def config(rows: str = ROWS) -> Config:
    return parse(CONFIG + rows)


def looked_at(venue: int, *symbols: str) -> list[Instrument]:
    return [
        msgspec.structs.replace(BTC, instrument=100 * venue + n, account=NOBODY, venue=venue, venue_symbol=symbol)
        for n, symbol in enumerate(symbols)
    ]


def test_sources_are_the_venue_that_trades_and_then_the_rows() -> None:
    told = [(row.number, row.name, row.symbols, row.levels, row.addresses.rest) for row in sources(config())]
    assert told == [
        (0, "binance-spot", ("BTCUSDT",), 1_000, "http://venue.test"),
        (1, "okx", ("BTC-USDT", "BTC-USDT-SWAP"), 400, MARKETS["okx"]().addresses.rest),
        (2, "binance-usdm", ("BTCUSDT",), 500, MARKETS["binance-usdm"]().addresses.rest),
    ]


def test_connections_are_numbered_by_venue_and_carry_what_the_plans_say() -> None:
    instruments = [BTC, *looked_at(1, "BTC-USDT", "BTC-USDT-SWAP"), *looked_at(2, "BTCUSDT")]
    dialed = planned(config(), instruments)
    assert list(dialed) == [0, CONNECTIONS_MAX, 2 * CONNECTIONS_MAX, 2 * CONNECTIONS_MAX + 1]
    known = feed_connections(config(), instruments)
    for number, connection in known.items():
        plan = dialed[number].plan
        assert (connection.venue_symbols, connection.streams) == (plan.venue_symbols, plan.streams)
        assert connection.venue == number // CONNECTIONS_MAX
    assert [known[n].streams[0] for n in (2_000, 2_001)] == [Stream.DEPTH, Stream.TRADE]
    assert [row.levels for row in known.values()] == [1_000, 400, 500, 500]
    assert [row.weight_a_minute for row in known.values()] == [3_000, 150, 1_200, 1_200]  # half of the venue's
    assert [row.snapshot_weight for row in known.values()] == [50, 0, 10, 10]
    assert len({id(row.codec) for row in known.values()}) == len(known)
    assert known[0].life_ns == 86_400 * 10**9


def test_more_symbols_of_one_venue_renumber_no_other() -> None:
    many = [f"C{n}-USDT" for n in range(60)]
    rows = ROWS.replace('["BTC-USDT", "BTC-USDT-SWAP"]', str(many).replace("'", '"'))
    dialed = planned(config(rows), [BTC, *looked_at(1, *many), *looked_at(2, "BTCUSDT")])
    assert list(dialed) == [0, 1_000, 1_001, 1_002, 2_000, 2_001]
    assert [symbol for n in (1_000, 1_001, 1_002) for symbol in dialed[n].plan.venue_symbols] == many


def test_a_thousand_symbols_lie_on_as_many_connections_as_the_venue_needs() -> None:
    """Binance: 1,024 streams a connection, three of each symbol."""
    many = [msgspec.structs.replace(BTC, instrument=n, venue_symbol=f"S{n}USDT") for n in range(1_000)]
    dialed = planned(config(""), many)
    assert [len(row.plan.venue_symbols) for row in dialed.values()] == [341, 341, 318]
    assert sorted(s for row in dialed.values() for s in row.plan.venue_symbols) == sorted(i.venue_symbol for i in many)


def test_books_know_how_many_levels_a_snapshot_has() -> None:
    assert [shape.levels for shape in shapes(config()).values()] == [1_000, 400, 500]


def test_people_are_told_the_venue_of_what_is_only_looked_at() -> None:
    (swap,) = looked_at(1, "BTC-USDT-SWAP")
    first, second, _ = sources(config())
    assert (label(first, BTC), label(second, swap)) == ("BTCUSDT", "okx:BTC-USDT-SWAP")
    assert (is_traded(BTC), is_traded(swap)) == (True, False)


@pytest.mark.parametrize("kind", ORDER_ENTRY)
def test_a_venue_without_addresses_is_the_real_one(kind: str) -> None:
    venue = parse(CONFIG.replace(ADDRESSES, "").replace("binance-spot", kind)).venue
    assert (venue.rest, venue.streams) == MARKETS[kind]().addresses
    assert venue.websocket_api == ORDER_ENTRY[kind]
    assert {"binance-us": "binance.us", "binance-usdm": "fapi."}.get(kind, "api.binance.com") in venue.rest


def test_addresses_of_a_file_stay_as_they_are_written() -> None:
    venue = config().venue
    assert (venue.rest, venue.websocket_api) == ("http://venue.test", "ws://venue.test/ws-api/v3")
    written = config(
        '[[feed]]\nvenue = "kraken"\nsymbols = ["BTC/USD"]\nrest = "http://a.test"\nstreams = "ws://b.test"\n'
    )
    assert written.feed[0].rest == "http://a.test"
    assert sources(written)[1].addresses == ("http://a.test", "ws://b.test")


@pytest.mark.parametrize("venue", MARKETS)
def test_every_venue_can_be_looked_at_in_its_usual_depth_and_its_deepest(venue: str) -> None:
    """Plan, path and shape fit the levels that the configuration lets through, and the name is a venue's own."""
    market = MARKETS[venue]()
    for levels in LEVELS[venue]:
        (plan, *_) = market.plan(["BTC-X"], market.streams, levels)
        assert plan.venue_symbols == ("BTC-X",)
        depth = market.shape(levels).depth
        assert not depth or depth >= levels
    row = config(f'[[feed]]\nvenue = "{venue}"\nsymbols = ["BTC-X"]\n').feed[0]
    assert (row.levels, row.streams) == (LEVELS[venue][0], market.addresses.streams)


@pytest.mark.parametrize("venue", LEVELS)
def test_a_book_that_only_checksums_prove_is_usually_proven_whole(venue: str) -> None:
    market = MARKETS[venue]()
    assert market.rule.numbering != Numbering.CHECKSUM or market.shape(LEVELS[venue][0]).proves_all


BAD = {
    "unknown venue": (
        'venue = "okx"',
        'venue = "ftx"',
        "[[feed]] venue: 'ftx' is unknown; known: binance-spot, binance-us",
    ),
    "unknown key": ("levels = 500", "depth = 500", "[feed] key 'depth' is unknown"),
    "one bracket": (ROWS, '[feed]\nvenue = "okx"\n', "begin it with a line [[feed]]"),
    "no symbols": ('["BTCUSDT"]', "[]", "[[feed]] binance-usdm symbols: there are 0"),
    "missing symbols": ('symbols = ["BTCUSDT"]', "", "the key 'symbols' is missing"),
    "text for a list": ('["BTCUSDT"]', '"BTCUSDT"', "[[feed]] symbols: 'BTCUSDT' is not a list"),
    "no symbol": ('"BTC-USDT"', '"BTC USDT"', "'BTC USDT' is not a symbol; write it as the venue does"),
    "a symbol twice": ('"BTC-USDT"', '"BTC-USDT-SWAP"', "BTC-USDT-SWAP stands twice"),
    "a venue twice": ('"binance-usdm"', '"okx"', "[[feed]] venue: okx stands twice; write its symbols into one row"),
    "too deep": (
        "levels = 500",
        "levels = 5000",
        "[[feed]] binance-usdm levels: 5000 is out of range; write 1 to 1000",
    ),
    "below nothing": ("levels = 500", "levels = -1", "[[feed]] binance-usdm levels: -1 is out of range"),
    "one address": ("levels = 500", 'rest = "http://a.test"', "[[feed]] binance-usdm streams: is missing beside"),
    "no address": (
        "levels = 500",
        'rest = "http://a.test"\nstreams = "http://a.test"',
        "[[feed]] binance-usdm streams: 'http://a.test' is not a URL that starts with ws://",
    ),
    "what is traded": ('"okx"', '"binance-spot"', "is traded: its market data come anyway"),
    "half a venue": ('websocket_api = "ws://venue.test/ws-api/v3"\n', "", "[venue] websocket_api: is missing beside"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_told_with_field_and_remedy(name: str) -> None:
    old, new, told = BAD[name]
    text = (
        CONFIG + ROWS.replace('"BTC-USDT", "BTC-USDT-SWAP"', '"BTCUSDT"') if name == "what is traded" else CONFIG + ROWS
    )
    assert old in text
    with pytest.raises(ConfigError) as error:
        parse(text.replace(old, new, 1))
    assert told in str(error.value)
    assert "\n" not in str(error.value)
