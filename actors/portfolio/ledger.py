"""Assets of one account: baseline + fills + fees + adjustments. Integers in each asset's own smallest unit. Pure."""

import msgspec

from bus.messages import BalancesReported, Instrument


class Entry(msgspec.Struct, array_like=True):
    """One asset, or one contract's position (see `assets_of`). fees are negative when paid. wallet: what moved it beside fills.
    total = baseline + fills + fees + adjustments + wallet.

    dust: of the adjustments, the sum that nobody was asked about since a person last accepted one.
    """

    asset: str
    baseline: int = 0
    fills: int = 0
    fees: int = 0
    adjustments: int = 0
    dust: int = 0
    wallet: int = 0


class Wallet(msgspec.Struct, array_like=True):
    """What is known of the facts that move a margin account's wallet beside fills (see `margin`).

    floor_ns: all up to then lie in the baseline; 0: there is none. last_ns: the latest one's time, by the venue. recent:
    (cause, entry) of the last ones. prices: entry price by symbol, as the venue said it last. unplaced: what was booked of
    instruments that are not known yet.
    """

    floor_ns: int = 0
    last_ns: int = 0
    recent: list[tuple[str, int]] = []
    prices: dict[str, int] = {}
    unplaced: dict[int, int] = {}


def is_contract(instrument: Instrument) -> bool:
    return instrument.settle_asset != ""


def assets_of(instrument: Instrument) -> tuple[str, str]:
    """The two entries that its fills move: base and quote; of a contract its position, by the venue's symbol, and the wallet."""
    if is_contract(instrument):
        return instrument.venue_symbol, instrument.settle_asset
    return instrument.base_asset, instrument.quote_asset


class Ledger:
    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def entry(self, asset: str) -> Entry:
        entry = self.entries.get(asset)
        if entry is None:
            entry = self.entries[asset] = Entry(asset)
        return entry

    def total(self, asset: str) -> int:
        entry = self.entries.get(asset)
        if entry is None:
            return 0
        return entry.baseline + entry.fills + entry.fees + entry.adjustments + entry.wallet

    def totals(self) -> dict[str, int]:
        return {asset: self.total(asset) for asset in self.entries}

    def fees(self) -> dict[str, int]:
        """Those that are not 0."""
        return {entry.asset: entry.fees for entry in self.entries.values() if entry.fees}

    def adjusted(self) -> dict[str, int]:
        """Those that are not 0."""
        return {entry.asset: entry.adjustments for entry in self.entries.values() if entry.adjustments}

    def add_fill(self, base: str, base_change: int, quote: str, quote_change: int) -> None:
        self.entry(base).fills += base_change
        self.entry(quote).fills += quote_change

    def add_fee(self, asset: str, paid: int) -> None:
        self.entry(asset).fees -= paid

    def add_wallet(self, asset: str, change: int) -> None:
        self.entry(asset).wallet += change

    def adjust(self, asset: str, units: int, *, by_dust: bool) -> None:
        """A person's word is about the asset as it stands: what was booked before it without one is accepted with it."""
        entry = self.entry(asset)
        entry.adjustments += units
        entry.dust = entry.dust + units if by_dust else 0

    def set_total(self, asset: str, total: int) -> None:
        """Move the baseline so that the asset's total is `total`."""
        self.entry(asset).baseline += total - self.total(asset)


def totals_of(message: BalancesReported) -> dict[str, int]:
    return {balance.asset: balance.free + balance.locked for balance in message.balances}
