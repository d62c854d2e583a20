"""What the engine says of an order: one Execution a fact. Pure.

Structs that are made by the thousand get their first fields by position: by name it takes four times as long (2.4 us against 0.5
for an Order, measured).
"""

from .orders import AccountTrade, Execution, ExecutionKind, ExpiryReason, Order, PreventedMatch, Side

TRADE = ExecutionKind.TRADE
BUY = Side.BUY
UNEXPIRED = ExpiryReason.NONE


def fact(
    execution_id: int,
    order: Order,
    kind: ExecutionKind,
    now_ns: int,
    client_order_id: str,
    original_client_order_id: str = "",
    prevented: PreventedMatch | None = None,
    reject_reason: str = "NONE",
    expiry_reason: ExpiryReason = UNEXPIRED,
) -> Execution:
    """Anything but a fill. `client_order_id`: of the order, or of the request about it.

    Even a MARKET order is "on the book" when it is accepted (market_orders_faq.md, "Sample User Data Stream Payload").
    """
    return Execution(
        execution_id,
        order,
        kind,
        order.status,
        order.executed,
        order.quote_executed,
        now_ns,
        client_order_id,
        original_client_order_id,
        is_on_book=order.working_ns > 0 and order.is_open,
        prevented=prevented,
        prevented_total=order.prevented,
        quantity=order.quantity,
        working_ns=order.working_ns,
        reject_reason=reject_reason,
        expiry_reason=expiry_reason,
    )


def fill(
    execution_id: int,
    order: Order,
    price: int,
    quantity: int,
    fee: tuple[int, str],
    trade_id: int,
    now_ns: int,
    *,
    is_maker: bool,
) -> Execution:
    amount, asset = fee
    return Execution(
        execution_id,
        order,
        TRADE,
        order.status,
        order.executed,
        order.quote_executed,
        now_ns,
        order.client_order_id,
        "",
        price,
        quantity,
        amount,
        asset,
        trade_id,
        is_maker,
        is_on_book=is_maker and order.is_open,
        prevented_total=order.prevented,
        quantity=order.quantity,
        working_ns=order.working_ns,
    )


def account_trade(fill: Execution) -> AccountTrade:
    """Return the line of a fill in its account's history."""
    order = fill.order
    return AccountTrade(
        fill.trade_id,
        order.symbol,
        order.order_id,
        fill.last_price,
        fill.last_quantity,
        fill.fee,
        fill.fee_asset or "",
        order.side is BUY,
        fill.is_maker,
        fill.time_ns,
    )
