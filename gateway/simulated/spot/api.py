"""What the operations of Binance Spot's face run on: the market, its accounts' counts and money, and finding an order. No sockets."""

from ..core.errors import BadRequest
from ..core.orders import AccountId, Execution, ExecutionKind, Order
from ..core.settlement import FeeRates
from ..evidence import Evidence
from ..limits import SPOT_LIMITS, LimitRules, OrderCounts
from ..market import Market
from ..operations import Params
from ..payload import NS_PER_MS
from . import parameters
from .errors import one_of
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

    def find(
        self,
        account: AccountId,
        params: Params,
        id_name: str = "orderId",
        client_id_name: str = "origClientOrderId",
    ) -> Order | None:
        """Return the account's order of that id or client id, if there is one. Raises BadRequest where both are given and differ."""
        symbol = self.symbol(params)
        order_id = parameters.integer(params, id_name)
        client_order_id = parameters.optional(params, client_id_name)
        if order_id is None and client_order_id is None:
            raise one_of(client_id_name, id_name)
        registry = self.market.engine.registry
        if order_id is None:
            return registry.find(account, symbol, None, client_order_id)
        order = registry.find(account, symbol, order_id, None)
        if order is not None and client_order_id not in (None, order.client_order_id):
            raise BadRequest(-2039, "Client order ID is not correct for this order ID.")
        return order

    def fees(self, account: AccountId) -> FeeRates:
        return self.market.engine.settlement.fee_rates(account)

    def balances(self, account: AccountId) -> list[tuple[str, int, int]]:
        """Return (asset, free, locked) of every asset the account has ever had."""
        ledger = self.market.engine.ledger
        free, locked = ledger.free[account], ledger.locked[account]
        return [(asset, free[asset], locked[asset]) for asset in ledger.assets(account)]

    def _give_back(self, execution: Execution, now_ns: int) -> None:
        """An order's first fill gives part of its count back."""
        if execution.kind is ExecutionKind.TRADE and execution.executed == execution.last_quantity:
            counts = self.counts[execution.order.account]
            counts.give_back(now_ns // NS_PER_MS, is_maker=execution.is_maker)
