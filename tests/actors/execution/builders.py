"""Messages for execution's tests: tick 1 and lot 1, touch 9,990 to 10,010, one owner that wishes the touch."""

from typing import Any

from actors.execution import Execution, ExecutionSettings
from bus.messages import (
    CancelCommand,
    EngineStarted,
    Instrument,
    Message,
    OrderCommand,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    Refusal,
    Side,
    Touch,
    TradingState,
    TradingStateChanged,
)

NOW = 1_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS
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
        "max_price_ticks": 0,
        "min_lots": 1,
        "max_lots": 0,
        "min_notional": 0,
        "max_notional": 0,
        "max_orders": 0,
    }
    return build(Instrument, fields, given)


def touch(bid: int = BID, ask: int = ASK, **given: Any) -> Touch:
    fields = {
        "instrument": 0,
        "version": 1,
        "update_id": 7,
        "received_ns": NOW,
        "bid": bid,
        "bid_quantity": 50,
        "ask": ask,
        "ask_quantity": 50,
    }
    return build(Touch, fields, given)


def intent(bid: int = BID, bid_lots: int = 10, ask: int = ASK, ask_lots: int = 0, **given: Any) -> QuoteIntent:
    fields = {
        "account": 0,
        "venue": 0,
        "instrument": 0,
        "version": 1,
        "owner": "maker",
        "reduce_only": False,
        "update_id": 7,
        "received_ns": NOW,
        "expires_ns": NOW + 3600 * SECOND,
        "bid_ticks": bid,
        "bid_lots": bid_lots,
        "ask_ticks": ask,
        "ask_lots": ask_lots,
    }
    return build(QuoteIntent, fields, given)


def state(to: TradingState, scope: str = "engine") -> TradingStateChanged:
    return TradingStateChanged(scope, to, "test")


def position(lots: int) -> PositionUpdate:
    return PositionUpdate(0, 0, 0, 0, 1, lots, lots, 0, 0, 0.0)


class Desk:
    """Execution, and orders as it would answer: every command gets an id `x<command>` in the same cascade."""

    def __init__(self, *, active: bool = True, **given: Any) -> None:
        self.settings = ExecutionSettings(**given)
        self.execution = Execution(self.settings)
        self.now = NOW
        self.number = 0
        self.commands: dict[str, OrderCommand] = {}
        for message in (instrument(), EngineStarted(0, 1)):
            self.tell(message)
        if active:
            self.tell(state(TradingState.ACTIVE))
            self.tell(touch())

    def tell(self, message: Message, after_ns: int = 0) -> list[Message]:
        """Hand it in. Returns the order and cancel commands, whose first OrderUpdate has been folded already."""
        self.now += after_ns
        out = [m for m in self.execution.receive(message, self.now) if isinstance(m, OrderCommand | CancelCommand)]
        more: list[Message] = []
        for command in out:
            if isinstance(command, OrderCommand):
                self.commands[f"x{command.command}"] = command
                more += self.update(f"x{command.command}", OrderStatus.PENDING_NEW)
        return out + more

    def update(self, order: str, status: OrderStatus, **given: Any) -> list[Message]:
        return self.tell(self.word(order, status, **given))

    def word(self, order: str, status: OrderStatus, **given: Any) -> OrderUpdate:
        """What orders says next about one of them."""
        command = self.commands[order]
        self.number += 1
        done = status >= OrderStatus.FILLED
        fields = {
            "number": self.number,
            "account": 0,
            "venue": 0,
            "instrument": 0,
            "version": 1,
            "owner": command.owner,
            "client_order_id": order,
            "venue_order_id": 1,
            "command": command.command,
            "side": command.side,
            "price_ticks": command.price_ticks,
            "quantity_lots": command.quantity_lots,
            "cumulative_lots": 0,
            "leaves_lots": 0 if done else command.quantity_lots,
            "status": status,
            "reduce_only": False,
            "refusal": Refusal.NONE,
            "updated_ns": self.now,
        }
        update: OrderUpdate = build(OrderUpdate, fields, given)
        return update

    def rest(self, *sides: Side) -> None:
        """Have 10 lots resting at the touch, accepted, and old enough to be moved."""
        sides = sides or (Side.BUY,)
        wish = intent(bid_lots=10 * (Side.BUY in sides), ask_lots=10 * (Side.SELL in sides))
        for command in self.tell(wish):
            assert isinstance(command, OrderCommand)
            self.update(f"x{command.command}", OrderStatus.ACCEPTED)
        self.now += SECOND


def brief(messages: list[Message]) -> list[tuple[Any, ...]]:
    """("new", side, ticks, lots) and ("cancel", id), in order."""
    return [
        ("new", m.side.name, m.price_ticks, m.quantity_lots)
        if isinstance(m, OrderCommand)
        else ("cancel", m.client_order_id)
        for m in messages
        if isinstance(m, OrderCommand | CancelCommand)
    ]
