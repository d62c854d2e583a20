"""A position: what a fill does to it, and what it is worth. Pure; every sum is exact.

`cost` is what the present quantity was opened for. A fill of amount A changes (wallet - cost) by +A for a seller and -A for a
buyer, whatever it opens or closes; so over all accounts wallets less costs are what was deposited, to the last unit.
"""

from dataclasses import dataclass

from ..core.decimals import SCALE
from ..core.orders import PositionSide

PositionKey = tuple[str, PositionSide]
"""Symbol and side; the side is BOTH in one-way mode."""


@dataclass(slots=True)
class Position:
    """`quantity` and `cost` are negative for a short one. `realized`: all PnL it ever did; `fees`: paid since it was last flat."""

    quantity: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    updated_ns: int = 0

    def trade(self, quantity: int, amount: int) -> int:
        """Take a fill of `quantity` (negative: sold) for `amount`. Return the PnL it realizes.

        Where a part of a position closes, its share of the cost is rounded down; the remainder stays in the cost.
        """
        sign = 1 if quantity > 0 else -1
        closed = min(abs(self.quantity), abs(quantity)) if self.quantity * sign < 0 else 0
        closed_amount = amount * closed // abs(quantity)
        realized = 0
        if closed:
            basis = self.cost * closed // abs(self.quantity)
            realized = -sign * closed_amount - basis
            self.cost -= basis
            self.realized += realized
        self.quantity += quantity
        self.cost += sign * (amount - closed_amount)
        return realized

    def value(self, price: int) -> int:
        """Its notional at `price`, negative for a short one; rounded toward zero."""
        return signed_amount(price, self.quantity)

    def unrealized(self, price: int) -> int:
        return self.value(price) - self.cost

    @property
    def entry_price(self) -> int:
        return 0 if self.quantity == 0 else self.cost * SCALE // self.quantity

    @property
    def break_even_price(self) -> int:
        """Where closing it gets back what it cost and its fees."""
        return 0 if self.quantity == 0 else (self.cost + self.fees) * SCALE // self.quantity


def signed_amount(price: int, quantity: int) -> int:
    """What `quantity` is worth at `price`, with its sign; rounded toward zero."""
    amount = price * abs(quantity) // SCALE
    return amount if quantity >= 0 else -amount
