"""Our facts in the venue's words: the JSON objects of orders, fills, accounts and the user data stream's events. Pure.

Field names and order follow the examples of rest-api.md, web-socket-api.md and user-data-stream.md.
"""

from collections.abc import Iterable, Sequence

from ..core.decimals import decimal_text, quote_amount
from ..core.orders import AccountTrade, Execution, ExecutionKind, Order
from ..payload import Instant, Payload

_ZERO = "0.00000000"


def order_response(order: Order, executions: Sequence[Execution], response_type: str, now_ns: int) -> Payload:
    """Answer to a new order; `executions` are those of this order, in order. `response_type`: ACK, RESULT or FULL."""
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
    payload |= {"workingTime": Instant(order.created_ns)}
    if response_type == "FULL":
        payload["fills"] = [_fill(e) for e in executions if e.kind is ExecutionKind.TRADE]
    payload["selfTradePreventionMode"] = order.prevention
    payload |= _prevented_fields(order)
    return payload


def _order_sizes(order: Order) -> Payload:
    return {
        "price": decimal_text(order.price),
        "origQty": decimal_text(order.quantity),
        "executedQty": decimal_text(order.executed),
        "origQuoteOrderQty": _ZERO,
        "cummulativeQuoteQty": decimal_text(order.quote_executed),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "side": order.side,
    }


def _prevented_fields(order: Order) -> Payload:
    if order.prevented_match_id is None:
        return {}
    return {"preventedMatchId": order.prevented_match_id, "preventedQuantity": decimal_text(order.prevented)}


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
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        **_order_sizes(order),
        "stopPrice": _ZERO,
        "icebergQty": _ZERO,
        "time": Instant(order.created_ns),
        "updateTime": Instant(order.updated_ns),
        "isWorking": True,
        "workingTime": Instant(order.created_ns),
        "selfTradePreventionMode": order.prevention,
        **_prevented_fields(order),
    }


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


def account_status(
    balances: Iterable[tuple[str, int, int]], maker_ppm: int, taker_ppm: int, now_ns: int, uid: int
) -> Payload:
    """`balances`: (asset, free, locked)."""
    return {
        "makerCommission": maker_ppm // 100,
        "takerCommission": taker_ppm // 100,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": decimal_text(maker_ppm * 100),
            "taker": decimal_text(taker_ppm * 100),
            "buyer": _ZERO,
            "seller": _ZERO,
        },
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


# ---- user data stream


def execution_report(execution: Execution, now_ns: int) -> Payload:
    order = execution.order
    payload: Payload = {
        "e": "executionReport",
        "E": Instant(now_ns),
        "s": order.symbol,
        "c": execution.client_order_id,
        "S": order.side,
        "o": order.order_type,
        "f": order.time_in_force,
        "q": decimal_text(order.quantity),
        "p": decimal_text(order.price),
        "P": _ZERO,
        "F": _ZERO,
        "g": -1,
        "C": execution.original_client_order_id,
        "x": execution.kind,
        "X": execution.status,
        "r": "NONE",
        "i": order.order_id,
        "l": decimal_text(execution.last_quantity),
        "z": decimal_text(execution.executed),
        "L": decimal_text(execution.last_price),
        "n": decimal_text(execution.fee) if execution.fee_asset else "0",
        "N": execution.fee_asset,
        "T": Instant(execution.time_ns),
        "t": execution.trade_id,
        "I": execution.execution_id,
        "w": execution.is_on_book,
        "m": execution.is_maker,
        "M": False,
        "O": Instant(order.created_ns),
        "Z": decimal_text(execution.quote_executed),
        "Y": decimal_text(quote_amount(execution.last_price, execution.last_quantity)),
        "Q": _ZERO,
        "W": Instant(order.created_ns),
        "V": order.prevention,
    }
    if execution.prevented is not None:
        payload |= _prevention_report(execution)
    return payload


def _prevention_report(execution: Execution) -> Payload:
    match = execution.prevented
    assert match is not None
    return {
        "v": match.match_id,
        "A": decimal_text(match.quantity),
        "B": decimal_text(match.quantity),
        "u": -1,
        "U": match.counter_order_id,
        "Cs": execution.order.symbol,
        "pl": _ZERO,
        "pL": decimal_text(match.price),
        "pY": _ZERO,
    }


def account_position(balances: Iterable[tuple[str, int, int]], now_ns: int) -> Payload:
    """`balances`: (asset, free, locked) of what moved."""
    return {
        "e": "outboundAccountPosition",
        "E": Instant(now_ns),
        "u": Instant(now_ns),
        "B": [{"a": a, "f": decimal_text(free), "l": decimal_text(locked)} for a, free, locked in balances],
    }


def balance_update(asset: str, delta: int, now_ns: int) -> Payload:
    return {
        "e": "balanceUpdate",
        "E": Instant(now_ns),
        "a": asset,
        "d": decimal_text(delta),
        "T": Instant(now_ns),
    }


def stream_terminated(now_ns: int) -> Payload:
    return {"e": "eventStreamTerminated", "E": Instant(now_ns)}
