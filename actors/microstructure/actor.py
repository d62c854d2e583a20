"""Microstructure: views and trades in, Signals out. Pure. HOT PATH: `book_view`."""

from typing import Any

import msgspec

from actors.microstructure.flow import OrderFlow, TradeFlow
from actors.microstructure.settings import MicrostructureSettings
from actors.microstructure.shape import depth_imbalance, imbalance, rank_weights, weighted_mid
from actors.microstructure.window import MomentWindow, Window
from bus.actor import NOTHING, Actor
from bus.messages import BookState, BookStateChanged, BookView, Instrument, Message, Signals, TradePrint


class Metrics(msgspec.Struct):
    """The windows of one instrument. Own checkpoint. resets: how often they were forgotten."""

    number: int
    flow: OrderFlow
    spread: MomentWindow
    trades: TradeFlow
    resets: int = 0

    def clear(self) -> None:
        """What the window would span is not one stretch of market any more (lesson 18)."""
        self.flow.clear()
        self.spread.clear()
        self.trades.clear()
        self.resets += 1

    @property
    def warm(self) -> bool:
        return self.flow.window.full and self.spread.full


class MicrostructureState(msgspec.Struct):
    """In the order in which the instruments came."""

    metrics: list[Metrics]


class Microstructure(Actor[MicrostructureState]):
    """The metrics of all instruments, by number."""

    name = "microstructure"
    State = MicrostructureState

    def __init__(self, settings: MicrostructureSettings | None = None) -> None:
        self.settings = settings or MicrostructureSettings()
        self.weights = rank_weights(self.settings.depth_decay)
        self.metrics: dict[int, Metrics] = {}
        self.handlers = {
            BookView: self.book_view,
            TradePrint: self.trade_print,
            BookStateChanged: self.book_state_changed,
            Instrument: self.instrument,
        }

    def book_view(self, message: BookView, _now_ns: int) -> tuple[Message, ...]:
        metrics = self.metrics[message.instrument]
        bid_prices, ask_prices = message.bid_prices, message.ask_prices
        if not bid_prices or not ask_prices:
            return self._one_sided(metrics, message)
        bid_quantities, ask_quantities = message.bid_quantities, message.ask_quantities
        bid, ask, bid_quantity, ask_quantity = bid_prices[0], ask_prices[0], bid_quantities[0], ask_quantities[0]
        flow, spread = metrics.flow, metrics.spread
        flow.update(bid, bid_quantity, ask, ask_quantity)
        spread.push(ask - bid)
        spread_mean, spread_deviation = spread.moments()
        flows = flow.window
        return (
            Signals(
                message.instrument,
                message.version,
                message.update_id,
                message.received_ns,
                bid,
                bid_quantity,
                ask,
                ask_quantity,
                imbalance(bid_quantity, ask_quantity),
                depth_imbalance(self.weights, bid_quantities, ask_quantities),
                weighted_mid(bid, bid_quantity, ask, ask_quantity),
                float(flows.total),
                spread_mean,
                spread_deviation,
                flows.full and spread.full,
            ),
        )

    def _one_sided(self, metrics: Metrics, message: BookView) -> tuple[Message, ...]:
        """No mid, no spread: the windows start over, and strategies are told at once (0 and 0, never warm)."""
        metrics.clear()
        bids, asks = message.bid_prices, message.ask_prices
        return (
            Signals(
                message.instrument,
                message.version,
                message.update_id,
                message.received_ns,
                bids[0] if bids else 0,
                message.bid_quantities[0] if bids else 0,
                asks[0] if asks else 0,
                message.ask_quantities[0] if asks else 0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                0.0,
                False,
            ),
        )

    def trade_print(self, message: TradePrint, _now_ns: int) -> tuple[Message, ...]:
        self.metrics[message.instrument].trades.update(message.aggressor, message.quantity)
        return NOTHING

    def book_state_changed(self, message: BookStateChanged, _now_ns: int) -> tuple[Message, ...]:
        if message.state != BookState.LIVE:
            self.metrics[message.instrument].clear()
        return NOTHING

    def instrument(self, message: Instrument, _now_ns: int) -> tuple[Message, ...]:
        if message.instrument not in self.metrics:
            settings = self.settings
            self.metrics[message.instrument] = Metrics(
                message.instrument,
                OrderFlow(Window(settings.flow_window)),
                MomentWindow(settings.spread_window),
                TradeFlow(Window(settings.trade_window), Window(settings.trade_window)),
            )
        return NOTHING

    def checkpoint(self) -> MicrostructureState:
        return MicrostructureState(list(self.metrics.values()))

    def restore(self, state: MicrostructureState) -> None:
        """With the settings it was taken under; windows of another size are the checkpoint's."""
        self.metrics = {metrics.number: metrics for metrics in state.metrics}

    def view(self) -> dict[str, Any]:
        instruments = {
            metrics.number: {
                "warm": metrics.warm,
                "updates": len(metrics.flow.window.values),
                "order_flow_imbalance": metrics.flow.window.total,
                "spread_mean": metrics.spread.mean(),
                "trade_flow_imbalance": metrics.trades.imbalance(),
                "resets": metrics.resets,
            }
            for metrics in self.metrics.values()
        }
        return {"instruments": instruments}
