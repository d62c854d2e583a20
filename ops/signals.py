"""Every metric after every book update of a recording: rows of a CSV, from the engine's own actors.

market_data -> orderbook -> microstructure, driven as `capture verify` drives its two. A row is a state of a book that the
engine had: after the snapshot, and after each update since. Figures stand in it where the book was LIVE and both sides
had a price; elsewhere (diffs between a snapshot and the word LIVE, an update that the book refused) the fields are empty.
Figures are the venue's units, decimal. A capture names no tick: it is taken to be the greatest common divisor of the
prices in the book when it goes LIVE.
"""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec

from actors.microstructure import Microstructure
from actors.microstructure.metrics import Metrics
from actors.microstructure.shape import imbalance_of_best
from bus.messages import (
    BookState,
    BookStateChanged,
    BookView,
    DepthSnapshot,
    DepthUpdate,
    Instrument,
    Message,
    Signals,
    TimerFired,
    TradePrint,
)
from gateway.market import VenueMarket
from gateway.text import decimal_text
from ops.capture import Capture, Learnt, Verifier, VerifyResult, attempts, market_of

KEY = ("received_ns", "symbol", "update_id")
FIGURES = (
    "spread", "imbalance_1", "imbalance_5", "weighted_mid", "ofi", "imbalance_10", "depth_imbalance",
    "order_flow_imbalance", "spread_mean", "spread_deviation", "pressure", "sweeps", "warm",
    "bid", "bid_quantity", "ask", "ask_quantity", "bid_thin", "ask_thin", "bid_depth", "ask_depth",
    "bid_clusters", "ask_clusters", "bid_flickering", "ask_flickering",
)  # fmt: skip
"""ofi: e_n of the touch between two depth updates (Cont, Kukanov and Stoikov 2014), base asset; order_flow_imbalance: its sum
over the window. imbalance_k: (q_b - q_a) / (q_b + q_a) over the best k levels. warm, *_thin: 0 or 1. *_clusters, *_flickering:
prices, best first, blanks between. From bid_thin on: as last read, every 250 ms."""
NONE = ("",) * len(FIGURES)


class SignalsResult(msgspec.Struct):
    """rows: written. live: those with figures. books: what `capture verify` says of the same run."""

    books: VerifyResult
    rows: int
    live: int


def write_signals(path: Path, out: TextIO, progress: Callable[[int], None] | None = None) -> SignalsResult:
    """Run the whole capture; `out` gets the rows when it is done. Raises BadCapture or UnsupportedVenue."""

    def attempt(capture: Capture, learnt: Learnt, rows: TextIO | None) -> SignalsResult:
        assert rows is not None
        recorder = Recorder(market_of(capture.venue), learnt, rows)
        books = recorder.verifier.run(capture, progress)
        recorder.end()
        return SignalsResult(books, recorder.rows, recorder.live)

    return attempts(path, attempt, out)


class Passed(msgspec.Struct):
    """A state of a book that is not LIVE, or not yet: its row waits for the next word on that book."""

    received_ns: int
    update_id: int
    is_update: bool


