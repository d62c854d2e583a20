"""What we own and what it earned: a ledger per asset and a position per instrument, folded from fills. Pure.

ledger      baseline + fills + fees + adjustments, integers in the asset's own smallest unit
position    average cost in quote units, realized PnL exact, unrealized from the last Mark
holdings    what all rules share
comparison  the ledger against the venue's totals: its start, gaps, adjustments, a person's word
actor       folds facts
"""

from actors.portfolio.actor import Portfolio
from actors.portfolio.settings import BaselinePolicy, PortfolioSettings

__all__ = ["BaselinePolicy", "Portfolio", "PortfolioSettings"]
