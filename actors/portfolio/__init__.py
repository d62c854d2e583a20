"""What we own and what it earned: a ledger per asset and a position per instrument, folded from fills. Pure.

ledger    baseline + fills + fees + adjustments, integers in the asset's own smallest unit
position  average cost in quote units, realized PnL exact, unrealized from the last Mark
actor     folds facts, compares the ledger with the venue's balances
"""

from actors.portfolio.actor import Portfolio
from actors.portfolio.settings import BaselinePolicy, PortfolioSettings

__all__ = ["BaselinePolicy", "Portfolio", "PortfolioSettings"]
