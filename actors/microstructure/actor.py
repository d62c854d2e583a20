"""Microstructure: views and trades in, Signals and Liquidity out. Pure. HOT PATH: `book_view`.

Signals are made in the view's cascade, which may end in an order. The shape of the book is not: views are kept, and read on a
timer, between inputs. In the view's cascade it cost a tick to order 28 us of 125 (`ops.bench.tick`, 10 Hz feed), now 4.
"""

from typing import Any

import msgspec

from actors.microstructure.liquidity import SideLiquidity
from actors.microstructure.metrics import COLD, PRINTS_SHOWN, Metrics
from actors.microstructure.settings import MS, MicrostructureSettings
from actors.microstructure.shape import depth_imbalance, imbalance, rank_weights, weighted_mid
from bus.actor import NOTHING, Actor
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    BookView,
    Instrument,
    Message,
    SetTimer,
    Signals,
    Stream,
    StreamChanged,
    TimerFired,
    TradePrint,
    TradesMissed,
)

UNBROKEN = (BookReason.RESUMED, BookReason.REORDERED, BookReason.ROLLED)
"""LIVE again for one of these, no update is missing: what was silent told it late, or another connection did. The windows
are of one stretch of market still."""
OPEN_END = (*UNBROKEN, BookReason.SEQUENCE_GAP, BookReason.GARBAGE, BookReason.SILENT, BookReason.CONTRADICTED)
"""Not LIVE for one of these, it may come back so. For any other reason it cannot."""


class MicrostructureState(msgspec.Struct):
    """In the order in which the instruments came. generation: of the timer."""

    metrics: list[Metrics]
    generation: int


class Microstructure(Actor[MicrostructureState]):
    """The metrics of all instruments, by number."""

    name = "microstructure"
    State = MicrostructureState
    state_version = 2

    def __init__(self, settings: MicrostructureSettings | None = None) -> None:
        self.settings = settings or MicrostructureSettings()
        self.weights = rank_weights(self.settings.depth_decay)
        self.pressure_span_ns = self.settings.pressure_window_ms * MS
        self.look_interval_ns = self.settings.flicker_interval_ms * MS
        self.metrics: dict[int, Metrics] = {}
        self.generation = 0
        self.handlers = {
            BookView: self.book_view,
            TradePrint: self.trade_print,
            TradesMissed: self.trades_missed,
            StreamChanged: self.stream_changed,
            BookStateChanged: self.book_state_changed,
            TimerFired: self.timer_fired,
            Instrument: self.instrument,
        }

    def book_view(self, message: BookView, _now_ns: int) -> tuple[Message, ...]:
        metrics = self.metrics[message.instrument]
        if metrics.lost:
            return NOTHING  # taken away behind this update, in the same cascade
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
        if metrics.warm_ns == COLD:
            metrics.warm_ns = received_ns + self.pressure_span_ns
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
        if received_ns >= metrics.look_ns:
            metrics.keep(message, self.look_interval_ns)
        return (signals,)

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

    def book_state_changed(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """The timer begins with a LIVE book; a running one is replaced, so that a lost one is none after a restart."""
        metrics = self.metrics[message.instrument]
        was_live, metrics.live = metrics.live, message.state == BookState.LIVE
        metrics.lost = not metrics.live
        if metrics.live:
            if (was_live or metrics.paused) and message.reason not in UNBROKEN:
                metrics.clear()  # a new book stands where the old one was
            metrics.paused = False
            return self._next_reading(now_ns)
        if message.reason in OPEN_END:
            metrics.pause()
        else:
            metrics.clear()
        return NOTHING

    def trades_missed(self, message: TradesMissed, _now_ns: int) -> tuple[Message, ...]:
        self.metrics[message.instrument].trades_missed(message.received_ns)
        return NOTHING

    def stream_changed(self, message: StreamChanged, now_ns: int) -> tuple[Message, ...]:
        """Of depth the book's own state says more, and nothing here is made of quotes and marks."""
        if message.stream == Stream.TRADE:
            self.metrics[message.instrument].hear(message.live, now_ns)
        return NOTHING

    def timer_fired(self, message: TimerFired, now_ns: int) -> tuple[Message, ...]:
        """Read all books; again after the interval, while any is LIVE."""
        if message.generation != self.generation:
            return NOTHING
        told: list[Message] = []
        live = False
        for metrics in self.metrics.values():
            told += metrics.read(self.settings)
            live = live or metrics.live
        return (*told, *self._next_reading(now_ns)) if live else tuple(told)

    def _next_reading(self, now_ns: int) -> tuple[Message, ...]:
        self.generation += 1
        return (SetTimer(self.name, 0, self.generation, now_ns + self.settings.liquidity_interval_ms * MS),)

    def instrument(self, message: Instrument, _now_ns: int) -> tuple[Message, ...]:
        """A new version in the same scales keeps the windows: they are in the book's units, not in ticks and lots."""
        metrics = self.metrics.get(message.instrument)
        if metrics is None:
            self.metrics[message.instrument] = Metrics.of(message, self.settings)
        else:
            metrics.renew(message)
        return NOTHING

    def checkpoint(self) -> MicrostructureState:
        return MicrostructureState(list(self.metrics.values()), self.generation)

    def restore(self, state: MicrostructureState) -> None:
        """With the settings it was taken under; windows of another size are the checkpoint's."""
        self.metrics = {metrics.number: metrics for metrics in state.metrics}
        self.generation = state.generation

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
