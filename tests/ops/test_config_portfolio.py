"""Where the ledger starts, as the configuration says it."""

import pytest

from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.config import ConfigError, parse
from tests.support.house import BTC, CONFIG

STATED = '\n[portfolio]\nbaseline = "stated"\n[portfolio.balances]\n'


def settings(more: str) -> PortfolioSettings:
    [actor] = build_actors(parse(CONFIG + more), [BTC], ["portfolio"])
    assert isinstance(actor, Portfolio)
    return actor.holdings.settings


def test_the_start_is_the_venues_unless_something_else_is_written() -> None:
    assert settings("") == PortfolioSettings(ACCOUNT, VENUE)
    assert settings('\n[portfolio]\nbaseline = "ask"\n').baseline is BaselinePolicy.ASK


def test_stated_balances_are_in_the_assets_own_units() -> None:
    assert settings(f'{STATED}BTC = "1.5"\nUSDT = "20"\n').stated == (("BTC", 150_000_000), ("USDT", 2_000_000_000))


def test_dust_is_of_each_asset() -> None:
    assert dict(settings('\n[risk]\ndust = "0.001"\n').dust) == {"BTC": 100_000, "USDT": 100_000}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (STATED, "add a section"),
        ('\n[portfolio.balances]\nBTC = "1"\n', 'write baseline = "stated"'),
        (f'{STATED}BTC = "1,5"\n', "not a decimal number"),
        (f'{STATED}DOGE = "1"\n', "no instrument trades it; known: USDT, BTC"),
        ('\n[portfolio]\nbaseline = "guess"\n', "known: accept, ask, stated"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(more: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        settings(more)


def test_what_the_venue_alone_knows_is_checked_when_it_was_asked() -> None:
    """`touchline check` builds the actors without a word of the venue."""
    [actor] = build_actors(parse(f'{CONFIG}{STATED}DOGE = "1"\n'), [], ["portfolio"])
    assert isinstance(actor, Portfolio)
