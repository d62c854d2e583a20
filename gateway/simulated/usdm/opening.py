"""The futures market as the settings want it: its contracts, its crowd, and the accounts with their USDT."""

from collections.abc import Sequence

from ..connection import Clock
from ..core.decimals import SCALE
from ..core.ledger import Ledger
from ..core.orders import AccountId
from ..crowd.parameters import CancelRule
from ..crowd.profiles import SymbolProfile
from ..crowd.regimes import regime_named
from ..settings import DEFAULT_BALANCE, SettingsError, VenueSettings
from .margin import ASSET, RESERVED
from .market import PerpetualMarket
from .profiles import QUOTE, perpetual

RATE_PER_PPM = 100  # of 10^-8 in a millionth


def open_perpetuals(
    settings: VenueSettings, accounts: Sequence[AccountId], clock: Clock, ledger_rows: int
) -> PerpetualMarket:
    """Raises SettingsError where there is nothing to trade, or an account has a name of the venue's own."""
    reserved = set(RESERVED).intersection(accounts)
    if reserved:
        raise SettingsError(f"accounts {settings.accounts}: give names other than {', '.join(RESERVED)}")
    market = PerpetualMarket(
        _profiles(settings),
        settings.seed,
        clock,
        Ledger(ledger_rows, may_owe=True),
        settings.funding_ppm * RATE_PER_PPM,
        speed=1.0 if settings.replay is not None else settings.speed,
        regime=regime_named(settings.regime),
    )
    for account in accounts:
        market.engine.open_account(account, settings.futures_fees)
        market.engine.ledger.deposit(account, ASSET, settings.balances.get(ASSET, DEFAULT_BALANCE) * SCALE)
    return market


def _profiles(settings: VenueSettings) -> list[SymbolProfile]:
    """Of the symbols, those that are quoted in USDT: there are contracts of no others."""
    known = [found for found in map(perpetual, settings.symbols) if found is not None]
    if not known:
        raise SettingsError(f"--futures-port: contracts are in {QUOTE}; give --symbols such as BTCUSDT")
    return [found.with_cancel_rule(CancelRule(settings.cancel_rule)) for found in known]
