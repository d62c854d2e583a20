"""Assets of one account: baseline + fills + fees + adjustments. Integers in each asset's own smallest unit. Pure."""

import msgspec

from bus.messages import BalancesReported


class Entry(msgspec.Struct, array_like=True):
    """One asset. fees are negative when paid. total = baseline + fills + fees + adjustments.

    dust: of the adjustments, the sum that nobody was asked about since a person last accepted one.
    """

    asset: str
    baseline: int = 0
    fills: int = 0
    fees: int = 0
    adjustments: int = 0
    dust: int = 0


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
        return 0 if entry is None else entry.baseline + entry.fills + entry.fees + entry.adjustments

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
