"""Messages for risk's tests: one instrument, tick 1 and lot 1 unless said otherwise, so that figures read plainly."""

from typing import Any

from actors.risk import AccountLimits, Risk, RiskLimits
from bus.messages import (
    BandHeld,
    EngineStarted,
    Fill,
    Instrument,
    Message,
    OrderCommand,
    OrdersReady,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Side,
    Touch,
)

NOW = 1_000_000_000_000
ALL = 1 << 62
"""A band that covers every price: no other instance is there."""
BID, ASK = 9_990, 10_010


def build(kind: type[Any], fields: dict[str, Any], given: dict[str, Any]) -> Any:
    return kind(**{**fields, **given})


def instrument(**given: Any) -> Instrument:
    fields = {
        "instrument": 0,
        "version": 1,
        "account": 0,
        "venue": 0,
        "venue_symbol": "AAABBB",
        "base_asset": "AAA",
        "quote_asset": "BBB",
        "price_scale": 2,
        "quantity_scale": 0,
        "base_scale": 0,
        "quote_scale": 2,
        "tick": 1,
        "lot": 1,
        "min_price_ticks": 1,
        "max_price_ticks": 1_000_000,
        "min_lots": 1,
        "max_lots": 1_000,
        "min_notional": 0,
        "max_notional": 0,
        "max_orders": 0,
    }
    return build(Instrument, fields, given)


def touch(**given: Any) -> Touch:
    fields = {
        "instrument": 0,
        "version": 1,
        "update_id": 7,
        "received_ns": NOW,
        "bid": BID,
        "bid_quantity": 50,
        "ask": ASK,
        "ask_quantity": 50,
    }
    return build(Touch, fields, given)


def command(**given: Any) -> OrderCommand:
    fields = {
        "account": 0,
        "venue": 0,
        "instrument": 0,
        "version": 1,
        "owner": "maker",
        "reduce_only": False,
        "update_id": 7,
        "received_ns": NOW,
        "expires_ns": NOW + 1_000_000_000,
        "command": 0,
        "side": Side.BUY,
        "price_ticks": BID,
        "quantity_lots": 10,
        "post_only": True,
    }
    return build(OrderCommand, fields, given)


def update(**given: Any) -> OrderUpdate:
    fields = {
        "number": 0,
        "account": 0,
        "venue": 0,
        "instrument": 0,
        "version": 1,
        "owner": "maker",
        "client_order_id": "x0",
        "venue_order_id": 1,
        "command": 0,
        "side": Side.BUY,
        "price_ticks": BID,
        "quantity_lots": 10,
        "cumulative_lots": 0,
        "leaves_lots": 10,
        "status": OrderStatus.ACCEPTED,
        "reduce_only": False,
        "refusal": Refusal.NONE,
        "updated_ns": NOW,
    }
    return build(OrderUpdate, fields, given)


def fill(**given: Any) -> Fill:
    fields = {
        "number": 0,
        "account": 0,
        "venue": 0,
        "instrument": 0,
        "version": 1,
        "owner": "maker",
        "client_order_id": "x0",
        "venue_order_id": 1,
        "trade_id": 1,
        "side": Side.BUY,
        "price": BID,
        "quantity": 10,
        "quantity_lots": 10,
        "quote": 0,
        "fee": 0,
        "fee_asset": "BBB",
        "is_maker": True,
        "late": False,
        "venue_ns": NOW,
    }
    return build(Fill, fields, given)


def position(lots: int = 0, **given: Any) -> PositionUpdate:
    fields = {
        "number": 0,
        "account": 0,
        "venue": 0,
        "instrument": 0,
        "version": 1,
        "position": lots,
        "position_lots": lots,
        "cost": 0,
        "realized": 0,
        "average_price": 0.0,
    }
    return build(PositionUpdate, fields, given)


def limits(**given: Any) -> RiskLimits:
    fields = {"order_lots_max": 100, "position_lots_max": 50, "position_lots_min": -50, "collar_bps": 500}
    return build(RiskLimits, fields, given)


def risk(bounds: RiskLimits | None = None, account: AccountLimits | None = None, *, ready: bool = True) -> Risk:
    """A risk actor that has heard of the instrument, a touch and, if ready, of OrdersReady."""
    actor = Risk({0: bounds or limits()}, account or AccountLimits())
    start: list[Message] = [instrument(), EngineStarted(0, 1), touch()]
    for message in start:
        actor.receive(message, NOW)
    if ready:
        actor.receive(OrdersReady(0, 1, 0, 0, 0), NOW)
        actor.receive(BandHeld(0, ALL, 1), NOW)
    return actor
