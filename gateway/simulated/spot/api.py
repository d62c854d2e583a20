"""What the operations of Binance Spot's face run on: the market, its accounts' counts, and finding an order. No sockets."""

from ..core.errors import BadRequest
from ..core.orders import AccountId, Execution, ExecutionKind, Order
from ..evidence import Evidence
from ..limits import SPOT_LIMITS, LimitRules, OrderCounts
from ..market import Market
from ..operations import Params
from ..payload import NS_PER_MS
from . import parameters
from .user_streams import UserStreams


class VenueApi:
    def __init__(
        self,
        market: Market,
        users: UserStreams,
        accounts: tuple[AccountId, ...],
        evidence: Evidence,
        limits: LimitRules = SPOT_LIMITS,
    ) -> None:
        self.market = market
        self.users = users
        self.limits = limits
        self.counts = {account: OrderCounts(limits) for account in accounts}
        self.uids = {account: number for number, account in enumerate(accounts, 1)}
        users.on_execution = (self._give_back, evidence.executed)

    def symbol(self, params: Params) -> str:
        """Return the mandatory `symbol`. Raises BadRequest for one that is not listed."""
        symbol = parameters.text(params, "symbol")
        self.market.engine.instrument(symbol)
        return symbol

    def find(self, account: AccountId, params: Params) -> Order | None:
        """Return the account's order that `orderId` and `origClientOrderId` name, if there is one."""
        symbol = self.symbol(params)
        order_id = parameters.integer(params, "orderId")
        client_order_id = params.get("origClientOrderId")
        if order_id is None and not client_order_id:
            message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            raise BadRequest(-1102, message)
        return self.market.engine.registry.find(account, symbol, order_id, client_order_id)

    def _give_back(self, execution: Execution, now_ns: int) -> None:
        """An order's first fill gives part of its count back."""
        if execution.kind is ExecutionKind.TRADE and execution.executed == execution.last_quantity:
            counts = self.counts[execution.order.account]
            counts.give_back(now_ns // NS_PER_MS, is_maker=execution.is_maker)
