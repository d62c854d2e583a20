"""The money behind futures: positions, wallets, what an order needs and what a fill moves. A `Money` of the core. Pure.

Realized PnL is paid between an account's wallet and CLEARING, fees go to FEES: wallets of all accounts always add up to what was
deposited, and CLEARING's with all positions' costs to nothing. The crowd is not asked for margin. A wallet may fall below zero
where a loss was larger; what liquidation cannot get back INSURANCE pays.
"""

from collections.abc import Iterator

from ..core.decimals import quote_amount, quote_amount_up
from ..core.filters import SymbolRules
from ..core.ledger import Ledger, Reason
from ..core.orders import (
    BACKGROUND,
    FEES,
    AccountId,
    NewOrder,
    Offer,
    Order,
    OrderType,
    PositionSide,
    Side,
)
from ..core.settlement import FeeRates
from .errors import margin_insufficient, position_limit_exceeded, reduce_only_rejected
from .margin_account import NOTIONAL_MAX, PPM, MarginAccount, open_loss
from .positions import Position

ASSET = "USDT"
CLEARING = AccountId("clearing")
INSURANCE = AccountId("insurance")
NO_FEES = {Side.BUY: (0, ASSET), Side.SELL: (0, ASSET)}
RESERVED = (BACKGROUND, FEES, CLEARING, INSURANCE)


