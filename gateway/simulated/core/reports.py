"""What the engine says of an order: one Execution a fact. Pure."""

from .orders import (
    AccountTrade,
    Execution,
    ExecutionKind,
    ExpiryReason,
    Order,
    PreventedMatch,
    Side,
)


def fact(
    execution_id: int,
    order: Order,
    kind: ExecutionKind,
    now_ns: int,
    *,
    client_order_id: str = "",
    original_client_order_id: str = "",
    prevented: PreventedMatch | None = None,
    reject_reason: str = "NONE",
    expiry_reason: ExpiryReason = ExpiryReason.NONE,
) -> Execution:
    """Anything but a fill. `client_order_id`: the request's own, where it is not the order's.

    Even a MARKET order is "on the book" when it is accepted (market_orders_faq.md, "Sample User Data Stream Payload").
    """
    return Execution(
        execution_id=execution_id,
        order=order,
        kind=kind,
        status=order.status,
        executed=order.executed,
        quote_executed=order.quote_executed,
        time_ns=now_ns,
        client_order_id=client_order_id or order.client_order_id,
        original_client_order_id=original_client_order_id,
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
    return Execution(
        execution_id=execution_id,
        order=order,
        kind=ExecutionKind.TRADE,
        status=order.status,
        executed=order.executed,
        quote_executed=order.quote_executed,
        time_ns=now_ns,
        client_order_id=order.client_order_id,
        last_price=price,
        last_quantity=quantity,
        fee=fee[0],
        fee_asset=fee[1],
        trade_id=trade_id,
        is_maker=is_maker,
        is_on_book=is_maker and order.is_open,
        prevented_total=order.prevented,
        quantity=order.quantity,
        working_ns=order.working_ns,
    )


def account_trade(execution: Execution) -> AccountTrade:
    """Return the line of a fill in its account's history."""
    order = execution.order
    return AccountTrade(
        trade_id=execution.trade_id,
        symbol=order.symbol,
        order_id=order.order_id,
        price=execution.last_price,
        quantity=execution.last_quantity,
        fee=execution.fee,
        fee_asset=execution.fee_asset or "",
        is_buyer=order.side is Side.BUY,
        is_maker=execution.is_maker,
        time_ns=execution.time_ns,
    )
