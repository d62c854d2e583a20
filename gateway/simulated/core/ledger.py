"""Who owns what: free and locked balances by account and asset. Pure; it always adds up.

Amounts are integers in units of 10^-8 of the asset. The sum over all accounts of an asset is what was deposited.
"""

from collections import defaultdict

from .orders import AccountId


class Ledger:
    def __init__(self) -> None:
        self.free: dict[AccountId, defaultdict[str, int]] = {}
        self.locked: dict[AccountId, defaultdict[str, int]] = {}
        self.deposited: defaultdict[str, int] = defaultdict(int)

    def open(self, account: AccountId) -> None:
        assert account not in self.free, account
        self.free[account] = defaultdict(int)
        self.locked[account] = defaultdict(int)

    def deposit(self, account: AccountId, asset: str, amount: int) -> None:
        """Bring money in from outside; the only way in. A withdrawal is a negative amount, covered by what is free."""
        assert self.free[account][asset] + amount >= 0, (account, asset, amount)
        self.free[account][asset] += amount
        self.deposited[asset] += amount

    def lock(self, account: AccountId, asset: str, amount: int) -> None:
        free = self.free[account]
        assert 0 <= amount <= free[asset], (account, asset, amount, free[asset])
        free[asset] -= amount
        self.locked[account][asset] += amount

    def release(self, account: AccountId, asset: str, amount: int) -> None:
        locked = self.locked[account]
        assert 0 <= amount <= locked[asset], (account, asset, amount, locked[asset])
        locked[asset] -= amount
        self.free[account][asset] += amount

    def pay(self, payer: AccountId, receiver: AccountId, asset: str, amount: int) -> None:
        free = self.free[payer]
        assert 0 <= amount <= free[asset], (payer, asset, amount, free[asset])
        free[asset] -= amount
        self.free[receiver][asset] += amount

    def assets(self, account: AccountId) -> list[str]:
        return sorted(self.free[account].keys() | self.locked[account].keys())

    def imbalances(self) -> dict[str, int]:
        """Return, by asset, what the accounts hold more than was deposited: empty when the ledger adds up."""
        held: defaultdict[str, int] = defaultdict(int)
        for balances in (*self.free.values(), *self.locked.values()):
            for asset, amount in balances.items():
                held[asset] += amount
        return {a: held[a] - self.deposited[a] for a in held.keys() | self.deposited if held[a] != self.deposited[a]}
