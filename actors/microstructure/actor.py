"""Microstructure: views and trades in, Signals and Liquidity out. Pure. HOT PATH: `book_view`.

Signals go first: a shape that changes a few times a second may reach the strategy a view late, an order may not. Execution
still has the shape before the wish that those Signals lead to, because a cascade is breadth-first.
"""

from typing import Any

import msgspec

from actors.microstructure.flicker import FLICKER_LEVELS, UNTRADED
from actors.microstructure.liquidity import SideLiquidity
from actors.microstructure.metrics import COLD, PRINTS_SHOWN, Metrics
from actors.microstructure.settings import MS, MicrostructureSettings
from actors.microstructure.shape import depth_imbalance, imbalance, rank_weights, weighted_mid
from bus.actor import NOTHING, Actor
from bus.messages import BookState, BookStateChanged, BookView, Instrument, Message, Signals, TradePrint


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
        self.time_window_ns = MS * max(self.settings.pressure_window_ms, self.settings.flicker_window_ms)
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
        received_ns = message.received_ns
        flow, spread, pressure = metrics.flow, metrics.spread, metrics.pressure
        flow.update(bid, bid_quantity, ask, ask_quantity)
        spread.push(ask - bid)
        spread_mean, spread_deviation = spread.moments()
        flows = flow.window
        bids, asks = metrics.bids.flicker, metrics.asks.flicker
        best_bids, best_asks = bid_prices[:FLICKER_LEVELS], ask_prices[:FLICKER_LEVELS]
        if best_bids != bids.prices:
            bids.update(best_bids, received_ns)
        if best_asks != asks.prices:
            asks.update(best_asks, received_ns)
        bids.traded = asks.traded = UNTRADED
        if metrics.warm_ns == COLD:
            metrics.warm_ns = received_ns + self.time_window_ns
        warm = metrics.warm = flows.full and spread.full and received_ns >= metrics.warm_ns
        signals = Signals(
            message.instrument,
            message.version,
            message.update_id,
            received_ns,
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
            warm,
            pressure.at(received_ns),
            pressure.sweeps,
        )
        if received_ns < metrics.scan_ns:
            return (signals,)
        return (signals, *metrics.read_shape(message, self.settings))

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
        self.metrics[message.instrument].trade(message)
        return NOTHING

    def book_state_changed(self, message: BookStateChanged, _now_ns: int) -> tuple[Message, ...]:
        if message.state != BookState.LIVE:
            self.metrics[message.instrument].clear()
        return NOTHING

    def instrument(self, message: Instrument, _now_ns: int) -> tuple[Message, ...]:
        """A new version keeps the windows: if figures change their scale, the book leaves LIVE first."""
        metrics = self.metrics.get(message.instrument)
        if metrics is None:
            self.metrics[message.instrument] = Metrics.of(message, self.settings)
        else:
            metrics.tick = message.tick
        return NOTHING

    def checkpoint(self) -> MicrostructureState:
        return MicrostructureState(list(self.metrics.values()))

    def restore(self, state: MicrostructureState) -> None:
        """With the settings it was taken under; windows of another size are the checkpoint's."""
        self.metrics = {metrics.number: metrics for metrics in state.metrics}

    def view(self) -> dict[str, Any]:
        return {"instruments": {metrics.number: _summary(metrics) for metrics in self.metrics.values()}}


def _summary(metrics: Metrics) -> dict[str, Any]:
    """For people. trades: the last, oldest first, as (price, quantity, aggressor, venue_ns); in the book's units."""
    pressure = metrics.pressure
    return {
        "warm": metrics.warm,
        "updates": len(metrics.flow.window.values),
        "order_flow_imbalance": metrics.flow.window.total,
        "spread_mean": metrics.spread.mean(),
        "pressure": pressure.share(),
        "sweeps": pressure.sweeps,
        "bids": _side(metrics.bids),
        "asks": _side(metrics.asks),
        "trades": [
            (print_.price, print_.quantity, int(print_.aggressor), print_.venue_ns)
            for print_ in metrics.prints[-PRINTS_SHOWN:]
        ],
        "resets": metrics.resets,
    }


def _side(side: SideLiquidity) -> dict[str, Any]:
    return {
        "thin": side.thin,
        "depth": side.depth,
        "clusters": list(zip(side.clusters, side.quantities, side.since_ns, strict=True)),
        "flickering": side.flickering,
    }
