"""Market data, from the synchronizer to the signals. Tags 30-49.

Prices and quantities of a book are integers at the venue's own text precision: a price of 1 is 10^-price_scale, a
quantity of 1 is 10^-quantity_scale of the base asset (`Instrument` has both). Nothing on the wire of a venue is
finer, so nothing is ever rounded; an order's price in ticks is price // tick. Levels are two tuples of integers, best
first in a view, in the venue's order in an update: tuples of integers leave the collector at its first pass.
"""

from bus.messages.base import Message
from bus.messages.enums import BookReason, BookState, Side, Stream


class Instrument(Message, frozen=True, tag=30):
    """What is traded, with every filter the venue names. A change of any of it is a new `version`.

    tick, lot: one tick and one lot, in the book's price and quantity units. base_scale, quote_scale: decimals of the
    assets' smallest units (ledger, fees, PnL). Filters are in ticks and lots; 0 means the venue sets none.
    min_notional, max_notional: quote asset units. *_ppm: bounds of PERCENT_PRICE_BY_SIDE, millionths of the average price.
    """

    instrument: int
    version: int
    account: int
    venue: int
    venue_symbol: str
    base_asset: str
    quote_asset: str
    price_scale: int
    quantity_scale: int
    base_scale: int
    quote_scale: int
    tick: int
    lot: int
    min_price_ticks: int
    max_price_ticks: int
    min_lots: int
    max_lots: int
    min_notional: int
    max_notional: int
    max_orders: int
    bid_up_ppm: int = 0
    bid_down_ppm: int = 0
    ask_up_ppm: int = 0
    ask_down_ppm: int = 0
    trading: bool = True
    max_position_lots: int = 0
    settle_asset: str = ""
    """Of a contract: the asset that PnL, fees and funding are paid in, and no base asset is ever owned. "": spot."""


class DepthSnapshot(Message, frozen=True, tag=31):
    """A whole book at `sequence`, best first: it replaces what was held. Levels beyond its ends are unknown, not empty.

    checksum: the venue's own of this book (unsigned 32 bits), -1: none.
    """

    instrument: int
    version: int
    sequence: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]
    checksum: int = -1


class DepthUpdate(Message, frozen=True, tag=32):
    """Absolute quantities by price, 0 deletes. Gapless: market data promises it and the book asserts it.

    previous_sequence: the book's sequence this update continues. last_sequence: the book's after it.
    checksum: the venue's own of the book after it (unsigned 32 bits), -1: none. more: another update of this instrument
    follows in the same cascade, because the host is behind: apply it, show nothing of it yet.
    """

    instrument: int
    version: int
    previous_sequence: int
    last_sequence: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]
    checksum: int = -1
    more: bool = False


class BookStateChanged(Message, frozen=True, tag=33):
    """The book left or entered LIVE. Until it is LIVE again nobody may use a price of it."""

    instrument: int
    state: BookState
    reason: BookReason
    sequence: int


class TradePrint(Message, frozen=True, tag=34):
    """One public trade. aggressor: the side that took."""

    instrument: int
    version: int
    trade_id: int
    received_ns: int
    venue_ns: int
    price: int
    quantity: int
    aggressor: Side


