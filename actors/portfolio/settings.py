"""What a user may set for the portfolio."""

from enum import IntEnum

import msgspec


class BaselinePolicy(IntEnum):
    """Where the ledger starts. ACCEPT: the venue's first quiet totals. DECLARED: what the configuration states."""

    ACCEPT = 0
    DECLARED = 1


class PortfolioSettings(msgspec.Struct, frozen=True):
    """declared, adjustments: (asset, units) pairs; adjustments are deposits and withdrawals since the baseline."""

    account: int
    venue: int
    baseline: BaselinePolicy = BaselinePolicy.ACCEPT
    declared: tuple[tuple[str, int], ...] = ()
    adjustments: tuple[tuple[str, int], ...] = ()