class Margin:
    """`ledger` may owe. `marks`: the mark price of each symbol, set by the market. `touched`: account -> symbols whose position changed.

    `realized`: PnL of fills not yet reported, by order id and what the order had executed with it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.accounts: dict[AccountId, MarginAccount] = {}
        self.marks: dict[str, int] = {}
        self.touched: dict[AccountId, dict[str, None]] = {}
        self.realized: dict[tuple[int, int], int] = {}
        self._fees: dict[AccountId, FeeRates] = {}
        for account in RESERVED:
            self.open_account(account, FeeRates(0, 0))

    def open_account(self, account: AccountId, fees: FeeRates) -> None:
        self.ledger.open(account)
        self._fees[account] = fees
        self.accounts[account] = MarginAccount()

    def fee_rates(self, account: AccountId) -> FeeRates:
        return self._fees[account]

    def wallet(self, account: AccountId) -> int:
        return self.ledger.free[account][ASSET]

    def clients(self) -> list[AccountId]:
        return [account for account in self.accounts if account not in RESERVED]

    def position(self, account: AccountId, symbol: str, side: PositionSide) -> Position:
        return self.accounts[account].position(symbol, side)

    def available(self, account: AccountId) -> int:
        """What new initial margin may take; negative where there is too little already."""
        total = self.accounts[account].total(self.marks)
        return self.wallet(account) + total.unrealized - total.initial

    # ---- orders

    def covers(self, request: NewOrder, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        """True, or raises OrderRefused: -2019 for too little margin, -2022 for what would not reduce, -2027 for too much."""
        if request.account == BACKGROUND:
            return True
        held = self.accounts[request.account]
        reducible = held.reducible(request.symbol, request.position_side, request.side)
        if request.reduce_only:
            if request.quantity > reducible:
                raise reduce_only_rejected()
            return True
        mark = self.marks[request.symbol]
        notional, price = _notional(request, takeable)
        key = (request.symbol, request.position_side)
        bids, offers = held.bids.get(key, 0), held.offers.get(key, 0)
        exposure = held.exposure(key, mark, bids, offers)
        if request.side is Side.BUY:
            bids += notional
        else:
            offers += notional
        wanted = held.exposure(key, mark, bids, offers)
        if wanted > NOTIONAL_MAX and wanted > exposure:
            raise position_limit_exceeded()
        leverage = held.leverage(request.symbol)
        margin = -(-wanted // leverage) - -(-exposure // leverage)
        required = margin + open_loss(request.side, price, mark, max(0, request.quantity - reducible))
        if required > 0 and required > self.available(request.account):
            raise margin_insufficient()
        return True

    def affords(self, order: Order, rules: SymbolRules, takeable: Iterator[Offer]) -> bool:
        return True  # no stops here: conditional types are answered -4120

    def reducible(self, order: Order) -> int:
        """What of its position a reduce-only order may still close."""
        return self.accounts[order.account].reducible(order.symbol, order.position_side, order.side)

    def relock(self, order: Order, rules: SymbolRules) -> None:
        """Keep the account's notional of open orders: `locked` is this order's part. What only reduces needs none."""
        if order.account == BACKGROUND:
            return
        needed = 0
        if order.is_open and not order.reduce_only:
            needed = quote_amount_up(order.price, order.leaves)
        notionals = self.accounts[order.account].order_notionals(order.side)
        key = (order.symbol, order.position_side)
        notionals[key] = notionals.get(key, 0) + needed - order.locked
        order.locked = needed

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
        """Move positions and money of one fill. Return fee and fee asset by side. What the crowd does with itself moves nothing."""
        if _is_crowd(buyer) and _is_crowd(seller):
            return NO_FEES
        amount = quote_amount(price, quantity)
        bought = self._fill(rules.symbol, buyer, quantity, amount, is_maker=buyer is maker)
        sold = self._fill(rules.symbol, seller, -quantity, amount, is_maker=seller is maker)
        return {Side.BUY: (bought, ASSET), Side.SELL: (sold, ASSET)}

    def _fill(self, symbol: str, order: Order | None, quantity: int, amount: int, *, is_maker: bool) -> int:
        account = BACKGROUND if order is None else order.account
        side = PositionSide.BOTH if order is None else order.position_side
        position = self.accounts[account].position(symbol, side)
        before = position.quantity
        realized = position.trade(quantity, amount)
        self.ledger.order_id = 0 if order is None else order.order_id
        if realized:
            self.ledger.pay(CLEARING, account, ASSET, realized, Reason.PROFIT)
        if order is None or account == BACKGROUND:
            return 0
        rates = self._fees[account]
        fee = amount * (rates.maker_ppm if is_maker else rates.taker_ppm) // PPM
        self.ledger.pay(account, FEES, ASSET, fee, Reason.FEE)
        goes_on = before * position.quantity > 0
        position.fees = position.fees + fee if goes_on else fee if position.quantity else 0
        self.realized[order.order_id, order.executed] = realized
        self.touched.setdefault(account, {})[symbol] = None
        return fee

    def pay_funding(self, account: AccountId, symbol: str, rate: int, now_ns: int) -> int:
        """Charge one funding at `rate` (10^-8 of the notional at mark); the crowd is the other side. Return what was received."""
        marks, held = self.marks, self.accounts[account]
        value = sum(held.position(symbol, side).value(marks[symbol]) for side in PositionSide)
        received = -value * rate // 10**8
        self._pay(BACKGROUND, account, received, Reason.FUNDING, now_ns)
        return received

    def fill_up(self, account: AccountId, now_ns: int) -> int:
        """Fill a wallet below zero, without positions, up to zero. Return with how much."""
        owed = -self.wallet(account)
        if owed <= 0 or any(position.quantity for position in self.accounts[account].positions.values()):
            return 0
        self._pay(INSURANCE, account, owed, Reason.INSURANCE, now_ns)
        return owed

    def _pay(self, payer: AccountId, receiver: AccountId, amount: int, reason: Reason, now_ns: int) -> None:
        """Move what no order and no trade moves."""
        ledger = self.ledger
        ledger.now_ns, ledger.order_id, ledger.trade_id = now_ns, 0, 0
        ledger.pay(payer, receiver, ASSET, amount, reason)

    def is_liquidated(self, account: AccountId) -> bool:
        """Whether the margin balance has fallen to what must be maintained."""
        total = self.accounts[account].total(self.marks)
        return total.maintenance > 0 and self.wallet(account) + total.unrealized <= total.maintenance

    def open_interest(self, symbol: str) -> int:
        """How many contracts are held: as many long as short."""
        positions = (p for held in self.accounts.values() for (name, _), p in held.positions.items() if name == symbol)
        return sum(max(0, position.quantity) for position in positions)

    def costs(self) -> int:
        """All positions' costs: with CLEARING's wallet they are 0."""
        return sum(p.cost for held in self.accounts.values() for p in held.positions.values())


def _is_crowd(order: Order | None) -> bool:
    return order is None or order.account == BACKGROUND


def _notional(request: NewOrder, takeable: Iterator[Offer]) -> tuple[int, int]:
    """What the order is worth, and its price: of a MARKET order what taking it from the book would come to, at its worst."""
    if request.order_type is not OrderType.MARKET:
        return quote_amount_up(request.price, request.quantity), request.price
    return _sweep(takeable, request.quantity)


def _sweep(offers: Iterator[Offer], quantity: int) -> tuple[int, int]:
    cost = price = 0
    for offer in offers:
        taken, price = min(quantity, offer.quantity), offer.price
        cost += quote_amount_up(price, taken)
        quantity -= taken
        if not quantity:
            break
    return cost, price
