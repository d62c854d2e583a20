"""What we own and what it earned: a ledger per asset and a position per instrument, folded from fills. Pure.

ledger      baseline + fills + fees + adjustments, integers in the asset's own smallest unit
position    average cost in quote units, realized PnL exact, unrealized from the last Mark
margin      a futures account's one wallet, which all contracts share
holdings    what all rules share
comparison  the ledger against the venue's totals: its start, gaps, adjustments, a person's word
moments     balances that executions came into, against the ledger of each moment between
succession  what a successor is told, and what a predecessor told us
state       all of it, as a checkpoint keeps it
actor       folds facts
"""

from actors.portfolio.actor import Portfolio
from actors.portfolio.settings import BaselinePolicy, PortfolioSettings

__all__ = ["BaselinePolicy", "Portfolio", "PortfolioSettings"]
