"""What a configuration of USD-M futures may say, and what it must not."""

import pytest

from ops.config import ConfigError, parse
from ops.venues import TESTNETS
from tests.ops.command_line import CONFIG

URLS = {"rest": "https://fapi.test", "streams": "wss://fstream.test", "websocket_api": "wss://ws-fapi.test/ws-fapi/v1"}
FUTURES = CONFIG.format(**URLS).replace('kind = "binance-spot"', 'kind = "binance-usdm"')
OWN = "\n".join(line for line in FUTURES.splitlines() if line.split(" = ")[0] not in URLS)
"""Without addresses: the venue's own."""


def test_the_venues_own_addresses_and_a_switch_of_half_a_minute_are_the_default() -> None:
    venue = parse(OWN).venue
    assert (venue.rest, venue.streams) == ("https://fapi.binance.com", "wss://fstream.binance.com")
    assert venue.websocket_api == "wss://ws-fapi.binance.com/ws-fapi/v1"
    assert venue.dead_man_ms == 30_000


def test_the_test_network_has_its_own() -> None:
    venue = parse(OWN.replace("[venue]", "[venue]\ntestnet = true")).venue
    assert (venue.rest, venue.streams, venue.websocket_api) == TESTNETS["binance-usdm"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("dead_man_ms = 4999", "the least is 5000, 0 is off"),
        ('self_trade_prevention = "NONE"', "write EXPIRE_TAKER"),
    ],
)
def test_what_the_venue_or_sense_forbids_is_refused_with_the_remedy(key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(FUTURES.replace("[venue]", f"[venue]\n{key}"))


def test_a_switch_that_uses_up_the_rate_limit_is_refused() -> None:
    rows = "".join(
        f'\n[[instrument]]\nsymbol = "COIN{number}USDT"\norder_max = "1"\nposition_max = "1"\n' for number in range(8)
    )
    with pytest.raises(ConfigError, match="the least is 36000"):
        parse(FUTURES + rows)
    assert parse(FUTURES.replace("[venue]", "[venue]\ndead_man_ms = 36000") + rows).venue.dead_man_ms == 36_000
    assert parse(FUTURES.replace("[venue]", "[venue]\ndead_man_ms = 0") + rows).venue.dead_man_ms == 0


def test_looks_that_use_up_the_rate_limit_are_refused() -> None:
    rows = "".join(
        f'\n[[instrument]]\nsymbol = "COIN{number}USDT"\norder_max = "1"\nposition_max = "1"\n' for number in range(99)
    )
    many = FUTURES.replace("[venue]", "[venue]\ndead_man_ms = 0") + rows
    with pytest.raises(ConfigError, match=r"reconcile_interval_ms: 30000 for 100 symbols .* the least is 30500"):
        parse(many)
    assert parse(many + "\n[orders]\nreconcile_interval_ms = 30500\n").orders.reconcile_interval_ms == 30_500


def test_spot_has_no_such_switch_and_says_what_to_run_instead() -> None:
    with pytest.raises(ConfigError, match="touchline sentinel"):
        parse(CONFIG.format(**URLS).replace("[venue]", "[venue]\ndead_man_ms = 30000"))
