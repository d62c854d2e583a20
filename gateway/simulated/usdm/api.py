"""What the operations of the futures face run on: market, margin, accounts' counts, finding and placing an order. No sockets."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from ..core.errors import BadRequest, no_such_order
from ..core.orders import AccountId, NewOrder, Order, Side, TimeInForce
from ..evidence import Evidence
from ..limits import LimitRules
from ..operations import Params
from ..spot.parameters import integer, text
from .counts import PerpetualCounts
from .errors import duplicated_client_id, fok_rejected, post_only_rejected, reduce_only_rejected
from .margin_account import MarginAccount, closes
from .market import PerpetualMarket
from .parameters import OrderRequest, PriceMatch
from .text import Figures

FACE = "usdm"
FUTURES_LIMITS = LimitRules(
    weight_per_minute=2_400,
    orders=((10, 300), (60, 1_200)),
    raw_per_5_minutes=0,
    given_back_taker=0,
    given_back_maker=0,
)
"""exchangeInfo of 2021 and 2026; orders that trade are not given back."""


class PerpetualApi:
    def __init__(self, market: PerpetualMarket, accounts: tuple[AccountId, ...], evidence: Evidence) -> None:
        self.market = market
        self.margin = market.margin
        self.users = market.accounts
        self.counts: Mapping[AccountId, PerpetualCounts] = {name: PerpetualCounts(FUTURES_LIMITS) for name in accounts}
        market.accounts.on_execution = (lambda execution, now_ns: evidence.executed(execution, now_ns, FACE),)

    def account(self, account: AccountId) -> MarginAccount:
        return self.margin.accounts[account]

    def alias(self, account: AccountId) -> str:
        """A name of the account's own, as the venue gives one."""
        return sha256(account.encode()).hexdigest()[:6]

    def figures(self, symbol: str) -> Figures:
        return self.market.writing[symbol]

    def symbol(self, params: Params) -> str:
        """Return the mandatory `symbol`. Raises BadRequest for one that is not listed."""
        symbol = text(params, "symbol")
        self.market.engine.instrument(symbol)
        return symbol

    def symbols(self, params: Params) -> list[str]:
        """Return the one asked for by `symbol`, or all."""
        return [self.symbol(params)] if "symbol" in params else list(self.market.engine.instruments)

    # ---- orders

    def find(self, account: AccountId, params: Params) -> Order:
        """Return the order that `orderId`, else `origClientOrderId`, names. Raises OrderRefused (-2013) where there is none."""
        symbol = self.symbol(params)
        order_id = integer(params, "orderId")
        client_order_id = params.get("origClientOrderId") if order_id is None else None
        if order_id is None and not client_order_id:
            message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            raise BadRequest(-1102, message)
        order = self.market.engine.registry.find(account, symbol, order_id, client_order_id)
        if order is None:
            raise no_such_order()
        return order

    def place(self, request: OrderRequest, now_ns: int) -> Order:
        """Check what is the futures face's own, and place it. Raises VenueError, and then nothing has changed."""
        order = self.market.engine.place(self.checked(request.order, now_ns), now_ns)
        self.users.terms.keep(order.order_id, request.terms)
        if request.terms.good_till_ms and order.is_open:
            self.market.chores.good_till[order.order_id] = request.terms.good_till_ms * 1_000_000
        return order

    def checked(self, order: NewOrder, now_ns: int) -> NewOrder:
        """Return the order as it would be placed: a reduce-only one is cut to the position.

        An order that breaks a filter is told so, whatever the position and the book would have said of it.
        """
        if self.market.engine.registry.is_open_client_id(order.account, order.symbol, order.client_order_id):
            raise duplicated_client_id()
        order = self._fitted(order, now_ns)
        if order.time_in_force in (TimeInForce.GTX, TimeInForce.FOK):
            self.market.engine.check_rules(order, now_ns)
        if order.time_in_force is TimeInForce.GTX and self.would_take(order.symbol, order.side, order.price):
            raise post_only_rejected()
        if order.time_in_force is TimeInForce.FOK and not self._is_offered(order):
            raise fok_rejected()
        return order

    def _fitted(self, order: NewOrder, now_ns: int) -> NewOrder:
        """In hedge mode what closes a side is reduce-only by itself, and may not be larger than the position."""
        closing = closes(order.position_side, order.side)
        if not order.reduce_only and not closing:
            return order
        order = msgspec.structs.replace(order, reduce_only=True)
        self.market.engine.check_rules(order, now_ns)
        reducible = self.account(order.account).reducible(order.symbol, order.position_side, order.side)
        if reducible == 0 or (closing and order.quantity > reducible):
            raise reduce_only_rejected()
        return msgspec.structs.replace(order, quantity=min(order.quantity, reducible))

    def would_take(self, symbol: str, side: Side, price: int) -> bool:
        offered = self.market.engine.instrument(symbol).book.best_offer(side)
        return bool(offered) and (price >= offered if side is Side.BUY else price <= offered)

    def _is_offered(self, order: NewOrder) -> bool:
        """Whether the book has the whole quantity at the order's price or better."""
        wanted = order.quantity
        for offer in self.market.engine.instrument(order.symbol).book.scan(order.side):
            if wanted <= 0 or (order.price < offer.price if order.side is Side.BUY else order.price > offer.price):
                break
            wanted -= offer.quantity
        return wanted <= 0

    def matched_price(self, symbol: str, side: Side, match: PriceMatch) -> int:
        """Return the price of that level of the book. Raises BadRequest (-5041) where there are not so many."""
        _, bids, asks = self.market.depth(symbol, match.level)
        levels = bids if (side is Side.BUY) is not match.is_opponent else asks
        if len(levels) < match.level:
            raise BadRequest(-5041, "No depth matches this BBO order")
        return levels[-1][0]
