"""Orders and fills in the futures face's words. Pure.

Field names follow the examples of the documents ("New Order", "Query Order", "Account Trade List", "Event: Order Update").
"""

from typing import NamedTuple

from ..core.decimals import SCALE, decimal_text, quote_amount
from ..core.orders import (
    AccountTrade,
    Execution,
    ExecutionKind,
    ExpiryReason,
    Order,
    OrderType,
    PositionSide,
    Side,
    Status,
    TimeInForce,
)
from ..payload import Instant, Payload
from .terms import Terms
from .text import Figures

EXECUTION_TYPES = {ExecutionKind.REPLACED: "AMENDMENT", ExecutionKind.TRADE_PREVENTION: "EXPIRED"}
"""Where the futures face has another word than the core."""


EXPIRY_REASONS = {
    ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED: "2",
    ExpiryReason.INSUFFICIENT_LIQUIDITY: "9",
}
"""docs, "Event: Order Update", Expiry Reason: where it follows from the core's alone."""


class Fill(NamedTuple):
    """An account's fill, with what it realized."""

    trade: AccountTrade
    realized: int
    position_side: PositionSide


def order_answer(order: Order, terms: Terms, figures: Figures) -> Payload:
    """Answer to a new order with RESULT, to a modification and to a cancel."""
    return {**order_fields(order, terms, figures), "cumQty": figures.quantity(order.executed)}


def order_accepted(order: Order, terms: Terms, figures: Figures) -> Payload:
    """Answer to a new order with ACK: as it was when it was accepted, whatever has become of it."""
    nothing = {"executedQty": figures.quantity(0), "cumQty": figures.quantity(0), "cumQuote": figures.amount(0)}
    told = {**order_answer(order, terms, figures), **nothing, "avgPrice": figures.price(0)}
    return {**told, "status": Status.NEW, "updateTime": Instant(order.created_ns)}


def order_status(order: Order, terms: Terms, figures: Figures) -> Payload:
    """A row of a query."""
    return {**order_fields(order, terms, figures), "time": Instant(order.created_ns)}


def order_fields(order: Order, terms: Terms, figures: Figures) -> Payload:
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_order_id,
        "price": figures.price(order.price),
        "avgPrice": figures.price(average_price(order.executed, order.quote_executed)),
        "origQty": figures.quantity(order.quantity),
        "executedQty": figures.quantity(order.executed),
        "cumQuote": figures.amount(order.quote_executed),
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": figures.price(0),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.order_type,
        "priceMatch": terms.price_match,
        "selfTradePreventionMode": order.prevention,
        "goodTillDate": terms.good_till_ms,
        "updateTime": Instant(order.updated_ns),
    }


def average_price(executed: int, amount: int) -> int:
    return amount * SCALE // executed if executed else 0


def user_trade(fill: Fill, figures: Figures) -> Payload:
    trade = fill.trade
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "side": Side.BUY if trade.is_buyer else Side.SELL,
        "price": figures.price(trade.price),
        "qty": figures.quantity(trade.quantity),
        "realizedPnl": decimal_text(fill.realized),
        "quoteQty": figures.amount(quote_amount(trade.price, trade.quantity)),
        "commission": decimal_text(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": Instant(trade.time_ns),
        "positionSide": fill.position_side,
        "maker": trade.is_maker,
        "buyer": trade.is_buyer,
    }


# ---- user data stream


def order_trade_update(
    execution: Execution, terms: Terms, figures: Figures, realized: int, notionals: tuple[int, int], now_ns: int
) -> Payload:
    """`notionals`: of the account's open bids and offers in this symbol."""
    order = execution.order
    told: Payload = {
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side,
        "o": order.order_type,
        "f": order.time_in_force,
        "q": figures.quantity(execution.quantity),
        "p": figures.price(order.price),
        "ap": figures.price(average_price(execution.executed, execution.quote_executed)),
        "sp": figures.price(0),
        "x": _execution_type(execution, terms),
        "X": execution.status,
        "i": order.order_id,
        "l": figures.quantity(execution.last_quantity),
        "z": figures.quantity(execution.executed),
        "L": figures.price(execution.last_price),
    }
    if execution.fee_asset is not None:
        told |= {"n": decimal_text(execution.fee), "N": execution.fee_asset}
    told |= {
        "T": Instant(execution.time_ns),
        "t": max(0, execution.trade_id),
        "b": figures.amount(notionals[0]),
        "a": figures.amount(notionals[1]),
        "m": execution.is_maker,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.order_type,
        "ps": order.position_side,
        "cp": False,
        "rp": decimal_text(realized),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.prevention,
        "pm": terms.price_match,
        "gtd": terms.good_till_ms,
        "er": _expiry_reason(execution, terms),
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": Instant(execution.time_ns), "E": Instant(now_ns), "o": told}


def _execution_type(execution: Execution, terms: Terms) -> str:
    if terms.liquidates and execution.kind is ExecutionKind.TRADE:
        return "CALCULATED"
    return EXECUTION_TYPES.get(execution.kind, execution.kind.value)


def _expiry_reason(execution: Execution, terms: Terms) -> str:
    """0: none; 1, 3: self-trade prevention; 4: reduce-only, and nothing left to reduce; 5: liquidated; see EXPIRY_REASONS."""
    order = execution.order
    if execution.kind is ExecutionKind.TRADE_PREVENTION:
        return "3" if order.time_in_force is TimeInForce.IOC else "1"
    if execution.expiry_reason is ExpiryReason.EXCHANGE_CANCELED:
        return "5" if terms.liquidates else "4" if order.reduce_only else "0"
    return EXPIRY_REASONS.get(execution.expiry_reason, "0")


def trade_lite(execution: Execution, figures: Figures, now_ns: int) -> Payload:
    order = execution.order
    return {
        "e": "TRADE_LITE",
        "E": Instant(now_ns),
        "T": Instant(execution.time_ns),
        "s": order.symbol,
        "q": figures.quantity(order.quantity),
        "p": figures.price(0 if order.order_type is OrderType.MARKET else order.price),
        "m": execution.is_maker,
        "c": order.client_order_id,
        "S": order.side,
        "L": figures.price(execution.last_price),
        "l": figures.quantity(execution.last_quantity),
        "t": execution.trade_id,
        "i": order.order_id,
    }


def force_order(order: Order, now_ns: int, figures: Figures) -> Payload:
    """`@forceOrder`: a liquidation, as the market hears of it."""
    return {
        "e": "forceOrder",
        "E": Instant(now_ns),
        "o": {
            "s": order.symbol,
            "S": order.side,
            "o": order.order_type,
            "f": "IOC",
            "q": figures.quantity(order.quantity),
            "p": figures.price(order.price),
            "ap": figures.price(average_price(order.executed, order.quote_executed)),
            "X": order.status,
            "l": figures.quantity(order.executed),
            "z": figures.quantity(order.executed),
            "T": Instant(order.updated_ns),
        },
    }
