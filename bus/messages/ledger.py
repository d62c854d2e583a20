"""What we own: the venue's balances and positions, the ledger against them, and what changed it. Tags among those of orders and
recovery (50-89).
"""

from bus.messages.base import Message


class Balance(Message, frozen=True, tag=62):
    """What the venue says is ours of one asset, in its smallest unit."""

    asset: str
    free: int
    locked: int


class VenuePosition(Message, frozen=True, tag=81):
    """What the venue says we hold of one instrument (futures). quantity: base units, signed; entry_price: price units."""

    instrument: int
    venue_symbol: str
    quantity: int
    entry_price: int


class BalancesReported(Message, frozen=True, tag=63):
    """All balances, by query. quiet: asked while no order of ours worked. steady: no fill of ours came between the question
    and its answer, so a ledger may be compared with it. final: nobody will look a second time.

    trades: (instrument, trade id): every trade of the account up to it was looked at before; -1: there was none.
    positions: of a venue that keeps positions beside balances; asked in the same look.
    moved: executions on the account that were booked since it was asked: it holds the first of them, none or all; 0 where steady.
    """

    account: int
    venue: int
    quiet: bool
    balances: tuple[Balance, ...]
    trades: tuple[tuple[int, int], ...] = ()
    positions: tuple[VenuePosition, ...] = ()
    steady: bool = False
    final: bool = False
    moved: int = 0


class BalancesJudged(Message, frozen=True, tag=83):
    """The portfolio's word on BalancesReported. differences: rows said about it. again: a gap is seen and not believed yet:
    trades and balances are to be asked once more, a moment later. compared: False: they could not be held against the ledger.
    """

    account: int
    differences: int
    again: bool
    compared: bool = True


class LedgerCompared(Message, frozen=True, tag=65):
    """Our ledger against the venue's balance of one asset. baseline: it was taken as the start, by configuration."""

    account: int
    asset: str
    ours: int
    venues: int
    baseline: bool


class LedgerAdjusted(Message, frozen=True, tag=75):
    """A gap of the ledger was booked: units were added to our total of the asset, by the dust bound or a person's word."""

    account: int
    asset: str
    units: int
    reason: str


class BaselineTaken(Message, frozen=True, tag=71):
    """From here on the ledger's total of assets[n] is units[n], as the venue has it: one fact, so that no crash tears it.

    traded: assets of the instruments that were configured then: one of them that is not here has its start already.
    """

    account: int
    assets: tuple[str, ...]
    units: tuple[int, ...]
    traded: tuple[str, ...] = ()


class BaselineAwaited(Message, frozen=True, tag=84):
    """The ledger has no start and may not take one by itself: a person must accept the venue's totals."""

    account: int
    assets: tuple[str, ...]


class PositionUpdate(Message, frozen=True, tag=64):
    """After a fill. position: base asset units since the baseline, fees included; cost, realized: quote units.

    taken_over: no fill, but what another instance left; realized was day_start when its present UTC day began.
    """

    number: int
    account: int
    venue: int
    instrument: int
    version: int
    position: int
    position_lots: int
    cost: int
    realized: int
    average_price: float
    taken_over: bool = False
    day_start: int = 0


class WalletChanged(Message, frozen=True, tag=82):
    """A futures wallet moved by something that is no fill of ours: funding, a transfer, an insurance clearance.

    change: of its smallest unit, signed. entry: the venue's id of it, so that it is booked once; instrument -1: of none.
    """

    account: int
    venue: int
    instrument: int
    asset: str
    change: int
    cause: str
    entry: int
    venue_ns: int
