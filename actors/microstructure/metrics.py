"""All that is known of one instrument, and when its shape is worth a message."""

import msgspec

from actors.microstructure.flicker import Flicker
from actors.microstructure.flow import OrderFlow
from actors.microstructure.liquidity import SideLiquidity
from actors.microstructure.pressure import Pressure
from actors.microstructure.settings import MS, MicrostructureSettings
from actors.microstructure.window import MomentWindow, Window
from bus.actor import NOTHING
from bus.messages import BookView, Instrument, Liquidity, Message, Side, TradePrint

PRINTS_SHOWN = 50  # of `view()`: a screen of trades; chosen
DEPTH_MOVED = 4  # chosen: depth alone is told anew when it is this many times what was said, or this part of it
COLD = 1 << 62
"""`warm_ns` before the first view: later than any time."""


class Metrics(msgspec.Struct):
    """Own checkpoint. The windows forget together: what they would span is not one stretch of market any more (lesson 18).

    prints: the last trades, oldest first, up to twice as many as are shown. warm_ns: from then on the time windows are filled; warm: so was every
    window at the last view.
    scan_ns: when the shape is read next; asks_next: which side then. told: the last Liquidity sent of this stretch. resets: how often all was forgotten.
    """

    number: int
    tick: int
    flow: OrderFlow
    spread: MomentWindow
    pressure: Pressure
    bids: SideLiquidity
    asks: SideLiquidity
    prints: list[TradePrint] = []
    warm_ns: int = COLD
    warm: bool = False
    scan_ns: int = 0
    asks_next: bool = False
    told: Liquidity | None = None
    resets: int = 0

    @staticmethod
    def of(instrument: Instrument, settings: MicrostructureSettings) -> "Metrics":
        def side(sign: Side) -> SideLiquidity:
            return SideLiquidity(sign, Flicker.over(sign, settings.flips_min, settings.flicker_window_ms * MS))

        span_ns, burst_ns = settings.pressure_window_ms * MS, settings.sweep_window_ms * MS
        return Metrics(
            instrument.instrument,
            instrument.tick,
            OrderFlow(Window(settings.flow_window)),
            MomentWindow(settings.spread_window),
            Pressure.over(span_ns, burst_ns, settings.sweep_levels),
            side(Side.BUY),
            side(Side.SELL),
        )

    def clear(self) -> None:
        """Forget everything but the prints, which are facts and not a window."""
        self.flow.clear()
        self.spread.clear()
        self.pressure.clear()
        self.bids.clear()
        self.asks.clear()
        self.warm_ns, self.warm, self.scan_ns, self.told = COLD, False, 0, None
        self.resets += 1

    def trade(self, message: TradePrint) -> None:
        prints = self.prints
        if len(prints) == 2 * PRINTS_SHOWN:
            del prints[:PRINTS_SHOWN]
        prints.append(message)
        buys = message.aggressor > 0
        top = self.flow.last
        displayed = 0 if top is None else top[3] if buys else top[1]
        self.pressure.update(message, displayed)
        (self.asks if buys else self.bids).flicker.trade(message.price)

    def read_shape(self, view: BookView, settings: MicrostructureSettings) -> tuple[Message, ...]:
        """Read one side, in turn (both at first), so that no view pays for two; Liquidity when it says something new."""
        received_ns = view.received_ns
        self.scan_ns = received_ns + settings.liquidity_interval_ms * MS
        distance = settings.depth_ticks * self.tick
        bids, asks, told = self.bids, self.asks, self.told
        self.asks_next = not self.asks_next
        if self.asks_next or told is None:
            bids.read(view.bid_prices, view.bid_quantities, received_ns, settings, distance)
        if not self.asks_next or told is None:
            asks.read(view.ask_prices, view.ask_quantities, received_ns, settings, distance)
        if told is not None and _same(told, bids, asks):
            return NOTHING
        self.told = Liquidity(
            view.instrument,
            view.version,
            view.update_id,
            received_ns,
            bids.thin,
            asks.thin,
            bids.depth,
            asks.depth,
            bids.clusters,
            bids.quantities,
            bids.since_ns,
            asks.clusters,
            asks.quantities,
            asks.since_ns,
            bids.flickering,
            asks.flickering,
        )
        return (self.told,)


def _same(told: Liquidity, bids: SideLiquidity, asks: SideLiquidity) -> bool:
    """Would nobody decide otherwise? Quantities of clusters may move, and depth up to DEPTH_MOVED-fold."""
    return (
        told.bid_thin == bids.thin
        and told.ask_thin == asks.thin
        and told.bid_clusters == bids.clusters
        and told.ask_clusters == asks.clusters
        and told.bid_flickering == bids.flickering
        and told.ask_flickering == asks.flickering
        and told.bid_depth < DEPTH_MOVED * bids.depth < DEPTH_MOVED**2 * told.bid_depth
        and told.ask_depth < DEPTH_MOVED * asks.depth < DEPTH_MOVED**2 * told.ask_depth
    )
