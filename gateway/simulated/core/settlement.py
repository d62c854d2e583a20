"""The money behind the matches: what an order needs, what it holds while it is open, who pays whom at a fill. Pure.

Rounding: a fill's quote amount and the fee on the received asset are both rounded down to 10^-8 (fee in favor of the
account); a BUY locks its cost rounded up. So locked amounts are never short and the ledger adds up exactly.
"""

from collections.abc import Iterator

import msgspec

from .decimals import quote_amount, quote_amount_up
from .filters import SymbolRules
from .ledger import Ledger
from .orders import BACKGROUND, FEES, AccountId, Liquidity, NewOrder, Offer, Order, OrderType, Side

PPM = 1_000_000


class FeeRates(msgspec.Struct, frozen=True):
    """Parts per million of the received asset. 1,000 is the venue's regular 0.1 %."""

    maker_ppm: int = 1_000
    taker_ppm: int = 1_000


class Settlement:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.touched: dict[AccountId, dict[str, None]] = {}  # account -> its assets whose balance moved, in order
        self._fees: dict[AccountId, FeeRates] = {}
        for account in (BACKGROUND, FEES):
            self.open_account(account, FeeRates(0, 0))

    def open_account(self, account: AccountId, fees: FeeRates) -> None:
        self.ledger.open(account)
        self._fees[account] = fees

    def fee_rates(self, account: AccountId) -> FeeRates:
        return self._fees[account]

    def covers(self, request: NewOrder, rules: SymbolRules, book: Liquidity) -> bool:
        """Whether the account has free what `request` would need."""
        asset, amount = _needed(request, rules, book)
        return self.ledger.free[request.account][asset] >= amount

    def relock(self, order: Order, rules: SymbolRules) -> None:
        """Make the order hold what its leaves need, and no more; nothing once it is closed."""
        asset = rules.quote if order.side is Side.BUY else rules.base
        needed = 0
        if order.is_open and order.side is Side.SELL:
            needed = order.leaves
        elif order.is_open and order.order_type is not OrderType.MARKET:
            needed = quote_amount_up(order.price, order.leaves)
        if needed > order.locked:
            self.ledger.lock(order.account, asset, needed - order.locked)
        else:
            self.ledger.release(order.account, asset, order.locked - needed)
        order.locked = needed
        self._touch(order.account, asset)

    def settle(
        self,
        rules: SymbolRules,
        buyer: Order | None,
        seller: Order | None,
        maker: Order | None,
        price: int,
        quantity: int,
    ) -> dict[Side, tuple[int, str]]:
        """Move the money of one fill; the orders have released their part. Return fee and fee asset by side."""
        amount = quote_amount(price, quantity)
        buyer_account = BACKGROUND if buyer is None else buyer.account
        seller_account = BACKGROUND if seller is None else seller.account
        self.ledger.pay(buyer_account, seller_account, rules.quote, amount)
        self.ledger.pay(seller_account, buyer_account, rules.base, quantity)
        buyer_fee = self._charge(buyer_account, rules.base, quantity, is_maker=buyer is maker)
        seller_fee = self._charge(seller_account, rules.quote, amount, is_maker=seller is maker)
        for account in (buyer_account, seller_account):
            self._touch(account, rules.base)
            self._touch(account, rules.quote)
        return {Side.BUY: (buyer_fee, rules.base), Side.SELL: (seller_fee, rules.quote)}

    def _charge(self, account: AccountId, asset: str, received: int, *, is_maker: bool) -> int:
        rates = self._fees[account]
        fee = received * (rates.maker_ppm if is_maker else rates.taker_ppm) // PPM
        self.ledger.pay(account, FEES, asset, fee)
        return fee

    def _touch(self, account: AccountId, asset: str) -> None:
        if account != BACKGROUND:
            self.touched.setdefault(account, {})[asset] = None


def _needed(request: NewOrder, rules: SymbolRules, book: Liquidity) -> tuple[str, int]:
    """Return the asset and amount that `request` must have free."""
    if request.side is Side.SELL:
        return rules.base, request.quantity
    if request.order_type is not OrderType.MARKET:
        return rules.quote, quote_amount_up(request.price, request.quantity)
    return rules.quote, _sweep_cost(book.scan(request.side), request.quantity)


def _sweep_cost(offers: Iterator[Offer], quantity: int) -> int:
    """Return what taking `quantity` from `offers` costs at most, in the quote asset."""
    cost = 0
    for offer in offers:
        taken = min(quantity, offer.quantity)
        cost += quote_amount_up(offer.price, taken)
        quantity -= taken
        if not quantity:
            break
    return cost
