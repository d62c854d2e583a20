"""The venue's operations, the same for REST and the WebSocket API: parameters in, JSON payload out. No sockets.

Each operation stands in OPERATIONS with its weight and whether it must be signed; the doors only find names for it.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ..core.decimals import decimal_text
from ..core.errors import BadRequest, OrderRefused, invalid_symbol, no_such_order, unknown_order
from ..core.orders import AccountId, Execution, ExecutionKind, Order, Status
from ..evidence import Evidence
from ..limits import OrderCounts
from ..market import Market
from . import parameters, payloads
from .parameters import CancelRestrictions, Params
from .payloads import NS_PER_MS, Json

DEPTH_LIMIT_DEFAULT = 100
DEPTH_LIMIT_MAX = 5_000
HISTORY_LIMIT_DEFAULT = 500
HISTORY_LIMIT_MAX = 1_000
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))  # (limit up to, weight), rest-api.md "Order book"


class VenueApi:
    def __init__(self, market: Market, accounts: tuple[AccountId, ...], evidence: Evidence | None = None) -> None:
        self.market = market
        self.evidence = evidence or Evidence()
        self.counts = {account: OrderCounts() for account in accounts}
        self._uids = {account: number for number, account in enumerate(accounts, 1)}
        market.users.on_execution = (self._give_back, self.evidence.executed)

    # ---- public

    def ping(self, params: Params, now_ns: int) -> Json:
        return {}

    def time(self, params: Params, now_ns: int) -> Json:
        return {"serverTime": now_ns // NS_PER_MS}

    def exchange_info(self, params: Params, now_ns: int) -> Json:
        wanted = _wanted_symbols(params)
        rules = self.market.rules()
        if wanted is not None:
            by_symbol = {r.symbol: r for r in rules}
            if not all(symbol in by_symbol for symbol in wanted):
                raise invalid_symbol()
            rules = [by_symbol[symbol] for symbol in wanted]
        return payloads.exchange_info(rules, now_ns)

    def depth(self, params: Params, now_ns: int) -> Json:
        limit = parameters.limit(params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
        return payloads.depth_snapshot(*self.market.depth(parameters.text(params, "symbol"), limit))

    def book_ticker(self, params: Params, now_ns: int) -> Json:
        if "symbol" in params:
            return payloads.ticker(params["symbol"], self.market.top(params["symbol"]))
        symbols = _wanted_symbols(params) or [r.symbol for r in self.market.rules()]
        return [payloads.ticker(symbol, self.market.top(symbol)) for symbol in symbols]

    def historical_trades(self, params: Params, now_ns: int) -> Json:
        """Public trades, oldest first; from `fromId` on, otherwise the latest `limit`."""
        limit = parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(params, "fromId")
        return [payloads.public_trade(t) for t in self.market.tape.trades(self._symbol(params), from_id, limit)]

    # ---- the account's

    def account(self, account: AccountId, params: Params, now_ns: int) -> Json:
        ledger = self.market.engine.ledger
        free, locked = ledger.free[account], ledger.locked[account]
        balances = [(asset, free[asset], locked[asset]) for asset in ledger.assets(account)]
        if params.get("omitZeroBalances") == "true":
            balances = [b for b in balances if b[1] or b[2]]
        fees = self.market.engine.settlement.fee_rates(account)
        return payloads.account_status(balances, fees.maker_ppm, fees.taker_ppm, now_ns, self._uids[account])

    def open_orders(self, account: AccountId, params: Params, now_ns: int) -> Json:
        symbol = params.get("symbol")
        if symbol is not None:
            self.market.engine.instrument(symbol)
        return [payloads.order_status(o) for o in self.market.engine.registry.open_orders(account, symbol)]

    def order_status(self, account: AccountId, params: Params, now_ns: int) -> Json:
        order = self._find(account, params)
        if order is None:
            raise no_such_order()
        return payloads.order_status(order)

    def all_orders(self, account: AccountId, params: Params, now_ns: int) -> Json:
        symbol = self._symbol(params)
        limit = parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(params, "orderId") or 0
        in_window = _window(params)
        orders = self.market.engine.registry.all_orders(account, symbol)
        chosen = [o for o in orders if o.order_id >= from_id and in_window(o.created_ns)]
        chosen = chosen[:limit] if "orderId" in params or "startTime" in params else chosen[-limit:]
        return [payloads.order_status(o) for o in chosen]

    def my_trades(self, account: AccountId, params: Params, now_ns: int) -> Json:
        """Oldest first; from `fromId` or `startTime` on, otherwise the latest `limit`."""
        symbol = self._symbol(params)
        limit = parameters.limit(params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(params, "fromId") or 0
        order_id = parameters.integer(params, "orderId")
        in_window = _window(params)
        chosen = [
            t
            for t in self.market.engine.registry.trades(account, symbol)
            if t.trade_id >= from_id and order_id in (None, t.order_id) and in_window(t.time_ns)
        ]
        chosen = chosen[:limit] if "fromId" in params or "startTime" in params else chosen[-limit:]
        return [payloads.account_trade(t) for t in chosen]

    def order_counts(self, account: AccountId, params: Params, now_ns: int) -> Json:
        return self.counts[account].payload(now_ns // NS_PER_MS)

    # ---- orders

    def place(self, account: AccountId, params: Params, now_ns: int) -> Json:
        request = parameters.new_order(params, account, secrets.token_hex(11))
        response_type = parameters.response_type(params, request.order_type)
        counts = self.counts[account]
        counts.check(now_ns // NS_PER_MS)
        engine = self.market.engine
        known = len(engine.executions)
        order = engine.place(request, now_ns)
        counts.add(now_ns // NS_PER_MS)
        own = [e for e in engine.executions[known:] if e.order is order]
        return payloads.order_response(order, own, response_type, now_ns)

    def test(self, account: AccountId, params: Params, now_ns: int) -> Json:
        request = parameters.new_order(params, account, secrets.token_hex(11))
        parameters.response_type(params, request.order_type)
        self.market.engine.check(request, now_ns)
        if params.get("computeCommissionRates") != "true":
            return {}
        fees = self.market.engine.settlement.fee_rates(account)
        rates = {
            "maker": decimal_text(fees.maker_ppm * 100),
            "taker": decimal_text(fees.taker_ppm * 100),
        }
        return {"standardCommissionForOrder": rates}

    def cancel(self, account: AccountId, params: Params, now_ns: int) -> Json:
        cancel_id = parameters.client_id(params, "newClientOrderId") or secrets.token_hex(11)
        restrictions = parameters.cancel_restrictions(params)
        order = self._find(account, params)
        if order is None or not order.is_open:
            raise unknown_order()
        new_only = restrictions is CancelRestrictions.ONLY_NEW and order.status is not Status.NEW
        partial = order.status is Status.PARTIALLY_FILLED
        if new_only or (restrictions is CancelRestrictions.ONLY_PARTIALLY_FILLED and not partial):
            raise OrderRefused(-2011, "Order was not canceled due to cancel restrictions.")
        return payloads.cancel_response(self.market.engine.cancel(order, cancel_id, now_ns), cancel_id)

    def cancel_all(self, account: AccountId, params: Params, now_ns: int) -> Json:
        engine = self.market.engine
        orders = engine.registry.open_orders(account, self._symbol(params))
        if not orders:
            raise unknown_order()
        cancel_id = secrets.token_hex(11)
        return [payloads.cancel_response(engine.cancel(order, cancel_id, now_ns), cancel_id) for order in orders]

    def _give_back(self, execution: Execution, now_ns: int) -> None:
        """An order's first fill gives part of its count back."""
        if execution.kind is ExecutionKind.TRADE and execution.executed == execution.last_quantity:
            counts = self.counts[execution.order.account]
            counts.give_back(now_ns // NS_PER_MS, is_maker=execution.is_maker)

    def _symbol(self, params: Params) -> str:
        symbol = parameters.text(params, "symbol")
        self.market.engine.instrument(symbol)
        return symbol

    def _find(self, account: AccountId, params: Params) -> Order | None:
        symbol = self._symbol(params)
        order_id = parameters.integer(params, "orderId")
        client_order_id = params.get("origClientOrderId")
        if order_id is None and not client_order_id:
            message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            raise BadRequest(-1102, message)
        return self.market.engine.registry.find(account, symbol, order_id, client_order_id)


def _wanted_symbols(params: Params) -> list[str] | None:
    """Return the symbols asked for by `symbol` or `symbols` (a JSON array), or None for all."""
    if "symbol" in params and "symbols" in params:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    if "symbol" in params:
        return [params["symbol"]]
    if "symbols" not in params:
        return None
    try:
        return msgspec.json.decode(params["symbols"], type=list[str])
    except msgspec.DecodeError as error:
        raise BadRequest(-1100, "Illegal characters found in parameter 'symbols'.") from error


def _window(params: Params) -> Callable[[int], bool]:
    """Return the test for `startTime` and `endTime` (ms), on nanoseconds."""
    start_ms = parameters.integer(params, "startTime")
    end_ms = parameters.integer(params, "endTime")

    def contains(time_ns: int) -> bool:
        time_ms = time_ns // NS_PER_MS
        return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)

    return contains


