"""What a user may set for the portfolio."""

from enum import IntEnum

import msgspec


class BaselinePolicy(IntEnum):
    """Where the ledger starts. ACCEPT: the venue's first totals. STATED: what the configuration says. ASK: a person accepts."""

    ACCEPT = 0
    STATED = 1
    ASK = 2


class PortfolioSettings(msgspec.Struct, frozen=True):
    """stated, dust: (asset, units) pairs. stated: what is traded and not named there starts at 0.

    dust: of each asset, how much may be booked as adjustments before a person has to look, all of them together.
    """

    account: int
    venue: int
    baseline: BaselinePolicy = BaselinePolicy.ACCEPT
    stated: tuple[tuple[str, int], ...] = ()
    dust: tuple[tuple[str, int], ...] = ()