class BestQuote(Message, frozen=True, tag=35):
    """The venue's own top of book at its update id: a check of the rebuilt one, where ids are equal."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class BookView(Message, frozen=True, tag=36):
    """The best levels of a LIVE book, best first, at most 20 a side. To microstructure only: it is the fat one."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class Touch(Message, frozen=True, tag=37):
    """Top of a LIVE book (a book that is not LIVE sends BookStateChanged instead). 0 and 0: that side is empty."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class Mark(Message, frozen=True, tag=38):
    """The touch again, at most every MARK_INTERVAL_NS: what the portfolio values a position at."""

    instrument: int
    version: int
    update_id: int
    bid: int
    ask: int


class Signals(Message, frozen=True, tag=39):
    """Touch and metrics of a LIVE book for strategies. Metrics are floats; `warm` says that every window is filled.

    imbalance: (q_b - q_a)/(q_b + q_a) at the touch. depth_imbalance: the same over the view, weight falling with rank.
    weighted_mid: size-weighted mid (not Stoikov's microprice), price units. order_flow_imbalance: Cont, Kukanov and
    Stoikov 2014, summed over the window, quantity units. spread: price units; mean and deviation over the window.
    pressure: signed aggressive volume over all aggressive volume of the time window, -1 to 1 (0.0: nobody traded).
    sweeps: trades of one aggressor that took more than the touch, buys minus sells, in the same window.
    """

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    imbalance: float
    depth_imbalance: float
    weighted_mid: float
    order_flow_imbalance: float
    spread_mean: float
    spread_deviation: float
    warm: bool
    pressure: float = 0.0
    sweeps: int = 0


class Liquidity(Message, frozen=True, tag=40):
    """The shape of a LIVE book's two sides, sent when it changes: where it is thick, thin, and unsteady. Price units.

    *_thin: the side stands on thin ice (see actors/microstructure): little lies between its touch and the next gap.
    *_depth: quantity that must go to move that touch by the settings' ticks. *_clusters: prices of levels far above the
    local median, best first, with quantities and since when each has stood without falling below it (engine time).
    *_flickering: prices of levels that come and go faster than anyone means them.
    """

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid_thin: bool
    ask_thin: bool
    bid_depth: int
    ask_depth: int
    bid_clusters: tuple[int, ...]
    bid_cluster_quantities: tuple[int, ...]
    bid_clusters_since_ns: tuple[int, ...]
    ask_clusters: tuple[int, ...]
    ask_cluster_quantities: tuple[int, ...]
    ask_clusters_since_ns: tuple[int, ...]
    bid_flickering: tuple[int, ...]
    ask_flickering: tuple[int, ...]


class WatchLevels(Message, frozen=True, tag=41):
    """Execution asks the book for the quantity at these prices (price units) whenever one changes; it replaces the last ask."""

    instrument: int
    bid_prices: tuple[int, ...]
    ask_prices: tuple[int, ...]


class LevelQuantities(Message, frozen=True, tag=42):
    """Watched levels of a LIVE book: all of them after WatchLevels and when it is LIVE again, then those that an update
    changed and its Touch does not tell (the touch itself, and that nothing lies before it). 0: it is gone.

    known: False for a price beyond the book's horizon (its quantity is 0 and says nothing).
    """

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]
    known: bool = True


class StreamChanged(Message, frozen=True, tag=43):
    """A stream of one instrument fell silent for longer than it ever does, or speaks again. Its socket may be well.

    silent_ns: since its last word. usual_ns: the longest silence it is known for. detail: what gave it away.
    """

    instrument: int
    stream: Stream
    live: bool
    silent_ns: int
    usual_ns: int
    detail: str = ""


class TradesMissed(Message, frozen=True, tag=44):
    """Prints of this instrument are missing, or come now though they are older: windows over them start anew.

    from_id, to_id: the first and last that are missing; equal ids of unknown meaning (0) where the venue numbers none.
    backfilled: how many of them follow in this cascade, as TradePrints.
    """

    instrument: int
    received_ns: int
    from_id: int
    to_id: int
    backfilled: int


class MarkPrice(Message, frozen=True, tag=45):
    """The venue's mark and index price of a perpetual, price units; index 0: the venue has not told it."""

    instrument: int
    version: int
    received_ns: int
    venue_ns: int
    mark: int
    index: int


class FundingRate(Message, frozen=True, tag=46):
    """rate: signed, in 10^-12 of the position's value, paid at next_ns (0: untold) by longs to shorts when positive."""

    instrument: int
    version: int
    received_ns: int
    venue_ns: int
    rate: int
    next_ns: int


class FeedAge(Message, frozen=True, tag=47):
    """How late a LIVE book's stream is. Said when it changes enough to matter, and at least every few seconds.

    lag_ns: worst since it was last said, from the venue's stamp to our receipt, venue clock taken into account; true
    within +-uncertainty_ns. silent_ns: since the stream's last word. -1: not known (the venue stamps nothing).
    """

    instrument: int
    lag_ns: int
    uncertainty_ns: int
    silent_ns: int
