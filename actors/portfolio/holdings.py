"""What all rules of the portfolio share: ledger, positions, instruments, numbers. It holds no rule about a comparison."""

from msgspec.structs import replace

from actors.portfolio.ledger import Ledger, Wallet, assets_of, is_contract
from actors.portfolio.position import Position, average_price, share, unit_of
from actors.portfolio.settings import PortfolioSettings
from actors.portfolio.succession import Succession
from bus.messages import Fill, ForeignTraded, Instrument, Message, PositionUpdate

NAME = "portfolio"


class Holdings:
    """Single owner of the actor's state beside `Comparison`; `state.PortfolioState` has the whole list of it.

    based: assets that have a baseline. configured: instruments of this run. deferred: fills, and trades of others, that wait for
    their instrument.
    covered: by asset, so many of the first of them lie inside a baseline that was taken after them. moves: the last executions,
    as they were booked (see `moments`).
    """

    __slots__ = (
        "based",
        "configured",
        "counts",
        "covered",
        "deferred",
        "deposed",
        "fill_number",
        "foreign_number",
        "instruments",
        "ledger",
        "moves",
        "number",
        "positions",
        "settings",
        "succession",
        "wallet",
    )

    def __init__(self, settings: PortfolioSettings) -> None:
        self.settings = settings
        self.instruments: dict[int, Instrument] = {}
        self.configured: dict[int, None] = {}
        self.ledger = Ledger()
        self.positions: dict[int, Position] = {}
        self.based: dict[str, None] = {}
        self.deferred: list[Fill | ForeignTraded] = []
        self.covered: dict[str, int] = {}
        self.moves: list[Fill | ForeignTraded] = []
        self.counts: dict[str, int] = {}
        self.succession = Succession()
        self.wallet = Wallet()
        self.fill_number = self.foreign_number = self.number = 0
        self.deposed = False

    def count(self, event: str) -> None:
        self.counts[event] = self.counts.get(event, 0) + 1

    def account_state(self) -> tuple[Message, ...]:
        """For a successor; nothing before there is a ledger that he could go on with."""
        if not self.based:
            return ()
        positions = [row for row in self.positions.values() if row.instrument in self.instruments]
        state = self.succession.state(self.settings.account, self.ledger, positions, self.instruments)
        if not any(is_contract(row) for row in self.instruments.values()):
            return (state,)
        return (replace(state, wallet_ns=max(self.wallet.last_ns, self.wallet.floor_ns)),)

    def update_of(self, position: Position, instrument: Instrument) -> PositionUpdate:
        self.number += 1
        return PositionUpdate(
            self.number,
            self.settings.account,
            self.settings.venue,
            position.instrument,
            instrument.version,
            position.quantity,
            share(position.quantity, 1, unit_of(instrument)),
            position.cost,
            position.realized,
            average_price(position, instrument.price_scale, instrument.base_scale, instrument.quote_scale),
        )

    def take_baseline(self, totals: dict[str, int]) -> None:
        for asset, units in totals.items():
            self.ledger.set_total(asset, units)
            self.based[asset] = None
            if self.deferred:
                self.covered[asset] = len(self.deferred)

    def traded_assets(self) -> dict[str, None]:
        """What fills of every configured instrument move."""
        rows = [self.instruments[number] for number in self.configured]
        return dict.fromkeys(asset for row in rows for asset in assets_of(row))

    def judged_assets(self, traded: dict[str, None]) -> dict[str, None]:
        """What is traded, and what fees are paid in, but for assets of instruments that are not configured any more."""
        left = {asset for row in self.instruments.values() for asset in assets_of(row)}
        paid = [entry.asset for entry in self.ledger.entries.values() if entry.fees and entry.asset not in left]
        return traded | dict.fromkeys(paid)
