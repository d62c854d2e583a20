"""Messages for the strategy's tests: tick 10 and lot 1, touch 9,990 to 10,010 in price units."""

from typing import Any

from actors.strategy import Context, Strategy, StrategyActor, StrategySettings
from bus.messages import (
    EngineStarted,
    Fill,
    Instrument,
    Liquidity,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Side,
    Signals,
    TradingState,
    TradingStateChanged,
)

NOW = 1_000_000_000_000
SECOND = 1_000_000_000
LIFE = 4 * SECOND


def build(kind: type[Any], fields: dict[str, Any], given: dict[str, Any]) -> Any:
    return kind(**{**fields, **given})


def instrument(**given: Any) -> Instrument:
    fields = {
        "instrument": 0,
        "version": 1,
        "account": 0,
        "venue": 5,
        "venue_symbol": "AAABBB",
        "base_asset": "AAA",
        "quote_asset": "BBB",
        "price_scale": 2,
        "quantity_scale": 0,
        "base_scale": 0,
        "quote_scale": 2,
        "tick": 10,
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


def signals(bid: int = 9_990, ask: int = 10_010, **given: Any) -> Signals:
    fields = {
        "instrument": 0,
        "version": 1,
        "update_id": 7,
        "received_ns": NOW - 50,
        "bid": bid,
        "bid_quantity": 50,
        "ask": ask,
        "ask_quantity": 50,
        "imbalance": 0.0,
        "depth_imbalance": 0.0,
        "weighted_mid": 10_000.0,
        "order_flow_imbalance": 0.0,
        "spread_mean": 20.0,
        "spread_deviation": 0.0,
        "warm": True,
    }
    return build(Signals, fields, given)


def liquidity(**given: Any) -> Liquidity:
    """A bid side on thin ice, nothing else to say."""
    nothing: tuple[int, ...] = ()
    fields = {
        "instrument": 0, "version": 1, "update_id": 7, "received_ns": NOW, "bid_thin": True, "ask_thin": False, "bid_depth": 5, "ask_depth": 9,
        "bid_clusters": nothing, "bid_cluster_quantities": nothing, "bid_clusters_since_ns": nothing, "ask_clusters": nothing,
        "ask_cluster_quantities": nothing, "ask_clusters_since_ns": nothing, "bid_flickering": nothing, "ask_flickering": nothing,
    }  # fmt: skip
    return build(Liquidity, fields, given)


def update(**given: Any) -> OrderUpdate:
    fields = {
        "number": 0,
        "account": 0,
        "venue": 5,
        "instrument": 0,
        "version": 1,
        "owner": "me",
        "client_order_id": "x0",
        "venue_order_id": 1,
        "command": 0,
        "side": Side.BUY,
        "price_ticks": 999,
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
        "venue": 5,
        "instrument": 0,
        "version": 1,
        "owner": "me",
        "client_order_id": "x0",
        "venue_order_id": 1,
        "trade_id": 1,
        "side": Side.BUY,
        "price": 9_990,
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


def position(lots: int, **given: Any) -> PositionUpdate:
    return build(
        PositionUpdate,
        {
            "number": 0,
            "account": 0,
            "venue": 5,
            "instrument": 0,
            "version": 1,
            "position": 3 * lots,
            "position_lots": lots,
            "cost": 0,
            "realized": 0,
            "average_price": 0.0,
        },
        given,
    )


def state(to: TradingState, scope: str = "engine") -> TradingStateChanged:
    return TradingStateChanged(scope, to, "test")


def settings(**given: Any) -> StrategySettings:
    return build(StrategySettings, {"owner": "me", "account": 0, "instruments": (0,), "intent_life_ns": LIFE}, given)


def running(strategy: Strategy, **given: Any) -> StrategyActor:
    """Started, ACTIVE, with one round of signals behind it."""
    actor = StrategyActor(strategy, settings(**given))
    for message in (instrument(), EngineStarted(0, 1), state(TradingState.ACTIVE)):
        actor.receive(message, NOW)
    return actor


class Scripted(Strategy):
    """Writes down every hook it is called by; quotes `wish` at every signal."""

    def __init__(self, wish: tuple[int, int, int, int] = (999, 10, 1_001, 10)) -> None:
        self.wish = wish
        self.calls: list[str] = []
        self.quoted: list[bool] = []

    def on_start(self, context: Context) -> None:
        self.calls.append("start")

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.calls.append("signals")
        self.quoted.append(context.quote(signals.instrument, *self.wish))

    def on_liquidity(self, context: Context, liquidity: object) -> None:
        self.calls.append("liquidity")

    def on_trade(self, context: Context, print_: object) -> None:
        self.calls.append("trade")

    def on_book_lost(self, context: Context, change: object) -> None:
        self.calls.append("book_lost")

    def on_fill(self, context: Context, fill: object) -> None:
        self.calls.append("fill")

    def on_order(self, context: Context, update: object) -> None:
        self.calls.append("order")

    def on_position(self, context: Context, position: object) -> None:
        self.calls.append("position")

    def on_refused(self, context: Context, refused: object) -> None:
        self.calls.append("refused")

    def on_timer(self, context: Context, key: str) -> None:
        self.calls.append(f"timer {key}")

    def on_stop(self, context: Context) -> None:
        self.calls.append("stop")

    def save(self) -> bytes:
        return repr((self.wish, self.calls, self.quoted)).encode()

    def load(self, saved: bytes) -> None:
        from ast import literal_eval

        self.wish, self.calls, self.quoted = literal_eval(saved.decode())
