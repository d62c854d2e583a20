"""Our facts in the venue's words: the JSON objects of orders, fills, amendments and what an account may ask about itself. Pure.

Field names and order follow the examples of rest-api.md and web-socket-api.md; which fields come and go, their section
"Conditional fields in Order Responses".
"""

from collections.abc import Iterable, Sequence

from ..core.decimals import decimal_text, quote_amount
from ..core.orders import AccountTrade, Amendment, Execution, ExecutionKind, Order, PreventedMatch, Strategy
from ..core.settlement import PPM, FeeRates
from ..payload import Instant, Json, Payload

ZERO = "0.00000000"
RATE_SCALE = 100_000_000 // PPM
DISCOUNT_ASSET = "BNB"  # commission_faq.md
DISCOUNT_LEFT_PPM = 750_000  # the same: 25 % off

# ---- orders


def order_response(order: Order, executions: Sequence[Execution], response_type: str, now_ns: int) -> Payload:
    """Answer to a new order; `executions` are all that its placement caused, in order. `response_type`: ACK, RESULT or FULL."""
    payload: Payload = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": Instant(now_ns),
    }
    if response_type == "ACK":
        return payload
    payload |= _order_sizes(order)
    payload["workingTime"] = working_time(order.working_ns)
    if response_type == "FULL":
        payload["fills"] = [_fill(e) for e in executions if e.order is order and e.kind is ExecutionKind.TRADE]
    _tell_prevented(payload, order, executions)
    return payload


def _tell_prevented(payload: Payload, order: Order, executions: Sequence[Execution]) -> None:
    """The matches this order would have taken part in as the taker (stp_faq.md, "STP Examples")."""
    matches = {e.prevented.match_id: e.prevented for e in executions if e.prevented is not None}
    own = [match for match in matches.values() if match.taker_order_id == order.order_id]
    if own:
        payload["preventedMatches"] = [_prevented_row(match) for match in own]
    payload["selfTradePreventionMode"] = order.prevention
    if own and own[0].trade_group >= 0:
        payload["tradeGroupId"] = own[0].trade_group
    if order.prevented:
        payload["preventedQuantity"] = decimal_text(order.prevented)


def _prevented_row(match: PreventedMatch) -> Payload:
    return {
        "preventedMatchId": match.match_id,
        "makerSymbol": match.symbol,
        "makerOrderId": match.maker_order_id,
        "price": decimal_text(match.price),
        **_prevented_quantities(match),
    }


def _prevented_quantities(match: PreventedMatch) -> Payload:
    """A side that lost nothing is not told."""
    sides = (
        ("takerPreventedQuantity", match.taker_prevented),
        ("makerPreventedQuantity", match.maker_prevented),
    )
    return {name: decimal_text(quantity) for name, quantity in sides if quantity}


def _order_sizes(order: Order) -> Payload:
    payload: Payload = {
        "price": decimal_text(order.price),
        "origQty": decimal_text(order.quantity),
        "executedQty": decimal_text(order.executed),
        "origQuoteOrderQty": decimal_text(order.quote_quantity),
        "cummulativeQuoteQty": decimal_text(order.quote_executed),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "side": order.side,
    }
    if order.stop_price:
        payload["stopPrice"] = decimal_text(order.stop_price)
    if order.strategy is not None:
        payload |= _strategy_fields(order.strategy)
    if order.expiry_reason:
        payload["expiryReason"] = order.expiry_reason
    return payload


def _strategy_fields(strategy: Strategy) -> Payload:
    fields = (("strategyId", strategy.strategy_id), ("strategyType", strategy.strategy_type))
    return {name: value for name, value in fields if value is not None}


def working_time(working_ns: int) -> Json:
    """A stop that waits has none yet."""
    return Instant(working_ns) if working_ns else -1


def _fill(execution: Execution) -> Payload:
    return {
        "price": decimal_text(execution.last_price),
        "qty": decimal_text(execution.last_quantity),
        "commission": decimal_text(execution.fee),
        "commissionAsset": execution.fee_asset,
        "tradeId": execution.trade_id,
    }