class Recorder:
    """Listens to the cascades of a Verifier, keeps the microstructure actor, writes the rows."""

    def __init__(self, market: VenueMarket, learnt: Learnt, out: TextIO) -> None:
        self.rows = 0
        self.live = 0
        self.microstructure = Microstructure()
        self._instruments: dict[int, Instrument] = {}
        self._passed: dict[int, Passed] = {}
        self._after_snapshot: dict[int, bool] = {}
        self._csv = csv.writer(out, lineterminator="\n")
        self._csv.writerow((*KEY, *FIGURES))
        self.verifier = Verifier(
            market,
            learnt,
            listeners={
                Instrument: self._instrument,
                DepthSnapshot: self._snapshot,
                DepthUpdate: self._update,
                BookStateChanged: self._state,
                BookView: self._view,
                TradePrint: self.microstructure.receive,
                TimerFired: self.microstructure.receive,
            },
        )

    def end(self) -> None:
        """States of books that never went LIVE again."""
        for number in list(self._passed):
            self._flush(number)

    def _instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        self._instruments[message.instrument] = message
        return self.microstructure.receive(message, now_ns)

    def _snapshot(self, message: DepthSnapshot, _now_ns: int) -> tuple[Message, ...]:
        self._pass(message.instrument, Passed(message.received_ns, message.sequence, False))
        return ()

    def _update(self, message: DepthUpdate, _now_ns: int) -> tuple[Message, ...]:
        """The orderbook has it already: a LIVE book has sent its view, which is the row."""
        entry = self.verifier.orderbook.entries[message.instrument]
        if entry.state != BookState.LIVE and entry.sequence == message.last_sequence:
            self._pass(message.instrument, Passed(message.received_ns, message.last_sequence, True))
        return ()

    def _state(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        number = message.instrument
        book = self.verifier.orderbook.entries[number].book
        if message.state == BookState.LIVE:
            tick = math.gcd(*book.bids, *book.asks) or 1
            self.microstructure.receive(msgspec.structs.replace(self._instruments[number], tick=tick), now_ns)
        return self.microstructure.receive(message, now_ns)

    def _view(self, message: BookView, now_ns: int) -> tuple[Message, ...]:
        number = message.instrument
        passed = self._passed.pop(number, None)
        after_snapshot = self._after_snapshot.get(number, False)
        self._after_snapshot[number] = passed is not None and not passed.is_update
        signals = self.microstructure.receive(message, now_ns)[0]
        assert isinstance(signals, Signals), "microstructure answers each view with its signals"
        figures = NONE
        if message.bid_prices and message.ask_prices:
            self.live += 1
            metrics = self.microstructure.metrics[number]
            figures = _figures(message, signals, metrics, not after_snapshot, self._instruments[number])
        self._write(number, message.received_ns, message.update_id, figures)
        return ()

    def _pass(self, number: int, passed: Passed) -> None:
        self._flush(number)
        self._passed[number] = passed

    def _flush(self, number: int) -> None:
        passed = self._passed.pop(number, None)
        if passed is not None:
            self._write(number, passed.received_ns, passed.update_id, NONE)

    def _write(self, number: int, received_ns: int, update_id: int, figures: tuple[str, ...]) -> None:
        self.rows += 1
        told = self.verifier.update_id(number, update_id)
        self._csv.writerow((received_ns, self._instruments[number].venue_symbol, told, *figures))


def _figures(
    view: BookView, signals: Signals, metrics: Metrics, between_updates: bool, instrument: Instrument
) -> tuple[str, ...]:
    """In the order of FIGURES; "" for what has no value yet."""
    price_scale, quantity_scale = instrument.price_scale, instrument.quantity_scale
    price, quantity = 10**price_scale, 10**quantity_scale
    bids, asks = view.bid_quantities, view.ask_quantities
    event = metrics.flow.window.newest if between_updates else None
    sides = (metrics.bids, metrics.asks)
    return (
        decimal_text(signals.ask - signals.bid, price_scale),
        repr(signals.imbalance),
        repr(imbalance_of_best(5, bids, asks)),
        repr(signals.weighted_mid / price),
        "" if event is None else decimal_text(event, quantity_scale),
        repr(imbalance_of_best(10, bids, asks)),
        repr(signals.depth_imbalance),
        repr(signals.order_flow_imbalance / quantity),
        repr(signals.spread_mean / price),
        repr(signals.spread_deviation / price),
        repr(signals.pressure),
        str(signals.sweeps),
        str(int(signals.warm)),
        decimal_text(signals.bid, price_scale),
        decimal_text(signals.bid_quantity, quantity_scale),
        decimal_text(signals.ask, price_scale),
        decimal_text(signals.ask_quantity, quantity_scale),
        *[str(int(side.thin)) for side in sides],
        *[decimal_text(side.depth, quantity_scale) for side in sides],
        *[_prices(side.clusters, price_scale) for side in sides],
        *[_prices(side.flickering, price_scale) for side in sides],
    )


def _prices(prices: tuple[int, ...], scale: int) -> str:
    return " ".join([decimal_text(price, scale) for price in prices])
