"""The venue's operations, the same for REST and the WebSocket API: parameters in, JSON payload out. No sockets.

Each operation stands in OPERATIONS with its weight and whether it must be signed; the doors only find names for it.
"""

import secrets
from collections.abc import Callable

import msgspec

from ..core.decimals import decimal_text
from ..core.errors import BadRequest, OrderRefused, invalid_symbol, no_such_order, unknown_order
from ..core.orders import AccountId, Execution, ExecutionKind, Order, Status
from ..evidence import Evidence
from ..limits import OrderCounts
from ..market import Market
from ..operations import Call, Kind, Operation, Params, Proof, Weight, constant
from ..payload import NS_PER_MS, Json
from . import parameters, payloads
from .parameters import CancelRestrictions
from .publisher import UserStreams

DEPTH_LIMIT_DEFAULT = 100
DEPTH_LIMIT_MAX = 5_000
HISTORY_LIMIT_DEFAULT = 500
HISTORY_LIMIT_MAX = 1_000
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250))  # (limit up to, weight), rest-api.md "Order book"


class VenueApi:
    def __init__(self, market: Market, users: UserStreams, accounts: tuple[AccountId, ...], evidence: Evidence) -> None:
        self.market = market
        self.users = users
        self.counts = {account: OrderCounts() for account in accounts}
        self._uids = {account: number for number, account in enumerate(accounts, 1)}
        users.on_execution = (self._give_back, evidence.executed)

    # ---- public

    def ping(self, call: Call) -> Json:
        return {}

    def time(self, call: Call) -> Json:
        return {"serverTime": call.now_ns // NS_PER_MS}

    def exchange_info(self, call: Call) -> Json:
        wanted = _wanted_symbols(call.params)
        rules = self.market.rules()
        if wanted is not None:
            by_symbol = {r.symbol: r for r in rules}
            if not all(symbol in by_symbol for symbol in wanted):
                raise invalid_symbol()
            rules = [by_symbol[symbol] for symbol in wanted]
        return payloads.exchange_info(rules, call.now_ns)

    def depth(self, call: Call) -> Json:
        limit = parameters.limit(call.params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
        return payloads.depth_snapshot(*self.market.depth(parameters.text(call.params, "symbol"), limit))

    def book_ticker(self, call: Call) -> Json:
        if "symbol" in call.params:
            return payloads.ticker(call.params["symbol"], self.market.top(call.params["symbol"]))
        symbols = _wanted_symbols(call.params) or [r.symbol for r in self.market.rules()]
        return [payloads.ticker(symbol, self.market.top(symbol)) for symbol in symbols]

    def historical_trades(self, call: Call) -> Json:
        """Public trades, oldest first; from `fromId` on, otherwise the latest `limit`."""
        limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(call.params, "fromId")
        return [payloads.public_trade(t) for t in self.market.tape.trades(self._symbol(call.params), from_id, limit)]

    # ---- the account's

    def account(self, call: Call) -> Json:
        ledger = self.market.engine.ledger
        free, locked = ledger.free[call.account], ledger.locked[call.account]
        balances = [(asset, free[asset], locked[asset]) for asset in ledger.assets(call.account)]
        if call.params.get("omitZeroBalances") == "true":
            balances = [b for b in balances if b[1] or b[2]]
        fees = self.market.engine.settlement.fee_rates(call.account)
        return payloads.account_status(balances, fees.maker_ppm, fees.taker_ppm, call.now_ns, self._uids[call.account])

    def open_orders(self, call: Call) -> Json:
        symbol = call.params.get("symbol")
        if symbol is not None:
            self.market.engine.instrument(symbol)
        return [payloads.order_status(o) for o in self.market.engine.registry.open_orders(call.account, symbol)]

    def order_status(self, call: Call) -> Json:
        order = self._find(call.account, call.params)
        if order is None:
            raise no_such_order()
        return payloads.order_status(order)

    def all_orders(self, call: Call) -> Json:
        symbol = self._symbol(call.params)
        limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(call.params, "orderId") or 0
        in_window = _window(call.params)
        orders = self.market.engine.registry.all_orders(call.account, symbol)
        chosen = [o for o in orders if o.order_id >= from_id and in_window(o.created_ns)]
        chosen = chosen[:limit] if "orderId" in call.params or "startTime" in call.params else chosen[-limit:]
        return [payloads.order_status(o) for o in chosen]

    def my_trades(self, call: Call) -> Json:
        """Oldest first; from `fromId` or `startTime` on, otherwise the latest `limit`."""
        symbol = self._symbol(call.params)
        limit = parameters.limit(call.params, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)
        from_id = parameters.integer(call.params, "fromId") or 0
        order_id = parameters.integer(call.params, "orderId")
        in_window = _window(call.params)
        chosen = [
            t
            for t in self.market.engine.registry.trades(call.account, symbol)
            if t.trade_id >= from_id and order_id in (None, t.order_id) and in_window(t.time_ns)
        ]
        chosen = chosen[:limit] if "fromId" in call.params or "startTime" in call.params else chosen[-limit:]
        return [payloads.account_trade(t) for t in chosen]

    def order_counts(self, call: Call) -> Json:
        return self.counts[call.account].payload(call.now_ns // NS_PER_MS)

    # ---- orders

    def place(self, call: Call) -> Json:
        request = parameters.new_order(call.params, call.account, secrets.token_hex(11))
        response_type = parameters.response_type(call.params, request.order_type)
        counts = self.counts[call.account]
        counts.check(call.now_ns // NS_PER_MS)
        engine = self.market.engine
        known = len(engine.executions)
        order = engine.place(request, call.now_ns)
        counts.add(call.now_ns // NS_PER_MS)
        own = [e for e in engine.executions[known:] if e.order is order]
        return payloads.order_response(order, own, response_type, call.now_ns)

    def test(self, call: Call) -> Json:
        request = parameters.new_order(call.params, call.account, secrets.token_hex(11))
        parameters.response_type(call.params, request.order_type)
        self.market.engine.check(request, call.now_ns)
        if call.params.get("computeCommissionRates") != "true":
            return {}
        fees = self.market.engine.settlement.fee_rates(call.account)
        rates = {
            "maker": decimal_text(fees.maker_ppm * 100),
            "taker": decimal_text(fees.taker_ppm * 100),
        }
        return {"standardCommissionForOrder": rates}

    def cancel(self, call: Call) -> Json:
        cancel_id = parameters.client_id(call.params, "newClientOrderId") or secrets.token_hex(11)
        restrictions = parameters.cancel_restrictions(call.params)
        order = self._find(call.account, call.params)
        if order is None or not order.is_open:
            raise unknown_order()
        new_only = restrictions is CancelRestrictions.ONLY_NEW and order.status is not Status.NEW
        partial = order.status is Status.PARTIALLY_FILLED
        if new_only or (restrictions is CancelRestrictions.ONLY_PARTIALLY_FILLED and not partial):
            raise OrderRefused(-2011, "Order was not canceled due to cancel restrictions.")
        return payloads.cancel_response(self.market.engine.cancel(order, cancel_id, call.now_ns), cancel_id)

    def cancel_all(self, call: Call) -> Json:
        engine = self.market.engine
        orders = engine.registry.open_orders(call.account, self._symbol(call.params))
        if not orders:
            raise unknown_order()
        cancel_id = secrets.token_hex(11)
        return [payloads.cancel_response(engine.cancel(order, cancel_id, call.now_ns), cancel_id) for order in orders]

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


def _depth_weight(params: Params) -> int:
    limit = parameters.limit(params, DEPTH_LIMIT_DEFAULT, DEPTH_LIMIT_MAX)
    return next(weight for up_to, weight in DEPTH_WEIGHTS if limit <= up_to)


def _public(run: Callable[[VenueApi, Call], Json], weight: int | Weight) -> Operation:
    return Operation(run, _weight(weight), Kind.MARKET, Proof.NONE)


def _signed(kind: Kind, run: Callable[[VenueApi, Call], Json], weight: int | Weight, *, pages: int = 0) -> Operation:
    return Operation(run, _weight(weight), kind, Proof.SIGNATURE, pages)


def _weight(weight: int | Weight) -> Weight:
    return constant(weight) if isinstance(weight, int) else weight


OPERATIONS: dict[str, Operation] = {
    "ping": _public(VenueApi.ping, 1),
    "time": _public(VenueApi.time, 1),
    "exchangeInfo": _public(VenueApi.exchange_info, 20),
    "depth": _public(VenueApi.depth, _depth_weight),
    "trades.historical": _public(VenueApi.historical_trades, 25),
    "ticker.book": _public(VenueApi.book_ticker, lambda p: 2 if "symbol" in p else 4),
    "account.status": _signed(Kind.ACCOUNT, VenueApi.account, 20),
    "account.rateLimits.orders": _signed(Kind.ACCOUNT, VenueApi.order_counts, 40),
    "openOrders.status": _signed(Kind.QUERY, VenueApi.open_orders, lambda p: 6 if "symbol" in p else 80),
    "order.status": _signed(Kind.QUERY, VenueApi.order_status, 4),
    "allOrders": _signed(Kind.QUERY, VenueApi.all_orders, 20, pages=HISTORY_LIMIT_DEFAULT),
    "myTrades": _signed(
        Kind.ACCOUNT, VenueApi.my_trades, lambda p: 5 if "orderId" in p else 20, pages=HISTORY_LIMIT_DEFAULT
    ),
    "order.place": _signed(Kind.PLACE, VenueApi.place, 1),
    "order.test": _signed(
        Kind.ACCOUNT, VenueApi.test, lambda p: 20 if p.get("computeCommissionRates") == "true" else 1
    ),
    "order.cancel": _signed(Kind.CANCEL, VenueApi.cancel, 1),
    "openOrders.cancelAll": _signed(Kind.CANCEL, VenueApi.cancel_all, 1),
}
"""Named as the WebSocket API names them; weights of rest-api.md."""
