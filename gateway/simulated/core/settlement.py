"""The money behind the matches: what an order needs, what it holds while it is open, who pays whom at a fill. Pure.

`Money` is what the engine asks for; `SpotSettlement` is the spot market's. Rounding: a fill's quote amount and the fee on the
received asset are both rounded down to 10^-8 (fee in favor of the account); a BUY locks its cost rounded up. So locked
amounts are never short and the ledger adds up exactly.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from .decimals import SCALE, quote_amount, quote_amount_up
from .filters import SymbolRules
from .ledger import Ledger, Reason
from .orders import BACKGROUND, FEES, AccountId, NewOrder, Offer, Order, Side

PPM = 1_000_000
BUY, SELL = Side.BUY, Side.SELL


class FeeRates(msgspec.Struct, frozen=True):
    """Parts per million of the received asset. 1,000 is the venue's regular 0.1 %.

    An account with a `discount_asset` pays in that, `discount_ppm` of the fee, whenever it has enough of it and its price is
    known (commission_faq.md; 750,000 is the venue's 25 % off for BNB).
    """

    maker_ppm: int = 1_000
    taker_ppm: int = 1_000
    discount_asset: str = ""
    discount_ppm: int = 750_000


class Money(Protocol):
    """The money model of a venue's face. `touched`: account -> what of it has moved, in order, until the engine drains it."""

    ledger: Ledger
    touched: dict[AccountId, dict[str, None]]

    def open_account(self, account: AccountId, fees: FeeRates) -> None: ...

    def fee_rates(self, account: AccountId) -> FeeRates: ...

    def covers(self, request: NewOrder, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        """Whether the account has what `request` would need; `takeable` is what it could take, best first.

        May raise VenueError for a reason of its own.
        """

    def affords(self, order: Order, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        """Whether a stop that triggers, and holds nothing for it, can be paid from `takeable`."""

    def relock(self, order: Order, rules: SymbolRules) -> None:
        """Make the order hold what its leaves need, and no more; nothing once it is closed."""

    def reducible(self, order: Order) -> int:
        """What a reduce-only order may still trade. Only asked about such."""

    def settle(
        self,
        rules: SymbolRules,
        buyer: Order | None,
        seller: Order | None,
        maker: Order | None,
        price: int,
        quantity: int,
    ) -> dict[Side, tuple[int, str]]:
        """Move the money of one fill; the orders have released their part. Return fee and fee asset by side.

        None is the crowd where a recording shows no order of its own.
        """


class SpotSettlement:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.touched: dict[AccountId, dict[str, None]] = {}
        self._fees: dict[AccountId, FeeRates] = {}
        self._prices: dict[
            tuple[str, str], int
        ] = {}  # (base, quote) -> last price, once somebody pays in another asset
        self._discounts = False
        for account in (BACKGROUND, FEES):
            self.open_account(account, FeeRates(0, 0))

    def open_account(self, account: AccountId, fees: FeeRates) -> None:
        self.ledger.open(account)
        self._fees[account] = fees
        self._discounts = self._discounts or bool(fees.discount_asset)

    def fee_rates(self, account: AccountId) -> FeeRates:
        return self._fees[account]

    # ---- what orders need and hold

    def covers(self, request: NewOrder, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        account = request.account
        if account == BACKGROUND:
            return True
        free = self.ledger.free[account]
        if request.side is SELL:
            return free[rules.base] >= request.quantity
        price = request.price or request.stop_price
        if price:
            return free[rules.quote] >= quote_amount_up(price, request.quantity)
        return free[rules.quote] >= _sweep_cost(takeable, request.quantity)

    def affords(self, order: Order, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        if order.side is SELL or order.price:
            return True
        return self.ledger.free[order.account][rules.quote] >= _sweep_cost(takeable, order.leaves)

    def relock(self, order: Order, rules: SymbolRules) -> None:
        """The crowd's orders hold nothing: its money is without end, and there are many of them."""
        account, ledger = order.account, self.ledger
        if account == BACKGROUND:
            return
        asset = rules.quote if order.side is BUY else rules.base
        needed, locked = _to_hold(order) if order.is_open else 0, order.locked
        if needed == locked:
            return
        ledger.order_id, ledger.trade_id = order.order_id, 0
        if needed > locked:
            ledger.lock(account, asset, needed - locked)
        else:
            ledger.release(account, asset, locked - needed)
        order.locked = needed
        self._touch(account, asset)

    def reducible(self, order: Order) -> int:
        return order.leaves

    # ---- fills

    def settle(
        self,
        rules: SymbolRules,
        buyer: Order | None,
        seller: Order | None,
        maker: Order | None,
        price: int,
        quantity: int,
    ) -> dict[Side, tuple[int, str]]:
        amount = quote_amount(price, quantity)
        base, quote = rules.base, rules.quote
        payer, buyer_id = (BACKGROUND, 0) if buyer is None else (buyer.account, buyer.order_id)
        giver, seller_id = (BACKGROUND, 0) if seller is None else (seller.account, seller.order_id)
        if self._discounts:
            self._prices[base, quote] = price
        ledger = self.ledger
        ledger.order_id = buyer_id
        ledger.pay(payer, giver, quote, amount, Reason.TRADE, seller_id)
        ledger.order_id = seller_id
        ledger.pay(giver, payer, base, quantity, Reason.TRADE, buyer_id)
        seller_fee = self._charge(giver, quote, amount, base, is_maker=seller is maker)
        ledger.order_id = buyer_id
        buyer_fee = self._charge(payer, base, quantity, quote, is_maker=buyer is maker)
        for account in (payer, giver):
            if account != BACKGROUND:
                self._touch(account, base)
                self._touch(account, quote)
        return {BUY: buyer_fee, SELL: seller_fee}

    def _charge(
        self, account: AccountId, received: str, quantity: int, paid: str, *, is_maker: bool
    ) -> tuple[int, str]:
        """Take the fee. `paid`: the asset given for `received`, never taken for fees: what is free of it may be spoken for."""
        rates = self._fees[account]
        fee, asset = quantity * (rates.maker_ppm if is_maker else rates.taker_ppm) // PPM, received
        if rates.discount_asset and rates.discount_asset != paid:
            fee, asset = self._discounted(account, rates, fee, received)
        if fee:
            self.ledger.pay(account, FEES, asset, fee, Reason.FEE)
            if asset != received:
                self._touch(account, asset)
        return fee, asset

    def _discounted(self, account: AccountId, rates: FeeRates, fee: int, received: str) -> tuple[int, str]:
        """Return the fee and its asset: less and in the discount asset, or the full one where it cannot be paid so."""
        asset = rates.discount_asset
        amount = fee * rates.discount_ppm // PPM
        if asset != received:
            direct, inverse = self._prices.get((asset, received)), self._prices.get((received, asset))
            if direct is not None:
                amount = amount * SCALE // direct
            elif inverse is not None:
                amount = amount * inverse // SCALE
            else:
                return fee, received
        return (amount, asset) if self.ledger.free[account][asset] >= amount else (fee, received)

    def _touch(self, account: AccountId, asset: str) -> None:
        touched = self.touched.get(account)
        if touched is None:
            touched = self.touched[account] = {}
        touched[asset] = None


def _to_hold(order: Order) -> int:
    """An open order's need. A stop that waits and has no limit holds its stop price; a MARKET BUY pays at once."""
    leaves = order.quantity - order.executed - order.prevented
    if order.side is SELL:
        return leaves
    price = order.price or (0 if order.working_ns else order.stop_price)
    return -(-price * leaves // SCALE)


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