# ---- the table


PublicOperation = Callable[[VenueApi, Params, int], Json]
AccountOperation = Callable[[VenueApi, AccountId, Params, int], Json]


class Public(NamedTuple):
    run: PublicOperation
    weight: Callable[[Params], int]


class Signed(NamedTuple):
    run: AccountOperation
    weight: Callable[[Params], int]


def _constant(weight: int) -> Callable[[Params], int]:
    return lambda _: weight


def _depth_weight(params: Params) -> int:
    limit = parameters.limit(params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return next(weight for up_to, weight in DEPTH_WEIGHTS if limit <= up_to)


OPERATIONS: dict[str, Public | Signed] = {
    "ping": Public(VenueApi.ping, _constant(1)),
    "time": Public(VenueApi.time, _constant(1)),
    "exchangeInfo": Public(VenueApi.exchange_info, _constant(20)),
    "depth": Public(VenueApi.depth, _depth_weight),
    "trades.historical": Public(VenueApi.historical_trades, _constant(25)),
    "ticker.book": Public(VenueApi.book_ticker, lambda p: 2 if "symbol" in p else 4),
    "account.status": Signed(VenueApi.account, _constant(20)),
    "account.rateLimits.orders": Signed(VenueApi.order_counts, _constant(40)),
    "openOrders.status": Signed(VenueApi.open_orders, lambda p: 6 if "symbol" in p else 80),
    "order.status": Signed(VenueApi.order_status, _constant(4)),
    "allOrders": Signed(VenueApi.all_orders, _constant(20)),
    "myTrades": Signed(VenueApi.my_trades, lambda p: 5 if "orderId" in p else 20),
    "order.place": Signed(VenueApi.place, _constant(1)),
    "order.test": Signed(VenueApi.test, lambda p: 20 if p.get("computeCommissionRates") == "true" else 1),
    "order.cancel": Signed(VenueApi.cancel, _constant(1)),
    "openOrders.cancelAll": Signed(VenueApi.cancel_all, _constant(1)),
}
"""Named as the WebSocket API names them; weights of rest-api.md."""
