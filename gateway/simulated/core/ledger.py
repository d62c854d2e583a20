"""Who owns what: free and locked balances by account and asset, and the log of how they changed. Pure; it always adds up.

Amounts are integers in units of 10^-8 of the asset. The sum over all accounts of an asset is what was deposited.
"""

from collections import defaultdict
from enum import StrEnum

import msgspec

from .bounded_log import BoundedLog
from .orders import BACKGROUND, AccountId


class Reason(StrEnum):
    DEPOSIT = "deposit"
    LOCK = "lock"
    RELEASE = "release"
    TRADE = "trade"
    FEE = "fee"
    PROFIT = "profit"
    FUNDING = "funding"
    INSURANCE = "insurance"


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One change of one balance. `free` and `locked` are what was added to each; `order_id` and `trade_id` are 0 without one."""

    number: int
    time_ns: int
    account: AccountId
    asset: str
    free: int
    locked: int
    reason: Reason
    order_id: int
    trade_id: int


class Ledger:
    """`rows_max`: how many entries are kept; 0 keeps none. The crowd's own changes, many and of no interest, have no entries.

    `now_ns`, `order_id` and `trade_id` are what entries are about, set by whoever moves the money.
    `may_owe`: a free balance may fall below zero, as a futures wallet's does when a loss is larger.
    """

    def __init__(self, rows_max: int = 0, *, may_owe: bool = False) -> None:
        self.free: dict[AccountId, defaultdict[str, int]] = {}
        self.locked: dict[AccountId, defaultdict[str, int]] = {}
        self.deposited: defaultdict[str, int] = defaultdict(int)
        self.entries: BoundedLog[Entry] = BoundedLog(rows_max)
        self.now_ns = 0
        self.order_id = 0
        self.trade_id = 0
        self._keeps = rows_max > 0
        self._may_owe = may_owe

    def open(self, account: AccountId) -> None:
        assert account not in self.free, account
        self.free[account] = defaultdict(int)
        self.locked[account] = defaultdict(int)

    def deposit(self, account: AccountId, asset: str, amount: int) -> None:
        """Bring money in from outside; the only way in. A withdrawal is a negative amount, covered by what is free."""
        assert self._may_owe or self.free[account][asset] + amount >= 0, (account, asset, amount)
        self.free[account][asset] += amount
        self.deposited[asset] += amount
        if self._keeps:
            self.order_id = self.trade_id = 0
            self._enter(account, asset, amount, 0, Reason.DEPOSIT, 0)

    def lock(self, account: AccountId, asset: str, amount: int) -> None:
        free = self.free[account]
        assert 0 <= amount <= free[asset], (account, asset, amount, free[asset])
        free[asset] -= amount
        self.locked[account][asset] += amount
        if self._keeps:
            self._enter(account, asset, -amount, amount, Reason.LOCK, self.order_id)

    def release(self, account: AccountId, asset: str, amount: int) -> None:
        locked = self.locked[account]
        assert 0 <= amount <= locked[asset], (account, asset, amount, locked[asset])
        locked[asset] -= amount
        self.free[account][asset] += amount
        if self._keeps:
            self._enter(account, asset, amount, -amount, Reason.RELEASE, self.order_id)

    def pay(
        self,
        payer: AccountId,
        receiver: AccountId,
        asset: str,
        amount: int,
        reason: Reason = Reason.TRADE,
        receiver_order_id: int | None = None,
    ) -> None:
        """Move `amount` between free balances. A negative one goes the other way, where balances may owe.

        `order_id` is the payer's order, and the receiver's too unless another is named.
        """
        free = self.free[payer]
        assert self._may_owe or 0 <= amount <= free[asset], (payer, asset, amount, free[asset])
        free[asset] -= amount
        self.free[receiver][asset] += amount
        if self._keeps and amount:
            order_id = self.order_id
            self._enter(payer, asset, -amount, 0, reason, order_id)
            self._enter(
                receiver, asset, amount, 0, reason, order_id if receiver_order_id is None else receiver_order_id
            )

    def _enter(self, account: AccountId, asset: str, free: int, locked: int, reason: Reason, order_id: int) -> None:
        if account == BACKGROUND:
            return
        entries = self.entries
        number, trade_id = entries.next_number, self.trade_id
        entries.append(Entry(number, self.now_ns, account, asset, free, locked, reason, order_id, trade_id))

    def assets(self, account: AccountId) -> list[str]:
        return sorted(self.free[account].keys() | self.locked[account].keys())

    def imbalances(self) -> dict[str, int]:
        """Return, by asset, what the accounts hold more than was deposited: empty when the ledger adds up."""
        held: defaultdict[str, int] = defaultdict(int)
        for balances in (*self.free.values(), *self.locked.values()):
            for asset, amount in balances.items():
                held[asset] += amount
        return {a: held[a] - self.deposited[a] for a in held.keys() | self.deposited if held[a] != self.deposited[a]}
