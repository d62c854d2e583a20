"""[venue] testnet and order_entry: whose addresses, what is refused, and that a person sees it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.config import ConfigError, parse
from ops.venues import TESTNETS

INSTRUMENT = '\n[[instrument]]\nsymbol = "BTCUSDT"\norder_max = "1"\nposition_max = "2"\n'
STRATEGY = "[strategy.parameters]\nquantity_lots = 100\nmax_position_lots = 1000\nmin_position_lots = 0\n"


def config(kind: str = "binance-spot", more: str = "testnet = true") -> str:
    return f'[venue]\nkind = "{kind}"\n{more}\n{INSTRUMENT}{STRATEGY}'


def test_the_testnet_has_addresses_of_its_own() -> None:
    venue = parse(config()).venue
    assert (venue.rest, venue.streams, venue.websocket_api) == TESTNETS["binance-spot"]
    assert all("testnet" in address for address in TESTNETS["binance-spot"])
    assert "testnet" not in parse(config(more="")).venue.rest


@pytest.mark.parametrize("key", ["rest", "streams", "websocket_api"])
def test_an_address_beside_it_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[venue\] {key}: stands beside testnet = true, .*; remove it, or testnet"):
        parse(config(more=f'testnet = true\n{key} = "https://venue.test"'))


def test_a_venue_without_one_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match=r"\[venue\] testnet: binance-us has no test network; known: binance-spot"):
        parse(config("binance-us"))


def test_a_person_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"

    def told(*more: str) -> str:
        return CliRunner().invoke(main, ["check", str(path), *more]).output

    path.write_text(config())
    assert "binance-spot (testnet: https://testnet.binance.vision)" in told()
    assert json.loads(told("--json"))["testnet"] is True
    path.write_text(config(more=""))
    assert "testnet" not in told()
    assert json.loads(told("--json"))["testnet"] is False


def test_orders_go_by_the_session_unless_it_is_said() -> None:
    assert parse(config(more="")).venue.order_entry == "websocket"
    assert parse(config(more='order_entry = "rest"')).venue.order_entry == "rest"
    with pytest.raises(ConfigError, match=r"\[venue\] order_entry: .*'fix' is unknown; known: websocket, rest"):
        parse(config(more='order_entry = "fix"'))
