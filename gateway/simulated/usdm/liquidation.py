"""Liquidation of an account whose margin balance fell to its maintenance margin. Pure but for the engine it orders from.

At once and whole: all its orders expire, each position is closed by market orders of the venue's own, as far as the
book goes; what is left is tried again at the next mark price. A wallet that is then below zero INSURANCE fills up. The
venue's steps in between (partial liquidation, fees of liquidation, adl) are not simulated.
"""

from ..core.errors import VenueError
from ..core.matching import MatchingEngine
from ..core.orders import AccountId, NewOrder, Order, OrderType, PositionSide, Side, Status
from .margin import Margin

CLIENT_ID = "autoclose-"  # docs, "Event: Order Update": what a liquidation order's client id begins with


def liquidate(
    engine: MatchingEngine, margin: Margin, account: AccountId, now_ns: int
) -> tuple[list[Order], list[Order]]:
    """Return the orders that were taken off, and those that closed what could be closed."""
    taken_off = engine.registry.open_orders(account)
    for order in taken_off:
        engine.expire(order, Status.EXPIRED, now_ns)
    closing = [
        order
        for symbol, side in list(margin.accounts[account].positions)
        for order in _close(engine, margin, account, symbol, side, now_ns)
    ]
    return taken_off, closing


def _close(
    engine: MatchingEngine, margin: Margin, account: AccountId, symbol: str, side: PositionSide, now_ns: int
) -> list[Order]:
    rules, position = engine.instrument(symbol).rules, margin.position(account, symbol, side)
    placed: list[Order] = []
    while position.quantity:
        before = position.quantity
        request = NewOrder(
            account=account,
            symbol=symbol,
            client_order_id=f"{CLIENT_ID}{now_ns // 1_000_000}",
            side=Side.SELL if before > 0 else Side.BUY,
            order_type=OrderType.MARKET,
            quantity=min(abs(before), rules.market_quantity_max),
            reduce_only=True,
            position_side=side,
        )
        try:
            placed.append(engine.place(request, now_ns))
        except VenueError:
            return placed  # a symbol that does not trade now: at the next mark price
        if position.quantity == before:
            return placed
    return placed
