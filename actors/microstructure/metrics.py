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
SEEN_MAX = 64  # views kept for the next reading; chosen: 5 at the settings' defaults. Beyond it the oldest go unread
DEPTH_MOVED = 4  # chosen: depth alone is told anew when it is this many times what was said, or this part of it
COLD = 1 << 62
"""`warm_ns` before the first view: later than any time."""
DEAF = COLD + 1
"""`warm_ns` while trades are not heard: no view begins the window."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A view that waits for the next reading; *_traded: as in Flicker, between this one and the one kept before it."""

    view: BookView
    bid_traded: int
    ask_traded: int


class Metrics(msgspec.Struct):
    """Own checkpoint. The windows forget together: what they would span is not one stretch of market any more (lesson 18).

    prints: the last trades, oldest first, up to twice as many as are shown. warm: every window of Signals was filled at the
    last view; warm_ns: from when on that of time is. seen: views since the last reading; look_ns: when the next one is kept.
    told: the last Liquidity of this stretch. resets: how often all was forgotten.
    paused: the book is not LIVE, and may go on where it stood. deaf: the trade stream is silent though it should not be.
    lost: the last word on the book took it away. late_ns: prints received up to then came late, and are of no window. scales: of price and quantity, that all of this is in.
    """

    number: int
    tick: int
    flow: OrderFlow
    spread: MomentWindow
    pressure: Pressure
    bids: SideLiquidity
    asks: SideLiquidity
    live: bool = False
    prints: list[TradePrint] = []
    warm: bool = False
    warm_ns: int = COLD
    seen: list[Seen] = []
    look_ns: int = 0
    told: Liquidity | None = None
    resets: int = 0
    paused: bool = False
    deaf: bool = False
    late_ns: int = -1
    scales: tuple[int, int] = (0, 0)
    lost: bool = False

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
            scales=(instrument.price_scale, instrument.quantity_scale),
        )

    def renew(self, instrument: Instrument) -> None:
        """Another version. Figures of other scales cannot be beside those that were: even the prints are given up."""
        self.tick = instrument.tick
        scales = (instrument.price_scale, instrument.quantity_scale)
        if scales != self.scales:
            self.scales = scales
            self.clear()
            self.prints.clear()

    def clear(self) -> None:
        """Forget everything but the prints, which are facts and not a window."""
        self.flow.clear()
        self.spread.clear()
        self.pressure.clear()
        self.bids.clear()
        self.asks.clear()
        self.seen.clear()
        self.warm, self.warm_ns, self.look_ns, self.told = False, DEAF if self.deaf else COLD, 0, None
        self.paused = False
        self.resets += 1

    def pause(self) -> None:
        """The book is not believed, but nothing of it is known to be missing: the windows wait for how that ends."""
        self.seen.clear()
        self.warm, self.told, self.paused = False, None, True

    def trades_missed(self, received_ns: int) -> None:
        """The window of trades starts anew. Prints that come late now bear their venue's time, and ours only of today: a
        window of our time that can still hold them cannot be built of them, so they are shown, and counted nowhere.
        """
        self.pressure.clear()
        self.late_ns = received_ns
        self.warm = False
        if self.warm_ns < COLD:
            self.warm_ns = received_ns + self.pressure.trades.span_ns
        self.resets += 1

    def hear(self, heard: bool, received_ns: int) -> None:
        """The trade stream fell silent, or speaks again: "nobody traded" is not what a silent stream says."""
        self.deaf = not heard
        self.trades_missed(received_ns)
        self.warm_ns = COLD if heard else DEAF

    def trade(self, message: TradePrint) -> None:
        prints = self.prints
        if len(prints) == 2 * PRINTS_SHOWN:
            del prints[:PRINTS_SHOWN]
        prints.append(message)
        if message.received_ns <= self.late_ns:
            return
        buys = message.aggressor > 0
        top = self.flow.last
        displayed = 0 if top is None else top[3] if buys else top[1]
        self.pressure.update(message, displayed)
        (self.asks if buys else self.bids).flicker.trade(message.price)

    def keep(self, view: BookView, interval_ns: int) -> None:
        """Keep a view for the next reading: what is read there delays no order."""
        self.look_ns = view.received_ns + interval_ns
        if len(self.seen) == SEEN_MAX:
            del self.seen[0]
        self.seen.append(Seen(view, self.bids.flicker.take_traded(), self.asks.flicker.take_traded()))

    def read(self, settings: MicrostructureSettings) -> tuple[Message, ...]:
        """Count what came and went in the views since the last reading, read the last one's shape; tell it if it is new."""
        if not self.seen:
            return NOTHING
        bids, asks, told = self.bids, self.asks, self.told
        for seen in self.seen:
            view = seen.view
            bids.flicker.look(view.bid_prices, view.received_ns, seen.bid_traded)
            asks.flicker.look(view.ask_prices, view.received_ns, seen.ask_traded)
        self.seen.clear()
        received_ns, distance = view.received_ns, settings.depth_ticks * self.tick
        bids.read(view.bid_prices, view.bid_quantities, received_ns, settings, distance)
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
