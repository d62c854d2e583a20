"""An order and an execution as the answer to a question tells them: what Spot's and the futures' have in common. Pure.

The venue's documents name these fields alike for both ("Query order", "Account trade list"); the rest is each folder's.
"""

import msgspec

from bus.messages import ExecutionReport, ReportKind, ReportSource, Side, VenueState
from gateway.binance_spot.answers import Asked
from gateway.binance_spot.decimals import MS_NS, Id, Millis
from gateway.binance_spot.events import SIDES, quantity_scale, read, read_signed


class Order(msgspec.Struct):
    symbol: str
    orderId: Id
    clientOrderId: str
    price: str
    origQty: str
    executedQty: str
    status: str
    side: str


class Trade(msgspec.Struct):
    symbol: str
    id: Id
    orderId: Id
    price: str
    qty: str
    commission: str
    commissionAsset: str
    time: Millis


def side_of(text: str) -> Side:
    if text not in SIDES:
        raise ValueError(f"side: unknown {text[:32]!r}")
    return SIDES[text]


def order_report(
    order: Order, asked: Asked, state: VenueState, *, cumulative_quote: int, venue_ms: int, execution_id: int = 0
) -> ExecutionReport:
    """Return the order as the venue sees it now. By client id: that id, whatever a cancel left in the record."""
    side = side_of(order.side)
    scale = quantity_scale(asked.by_symbol.get(order.symbol))
    return ExecutionReport(
        account=asked.account,
        venue=asked.venue,
        instrument=asked.number(order.symbol),
        source=ReportSource.QUERY,
        kind=ReportKind.OTHER if state is VenueState.NONE else ReportKind.SNAPSHOT,
        state=state,
        status=order.status,
        client_order_id=asked.client_order_id or order.clientOrderId,
        venue_order_id=order.orderId,
        side=side,
        price=read("price", order.price),
        quantity=read("origQty", order.origQty, scale),
        cumulative=read("executedQty", order.executedQty, scale),
        cumulative_quote=cumulative_quote,
        trade_id=-1,
        last_quantity=0,
        last_price=0,
        last_quote=0,
        fee=0,
        fee_asset="",
        is_maker=False,
        execution_id=execution_id,
        venue_ns=venue_ms * MS_NS,
        received_ns=asked.received_ns,
        reason="",
        venue_symbol=order.symbol,
    )


def trade_report(
    trade: Trade, asked: Asked, side: Side, *, last_quote: int, is_maker: bool, realized: int = 0
) -> ExecutionReport:
    """Return one execution. It names no client order id: whoever reads it goes by venue_order_id. Order fields are 0."""
    return ExecutionReport(
        account=asked.account,
        venue=asked.venue,
        instrument=asked.number(trade.symbol),
        source=ReportSource.QUERY,
        kind=ReportKind.TRADE,
        state=VenueState.NONE,
        status="",
        client_order_id="",
        venue_order_id=trade.orderId,
        side=side,
        price=0,
        quantity=0,
        cumulative=0,
        cumulative_quote=0,
        trade_id=trade.id,
        last_quantity=read("qty", trade.qty, quantity_scale(asked.by_symbol.get(trade.symbol))),
        last_price=read("price", trade.price),
        last_quote=last_quote,
        fee=read_signed("commission", trade.commission),
        fee_asset=trade.commissionAsset,
        is_maker=is_maker,
        execution_id=0,
        venue_ns=trade.time * MS_NS,
        received_ns=asked.received_ns,
        reason="",
        venue_symbol=trade.symbol,
        realized=realized,
    )
