"""What came into and went out of wallets, line by line (docs, "Get Income History"). Pure, bounded."""

from collections import deque

import msgspec

from ..core.orders import AccountId

LINES_MAX = 20_000  # of one account; chosen: the oldest are forgotten first

COMMISSION = "COMMISSION"
FUNDING_FEE = "FUNDING_FEE"
INSURANCE_CLEAR = "INSURANCE_CLEAR"
REALIZED_PNL = "REALIZED_PNL"
TRANSFER = "TRANSFER"


class Income(msgspec.Struct, frozen=True, gc=False):
    number: int
    kind: str
    symbol: str
    amount: int
    time_ns: int
    trade_id: int = 0


class IncomeBook:
    """Every account's, oldest first; nothing of no amount."""

    def __init__(self) -> None:
        self._lines: dict[AccountId, deque[Income]] = {}
        self._last_number = 0

    def add(self, account: AccountId, kind: str, symbol: str, amount: int, time_ns: int, trade_id: int = 0) -> None:
        if amount == 0:
            return
        self._last_number += 1
        line = Income(self._last_number, kind, symbol, amount, time_ns, trade_id)
        self._lines.setdefault(account, deque(maxlen=LINES_MAX)).append(line)

    def of(self, account: AccountId) -> list[Income]:
        return list(self._lines.get(account, ()))