def cancel_response(order: Order, cancel_id: str) -> Payload:
    """Answer to a cancel: the order's client id moves to `origClientOrderId`."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": Instant(order.updated_ns),
        **_order_sizes(order),
        "selfTradePreventionMode": order.prevention,
    }


def order_status(order: Order) -> Payload:
    payload: Payload = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        **_order_sizes(order),
        "stopPrice": decimal_text(order.stop_price),
        "icebergQty": ZERO,
        "time": Instant(order.created_ns),
        "updateTime": Instant(order.updated_ns),
        "isWorking": order.working_ns > 0,
        "workingTime": working_time(order.working_ns),
        "selfTradePreventionMode": order.prevention,
    }
    if order.prevented_match_id is not None:
        payload["preventedMatchId"] = order.prevented_match_id
        payload["preventedQuantity"] = decimal_text(order.prevented)
    return payload


def amend_response(order: Order, amendment: Amendment) -> Payload:
    return {
        "transactTime": Instant(amendment.time_ns),
        "executionId": amendment.execution_id,
        "amendedOrder": {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "orderListId": -1,
            "origClientOrderId": amendment.original_client_order_id,
            "clientOrderId": amendment.client_order_id,
            "price": decimal_text(order.price),
            "qty": decimal_text(amendment.quantity),
            "executedQty": decimal_text(order.executed),
            "preventedQty": decimal_text(order.prevented),
            "quoteOrderQty": decimal_text(order.quote_quantity),
            "cumulativeQuoteQty": decimal_text(order.quote_executed),
            "status": order.status,
            "timeInForce": order.time_in_force,
            "type": order.order_type,
            "side": order.side,
            **({"stopPrice": decimal_text(order.stop_price)} if order.stop_price else {}),
            "workingTime": working_time(order.working_ns),
            "selfTradePreventionMode": order.prevention,
        },
    }


def amendment_row(amendment: Amendment) -> Payload:
    return {
        "symbol": amendment.symbol,
        "orderId": amendment.order_id,
        "executionId": amendment.execution_id,
        "origClientOrderId": amendment.original_client_order_id,
        "newClientOrderId": amendment.client_order_id,
        "origQty": decimal_text(amendment.original_quantity),
        "newQty": decimal_text(amendment.quantity),
        "time": Instant(amendment.time_ns),
    }


# ---- the account


def account_trade(trade: AccountTrade) -> Payload:
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "orderListId": -1,
        "price": decimal_text(trade.price),
        "qty": decimal_text(trade.quantity),
        "quoteQty": decimal_text(quote_amount(trade.price, trade.quantity)),
        "commission": decimal_text(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": Instant(trade.time_ns),
        "isBuyer": trade.is_buyer,
        "isMaker": trade.is_maker,
        "isBestMatch": True,
    }


def prevented_match(match: PreventedMatch) -> Payload:
    return {
        "symbol": match.symbol,
        "preventedMatchId": match.match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": match.symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": match.trade_group,
        "selfTradePreventionMode": match.mode,
        "price": decimal_text(match.price),
        **_prevented_quantities(match),
        "transactTime": Instant(match.time_ns),
    }


def account_status(balances: Iterable[tuple[str, int, int]], fees: FeeRates, now_ns: int, uid: int) -> Payload:
    """`balances`: (asset, free, locked). The two commissions are told in parts of 10,000."""
    return {
        "makerCommission": fees.maker_ppm // 100,
        "takerCommission": fees.taker_ppm // 100,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _four_rates(fees),
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": Instant(now_ns),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": decimal_text(free), "locked": decimal_text(locked)}
            for asset, free, locked in balances
        ],
        "permissions": ["SPOT"],
        "uid": uid,
    }


_NO_FEES = FeeRates(0, 0)


def commission(symbol: str, fees: FeeRates) -> Payload:
    return {
        "symbol": symbol,
        "standardCommission": _four_rates(fees),
        "specialCommission": _four_rates(_NO_FEES),
        "taxCommission": _four_rates(_NO_FEES),
        "discount": _discount(fees),
    }


def order_commission(fees: FeeRates) -> Payload:
    """Answer to a test order that asks for its rates."""
    return {
        "standardCommissionForOrder": _two_rates(fees),
        "specialCommissionForOrder": _two_rates(_NO_FEES),
        "taxCommissionForOrder": _two_rates(_NO_FEES),
        "discount": _discount(fees),
    }


def _two_rates(fees: FeeRates) -> Payload:
    return {"maker": decimal_text(fees.maker_ppm * RATE_SCALE), "taker": decimal_text(fees.taker_ppm * RATE_SCALE)}


def _four_rates(fees: FeeRates) -> Payload:
    return _two_rates(fees) | {"buyer": ZERO, "seller": ZERO}


def _discount(fees: FeeRates) -> Payload:
    """`discount` is what is taken off."""
    left_ppm = fees.discount_ppm if fees.discount_asset else DISCOUNT_LEFT_PPM
    return {
        "enabledForAccount": bool(fees.discount_asset),
        "enabledForSymbol": True,
        "discountAsset": fees.discount_asset or DISCOUNT_ASSET,
        "discount": decimal_text((PPM - left_ppm) * RATE_SCALE),
    }
